"""Why an event counts, or does not: metric by metric, and what its owner's contracts make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.models import Customer
from contracts.queries import customer_terms
from contracts.terms import Contract
from ledger.metering import LONGEST_GROUP_VALUE, Measure, PropertyRule, UnreadableValue, quantity, quantity_text
from ledger.metering import unique_text as text_of
from ledger.queries.counting import measure_of
from ledger.queries.holdings import holdings
from pricing.engine.catalog import Catalog
from pricing.engine.products import version_in_force
from pricing.engine.tariffs import Tariff
from pricing.models import BillableMetric
from pricing.queries import catalog

ELSEWHERE = "at that time its usage is not invoiced here yet"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why_not` is empty where the metric counts the event; then `value` says how much, or what, in which group."""

    metric: BillableMetric
    why_not: str
    value: str = ""
    group: Mapping[str, str | None] | None = None
    prices: tuple[str, ...] = ()  # what it costs, or why nothing; one for each contract in force

    @property
    def counts(self) -> bool:
        return not self.why_not


@dataclass(frozen=True, slots=True)
class Explanation:
    owner: Customer | None
    verdicts: tuple[Verdict, ...]  # those that count first
    summary: str  # why it is billed or not, in a sentence


def explain(subject: str, event_type: str, timestamp: datetime, properties: Mapping[str, Any]) -> Explanation:
    """What an event of this content comes to, as metrics, claims, contracts and prices are now."""
    held = next((one for one in holdings(subjects=[subject]) if one.covers(timestamp)), None)
    owner = None if held is None else Customer.objects.filter(pk=held.customer_id).first()
    selling = _Selling(owner, timestamp)
    verdicts = [
        _verdict(metric, event_type, properties, selling) for metric in BillableMetric.objects.order_by("name", "pk")
    ]
    verdicts.sort(key=lambda verdict: not verdict.counts)
    return Explanation(owner, tuple(verdicts), _summary(subject, event_type, verdicts, selling))


def why_not(measure: Measure, event_type: str, properties: Mapping[str, Any]) -> str:
    """Why a metric does not count an event; empty where it does."""
    if not measure.wants_type(event_type):
        if measure.in_types is not None and event_type not in measure.in_types:
            return f"its type {event_type!r} is not among {_listed(measure.in_types)}"
        return f"its type {event_type!r} is one that the metric leaves out"
    for rule in measure.rules:
        if not rule.holds(properties):
            return _broken(rule, properties)
    if measure.key is not None:
        value = properties.get(measure.key)
        if value is None:
            return f"it has no property {measure.key!r}, which the metric reads"
        if measure.aggregation != "UNIQUE":
            try:
                quantity(value)
            except UnreadableValue as problem:
                return f"its property {measure.key!r} cannot be read: it {problem}"
    for key, text in zip(measure.group_keys, measure.group_of(properties), strict=True):
        if text is not None and len(text.encode()) > LONGEST_GROUP_VALUE:
            return f"its property {key!r} is longer than {LONGEST_GROUP_VALUE} bytes, and usage is grouped by it"
    return ""


def _verdict(metric: BillableMetric, event_type: str, properties: Mapping[str, Any], selling: "_Selling") -> Verdict:
    measure = measure_of(metric)
    refused = why_not(measure, event_type, properties)
    if refused:
        return Verdict(metric, refused)
    group = dict(zip(measure.group_keys, measure.group_of(properties), strict=True))
    value = "1"
    if measure.key is not None:
        said = properties[measure.key]
        value = text_of(said) if measure.aggregation == "UNIQUE" else quantity_text(quantity(said))
    return Verdict(metric, "", value, group, tuple(selling.prices(metric.pk, group)))


def _broken(rule: PropertyRule, properties: Mapping[str, Any]) -> str:
    value = properties.get(rule.name)
    if value is None:
        return f"it has no property {rule.name!r}"
    if rule.exists is False:
        return f"it has a property {rule.name!r}, and must not"
    text = text_of(value)
    if rule.in_values is not None and text not in rule.in_values:
        return f"its property {rule.name!r} is {text!r}, which is not among {_listed(rule.in_values)}"
    return f"its property {rule.name!r} is {text!r}, which the metric leaves out"


def _listed(values: frozenset[str]) -> str:
    shown = sorted(values)[:5]
    return ", ".join(map(repr, shown)) + (" and others" if len(values) > 5 else "")


class _Selling:
    """The owner's contracts in force at the event's time, and what they sell."""

    def __init__(self, owner: Customer | None, timestamp: datetime) -> None:
        self.at = timestamp
        self.contracts: list[Contract] = []
        self.catalog: Catalog | None = None
        if owner is not None:
            terms = customer_terms(owner.pk)
            self.contracts = [contract for contract in terms.contracts if timestamp in contract.term]
            cards = {one.rate_card_id for one in self.contracts if one.rate_card_id is not None}
            self.catalog = catalog(rate_card_ids=cards)

    def prices(self, metric_id: UUID, group: Mapping[str, str | None]) -> Iterator[str]:
        for contract in self.contracts:
            name = contract.name or str(contract.id)
            if contract.invoiced is None or self.at not in contract.invoiced:
                yield f"{name}: {ELSEWHERE}"
                continue
            if not contract.takes(tuple(group.items()), self.at):
                yield f"{name}: its usage filter leaves it out"
                continue
            found = list(self._of_contract(contract, metric_id, group))
            yield from (f"{name}: {one}" for one in found or ["no product on its rate card uses this metric"])

    def _of_contract(self, contract: Contract, metric_id: UUID, group: Mapping[str, str | None]) -> Iterator[str]:
        if contract.rate_card_id is None or self.catalog is None:
            yield "it has no rate card"
            return
        card = self.catalog.rate_cards[contract.rate_card_id]
        for product_id in card.product_order:
            version = version_in_force(self.catalog.products[product_id], self.at)
            if version is None or version.metric_id != metric_id:
                continue
            values = tuple((key, group.get(key)) for key in sorted(version.pricing_group_key))
            rate = card.over_time((product_id, values, "")).at(self.at)
            if rate is None:
                yield f"{version.name} has no rate for {_values(values)} at that time"
            elif not rate.entitled:
                yield f"{version.name} has a rate, and does not entitle to it"
            else:
                yield f"{version.name} at {_price(rate.tariff)} {rate.unit.name} a unit, before overrides"


def _price(tariff: Tariff) -> str:
    return "" if tariff.price is None else f"{tariff.price.normalize():f}"


def _values(values: tuple[tuple[str, str | None], ...]) -> str:
    return ", ".join(f"{key} {value or 'none'}" for key, value in values) or "it"


def _summary(subject: str, event_type: str, verdicts: list[Verdict], selling: _Selling) -> str:
    counting = [verdict for verdict in verdicts if verdict.counts]
    if not counting:
        return f"No metric counts it, so it is billed nowhere. Its type is {event_type}."
    if selling.catalog is None:
        return f"Nobody owns the subject {subject} at that time, so it waits until somebody claims it."
    if not selling.contracts:
        return "Its owner has no contract in force at that time."
    if any(" a unit" in price for verdict in counting for price in verdict.prices):
        return "It is billed."
    if any(price.endswith(ELSEWHERE) for verdict in counting for price in verdict.prices):
        return "It is from before usage of its contract is invoiced here, so it is on no document."
    return "Its owner's contracts sell nothing that is measured by what counts it."
