"""What holds for late usage, whatever the terms, the prices and the usage."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import example, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from billing_site.foundation.money import exact_sum
from invoicing.engine.documents import Document
from invoicing.engine.inputs import Inputs
from tests.invoicing.engine.books import Books, rated
from tests.invoicing.engine.world import CREDITS, HOUR, D, Event, card, commit, given, rate, tiers, used
from tests.invoicing.engine.worlds import (
    AFTER,
    END,
    PRODUCTS,
    START,
    commits,
    overrides,
    price_lists,
    usage,
    weekly,
    worlds,
)

CLOSED = END + timedelta(days=2)
LATER = [CLOSED + timedelta(days=14 * number) for number in (1, 2, 3)]
NEARLY = D("1e-8")  # places are kept in 12 decimals, and multiplied by prices


@st.composite
def alike_for_all(draw) -> Inputs:
    """Worlds in which prices do not depend on who pays."""
    found = [replace(each, rate_type="LIST_RATE") for each in draw(commits())]
    mine = tuple(each for each in draw(overrides("LOWEST_MULTIPLIER")) if not each.is_commit_specific)
    prices = draw(price_lists(commit_rates=False))
    return given(AFTER, [weekly(commits=tuple(found), overrides=mine)], [prices], PRODUCTS)


def final(books: Books) -> list[Document]:
    return [each.document for each in books.finals]


def worth(books: Books) -> Fraction:
    """What usage came to in the money of the card, whoever paid for it and in whatever."""
    (prices,) = books.inputs.catalog.rate_cards.values()
    lines = [line for each in final(books) for line in each.lines if line.type == "usage"]
    return sum((Fraction(line.total) * prices.exchange(line.unit) for line in lines), Fraction(0))


@settings(max_examples=40)
@for_all(inputs=worlds(), events=usage())
def test_what_has_missed_nothing_is_not_adjusted(inputs, events):
    books = Books(inputs, events)
    books.close(CLOSED)
    assert [each.kind for each in books.draft(LATER[0]).documents if each.kind == "ADJUSTMENT"] == []


def a_fee_that_two_pay() -> Inputs:
    """A fee of 3.3, of which a balance of 0.01 that begins on the second day pays a little, if nothing came before."""
    paying = commit("PREPAID", "0.01", START + 24 * HOUR, END)
    return given(
        AFTER, [weekly(commits=(paying,))], [card(rate("plain", "0", tariff=tiers(("5", "", "3.3"))))], PRODUCTS
    )


def two_balances_of_credits() -> Inputs:
    """Of which the second is there for the first hour alone. 4 of the second hour and then 4 of the first are paid by
    both; all at once, the first hour has most of the first balance, and 3 of the second hour are to be paid."""
    first = commit("PREPAID", "5", START, START + 2 * HOUR, name="first", unit=CREDITS, priority=D(1))
    second = commit("PREPAID", "5", START, START + HOUR, name="second", unit=CREDITS, priority=D(2))
    prices = card(rate("plain", "1", unit=CREDITS), credits_at="1.5")
    return given(AFTER, [weekly(commits=(first, second))], [prices], PRODUCTS)


@settings(max_examples=40)
@for_all(inputs=alike_for_all(), in_time=usage(), late=usage(), later=usage())
@example(
    inputs=two_balances_of_credits(),
    in_time=[],
    late=[used("plain", START + HOUR, 4)],
    later=[used("plain", START, 4)],
)
@example(
    inputs=a_fee_that_two_pay(),
    in_time=[used("plain", START + 25 * HOUR, 1)],
    late=[used("plain", START, 1)],
    later=[],
)
def test_all_documents_together_are_a_rating_of_all_events(inputs, in_time, late, later):
    books = Books(inputs, list(in_time))
    books.close(CLOSED)
    for events, at in zip((late, later), LATER, strict=False):
        books.use(*events)
        books.close(at)
    at_once = Books(inputs, [*in_time, *late, *later])
    at_once.close(CLOSED)
    assert abs(worth(books) - worth(at_once)) < NEARLY


def a_fee_at_commit_rate() -> Inputs:
    """Nothing costs anything but a fee of 0.1, which a balance of 0.01 pays a tenth of."""
    paying = commit("PREPAID", "0.01", START, END, rate_type="COMMIT_RATE")
    prices = card(rate("plain", "0", commit_tariff=tiers(("0", "", "0.1"))))
    return given(AFTER, [weekly(commits=(paying,))], [prices], PRODUCTS)


@settings(max_examples=40)
@for_all(inputs=worlds(), in_time=usage(), late=usage())
@example(inputs=a_fee_at_commit_rate(), in_time=[], late=[used("plain", START, "0.1")])
def test_what_came_late_and_was_voided_leaves_nothing(inputs, in_time, late):
    books = Books(inputs, list(in_time))
    books.close(CLOSED)
    before = rated(final(books))
    books.use(*late)
    books.close(LATER[0])
    books.use(*map(taken_back, late))
    books.close(LATER[1])
    assert abs(rated(final(books)) - before) < NEARLY


@settings(max_examples=40)
@for_all(inputs=worlds(), in_time=usage(), late=usage(), fewer=st.integers(0, 25))
def test_no_balance_pays_more_than_it_has(inputs, in_time, late, fewer):
    books = Books(inputs, list(in_time))
    books.close(CLOSED)
    for events, at in zip((late, [taken_back(each) for each in in_time[:fewer]], late), LATER, strict=True):
        books.use(*events)
        for standing in books.draft(at).balances:
            assert standing.left >= 0
            assert exact_sum([standing.drawn, *(taken.amount for taken in standing.pending)]) >= 0
        books.close(at)
        assert all(standing.left >= 0 for standing in books.draft(at).balances)


def taken_back(event: Event) -> Event:
    return replace(event, quantity=-event.quantity)
