"""Home: what waits for somebody, and in a sandbox the way through the story. Everything is read, nothing computed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from billing_site.first_invoice import steps as first_invoice
from billing_site.foundation import clock
from billing_site.foundation.display import amount_text, count_text, instant_text, month_text
from billing_site.foundation.jobs import told
from billing_site.foundation.models import ClockMove, Job
from billing_site.foundation.periods import DAY, add_months, floor_day
from billing_site.foundation.transactions import read_snapshot
from billing_site.home_rows import (
    CommitmentRow,
    DraftRow,
    EndRow,
    FailedJob,
    PaymentRow,
    PriceRow,
    SourceRow,
    SpendRow,
    SubjectRow,
    WaitingRow,
)
from billing_site.policies import PAGES
from contracts.end_notices import told_until
from contracts.models import Contract, ContractEdit
from contracts.queries import ending
from contracts.queries.gates import waiting_gates
from invoicing.models import CommitmentSummary, CustomerSummary, DraftSummary, Invoice
from invoicing.queries.alerts import customers_in_alarm
from invoicing.queries.summaries import oldest_summary
from invoicing.queries.usage_by_month import usage_of_months
from ledger.queries.glance import strangers
from ledger.queries.quiet import quiet_sources
from ledger.queries.unmatched import worth
from pricing.models import PricingUnit
from pricing.queries import price_changes_to_come

WORTH_DAYS = 31  # of usage that nobody has claimed are valued
SHOWN = 8  # rows of a section; a link leads to the rest
START_HERE = "start_here"  # what a session remembers of the way through the story


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way through the story; `url` goes by way of `start_step`, which remembers it."""

    name: str
    title: str
    text: str
    target: str
    is_done: bool
    takes: tuple[str, ...]  # permissions

    @property
    def url(self) -> str:
        return reverse("start_step", args=[self.name])


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's index shows beside its own. A fixed number of queries, whatever the number of customers."""
    at = clock.now()
    with read_snapshot():
        context |= {"now_text": instant_text(at), "is_sandbox": settings.SANDBOX, "steps": _steps_shown(request)}
        context["first_invoice"] = _first_invoice(request)
        if _may(request, "invoicing.view_draftsummary"):
            context |= _drafts(at)
        if _may(request, "invoicing.view_alertstate"):
            count = customers_in_alarm()
            context["in_alarm"] = count_text(count, "customer is", "customers are") if count else ""
        if _may(request, "invoicing.view_invoice"):
            context |= _spend(at)
        if _may(request, "invoicing.view_commitmentsummary"):
            context |= _commitments(at)
        if _may(request, "contracts.view_contract"):
            context |= _ends(at)
        if _may(request, "contracts.add_paymentoutcome"):
            context |= _payments()
        if _may(request, "pricing.view_rate"):
            changes = price_changes_to_come(at=at, limit=SHOWN)
            context["price_changes"] = [PriceRow.of(change) for change in changes]
        if _may(request, "ledger.view_ingestcall"):
            context |= _usage(at)
        if _may(request, "foundation.view_job"):
            failed = Job.objects.filter(state=Job.State.FAILED)
            latest = list(failed.order_by("-created_at", "-id")[:SHOWN])
            words = told(latest)
            context["failed_jobs"] = [FailedJob.of(row, words[row.pk]) for row in latest]
            context["failed_job_count"] = failed.count()
    return context


def start_step(request: HttpRequest, name: str) -> HttpResponse:
    """Go on with the story, and remember that this step was taken."""
    step = next((step for step in _steps(request) if step.name == name), None)
    if step is None:
        raise Http404("There is no such step.")
    _remember(request, seen=sorted({*_remembered(request)["seen"], name}))
    return HttpResponseRedirect(step.target)


@require_POST
def hide_start(request: HttpRequest) -> HttpResponse:
    """POST `hidden` (1 or nothing): put the way through the story away, or bring it back. POST `first_invoice`: put
    away what the first invoice takes."""
    if "first_invoice" in request.POST:
        _remember(request, first_invoice_hidden=True)
    else:
        _remember(request, hidden=bool(request.POST.get("hidden")))
    return HttpResponseRedirect(reverse("admin:index"))


def _first_invoice(request: HttpRequest) -> list[first_invoice.Step]:
    """What it takes, as long as something is missing that this login may do. One query."""
    if _remembered(request)["first_invoice_hidden"] or not request.user.has_perms(PAGES["first_invoice"].opens):
        return []
    found = first_invoice.steps(request.user)
    return found if first_invoice.is_offered(found) else []


def _drafts(at: datetime) -> dict[str, Any]:
    drafts = DraftSummary.objects.select_related("customer", "unit").order_by("finalizes_at", "customer__name", "id")
    usage = DraftSummary.objects.filter(kind=Invoice.Kind.USAGE)
    sums = list(usage.order_by("unit").values_list("unit").annotate(Sum("total")))
    blocked = DraftSummary.objects.filter(blocking__gt=0).order_by("unit").values_list("unit")
    waiting = list(blocked.annotate(Count("pk"), Sum("total")))
    units = PricingUnit.objects.in_bulk({unit for unit, *_ in (*sums, *waiting)})
    oldest = oldest_summary()
    return {
        "drafts": [DraftRow.of(draft, at) for draft in drafts[:SHOWN]],
        "draft_count": DraftSummary.objects.count(),
        "usage_totals": [amount_text(total, units[unit].to_unit()) for unit, total in sums],
        "as_of": instant_text(oldest) if oldest else "",
        "held_count": DraftSummary.objects.exclude(holds=[]).count(),
        "waiting": [WaitingRow.of(count, total, units[unit].to_unit()) for unit, count, total in waiting],
        "troubles": list(CustomerSummary.objects.exclude(error="").select_related("customer").order_by("pk")[:3]),
    }


def _spend(at: datetime) -> dict[str, Any]:
    """This month beside the last. Three queries."""
    this = floor_day(at).replace(day=1)
    found = usage_of_months(this)
    units = PricingUnit.objects.in_bulk(list(found))
    passed = (at - this) / (add_months(this, 1) - this)
    return {
        "spend": [SpendRow.of(found[pk], unit.to_unit()) for pk, unit in sorted(units.items(), key=_by_code)],
        "this_month": month_text(this),
        "last_month": month_text(add_months(this, -1)),
        "month_passed": f"{passed:.0%}".replace("%", " %"),
    }


def _by_code(row: tuple[Any, PricingUnit]) -> tuple[str, str]:
    return row[1].code, row[1].name


def _commitments(at: datetime) -> dict[str, Any]:
    """Those that are furthest off their pace, behind before ahead; then those that end first. Four queries."""
    related = ("customer", "unit")
    behind, ahead = CommitmentSummary.objects.behind(at=at), CommitmentSummary.objects.ahead(at=at)
    counted = CommitmentSummary.objects.aggregate(
        commitment_count=Count("pk"),
        behind_count=Count("pk", filter=Q(pk__in=behind.order_by().values("pk"))),
        ahead_count=Count("pk", filter=Q(pk__in=ahead.order_by().values("pk"))),
    )
    off_pace = [*behind.select_related(*related)[: SHOWN // 2], *ahead.select_related(*related)[: SHOWN // 2]]
    others = CommitmentSummary.objects.exclude(pk__in=[row.pk for row in off_pace]).select_related(*related)
    nearest = others.order_by("ending_before", "customer__name", "id")[: SHOWN - len(off_pace)]
    return {
        "commitments": [
            *(CommitmentRow.of(row, row.lead) for row in off_pace),
            *(CommitmentRow.of(row, None) for row in nearest),
        ],
        **counted,
    }


def _usage(at: datetime) -> dict[str, Any]:
    """What nobody is billed for, with what it is worth, and who has stopped sending."""
    found = strangers(SHOWN + 1)
    valued = worth([row.subject for row in found], since=(floor_day(at) - WORTH_DAYS * DAY).date()) if found else None
    quiet = list(quiet_sources(at=at)[: SHOWN + 1])
    return {
        "subjects": [SubjectRow.of(row, valued) for row in found[:SHOWN]],
        "more_subjects": len(found) > SHOWN,
        "worth_card": valued.card if valued else "",
        "worth_days": WORTH_DAYS,
        "quiet": [SourceRow.of(row, row.silence) for row in quiet[:SHOWN]],
        "more_quiet": len(quiet) > SHOWN,
    }


def _ends(at: datetime) -> dict[str, Any]:
    """Contracts that end soon and that nobody has renewed. Two queries."""
    found = ending(until=told_until(at)).filter(ending_before__gt=at)
    return {
        "ends": [EndRow.of(terms, at) for terms in found[:SHOWN]],
        "end_count": found.count(),
        "end_days": settings.END_NOTICE_DAYS[-1],
    }


def _payments() -> dict[str, Any]:
    """What nobody can use before somebody records its payment. Two queries."""
    found = waiting_gates()
    shown = [PaymentRow.of(gate) for gate in found[:SHOWN]]
    return {"payments": shown, "more_payments": found.count() - len(shown)}


def _steps_shown(request: HttpRequest) -> list[Step]:
    if not settings.SANDBOX or _remembered(request)["hidden"]:
        return []
    return _steps(request)


def _steps(request: HttpRequest) -> list[Step]:
    """The way through the story of whichever customer came first, as far as this login may go. What leaves a trace is
    read from it, and what does not, from what this session has looked at. Four queries."""
    contract = Contract.objects.filter(archived_at=None).select_related("customer").order_by("id").first()
    if not settings.SANDBOX or contract is None:
        return []
    seen, name = _remembered(request)["seen"], contract.customer.name
    page = reverse("admin:contracts_contract_change", args=[contract.pk])
    has_deal = ContractEdit.objects.filter(
        customer=contract.customer_id, contract=contract, kind=ContractEdit.Kind.EDIT
    ).exists()
    draft = DraftSummary.objects.filter(contract=contract, kind=Invoice.Kind.USAGE).order_by("finalizes_at").first()
    why = reverse("admin:contracts_contract_why", args=[contract.pk, draft.pk, 0]) if draft else page
    looks = ("contracts.view_contract",)
    steps = [
        Step("open", f"Open {name}", "What the contract costs now, line by line.", page, "open" in seen, looks),
        Step(
            "deal",
            "Make the deal",
            "Add a commitment and a discount; see the effect in money before it is saved.",
            reverse("admin:contracts_contract_edit", args=[contract.pk]),
            has_deal,
            ("contracts.change_contract",),
        ),
        Step(
            "customer",
            "See it as the customer",
            f"What {name} sees: spend by day, commitment, prices to come.",
            reverse("portal_of_customer", args=[contract.customer_id]),
            "customer" in seen,
            ("contracts.view_customer", "invoicing.view_invoice"),
        ),
        Step("why", "Ask why", "Each line of the draft says how its amount came about.", why, "why" in seen, looks),
        Step(
            "clock",
            "Move the clock",
            "Let days pass: usage arrives, and what falls due becomes final.",
            reverse("admin:foundation_testclock_changelist"),
            ClockMove.objects.exists(),
            ("foundation.change_testclock",),
        ),
    ]
    return [step for step in steps if request.user.has_perms(step.takes)]


def _remembered(request: HttpRequest) -> dict[str, Any]:
    return {"seen": [], "hidden": False, "first_invoice_hidden": False} | request.session.get(START_HERE, {})


def _remember(request: HttpRequest, **what: Any) -> None:
    request.session[START_HERE] = _remembered(request) | what


def _may(request: HttpRequest, permission: str) -> bool:
    return bool(request.user.has_perm(permission))
