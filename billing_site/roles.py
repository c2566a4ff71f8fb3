"""Who may do what in the back office: six roles, each a group, and which models belong together.

The groups come by a migration. Their permissions are what is written here, given anew after every `migrate`, so that a
model that comes later is in the roles of its area at once. Who needs another cut makes a group of their own. What each
address asks is in `billing_site.policies`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

ROOMS = ("foundation", "pricing", "contracts", "ledger", "invoicing", "auth")


class Role(StrEnum):
    EDITOR = "RevOps editor"
    APPROVER = "Approver"
    FINANCE = "Finance"
    AUDITOR = "Auditor"
    OPERATOR = "Operator"
    CUSTOMER_VIEWER = "Customer viewer"


class Area(StrEnum):
    """What is seen together and, with few exceptions, changed by the same people."""

    CUSTOMERS = "Customers"
    AGREEMENTS = "Contracts and packages"
    PRICES = "Products, metrics and prices"
    ALERTS = "Alerts"
    DOCUMENTS = "Documents and balances"
    PROPOSALS = "Notes by hand, as proposed"
    APPROVALS = "Decisions about notes"
    COMPANY = "Company, tax and billing providers"
    USAGE = "Usage"
    HOUSE = "Tokens, jobs and the test clock"
    PEOPLE = "Logins"


MODELS: Mapping[Area, str] = {
    Area.CUSTOMERS: "contracts.customer contracts.claim",
    Area.AGREEMENTS: (
        "contracts.contract contracts.contractedit contracts.contractterms contracts.override contracts.commit "
        "contracts.commitversion contracts.accesssegment contracts.segmentuse contracts.invoicescheduleitem "
        "contracts.scheduledcharge contracts.scheduledchargeitem contracts.professionalservice "
        "contracts.serviceinvoice contracts.serviceinvoiceline contracts.recurringcommit contracts.subscription "
        "contracts.subscriptionterms contracts.subscriptionquantity contracts.customerschedulesegment "
        "contracts.package contracts.packagealias contracts.customfieldschange foundation.customfieldkey "
        "foundation.customfieldentity foundation.customfieldclaim contracts.paymentgate contracts.chargeversion"
    ),
    Area.PRICES: (
        "pricing.billablemetric pricing.product pricing.productversion pricing.pricingunit pricing.ratecard "
        "pricing.ratecardalias pricing.ratecardconversion pricing.ratecardplace pricing.rate pricing.ratewithdrawal "
        "pricing.formula pricing.namedschedulesegment pricing.pricechange pricing.publication "
        "pricing.publicationcounter"
    ),
    Area.ALERTS: "invoicing.alert invoicing.alertstate invoicing.alertturn",
    Area.DOCUMENTS: (
        "invoicing.invoice invoicing.invoiceline invoicing.invoicepdf invoicing.invoicevoid invoicing.holddecision "
        "invoicing.draftsofcustomer invoicing.draftsummary invoicing.customersummary invoicing.commitmentsummary "
        "invoicing.notesummary invoicing.numberseries invoicing.entitynumber ledger.ledgerentry "
        "contracts.paymentoutcome invoicing.soldinmonth"
    ),
    Area.PROPOSALS: "invoicing.enterednote",
    Area.APPROVALS: "invoicing.note invoicing.notedismissal invoicing.enterednotedecision",
    Area.COMPANY: (
        "contracts.legalentity contracts.billingprofile contracts.taxrate contracts.producttaxcode "
        "contracts.providerconfiguration"
    ),
    Area.USAGE: (
        "ledger.ingestcall ledger.refusedcall ledger.sourceauthority ledger.sourceactivity ledger.activityread "
        "ledger.eventkey ledger.eventbody ledger.eventcorrection ledger.droppedmonth ledger.metricset "
        "ledger.metricbackfill ledger.series ledger.dailyusage ledger.hourlyusage ledger.carriedlevel "
        "ledger.uniquevalue ledger.unreadvalue ledger.latemark"
    ),
    Area.HOUSE: (
        "foundation.apitoken foundation.job foundation.testclock foundation.clockmove foundation.clockfollower "
        "foundation.idempotencykey foundation.touched"
    ),
    Area.PEOPLE: "auth.user auth.group auth.permission contracts.customerlogin",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role changes, and thereby sees, and what else it sees. Nobody deletes; a superuser lets people in."""

    changes: frozenset[Area] = frozenset()
    sees: frozenset[Area] = frozenset()


BUSINESS = frozenset(Area) - {Area.HOUSE, Area.PEOPLE}
GRANTS: Mapping[Role, Grant] = {
    Role.EDITOR: Grant(
        frozenset({Area.CUSTOMERS, Area.AGREEMENTS, Area.PRICES, Area.ALERTS, Area.PROPOSALS}), sees=BUSINESS
    ),
    Role.APPROVER: Grant(frozenset({Area.APPROVALS}), sees=BUSINESS),
    Role.FINANCE: Grant(frozenset({Area.DOCUMENTS, Area.PROPOSALS, Area.COMPANY, Area.ALERTS}), sees=BUSINESS),
    Role.AUDITOR: Grant(sees=frozenset(Area)),
    Role.OPERATOR: Grant(frozenset({Area.USAGE, Area.HOUSE}), sees=frozenset({Area.CUSTOMERS})),
    Role.CUSTOMER_VIEWER: Grant(),  # a customer login opens the page of its customer, and nothing else does
}


def permissions_of(role: Role) -> frozenset[str]:
    """As `user.has_perm` takes them: "contracts.change_contract"."""
    grant = GRANTS[role]
    changed = {_named(verb, model) for area in grant.changes for model in _models(area) for verb in ("add", "change")}
    return frozenset(
        changed | {_named("view", model) for area in grant.changes | grant.sees for model in _models(area)}
    )


def roles_that_may(*permissions: str) -> list[Role]:
    """Who has all of them."""
    return [role for role in Role if permissions_of(role).issuperset(permissions)]


def give_permissions(using: str = "default", **_: Any) -> None:
    """Let the groups of the roles have what is written above, and no more. A group that somebody has deleted stays so.

    Called after `migrate`; twice does no harm.
    """
    held = {(each.content_type.app_label, each.codename): each for each in _made(using)}
    for group in Group.objects.using(using).filter(name__in=list(Role)):
        wanted = {
            held[room, name] for room, _, name in (code.partition(".") for code in permissions_of(Role(group.name)))
        }
        if wanted != set(group.permissions.all()):
            group.permissions.set(wanted)


def _made(using: str) -> Iterator[Permission]:
    """Django makes the permissions of an app after its migrations, so of the last of them only after this is called."""
    for room in ROOMS:
        create_permissions(apps.get_app_config(room), verbosity=0, using=using)
    yield from Permission.objects.using(using).filter(content_type__app_label__in=ROOMS).select_related("content_type")


def _models(area: Area) -> list[str]:
    return MODELS[area].split()


def _named(verb: str, model: str) -> str:
    room, _, name = model.partition(".")
    return f"{room}.{verb}_{name}"
