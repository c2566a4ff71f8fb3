"""How somebody types a price on the page of a rate card, and what is read off the page and the rate."""

import re
from datetime import UTC, datetime

from contracts.admin.sealed_change import opened
from pricing.models import Rate
from tests.factories.pricing import CompositeProductFactory, ProductFactory, SubscriptionProductFactory
from tests.pages import words

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
FROM_DECEMBER = {"starting_at_0": "2025-12-01", "starting_at_1": "00:00"}
PRODUCTS = {
    "USAGE": ProductFactory,
    "COMPOSITE": CompositeProductFactory,
    "SUBSCRIPTION": SubscriptionProductFactory,
}


def tiers(*rows, prefix="tiers"):
    """Rows as a browser sends them: up to, price, fee."""
    names = ("up_to", "price", "flat_fee")
    return {
        f"{prefix}-{place}-{name}": typed
        for place, row in enumerate(rows)
        for name, typed in zip(names, row, strict=False)
    }


class Typing:
    """Somebody who changes a price: the form as it is shown, with other values typed over it."""

    def __init__(self, client, place):
        self.client, self.place = client, place
        form = client.get(place).context["form"]
        self.form = form
        self.values = {"reason": "Launch"}
        rows = [row for part in form.parts for row in part.rows]
        for part in (form, *form.parts, *rows):
            for field in part:
                widget, value = field.field.widget, field.value()
                if hasattr(widget, "widgets"):
                    for number, each in enumerate(widget.decompress(value) or ["", ""]):
                        self.values[f"{field.html_name}_{number}"] = widget.widgets[number].format_value(each) or ""
                elif value not in (None, False, ""):
                    self.values[field.html_name] = "on" if value is True else value
        self.values |= FROM_DECEMBER

    def show(self, **typed):
        self.values |= typed
        return self.client.post(self.place, self.values | {"action": "show"})

    def publish(self, **typed):
        """What it would do, and then done. Gives what was shown before it, and the rate."""
        shown = self.show(**typed)
        assert shown.context["effect"] is not None, list(shown.context["form"].complaints())
        before = set(Rate.objects.values_list("pk", flat=True))
        seen = shown.context["seen"]
        answer = self.client.post(self.place, self.values | {"action": "publish", "seen": seen}, follow=True)
        assert "Published:" in words(answer)
        return words(shown), Rate.objects.exclude(pk__in=before).get()


def said(rate):
    """What a rate charges, by the columns that say something."""
    columns = ("rate_type", "price", "tiers", "package_size", "quantity", "is_prorated", "commit_rate")
    return {name: getattr(rate, name) for name in columns if getattr(rate, name) not in (None, [], "")}


def handed_over(response, card):
    """What a page gives to the panel that computes drafts with the change: the prices by their values, and the ids of
    those withdrawn."""
    [text] = re.findall(r'name="change" value="([^"]+)"', response.content.decode())
    change = opened(card, text)
    prices = {tuple(rate.pricing_group_values.values()): rate.price for rate in change.adding}
    return prices, set(change.withdrawing)
