"""The part of an edit that makes it an amendment: from when on, what it is worth, and what other systems call it."""

import re
from typing import Any

from django import forms

from contracts.forms.amounts import MajorField
from contracts.forms.instants import HourField
from contracts.services.checks import KEY_LENGTH

ONLY_ADDS = "An amendment only adds: make this change by an edit of its own."
# Of an amendment a service names what is added without the "add_" of other edits.
ADDED = re.compile(
    r"(overrides|commits|credits|recurring_commits|recurring_credits|scheduled_charges|discounts"
    r"|professional_services|reseller_royalties)(?=\[)"
)
SHOWN_AS = (("starting_at", "amends_from"), ("total_contract_value", "worth"))


class AmendmentFields(forms.Form):
    amends_from = HourField(required=True, label="Amends it from", help_text="On the hour; terms have their own dates.")
    worth = MajorField(label="Worth in all", help_text="Nothing is billed by it.")
    salesforce_opportunity_id = forms.CharField(
        required=False, max_length=KEY_LENGTH, label="Salesforce opportunity", help_text="Of the amendment."
    )
    netsuite_sales_order_id = forms.CharField(
        required=False, max_length=KEY_LENGTH, label="NetSuite sales order", help_text="Of the amendment."
    )

    AMENDMENT = (
        "The amendment",
        ("amends_from", "worth", "salesforce_opportunity_id", "netsuite_sales_order_id"),
    )

    def amendment(self) -> dict[str, Any]:
        """What valid fields say, by the names of EditInput; nothing of an edit that is none."""
        values = self.cleaned_data
        if "amends_from" not in self.fields:
            return {}
        return {
            "amends_from": values["amends_from"],
            "total_contract_value": values["worth"],
            "salesforce_opportunity_id": values["salesforce_opportunity_id"],
            "netsuite_sales_order_id": values["netsuite_sales_order_id"],
        }
