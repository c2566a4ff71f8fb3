"""A second, slow way to the same bill: every hour for itself, every rule looked up anew. Written apart from the
engine and sharing none of its arithmetic.

An hour's units are broken into grains at every place where some price could change or jump. Within a grain a price is
a line: something at once for its first unit (`jump`), then so much for each (`slope`). A payer buys grains from the
left; what it leaves of a grain is a smaller grain with what is left of the jump.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import billing_periods
from contracts.terms import Commit, Contract
from invoicing.engine.inputs import Inputs
from pricing.engine.catalog import ProductVersion, Rate
from pricing.engine.overrides import Override
from pricing.engine.tariffs import Tariff
from tests.invoicing.engine.oracle_prices import Asked, Grain
from tests.invoicing.engine.world import HOUR, Event, uid

Key = tuple[str, str | None]  # the name of a line, and the commit that pays it
ROUNDINGS = {"ROUND_UP": ROUND_CEILING, "ROUND_DOWN": ROUND_FLOOR, "ROUND_HALF_UP": ROUND_HALF_UP}


class Counted:
    """What one line of business has come to in a period."""

    def __init__(self) -> None:
        self.metered, self.sold, self.total = Decimal(0), Fraction(0), Fraction(0)


class Oracle:
    """Bills one contract whose metrics are never below zero; `bill` is amount and quantity by line and payer."""

    def __init__(self, inputs: Inputs, contract: Contract) -> None:
        self.inputs, self.contract = inputs, contract
        (self.card,) = inputs.catalog.rate_cards.values()
        self.left = {segment.id: Fraction(segment.amount) for commit in contract.commits for segment in commit.segments}
        self.bill: dict[Key, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        self.unbilled: dict[str, Fraction] = defaultdict(Fraction)

    def walk(self, events: Iterable[Event]) -> "Oracle":
        events = list(events)
        for period in billing_periods(self.contract.term, self.contract.billing_anchor_at, self.contract.frequency):
            counters: dict[str, Counted] = defaultdict(Counted)
            spent: dict[tuple[UUID, Unit], Fraction] = defaultdict(Fraction)
            hours: dict[datetime, list[Event]] = defaultdict(list)
            for event in events:
                if event.at in period:
                    hours[event.at].append(event)
            for hour in sorted(hours):
                self._count_through(hours[hour], hour, counters)
            for counted in counters.values():
                counted.total, counted.metered, counted.sold = counted.sold, Decimal(0), Fraction(0)
            for hour in sorted(hours):
                self._hour(hours[hour], hour, counters, spent)
            self._composites(period.ending_before - HOUR, spent)
        return self

    def _count_through(self, events: list[Event], hour: datetime, counters: dict[str, Counted]) -> None:
        for version, pricing, shown, quantity, name in self._sold(events):
            counted = counters[name]
            if self._price(version, pricing, shown, hour, None, counted.total) is not None:
                self._more(version, counted, quantity)

    def _more(self, version: ProductVersion, counted: Counted, quantity: Decimal) -> Fraction:
        before = counted.sold
        counted.metered += quantity
        sold = Fraction(counted.metered)
        if version.conversion is not None:
            factor = Fraction(version.conversion.factor)
            sold = sold / factor if version.conversion.operation == "DIVIDE" else sold * factor
        if version.rounding is not None:
            step = Decimal(1).scaleb(-version.rounding.decimal_places)
            exact = Decimal(sold.numerator) / Decimal(sold.denominator)
            sold = Fraction(exact.quantize(step, ROUNDINGS[version.rounding.method]))
        counted.sold = sold
        return before

    def _sold(self, events: list[Event]) -> list[tuple[ProductVersion, dict, dict, Decimal, str]]:
        """What was metered in an hour of each combination of values of each product."""
        found: dict[str, list[Any]] = {}
        for event in events:
            for product_id in self.card.product_order:
                for version in self.inputs.catalog.products[product_id]:
                    if version.metric_id == uid(f"metric {event.name}"):
                        values = dict(event.values)
                        pricing = {key: values.get(key) for key in version.pricing_group_key}
                        shown = {key: values.get(key) for key in version.presentation_group_key}
                        pairs = [*sorted(pricing.items()), *sorted(shown.items())]
                        text = ", ".join(f"{key}: {'none' if value is None else value}" for key, value in pairs)
                        name = f"{version.name} ({text})" if text else version.name
                        found.setdefault(name, [version, pricing, shown, Decimal(0), name])[3] += event.quantity
        return [tuple(each) for each in found.values()]

    def _hour(
        self,
        events: list[Event],
        hour: datetime,
        counters: dict[str, Counted],
        spent: dict[tuple[UUID, Unit], Fraction],
    ) -> None:
        waiting = []
        for version, pricing, shown, quantity, name in self._sold(events):
            counted = counters[name]
            price = self._price(version, pricing, shown, hour, None, counted.total)
            if price is None:
                self.unbilled[name] += Fraction(quantity)
                continue
            before = self._more(version, counted, quantity)
            listed = self._listed(version, pricing, shown, hour, before, counted.total)
            waiting.append(((-listed, version.name, name), (version, pricing, shown, counted, before, None)))
        waiting.sort(key=lambda pair: pair[0])
        self._serve(waiting, hour, spent)

    def _serve(self, waiting: list[Any], hour: datetime, spent: dict[tuple[UUID, Unit], Fraction]) -> None:
        served = []
        for (_, _, name), (version, pricing, shown, counted, before, unit) in waiting:
            asked = [self._price(version, pricing, shown, hour, None, counted.total)]
            balances = [pair for pair in self._balances(hour) if self._counts(pair[0], version, pricing, shown)]
            if unit is not None:  # a composite has no units to take
                balances = [pair for pair in balances if pair[0].access_type == "SPEND"]
            asked += [self._price(version, pricing, shown, hour, commit, counted.total) for commit, _ in balances]
            for price in asked:
                price.unit = unit or price.unit
            grains = self._grains(before, counted.sold, asked)
            served.append((name, version, grains, asked[0], list(zip(balances, asked[1:], strict=True))))
        for commit, segment in self._balances(hour):
            for name, version, grains, _, payers in served:
                for (payer, _), price in payers:
                    if payer is commit:
                        self._pay(name, version, grains, commit, segment, price, spent)
        for name, version, grains, price, _ in served:
            for grain in grains:
                line = price.line(grain.start)
                amount = line.jump * grain.jump + line.slope * (grain.end - grain.start)
                self._add(name, version, price, grain, grain.end, grain.jump, amount, None, False, spent)

    def _grains(self, start: Fraction, end: Fraction, asked: list[Asked]) -> list[Grain]:
        places = {place for price in asked for place in price.places(end) if start < place < end}
        edges = [start, *sorted(places), end]
        return [Grain(one, other) for one, other in pairwise(edges) if one < other]

    def _pay(
        self,
        name: str,
        version: ProductVersion,
        grains: list[Grain],
        commit: Commit,
        segment: UUID,
        price: Asked,
        spent: dict[tuple[UUID, Unit], Fraction],
    ) -> None:
        exchange = self._exchange(commit, price.unit)
        if exchange is None:
            return
        by_units = commit.access_type == "QUANTITY"
        converted = not by_units and commit.unit != price.unit
        left: list[Grain] = []
        last: tuple[Fraction, Any] | None = None  # where it has paid to, and in which tier
        for grain in grains:
            line, money = price.line(grain.start), self.left[segment]
            at_once, units = line.jump * grain.jump, grain.end - grain.start
            goes_with_it = not by_units and not at_once and not line.slope and last == (grain.start, line.tier)
            if line.free or (money <= 0 and not goes_with_it):
                left.append(grain)
                continue
            share, end = grain.jump, grain.end
            if by_units:
                end = grain.start + min(units, money)
            elif at_once > money / exchange:
                share, end = grain.jump * money / exchange / at_once, grain.start
            elif line.slope:
                end = grain.start + min(units, (money / exchange - at_once) / line.slope)
            amount = line.jump * share + line.slope * (end - grain.start)
            self.left[segment] -= end - grain.start if by_units else amount * exchange
            last = end, line.tier
            self._add(name, version, price, grain, end, share, amount, commit.name, converted, spent)
            if end < grain.end:
                left.append(Grain(end, grain.end, grain.jump - share if end == grain.start else Fraction(0)))
        grains[:] = left

    def _add(
        self,
        name: str,
        version: ProductVersion,
        price: Asked,
        grain: Grain,
        end: Fraction,
        share: Fraction,
        amount: Fraction,
        payer: str | None,
        converted: bool,
        spent: dict[tuple[UUID, Unit], Fraction],
    ) -> None:
        spent[version.product_id, price.unit] += amount
        quantity = end - grain.start
        if price.tariff.type == "PACKAGE":
            begins = grain.start % Fraction(price.tariff.package_size) == 0
            quantity = share if begins else Fraction(0)
        self._book(name, None if converted else payer, amount, quantity)
        if price.unit != self.card.fiat and (converted or payer is None):
            exchange = Fraction(self.card.fiat_per_custom_unit[price.unit.id])
            self._book(f"{price.unit.name} in {self.card.fiat.name}", payer, amount * exchange, amount)

    def _book(self, name: str, payer: str | None, amount: Fraction, quantity: Fraction) -> None:
        if amount or quantity:
            self.bill[name, payer][0] += amount
            self.bill[name, payer][1] += quantity

    def _composites(self, hour: datetime, spent: dict[tuple[UUID, Unit], Fraction]) -> None:
        """Composites of usage alone; all of them in one go."""
        bases: list[tuple[ProductVersion, Unit, Fraction]] = []
        for product_id in self.card.product_order:
            (version, *_) = self.inputs.catalog.products[product_id]
            if version.type == "COMPOSITE":
                for unit in {unit for _, unit in spent}:
                    base = sum(
                        (amount for (part, of), amount in spent.items()
                         if of == unit and part in version.composite_product_ids),
                        Fraction(0),
                    )  # fmt: skip
                    bases.append((version, unit, base))
        waiting = []
        for version, unit, base in bases:
            counted = Counted()
            counted.total = counted.sold = base
            if base and self._price(version, {}, {}, hour, None, base) is not None:
                listed = self._listed(version, {}, {}, hour, Fraction(0), base, unit)
                of = (version, {}, {}, counted, Fraction(0), unit)
                waiting.append(((-listed, version.name, version.name), of))
        waiting.sort(key=lambda pair: pair[0])
        self._serve(waiting, hour, defaultdict(Fraction))

    # --- what is looked up anew ------------------------------------------------------------------------------

    def _rate(self, version: ProductVersion, pricing: dict[str, str | None], hour: datetime) -> Rate | None:
        fitting = [
            rate
            for rate in self.card.rates
            if rate.product_id == version.product_id and dict(rate.values) == pricing
            if rate.starting_at <= hour and (rate.ending_before is None or rate.ending_before > hour)
        ]
        return sorted(fitting, key=lambda rate: (rate.starting_at, rate.publication))[-1] if fitting else None

    def _listed(
        self,
        version: ProductVersion,
        pricing: dict[str, str | None],
        shown: dict[str, str | None],
        hour: datetime,
        place: Fraction,
        total: Fraction,
        unit: Unit | None = None,
    ) -> Fraction:
        """The list price of the next unit, in money."""
        rate = self._rate(version, pricing, hour)
        slope = Asked(rate.tariff, [], rate.unit, total).line(place).slope
        if rate.tariff.type == "PACKAGE":
            slope = Fraction(rate.tariff.price) / Fraction(rate.tariff.package_size)
        own = self._price(version, pricing, shown, hour, None, total)
        custom = self.card.fiat_per_custom_unit.get((unit or own.unit).id)
        return slope if custom is None else slope * Fraction(custom)

    def _price(
        self,
        version: ProductVersion,
        pricing: dict[str, str | None],
        shown: dict[str, str | None],
        hour: datetime,
        payer: Commit | None,
        total: Fraction,
    ) -> Asked | None:
        rate = self._rate(version, pricing, hour)
        holding = [
            override
            for override in self.contract.overrides
            if override.period.starting_at <= hour
            and (override.period.ending_before is None or hour < override.period.ending_before)
            and any(
                self._is_meant(target, version, pricing, shown)
                and (not override.is_commit_specific or self._is_named(target, payer))
                for target in override.targets
            )
        ]
        holding.sort(key=lambda override: override.position)
        entitled = rate is not None and rate.entitled
        for override in holding:
            entitled = override.entitled if override.entitled is not None else entitled
        if rate is None or not entitled:
            return None
        at_commit_rate = payer is not None and payer.rate_type == "COMMIT_RATE" and rate.commit_tariff is not None
        tariff = rate.commit_tariff if at_commit_rate else rate.tariff
        wanted = "COMMIT_RATE" if at_commit_rate else "LIST_RATE"
        for is_specific in (True, False):
            group = [o for o in holding if o.type and o.is_commit_specific == is_specific and o.target == wanted]
            if group:
                return self._under(group, tariff, rate, total)
        return Asked(tariff, [], rate.unit, total)

    def _under(self, group: list[Override], tariff: Tariff, rate: Rate, total: Fraction) -> Asked:
        overwritten = [override for override in group if override.tariff is not None]
        if overwritten:
            return Asked(overwritten[-1].tariff, [], overwritten[-1].unit or rate.unit, total)
        if self.contract.prioritization == "EXPLICIT":
            first = min(override.priority for override in group)
            (*_, winner) = [override for override in group if override.priority == first]
        else:
            lowest = min(override.multiplier for override in group)
            (*_, winner) = [override for override in group if override.multiplier == lowest]
        if winner.multiplier is not None:
            return Asked(tariff, [(None, Fraction(winner.multiplier))], rate.unit, total)
        ranges, reached = [], Fraction(0)
        for tier in winner.tiers:
            reached += Fraction(tier.size or 0)
            ranges.append((reached if tier.size is not None else None, Fraction(tier.multiplier)))
        return Asked(tariff, ranges, rate.unit, total)

    def _is_named(self, target: Any, payer: Commit | None) -> bool:
        return payer is not None and (not target.commit_ids or payer.id in target.commit_ids)

    def _exchange(self, commit: Commit, unit: Unit) -> Fraction | None:
        if commit.access_type == "QUANTITY" or commit.unit == unit:
            return Fraction(1)
        if commit.unit == self.card.fiat:
            return Fraction(self.card.fiat_per_custom_unit[unit.id])
        return None

    def _balances(self, hour: datetime) -> list[tuple[Commit, UUID]]:
        open_ = [
            (commit, segment)
            for commit in self.contract.commits
            for segment in commit.segments
            if segment.period.starting_at <= hour < segment.period.ending_before
        ]
        open_.sort(key=lambda pair: (pair[0].unit == self.card.fiat, pair[0].type == "POSTPAID", pair[0].priority))
        return [(commit, segment.id) for commit, segment in open_]

    def _counts(
        self, commit: Commit, version: ProductVersion, pricing: dict[str, str | None], shown: dict[str, str | None]
    ) -> bool:
        meant = (self._is_meant(target, version, pricing, shown) for target in commit.targets)
        return not commit.targets or any(meant)

    def _is_meant(
        self, target: Any, version: ProductVersion, pricing: dict[str, str | None], shown: dict[str, str | None]
    ) -> bool:
        return (
            target.product_id in (None, version.product_id)
            and all(pricing.get(key) == value for key, value in target.pricing_group_values)
            and all(shown.get(key) == value for key, value in target.presentation_group_values)
        )
