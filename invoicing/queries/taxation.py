"""The tax on a document, and how it is kept among the document's fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.display import day_text
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period
from contracts.models import BillingProfile
from contracts.queries import tax_codes
from invoicing.engine.rounding import RoundedDocument
from invoicing.engine.taxes import NOTHING_TAXED, AsPrinted, NoTaxRate, Taxed, TaxLine, TaxPort, TaxRate, taxes
from invoicing.frozen import digits
from invoicing.models import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True)
class Taxation:
    """`problem` says why there is no tax though there should be: such a document cannot become final."""

    lines: tuple[TaxLine, ...] = ()
    problem: str = ""
    of_line: Mapping[int, tuple[Decimal, str]] = field(
        default_factory=dict
    )  # tax and tax code of taxed lines, by position

    @property
    def total(self) -> Decimal:
        return exact_sum([line.amount for line in self.lines])

    def fields(self) -> dict[str, Any]:
        """For the document's fields on the wire, as JSON. What does not apply is absent."""
        if self.problem:
            return {"tax_problem": self.problem}
        rows = [
            {
                "name": line.rate.name,
                "tax_code": line.rate.code,
                "percent": digits(line.rate.percent),
                "taxable": digits(line.taxable),
                "amount": digits(line.amount),
            }
            for line in self.lines
        ]
        return {"tax_lines": rows} if rows else {}

    def line_fields(self, position: int) -> dict[str, Any]:
        """Likewise, of the line at `position`, counted from 0."""
        if position not in self.of_line:
            return {}
        amount, code = self.of_line[position]
        return {"tax_amount": digits(amount), "tax_code": code}


UNTAXED = Taxation()


def taxation(
    document: RoundedDocument, port: TaxPort, before: Mapping[TaxRate, Taxed] = MappingProxyType({})
) -> Taxation:
    """`before` is what earlier notes have printed, where it is of a note."""
    try:
        lines = taxes(document, port, before)
    except NoTaxRate as missing:
        code = f"the tax code {missing.code}" if missing.code else "products without a tax code"
        return Taxation(problem=f"There is no tax rate for {code} on {day_text(missing.at)}.")
    shares = {position: (share, line.rate.code) for line in lines for position, share in line.shares.items()}
    return Taxation(lines, of_line=shares)


def note_taxation(note: RoundedDocument, about: Invoice, port: TaxPort) -> Taxation:
    """At the rates that the document printed, each product by the tax code that its lines had there; what was rounded
    before is made up for."""
    rates = printed_rates(about)
    if not rates:
        return UNTAXED
    codes = tax_codes() | _printed_codes(about)
    return taxation(note, AsPrinted(port, codes, {rate.code: rate for rate in rates}), tax_of_notes(about))


def _printed_codes(about: Invoice) -> dict[UUID, str]:
    """By product. Lines of before codes were kept say none. One query."""
    lines = InvoiceLine.objects.filter(customer_id=about.customer_id, invoice=about, details__has_key="tax_code")
    said = lines.filter(details__has_key="product_id").values_list("details__product_id", "details__tax_code")
    return {UUID(product_id): code for product_id, code in said}


def printed_rates(about: Invoice) -> list[TaxRate]:
    return [_rate(row) for row in about.details.get("tax_lines", ())]


def tax_of_notes(about: Invoice, *, before: int | None = None) -> dict[TaxRate, Taxed]:
    """By rate: what the notes on a document have printed; those before the customer's money version `before`.
    One query."""
    notes = Invoice.objects.filter(customer_id=about.customer_id, note__about=about)
    if before is not None:
        notes = notes.filter(money_version__lt=before)
    found: dict[TaxRate, Taxed] = {}
    for details in notes.values_list("details", flat=True):
        for row in details.get("tax_lines", ()):
            so_far = found.get(_rate(row), NOTHING_TAXED)
            found[_rate(row)] = Taxed(
                exact_sum([so_far.taxable, Decimal(row["taxable"])]), exact_sum([so_far.amount, Decimal(row["amount"])])
            )
    return found


def taxed_within(period: Period, *, country: str = "") -> int:
    """How many final documents, for buyers of a country or of any, were taxed by what held then. One query."""
    by_usage = Q(kind__in=[Invoice.Kind.USAGE, Invoice.Kind.ADJUSTMENT])
    usage = by_usage & Q(ending_before__gt=period.starting_at)
    others = ~by_usage & Q(issued_at__gte=period.starting_at)
    if period.ending_before is not None:
        usage &= Q(ending_before__lte=period.ending_before)
        others &= Q(issued_at__lt=period.ending_before)
    found = Invoice.objects.filter(usage | others, void=None).exclude(kind=Invoice.Kind.NOTE)
    if country:
        buyers = BillingProfile.objects.filter(country=country).values("customer")
        found = found.filter(customer__in=buyers)
    return found.count()


def _rate(row: Mapping[str, str]) -> TaxRate:
    return TaxRate(row["name"], Decimal(row["percent"]), row["tax_code"])
