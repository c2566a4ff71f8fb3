"""The figures that alerts watch, as they stand in one computation of a customer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from billing_site.foundation.periods import Period, full_period
from contracts.models import Commit, Contract
from contracts.terms import CREDIT
from contracts.terms import Commit as AgreedBalance
from invoicing.engine import alerts as engine
from invoicing.engine.alerts import Fields, Reading
from invoicing.engine.documents import Document, Standing
from invoicing.models import Alert
from invoicing.queries.compute import Computation, computed_from
from invoicing.queries.finals import final_documents
from ledger.models import MetricBackfill
from ledger.queries.usage import windows_of
from ledger.queries.values import Question, values_of
from pricing.engine.catalog import ProductVersion
from pricing.models import BillableMetric

Readings = Mapping[UUID, Sequence[Reading] | None]


def readings(watched: Sequence[Alert], computed: Computation, *, at: datetime) -> Readings:
    """By alert, all of its figures of the computed customer; None where they are not known yet.

    Call it in the snapshot of the computation. A fixed number of queries, and for each set of group keys that alerts
    split by as many as computing takes.
    """
    world = _World(computed, at, watched)
    return {each.pk: world.read(each) for each in watched}


@dataclass
class _World:
    """What alerts look at; what only some of them need is read when the first of these asks."""

    computed: Computation
    at: datetime
    watched: Sequence[Alert]
    _split: dict[frozenset[str], tuple[Document, ...]] = field(default_factory=dict)

    def read(self, watched: Alert) -> list[Reading] | None:
        kind, unit_id = watched.kind, watched.unit_id
        if kind.measure == engine.METERED:
            assert watched.metric_id is not None, "usage is that of a metric"
            return self._metered[watched.metric_id]
        if kind.measure == engine.DAYS:
            return list(engine.days(self._balances(watched), kind, at=self.at))
        if kind.measure == engine.OF_SEATS:
            balances = self._balances(watched, of_seats=True)
            return list(engine.remaining_of_seats(balances, watched.groups, unit_id, at=self.at))
        if kind.is_of_balances:
            return list(engine.remaining(self._balances(watched), kind, unit_id, at=self.at))
        assert unit_id is not None, "money is in a unit"
        if kind.measure == engine.TOTAL:
            documents = self._documents(watched, self.computed.result.documents)
            return list(engine.totals(documents, unit_id, frozenset(watched.invoice_types)))
        keys = frozenset(key for key, _ in watched.groups)
        return list(engine.spend(self._documents(watched, self._by(keys)), unit_id, watched.groups, at=self.at))

    def _balances(self, watched: Alert, *, of_seats: bool = False) -> Iterator[Standing]:
        """What each seat has of its own is not left to the others, and not among them."""
        specifiers = watched.all_specifiers
        for each in self.computed.result.balances:
            if (each.segment.seat is not None) != of_seats:
                continue
            if not specifiers or self._fields.of_balance(each.commit).fit_any(specifiers):
                yield each

    def _documents(self, watched: Alert, documents: Iterable[Document]) -> Iterator[Document]:
        specifiers = watched.all_specifiers
        for each in documents:
            if not specifiers or self._fields.of_contract(each.contract_id).fit_any(specifiers):
                yield each

    @cached_property
    def _fields(self) -> "_CustomFields":
        return _CustomFields.of(self.computed)

    @cached_property
    def _metered(self) -> dict[UUID, list[Reading] | None]:
        return _metered(self.watched, self.computed, self.at)

    def _by(self, keys: frozenset[str]) -> tuple[Document, ...]:
        """The drafts as if products had these among their presentation group keys, where their metrics have them."""
        if keys not in self._split:
            self._split[keys] = _documents_by(keys, self.computed)
        return self._split[keys]


def _documents_by(keys: frozenset[str], computed: Computation) -> tuple[Document, ...]:
    inputs = computed.inputs
    if not keys:
        return computed.result.documents
    listed = [version for versions in inputs.catalog.products.values() for version in versions]
    ids = {version.metric_id for version in listed if version.metric_id is not None}
    declared = {
        metric_id: {key for group in group_keys for key in group}
        for metric_id, group_keys in BillableMetric.objects.filter(pk__in=ids).values_list("pk", "group_keys")
    }

    def finer(version: ProductVersion) -> ProductVersion:
        has = {*version.pricing_group_key, *version.presentation_group_key}
        more = sorted((keys & declared.get(version.metric_id, set())) - has) if version.metric_id else []
        return replace(version, presentation_group_key=(*version.presentation_group_key, *more)) if more else version

    products = {key: tuple(finer(each) for each in versions) for key, versions in inputs.catalog.products.items()}
    if products == inputs.catalog.products:
        return computed.result.documents
    finer_inputs = replace(inputs, catalog=replace(inputs.catalog, products=products))
    return computed_from(finer_inputs, final_documents(inputs.terms.customer_id)).result.documents


def _metered(watched: Sequence[Alert], computed: Computation, at: datetime) -> dict[UUID, list[Reading] | None]:
    """What each metric that is watched has measured: the largest of the current periods. A query, and one for each
    aggregation."""
    metrics = {each.metric.pk: each.metric for each in watched if each.metric is not None}
    unfinished = set(
        MetricBackfill.objects.filter(pk__in=metrics, finished_at=None).values_list("metric_id", flat=True)
    )
    found: dict[UUID, list[Reading] | None] = {
        metric_id: None if metric_id in unfinished else [] for metric_id in metrics
    }
    periods = sorted(_current_periods(computed, at), key=lambda period: period.starting_at)
    asked = [
        Question(metric, tuple(windows_of(computed.inputs.terms.claims, period)))
        for metric_id, metric in metrics.items()
        if metric_id not in unfinished
        for period in periods
    ]
    values: dict[UUID, list[Decimal]] = {}
    for question, answer in zip(asked, values_of(asked, until=at), strict=True):
        values.setdefault(question.metric.pk, []).append(answer.get((), Decimal(0)))
    return found | {metric_id: [Reading(max(each))] for metric_id, each in values.items()}


def _current_periods(computed: Computation, at: datetime) -> set[Period]:
    return {
        period
        for contract in computed.inputs.terms.contracts
        if at in contract.term
        and (period := full_period(contract.billing_anchor_at, contract.frequency, at=at).overlap(contract.term))
    }


@dataclass(frozen=True, slots=True)
class _CustomFields:
    contracts: Mapping[UUID, Mapping[str, str]]
    balances: Mapping[UUID, Mapping[str, str]]  # by commit or credit
    known: Mapping[UUID, AgreedBalance]

    @classmethod
    def of(cls, computed: Computation) -> "_CustomFields":
        """Two queries."""
        customer_id = computed.inputs.terms.customer_id
        contracts = Contract.objects.filter(customer_id=customer_id).values_list("pk", "custom_fields")
        commits = Commit.objects.filter(customer_id=customer_id).values_list("pk", "custom_fields")
        return cls(
            dict(contracts),
            dict(commits),
            {commit.id: commit for commit in computed.result.commits},
        )

    def of_contract(self, contract_id: UUID) -> Fields:
        return Fields(self.contracts.get(contract_id, {}))

    def of_balance(self, commit: AgreedBalance) -> Fields:
        contract = self.contracts.get(commit.contract_id) if commit.contract_id is not None else None
        return Fields(contract, self._of(commit), commit.type == CREDIT)

    def _of(self, commit: AgreedBalance) -> Mapping[str, str]:
        """What was taken over by a renewal has those of what it was at first; what recurs has none."""
        while commit.rolled_over_from is not None and commit.rolled_over_from in self.known:
            commit = self.known[commit.rolled_over_from]
        return self.balances.get(commit.id, {})
