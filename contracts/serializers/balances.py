"""Requests about commits and credits of the customer."""

from functools import partial
from typing import Any
from uuid import UUID

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField
from contracts.inputs import CommitInput, EarlierEndInput, SharedCommitInput
from contracts.serializers.terms import (
    BLANK,
    AccessScheduleShape,
    BalanceShape,
    CommitUpdateShape,
    CreditUpdateShape,
    InvoiceScheduleShape,
)
from pricing.serializers.common import OPTIONAL, plain

OF_THE_SHARED = ("applicable_contract_ids", "invoice_contract_id", "uniqueness_key", "salesforce_opportunity_id")


def shared(*, customer_id: UUID, **sent: Any) -> tuple[UUID, SharedCommitInput]:
    """The customer, and what its commit or credit is to be."""
    own = {name: sent.pop(name) for name in OF_THE_SHARED if name in sent}
    return customer_id, SharedCommitInput(CommitInput(**sent), **own)


class CreateCustomerCommitRequest(BalanceShape):
    becomes = partial(shared)

    type = CodeField(("PREPAID", "POSTPAID"), help_text="POSTPAID has one item in each of its schedules.")
    invoice_schedule = InvoiceScheduleShape(
        help_text="What is paid for it, and when; absent: nothing. Of a postpaid commit: the true-up.", **OPTIONAL
    )
    customer_id = serializers.UUIDField()
    priority = NumberField(help_text="The lowest is drawn first.")
    access_schedule = AccessScheduleShape(help_text="How much can be drawn, and when.")
    applicable_contract_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="The contracts that share it; absent: all.", **OPTIONAL
    )
    invoice_contract_id = serializers.UUIDField(help_text="The contract that bills it, if it is invoiced.", **OPTIONAL)
    uniqueness_key = TextField(help_text="A second one with this key is refused with 409.", **OPTIONAL)
    salesforce_opportunity_id = TextField(**BLANK)


class CreateCustomerCreditRequest(BalanceShape):
    becomes = partial(shared, type="CREDIT")

    customer_id = serializers.UUIDField()
    priority = NumberField(help_text="The lowest is drawn first.")
    access_schedule = AccessScheduleShape(help_text="How much can be drawn, and when.")
    applicable_contract_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="The contracts that share it; absent: all.", **OPTIONAL
    )
    uniqueness_key = TextField(help_text="A second one with this key is refused with 409.", **OPTIONAL)
    salesforce_opportunity_id = TextField(**BLANK)


class EditCommitRequest(CommitUpdateShape):
    """Validates into the customer and the change."""

    customer_id = serializers.UUIDField()
    applicable_contract_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="Of a commit of the customer; null: all contracts.", **OPTIONAL
    )
    invoice_contract_id = serializers.UUIDField(help_text="Of a commit of the customer.", **OPTIONAL)

    def to_change(self, sent: dict[str, Any]) -> Any:
        customer_id = sent.pop("customer_id")
        return customer_id, super().to_change(sent)


class EditCreditRequest(CreditUpdateShape):
    """Validates into the customer and the change."""

    customer_id = serializers.UUIDField()
    applicable_contract_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="Of a credit of the customer; null: all contracts.", **OPTIONAL
    )

    def to_change(self, sent: dict[str, Any]) -> Any:
        customer_id = sent.pop("customer_id")
        return customer_id, super().to_change(sent)


class CommitEndDateRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    commit_id = serializers.UUIDField(help_text="A prepaid commit, of the customer or of a contract.")
    access_ending_before = InstantField(help_text="On the hour; not later than it ends now.", **OPTIONAL)
    invoices_ending_before = InstantField(help_text="Payments from then on are not invoiced.", **OPTIONAL)

    def to_input(self) -> EarlierEndInput:
        sent = plain(self.validated_data)
        return EarlierEndInput(sent.get("access_ending_before"), sent.get("invoices_ending_before"))


class CreditEndDateRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    credit_id = serializers.UUIDField(help_text="A credit of the customer or of a contract.")
    access_ending_before = InstantField(help_text="On the hour; not later than it ends now.")
