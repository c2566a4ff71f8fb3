"""A second, slow way to the same bill: every hour for itself, every rule looked up anew. Written apart from the
engine and sharing none of its arithmetic; it knows flat prices, conversions, overrides and commits."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from contracts.terms import Commit, Contract
from invoicing.engine.inputs import Inputs
from pricing.engine.catalog import ProductVersion, Rate
from tests.invoicing.engine.world import Event, uid

Key = tuple[str, str | None]  # the name of a line, and the commit that pays it


class Oracle:
    """Bills one contract whose metrics are never below zero; `bill` is amount and quantity by line and payer."""

    def __init__(self, inputs: Inputs, contract: Contract) -> None:
        self.inputs, self.contract = inputs, contract
        self.left = {segment.id: Fraction(segment.amount) for commit in contract.commits for segment in commit.segments}
        self.bill: dict[Key, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        self.unbilled: dict[str, Fraction] = defaultdict(Fraction)

    def walk(self, events: Iterable[Event]) -> "Oracle":
        hours: dict[datetime, list[Event]] = defaultdict(list)
        for event in events:
            if self.contract.term.starting_at <= event.at < self.contract.term.ending_before:
                hours[event.at].append(event)
        for hour in sorted(hours):
            self._hour(hour, hours[hour])
        return self

    def _hour(self, hour: datetime, events: list[Event]) -> None:
        waiting: dict[tuple[Any, ...], list[Any]] = {}
        for event in events:
            for version in self._versions():
                if version.metric_id != uid(f"metric {event.name}"):
                    continue
                values = dict(event.values)
                pricing = {key: values.get(key) for key in version.pricing_group_key}
                shown = ", ".join(
                    f"{key}: {'none' if values.get(key) is None else values[key]}"
                    for key in sorted(version.pricing_group_key) + sorted(version.presentation_group_key)
                )
                name = f"{version.name} ({shown})" if shown else version.name
                rate = self._rate(version, pricing, hour)
                price = self._price(version, pricing, rate, hour)
                quantity = Fraction(event.quantity)
                if price is None:
                    self.unbilled[name] += quantity
                    continue
                if version.conversion is not None:
                    factor = Fraction(version.conversion.factor)
                    quantity = quantity / factor if version.conversion.operation == "DIVIDE" else quantity * factor
                key = (-rate.tariff.price, version.name, name)
                waiting.setdefault(key, [version, pricing, price, Fraction(0)])[3] += quantity
        for commit, segment in self._balances(hour):
            for (_, _, name), entry in sorted(waiting.items(), key=lambda pair: pair[0]):
                version, pricing, price, quantity = entry
                if not price or not quantity or not self._counts(commit, version, pricing):
                    continue
                amount = min(price * quantity, self.left[segment])
                self.left[segment] -= amount
                entry[3] -= amount / price
                self._add(name, commit.name, amount, amount / price)
        for (_, _, name), (_, _, price, quantity) in waiting.items():
            if quantity:
                self._add(name, None, price * quantity, quantity)

    def _add(self, name: str, payer: str | None, amount: Fraction, quantity: Fraction) -> None:
        if quantity:
            self.bill[name, payer][0] += amount
            self.bill[name, payer][1] += quantity

    def _versions(self) -> Iterator[ProductVersion]:
        (card,) = self.inputs.catalog.rate_cards.values()
        for product_id in card.product_order:
            yield from self.inputs.catalog.products[product_id]

    def _rate(self, version: ProductVersion, pricing: dict[str, str | None], hour: datetime) -> Rate | None:
        (card,) = self.inputs.catalog.rate_cards.values()
        fitting = [
            rate
            for rate in card.rates
            if rate.product_id == version.product_id and dict(rate.values) == pricing
            if rate.starting_at <= hour and (rate.ending_before is None or rate.ending_before > hour)
        ]
        return sorted(fitting, key=lambda rate: (rate.starting_at, rate.publication))[-1] if fitting else None

    def _price(
        self, version: ProductVersion, pricing: dict[str, str | None], rate: Rate | None, hour: datetime
    ) -> Fraction | None:
        holding = [
            override
            for override in self.contract.overrides
            if override.period.starting_at <= hour
            and (override.period.ending_before is None or hour < override.period.ending_before)
            and any(self._is_meant(target, version, pricing) for target in override.targets)
        ]
        holding.sort(key=lambda override: override.position)
        entitled = rate is not None and rate.entitled
        for override in holding:
            entitled = override.entitled if override.entitled is not None else entitled
        if rate is None or not entitled:
            return None
        for override in reversed(holding):
            if override.tariff is not None and override.tariff.price is not None:
                return Fraction(override.tariff.price)
        multipliers = [override.multiplier for override in holding if override.multiplier is not None]
        return Fraction(rate.tariff.price) * Fraction(min(multipliers, default=1))

    def _balances(self, hour: datetime) -> list[tuple[Commit, UUID]]:
        open_ = [
            (commit, segment)
            for commit in self.contract.commits
            for segment in commit.segments
            if segment.period.starting_at <= hour < segment.period.ending_before
        ]
        open_.sort(key=lambda pair: (pair[0].type == "POSTPAID", pair[0].priority))
        return [(commit, segment.id) for commit, segment in open_]

    def _counts(self, commit: Commit, version: ProductVersion, pricing: dict[str, str | None]) -> bool:
        return not commit.targets or any(self._is_meant(target, version, pricing) for target in commit.targets)

    def _is_meant(self, target: Any, version: ProductVersion, pricing: dict[str, str | None]) -> bool:
        return target.product_id in (None, version.product_id) and all(
            pricing.get(key) == value for key, value in target.pricing_group_values
        )
