"""The rows of Home, in finished words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.urls import reverse

from billing_site.foundation.display import amount_text, count_text, day_text
from billing_site.foundation.jobs import Told
from billing_site.foundation.models import Job
from billing_site.foundation.money import Unit, round_to
from contracts.end_notices import EndNotice
from contracts.models import ContractTerms, PaymentGate
from invoicing.models import CommitmentSummary, DraftSummary
from invoicing.models.summaries import OFF_PACE
from invoicing.portal import percent_text
from invoicing.queries.usage_by_month import UsageOfMonths
from invoicing.wording import draft_text
from ledger.models import SourceActivity
from ledger.queries.glance import COUNTED_AT_MOST, Stranger
from ledger.queries.unmatched import Worth
from pricing.queries import PriceChange
from pricing.wording import rate_text, rate_unit_text, values_text


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
    badge: str
    tone: str

    @classmethod
    def of(cls, held: CommitmentSummary, lead: Decimal | None) -> "CommitmentRow":
        """`lead` as in `CommitmentSummaryQuerySet.under_way`; None where its time has not begun, or is over."""
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
            badge="" if lead is None or abs(lead) <= OFF_PACE else _pace_text(lead),
            tone="warn" if lead is not None and lead < 0 else "accent",
        )


@dataclass(frozen=True, slots=True)
class EndRow:
    customer: str
    url: str
    name: str
    notice: EndNotice

    @classmethod
    def of(cls, terms: ContractTerms, at: datetime) -> "EndRow":
        notice = EndNotice.of(terms, at)
        assert notice is not None, "these are asked for"
        page = reverse("admin:contracts_contract_change", args=[terms.contract_id])
        return cls(terms.customer.name, page, terms.name or "Contract", notice)


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A commit that nobody can use before its payment is recorded."""

    customer: str
    url: str
    amount: str
    since: str

    @classmethod
    def of(cls, gate: PaymentGate) -> "PaymentRow":
        """`gate` as in `waiting_gates`."""
        commit = gate.commit
        return cls(
            customer=gate.customer.name,
            url=reverse("admin:contracts_commit_payment", args=[commit.pk]),
            amount=amount_text(gate.asked, (commit.invoice_unit or commit.unit).to_unit()),  # type: ignore[attr-defined]
            since=f"since {day_text(gate.created_at)}",
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
    worth: str

    @classmethod
    def of(cls, found: Stranger, worth: Worth | None) -> "SubjectRow":
        count, last = found.event_count, found.last_used_on
        return cls(
            subject=found.subject,
            events=f"more than {COUNTED_AT_MOST:,}" if count > COUNTED_AT_MOST else f"{count:,}",
            last=f"{last:%-d %b %Y}" if last else "no metric counts it",
            worth=amount_text(worth.by_subject[found.subject], worth.unit)
            if worth and found.subject in worth.by_subject
            else "not known",
        )


@dataclass(frozen=True, slots=True)
class SourceRow:
    source: str
    event_type: str
    silent: str
    usual: str

    @classmethod
    def of(cls, one: SourceActivity, silence: timedelta) -> "SourceRow":
        return cls(
            source=one.source,
            event_type=one.event_type,
            silent=f"silent for {_span_text(silence)}",
            usual=f"usually {_span_text(timedelta(seconds=one.usual_gap_seconds or 0))} apart",
        )


@dataclass(frozen=True, slots=True)
class SpendRow:
    """Usage of the periods that begin in this month, beside that of the month before."""

    this: str
    last: str
    share: str

    @classmethod
    def of(cls, spent: UsageOfMonths, unit: Unit) -> "SpendRow":
        share = round_to(Fraction(spent.this) / Fraction(spent.last) * 100, Decimal(1)) if spent.last > 0 else None
        return cls(
            this=amount_text(spent.this, unit),
            last=amount_text(spent.last, unit),
            share="" if share is None else f"{share:,} %",
        )


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Drafts that hold usage which cannot be billed, and what else of them waits for it."""

    drafts: str
    amount: str

    @classmethod
    def of(cls, count: int, total: Decimal, unit: Unit) -> "WaitingRow":
        return cls(count_text(count, "draft", "drafts"), amount_text(total, unit))


def _pace_text(lead: Decimal) -> str:
    points = f"{abs(round_to(lead * 100, Decimal(1)))} points"
    return f"{points} ahead" if lead > 0 else f"{points} behind"


def _span_text(span: timedelta) -> str:
    """ "3 days", "5 hours", "40 minutes", "20 seconds": the greatest of them that it has."""
    seconds = round(span.total_seconds())
    for size, one, many in ((86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")):
        if seconds >= size:
            return count_text(seconds // size, one, many)
    return count_text(seconds, "second", "seconds")
