"""Small worlds for the engine's tests: a price list, terms, and usage by the hour as a ledger would sum it up."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from contracts.terms import AccessSegment, ClaimWindow, Commit, Contract, CustomerTerms, ScheduledAmount
from invoicing.engine.documents import Document, Line, Result
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.rounding import RoundedDocument
from invoicing.engine.walk import Finer, answered, compute, plan
from ledger.used import Series, Used, series_of
from pricing.engine.catalog import Catalog, GroupValues, Metric, ProductVersion, Rate, RateCard
from pricing.engine.overrides import Override
from pricing.engine.targets import Target
from pricing.engine.tariffs import Tariff, Tier, flat

D = Decimal

HOUR = timedelta(hours=1)


def uid(name: str) -> UUID:
    return derived_id("world", name)


USD = Unit(uid("USD"), "USD (cents)", 2, 2)
EUR = Unit(uid("EUR"), "EUR", 0, 2)
JPY = Unit(uid("JPY"), "JPY", 0, 0)
KWD = Unit(uid("KWD"), "KWD", 0, 3)
CREDITS = Unit(uid("credits"), "credits", 0, 0)


def on(month: int, day: int, hour: int = 0, year: int = 2025) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


OCTOBER, NOVEMBER, DECEMBER = on(10, 1), on(11, 1), on(12, 1)
LATE_OCTOBER = on(10, 31, 23)
NEW_YEAR = on(1, 1, year=2026)


def product(name: str, **definition: object) -> ProductVersion:
    """A usage product; its metric is its own unless `metric` names another's."""
    metric = definition.pop("metric", name)
    plain = ProductVersion(
        product_id=uid(name),
        type="USAGE",
        name=name,
        starting_at=None,
        publication=1,
        metric_id=uid(f"metric {metric}"),
    )
    return replace(plain, **definition)


def fixed(name: str) -> ProductVersion:
    return ProductVersion(product_id=uid(name), type="FIXED", name=name, starting_at=None, publication=1)


def rate(name: str, price: str, **terms: object) -> Rate:
    plain = Rate(
        id=uid(f"rate {name} {price} {sorted(terms.items(), key=str)}"),
        product_id=uid(name),
        values=(),
        starting_at=on(1, 1, year=2024),
        ending_before=None,
        entitled=True,
        tariff=flat(D(price)),
        unit=USD,
        publication=1,
        published_at=on(1, 1, year=2024),
        published_by="the price team",
    )
    return replace(plain, **terms)


def tiers(*prices: tuple[str, ...], kind: str = "TIERED") -> Tariff:
    """From (price, size, fee) each, the last without a size: `tiers(("10", "100", "5"), ("8",))`."""
    found = []
    for price, *more in prices:
        size, fee = (*more, "", "")[:2]
        found.append(Tier(D(price), D(size) if size else None, D(fee or 0)))
    return Tariff(kind, tiers=tuple(found))


def volume(*prices: tuple[str, ...]) -> Tariff:
    return tiers(*prices, kind="VOLUME")


def package(price: str, size: str) -> Tariff:
    return Tariff("PACKAGE", D(price), package_size=D(size))


def percentage(fraction: str) -> Tariff:
    return Tariff("PERCENTAGE", D(fraction))


def composite(name: str, *of: str, **definition: object) -> ProductVersion:
    """A composite of these products."""
    plain = ProductVersion(
        product_id=uid(name),
        type="COMPOSITE",
        name=name,
        starting_at=None,
        publication=1,
        composite_product_ids=tuple(map(uid, of)),
    )
    return replace(plain, **definition)


def card(*rates: Rate, name: str = "List", fiat: Unit = USD, credits_at: str | None = None) -> RateCard:
    """`credits_at` is what of the card's money a credit is converted to."""
    order = tuple(dict.fromkeys(rate.product_id for rate in rates))
    conversions = {} if credits_at is None else {CREDITS.id: D(credits_at)}
    return RateCard(uid(name), name, fiat, rates, order, conversions)


def override(multiplier: str | None = None, **terms: object) -> Override:
    without = "OVERWRITE" if "tariff" in terms else "TIERED" if "tiers" in terms else ""
    type_ = "MULTIPLIER" if multiplier is not None else without
    plain = Override(
        id=uid(f"override {multiplier} {sorted(terms.items(), key=str)}"),
        type=type_,
        period=Period(on(1, 1, year=2024)),
        targets=(Target(),),
        added_by_edit=1,
        position=0,
        multiplier=None if multiplier is None else D(multiplier),
    )
    return replace(plain, **terms)


def target(name: str) -> Target:
    return Target(product_id=uid(name))


def scheduled(amount: str, issued_at: datetime) -> ScheduledAmount:
    return ScheduledAmount(uid(f"item {amount} {issued_at}"), issued_at, D(amount), D(amount), D(1))


def commit(type_: str, amount: str, start: datetime, end: datetime, **terms: object) -> Commit:
    """A commit with one access segment; give it a `name`, as its ids come from that."""
    name = str(terms.setdefault("name", type_.lower()))
    plain = Commit(
        id=uid(name),
        type=type_,
        contract_id=uid("Acme"),
        product_id=uid("Commitment"),
        name=name,
        priority=D(100),
        unit=USD,
        segments=(segment(name, amount, start, end),),
        invoice_items=(),
        targets=(),
        created_at=on(9, 1),
    )
    return replace(plain, **terms)


def segment(name: str, amount: str, start: datetime, end: datetime) -> AccessSegment:
    return AccessSegment(uid(f"segment {name} {start}"), D(amount), Period(start, end))


def prepaid(amount: str, start: datetime = OCTOBER, end: datetime = NEW_YEAR, **terms: object) -> Commit:
    return commit("PREPAID", amount, start, end, **terms)


def postpaid(amount: str, start: datetime = OCTOBER, end: datetime = NEW_YEAR, **terms: object) -> Commit:
    terms.setdefault("invoice_items", (scheduled(amount, end),))
    return commit("POSTPAID", amount, start, end, **terms)


def credit(amount: str, start: datetime = OCTOBER, end: datetime = NEW_YEAR, **terms: object) -> Commit:
    return commit("CREDIT", amount, start, end, **terms)


def contract(start: datetime = OCTOBER, end: datetime | None = NEW_YEAR, **terms: object) -> Contract:
    name = str(terms.setdefault("name", "Acme"))
    plain = Contract(
        id=uid(name),
        customer_id=uid("customer"),
        name=name,
        term=Period(start, end),
        created_at=on(9, 1),
        rate_card_id=uid("List"),
        frequency="MONTHLY",
        billing_anchor_at=on(1, 1),
        grace_hours=24,
        net_payment_terms_days=None,
        prioritization="LOWEST_MULTIPLIER",
    )
    return replace(plain, **terms)


NOTHING_POSTED = Posted(documents=frozenset(), drawn={}, billed={})


def given(
    at: datetime,
    contracts: Iterable[Contract],
    cards: Iterable[RateCard],
    products: Iterable[ProductVersion],
    *,
    posted: Posted = NOTHING_POSTED,
    claims: Iterable[ClaimWindow] = (),
    commits: Iterable[Commit] = (),
) -> Inputs:
    versions: dict[UUID, list[ProductVersion]] = defaultdict(list)
    for version in (*products, fixed("Commitment")):
        versions[version.product_id].append(version)
    metric_ids = {version.metric_id for found in versions.values() for version in found} - {None}
    return Inputs(
        at=at,
        terms=CustomerTerms(uid("customer"), 1, tuple(contracts), tuple(claims), tuple(commits)),
        catalog=Catalog(
            publication=1,
            metrics={metric_id: Metric(metric_id, "a metric", "SUM") for metric_id in metric_ids},
            products={product_id: tuple(found) for product_id, found in versions.items()},
            rate_cards={card.id: card for card in cards},
        ),
        posted=posted,
    )


@dataclass(frozen=True)
class Event:
    """So much of a metric in the hour that begins at `at`."""

    name: str
    at: datetime
    quantity: Decimal
    values: GroupValues = ()


def used(name: str, at: datetime, quantity: str | int, **values: str | None) -> Event:
    return Event(name, at, D(quantity), tuple(sorted(values.items())))


@dataclass
class Ledger:
    """Sums the events up as the usage ledger does, over slices, and over days and hours when it is asked for them."""

    events: Sequence[Event]
    asked: list[Finer] = field(default_factory=list)

    def usage(self, periods: Sequence[Period]) -> Mapping[Period, Used]:
        starts = [period.starting_at for period in periods]
        found: dict[Period, list[Event]] = {period: [] for period in periods}
        for event in self.events:
            at = bisect_right(starts, event.at) - 1
            if at >= 0 and event.at in periods[at]:
                found[periods[at]].append(event)
        return {period: self._sums(events) for period, events in found.items()}

    def finer(self, asked: Finer) -> Mapping[Period, Used]:
        assert asked not in self.asked, "the same is asked for once"
        self.asked.append(asked)
        return {period: used for period, used in self.usage(asked.parts).items() if used.quantities}

    def _sums(self, events: Iterable[Event]) -> Used:
        sums: dict[Series, Decimal] = defaultdict(Decimal)
        hours: dict[tuple[Series, datetime], Decimal] = defaultdict(Decimal)
        for event in events:
            series = series_of(uid(f"metric {event.name}"), event.values)
            sums[series] += event.quantity
            hours[series, event.at] += event.quantity
        return Used(sums, any(quantity < 0 for quantity in hours.values()))


def computed(inputs: Inputs, events: Iterable[Event] = ()) -> Result:
    """What the shell does: plan, sum, compute, and give days and hours until there is an answer."""
    return computed_from(inputs, Ledger(list(events)))


def computed_from(inputs: Inputs, ledger: Ledger) -> Result:
    planned = plan(inputs)
    return answered(compute(inputs, planned, ledger.usage(planned.slices)), ledger.finer)


def settled(posted: Posted, rounded: RoundedDocument) -> Posted:
    """What is posted once this document is final, too."""
    document, drawn, billed = rounded.document, dict(posted.drawn), dict(posted.billed)
    rolled_over, trued_up = dict(posted.rolled_over), dict(posted.trued_up)
    for entry in rounded.entries:
        if entry.entry.new_contract_id is not None:
            rolled_over[entry.entry.segment_id] = rolled_over.get(entry.entry.segment_id, D(0)) - entry.entry.amount
        elif entry.entry.segment_id is None:
            trued_up[entry.entry.commit_id] = trued_up.get(entry.entry.commit_id, D(0)) - entry.billed
        else:
            drawn[entry.entry.segment_id] = drawn.get(entry.entry.segment_id, D(0)) - entry.entry.amount
            billed[entry.entry.commit_id] = billed.get(entry.entry.commit_id, D(0)) - entry.billed
    documents = posted.documents | {(document.contract_id, document.kind, document.slot)}
    return Posted(documents, drawn, billed, posted.manual, rolled_over, trued_up)


def usage_documents(result: Result) -> list[Document]:
    return [document for document in result.documents if document.kind == "USAGE"]


def the_usage(result: Result) -> Document:
    (document,) = usage_documents(result)
    return document


def read(document: Document) -> list[tuple[str, ...]]:
    """The lines as a customer reads them: name, from, to, quantity, unit price, total, who pays."""
    return [_read(line) for line in document.lines]


def _read(line: Line) -> tuple[str, ...]:
    window = f"{line.period.starting_at:%d %b} - {line.period.ending_before:%d %b}" if line.period else ""
    numbers = [plain(number) for number in (line.quantity, line.unit_price, line.total)]
    payer = line.commit_type if line.counts else f"{line.commit_type}, not added"
    return line.name, window, *numbers, payer


def plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():,f}"
