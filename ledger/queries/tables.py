"""Usage as tables that are read page by page: customer x metric x window, and window x group.

Rows are there whether or not anything was used, so a row's place is known without counting the rows before it, and
a page costs the same number of queries wherever it begins.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, product
from uuid import UUID

from billing_site.foundation.periods import DAY, HOUR, Period, floor_day, floor_hour, full_period
from billing_site.foundation.refusals import FieldError, NotFound, Refusal
from contracts.models import Customer
from contracts.queries import claim_windows, customer_terms
from ledger.queries.holdings import claims_of
from ledger.queries.usage import Window, windows_of
from ledger.queries.values import Answer, Group, Question, values_of
from pricing.models import BillableMetric

MAX_GROUPS = 200  # values of a group key in one row, as the compatible API has it


@dataclass(frozen=True, slots=True)
class Cut:
    """A closed period cut into windows: by HOUR, by UTC DAY, or into one (NONE)."""

    period: Period
    window_size: str

    def windows(self, *, since: datetime | None = None) -> Iterator[Period]:
        """In order; only those that begin at `since` or later."""
        end = self.period.ending_before
        assert end is not None
        start = self.period.starting_at
        if since is not None and since > start:
            start = self._next(since - timedelta(microseconds=1))
        while start < end:
            following = self._next(start)
            yield Period(start, min(following, end))
            start = following

    def _next(self, instant: datetime) -> datetime:
        if self.window_size == "HOUR":
            return floor_hour(instant) + HOUR
        if self.window_size == "DAY":
            return floor_day(instant) + DAY
        assert self.period.ending_before is not None
        return self.period.ending_before


@dataclass(frozen=True, slots=True)
class AskedMetric:
    """A metric, split by the values of one of its group keys where `group_key` is given; by `values` alone where
    these are."""

    metric: BillableMetric
    group_key: str | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UsageRow:
    customer_id: UUID
    metric: BillableMetric
    window: Period
    value: Decimal
    groups: Mapping[str, Decimal | None] | None  # None where no split was asked for


@dataclass(frozen=True, slots=True)
class GroupRow:
    window: Period
    group: Group
    value: Decimal


def usage_table(
    customer_ids: Collection[UUID] | None,
    metrics: Sequence[AskedMetric],
    cut: Cut,
    *,
    at: datetime,
    after: tuple[UUID, UUID, datetime] | None = None,
    limit: int,
) -> list[UsageRow]:
    """Up to `limit` rows in the order of customer, metric and window, later than the row `after`.

    None for `customer_ids` is all customers. Levels count up to `at`. Two queries, and one for each aggregation.
    """
    customers = _customers(customer_ids, since=after[0] if after else None, limit=limit + 1)
    asked_for = {asked.metric.pk: asked for asked in metrics}
    places = list(islice(_places(customers, sorted(asked_for), cut, after), limit))
    claims = claims_of({customer_id for customer_id, _, _ in places})
    windows = {
        place: tuple(windows_of(claims[place[0]], place[1]))
        for place in dict.fromkeys((customer_id, window) for customer_id, _, window in places)
    }
    questions: dict[Question, None] = {}
    for customer_id, metric_id, window in places:
        for keys in _keys(asked_for[metric_id]):
            questions[Question(asked_for[metric_id].metric, windows[customer_id, window], keys)] = None
    answers = dict(zip(questions, values_of(list(questions), until=at), strict=True))
    return [
        _row(customer_id, asked_for[metric_id], window, windows[customer_id, window], answers)
        for customer_id, metric_id, window in places
    ]


def group_table(
    customer_id: UUID,
    metric: BillableMetric,
    cut: Cut,
    *,
    keys: tuple[str, ...] = (),
    filters: Mapping[str, Collection[str]] | None = None,
    at: datetime,
    after: tuple[datetime, Group] | None = None,
    limit: int,
) -> list[GroupRow]:
    """Up to `limit` rows in the order of window and group, later than the row `after`.

    The groups are those with usage anywhere in the period whose values pass `filters`, which are by some of the
    `keys`; without `keys` there is one, of everything. Levels count up to `at`. At most three queries.
    """
    claims = claim_windows(customer_id)
    accepted = {key: set(values) for key, values in (filters or {}).items() if values}

    def answers(windows: Sequence[Period]) -> list[Answer]:
        asked = [Question(metric, tuple(windows_of(claims, window)), keys) for window in windows]
        return values_of(asked, until=at)

    def passes(group: Group) -> bool:
        values = dict(zip(keys, group, strict=True))
        return all(values[key] in allowed for key, allowed in accepted.items())

    groups = sorted(filter(passes, answers([cut.period])[0]), key=_rank) if keys else [()]
    places = list(islice(_group_places(groups, cut, after), limit))
    windows = list(dict.fromkeys(window for window, _ in places))
    by_window = dict(zip(windows, answers(windows), strict=True))
    return [GroupRow(window, group, by_window[window].get(group, Decimal(0))) for window, group in places]


def declared_key(metric: BillableMetric, keys: Sequence[str]) -> tuple[str, ...] | None:
    """`keys` as the metric declares them, in whatever order; None where it does not declare just these."""
    return next((tuple(key) for key in metric.group_keys if sorted(key) == sorted(keys)), None)


def current_period(customer_id: UUID, *, at: datetime) -> Period:
    """The billing period in which the customer is. Raises NotFound; Refusal where there is none or more than one."""
    periods = {
        period
        for contract in customer_terms(customer_id).contracts
        if at in contract.term
        and (period := full_period(contract.billing_anchor_at, contract.frequency, at=at).overlap(contract.term))
    }
    if not periods:
        raise Refusal.of("current_period", True, "the customer has no contract in force")
    if len(periods) > 1:
        raise Refusal.of("current_period", True, "the customer's contracts have different billing periods")
    return periods.pop()


def known_customers(customer_ids: Collection[UUID], *, field: str) -> None:
    """Raises NotFound naming the first of `customer_ids` that is nobody's."""
    known = set(Customer.objects.filter(pk__in=customer_ids).values_list("pk", flat=True))
    for index, customer_id in enumerate(customer_ids):
        if customer_id not in known:
            raise no_such_customer(f"{field}[{index}]", customer_id)


def no_such_customer(field: str, customer_id: UUID) -> NotFound:
    return NotFound(f"There is no customer {customer_id}.", FieldError(field, customer_id, "there is no such customer"))


def _customers(customer_ids: Collection[UUID] | None, *, since: UUID | None, limit: int) -> list[UUID]:
    """Every customer has a row in each window, so a page needs no more customers than rows."""
    if customer_ids is not None:
        return sorted(set(customer_ids))
    found = Customer.objects.order_by("pk").values_list("pk", flat=True)
    return list((found if since is None else found.filter(pk__gte=since))[:limit])


def _places(
    customers: Sequence[UUID], metric_ids: Sequence[UUID], cut: Cut, after: tuple[UUID, UUID, datetime] | None
) -> Iterator[tuple[UUID, UUID, Period]]:
    for pair in product(customers, metric_ids):
        if after is not None and pair < after[:2]:
            continue
        for window in cut.windows(since=after[2] if after is not None and pair == after[:2] else None):
            if after is None or (*pair, window.starting_at) > after:
                yield *pair, window


def _group_places(
    groups: Sequence[Group], cut: Cut, after: tuple[datetime, Group] | None
) -> Iterator[tuple[Period, Group]]:
    if not groups:
        return
    passed = (after[0], _rank(after[1])) if after is not None else None
    for window in cut.windows(since=after[0] if after is not None else None):
        for group in groups:
            if passed is None or (window.starting_at, _rank(group)) > passed:
                yield window, group


def _rank(group: Group) -> list[tuple[bool, str]]:
    return [(value is not None, value or "") for value in group]


def _keys(asked: AskedMetric) -> list[tuple[str, ...]]:
    """What a row is told apart by: nothing for its value, and the group key for its groups."""
    return [()] if asked.group_key is None else [(), (asked.group_key,)]


def _row(
    customer_id: UUID,
    asked: AskedMetric,
    window: Period,
    windows: tuple[Window, ...],
    answers: Mapping[Question, Answer],
) -> UsageRow:
    whole, *split = [answers[Question(asked.metric, windows, keys)] for keys in _keys(asked)]
    groups: Mapping[str, Decimal | None] | None = None
    if split:
        totals = {group[0]: value for group, value in split[0].items() if group[0] is not None}
        if asked.values is not None:
            groups = {value: totals.get(value) for value in asked.values}
        else:
            groups = {value: totals[value] for value in sorted(totals)[:MAX_GROUPS]}
    return UsageRow(customer_id, asked.metric, window, whole.get((), Decimal(0)), groups)
