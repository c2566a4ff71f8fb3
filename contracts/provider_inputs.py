"""What is told about billing providers and revenue systems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.input_parts import UNCHANGED, Unchanged


@dataclass(frozen=True, slots=True)
class ConfigurationInput:
    """What a customer is called at a provider. `delivery_method`, its id, or both where they agree."""

    provider: str
    kind: str = "BILLING_PROVIDER"
    delivery_method: str = ""
    delivery_method_id: UUID | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    tax_provider: str = ""


@dataclass(frozen=True, slots=True)
class LookupInput:
    """Which configuration of the customer a contract is for: its id, or the one of a provider and delivery method."""

    configuration_id: UUID | None = None
    provider: str = ""
    delivery_method: str = ""
    is_of_package: bool = False  # which cannot say it by an id


@dataclass(frozen=True, slots=True)
class LookupUpdateInput:
    configuration: LookupInput
    effective_at: str = "START_OF_CURRENT_PERIOD"  # or START_OF_NEXT_PERIOD


@dataclass(frozen=True, slots=True)
class ResellerOptionsInput:
    """What a marketplace calls the deal: of AWS the first three, of Google Cloud the others."""

    aws_account_number: str = ""
    aws_offer_id: str = ""
    aws_payer_reference_id: str = ""
    gcp_account_id: str = ""
    gcp_offer_id: str = ""


@dataclass(frozen=True, slots=True)
class RoyaltyInput:
    """A reseller's share of what products bring. In an edit, what is absent is as in the last one of its type."""

    reseller_type: str
    fraction: Decimal | None = None
    netsuite_reseller_id: str | None = None
    starting_at: datetime | None = None
    ending_before: datetime | Unchanged | None = UNCHANGED
    applicable_product_ids: tuple[UUID, ...] | None = None
    applicable_product_tags: tuple[str, ...] | None = None
    reseller_contract_value: Decimal | None = None
    aws_options: ResellerOptionsInput | None = None
    gcp_options: ResellerOptionsInput | None = None
