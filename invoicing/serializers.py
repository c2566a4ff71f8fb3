"""What the calls of invoicing take and give."""

from typing import Any

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
from billing_site.foundation.refusals import FieldError, Refusal
from invoicing.services.manual_entries import ManualEntryInput
from pricing.serializers.common import OPTIONAL, UnitRefReply, as_of_field, plain

STATUSES = ("DRAFT", "FINALIZED", "VOID")
TYPES = ("USAGE", "SCHEDULED", "USAGE_CONSOLIDATED")
SORTS = ("date_asc", "date_desc")
BALANCE_TYPES = ("PREPAID_COMMIT", "POSTPAID_COMMIT", "CREDIT")
ACCESS_TYPES = ("SPEND", "QUANTITY")


class _Query(serializers.Serializer):
    """A query string. What breaks a rule is refused with field, value and rule."""

    @classmethod
    def read(cls, sent: Any) -> dict[str, Any]:
        query = cls(data={name: value for name, value in sent.items() if value != ""})
        if query.is_valid():
            return query.validated_data
        errors = [
            FieldError(field, sent.get(field), str(rules[0]).rstrip(".")) for field, rules in query.errors.items()
        ]
        raise Refusal(Refusal.of(errors[0].field, errors[0].value, errors[0].rule).message, *errors)


class KnownQuery(_Query):
    as_of = InstantField(
        required=False,
        help_text="Documents as of then, not later than now. What became final later is a draft, and drafts are "
        "computed with the prices and terms known then, from the usage known now.",
    )


class InvoiceListQuery(KnownQuery):
    status = CodeField(STATUSES, required=False)
    type = CodeField(TYPES, required=False)
    contract_id = serializers.UUIDField(required=False)
    credit_type_id = serializers.UUIDField(required=False)
    starting_on = InstantField(required=False, help_text="Billing periods that start then or later.")
    ending_before = InstantField(required=False, help_text="Billing periods that are over by then.")
    sort = serializers.ChoiceField(SORTS, default="date_asc", help_text="By issue date.")
    skip_zero_qty_line_items = serializers.BooleanField(default=False)
    limit = LimitField(default=100)
    next_page = TextField(required=False)


class InvoiceQuery(KnownQuery):
    skip_zero_qty_line_items = serializers.BooleanField(default=False)


class ExplainQuery(KnownQuery):
    view = CodeField(
        ("INTERNAL", "CUSTOMER"),
        default="INTERNAL",
        help_text="CUSTOMER leaves out who decided what in the house and why. A token of the customer gets no other.",
    )


class EventsQuery(_Query):
    line_item = serializers.IntegerField(
        min_value=0, max_value=10**6, help_text="The place of a line among those of the explanation, the first at 0."
    )
    limit = LimitField(default=100, maximum=1000)
    next_page = TextField(required=False)


class BreakdownQuery(KnownQuery):
    starting_on = InstantField(help_text="Windows that start then or later.")
    ending_before = InstantField(help_text="Windows that are over by then.")
    window_size = CodeField(("DAY", "HOUR"), default="DAY")
    status = CodeField(STATUSES, required=False)
    credit_type_id = serializers.UUIDField(required=False)
    sort = serializers.ChoiceField(SORTS, default="date_asc")
    skip_zero_qty_line_items = serializers.BooleanField(default=False)
    limit = LimitField(default=100, maximum=1000)
    next_page = TextField(required=False)


class FirstContractGetRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    include_balance = serializers.BooleanField(**OPTIONAL)
    include_ledgers = serializers.BooleanField(**OPTIONAL)


class ContractGetRequest(FirstContractGetRequest):
    as_of_date = InstantField(
        help_text="The terms as they stood after the edits made by then; not together with include_ledgers.", **OPTIONAL
    )


class ContractListRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    covering_date = InstantField(help_text="In force then; not together with starting_at.", **OPTIONAL)
    starting_at = InstantField(help_text="Beginning then or later.", **OPTIONAL)
    include_archived = serializers.BooleanField(**OPTIONAL)
    include_balance = serializers.BooleanField(**OPTIONAL)
    include_ledgers = serializers.BooleanField(**OPTIONAL)
    limit = LimitField(default=20, maximum=20)
    cursor = TextField(**OPTIONAL)


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


class FinalInvoiceRequest(serializers.Serializer):
    id = serializers.UUIDField(help_text="Of a final invoice.")


class VoidInvoiceRequest(FinalInvoiceRequest):
    reason = TextField(help_text="Why; kept with the invoice.", required=False)


# --- Replies -----------------------------------------------------------------------------------------------------


class AppliedReply(serializers.Serializer):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(("PREPAID", "POSTPAID", "CREDIT"))
    access_type = serializers.ChoiceField(ACCESS_TYPES)


class RefReply(serializers.Serializer):
    id = serializers.UUIDField()


class LineTierReply(serializers.Serializer):
    level = serializers.IntegerField(help_text="From 1 on.")
    starting_at = serializers.CharField(help_text="The quantity of the period above which it begins.")
    size = serializers.CharField(required=False, help_text="Absent where it holds all the rest.")


class AdjustmentReply(serializers.Serializer):
    invoice_id = serializers.UUIDField(help_text="The final document whose period has changed since.")
    invoice_number = serializers.CharField()
    starting_at = InstantField(help_text="Of its period.")
    ending_before = InstantField()
    billed_on_invoice_number = serializers.CharField(
        required=False, help_text="Where it takes off what that document has billed of it."
    )


class CorrectedReply(serializers.Serializer):
    invoice_id = serializers.UUIDField()
    invoice_number = serializers.CharField()


class CorrectedLineReply(CorrectedReply):
    line = serializers.IntegerField(required=False, help_text="Which of its lines, counted from 1.")


class LineReply(serializers.Serializer):
    type = serializers.ChoiceField(
        ("usage", "subscription", "applied_commit_or_credit", "cpu_conversion", "scheduled", "commit_purchase")
    )
    name = serializers.CharField()
    total = NumberField()
    credit_type = UnitRefReply()
    quantity = NumberField(required=False)
    unit_price = NumberField(required=False, help_text="Of what `quantity` counts.")
    tier = LineTierReply(required=False, help_text="Where the price has several.")
    flat_fee = NumberField(required=False, help_text="What of the total is for entering the tier.")
    package_size = NumberField(required=False, help_text="Of the packages begun, which `quantity` counts then.")
    quantity_consumed = NumberField(required=False, help_text="Of an applied balance that counts units.")
    tax_amount = NumberField(required=False, help_text="Its share of the document's tax; not in its total.")
    tax_code = serializers.CharField(required=False, help_text="Of a taxed line. Empty: the standard rate.")
    converted_credit_type_id = serializers.UUIDField(required=False, help_text="Of a cpu_conversion.")
    starting_at = InstantField(required=False)
    ending_before = InstantField(required=False)
    product_id = serializers.UUIDField(required=False)
    product_type = serializers.CharField(required=False)
    product_tags = texts(required=False)
    pricing_group_values = text_map(required=False)
    presentation_group_values = text_map(required=False)
    commit_id = serializers.UUIDField(required=False)
    commit_type = serializers.CharField(required=False)
    commit_netsuite_sales_order_id = serializers.CharField(required=False)
    commit_segment_id = serializers.UUIDField(required=False)
    applied_commit_or_credit = AppliedReply(required=False)
    postpaid_commit = RefReply(required=False)
    scheduled_charge_id = serializers.UUIDField(required=False)
    discount_id = serializers.UUIDField(required=False)
    professional_service_id = serializers.UUIDField(required=False)
    metadata = serializers.CharField(required=False, help_text="Of professional services: what was told beside them.")
    netsuite_invoice_billing_start = InstantField(required=False)
    netsuite_invoice_billing_end = InstantField(required=False)
    scheduled_item_id = serializers.UUIDField(
        required=False, help_text="On a usage invoice: which item of a schedule is charged."
    )
    subscription_id = serializers.UUIDField(required=False)
    is_prorated = serializers.BooleanField(
        required=False, help_text="Of a fee of a subscription: whether it is for a part of its period."
    )
    adjustment = AdjustmentReply(required=False, help_text="Where it is for late usage, or on a note.")
    correction = CorrectedLineReply(required=False, help_text="On a note that was entered by hand.")


class PartyReply(serializers.Serializer):
    name = serializers.CharField()
    address = texts(required=False)
    country = serializers.CharField(required=False, help_text="ISO 3166, two letters.")
    tax_id = serializers.CharField(required=False)


class IssuerReply(PartyReply):
    email = serializers.CharField(required=False)
    remittance = texts(required=False, help_text="Where to pay, line by line.")


class BillToReply(PartyReply):
    purchase_order = serializers.CharField(required=False)
    contacts = texts(required=False)
    tax_exemption = serializers.CharField(required=False, help_text="Why no tax is charged.")


class TaxLineReply(serializers.Serializer):
    name = serializers.CharField()
    tax_code = serializers.CharField(help_text="Empty: the standard rate.")
    percent = NumberField()
    taxable = NumberField(help_text="What the lines of this rate come to.")
    amount = NumberField()


class InvoicePieceReply(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField(required=False, help_text="Of a final document.")
    type = serializers.ChoiceField(TYPES)
    status = serializers.ChoiceField(STATUSES)
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    credit_type = UnitRefReply()
    start_timestamp = InstantField(required=False)
    end_timestamp = InstantField(required=False)
    issued_at = InstantField()
    subtotal = NumberField()
    total = NumberField()
    unrounded_total = NumberField(required=False, help_text="Of a final document: the total as computed.")
    billable_status = serializers.CharField()
    net_payment_terms_days = serializers.IntegerField(required=False)
    contract_name = serializers.CharField()
    customer_custom_fields = text_map()
    contract_custom_fields = text_map()
    salesforce_opportunity_id = serializers.CharField(required=False, help_text="Of the contract.")
    netsuite_sales_order_id = serializers.CharField(required=False, help_text="Of the contract.")
    line_items = LineReply(many=True)


class InvoiceReply(InvoicePieceReply):
    title = serializers.CharField(
        required=False, help_text="Invoice, Credit note, Debit note; Usage statement until a legal entity is set up."
    )
    correction_of = CorrectedReply(required=False, help_text="Of a note: the final invoice that it is about.")
    issuer = IssuerReply(required=False, help_text="Who sells.")
    bill_to = BillToReply(required=False)
    due_at = InstantField(required=False)
    tax_lines = TaxLineReply(many=True, required=False, help_text="With the subtotal they add up to the total.")
    netsuite_invoice_header_start = InstantField(required=False, help_text="Of professional services, where told.")
    netsuite_invoice_header_end = InstantField(required=False)
    tax_problem = serializers.CharField(required=False, help_text="Of a draft: why its tax is not known yet.")
    regenerated_from_invoice_id = serializers.UUIDField(required=False, help_text="Of the void invoice before it.")


class BreakdownReply(InvoicePieceReply):
    breakdown_start_timestamp = InstantField()
    breakdown_end_timestamp = InstantField()


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
