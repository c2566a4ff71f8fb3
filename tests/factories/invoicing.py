"""The plainest valid rows of documents. A test states everything that matters to it.

`InvoiceFactory(lines=["10.5", "-3"])` comes with these lines and their sum; nothing is checked before the transaction
ends, as in the services.
"""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import exact_sum
from invoicing.models import Invoice, InvoiceLine
from tests.factories.contracts import ContractFactory

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)


class InvoiceLineFactory(DjangoModelFactory):
    """A line of usage that counts."""

    class Meta:
        model = InvoiceLine

    invoice = factory.SubFactory("tests.factories.invoicing.InvoiceFactory", lines=[])
    customer = factory.SelfAttribute("invoice.customer")
    position = 1
    type = "usage"
    name = "API calls"
    total = Decimal(100)
    unrounded_total = factory.SelfAttribute("total")
    counts_toward_total = True
    details = factory.LazyFunction(dict)
    trace = factory.LazyFunction(list)


class InvoiceFactory(DjangoModelFactory):
    """October's usage, one line of a dollar."""

    class Meta:
        model = Invoice
        skip_postgeneration_save = True

    class Params:
        amounts = factory.LazyAttribute(lambda invoice: [Decimal(100)])

    id = factory.LazyFunction(uuid7)
    contract = factory.SubFactory(ContractFactory)
    customer = factory.SelfAttribute("contract.customer")
    number = "INV-000001"
    type = "USAGE"
    kind = "USAGE"
    slot = "2025-10-01T00:00:00+00:00"
    starting_at = OCTOBER
    ending_before = NOVEMBER
    issued_at = NOVEMBER
    finalized_at = NOVEMBER
    finalized_by = "Ada"
    unit = factory.SelfAttribute("contract.rate_card.fiat_unit")
    customer_name = factory.SelfAttribute("customer.name")
    total = factory.LazyAttribute(lambda invoice: exact_sum(invoice.amounts))
    subtotal = factory.SelfAttribute("total")
    unrounded_total = factory.SelfAttribute("total")
    line_count = factory.LazyAttribute(lambda invoice: len(invoice.amounts))
    publication = 1
    edit_number = 1
    snapshot = "1:1:"
    terms = factory.LazyFunction(dict)
    details = factory.LazyFunction(dict)
    document_hash = b"\0" * 32

    @factory.post_generation
    def lines(invoice, create: bool, totals: list[Decimal] | None, **_: object) -> None:  # noqa: N805
        given = [Decimal(100)] if totals is None else totals
        for position, total in enumerate(given, start=1):
            InvoiceLineFactory(invoice=invoice, position=position, total=total)
