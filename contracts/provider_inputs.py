"""What is told about billing providers and revenue systems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ConfigurationInput:
    """What a customer is called at a provider. `delivery_method`, its id, or both where they agree."""

    provider: str
    kind: str = "BILLING_PROVIDER"
    delivery_method: str = ""
    delivery_method_id: UUID | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    tax_provider: str = ""
