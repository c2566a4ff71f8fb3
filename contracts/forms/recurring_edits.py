"""The page on which a recurring commit or credit is changed: each from now on, up to when, and what it pays at.

a change       holds for
any            whatever has not begun: what has begun stays as it was granted and billed
an end         what begins before it; the last period is cut short there
"""

from collections.abc import Iterator
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.refusals import Refusal
from contracts.forms.anew import AMOUNTS, ROUNDED, SHOWN_AS, AnewFields, anew_shown
from contracts.forms.choices import RATES
from contracts.forms.rows import NEEDED, Section
from contracts.inputs import (
    UNCHANGED,
    EditInput,
    ProrationRoundingInput,
    RecurringUpdateInput,
    RoundingInput,
    Unchanged,
)
from contracts.queries import AgreedRecurring

BILLED = ("anew_billed", "anew_billed_quantity", "anew_billed_decimals", "anew_billed_rounding")


class RecurringEditForm(Dressed, AnewFields):
    """What is left as it is shown changes nothing."""

    use_required_attribute = False  # what is missing is said beside its field

    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    rate_type = forms.ChoiceField(choices=RATES, label="Pays at", help_text="What of a rate is charged while it pays.")
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    def __init__(self, agreed: AgreedRecurring, *args: Any, based_on_edit: int = 0, **kwargs: Any) -> None:
        self.row = agreed.now
        kwargs["initial"] = {
            "based_on_edit": based_on_edit,
            "rate_type": self.row.rate_type,
            **anew_shown(self.row),
        }
        super().__init__(*args, **kwargs)
        self.add_anew(self.row.held_in, (self.row.invoice_unit or self.row.unit).to_unit())
        if self.row.subscription is not None:
            del self.fields["anew_quantity"]  # the subscription says it
            self.fields["anew_amount"].label = f"Amount for each of {self.row.subscription.product}"
        if self.row.invoice_unit_price is None:
            for name in BILLED:
                del self.fields[name]  # it was agreed that nobody pays for it
        else:
            self.fields["anew_billed"].help_text = "0: nothing."
        self.dress()

    def sections(self) -> Iterator[Section]:
        yield Section(
            "From now on",
            [self._there(AMOUNTS), self._there(("anew_ending_before", "rate_type"))],
            "For whatever has not begun. What has begun stays as it was granted and billed.",
        )
        yield Section(
            "Rounding of a period that is cut short",
            [self._there(ROUNDED)],
            is_aside=True,
            is_used=any(self.initial[name] is not None for name in ("anew_decimals", "anew_billed_decimals"))
            or (self.is_bound and any(name in {*self.changed_data, *self.errors} for name in ROUNDED)),
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name in ("anew_amount", "anew_billed"):
            if name in self.fields and values.get(name) is None and name not in self.errors:
                self.add_error(name, NEEDED)
        return values

    def to_input(self) -> EditInput:
        """The edit of the contract that a valid form asks for."""
        values = self.cleaned_data
        update = RecurringUpdateInput(
            self.row.recurring_id,
            access_amount=self.granted_each() if self._is_changed("anew_amount", "anew_quantity") else None,
            invoice_amount=self.billed_each() if self._is_changed("anew_billed", "anew_billed_quantity") else None,
            ending_before=values["anew_ending_before"] if self._is_changed("anew_ending_before") else UNCHANGED,
            proration_rounding=ProrationRoundingInput(self._rounding("anew"), self._rounding("anew_billed")),
            rate_type=values["rate_type"] if self._is_changed("rate_type") else None,
        )
        changes = () if update == RecurringUpdateInput(self.row.recurring_id) else (update,)
        of_credits = self.row.is_credit
        return EditInput(
            update_recurring_credits=changes if of_credits else (),
            update_recurring_commits=() if of_credits else changes,
            reason=values["reason"],
            based_on_edit=values["based_on_edit"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            own = error.field.partition("].")[2]
            field = SHOWN_AS.get(own, own)
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _rounding(self, start: str) -> RoundingInput | Unchanged | None:
        return self.rounded(start) if self._is_changed(f"{start}_decimals", f"{start}_rounding") else UNCHANGED

    def _is_changed(self, *names: str) -> bool:
        return any(name in self.changed_data for name in names)

    def _there(self, names: tuple[str, ...]) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]
