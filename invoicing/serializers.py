"""What the calls of invoicing take and give."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import (
    CodeField,
    InstantField,
    LimitField,
    NumberField,
    TextField,
    text_map,
    texts,
)
from billing_site.foundation.refusals import FieldError, Refusal
from pricing.serializers.common import OPTIONAL, UnitRefReply

STATUSES = ("DRAFT", "FINALIZED", "VOID")
TYPES = ("USAGE", "SCHEDULED", "USAGE_CONSOLIDATED")
SORTS = ("date_asc", "date_desc")
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
