"""What is told about professional services and their invoices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ServiceInput:
    """Work at a price: as much as `max_amount` allows in all."""

    product_id: UUID
    quantity: Decimal
    unit_price: Decimal
    max_amount: Decimal
    description: str = ""
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    netsuite_sales_order_id: str = ""


@dataclass(frozen=True, slots=True)
class ServiceLineInput:
    """An amount, or a quantity at the price of the service, or at another one."""

    professional_service_id: UUID
    amendment_id: UUID | None = None
    amount: Decimal | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    metadata: str = ""
    netsuite_invoice_billing_start: datetime | None = None
    netsuite_invoice_billing_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceInvoiceInput:
    issued_at: datetime
    line_items: tuple[ServiceLineInput, ...]
    netsuite_invoice_header_start: datetime | None = None
    netsuite_invoice_header_end: datetime | None = None
    reason: str = ""
    based_on_edit: int | None = None  # as of an edit of the contract
