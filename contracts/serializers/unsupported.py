"""What the compatible API knows and this server does not do yet: refused by name, never left out in silence."""

from collections.abc import Mapping
from typing import Any, Final

from billing_site.foundation.refusals import NotSupported

NO: Final = frozenset[str]()  # no value is supported
Known = Mapping[str, "frozenset[str] | Known"]

OVERRIDE: Known = {"overwrite_rate": {"custom_rate": NO}}
CREDIT: Known = {"hierarchy_configuration": NO}
COMMIT_OF_EDIT: Known = {
    **CREDIT,
    "amount": NO,
    "payment_gate_config": {"tax_type": frozenset({"NONE"}), "precalculated_tax_config": NO},
    "spend_tracker_attributes": NO,
}
COMMIT: Known = {  # the compatible API gates what edits add, and nothing else
    **COMMIT_OF_EDIT,
    "payment_gate_config": {
        "payment_gate_type": frozenset({"NONE"}),
        "tax_type": frozenset({"NONE"}),
        "precalculated_tax_config": NO,
        "stripe_config": NO,
    },
}
EDIT_BALANCE: Known = {"hierarchy_configuration": NO}
RECURRING: Known = {"hierarchy_configuration": NO}
ORDER: Known = {"netsuite_sales_order_id": NO}  # of a template, which is sold to nobody yet

CREATE_CUSTOMER: Known = {
    "billing_config": NO,
}
UPDATE_CONFIG: Known = {"leave_stripe_invoices_in_draft": NO}
CREATE_CONTRACT: Known = {
    "commits": COMMIT,
    "credits": CREDIT,
    "hierarchy_configuration": NO,
    "overrides": OVERRIDE,
    "prepaid_balance_threshold_configuration": NO,
    "recurring_commits": RECURRING,
    "recurring_credits": RECURRING,
    "spend_threshold_configuration": NO,
    "spend_trackers": NO,
}
PACKAGE: Known = {
    "commits": {**COMMIT, **ORDER},
    "credits": {**CREDIT, **ORDER},
    "discounts": NO,
    "hierarchy_configuration": NO,
    "overrides": OVERRIDE,
    "prepaid_balance_threshold_configuration": NO,
    "professional_services": NO,
    "recurring_commits": {**RECURRING, **ORDER},
    "recurring_credits": {**RECURRING, **ORDER},
    "scheduled_charges": ORDER,
    "spend_threshold_configuration": NO,
    "spend_trackers": NO,
    "subscriptions": {"billing_cycle_config": {"anchor_date": NO}, "seat_config": {"initial_seat_ids": NO}},
}
AMEND_CONTRACT: Known = {
    "commits": COMMIT,
    "credits": CREDIT,
    "overrides": OVERRIDE,
}
EDIT_CONTRACT: Known = {
    "add_commits": COMMIT_OF_EDIT,
    "add_credits": CREDIT,
    "add_overrides": OVERRIDE,
    "add_prepaid_balance_threshold_configuration": NO,
    "add_recurring_commits": RECURRING,
    "add_recurring_credits": RECURRING,
    "add_spend_threshold_configuration": NO,
    "add_spend_trackers": NO,
    "archive_spend_trackers": NO,
    "update_commits": CREDIT,
    "update_credits": CREDIT,
    "update_prepaid_balance_threshold_configuration": NO,
    "update_spend_threshold_configuration": NO,
}


def refuse_unsupported(data: Mapping[str, Any], known: Known, path: str = "") -> None:
    """Raises NotSupported for the first field in `data` that says something this server cannot do.

    A field that says nothing (null, empty, false, zero) is not there.
    """
    for name, rule in known.items():
        value = data.get(name)
        if not value:
            continue
        here = f"{path}{name}"
        if isinstance(rule, Mapping):
            _refuse_inside(value, rule, here)
        elif not (isinstance(value, str) and value.upper() in rule):
            only = f"; only {', '.join(sorted(rule))} is" if rule else ""
            raise NotSupported.of(here, value, f"is not supported by this server{only}")


def _refuse_inside(value: Any, known: Known, path: str) -> None:
    if isinstance(value, Mapping):
        refuse_unsupported(value, known, f"{path}.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                refuse_unsupported(item, known, f"{path}[{index}].")
