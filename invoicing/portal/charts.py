"""Spend over time: what the chart's script draws, and the words and numbers that say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import amount_text, period_text, short_day_text
from billing_site.foundation.money import Unit, exact_sum, round_to
from billing_site.foundation.periods import DAY, Period
from invoicing.queries.spending import Series, Spending

PRODUCT = "product"
COLOURS = 8  # of the chart: what is spent on further products is shown together


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
    has_totals: bool = True  # whether what is beside each other adds up


def is_spent(spent: Spending) -> bool:
    return any(amount for series in spent.series for amount in series.amounts)


def chart_of(spent: Spending, at: datetime, by: str = PRODUCT) -> Chart:
    """`by` is what the series are told apart by: PRODUCT, or a group key."""
    unit, series = spent.unit, few(spent.series, "products" if by == PRODUCT else f"values of {by}")
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
        title=f"Spend by {'day' if by_day else 'week'} and {by}",
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


def few(series: Sequence[Series], of_what: str) -> tuple[Series, ...]:
    """Those with most in all, in their own order; the rest is one."""
    if len(series) <= COLOURS:
        return tuple(series)
    by_amount = sorted(series, key=lambda each: exact_sum(each.amounts), reverse=True)
    shown, rest = by_amount[: COLOURS - 1], by_amount[COLOURS - 1 :]
    together = tuple(exact_sum(amounts) for amounts in zip(*(each.amounts for each in rest), strict=True))
    return (*(each for each in series if each in shown), Series(f"{len(rest)} further {of_what}", together))


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
