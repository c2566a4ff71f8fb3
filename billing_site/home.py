"""Home: what waits for somebody, and in a sandbox the way through the story. Everything is read, nothing computed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from billing_site.foundation import clock
from billing_site.foundation.display import (
    amount_text,
    count_text,
    day_text,
    instant_text,
)
from billing_site.foundation.jobs import Told, told
from billing_site.foundation.models import ClockMove, Job
from billing_site.foundation.periods import floor_day
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Contract, ContractEdit, ContractTerms
from contracts.queries import ending
from invoicing.models import CommitmentSummary, CustomerSummary, DraftSummary, Invoice
from invoicing.portal import percent_text
from invoicing.queries.alerts import customers_in_alarm
from invoicing.queries.summaries import oldest_summary
from invoicing.wording import draft_text
from ledger.queries.glance import COUNTED_AT_MOST, Stranger, strangers
from pricing.models import PricingUnit
from pricing.queries import PriceChange, price_changes_to_come
from pricing.wording import rate_text, rate_unit_text, values_text

SHOWN = 8  # rows of a section; a link leads to the rest
START_HERE = "start_here"  # what a session remembers of the way through the story


@dataclass(frozen=True, slots=True)
class FailedJob:
    url: str
    does: str
    about: str
    error: str

    @classmethod
    def of(cls, job: Job, words: Told) -> "FailedJob":
        url = reverse("admin:foundation_job_change", args=[job.pk])
        return cls(url=url, does=words.does, about=words.about, error=job.error)


@dataclass(frozen=True, slots=True)
class DraftRow:
    customer: str
    url: str
    what: str
    amount: str
    when: str
    badge: str
    tone: str

    @classmethod
    def of(cls, draft: DraftSummary, at: datetime) -> "DraftRow":
        badge, tone = "", ""
        if draft.blocking:
            badge, tone = f"held by {count_text(draft.blocking, 'finding', 'findings')}", "bad"
        elif draft.holds:
            badge, tone = "held for review", "bad"
        elif draft.waits:
            badge = "waits for the usage before it"
        elif draft.finalizes_at <= at:
            badge, tone = "due", "warn"
        return cls(
            customer=draft.customer.name,
            url=reverse("admin:contracts_contract_change", args=[draft.contract_id]),
            what=draft_text(draft, at),
            amount=amount_text(draft.total, draft.unit.to_unit()),
            when=day_text(draft.finalizes_at),
            badge=badge,
            tone=tone,
        )


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    customer: str
    url: str
    name: str
    standing: str
    left: str
    until: str
    percent: str

    @classmethod
    def of(cls, held: CommitmentSummary) -> "CommitmentRow":
        unit = held.held_in
        customer_page = reverse("admin:contracts_customer_change", args=[held.customer_id])
        contract = held.contract_id
        return cls(
            customer=held.customer.name,
            url=reverse("admin:contracts_contract_change", args=[contract]) if contract else customer_page,
            name=held.name or "Commitment",
            standing=f"{amount_text(held.used, unit)} of {amount_text(held.amount, unit)}",
            left=f"{amount_text(max(held.amount - held.used, Decimal(0)), unit)} left",
            until=f"until {day_text(held.ending_before)}",
            percent=percent_text(held.used, held.amount),
        )


@dataclass(frozen=True, slots=True)
class EndRow:
    customer: str
    url: str
    name: str
    when: str
    policy: str
    badge: str
    tone: str

    @classmethod
    def of(cls, terms: ContractTerms, at: datetime) -> "EndRow":
        assert terms.ending_before is not None
        nearest, *others = settings.END_NOTICE_DAYS
        days = (floor_day(terms.ending_before) - floor_day(at)).days
        tone = "bad" if days <= nearest else "warn" if any(days <= each for each in others[:-1]) else ""
        return cls(
            customer=terms.customer.name,
            url=reverse("admin:contracts_contract_change", args=[terms.contract_id]),
            name=terms.name or "Contract",
            when=day_text(terms.ending_before),
            policy=ContractTerms.EndPolicy(terms.end_policy).label,
            badge=f"in {count_text(days, 'day', 'days')}" if days else "today",
            tone=tone,
        )


@dataclass(frozen=True, slots=True)
class PriceRow:
    product: str
    values: str
    before: str
    after: str
    per: str
    when: str
    card: str
    url: str

    @classmethod
    def of(cls, change: PriceChange) -> "PriceRow":
        rate = change.after.rate
        return cls(
            product=change.priced.version.name,
            values=values_text(change.priced.key.values),
            before=rate_text(change.before.rate) if change.before else "no price",
            after=rate_text(rate),
            per=rate_unit_text(rate, change.after.version),
            when=f"from {day_text(change.after.starting_at)}",
            card=change.card.name,
            url=reverse("admin:pricing_ratecard_change", args=[change.card.pk]),
        )


@dataclass(frozen=True, slots=True)
class SubjectRow:
    subject: str
    events: str
    last: str

    @classmethod
    def of(cls, found: Stranger) -> "SubjectRow":
        count, last = found.event_count, found.last_used_on
        return cls(
            subject=found.subject,
            events=f"more than {COUNTED_AT_MOST:,}" if count > COUNTED_AT_MOST else f"{count:,}",
            last=f"{last:%-d %B %Y}" if last else "no metric counts it",
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way through the story; `url` goes by way of `start_step`, which remembers it."""

    name: str
    title: str
    text: str
    target: str
    is_done: bool

    @property
    def url(self) -> str:
        return reverse("start_step", args=[self.name])


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's index shows beside its own. A fixed number of queries, whatever the number of customers."""
    at = clock.now()
    with read_snapshot():
        context |= {"now_text": instant_text(at), "is_sandbox": settings.SANDBOX, "steps": _steps_shown(request)}
        if _may(request, "invoicing.view_draftsummary"):
            context |= _drafts(at)
        if _may(request, "invoicing.view_alertstate"):
            count = customers_in_alarm()
            context["in_alarm"] = count_text(count, "customer is", "customers are") if count else ""
        if _may(request, "invoicing.view_commitmentsummary"):
            context |= _commitments()
        if _may(request, "contracts.view_contract"):
            context |= _ends(at)
        if _may(request, "pricing.view_rate"):
            changes = price_changes_to_come(at=at, limit=SHOWN)
            context["price_changes"] = [PriceRow.of(change) for change in changes]
        if _may(request, "ledger.view_ingestcall"):
            found = strangers(SHOWN + 1)
            context["subjects"] = [SubjectRow.of(row) for row in found[:SHOWN]]
            context["more_subjects"] = len(found) > SHOWN
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
    """POST `hidden` (1 or nothing): put the way through the story away, or bring it back."""
    _remember(request, hidden=bool(request.POST.get("hidden")))
    return HttpResponseRedirect(reverse("admin:index"))


def _drafts(at: datetime) -> dict[str, Any]:
    drafts = DraftSummary.objects.select_related("customer", "unit").order_by("finalizes_at", "customer__name", "id")
    usage = DraftSummary.objects.filter(kind=Invoice.Kind.USAGE)
    sums = list(usage.order_by("unit").values_list("unit").annotate(Sum("total")))
    units = PricingUnit.objects.in_bulk([unit for unit, _ in sums])
    oldest = oldest_summary()
    return {
        "drafts": [DraftRow.of(draft, at) for draft in drafts[:SHOWN]],
        "draft_count": DraftSummary.objects.count(),
        "usage_totals": [amount_text(total, units[unit].to_unit()) for unit, total in sums],
        "as_of": instant_text(oldest) if oldest else "",
        "held_count": DraftSummary.objects.exclude(holds=[]).count(),
        "troubles": list(CustomerSummary.objects.exclude(error="").select_related("customer").order_by("pk")[:3]),
    }


def _commitments() -> dict[str, Any]:
    held = CommitmentSummary.objects.select_related("customer", "unit").order_by(
        "ending_before", "customer__name", "id"
    )
    return {
        "commitments": [CommitmentRow.of(row) for row in held[:SHOWN]],
        "commitment_count": CommitmentSummary.objects.count(),
    }


def _ends(at: datetime) -> dict[str, Any]:
    """Contracts that end soon and that nobody has renewed. Two queries."""
    found = ending(until=at + timedelta(days=settings.END_NOTICE_DAYS[-1])).filter(ending_before__gt=at)
    return {"ends": [EndRow.of(terms, at) for terms in found[:SHOWN]], "end_count": found.count()}


def _steps_shown(request: HttpRequest) -> list[Step]:
    if not settings.SANDBOX or _remembered(request)["hidden"]:
        return []
    return _steps(request)


def _steps(request: HttpRequest) -> list[Step]:
    """The way through the story of whichever customer came first. What leaves a trace is read from it, and what does
    not, from what this session has looked at. Four queries."""
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
    return [
        Step("open", f"Open {name}", "What the contract costs now, line by line.", page, "open" in seen),
        Step(
            "deal",
            "Make the deal",
            "Add a commitment and a discount; see the effect in money before it is saved.",
            reverse("admin:contracts_contract_edit", args=[contract.pk]),
            has_deal,
        ),
        Step(
            "customer",
            "See it as the customer",
            f"What {name} sees: spend by day, commitment, prices to come.",
            reverse("portal_of_customer", args=[contract.customer_id]),
            "customer" in seen,
        ),
        Step("why", "Ask why", "Each line of the draft says how its amount came about.", why, "why" in seen),
        Step(
            "clock",
            "Move the clock",
            "Let days pass: usage arrives, and what falls due becomes final.",
            reverse("admin:foundation_testclock_changelist"),
            ClockMove.objects.exists(),
        ),
    ]


def _remembered(request: HttpRequest) -> dict[str, Any]:
    return {"seen": [], "hidden": False} | request.session.get(START_HERE, {})


def _remember(request: HttpRequest, **what: Any) -> None:
    request.session[START_HERE] = _remembered(request) | what


def _may(request: HttpRequest, permission: str) -> bool:
    return bool(request.user.has_perm(permission))
