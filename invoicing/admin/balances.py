"""The pages of balances: a customer's commits and credits in a table, each as it burns down, and entries by hand."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import exact_text, period_text
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.problems import REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.commit_wording import gate_text
from contracts.forms.amounts import MajorField
from contracts.forms.choices import contract_name
from contracts.forms.rows import NEEDED
from contracts.models import Customer
from contracts.queries import agreements
from contracts.seats import NOBODY
from contracts.wording import balance_history_in_words
from invoicing.admin.balance_screens import BalanceRow, BalanceScreen, BalanceTable
from invoicing.admin.payments import may_record_payment
from invoicing.models import Invoice
from invoicing.portal.ledgers import seats_of
from invoicing.queries.balances import Balance, balances, computed_balances
from invoicing.queries.burn_down import burn_downs
from invoicing.services.manual_entries import BY_SEAT, ManualEntryInput, MoreThanIsLeft, add_manual_entry


class SeatAmountsField(forms.CharField):
    """Amounts by seat, a line each, "ada: 150"; the clean value is a mapping of seat ids to amounts in wire units."""

    widget = forms.Textarea

    def __init__(self, unit: Unit) -> None:
        super().__init__(
            required=False,
            label=f"Or shared by seats ({unit.code or unit.name})",
            help_text="A seat a line, a colon, its amount. Each is on what that seat has of its own.",
        )
        self.widget.attrs |= {"rows": 3, "cols": 40, "placeholder": "ada: 150"}
        self.amounts = MajorField(required=True)
        self.amounts.unit = unit

    def to_python(self, value: Any) -> Any:
        found: dict[str, Decimal] = {}
        for line in filter(None, map(str.strip, (value or "").splitlines())):
            seat, colon, amount = line.rpartition(":")
            seat = seat.strip()
            if not colon or seat in found:
                raise forms.ValidationError(
                    f"There is a line for {seat} already." if colon else f"Write “ada: 150”, not “{line}”."
                )
            found[seat] = self.amounts.clean(amount)
        return found


class EntryForm(Dressed, forms.Form):
    """An entry by hand. Its key keeps a form that is sent twice from being posted twice."""

    key = forms.CharField(widget=forms.HiddenInput)
    segment = forms.ChoiceField(label="Access")
    amount = MajorField(
        required=True, label="Amount", help_text="What is added; below zero what is taken, at the most what is left."
    )
    reason = forms.CharField(max_length=REASON_LENGTH, help_text="Why; kept with the entry.")

    def __init__(self, held: Balance, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"key": str(uuid7())}, **kwargs)
        self.held = held
        seats = seats_of(held)
        self.fields["segment"].choices = [  # type: ignore[attr-defined]
            (str(each.segment_id), f"{period_text(each.period)}, seat {seat}" if seat else period_text(each.period))
            for each in held.committed.segments
            if (seat := seats.get(each.segment_id)) != NOBODY
        ]
        self.fields["amount"].in_unit(held.committed.commit.held_in)  # type: ignore[attr-defined]
        if any(seats.values()):
            self.fields[BY_SEAT] = SeatAmountsField(held.committed.commit.held_in)
            self.fields["amount"].required = False
            self.order_fields(["key", "segment", "amount", BY_SEAT, "reason"])
        self.dress()

    def clean(self) -> dict[str, Any]:
        """Of seats the amount is theirs together, unless it is said."""
        values = super().clean() or {}
        of_seats = values.get(BY_SEAT)
        if of_seats and values.get("amount") is None and "amount" not in self.errors:
            values["amount"] = exact_sum(list(of_seats.values()))
        elif not of_seats and BY_SEAT in self.fields and values.get("amount") is None and not self.errors:
            self.add_error("amount", NEEDED)
        return values

    def to_input(self) -> ManualEntryInput:
        values = self.cleaned_data
        return ManualEntryInput(
            balance_id=self.held.committed.commit.pk,
            segment_id=UUID(values["segment"]),
            amount=values["amount"],
            reason=values["reason"],
            uniqueness_key=values["key"],
            per_group_amounts=values.get(BY_SEAT) or {},
        )

    def show(self, refusal: Refusal) -> None:
        for error in refusal.errors:
            rule = error.rule
            if isinstance(refusal, MoreThanIsLeft):
                rule = (
                    f"must not take more than the {exact_text(refusal.left, self.held.committed.commit.held_in)} left"
                )
            field, _, seat = error.field.partition(".")
            self.add_error(field if field in self.fields else None, f"{seat}: {rule}" if seat else rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)


class BalancePages:
    """What the admin of contracts has besides its own pages."""

    def balances_view(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """All of a customer's commits and credits, of its contracts and its own."""
        customer, at = self._customer(request, customer_id), clock.now()
        names = _contract_names(customer_id)
        table = BalanceTable.of(
            [BalanceRow.of(held, at, names) for held in balances(customer_id, at=at) if not held.is_archived]
        )
        return self._balance_page(
            request,
            customer,
            "balances",
            title=f"Balances of {customer.name}",
            rows=table.rows,
            columns=table.columns,
            history=balance_history_in_words(customer_id),
            may_edit=request.user.has_perm("contracts.change_contract") and customer.archived_at is None,
        )

    @method_decorator(csrf_protect)
    def balance_view(self, request: HttpRequest, customer_id: UUID, commit_id: UUID) -> HttpResponse:
        """One commit or credit as it has burnt down, and the form with which a person adds to it or takes from it."""
        customer, at = self._customer(request, customer_id), clock.now()
        with read_snapshot():  # the chart is of the balance that the table shows
            found, computed = computed_balances(customer_id, at=at)
            held = next((each for each in found if each.committed.commit.pk == commit_id), None)
            points = burn_downs(customer, [held], computed, at=at)[commit_id].points if held is not None else ()
        if held is None:
            raise Http404("There is no such commit or credit.")
        may_edit = request.user.has_perm("contracts.change_contract") and not held.is_archived
        if request.method == "POST" and not may_edit:
            raise PermissionDenied
        form = EntryForm(held, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                add_manual_entry(customer_id, form.to_input(), **self.told(request))  # type: ignore[attr-defined]
            except Refusal as refusal:
                form.show(refusal)
            else:
                self.message_user(request, "The entry is posted.")  # type: ignore[attr-defined]
                return HttpResponseRedirect(reverse("admin:contracts_customer_balance", args=[customer_id, commit_id]))
        gate = held.committed.gate
        named = {each.invoice_id for each in held.statement.movements if each.invoice_id is not None}
        numbers = dict(Invoice.objects.filter(customer=customer, pk__in=named).values_list("pk", "number"))
        screen = BalanceScreen.of(held, points, numbers, at, _contract_names(customer_id))
        return self._balance_page(
            request,
            customer,
            "balance",
            title=screen.row.name,
            screen=screen,
            columns=screen.table.columns,
            form=form,
            may_edit=may_edit and bool(held.statement.standings),
            payment=f"It {gate_text(gate)}." if gate is not None else "",
            may_record=not held.is_archived and may_record_payment(request, gate),
            recurring_id=held.committed.recurring_id if may_edit else None,
            may_change=may_edit and held.committed.recurring_id is None and held.committed.rolled_over_from is None,
        )

    def _customer(self, request: HttpRequest, customer_id: UUID) -> Customer:
        if not request.user.has_perm("contracts.view_contract"):
            raise PermissionDenied
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise Http404("There is no such customer.")
        return customer

    def _balance_page(self, request: HttpRequest, customer: Customer, template: str, **context: Any) -> HttpResponse:
        site, opts = self.admin_site, self.opts  # type: ignore[attr-defined]
        shown = {**site.each_context(request), "opts": opts, "customer": customer, **context}
        return TemplateResponse(request, f"admin/contracts/contract/{template}.html", shown)


def _contract_names(customer_id: UUID) -> dict[UUID, str]:
    return {each.contract.pk: contract_name(each) for each in agreements(customer_id)}
