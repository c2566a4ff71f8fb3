"""What is agreed in a contract, and what its rate card says meanwhile, as rows over time in words."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

from billing_site.foundation.display import exact_text, quantity_text
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period, earliest, parse_instant
from contracts import terms
from contracts.commit_wording import NOUNS
from contracts.models import (
    Commit,
    InvoiceScheduleItem,
    Override,
    RecurringCommit,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.override_wording import multiplied_text
from contracts.queries import (
    AgreedCharge,
    AgreedCommit,
    AgreedRecurring,
    AgreedSubscription,
    Agreement,
    held_quantities,
)
from contracts.queries.compiled import to_recurring
from contracts.recurring_wording import PERIODS
from contracts.term_lines import TermLine
from contracts.wording import filter_text
from invoicing.admin.term_chart import Group, Piece, Row
from invoicing.engine.items import name_with_values
from pricing.engine.catalog import Catalog, ProductVersion, Rate, RateCard, RateKey
from pricing.engine.overrides import added
from pricing.engine.products import name_at, version_in_force
from pricing.engine.targets import Offer, applies
from pricing.engine.timelines import stretches
from pricing.wording import EVERY_TEXTS, charge_text

PRICES = "Prices on the card"
NOT_SOLD = "not part of the deal"


@dataclass(frozen=True, slots=True)
class _Holding:
    """A price over a time, in which what it is of is part of the deal or is not."""

    rate: Rate
    period: Period
    is_entitled: bool = True

    @property
    def reading(self) -> tuple[object, ...]:
        return (self.rate.tariff, self.rate.unit) if self.is_entitled else (None,)

    @property
    def text(self) -> str:
        return charge_text(self.rate.tariff, self.rate.unit) if self.is_entitled else NOT_SOLD


def groups_of(agreed: Agreement, catalog: Catalog, lines: Sequence[TermLine], at: datetime) -> list[Group]:
    """In the order in which they are drawn. `lines` are those of `term_lines`. The catalog has the contract's card,
    unless the contract is archived: then prices are left out."""
    term = Period(agreed.contract.starting_at, agreed.terms.ending_before)
    texts = {line.override_id: line.text for line in lines if line.override_id is not None}
    card_id = agreed.contract.rate_card_id
    card = catalog.rate_cards.get(card_id) if card_id is not None else None
    return [
        Group("Term", (Row("Contract", agreed.terms.name or "The contract", (Piece(term),)),)),
        Group(PRICES, tuple(_prices(agreed, card, catalog, term, at)) if card is not None else ()),
        Group("Overrides", tuple(_with_time(_override(each, term, texts) for each in agreed.overrides))),
        Group("Commits and credits", tuple(map(_commit, agreed.commits))),
        Group("Recurring grants", tuple(_with_time(_recurring(each, term) for each in agreed.recurring))),
        Group("Subscriptions", tuple(_with_time(_subscription(each, term) for each in agreed.subscriptions))),
        Group("Scheduled charges", tuple(map(_charge, agreed.charges))),
        Group("Invoices on dates", tuple(_invoices(agreed))),
        Group("Usage filters", tuple(map(partial(_filter, term), agreed.terms.usage_filters))),
    ]


def _with_time(rows: Iterator[Row]) -> Iterator[Row]:
    """An edit may end a contract before something in it begins."""
    return (row for row in rows if row.pieces)


def _clipped(period: Period, term: Period, told: Callable[[], str]) -> Iterator[Piece]:
    within = period.overlap(term)
    if within is not None:
        yield Piece(within, told)


def _prices(agreed: Agreement, card: RateCard, catalog: Catalog, term: Period, at: datetime) -> Iterator[Row]:
    """Those that change within the term, of what the deal entitles to."""
    deciding = [each.to_override() for each in agreed.overrides if each.entitled is not None]
    for key, rates in card.rates_by_key.items():
        versions = catalog.products[key[0]]
        if not any(_changes_within(rate, term) for rate in rates):
            continue
        of_key = _of_key(deciding, versions, key, at)
        if not (any(rate.entitled for rate in rates) or any(each.entitled for each in of_key)):
            continue
        holdings = list(_together(part for held in _holdings(card, key, term) for part in _parts(held, of_key)))
        if len(holdings) > 1 or (holdings and holdings[0].period != term):
            pieces = (Piece(each.period, partial(getattr, each, "text")) for each in holdings)
            yield Row("Price", _price_name(versions, key, at), tuple(pieces))


def _of_key(
    deciding: Sequence[terms.Override], versions: Sequence[ProductVersion], key: RateKey, at: datetime
) -> list[terms.Override]:
    """Those that say of a key whether it is part of the deal."""
    product_id, values, frequency = key
    version = version_in_force(versions, at)
    offer = Offer(product_id, version.tags if version else (), values, (), frequency)
    return [each for each in deciding if applies(each.targets, offer)]


def _parts(held: _Holding, deciding: Sequence[terms.Override]) -> Iterator[_Holding]:
    """A price cut where the deal begins or ends to say whether it is part of it; the override added last decides."""
    bounds = chain.from_iterable((each.period.starting_at, each.period.ending_before) for each in deciding)
    cuts = [held.period.starting_at, *sorted({each for each in bounds if each is not None and _is_inside(each, held)})]
    for start, end in zip(cuts, [*cuts[1:], held.period.ending_before], strict=True):
        then = [each for each in deciding if start in each.period]
        is_entitled = max(then, key=added).entitled if then else held.rate.entitled
        yield _Holding(held.rate, Period(start, end), bool(is_entitled))


def _is_inside(instant: datetime, held: _Holding) -> bool:
    return instant in held.period and instant != held.period.starting_at


def _changes_within(rate: Rate, term: Period) -> bool:
    """Whether it begins or ends after the contract has begun; most prices of a long card do not."""
    start, end = term.starting_at, rate.ending_before
    return rate.starting_at > start or (end is not None and end > start)


def _holdings(card: RateCard, key: RateKey, term: Period) -> Iterator[_Holding]:
    """The prices of a key within the term."""
    for rate, start, end in stretches(card.over_time(key)):
        within = Period(start, end).overlap(term)
        if within is not None:
            yield _Holding(rate, within)


def _together(holdings: Iterable[_Holding]) -> Iterator[_Holding]:
    """What reads the same twice in a row is one."""
    last: _Holding | None = None
    for holding in holdings:
        if (
            last is not None
            and last.period.ending_before == holding.period.starting_at
            and last.reading == holding.reading
        ):
            whole = Period(last.period.starting_at, holding.period.ending_before)
            last = _Holding(last.rate, whole, last.is_entitled)
            continue
        if last is not None:
            yield last
        last = holding
    if last is not None:
        yield last


def _price_name(versions: Sequence[ProductVersion], key: RateKey, at: datetime) -> str:
    _, values, frequency = key
    name = name_with_values(name_at(versions, at), values)
    return f"{name}, billed {EVERY_TEXTS[frequency]}" if frequency else name


def _override(override: Override, term: Period, texts: Mapping[UUID, str]) -> Row:
    period = Period(override.starting_at, override.ending_before)
    text = texts[override.pk]
    return Row("Override", text, tuple(_clipped(period, term, partial(_override_amount, override))))


def _override_amount(override: Override) -> str:
    tariff = override.to_tariff()
    if override.type == Override.Type.MULTIPLIER:
        return multiplied_text(override)
    if override.type == Override.Type.TIERED:
        return "by quantity"
    if tariff is not None and override.unit is not None:
        return charge_text(tariff, override.unit.to_unit())
    return "part of the deal" if override.entitled else NOT_SOLD


def _commit(committed: AgreedCommit) -> Row:
    commit = committed.commit
    segments = sorted(committed.segments, key=lambda each: each.starting_at)
    gate, state = committed.gate, ""
    if gate is not None and gate.is_waiting:
        state = ", waits for its payment"
    elif gate is not None and gate.has_failed:
        state = ", never usable: its payment failed"
    pieces = (Piece(each.period, partial(_access, each.amount, commit.held_in, state)) for each in segments)
    return Row(NOUNS[commit.type], commit.name or str(commit.product), tuple(pieces))


def _access(amount: Decimal, held_in: Unit, state: str) -> str:
    return f"{exact_text(amount, held_in)}{state}"


def _recurring(recurring: AgreedRecurring, term: Period) -> Row:
    """As it was agreed until an edit took over, and since."""
    now = recurring.now
    pieces: list[Piece] = []
    for each in to_recurring(recurring):
        start = max(each.period.starting_at, each.holds_after or each.period.starting_at)
        end = earliest(each.period.ending_before, each.holds_until)
        if end is not None and end <= start:
            continue
        pieces += _clipped(Period(start, end), term, partial(_grant_text, each, now))
    return Row("Recurring credit" if now.is_credit else "Recurring commit", now.name or str(now.product), tuple(pieces))


def _grant_text(granted: terms.RecurringCommit, row: RecurringCommit) -> str:
    """ "$5.00 for each of Seats each month"; the row needs what it is subscribed to."""
    amount = exact_text(granted.access_amount, row.held_in)
    whose = f" for each of {row.subscription.product}" if row.subscription is not None else ""
    return f"{amount}{whose} each {PERIODS[granted.frequency or '']}"


def _subscription(subscribed: AgreedSubscription, term: Period) -> Row:
    held = held_quantities(subscribed, subscribed.terms.ending_before)
    pieces = chain.from_iterable(
        _clipped(each.period, term, partial(quantity_text, each.row.quantity)) for each in held
    )
    return Row("Subscription", subscribed.terms.name or str(subscribed.subscription.product), tuple(pieces))


def _charge(charged: AgreedCharge) -> Row:
    charge, items = charged.charge, sorted(charged.items, key=lambda each: each.issued_at)
    pieces = (Piece(each.issued_at, partial(_item_text, each, charge)) for each in items)
    return Row(
        "Discount" if charge.is_discount else "Scheduled charge", charge.name or str(charge.product), tuple(pieces)
    )


def _item_text(item: ScheduledChargeItem, charge: ScheduledCharge) -> str:
    amount = exact_text(item.amount, charge.unit.to_unit())
    return f"{amount} off" if charge.is_discount else amount


def _invoices(agreed: Agreement) -> Iterator[Row]:
    """Of commits, and of the work of people."""
    for committed in agreed.commits:
        commit, items = committed.commit, sorted(committed.invoice_items, key=lambda each: each.issued_at)
        if items:
            pieces = (Piece(each.issued_at, partial(_billed_text, each, commit)) for each in items)
            is_true_up = commit.type == Commit.Type.POSTPAID
            yield Row("True-up" if is_true_up else "Invoice", commit.name or str(commit.product), tuple(pieces))
    for invoice, lines in agreed.services.invoices:
        unit = lines[0].service.unit.to_unit()
        amount = exact_text(exact_sum([line.amount for line in lines]), unit)
        yield Row("Invoice", "Professional services", (Piece(invoice.issued_at, partial(str, amount)),))


def _billed_text(item: InvoiceScheduleItem, commit: Commit) -> str:
    amount = exact_text(item.amount, (commit.invoice_unit or commit.unit).to_unit())
    return f"up to {amount}" if commit.type == Commit.Type.POSTPAID else amount


def _filter(term: Period, told: Mapping[str, Any]) -> Row:
    start = max(parse_instant(told["starting_at"]), term.starting_at)
    return Row("Usage filter", filter_text(told), (Piece(Period(start, term.ending_before)),))
