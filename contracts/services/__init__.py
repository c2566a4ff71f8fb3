"""The verbs: everything that writes customers, claims, contracts and terms."""

from contracts.services.contracts import create_contract
from contracts.services.customers import archive_customer, create_customer, set_ingest_aliases, set_name
from contracts.services.edits import edit_contract, terms_after_edit
from contracts.services.named_schedules import update_named_schedule
from contracts.services.planning import EditedMeanwhile

__all__ = [
    "EditedMeanwhile",
    "archive_customer",
    "create_contract",
    "create_customer",
    "edit_contract",
    "set_ingest_aliases",
    "set_name",
    "terms_after_edit",
    "update_named_schedule",
]
