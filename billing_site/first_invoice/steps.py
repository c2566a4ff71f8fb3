"""What the first real invoice takes, and what of it is there. Read from what stands in the database, so it is true
however it came there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Q, QuerySet

from billing_site.foundation.models import ApiToken
from billing_site.policies import PAGES
from billing_site.roles import roles_that_may
from contracts.models import Contract, LegalEntity
from invoicing.models import DraftSummary, Invoice
from ledger.models import IngestCall
from pricing.models import BillableMetric, PricingUnit, Product, Rate

COMPANY, TOKEN, EVENT = "first_invoice_company", "first_invoice_token", "first_invoice_event"
SENDS_EVENTS = "ledger.add_ingestcall"


@dataclass(frozen=True, slots=True)
class Step:
    """`ask` says whose it is, where it is not of whoever looks."""

    title: str
    why: str
    anchor: str  # where on the page it is done
    is_done: bool
    ask: str


# title, why, the page that does it, and what there is once it is done
_STEPS: tuple[tuple[str, str, str, QuerySet[Any]], ...] = (
    (
        "Your company",
        "Invoices say who sells: your name and address stand on each.",
        COMPANY,
        LegalEntity.objects.all(),
    ),
    (
        "A token for your service",
        "Your service signs in with it when it sends what was used.",
        TOKEN,
        ApiToken.objects.filter(revoked_at=None, scope__in=[ApiToken.Scope.INGEST, ApiToken.Scope.ADMIN]),
    ),
    (
        "An event",
        "One line of what your service sends says enough to propose the rest.",
        EVENT,
        IngestCall.objects.filter(accepted__gt=0),
    ),
    (
        "A metric",
        "It says what is counted in events: how many there are, or the sum of a property.",
        EVENT,
        BillableMetric.objects.filter(archived_at=None),
    ),
    (
        "A product",
        "What customers read on a line: the metric, as it is sold.",
        EVENT,
        Product.objects.filter(type=Product.Type.USAGE, archived_at=None),
    ),
    (
        "A price",
        "It stands on a rate card, which contracts share, and holds from a date on.",
        EVENT,
        Rate.objects.filter(withdrawal=None),
    ),
    (
        "A customer and its contract",
        "The customer owns the events sent in its name; the contract says by which prices they are billed.",
        EVENT,
        Contract.objects.filter(archived_at=None, rate_card__isnull=False),
    ),
    (
        "A test invoice",
        "The draft follows each event at once, and says of each line why it is what it is.",
        EVENT,
        DraftSummary.objects.filter(kind=Invoice.Kind.USAGE).filter(~Q(total=0)),
    ),
)


def steps(user: Any) -> list[Step]:
    """In the order in which they are taken. One query."""
    return list(_steps(user))


def is_offered(found: list[Step]) -> bool:
    """Whether something is missing that whoever looks may do."""
    return any(not step.is_done and not step.ask for step in found)


def whom_to_ask(user: Any, *permissions: str) -> str:
    """ "Ask someone with the role Finance."; nothing where the user has all of the permissions."""
    if user.has_perms(permissions):
        return ""
    roles = [str(role) for role in roles_that_may(*permissions)]
    return f"Ask someone with the role {' or '.join(roles)}." if roles else "Ask a superuser."


def _steps(user: Any) -> Iterator[Step]:
    # A pricing unit is always there, so one row comes back, with an answer for each step.
    asked = {f"step_{number}": Exists(there) for number, (*_, there) in enumerate(_STEPS)}
    done = PricingUnit.objects.order_by("pk").values_list(*asked.values())[:1][0]
    for (title, why, page, _), is_done in zip(_STEPS, done, strict=True):
        anchor = page.removeprefix("first_invoice_")
        yield Step(title, why, anchor, is_done, "" if is_done else whom_to_ask(user, *PAGES[page].opens))
