"""Requests about who sells, who is billed and what is taxed, and how these are shown."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, texts
from contracts.models import LegalEntity
from contracts.serializers.terms import BLANK
from pricing.serializers.common import OPTIONAL

REASON = "Why; kept in the history."
COUNTRY = "ISO 3166 code of two capital letters: DE, JP, US."
LINES = "One item a line, as printed."


class LegalEntityRequest(serializers.Serializer):
    name = TextField(required=False)
    address = texts(required=False, help_text=f"At most 6 lines. {LINES}")
    country = TextField(help_text=COUNTRY, **BLANK)
    tax_id = TextField(help_text="With its prefix: DE123456789.", **BLANK)
    email = TextField(help_text="For questions about an invoice.", **BLANK)
    remittance = texts(help_text=f"Where to pay. {LINES}", **OPTIONAL)
    net_payment_terms_days = NumberField(help_text="For contracts that do not say when an invoice is due.", **OPTIONAL)
    taxes = CodeField(LegalEntity.Taxes.values, required=False)
    numbering = CodeField(LegalEntity.Numbering.values, required=False)
    number_prefix = TextField(help_text="For numbers over all customers: DE in DE-INV-000001.", **BLANK)
    reason = TextField(help_text=REASON, **BLANK)


class LegalEntityReply(serializers.Serializer):
    name = serializers.CharField()
    address = texts()
    country = serializers.CharField()
    tax_id = serializers.CharField()
    email = serializers.CharField()
    remittance = texts()
    net_payment_terms_days = serializers.IntegerField(allow_null=True)
    taxes = serializers.ChoiceField(LegalEntity.Taxes.values)
    numbering = serializers.ChoiceField(LegalEntity.Numbering.values)
    number_prefix = serializers.CharField()


class BillingProfileRequest(serializers.Serializer):
    legal_name = TextField(help_text="If it is not the customer's name.", **BLANK)
    address = texts(help_text=f"At most 6 lines. {LINES}", **OPTIONAL)
    country = TextField(help_text=COUNTRY, **BLANK)
    tax_id = TextField(help_text="With its prefix: FR12345678901.", **BLANK)
    purchase_order = TextField(**BLANK)
    contacts = texts(help_text="E-mail addresses.", **OPTIONAL)
    tax_exemption = TextField(help_text="Why no tax is charged, as printed: Reverse charge.", **BLANK)
    reason = TextField(help_text=REASON, **BLANK)


class BillingProfileReply(serializers.Serializer):
    customer_id = serializers.UUIDField()
    legal_name = serializers.CharField()
    address = texts()
    country = serializers.CharField()
    tax_id = serializers.CharField()
    purchase_order = serializers.CharField()
    contacts = texts()
    tax_exemption = serializers.CharField()


class ListTaxRatesRequest(serializers.Serializer):
    tax_code = TextField(help_text="Empty: rates for products without a code of their own.", **BLANK)
    country = TextField(help_text="Empty: rates for buyers of any country.", **BLANK)


class TaxRateRequest(serializers.Serializer):
    name = TextField(help_text="As printed: VAT.")
    percent = NumberField(help_text="Of a hundred: 19, 8.875, 0.")
    tax_code = TextField(help_text="Absent: for products without a code of their own.", **BLANK)
    country = TextField(help_text="Of the buyer. Absent: for buyers of any country without a rate.", **BLANK)
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="Absent: until further notice.", **OPTIONAL)
    reason = TextField(help_text=REASON, **BLANK)


class ChangeTaxRateRequest(serializers.Serializer):
    id = serializers.UUIDField()
    name = TextField(required=False)
    percent = NumberField(required=False)
    tax_code = TextField(**BLANK)
    country = TextField(**BLANK)
    starting_at = InstantField(required=False)
    ending_before = InstantField(help_text="When it ends; null: not any more.", **OPTIONAL)
    reason = TextField(help_text=REASON, **BLANK)


class TaxRateReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    percent = serializers.DecimalField(None, 6)
    tax_code = serializers.CharField()
    country = serializers.CharField()
    starting_at = InstantField()
    ending_before = InstantField(allow_null=True)


class SetTaxRateReply(TaxRateReply):
    final_documents_unchanged = serializers.IntegerField(
        help_text="How many documents in the time of the rate are final, and keep the tax that they printed."
    )


class SetTaxCodeRequest(serializers.Serializer):
    product_id = serializers.UUIDField()
    tax_code = TextField(allow_blank=True, allow_null=True, help_text="Null or empty: the standard rate.")
    reason = TextField(help_text=REASON, **BLANK)


class TaxCodeReply(serializers.Serializer):
    product_id = serializers.UUIDField()
    tax_code = serializers.CharField()


def stated(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What a request tells of a row, as the row has it: lists as lines of one text, and null as none where a row may
    have none, as an empty text elsewhere."""
    nothing = dict.fromkeys(("net_payment_terms_days", "ending_before"))
    return {
        name: "\n".join(value) if isinstance(value, list) else nothing.get(name, "") if value is None else value
        for name, value in sent.items()
    }
