"""The page on which an invoice that another system made for usage is imported, seen before it is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import exact_text
from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import Refusal
from contracts.forms.amounts import NumberField
from contracts.forms.choices import ProductChoice, contract_name
from contracts.forms.instants import InstantField
from contracts.forms.overrides import GroupValuesField
from contracts.forms.rows import RowsForm, Section
from contracts.models import Contract
from contracts.queries import agreement
from invoicing.admin.looked_at import made_as_seen
from invoicing.printing.lines import PrintedLine
from invoicing.queries.shown import ShownDocument
from invoicing.services.historical import create_historical_invoices, preview_historical_invoices
from invoicing.services.historical_checks import PastInvoiceInput, PastLineInput

LINE = "line"
FIELDS = ("product", "quantity", "pricing", "presentation")
ONE = "invoices[0]."
# What the service calls a field of a line, and which one it is here.
SHOWN_AS = {"product_id": "product", "pricing_group_values": "pricing", "presentation_group_values": "presentation"}


class PastInvoiceForm(Dressed, RowsForm):
    KINDS = (LINE,)

    inclusive_start_date = InstantField(label="Usage from", help_text="On the hour, UTC.")
    exclusive_end_date = InstantField(label="Up to (not including)", help_text="On the hour, UTC.")
    issue_date = InstantField(label="Issued on", help_text="By the other system. UTC.")
    theirs = forms.CharField(
        required=False, max_length=200, label="Its number there", help_text="Kept as the custom field number."
    )

    def __init__(self, contract: Contract, *args: Any, **kwargs: Any) -> None:
        self.contract = contract
        self.lines: list[int] = []  # by their places in what the service is told
        super().__init__(*args, **kwargs)
        for index in self.places(LINE, spare=3):
            start = f"{LINE}_{index}_"
            product: Any = ProductChoice("USAGE", label="Product")
            product.queryset = product.queryset.filter(rates__rate_card=contract.rate_card).distinct()
            self.fields[f"{start}product"] = product
            self.fields[f"{start}quantity"] = NumberField(label="Quantity, as it was sold")
            self.fields[f"{start}pricing"] = GroupValuesField(label="Pricing group values")
            self.fields[f"{start}presentation"] = GroupValuesField(label="Presentation group values")
        self.dress()

    def sections(self) -> Iterator[Section]:
        times = [self["inclusive_start_date"], self["exclusive_end_date"], self["issue_date"]]
        yield Section("The invoice", [times, [self["theirs"]]])
        yield Section(
            "What was used",
            self.in_rows(LINE, FIELDS, spare=3),
            "A row for each product and its values. It is priced as the contract had it at the start of the time.",
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        self.need("", ["inclusive_start_date", "exclusive_end_date", "issue_date"])
        for index in self.rows_of(LINE, FIELDS):
            self.need(f"{LINE}_{index}_", ["product", "quantity"])
        return values

    def to_input(self) -> PastInvoiceInput:
        values = self.cleaned_data
        self.lines = self.rows_of(LINE, FIELDS)
        assert self.contract.rate_card is not None, "the page is of such a contract"
        return PastInvoiceInput(
            customer_id=self.contract.customer_id,
            contract_id=self.contract.pk,
            credit_type_id=self.contract.rate_card.fiat_unit_id,
            inclusive_start_date=values["inclusive_start_date"],
            exclusive_end_date=values["exclusive_end_date"],
            issue_date=values["issue_date"],
            usage_line_items=tuple(map(self._line, self.lines)),
            custom_fields={"number": values["theirs"]} if values["theirs"] else {},
        )

    def _line(self, index: int) -> PastLineInput:
        product, quantity, pricing, presentation = self.values_of(f"{LINE}_{index}_", FIELDS)
        values = self.cleaned_data
        return PastLineInput(
            product_id=product.pk,
            inclusive_start_date=values["inclusive_start_date"],
            exclusive_end_date=values["exclusive_end_date"],
            quantity=quantity,
            pricing_group_values=pricing,
            presentation_group_values=presentation,
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            field = error.field.removeprefix(ONE)
            if field.startswith("usage_line_items["):
                place, _, name = field.removeprefix("usage_line_items[").partition("].")
                field = f"{LINE}_{self.lines[int(place)]}_{SHOWN_AS.get(name, name)}"
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)


@dataclass(frozen=True, slots=True)
class PastInvoiceCard:
    """An invoice as it would be, or is."""

    is_there: bool
    total: str
    lines: tuple[PrintedLine, ...]

    @classmethod
    def of(cls, shown: ShownDocument, unit: Unit) -> "PastInvoiceCard":
        lines = tuple(PrintedLine.of(line, unit) for line in shown.lines)
        return cls(shown.number is not None, exact_text(shown.total, unit), lines)


class PastInvoicePage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def import_invoice_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        if not request.user.has_perm("invoicing.add_invoice"):
            raise PermissionDenied
        admin: Any = self
        contract: Contract = admin._contract(request, contract_id)
        if contract.rate_card is None or contract.invoicing_starts_at is None:
            raise Http404("All usage of this contract is invoiced here.")
        leave = reverse("admin:contracts_contract_change", args=[contract_id])
        told, unit = admin.told(request), contract.rate_card.fiat_unit.to_unit()

        def preview(given: PastInvoiceInput) -> PastInvoiceCard:
            [shown] = preview_historical_invoices([given], at=told["at"])
            return PastInvoiceCard.of(shown, unit)

        def make(given: PastInvoiceInput) -> HttpResponse:
            [made] = create_historical_invoices([given], **told)
            messages.success(request, f"{made.number} is imported.")
            return HttpResponseRedirect(leave)

        shown = made_as_seen(request, PastInvoiceForm(contract, request.POST or None), preview=preview, make=make)
        if isinstance(shown, HttpResponse):
            return shown
        named = contract_name(agreement(contract.customer_id, contract_id))
        page = {"title": f"Import an earlier invoice of {named}", "of_what": named, "leave": leave}
        answer: HttpResponse = admin._render(request, contract, "import_invoice", **page, **shown)
        return answer
