"""The part of an edit that takes out what a contract has: a box for each of its terms."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django import forms

from contracts.charge_wording import charge_text
from contracts.commit_wording import commit_text
from contracts.override_wording import names_in, override_text
from contracts.queries import Agreement
from contracts.service_wording import service_text


class TakingOutFields(forms.Form):
    remove_overrides = forms.MultipleChoiceField(
        required=False, label="Prices and discounts", widget=forms.CheckboxSelectMultiple
    )
    archive_commits = forms.MultipleChoiceField(
        required=False, label="Commits and credits", widget=forms.CheckboxSelectMultiple
    )
    archive_scheduled_charges = forms.MultipleChoiceField(
        required=False, label="Scheduled charges and fixed amounts off", widget=forms.CheckboxSelectMultiple
    )
    archive_professional_services = forms.MultipleChoiceField(
        required=False,
        label="Professional services",
        help_text="Of which nothing is invoiced.",
        widget=forms.CheckboxSelectMultiple,
    )

    TAKING_OUT = (
        "Take something out",
        ("remove_overrides", "archive_commits", "archive_scheduled_charges", "archive_professional_services"),
    )

    def offer_taking_out(self, agreed: Agreement) -> None:
        names = names_in(agreed.overrides)
        self.credit_ids = {each.commit.pk for each in agreed.commits if each.commit.is_credit}
        self.offer("remove_overrides", [(each.pk, override_text(each, names)) for each in agreed.overrides])
        self.offer("archive_commits", [(each.commit.pk, commit_text(each)) for each in agreed.commits])
        self.offer("archive_scheduled_charges", [(each.charge.pk, charge_text(each)) for each in agreed.charges])
        self.offer(
            "archive_professional_services", [(each.pk, service_text(each)) for each in agreed.services.services]
        )

    def offer(self, name: str, choices: Collection[tuple[UUID, str]]) -> None:
        """A box for each standing term; no field where there is none."""
        if choices:
            self.fields[name].choices = [(str(pk), label) for pk, label in choices]  # type: ignore[attr-defined]
        else:
            del self.fields[name]

    def taken_out(self) -> dict[str, Any]:
        """What valid fields say, by the names of EditInput."""

        def ids(name: str) -> Iterable[UUID]:
            return map(UUID, self.cleaned_data.get(name, ()))

        commits = tuple(ids("archive_commits"))
        return {
            "remove_overrides": tuple(ids("remove_overrides")),
            "archive_commits": tuple(each for each in commits if each not in self.credit_ids),
            "archive_credits": tuple(each for each in commits if each in self.credit_ids),
            "archive_scheduled_charges": tuple(ids("archive_scheduled_charges")),
            "archive_professional_services": tuple(ids("archive_professional_services")),
        }
