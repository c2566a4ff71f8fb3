"""Usage of one metric over time: what the chart's script draws, and the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing_site.foundation.display import instant_text, period_text, plain_text, quantity_text, short_day_text
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import DAY, Period
from invoicing.embedding import KeyName
from invoicing.portal.charts import COLOURS, Chart, DayRow, few
from invoicing.queries.spending import Series
from ledger.queries.tables import GroupRow
from pricing.models import BillableMetric

ADDITIVE = ("COUNT", "SUM", "WEIGHTED_SUM")  # whose values by window and by group add up


@dataclass(frozen=True, slots=True)
class Measured:
    """`chart` is None where nothing was used. `left_out` says what is in the file alone."""

    chart: Chart | None
    left_out: str


def measured(metric: BillableMetric, rows: Sequence[GroupRow], names: Sequence[str], title: str) -> Measured:
    """`names` say what each of the rows' groups is called, row by row."""
    windows = list(dict.fromkeys(row.window for row in rows))
    by_name: dict[str, dict[Period, Decimal]] = {}
    for row, name in zip(rows, names, strict=True):
        by_name.setdefault(name, {})[row.window] = row.value
    series = [Series(name, tuple(found.get(each, Decimal(0)) for each in windows)) for name, found in by_name.items()]
    if not any(amount for each in series for amount in each.amounts):
        return Measured(None, "")
    adds_up = metric.aggregation_type in ADDITIVE
    shown, left_out = tuple(series), ""
    if adds_up:
        shown = few(series, "values")
    elif len(series) > COLOURS:
        shown = tuple(sorted(series, key=lambda each: max(each.amounts), reverse=True)[:COLOURS])
        left_out = f"Shown are the {COLOURS} highest of {len(series)}; all of them are in the CSV file."
    return Measured(_chart(shown, windows, title, adds_up), left_out)


def _chart(series: Sequence[Series], windows: Sequence[Period], title: str, adds_up: bool) -> Chart:
    totals = [exact_sum(values) for values in zip(*(each.amounts for each in series), strict=True)]
    texts = [[quantity_text(value) for value in each.amounts] for each in series]
    total_texts = [quantity_text(total) for total in totals] if adds_up else []
    titles = [_title(window) for window in windows]
    summary = _summary(series, totals, titles, adds_up)
    return Chart(
        title=title,
        summary=summary,
        data={
            "summary": summary,
            "unit": {"code": "", "name": ""},
            "labels": [_label(window) for window in windows],
            "titles": titles,
            "series": [
                {"name": each.name, "values": [plain_text(value) for value in each.amounts], "texts": of_each}
                for each, of_each in zip(series, texts, strict=True)
            ],
            "totals": total_texts,
            "list": None,
        },
        products=tuple(each.name for each in series),
        days=tuple(
            DayRow(when, tuple(of_each[index] for of_each in texts), total_texts[index] if adds_up else "", "")
            for index, when in enumerate(titles)
            if any(each.amounts[index] for each in series)
        ),
        has_list=False,
        has_totals=adds_up and len(series) > 1,
    )


def _summary(series: Sequence[Series], totals: Sequence[Decimal], titles: Sequence[str], adds_up: bool) -> str:
    if not adds_up:
        most = max(series, key=lambda each: max(each.amounts))
        index = max(range(len(titles)), key=lambda place: most.amounts[place])
        whose = f" for {most.name}" if len(series) > 1 else ""
        return f"The highest on {titles[index]}{whose}: {quantity_text(most.amounts[index])}."
    highest = max(range(len(totals)), key=lambda place: totals[place])
    text = f"{quantity_text(exact_sum(totals))} in all. The most on {titles[highest]}, {quantity_text(totals[highest])}"
    if len(series) == 1:
        return f"{text}."
    most = max(series, key=lambda each: exact_sum(each.amounts))
    return f"{text}; the most for {most.name}, {quantity_text(exact_sum(most.amounts))}."


def _title(window: Period) -> str:
    return period_text(window) if _is_day(window) else instant_text(window.starting_at)


def _label(window: Period) -> str:
    return short_day_text(window.starting_at) if _is_day(window) else f"{window.starting_at:%H:%M}"


def _is_day(window: Period) -> bool:
    return window.ending_before == window.starting_at + DAY


def group_name(named: Sequence[KeyName], values: Sequence[str | None], fallback: str) -> str:
    """ "eu, xl"; where an event had no value, "(no region)"; `fallback` without keys."""
    if not named:
        return fallback
    return ", ".join(
        f"(no {key.name})" if value is None else key.values.get(value, value)
        for key, value in zip(named, values, strict=True)
    )
