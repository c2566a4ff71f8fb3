"""How much was used of what is measured."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import clock
from billing_site.foundation.display import plain_text
from billing_site.foundation.transactions import read_snapshot
from contracts.queries import customer
from invoicing.portal.measured import group_name, measured
from invoicing.portal.sheets import instant_cell, sheet
from invoicing.queries.measured import metrics_of
from invoicing.views.portal.asked import UsageForm, first_day_asked
from invoicing.views.portal.files import as_file, refused
from invoicing.views.portal.following import followed
from invoicing.views.portal.viewers import Viewer, shown
from ledger.queries.tables import Cut, GroupRow, group_table
from pricing.models import BillableMetric
from pricing.sheets.cells import guarded

MOST_ROWS = 100_000


@partial(followed, since=first_day_asked)
def usage(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """A metric by day or hour and group key. Raises NotFound."""
    with read_snapshot():
        name, metrics = customer(viewer.customer_id).name, metrics_of(viewer.customer_id)
        form = _form(request, viewer, metrics) if metrics else None
        told: dict[str, Any] = {"form": form, "title": "Usage"}
        if form is not None and form.is_valid():
            keys, rows = _rows(viewer, form)
            named = list(map(viewer.name_of_key, keys))
            names = [group_name(named, row.group, form.chosen.name) for row in rows]
            by = "hour" if form.cleaned_data["window"] == "HOUR" else "day"
            found = measured(form.chosen, rows, names, f"{form.chosen.name} by {by}")
            chart_data = [found.chart.data] if found.chart else []
            told |= {"found": found, "chart_data": chart_data, "is_cut": len(rows) == MOST_ROWS}
    return shown(request, viewer, "usage.html", "usage/", name, **told)


def usage_csv(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same, every digit and every value of it. Raises NotFound."""
    with read_snapshot():
        customer(viewer.customer_id)
        metrics = metrics_of(viewer.customer_id)
        if not metrics:
            return HttpResponse("Nothing is measured yet.", status=404, content_type="text/plain; charset=utf-8")
        form = _form(request, viewer, metrics)
        if not form.is_valid():
            return refused(form)
        keys, rows = _rows(viewer, form)
    columns = ["metric", *keys, "from", "to", "quantity"]
    return as_file(sheet(columns, _cells(form.chosen.name, rows)), f"usage-{form.named}")


def _form(request: HttpRequest, viewer: Viewer, metrics: Sequence[BillableMetric]) -> UsageForm:
    return UsageForm(
        request.GET.dict(), at=clock.now(), metrics=metrics, called=lambda key: viewer.name_of_key(key).name
    )


def _rows(viewer: Viewer, form: UsageForm) -> tuple[tuple[str, ...], list[GroupRow]]:
    """The values of the metric's group key, and its windows."""
    keys = form.keys.get(form.cleaned_data["key"], ())
    cut = Cut(form.days, form.cleaned_data["window"])
    rows = group_table(viewer.customer_id, form.chosen, cut, keys=keys, at=clock.now(), limit=MOST_ROWS)
    return keys, rows


def _cells(metric: str, rows: Sequence[GroupRow]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        values = ["" if value is None else guarded(value) for value in row.group]
        bounds = instant_cell(row.window.starting_at), instant_cell(row.window.ending_before)
        yield guarded(metric), *values, *bounds, plain_text(row.value)
