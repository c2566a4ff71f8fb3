"""What stands in the admin's sidebar: the places people go to first, then the records behind them."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

# title, icon, name of the page's URL, permission to see it
PLACES: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "",
        (
            ("Home", "home", "index", ""),
            ("Contracts", "contract", "contracts_contract_changelist", "contracts.view_contract"),
            ("Packages", "package_2", "contracts_package_changelist", "contracts.view_package"),
            ("Customers", "groups", "contracts_customer_changelist", "contracts.view_customer"),
            ("Rate cards", "sell", "pricing_ratecard_changelist", "pricing.view_ratecard"),
            ("Finance", "monitoring", "invoicing_finance", "invoicing.view_invoice"),
            ("Invoices", "receipt_long", "invoicing_invoice_changelist", "invoicing.view_invoice"),
            (
                "Billing profiles",
                "contact_mail",
                "contracts_billingprofile_changelist",
                "contracts.view_billingprofile",
            ),
            ("Drafts", "edit_document", "invoicing_draftsummary_changelist", "invoicing.view_draftsummary"),
            ("Review queue", "fact_check", "invoicing_review_queue", "invoicing.view_draftsummary"),
            ("Proposed notes", "difference", "invoicing_note_proposed", "invoicing.view_note"),
            ("Alerts", "notifications", "invoicing_alert_changelist", "invoicing.view_alert"),
        ),
    ),
    (
        "What is sold",
        (
            ("Products", "inventory_2", "pricing_product_changelist", "pricing.view_product"),
            ("Billable metrics", "speed", "pricing_billablemetric_changelist", "pricing.view_billablemetric"),
            ("Prices", "payments", "pricing_rate_changelist", "pricing.view_rate"),
            ("Price changes", "published_with_changes", "pricing_pricechange_changelist", "pricing.view_pricechange"),
            ("Pricing units", "toll", "pricing_pricingunit_changelist", "pricing.view_pricingunit"),
        ),
    ),
    (
        "What happened",
        (
            ("Usage events", "data_object", "ledger_events", "ledger.view_ingestcall"),
            ("Unmatched usage", "person_search", "ledger_unmatched", "ledger.view_ingestcall"),
            ("Usage findings", "troubleshoot", "ledger_findings", "ledger.view_ingestcall"),
            ("Dry run", "science", "ledger_dry_run", "ledger.view_ingestcall"),
            ("Sources", "sensors", "ledger_activity", "ledger.view_ingestcall"),
            ("Source authorities", "verified_user", "ledger_sourceauthority_changelist", "ledger.view_sourceauthority"),
            ("Metric backfills", "history", "ledger_metricbackfill_changelist", "ledger.view_metricbackfill"),
            ("Usage series", "stacked_line_chart", "ledger_series_changelist", "ledger.view_series"),
            ("Ingest calls", "move_to_inbox", "ledger_ingestcall_changelist", "ledger.view_ingestcall"),
            ("Ledger entries", "menu_book", "ledger_ledgerentry_changelist", "ledger.view_ledgerentry"),
            ("Contract edits", "history_edu", "contracts_contractedit_changelist", "contracts.view_contractedit"),
        ),
    ),
    (
        "The house",
        (
            ("Your first invoice", "rocket_launch", "first_invoice", "contracts.view_customer"),
            ("Legal entity", "domain", "contracts_legalentity_changelist", "contracts.view_legalentity"),
            ("Tax rates", "percent", "contracts_taxrate_changelist", "contracts.view_taxrate"),
            ("Tax codes", "label", "contracts_producttaxcode_changelist", "contracts.view_producttaxcode"),
            (
                "Custom fields",
                "label_important",
                "foundation_customfieldkey_changelist",
                "foundation.view_customfieldkey",
            ),
            ("API tokens", "key", "foundation_apitoken_changelist", "foundation.view_apitoken"),
            ("Jobs", "manufacturing", "foundation_job_changelist", "foundation.view_job"),
            ("Test clock", "schedule", "foundation_testclock_changelist", "foundation.view_testclock"),
            ("Users", "person", "auth_user_changelist", "auth.view_user"),
            ("Customer logins", "badge", "contracts_customerlogin_changelist", "contracts.view_customerlogin"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups that this person may see something of. One place at the most is lit: the page of a place may lie
    under that of another one."""
    links = {_link(page) for _, places in PLACES for *_, page, _ in places}
    lit = max((link for link in links if request.path.startswith(link)), key=len, default="")
    if lit == _link("index") != request.path:  # Home lies above all of them
        lit = ""
    return [
        {"title": title, "separator": bool(title), "items": items}
        for title, places in PLACES
        if (
            items := [
                {"title": name, "icon": icon, "link": _link(page), "active": _link(page) == lit}
                for name, icon, page, permission in places
                if _is_shown(page) and (not permission or request.user.has_perm(permission))
            ]
        )
    ]


def environment(request: HttpRequest) -> list[str] | None:
    """The label at the top of each page: said where the clock is not the wall's."""
    return ["Sandbox", "warning"] if settings.SANDBOX else None


def _link(page: str) -> str:
    return reverse(page if page == "first_invoice" else f"admin:{page}")


def _is_shown(page: str) -> bool:
    return settings.SANDBOX or not page.startswith("foundation_testclock")
