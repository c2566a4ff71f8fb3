"""What a customer owes and has left, told a second time: from the events, by the hour, with nothing of the engine.

The world is small on purpose. One contract without an end, months of October 2025 and on; products at a flat price or
in two tiers; multipliers, of which the lowest holds; balances that pay for everything, in the order they were granted.

    an hour's amount      for each product: units, from where the month stood, at the tier's price, times the multiplier
    who pays it           the balances that hold at the hour, in order, as long as there is something left; then money
    a month that is final keeps the prices and multipliers known when it was closed
    late usage of it      what its events come to at those prices, less what was billed: paid like usage of then, before
                          any open month

Who is given back what in a month that several paid for depends on how it was cut into lines, which this model does not
know: from then on (`is_exact`) it only says what money and balances come to together.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

FIRST_MONTH = datetime.fromisoformat("2025-10-01T00:00:00+00:00")


def month_of(hour: datetime) -> datetime:
    return hour.replace(day=1, hour=0)


def month_after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


@dataclass
class Used:
    """One event that counts: so many units of a product in an hour."""

    product: str
    hour: datetime
    units: Decimal


@dataclass(frozen=True)
class Price:
    """From then on. `tiers` are (units, price); the last holds for all the rest. Of two that begin at once, the later
    in the list holds."""

    product: str
    since: datetime
    tiers: tuple[tuple[Decimal | None, Decimal], ...]


@dataclass(frozen=True)
class Multiplier:
    since: datetime
    factor: Decimal


@dataclass
class Balance:
    name: str
    since: datetime
    until: datetime
    granted: Decimal
    manual: Decimal = Decimal(0)
    drawn: Decimal = Decimal(0)  # by final documents
    pending: Decimal = Decimal(0)  # by drafts

    @property
    def left(self) -> Decimal:
        return self.granted + self.manual - self.drawn - self.pending


@dataclass
class Closed:
    """A final month: what was known, and by the hour what is billed for it on all final documents."""

    prices: tuple[Price, ...]
    multipliers: tuple[Multiplier, ...]
    billed: dict[datetime, Decimal]
    paid: dict[str, Decimal]  # what its own document draws on each balance
    has_late_usage: bool  # of earlier months, on its own document


@dataclass
class BillingModel:
    events: dict[str, Used] = field(default_factory=dict)
    prices: list[Price] = field(default_factory=list)
    multipliers: list[Multiplier] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    closed: dict[datetime, Closed] = field(default_factory=dict)
    is_exact: bool = True

    @property
    def open_month(self) -> datetime:
        """The first that is not final."""
        month = FIRST_MONTH
        while month in self.closed:
            month = month_after(month)
        return month

    def rated(self, month: datetime) -> dict[datetime, Decimal]:
        """What the month's usage comes to, by the hour, whoever pays."""
        known = self.closed.get(month)
        prices = known.prices if known else tuple(self.prices)
        multipliers = known.multipliers if known else tuple(self.multipliers)
        hours: dict[datetime, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for used in self.events.values():
            if month_of(used.hour) == month:
                hours[used.hour][used.product] += used.units
        stood: dict[str, Decimal] = defaultdict(Decimal)
        amounts: dict[datetime, Decimal] = {}
        for hour in sorted(hours):
            factor = min([each.factor for each in multipliers if each.since <= hour], default=Decimal(1))
            amounts[hour] = Decimal(0)
            for product, units in hours[hour].items():
                holding = [price for price in prices if price.product == product and price.since <= hour]
                tiers = max(enumerate(holding), key=lambda pair: (pair[1].since, pair[0]))[1].tiers
                upto = stood[product] + units
                amounts[hour] += (_climbed(tiers, upto) - _climbed(tiers, stood[product])) * factor
                stood[product] = upto
        return amounts

    def units(self, product: str) -> Decimal:
        return sum((used.units for used in self.events.values() if used.product == product), Decimal(0))

    def all_that_is_rated(self) -> Decimal:
        months = {month_of(used.hour) for used in self.events.values()}
        return sum((amount for month in months for amount in self.rated(month).values()), Decimal(0))

    def drafts(self) -> dict[datetime, Decimal]:
        """What is payable on the draft of each open month, late usage included. Says what drafts take of balances."""
        for balance in self.balances:
            balance.pending = Decimal(0)
        payable: dict[datetime, Decimal] = defaultdict(Decimal)
        for late in self._late().values():
            payable[self.open_month] += self._pay(late)
        for month in sorted({month_of(used.hour) for used in self.events.values()} - self.closed.keys()):
            payable[month] += self._pay(self.rated(month))
        return dict(payable)

    def close(self) -> Decimal:
        """The first open month becomes final, with the late usage of those before; what is payable on its document."""
        month, late = self.open_month, self._late()
        for balance in self.balances:
            balance.pending = Decimal(0)
        own = self.rated(month)
        payable = sum((self._pay(amounts) for amounts in [*late.values(), own]), Decimal(0))
        for closed, amounts in late.items():
            for hour, amount in amounts.items():
                billed = self.closed[closed].billed
                billed[hour] = billed.get(hour, Decimal(0)) + amount
        self._post(month, own, has_late_usage=any(late.values()))
        return payable

    def make_anew(self) -> Decimal:
        """The last month's document is void and another made at once, by what is known now; what is payable on it."""
        month, void = self.closed.popitem()
        for balance in self.balances:
            balance.drawn -= void.paid.get(balance.name, Decimal(0))
            balance.pending = Decimal(0)
        if any(self._late().values()):
            self.is_exact = False  # they want the same balances, and stay for the next month's document
        own = self.rated(month)
        payable = self._pay(own)
        self._post(month, own, has_late_usage=False)
        return payable

    def _post(self, month: datetime, own: dict[datetime, Decimal], *, has_late_usage: bool) -> None:
        paid = {balance.name: balance.pending for balance in self.balances}
        for balance in self.balances:
            balance.drawn += balance.pending
            balance.pending = Decimal(0)
        self.closed[month] = Closed(tuple(self.prices), tuple(self.multipliers), own, paid, has_late_usage)

    def _late(self) -> dict[datetime, dict[datetime, Decimal]]:
        """For each final month, by the hour, what is not billed yet."""
        found: dict[datetime, dict[datetime, Decimal]] = {}
        for month, closed in self.closed.items():
            now = self.rated(month)
            more = {
                hour: now.get(hour, Decimal(0)) - closed.billed.get(hour, Decimal(0))
                for hour in now.keys() | closed.billed.keys()
            }
            found[month] = {hour: amount for hour, amount in more.items() if amount}
            if any(amount < 0 for amount in more.values()) and any(each.since <= month for each in self.balances):
                self.is_exact = False
        return found

    def _pay(self, amounts: dict[datetime, Decimal]) -> Decimal:
        """What the balances leave to be paid."""
        payable = Decimal(0)
        for hour, amount in sorted(amounts.items()):
            rest = amount
            for balance in self.balances:
                if rest > 0 and balance.since <= hour < balance.until:
                    taken = min(rest, max(balance.left, Decimal(0)))
                    balance.pending += taken
                    rest -= taken
            payable += rest
        return payable


def _climbed(tiers: tuple[tuple[Decimal | None, Decimal], ...], units: Decimal) -> Decimal:
    """What so many units come to from the bottom of the tiers."""
    amount = Decimal(0)
    for size, price in tiers:
        here = units if size is None else min(units, size)
        amount += here * price
        units -= here
    return amount
