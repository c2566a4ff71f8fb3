"""What the pages of the back office ask, by the name of their URL: permissions, all of which are needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Permissions = tuple[str, ...]
NOBODY: Permissions = ("nobody",)  # not even a superuser: what is fact, and what is made by services alone
STAFF: Permissions = ()  # every member of staff; what is shown depends on more


@dataclass(frozen=True, slots=True)
class Page:
    """Who may open it (GET), and who may send what it asks (POST): the same, unless it says so."""

    opens: Permissions
    sends: Permissions | None = None

    def asked(self, method: str) -> Permissions:
        return self.opens if self.sends is None or method in ("GET", "HEAD") else self.sends


def _pages(names: str, *opens: str, sends: Permissions | None = None) -> dict[str, Page]:
    return {name: Page(opens, sends) for name in names.split()}


PAGES: Mapping[str, Page] = {
    **_pages("index search search_everything autocomplete start_step hide_start", *STAFF),
    **_pages("jsi18n app_list view_on_site password_change password_change_done logout", *STAFF),
    # The way to the first invoice
    **_pages("first_invoice", "contracts.view_customer"),
    **_pages("first_invoice_company", "contracts.add_legalentity"),
    **_pages("first_invoice_token", "foundation.add_apitoken"),
    **_pages(
        "first_invoice_event",
        *("pricing.add_billablemetric", "pricing.add_product", "pricing.add_ratecard", "pricing.add_rate"),
        *("contracts.add_customer", "contracts.change_customer", "contracts.add_contract"),
        *("ledger.view_ingestcall",),
    ),
    # Customers, contracts, packages
    **_pages("contracts_customer_import", "contracts.add_customer", "contracts.add_contract"),
    **_pages("contracts_package_change", "contracts.view_package"),
    **_pages(
        "contracts_contract_change contracts_contract_why contracts_contract_events contracts_customer_balances",
        "contracts.view_contract",
    ),
    **_pages("contracts_contract_record", "contracts.view_contract", sends=NOBODY),
    **_pages(
        "contracts_contract_edit contracts_contract_undo contracts_contract_grant contracts_contract_recurring_edit "
        "contracts_contract_subscribe contracts_contract_subscription_edit contracts_contract_archive "
        "contracts_commit_archive contracts_commit_edit contracts_charge_edit contracts_customer_grant "
        "contracts_contract_invoice_services contracts_contract_take_back_services",
        "contracts.change_contract",
    ),
    **_pages("contracts_commit_payment", "contracts.add_paymentoutcome"),
    **_pages("contracts_contract_import_invoice", "contracts.view_contract", "invoicing.add_invoice"),
    **_pages("contracts_contract_copy contracts_contract_from_package", "contracts.add_contract"),
    **_pages("contracts_customer_balance", "contracts.view_contract", sends=("contracts.change_contract",)),
    # of a customer; of what else has custom fields, what its own page asks
    **_pages("foundation_customfieldkey_values", "contracts.view_customer", sends=("contracts.change_customer",)),
    # Prices
    **_pages("pricing_ratecard_record", "pricing.view_ratecard", sends=("pricing.change_ratecard",)),
    **_pages("pricing_ratecard_export", "pricing.view_rate"),
    **_pages(
        "pricing_ratecard_price pricing_ratecard_import pricing_ratecard_raise pricing_ratecard_formula "
        "pricing_ratecard_more price_grid",
        "pricing.add_rate",
    ),
    **_pages("pricing_ratecard_withdraw", "pricing.add_ratewithdrawal"),
    **_pages("pricing_ratecard_convert pricing_ratecard_order", "pricing.change_ratecard"),
    # Documents and notes
    **_pages("invoicing_draftsofcustomer_change", "invoicing.view_draftsofcustomer", sends=("invoicing.add_invoice",)),
    **_pages("invoicing_invoice_csv", "invoicing.view_invoice"),
    **_pages(
        "invoicing_finance invoicing_finance_csv",
        *("invoicing.view_invoice", "invoicing.view_draftsummary", "contracts.view_contract"),
    ),
    **_pages("invoicing_drafts_under", "pricing.add_rate", "invoicing.view_draftsummary"),
    **_pages("invoicing_open_on_card", "pricing.view_ratecard", "invoicing.view_draftsummary"),
    **_pages("invoicing_review_queue invoicing_draftsummary_change", "invoicing.view_draftsummary"),
    **_pages("invoicing_commitmentsummary_change", "invoicing.view_commitmentsummary"),
    **_pages("invoicing_decide", "invoicing.add_holddecision"),
    **_pages("invoicing_release invoicing_releasing", "invoicing.view_draftsummary", "invoicing.add_holddecision"),
    **_pages("invoicing_note_proposed", "invoicing.view_note", sends=("invoicing.add_note",)),
    **_pages("invoicing_note_enter", "invoicing.add_enterednote"),
    **_pages("invoicing_alerts_of_customer invoicing_alertstate_change", "invoicing.view_alertstate"),
    # Usage
    **_pages("ledger_events", "ledger.view_ingestcall", sends=("ledger.add_eventcorrection",)),
    **_pages("ledger_unmatched", "ledger.view_ingestcall", sends=("contracts.change_customer",)),
    **_pages("ledger_dry_run ledger_findings ledger_activity", "ledger.view_ingestcall"),
    # The house
    **_pages("foundation_testclock_changelist foundation_testclock_panel", "foundation.view_testclock"),
    **_pages("foundation_testclock_move foundation_testclock_stop", "foundation.change_testclock"),
    **_pages("auth_user_password_change", "auth.change_user"),
}


# What is added, changed and deleted by a form of the admin's own. All else is made on the pages above, or by services.
ADDED = (
    "auth.group auth.user contracts.billingprofile contracts.contract contracts.customer contracts.customerlogin "
    "contracts.customerschedulesegment contracts.legalentity contracts.package contracts.producttaxcode "
    "contracts.providerconfiguration "
    "contracts.taxrate foundation.customfieldkey invoicing.alert "
    "ledger.sourceauthority pricing.billablemetric pricing.pricingunit pricing.product pricing.ratecard "
    "pricing.ratecardalias"
)
CHANGED = (
    "auth.group auth.user contracts.billingprofile contracts.customer contracts.customerlogin contracts.legalentity "
    "contracts.producttaxcode contracts.taxrate foundation.apitoken pricing.billablemetric pricing.product "
    "pricing.ratecard"
)
DELETED = "auth.group auth.user"


def _page_of_model(verb: str) -> Callable[[str, str], Page]:
    by_form = {"add": ADDED, "change": CHANGED, "delete": DELETED}[verb].split()

    def page(room: str, model: str) -> Page:
        asked = (f"{room}.{verb}_{model}",) if f"{room}.{model}" in by_form else NOBODY
        return Page((f"{room}.view_{model}",), asked) if verb == "change" else Page(asked)

    return page


def _seen(room: str, model: str) -> Page:
    return Page((f"{room}.view_{model}",))


def _version(room: str, model: str) -> Page:
    return Page((f"{room}.view_{model}",), NOBODY)


_OF_MODELS: Mapping[str, Callable[[str, str], Page]] = {
    "_changelist": _seen,
    "_simple_history": _version,
    "_history": _seen,
    "_add": _page_of_model("add"),
    "_change": _page_of_model("change"),
    "_delete": _page_of_model("delete"),
}

# Actions of lists, by model; an action without a permission is one for whoever may see the list.
ACTIONS: Mapping[str, Mapping[str, str]] = {
    "contracts.customer": {"archive": "contracts.change_customer"},
    "contracts.package": {"archive": "contracts.change_package"},
    "contracts.providerconfiguration": {"archive": "contracts.change_providerconfiguration"},
    "foundation.apitoken": {"revoke": "foundation.change_apitoken"},
    "foundation.customfieldkey": {"remove": "foundation.change_customfieldkey"},
    "foundation.job": {"try_again": "foundation.change_job"},
    "invoicing.alert": {"archive": "invoicing.change_alert"},
    "invoicing.draftsofcustomer": {"finalize_due": "invoicing.add_invoice"},
    "invoicing.invoice": {"void": "invoicing.add_invoicevoid", "regenerate": "invoicing.add_invoicevoid"},
    "ledger.sourceauthority": {"end": "ledger.change_sourceauthority"},
    "pricing.billablemetric": {"archive": "pricing.change_billablemetric"},
    "pricing.pricingunit": {"archive": "pricing.change_pricingunit"},
    "pricing.product": {"archive": "pricing.change_product"},
    "pricing.rate": {"withdraw": "pricing.add_ratewithdrawal"},
    "pricing.ratecard": {"archive": "pricing.change_ratecard"},
    **{model: {"delete_selected": model.replace(".", ".delete_")} for model in ("auth.group", "auth.user")},
}


def page_named(name: str) -> Page | None:
    """What a page asks; None where nothing is declared. Those that every model has are named after it."""
    if name in PAGES:
        return PAGES[name]
    for ending, page_of in _OF_MODELS.items():
        room, separator, model = name.removesuffix(ending).partition("_")
        if name.endswith(ending) and separator:
            return page_of(room, model)
    return None
