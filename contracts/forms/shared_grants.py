"""The page on which a customer is granted a commit or credit of its own, which contracts share."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django import forms

from contracts.forms.choices import ContractsChoice, contract_name
from contracts.forms.full_grants import FullGrantForm
from contracts.forms.rows import Section
from contracts.inputs import SharedCommitInput
from contracts.models import Commit
from contracts.queries import Agreement
from contracts.services.checks import fiat_of
from pricing.queries import default_unit

# What the service calls a field, and which one it is here.
SHOWN_AS = {"invoice_contract_id": "biller", "applicable_contract_ids": "contracts"}


class SharedGrantForm(FullGrantForm):
    """`agreed` are the customer's contracts."""

    biller = forms.ChoiceField(
        required=False, label="On invoices of", help_text="The contract that bills it, in the money of that contract."
    )
    contracts = ContractsChoice()
    salesforce_opportunity_id = forms.CharField(required=False, max_length=160, label="Salesforce opportunity")

    HELD_BY_DEFAULT = "Money of the contract that bills it; without one US dollars"

    def __init__(self, agreed: Sequence[Agreement], data: Any = None) -> None:
        standing = {str(each.contract.pk): each for each in agreed if not each.is_archived}
        biller = standing.get("" if data is None else data.get("biller", ""))
        super().__init__(default_unit() if biller is None else fiat_of(biller.contract), data)
        names = [(pk, contract_name(each)) for pk, each in standing.items()]
        choice: Any = self.fields["contracts"]
        choice.choices = names
        choice = self.fields["biller"]
        choice.choices = [("", "No contract: nothing is invoiced"), *names]

    def of_its_own(self) -> Sequence[str]:
        return ("salesforce_opportunity_id",)

    def of_payment(self) -> Sequence[str]:
        return ("biller", *super().of_payment())

    def more_sections(self) -> Iterator[Section]:
        yield Section("Shared by", [[self["contracts"]]])

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        is_billed = (
            values.get("kind") == Commit.Type.PREPAID and self.is_paid_for() and not values.get("do_not_invoice")
        )
        if is_billed and not values.get("biller") and "biller" not in self.errors:
            self.add_error("biller", "Needed: which contract bills it, unless it is paid elsewhere.")
        return values

    def to_input(self) -> SharedCommitInput:
        """What a valid form grants."""
        values = self.cleaned_data
        return SharedCommitInput(
            self.to_commit(),
            applicable_contract_ids=tuple(map(UUID, values["contracts"])),
            invoice_contract_id=UUID(values["biller"]) if values["biller"] else None,
            uniqueness_key=values["key"],
            salesforce_opportunity_id=values["salesforce_opportunity_id"],
        )

    def _field_of(self, path: str) -> str:
        return SHOWN_AS.get(path.partition("[")[0]) or super()._field_of(path)
