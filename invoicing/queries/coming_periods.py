"""What an edit would make of a contract's next billing periods after the running one, if usage goes on as it has.

**Worked table.** $2 of usage a day; now it is 15 October. The edit: half off from 1 December, a seat for $20 a month
from 1 November, in arrears, and a commitment of $500 from October to December with its true-up on 1 January.

    period      before    after                                                           difference
    November    $60.00     $80.00   30 days at $2, and the seat                              +$20.00
    December    $62.00    $358.00   31 days at $1, the seat, and the true-up of $307        +$296.00
    January     $62.00     $51.00   31 days at $1, and the seat                              -$11.00

The true-up is 500 - 62 - 80 - 51. Both sides are computed as drafts are, at an instant within the last of the periods,
from usage that goes on (`going_on`). A document belongs to the period that it is about, a true-up to the one that ends
with its date, others to that of their date; what falls due at the contract's end, or later, to the last one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from uuid import UUID

from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import HOUR, Period, floor_hour
from contracts.terms import Contract
from invoicing.engine.calendar import TRUE_UP, invoiced_periods
from invoicing.engine.documents import Document
from invoicing.queries.compute import Computation, computed_from
from invoicing.queries.finals import Finals
from invoicing.queries.going_on import WEEK

MOST = 3  # periods
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ComingPeriod:
    """What the contract's documents of a period come to, before tax, with and without the edit."""

    period: Period
    unit: Unit
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Coming:
    """In order of time, a row for each currency, and none of a period without documents. `follows`: there is a period
    after the running one. `ends_at` is when the edited contract ends, if no period follows those looked at."""

    periods: tuple[ComingPeriod, ...]
    follows: bool
    ends_at: datetime | None
    week: Period  # whose usage goes on

    @property
    def is_change(self) -> bool:
        return any(each.before != each.after for each in self.periods)


def coming_periods(contract_id: UUID, before: Computation, after: Computation, finals: Finals) -> Coming:
    """`after` is as the edit would leave it; both are of now. Call it inside the snapshot of both."""
    now = before.inputs.at
    old, new = _contract(before, contract_id), _contract(after, contract_id)
    assert new is not None, "an edit leaves the contract there"
    sides = [each for each in (old, new) if each is not None]
    periods = _periods(sides, now)
    ends_at = new.term.ending_before
    rows: list[ComingPeriod] = []
    if periods:
        last = _end(periods)
        is_over = all(each.term.ending_before is not None and each.term.ending_before <= last for each in sides)
        spans = {
            period: Period(period.starting_at) if is_over and period == periods[-1] else period for period in periods
        }
        befores, afters = (
            _by_period(spans, [each for each in _ahead(side, last, finals) if each.contract_id == contract_id])
            for side in (before, after)
        )
        keys = sorted({*befores, *afters}, key=lambda key: (key[0], key[1].name))
        rows = [ComingPeriod(*key, befores.get(key, ZERO), afters.get(key, ZERO)) for key in keys]
    if ends_at is not None and len(periods) == MOST and ends_at > _end(periods):
        ends_at = None
    hour = floor_hour(now)
    return Coming(tuple(rows), bool(periods), ends_at, Period(hour - WEEK, hour))


def _contract(computed: Computation, contract_id: UUID) -> Contract | None:
    return next((each for each in computed.inputs.terms.contracts if each.id == contract_id), None)


def _periods(sides: Sequence[Contract], now: datetime) -> list[Period]:
    """Those of either side; where one ends within a period, it is the longer one."""
    found: dict[datetime, Period] = {}
    for contract in sides:
        ahead = (period for period in invoiced_periods(contract) if period.starting_at > now)
        for period in islice(ahead, MOST):
            found[period.starting_at] = max(period, found.get(period.starting_at, period))
    return [found[start] for start in sorted(found)][:MOST]


def _end(periods: Sequence[Period]) -> datetime:
    end = periods[-1].ending_before
    assert end is not None, "billing periods have an end"
    return end


def _ahead(computed: Computation, end: datetime, finals: Finals) -> Sequence[Document]:
    later = replace(computed.inputs, at=end - HOUR)
    return computed_from(later, finals, goes_on_from=floor_hour(computed.inputs.at)).result.documents


def _by_period(spans: Mapping[Period, Period], documents: Iterable[Document]) -> Mapping[tuple[Period, Unit], Decimal]:
    found: dict[tuple[Period, Unit], list[Decimal]] = defaultdict(list)
    for document in documents:
        instant = _instant_of(document)
        for period, span in spans.items():
            if instant in span:
                found[period, document.unit].append(document.total)
    return {key: exact_sum(totals) for key, totals in found.items()}


def _instant_of(document: Document) -> datetime:
    """In the period that it belongs to."""
    if document.period is not None:
        return document.period.starting_at
    return document.issued_at - HOUR if document.kind == TRUE_UP else document.issued_at
