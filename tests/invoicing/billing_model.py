"""What a customer owes and has left, told a second time: from the events, by the hour, with nothing of the engine.

The world is small on purpose. One contract without an end, months of October 2025 and on; products at a flat price or
in two tiers; multipliers, of which the lowest holds; balances that pay for everything, in the order they were granted.

    an hour's amount      for each product: units, from where the month stood, at the tier's price, times the multiplier
    who pays it           the balances that hold at the hour, in order, as long as there is something left; then money
    a month that is final keeps the prices and multipliers known when it was closed
    late usage of it      what its events come to at those prices, less what was billed: paid like usage of then, before
                          any open month
    a note on it          what the events that were billed come to at the prices and multipliers of now, where each is
                          paid by whoever has paid for it, as far as that balance goes; less what was billed. From then
                          on the month keeps those prices and multipliers

A balance of 100 has paid for 10 calls at 10 in October, and 5 more were paid in money; now a call costs

    8     the balance gets 20 back, and 10 are given back in money
    12    it has nothing left: it still pays 100 for its 10 calls, and 20 + 10 more are to be paid

Who is given back what in a month that several paid for may depend on how it was cut into lines, which this model does
not know: from then on (`is_exact`) it only says what money and balances come to together.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

FIRST_MONTH = datetime.fromisoformat("2025-10-01T00:00:00+00:00")
NOTHING = Decimal("1e-15")  # what shares of an amount may lack of it


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


# Who pays an amount: by the hour, what each balance takes, by its name; and under None what is to be paid in money.
Shares = dict[datetime, dict[str | None, Decimal]]


@dataclass
class Closed:
    """A final month: what was known, and by the hour whose the usage is that was billed on all final documents."""

    prices: tuple[Price, ...]
    multipliers: tuple[Multiplier, ...]
    seen: tuple[Used, ...]  # what was billed
    shares: Shares  # what each payer's usage comes to; where a balance did not go so far, the rest was paid in money
    drawn: dict[str, Decimal]  # by all documents on each balance
    has_late_usage: bool  # of earlier months, on its own document
    is_adjusted: bool = False  # by late usage
    notes: int = 0

    @property
    def billed(self) -> dict[datetime, Decimal]:
        return {hour: sum(shares.values(), Decimal(0)) for hour, shares in self.shares.items()}

    def add(self, shares: Shares) -> None:
        for hour, more in shares.items():
            here = self.shares.setdefault(hour, {})
            for payer, amount in more.items():
                here[payer] = here.get(payer, Decimal(0)) + amount
                if payer is not None:
                    self.drawn[payer] = self.drawn.get(payer, Decimal(0)) + amount

    def payers(self) -> set[str | None]:
        return {payer for shares in self.shares.values() for payer, amount in shares.items() if amount}


@dataclass(frozen=True)
class NoteOn:
    """What a final month is by now: whose its usage is, what each balance pays more, and what is to be paid more."""

    shares: Shares
    drawn: dict[str, Decimal]
    payable: Decimal

    @property
    def is_anything(self) -> bool:
        return any(abs(amount) > NOTHING for amount in (self.payable, *self.drawn.values()))


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
        return _rated(self._used_in(month), prices, multipliers)

    def units(self, product: str) -> Decimal:
        return sum((used.units for used in self.events.values() if used.product == product), Decimal(0))

    def all_that_is_rated(self) -> Decimal:
        months = {month_of(used.hour) for used in self.events.values()}
        return sum((amount for month in months for amount in self.rated(month).values()), Decimal(0))

    def drafts(self) -> dict[datetime, Decimal]:
        """What is payable on the draft of each open month, late usage included. Says what drafts take of balances."""
        self._forget_drafts()
        payable: dict[datetime, Decimal] = defaultdict(Decimal)
        for late in self._late().values():
            payable[self.open_month] += _payable(self._pay(late))
        for month in sorted({month_of(used.hour) for used in self.events.values()} - self.closed.keys()):
            payable[month] += _payable(self._pay(self.rated(month)))
        return dict(payable)

    def close(self) -> Decimal:
        """The first open month becomes final, with the late usage of those before; what is payable on its document."""
        month, late = self.open_month, self._late()
        self._forget_drafts()
        payable = Decimal(0)
        for closed, amounts in late.items():
            shares = self._pay(amounts)
            payable += _payable(shares)
            self.closed[closed].add(shares)
            self.closed[closed].seen = self._used_in(closed)
            self.closed[closed].is_adjusted |= bool(amounts)
        own = self._pay(self.rated(month))
        for balance in self.balances:
            balance.drawn += balance.pending
            balance.pending = Decimal(0)
        self.closed[month] = Closed(
            tuple(self.prices), tuple(self.multipliers), self._used_in(month), {}, {}, any(late.values())
        )
        self.closed[month].add(own)
        return payable + _payable(own)

    def make_anew(self) -> Decimal:
        """The last month's document is void and another made at once, by what is known now; what is payable on it."""
        _, void = self.closed.popitem()
        for balance in self.balances:
            balance.drawn -= void.drawn.get(balance.name, Decimal(0))
        return self.close()

    def note_on(self, month: datetime) -> NoteOn:
        """What the usage that was billed for a final month is by the prices and multipliers of now."""
        closed = self.closed[month]
        now = _rated(closed.seen, tuple(self.prices), tuple(self.multipliers))
        if _differences(now, closed.billed) and not self._says_who_holds_what(closed):
            self.is_exact = False
        shares: Shares = {}
        for hour, amount in now.items():
            was = closed.shares.get(hour, {})
            before = sum(was.values(), Decimal(0))
            shares[hour] = (
                {payer: amount * share / before for payer, share in was.items()} if before else {None: amount}
            )
        drawn = {}
        for balance in self.balances:
            wanted = sum((each.get(balance.name, Decimal(0)) for each in shares.values()), Decimal(0))
            has_paid = closed.drawn.get(balance.name, Decimal(0))
            left = balance.granted + balance.manual - balance.drawn
            drawn[balance.name] = min(wanted, max(left + has_paid, Decimal(0))) - has_paid
        more = sum(now.values(), Decimal(0)) - sum(closed.billed.values(), Decimal(0))
        return NoteOn(shares, drawn, more - sum(drawn.values(), Decimal(0)))

    def approve_note(self, month: datetime) -> NoteOn:
        """The month is what it is by now, from then on."""
        note, closed = self.note_on(month), self.closed[month]
        for balance in self.balances:
            balance.drawn += note.drawn[balance.name]
            closed.drawn[balance.name] = closed.drawn.get(balance.name, Decimal(0)) + note.drawn[balance.name]
        closed.prices, closed.multipliers = tuple(self.prices), tuple(self.multipliers)
        closed.shares, closed.notes = note.shares, closed.notes + 1
        return note

    def _says_who_holds_what(self, closed: Closed) -> bool:
        """Whether the shares of hours tell whose each unit is: one payer has all, or they followed one another, and
        shared no hour but one of one product at one price."""
        if len(closed.payers()) < 2:
            return True
        products = {
            hour: {used.product for used in closed.seen if used.hour == hour}
            for hour, shares in closed.shares.items()
            if sum(1 for amount in shares.values() if amount) > 1
        }
        flat = {price.product for price in closed.prices if len(price.tiers) == 1}
        return not closed.is_adjusted and all(len(each) == 1 and each <= flat for each in products.values())

    def _used_in(self, month: datetime) -> tuple[Used, ...]:
        return tuple(used for used in self.events.values() if month_of(used.hour) == month)

    def _forget_drafts(self) -> None:
        for balance in self.balances:
            balance.pending = Decimal(0)

    def _late(self) -> dict[datetime, dict[datetime, Decimal]]:
        """For each final month, by the hour, what is not billed yet."""
        found: dict[datetime, dict[datetime, Decimal]] = {}
        for month, closed in self.closed.items():
            found[month] = _differences(self.rated(month), closed.billed)
            is_less = any(amount < 0 for amount in found[month].values())
            if is_less and any(each.since <= month for each in self.balances):
                self.is_exact = False
        return found

    def _pay(self, amounts: dict[datetime, Decimal]) -> Shares:
        """Who pays: the balances as far as they go, then money."""
        shares: Shares = {}
        for hour, amount in sorted(amounts.items()):
            rest, shares[hour] = amount, {}
            for balance in self.balances:
                if rest > 0 and balance.since <= hour < balance.until:
                    taken = min(rest, max(balance.left, Decimal(0)))
                    balance.pending += taken
                    shares[hour][balance.name] = taken
                    rest -= taken
            shares[hour][None] = rest
        return shares


def _differences(now: dict[datetime, Decimal], before: dict[datetime, Decimal]) -> dict[datetime, Decimal]:
    more = {hour: now.get(hour, Decimal(0)) - before.get(hour, Decimal(0)) for hour in now.keys() | before.keys()}
    return {hour: amount for hour, amount in more.items() if abs(amount) > NOTHING}


def _payable(shares: Shares) -> Decimal:
    return sum((each[None] for each in shares.values()), Decimal(0))


def _rated(
    used: tuple[Used, ...], prices: tuple[Price, ...], multipliers: tuple[Multiplier, ...]
) -> dict[datetime, Decimal]:
    """What a month's events come to, by the hour."""
    hours: dict[datetime, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for each in used:
        hours[each.hour][each.product] += each.units
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


def _climbed(tiers: tuple[tuple[Decimal | None, Decimal], ...], units: Decimal) -> Decimal:
    """What so many units come to from the bottom of the tiers."""
    amount = Decimal(0)
    for size, price in tiers:
        here = units if size is None else min(units, size)
        amount += here * price
        units -= here
    return amount
