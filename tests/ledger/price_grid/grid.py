"""The grid as a browser shows it, what is typed into it, and what comes back."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal as D

from django.urls import reverse

from contracts.forms.price_grid import cell_name
from tests.factories.pricing import (
    MetricFactory,
    ProductFactory,
    RateFactory,
)

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))
FROM_DECEMBER = {"starting_at_0": "2025-12-01", "starting_at_1": "00:00"}
MODELS, REGIONS, PLANS = ("l", "m", "s"), ("ap", "eu", "sa", "us"), ("basic", "plus", "pro")


def sold_by(*keys):
    metric = MetricFactory(event_type_filter={"in_values": ["completion"]}, group_keys=[list(keys)])
    return ProductFactory(name="Tokens", version__billable_metric=metric, version__pricing_group_key=list(keys))


def priced(card, product, price, /, rate=RateFactory, *, values, **changes):
    return rate(rate_card=card, product=product, pricing_group_values=values, price=D(price), **changes)


def page_of(card, product, **query):
    return reverse("price_grid", args=[card.pk, product.pk], query=query or None)


def cell(*values):
    return cell_name(values)


def cells(response):
    """The cells as they are on the page: {(values): text}."""
    return {
        tuple(json.loads(b64decode(each.name.removeprefix("price:"), "-_"))): each.words or each.text
        for block in response.context["blocks"]
        for row in block.rows
        for each in row.cells
    }


def sent(response, **changes):
    """The form as a browser sends it: hidden fields and all cells of the page, and what was typed."""
    form = response.context["form"]
    fields = {name: form[name].value() for name in ("known", "shown_at", "seen")}
    start = form["starting_at"].value()
    if isinstance(start, datetime):
        start = [f"{start:%Y-%m-%d}", f"{start:%H:%M}"]
    fields |= {"starting_at_0": start[0], "starting_at_1": start[1], "reason": form["reason"].value() or ""}
    fields |= {
        each.name: each.text
        for block in response.context["blocks"]
        for row in block.rows
        for each in row.cells
        if not each.words
    }
    for dimension in response.context["dimensions"]:
        fields[f"value-{dimension['index']}"] = dimension["added"]
    return {name: value for name, value in fields.items() if value is not None} | changes


def typed(client, page, shown, **changes):
    return client.post(page, sent(shown, **changes) | {"action": "show"})


def published(client, page, shown, reason="Cheaper chips"):
    return client.post(page, sent(shown, reason=reason) | {"action": "publish"}, follow=True)


def changes_of(response):
    return [(row.values, row.before, row.after, row.outcome) for row in response.context["plan"].rows]
