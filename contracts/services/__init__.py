"""The verbs: everything that writes customers, claims, contracts and terms."""

from contracts.services.archiving import (
    StillBills,
    WasRenewed,
    archive_commit,
    archive_contract,
    terms_after_archived_commit,
    terms_after_archived_contract,
)
from contracts.services.commit_changes import MoreWasTaken
from contracts.services.commit_edits import (
    COMMIT_TYPES,
    CREDIT_TYPES,
    edit_commit,
    standing_commit,
    terms_after_commit_edit,
)
from contracts.services.contracts import contract_as_planned, create_contract, terms_with
from contracts.services.copies import contract_like
from contracts.services.custom_fields import change_values, declare_key, delete_values, remove_key, set_values
from contracts.services.customers import (
    archive_customer,
    create_customer,
    set_ingest_aliases,
    set_name,
    set_salesforce_account,
)
from contracts.services.earlier_ends import end_commit_earlier
from contracts.services.edits import edit_contract, terms_after_edit
from contracts.services.end_policies import go_on
from contracts.services.imports import Imported, import_customers
from contracts.services.meanwhile import EditedMeanwhile
from contracts.services.named_schedules import update_named_schedule
from contracts.services.packages import (
    PackageInput,
    archive_package,
    as_contract,
    create_package,
    package_as_planned,
)
from contracts.services.parties import ENTITY_FIELDS, PROFILE_FIELDS, set_billing_profile, set_legal_entity
from contracts.services.providers import archive_configuration, archive_configurations, set_configurations
from contracts.services.service_invoices import (
    schedule_services_invoice,
    take_back_services_invoice,
    terms_after_services_invoice,
)
from contracts.services.shared_commits import create_shared_commit, terms_after_shared_commit
from contracts.services.taxes import RATE_FIELDS, add_tax_rate, change_tax_rate, set_tax_code
from contracts.services.undoing import undo_edit, undoing

__all__ = [
    "COMMIT_TYPES",
    "CREDIT_TYPES",
    "ENTITY_FIELDS",
    "PROFILE_FIELDS",
    "RATE_FIELDS",
    "EditedMeanwhile",
    "Imported",
    "MoreWasTaken",
    "PackageInput",
    "StillBills",
    "WasRenewed",
    "add_tax_rate",
    "archive_commit",
    "archive_configuration",
    "archive_configurations",
    "archive_contract",
    "archive_customer",
    "archive_package",
    "as_contract",
    "change_tax_rate",
    "change_values",
    "contract_as_planned",
    "contract_like",
    "create_contract",
    "create_customer",
    "create_package",
    "create_shared_commit",
    "declare_key",
    "delete_values",
    "edit_commit",
    "edit_contract",
    "end_commit_earlier",
    "go_on",
    "import_customers",
    "package_as_planned",
    "remove_key",
    "schedule_services_invoice",
    "set_billing_profile",
    "set_configurations",
    "set_ingest_aliases",
    "set_legal_entity",
    "set_name",
    "set_salesforce_account",
    "set_tax_code",
    "set_values",
    "standing_commit",
    "take_back_services_invoice",
    "terms_after_archived_commit",
    "terms_after_archived_contract",
    "terms_after_commit_edit",
    "terms_after_edit",
    "terms_after_services_invoice",
    "terms_after_shared_commit",
    "terms_with",
    "undo_edit",
    "undoing",
    "update_named_schedule",
]
