"""Worlds with subscriptions for the engine's tests: seats on a card, and what of them is on which document."""

from dataclasses import replace
from datetime import datetime

from billing_site.foundation.periods import Period
from contracts.fee_terms import Subscription, SubscriptionQuantity
from invoicing.engine.documents import Document, Result
from pricing.engine.catalog import ProductVersion
from tests.invoicing.engine.world import NEW_YEAR, OCTOBER, D, card, contract, given, plain, product, rate, uid, used

CALLS = product("Calls")


def seats(name: str = "Seats") -> ProductVersion:
    return ProductVersion(product_id=uid(name), type="SUBSCRIPTION", name=name, starting_at=None, publication=1)


def quantities(*pairs: tuple[datetime, str | int], **late: object) -> tuple[SubscriptionQuantity, ...]:
    return tuple(SubscriptionQuantity(uid(f"{at} {each}"), at, D(each), **late) for at, each in pairs)


def subscription(start: datetime, *changes: tuple[datetime, str | int], **terms: object) -> Subscription:
    """Of seats by the month in advance; `changes` are quantities with the times from which they are meant."""
    end = terms.pop("end", None)
    found = Subscription(
        id=uid("subscription"),
        product_id=uid("Seats"),
        name="",
        frequency="MONTHLY",
        anchor_at=OCTOBER,
        period=Period(start, end),
        quantities=quantities(*changes),
        is_in_advance=True,
    )
    return replace(found, **terms)


def subscribed(at: datetime, *subscriptions: Subscription, rates=None, **more):
    """Calls at 1 cent, seats at 20 dollars a month and what else is on the card."""
    rates = rates or [rate("Calls", "1"), rate("Seats", "2000", billing_frequency="MONTHLY")]
    terms = {"start": OCTOBER, "end": NEW_YEAR, **more.pop("terms", {})}
    deal = contract(terms.pop("start"), terms.pop("end"), subscriptions=subscriptions, **terms)
    products = more.pop("products", (CALLS, seats()))
    listed = more.pop("cards", None) or [card(*rates, **more.pop("listed", {}))]
    return given(at, [deal], listed, products, **more)


def collected(result: Result) -> list[tuple[str, ...]]:
    """Each line of a subscription: date and kind of its document, its time, quantity, price of one, amount."""
    return [row for document in result.documents for row in _of(document)]


def _of(document: Document) -> list[tuple[str, ...]]:
    return [
        (
            f"{document.issued_at:%d %b}",
            document.kind,
            f"{line.period.starting_at:%d %b} - {line.period.ending_before:%d %b}",
            *(plain(number) for number in (line.quantity, line.unit_price, line.total)),
        )
        for line in document.lines
        if line.type == "subscription"
    ]


__all__ = ["CALLS", "collected", "quantities", "seats", "subscribed", "subscription", "used"]
