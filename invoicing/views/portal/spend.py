"""What was spent on what, and on whom."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import clock
from billing_site.foundation.display import plain_text
from billing_site.foundation.money import major_amount
from contracts.queries import customer
from invoicing.portal.charts import PRODUCT, chart_of, is_spent
from invoicing.portal.rankings import ranking_of
from invoicing.portal.sheets import instant_cell, sheet
from invoicing.queries.spend_by import SpendBy, spend_by
from invoicing.views.portal.asked import DaysForm
from invoicing.views.portal.files import as_file, refused
from invoicing.views.portal.following import followed
from invoicing.views.portal.viewers import Viewer, shown
from pricing.sheets.cells import guarded

COLUMNS = ("from", "to", "amount", "currency")


@followed
def spend(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """By day, told apart by product or by a group key, and who or what most was spent on. Raises NotFound."""
    at, by = clock.now(), request.GET.get("by", "")
    form = DaysForm(request.GET.dict(), at=at)
    if not form.is_valid():
        name = customer(viewer.customer_id).name
        return shown(request, viewer, "spend.html", "spend/", name, form=form, title="Spend", by=by)
    read = spend_by(viewer.customer_id, form.days, key=by, at=at)
    views = [(chart_of(each, at, by or PRODUCT), ranking_of(each)) for each in read.spending if is_spent(each)]
    return shown(
        request,
        viewer,
        "spend.html",
        "spend/",
        read.customer_name,
        title="Spend",
        form=form,
        by=by,
        keys=read.keys if not by or by in read.keys else (*read.keys, by),
        views=views,
        chart_data=[chart.data for chart, _ in views],
        called=by or PRODUCT,
    )


def spend_csv(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same, every digit and every value of it. Raises NotFound."""
    at, by = clock.now(), request.GET.get("by", "")
    form = DaysForm(request.GET.dict(), at=at)
    if not form.is_valid():
        return refused(form)
    read = spend_by(viewer.customer_id, form.days, key=by, at=at)
    return as_file(sheet([by or PRODUCT, *COLUMNS], _rows(read)), f"spend-{form.named}")


def _rows(read: SpendBy) -> Iterator[tuple[str, ...]]:
    for spent in read.spending:
        unit = spent.unit.code or guarded(spent.unit.name)
        for index, window in enumerate(spent.windows):
            bounds = instant_cell(window.starting_at), instant_cell(window.ending_before)
            for series in spent.series:
                if amount := series.amounts[index]:
                    yield guarded(series.name), *bounds, plain_text(major_amount(amount, spent.unit)), unit
