"""What is told about the payment that a commit waits for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NONE = "NONE"


@dataclass(frozen=True, slots=True)
class StripeConfigInput:
    payment_type: str
    invoice_metadata: Mapping[str, str] = field(default_factory=dict)
    on_session_payment: bool = False


@dataclass(frozen=True, slots=True)
class GateInput:
    """Of the type NONE nothing is waited for."""

    payment_gate_type: str
    tax_type: str = NONE
    stripe_config: StripeConfigInput | None = None
