"""The deal of a contract as a browser sends it, and what a reader sees of the answer."""

import re
from datetime import UTC, datetime
from html import unescape

from django.urls import reverse

from contracts.forms.edits import as_sent
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import JANUARY, OCTOBER

MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)


def page(name: str, *args: object) -> str:
    return reverse(f"admin:contracts_contract_{name}", args=args)


def split(name, instant):
    """The two inputs of an instant."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}


def text_of(response) -> str:
    """What a reader sees, on one line."""
    words = unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", words)


class Deal:
    """The form as a browser has it, and what is done with it."""

    def __init__(self, browser, contract, query=""):
        self.browser, self.url = browser, page("edit", contract.pk) + query
        shown = browser.get(self.url).context["form"]
        self.values = {}
        for field in (*shown, *shown.tariff):
            sent = as_sent(field) if field.name != "entitled" else {}
            self.values |= sent
            if field.field.show_hidden_initial:
                self.values |= {f"initial-{name}": value for name, value in sent.items()}

    def preview(self, **given):
        self.values |= {"entitled": "unknown", "reason": "the deal"} | given
        return self.browser.post(self.url, self.values | {"preview": "1"})

    def save(self, **given):
        """Look, then make what was looked at."""
        looked_at = self.preview(**given)
        seen = looked_at.context["previewed"]
        return self.browser.post(self.url, self.values | {"previewed": seen, "save": "1"})


def the_deal(acme, **more):
    """A commitment of $100, and half off from 15 October."""
    return {
        "commit_amount": "$100.00",
        "commit_name": "Year end",
        "commit_product": FixedProductFactory().pk,
        "discount": "50",
        "discount_products": [acme.prices.tokens.pk, acme.prices.calls.pk],
        **split("commit_starting_at", OCTOBER),
        **split("commit_ending_before", JANUARY),
        **split("discount_starting_at", MID_OCTOBER),
        **more,
    }
