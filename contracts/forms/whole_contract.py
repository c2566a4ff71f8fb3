"""The part of an edit about the contract as a whole: its name, its end, and when what it bills is to be paid."""

from typing import Any

from django import forms

from contracts.forms.instants import InstantField
from contracts.inputs import UNCHANGED
from contracts.models import ContractTerms

# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("update_contract_end_date", "ending_before"),
    ("update_contract_name", "name"),
    ("update_end_policy", "end_policy"),
    ("update_net_payment_terms_days", "net_payment_terms_days"),
)


class WholeFields(forms.Form):
    """What stands is sent along with what is typed, so that a field that was left alone changes nothing."""

    name = forms.CharField(required=False, max_length=160, label="Name of the contract", show_hidden_initial=True)
    ending_before = InstantField(
        label="Contract ends", help_text="On the hour, UTC; empty: open.", show_hidden_initial=True
    )
    net_payment_terms_days = forms.DecimalField(
        required=False, label="Payable within, in days", show_hidden_initial=True
    )
    end_policy = forms.ChoiceField(
        choices=ContractTerms.EndPolicy.choices, required=False, label="At its end", show_hidden_initial=True
    )
    uniqueness_key = forms.CharField(
        required=False, max_length=128, help_text="For machines: an edit with a used key is refused."
    )

    STANDING = ("name", "ending_before", "end_policy", "net_payment_terms_days")
    WHOLE = ("The contract as a whole", (*STANDING, "uniqueness_key"))

    def whole(self) -> dict[str, Any]:
        """What valid fields change, by the names of EditInput."""
        values = self.cleaned_data
        changed = {name: values[name] if name in self.changed_data else UNCHANGED for name in self.STANDING}
        return {
            "update_contract_end_date": changed["ending_before"],
            "update_end_policy": changed["end_policy"],
            "update_contract_name": changed["name"],
            "update_net_payment_terms_days": changed["net_payment_terms_days"],
            "uniqueness_key": values["uniqueness_key"] or None,
        }


def standing(terms: ContractTerms) -> dict[str, Any]:
    """What the fields show at first."""
    return {name: getattr(terms, name) for name in WholeFields.STANDING}
