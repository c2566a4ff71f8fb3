"""The customer's page in finished words: what templates and the chart's script show without adding anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.display import (
    about_text,
    amount_text,
    day_text,
    exact_text,
    instant_text,
    month_name_text,
    month_text,
    near_day_text,
    period_text,
    quantity_text,
    short_day_text,
)
from billing_site.foundation.money import Unit, exact_sum, round_to
from billing_site.foundation.periods import DAY, Period, add_months, floor_day
from contracts.wording import tiers_text
from invoicing.engine.calendar import TRUE_UP, USAGE
from invoicing.queries.account import Account, Charge, FinalDocument, OpenPeriod
from invoicing.queries.commitments import DAYS_OF_PACE, Commitment, Pace
from invoicing.queries.prices_to_come import PriceToCome
from invoicing.queries.spending import PriceSpan, ProductSpend, Series, Spending
from pricing.engine.overrides import MultiplierTier
from pricing.engine.prices import Price
from pricing.engine.tariffs import PERCENTAGE
from pricing.wording import percent_text as fraction_text
from pricing.wording import tariff_text

COLOURS = 8  # of the chart: what is spent on further products is shown together
PRICES_SHOWN = 30
ARROW = "→"


@dataclass(frozen=True, slots=True)
class Headline:
    title: str
    contract: str
    amount: str
    final: str
    saved: str
    warning: str


@dataclass(frozen=True, slots=True)
class Row:
    """One product. `quantity_parts` and `amount_parts` say what was sold at each price, where there are several."""

    name: str
    prices: str
    quantity: str
    quantity_parts: str
    amount: str
    amount_parts: str


@dataclass(frozen=True, slots=True)
class Table:
    document_id: UUID
    title: str
    contract: str
    rows: tuple[Row, ...]
    total: str


@dataclass(frozen=True, slots=True)
class DayRow:
    day: str
    amounts: tuple[str, ...]
    total: str
    list_total: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`data` is for the script, as JSON; `summary` and the table say the same in words and numbers."""

    title: str
    summary: str
    data: dict[str, Any]
    products: tuple[str, ...]
    days: tuple[DayRow, ...]
    has_list: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A commitment or a balance. Percentages are of the whole, as SVG takes them."""

    title: str
    term: str
    standing: str
    used_percent: str
    reached_percent: str
    outlook: str
    how: str


@dataclass(frozen=True, slots=True)
class PriceRow:
    name: str
    change: str
    unit_name: str
    when: str


@dataclass(frozen=True, slots=True)
class ChargeRow:
    name: str
    when: str
    amount: str


@dataclass(frozen=True, slots=True)
class DocumentRow:
    id: UUID
    number: str
    about: str
    issued: str
    total: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Page:
    customer_id: UUID
    customer_name: str
    version: str
    notes: tuple[str, ...]
    headlines: tuple[Headline, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    bars: tuple[Bar, ...]
    prices: tuple[PriceRow, ...]
    more_prices: str
    charges: tuple[ChargeRow, ...]
    documents: tuple[DocumentRow, ...]
    older_documents: int
    no_spend: str
    no_documents: str

    @property
    def spend_title(self) -> str:
        return self.charts[0].title if self.charts else "Spend by day and product"

    @property
    def chart_data(self) -> list[dict[str, Any]]:
        return [chart.data for chart in self.charts]


def page_of(account: Account) -> Page:
    several = len(account.contracts) > 1
    to_come = [_price_row(change, several) for change in account.prices_to_come]
    charts = tuple(_chart(spent, account.at) for spent in account.spending if _is_spent(spent))
    return Page(
        customer_id=account.customer_id,
        customer_name=account.customer_name,
        version=account.version,
        notes=tuple(_notes(account)),
        headlines=tuple(_headline(period, account.at, several) for period in account.periods),
        charts=charts,
        tables=tuple(_table(period, account.at, several) for period in account.periods if period.products),
        bars=tuple(_bar(each, account.at) for each in account.commitments),
        prices=tuple(to_come[:PRICES_SHOWN]),
        more_prices=f"and {len(to_come) - PRICES_SHOWN} more" if len(to_come) > PRICES_SHOWN else "",
        charges=tuple(_charge_row(charge) for charge in account.charges),
        documents=tuple(_document_row(final) for final in account.documents),
        older_documents=account.document_count - len(account.documents),
        no_spend="" if charts or not account.periods else _no_spend(account),
        no_documents="" if account.documents else _no_documents(account),
    )


def _notes(account: Account) -> Iterator[str]:
    """What to expect where there is nothing to show yet."""
    if not account.contracts:
        yield "There is no contract yet. Once it is agreed, what you use appears here within two seconds."
        return
    for contract in account.contracts:
        if contract.term.starting_at > account.at:
            yield f"{contract.name or 'Your contract'} begins on {day_text(contract.term.starting_at)}."
    ends = [contract.term.ending_before for contract in account.contracts]
    if all(end is not None and end <= account.at for end in ends):
        last = max(end for end in ends if end is not None)
        yield f"Your last contract ended on {_last_day(last)}. Usage after that is not billed until there is a new one."


def _no_spend(account: Account) -> str:
    if any(account.at in period.period for period in account.periods):
        return "Nothing has been used in this period yet. Usage appears here within two seconds of arriving."
    return "Nothing was used in this period."


def _no_documents(account: Account) -> str:
    dates = [period.finalizes_at for period in account.periods]
    return f"No invoices yet. The first one follows on {instant_text(min(dates))}." if dates else "No invoices yet."


def _headline(open_: OpenPeriod, at: datetime, several: bool) -> Headline:
    saved = ""
    if open_.saving is not None:
        since = near_day_text(open_.saving.since, at)
        saved = f"{amount_text(open_.saving.amount, open_.unit)} saved since {since}"
    is_due = open_.finalizes_at <= at
    return Headline(
        title=_period_title(open_.period, at),
        contract=open_.contract.name if several else "",
        amount=amount_text(open_.total, open_.unit),
        final="about to be made final" if is_due else f"final on {instant_text(open_.finalizes_at)}",
        saved=saved,
        warning=""
        if open_.is_complete
        else "Some usage could not be priced yet and is not in this amount. It will be settled before the invoice.",
    )


def _period_title(period: Period, at: datetime) -> str:
    """ "October so far", "October 2025" once it is over, "15–31 October 2025 so far" where it is no whole month."""
    if at not in period:
        return month_text(period.starting_at) if _is_month(period) else period_text(period)
    if not _is_month(period):
        return f"{period_text(period)} so far"
    name = month_name_text if period.starting_at.year == at.year else month_text
    return f"{name(period.starting_at)} so far"


def _is_month(period: Period) -> bool:
    start = period.starting_at
    return start == floor_day(start) and start.day == 1 and period.ending_before == add_months(start, 1)


def _table(open_: OpenPeriod, at: datetime, several: bool) -> Table:
    return Table(
        document_id=open_.document_id,
        title=_period_title(open_.period, at),
        contract=open_.contract.name if several else "",
        rows=tuple(map(_row, open_.products)),
        total=amount_text(open_.total, open_.unit),
    )


def _row(product: ProductSpend) -> Row:
    several, unit = len(product.spans) > 1, product.unit
    return Row(
        name=product.name,
        prices=_prices(product),
        quantity="" if product.quantity is None else _quantity(product, product.quantity),
        quantity_parts=" + ".join(_quantity(product, span.quantity) for span in product.spans) if several else "",
        amount=amount_text(product.amount, unit),
        amount_parts=" + ".join(amount_text(span.amount, unit) for span in product.spans) if several else "",
    )


def _quantity(product: ProductSpend, quantity: Decimal) -> str:
    return amount_text(quantity, product.unit) if product.is_share else quantity_text(quantity)


def _prices(product: ProductSpend) -> str:
    """ "$40.00 until 14 October, $20.00 since · per million tokens"; where tiers or packages were sold at once, each
    price with its quantity: "$10.00 for 100, $8.00 for 30"."""
    per = f"per {product.unit_name}" if product.unit_name else ""
    texts = [_price(product, span) for span in product.spans]
    if len(texts) < 2:
        return " ".join([*texts, per]).strip()
    if any(span.tier is not None for span in product.spans):
        pairs = zip(texts, product.spans, strict=True)
        shown = ", ".join(f"{text} for {_quantity(product, span.quantity)}" for text, span in pairs)
    else:
        ends = [later.period.starting_at for later in product.spans[1:]]
        until = [f"{text} until {_last_day(end, end)}" for text, end in zip(texts, ends, strict=False)]
        shown = ", ".join([*until, f"{texts[-1]} since"])
    return f"{shown} · {per}" if per else shown


def _price(product: ProductSpend, span: PriceSpan) -> str:
    if product.is_share:
        return fraction_text(span.unit_price)
    if span.package_size is not None:
        return f"{exact_text(span.unit_price, product.unit)} a package of {quantity_text(span.package_size)}"
    return exact_text(span.unit_price, product.unit)


def _last_day(end: datetime, near: datetime | None = None) -> str:
    """The last day before `end` where that is a midnight, else the instant itself."""
    last = end - DAY if end == floor_day(end) else end
    return day_text(last) if near is None else near_day_text(last, near)


def _is_spent(spent: Spending) -> bool:
    return any(amount for series in spent.series for amount in series.amounts)


def _chart(spent: Spending, at: datetime) -> Chart:
    unit, series = spent.unit, _few(spent.series)
    totals = [exact_sum(amounts) for amounts in zip(*(each.amounts for each in series), strict=True)]
    has_list = any(
        _minor(listed, unit) != _minor(total, unit) for listed, total in zip(spent.list_amounts, totals, strict=True)
    )
    by_day = all(window.ending_before == window.starting_at + DAY for window in spent.windows)
    summary = _summary(spent, series, totals, has_list)
    days = [period_text(window) for window in spent.windows]
    texts = [[amount_text(amount, unit) for amount in each.amounts] for each in series]
    total_texts = [amount_text(total, unit) for total in totals]
    list_texts = [amount_text(amount, unit) for amount in spent.list_amounts] if has_list else total_texts
    data = {
        "summary": summary,
        "unit": {"code": unit.code, "name": unit.name},
        "labels": [short_day_text(window.starting_at) for window in spent.windows],
        "titles": days,
        "series": [
            {"name": each.name, "values": [_major(amount, unit) for amount in each.amounts], "texts": of_each}
            for each, of_each in zip(series, texts, strict=True)
        ],
        "totals": total_texts,
        "list": {
            "values": [
                _major(amount, unit) if amount or window.starting_at <= at else None  # days to come have no line yet
                for window, amount in zip(spent.windows, spent.list_amounts, strict=True)
            ],
            "texts": list_texts,
        }
        if has_list
        else None,
    }
    return Chart(
        title="Spend by day and product" if by_day else "Spend by week and product",
        summary=summary,
        data=data,
        products=tuple(each.name for each in series),
        days=tuple(
            DayRow(day, tuple(of_each[index] for of_each in texts), total_texts[index], list_texts[index])
            for index, day in enumerate(days)
            if totals[index] or spent.list_amounts[index]
        ),
        has_list=has_list,
    )


def _few(series: Sequence[Series]) -> tuple[Series, ...]:
    """The products on which most is spent, in their own order; the rest is one."""
    if len(series) <= COLOURS:
        return tuple(series)
    by_amount = sorted(series, key=lambda each: exact_sum(each.amounts), reverse=True)
    shown, rest = by_amount[: COLOURS - 1], by_amount[COLOURS - 1 :]
    together = tuple(exact_sum(amounts) for amounts in zip(*(each.amounts for each in rest), strict=True))
    return (*(each for each in series if each in shown), Series(f"{len(rest)} further products", together))


def _summary(spent: Spending, series: Sequence[Series], totals: Sequence[Decimal], has_list: bool) -> str:
    unit = spent.unit
    highest = max(range(len(totals)), key=lambda index: totals[index])
    most = max(series, key=lambda each: exact_sum(each.amounts))
    listed = f", {amount_text(exact_sum(spent.list_amounts), unit)} at list prices" if has_list else ""
    whole = Period(spent.windows[0].starting_at, spent.windows[-1].ending_before)
    return (
        f"{period_text(whole)}: {amount_text(exact_sum(totals), unit)} in all{listed}. "
        f"The most on {period_text(spent.windows[highest])}, {amount_text(totals[highest], unit)}; "
        f"the most for {most.name}, {amount_text(exact_sum(most.amounts), unit)}."
    )


def _minor(amount: Decimal, unit: Unit) -> Decimal:
    return round_to(amount, unit.minor_step)


def _major(amount: Decimal, unit: Unit) -> str:
    """In the major unit, to the minor unit, for a script that draws."""
    return format(_minor(amount, unit).scaleb(-unit.wire_exponent), "f")


def _bar(held: Commitment, at: datetime) -> Bar:
    unit, whole = held.commit.held_in, held.amount
    standing = f"{amount_text(held.used, unit)} of {amount_text(whole, unit)}, {amount_text(held.left, unit)} left"
    reached = held.pace.reached if held.pace is not None else held.used
    return Bar(
        title=held.commit.name or ("Commitment" if held.due is not None else "Balance"),
        term=period_text(held.period),
        standing=standing,
        used_percent=percent_text(held.used, whole),
        reached_percent=percent_text(reached, whole),
        outlook=_outlook(held, at),
        how=_how(held.pace, held, at) if held.pace is not None and held.due else "",
    )


def percent_text(part: Decimal, whole: Decimal) -> str:
    return (
        format(round_to(min(max(part / whole, Decimal(0)), Decimal(1)) * 100, Decimal("0.01")), "f") if whole else "0"
    )


def _outlook(held: Commitment, at: datetime) -> str:
    """What it will come to, in words: what is due if nothing more is used, and what is due at the present pace."""
    unit, pace, end = held.commit.unit, held.pace, held.period.ending_before
    if held.commit.pays and end is not None:
        return f"What you have not used by {day_text(end)} expires."
    if held.due is None or held.due_at is None or end is None:
        return ""
    due_on = day_text(held.due_at)
    if held.due == 0:
        return f"You have met this commitment: nothing more is due for it on {due_on}."
    due = amount_text(held.due, unit)
    if end <= at:
        return f"The commitment ended on {_last_day(end)}. {due} is due on {due_on}."
    nothing_more = f"If you used nothing more, {due} would be due on {due_on}"
    if held.period.starting_at > at:
        return f"It counts from {day_text(held.period.starting_at)}. {nothing_more}."
    if pace is None:
        return f"{nothing_more}. Your pace is shown once a day has passed."
    if pace.counted <= 0:
        return f"{nothing_more}. Nothing has counted toward it {_lately(pace)}."
    at_your_pace = f"at your pace {_of_lately(pace, at)}"
    if pace.used_up_at is not None:
        used_up = near_day_text(floor_day(pace.used_up_at), at)
        return f"{nothing_more}; {at_your_pace} you will have used all of it by about {used_up}, and owe nothing more."
    return (
        f"{nothing_more}; {at_your_pace} you will reach about {about_text(pace.reached, unit)}"
        f" by {_last_day(end, at)}, so about {about_text(pace.due, unit)} would be due."
    )


def _how(pace: Pace, held: Commitment, at: datetime) -> str:
    start, end = pace.window.starting_at, pace.window.ending_before
    assert end is not None
    assert held.period.ending_before is not None
    return (
        f"The pace: {amount_text(pace.counted, held.commit.unit)} counted toward the commitment from"
        f" {near_day_text(start, at)} to {near_day_text(end, at)}; as much a day is carried on"
        f" to {_last_day(held.period.ending_before, at)}."
    )


def _lasted_full(pace: Pace) -> bool:
    assert pace.window.ending_before is not None
    return pace.window.ending_before - pace.window.starting_at == DAYS_OF_PACE * DAY


def _of_lately(pace: Pace, at: datetime) -> str:
    if _lasted_full(pace):
        return f"of the last {DAYS_OF_PACE} days"
    return f"since {near_day_text(pace.window.starting_at, at)}"


def _lately(pace: Pace) -> str:
    return f"in the last {DAYS_OF_PACE} days" if _lasted_full(pace) else "yet"


def _price_row(change: PriceToCome, several: bool) -> PriceRow:
    after = _price_in_words(change.after)
    return PriceRow(
        name=f"{change.name} ({change.contract.name})" if several and change.contract.name else change.name,
        change=f"new, {after}" if change.before is None else f"{_price_in_words(change.before)} {ARROW} {after}",
        unit_name=change.unit_name,
        when=f"from {day_text(change.at)}",
    )


def _price_in_words(price: Price) -> str:
    """ "$40.00"; with tiers or packages, in a few words; with multiples that no one tariff says, both."""
    if price.unit_price is not None and price.tariff.type != PERCENTAGE:
        return exact_text(price.unit_price, price.unit)
    if price.as_tariff is not None:
        return tariff_text(price.as_tariff, price.unit)
    return f"{tariff_text(price.tariff, price.unit)}: {tiers_text(list(map(_stored, price.multiples)))}"


def _stored(multiple: MultiplierTier) -> dict[str, str]:
    size = {} if multiple.size is None else {"size": str(multiple.size)}
    return {"multiplier": str(multiple.multiplier), **size}


def _charge_row(charge: Charge) -> ChargeRow:
    return ChargeRow(charge.name, day_text(charge.issued_at), amount_text(charge.amount, charge.unit))


def _document_row(final: FinalDocument) -> DocumentRow:
    document = final.document
    about = {USAGE: "Usage", TRUE_UP: "True-up"}.get(document.kind, "Scheduled charges")
    if document.period is not None:
        month = month_text if _is_month(document.period) else None
        about = f"{about}, {month(document.period.starting_at) if month else period_text(document.period)}"
    return DocumentRow(
        id=document.id,
        number=document.number or "",
        about=about,
        issued=day_text(document.issued_at),
        total=amount_text(document.total, final.unit),
        rows=tuple(map(_row, final.products)),
    )
