"""Prices and terms."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import clock
from invoicing.portal.prices import price_row
from invoicing.portal.sheets import instant_cell, sheet
from invoicing.portal.terms import own_prices, terms_cards
from invoicing.queries.agreed import Agreed, agreed
from invoicing.views.portal.files import as_file
from invoicing.views.portal.viewers import Viewer, shown
from pricing.sheets.cells import guarded

PRICES_SHOWN = 100
COLUMNS = ("product", "price", "per", "list price", "since")


def terms(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What was agreed, what it costs now, and what will change. Raises NotFound."""
    at, named = clock.now(), request.GET.get("q", "").strip()[:200]
    read = agreed(viewer.customer_id, at=at)
    prices = [each for each in own_prices(read) if named.lower() in each.name.lower()]
    to_come = [price_row(change, len(read.contracts) > 1) for change in read.to_come]
    return shown(
        request,
        viewer,
        "terms.html",
        "terms/",
        read.customer_name,
        title="Prices and terms",
        cards=terms_cards(read, at),
        prices=prices[:PRICES_SHOWN],
        more=max(len(prices) - PRICES_SHOWN, 0),
        is_long=len(read.prices) > PRICES_SHOWN,
        named=named,
        to_come=to_come[:PRICES_SHOWN],
        more_to_come=max(len(to_come) - PRICES_SHOWN, 0),
    )


def prices_csv(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every price in force. Raises NotFound."""
    at = clock.now()
    return as_file(sheet(COLUMNS, _rows(agreed(viewer.customer_id, at=at))), f"prices-{at:%Y-%m-%d}")


def _rows(read: Agreed) -> Iterator[tuple[str, ...]]:
    for found, told in zip(read.prices, own_prices(read), strict=True):
        per = guarded(found.unit_name) if found.unit_name else ""
        yield guarded(told.name), told.price, per, told.listed or told.price, instant_cell(found.since)
