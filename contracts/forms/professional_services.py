"""Professional services as they are typed: agreed as part of an edit, and invoiced on a page of their own."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import exact_text
from billing_site.foundation.money import exact_sum
from billing_site.foundation.refusals import Refusal
from contracts.forms.amounts import MajorField, NumberField
from contracts.forms.choices import ProductChoice
from contracts.forms.instants import InstantField
from contracts.forms.rows import RowsForm, Section
from contracts.queries import AMENDED_FROM, AgreedServices
from contracts.service_inputs import ServiceInput, ServiceInvoiceInput, ServiceLineInput
from contracts.service_wording import service_name
from contracts.services.service_invoices import BEYOND, invoiced

# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("add_professional_services[0].max_amount", "work_most"),
    ("add_professional_services[0].quantity", "work_quantity"),
    ("add_professional_services[0].unit_price", "work_price"),
    ("add_professional_services[0].description", "work_description"),
    ("add_professional_services[0].netsuite_sales_order_id", "work_netsuite_sales_order_id"),
    ("add_professional_services[0]", "work_product"),
)
LINE = "line"
WORK = ("amount", "quantity", "unit_price", "metadata")
NETSUITE = ("netsuite_invoice_billing_start", "netsuite_invoice_billing_end")


class ServiceFields(forms.Form):
    work_most = MajorField(label="At the most, in all", help_text="No more of it is ever invoiced.")
    work_quantity = NumberField(label="Units of work", help_text="Hours, days: as it is sold.")
    work_price = MajorField(label="Price of a unit")
    work_product = ProductChoice("PRO_SERVICE", label="Billed as", help_text="A product for professional services.")
    work_description = forms.CharField(required=False, max_length=2_000, label="Description")
    work_netsuite_sales_order_id = forms.CharField(required=False, max_length=160, label="NetSuite sales order")

    SERVICE = (
        "A professional service",
        (
            "work_most",
            "work_quantity",
            "work_price",
            "work_product",
            "work_description",
            "work_netsuite_sales_order_id",
        ),
    )

    def professional_services(self) -> tuple[ServiceInput, ...]:
        """What a valid form agrees: one or none."""
        values = self.cleaned_data
        if values["work_most"] is None:
            return ()
        return (
            ServiceInput(
                product_id=values["work_product"].pk,
                quantity=values["work_quantity"],
                unit_price=values["work_price"],
                max_amount=values["work_most"],
                description=values["work_description"],
                netsuite_sales_order_id=values["work_netsuite_sales_order_id"],
            ),
        )


class ServiceInvoiceForm(Dressed, RowsForm):
    """An invoice of work: of each service of the contract an amount, or a quantity, or nothing."""

    KINDS = (LINE,)

    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    issued_at = InstantField(label="Invoiced on", help_text="Any time of the day, UTC.")
    netsuite_invoice_header_start = InstantField(label="Start of the header in NetSuite", help_text="")
    netsuite_invoice_header_end = InstantField(label="End of the header in NetSuite", help_text="")
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    def __init__(self, agreed: AgreedServices, *args: Any, based_on_edit: int = 0, **kwargs: Any) -> None:
        self.agreed = agreed
        self.lines: list[int] = []  # by their places in what the service is told
        kwargs["initial"] = {"based_on_edit": based_on_edit}
        super().__init__(*args, **kwargs)
        for index, service in enumerate(agreed.services):
            start, money = f"{LINE}_{index}_", service.unit.to_unit()
            self.add_amount(f"{start}amount", "Amount", money)
            self.fields[f"{start}quantity"] = NumberField(label="Or so many units")
            self.add_amount(f"{start}unit_price", "at another price", money)
            self.fields[f"{start}metadata"] = forms.CharField(
                required=False, max_length=2_000, label="Note on the line"
            )
            self.fields[f"{start}netsuite_invoice_billing_start"] = InstantField(
                label="Start in NetSuite", help_text="UTC."
            )
            self.fields[f"{start}netsuite_invoice_billing_end"] = InstantField(
                label="End in NetSuite", help_text="UTC."
            )
        self.dress()

    def sections(self) -> Iterator[Section]:
        header = [self["netsuite_invoice_header_start"], self["netsuite_invoice_header_end"]]
        yield Section("The invoice", [[self["issued_at"]], header])
        for index, service in enumerate(self.agreed.services):
            price = exact_text(service.unit_price, service.unit.to_unit())
            rows = [[self[f"{LINE}_{index}_{name}"] for name in names] for names in (WORK, NETSUITE)]
            yield Section(
                service_name(service), rows, f"A unit is {price}. {self._left(index)} of it is left to invoice."
            )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        self.need("", ["issued_at"])
        return values

    def to_input(self) -> ServiceInvoiceInput:
        """The invoice that a valid form asks for."""
        values = self.cleaned_data
        self.lines = self.rows_of(LINE, (*WORK, *NETSUITE))
        return ServiceInvoiceInput(
            issued_at=values["issued_at"],
            line_items=tuple(self._line(index) for index in self.lines),
            netsuite_invoice_header_start=values["netsuite_invoice_header_start"],
            netsuite_invoice_header_end=values["netsuite_invoice_header_end"],
            reason=values["reason"],
            based_on_edit=values["based_on_edit"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            field, rule = error.field, error.rule
            if field.startswith("line_items["):
                place, _, name = field.removeprefix("line_items[").partition("].")
                field = f"{LINE}_{self.lines[int(place)]}_{name}"
                if rule.startswith(BEYOND):
                    rule = f"That is more than is left of it, {self._left(self.lines[int(place)])}."
            self.add_error(field if field in self.fields else None, rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _left(self, index: int) -> str:
        """What of a service is not invoiced, and not going to be."""
        service = self.agreed.services[index]
        done = invoiced(self.agreed).get(service.pk, Decimal(0))
        return exact_text(exact_sum([service.max_amount, -done]), service.unit.to_unit())

    def _line(self, index: int) -> ServiceLineInput:
        service, start = self.agreed.services[index], f"{LINE}_{index}_"
        edit = service.added_by_edit
        return ServiceLineInput(
            professional_service_id=service.pk,
            amendment_id=edit.pk if AMENDED_FROM in edit.changes else None,
            **{name: self.cleaned_data[f"{start}{name}"] for name in (*WORK, *NETSUITE)},
        )
