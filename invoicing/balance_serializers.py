"""What the calls about balances take and give."""

from rest_framework import serializers

from billing_site.foundation.fields import (
    CodeField,
    InstantField,
    LimitField,
    NumberField,
    Shape,
    TextField,
    text_map,
    texts,
)
from invoicing.serializers import ACCESS_TYPES
from invoicing.services.manual_entries import ManualEntryInput
from pricing.serializers.common import OPTIONAL, as_of_field, plain

BALANCE_TYPES = ("PREPAID_COMMIT", "POSTPAID_COMMIT", "CREDIT")


class BalancesRequest(serializers.Serializer):
    """What every list of commits and credits can be asked."""

    customer_id = serializers.UUIDField()
    covering_date = InstantField(help_text="With access then.", **OPTIONAL)
    starting_at = InstantField(help_text="With access then or later.", **OPTIONAL)
    effective_before = InstantField(help_text="With access before then.", **OPTIONAL)
    include_archived = serializers.BooleanField(help_text="Those of archived contracts, too.", **OPTIONAL)
    include_balance = serializers.BooleanField(**OPTIONAL)
    include_ledgers = serializers.BooleanField(**OPTIONAL)
    as_of = as_of_field()
    limit = LimitField(default=25)
    next_page = TextField(**OPTIONAL)


class BalanceListRequest(BalancesRequest):
    id = serializers.UUIDField(help_text="This commit or credit alone.", **OPTIONAL)
    access_type = CodeField(ACCESS_TYPES, **OPTIONAL)
    exclude_zero_balances = serializers.BooleanField(**OPTIONAL)
    include_contract_balances = serializers.BooleanField(**OPTIONAL)


class CommitListRequest(BalancesRequest):
    commit_id = serializers.UUIDField(help_text="This commit alone.", **OPTIONAL)
    access_type = CodeField(ACCESS_TYPES, **OPTIONAL)
    include_contract_commits = serializers.BooleanField(**OPTIONAL)


class CreditListRequest(BalancesRequest):
    credit_id = serializers.UUIDField(help_text="This credit alone.", **OPTIONAL)
    include_contract_credits = serializers.BooleanField(**OPTIONAL)


class BalanceFilterShape(Shape):
    balance_types = serializers.ListField(child=CodeField(BALANCE_TYPES), **OPTIONAL)
    ids = serializers.ListField(child=serializers.UUIDField(), **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)


class NetBalanceRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    credit_type_id = serializers.UUIDField(help_text="USD by default.", **OPTIONAL)
    access_type = CodeField(ACCESS_TYPES, **OPTIONAL)
    invoice_inclusion_mode = CodeField(("FINALIZED", "FINALIZED_AND_DRAFT"), **OPTIONAL)
    as_of = as_of_field()
    filters = BalanceFilterShape(
        many=True, help_text="Whatever any of them matches; by default everything.", **OPTIONAL
    )


class SeatBalancesRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    subscription_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="Of these alone; each by the seat.", **OPTIONAL
    )
    seat_ids = texts(help_text="These seats alone.", **OPTIONAL)
    skip_missing_seat_ids = serializers.BooleanField(help_text="Leave out seats that are not there.", **OPTIONAL)
    covering_date = InstantField(help_text="With access then; not with a range.", **OPTIONAL)
    starting_at = InstantField(help_text="With access then or later.", **OPTIONAL)
    effective_before = InstantField(help_text="With access before then.", **OPTIONAL)
    include_credits_and_commits = serializers.BooleanField(
        help_text="A page then ends with the seat that brings its 100th.", **OPTIONAL
    )
    include_ledgers = serializers.BooleanField(help_text="Of the credits and commits, if included.", **OPTIONAL)
    limit = LimitField(default=25)
    cursor = TextField(**OPTIONAL)


class ManualEntryRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    id = serializers.UUIDField(help_text="Of the commit or credit.")
    segment_id = serializers.UUIDField(help_text="Of its access schedule.")
    amount = NumberField(help_text="Below zero it takes from the balance, and never more than there is.")
    reason = TextField()
    contract_id = serializers.UUIDField(help_text="Of a commit or credit of a contract; may be left out.", **OPTIONAL)
    timestamp = InstantField(help_text="Within the segment; its start by default.", **OPTIONAL)
    uniqueness_key = TextField(help_text="A second entry with this key is refused with 409.", **OPTIONAL)

    per_group_amounts = serializers.DictField(
        child=NumberField(),
        help_text="By the ids of seats, where each has a balance of its own: what of the amount each gets.",
        **OPTIONAL,
    )

    def to_input(self) -> ManualEntryInput:
        sent = plain(self.validated_data)
        del sent["customer_id"]
        return ManualEntryInput(balance_id=sent.pop("id"), **sent)


class NetBalanceReply(serializers.Serializer):
    balance = NumberField()
    credit_type_id = serializers.UUIDField()


class SeatSumReply(serializers.Serializer):
    balance = NumberField(help_text="What can be drawn now.")
    starting_balance = NumberField(help_text="What was granted.")
    credit_type_id = serializers.UUIDField()
    access_type = serializers.ChoiceField(ACCESS_TYPES)


class SeatEntryReply(serializers.Serializer):
    type = serializers.CharField()
    amount = NumberField()
    timestamp = InstantField()


class SeatPartReply(serializers.Serializer):
    id = serializers.UUIDField(help_text="Of the commit or credit, which all seats share.")
    balance = NumberField()
    start_date = InstantField()
    end_date = InstantField(required=False)
    access_type = serializers.ChoiceField(ACCESS_TYPES)
    credit_type_id = serializers.UUIDField()
    ledger_entries = SeatEntryReply(many=True, required=False)


class SeatBalanceReply(serializers.Serializer):
    seat_id = serializers.CharField()
    balances = SeatSumReply(many=True)
    commits = SeatPartReply(many=True, required=False)
    credits = SeatPartReply(many=True, required=False)


class SeatPaginationReply(serializers.Serializer):
    seats_included = serializers.IntegerField()
    seats_available_for_next_page = serializers.IntegerField(help_text="All that follow.")
    next_page = serializers.CharField(required=False)
