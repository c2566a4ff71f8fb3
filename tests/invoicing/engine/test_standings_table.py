"""How balances stand: the table in the docstring of `invoicing.engine.standings`, and the sum above it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from invoicing.engine.documents import Result
from tests.invoicing.engine.world import (
    NEW_YEAR,
    NOTHING_POSTED,
    NOVEMBER,
    OCTOBER,
    D,
    card,
    computed,
    contract,
    given,
    on,
    postpaid,
    prepaid,
    product,
    rate,
    uid,
    used,
)

H, PRICES = product("H"), card(rate("H", "10"))


def drawn_on(at, *, end=NOVEMBER, **terms) -> Result:
    """A commit of 100, of which 30 are used on 5 October, in time to be seen."""
    events = [each for each in (used("H", on(10, 5), 3),) if each.at <= at]
    pack = prepaid("100", OCTOBER, end, **terms)
    return computed(given(at, [contract(commits=(pack,))], [PRICES], [H]), events)


@pytest.mark.parametrize(
    ("at", "usable", "expired", "to_come"),
    [
        (OCTOBER - timedelta(days=1), 0, 0, 100),
        (OCTOBER, 100, 0, 0),
        (NOVEMBER - timedelta(seconds=1), 70, 0, 0),
        (NOVEMBER, 0, 70, 0),
    ],
)
def test_what_is_left_can_be_used_has_expired_or_is_to_come(at, usable, expired, to_come):
    (standing,) = drawn_on(at).balances
    assert (standing.usable(at), standing.expired(at), standing.to_come(at)) == (usable, expired, to_come)


def test_what_came_in_went_out_or_is_left():
    """Granted 100 and 5 by hand; 20 drawn by final documents, 30 pending in October's draft, dated at its end."""
    pack = prepaid("100", OCTOBER, NEW_YEAR)
    (segment,) = pack.segments
    posted = replace(NOTHING_POSTED, drawn={segment.id: D(20)}, manual={segment.id: D(5)})
    inputs = given(on(10, 31), [contract(commits=(pack,))], [PRICES], [H], posted=posted)
    result = computed(inputs, [used("H", on(10, 5), 3)])
    (standing,), (document, *_) = result.balances, result.documents
    (pending,) = standing.pending
    assert (standing.granted, standing.manual, standing.drawn, standing.left) == (100, 5, 20, 55)
    assert (pending.amount, pending.document_id, pending.timestamp) == (30, document.id, NOVEMBER)
    assert not standing.is_settled


def test_what_comes_to_nothing_in_12_decimals_is_not_pending():
    prices = card(rate("H", "0.1"))
    inputs = given(on(10, 31), [contract(commits=(prepaid("100"),))], [prices], [H])
    (standing,) = computed(inputs, [used("H", on(10, 5), "0.000000000001")]).balances
    assert (standing.pending, standing.left) == ((), 100)


@pytest.mark.parametrize(("waiting", "is_settled"), [(False, True), (True, False)])
def test_an_obligation_is_settled_by_its_true_up_and_not_by_one_that_is_made_anew(waiting, is_settled):
    owed = postpaid("1000", OCTOBER, NEW_YEAR)
    slots = frozenset({(uid("Acme"), "TRUE_UP", str(owed.id))})
    usage = (uid("Acme"), "USAGE", str(owed.id))  # another kind of document says nothing of it
    posted = replace(NOTHING_POSTED, documents=slots | {usage}, waiting=slots if waiting else frozenset())
    inputs = given(on(10, 31), [contract(commits=(owed,))], [PRICES], [H], posted=posted)
    (standing,) = computed(inputs).balances
    assert standing.is_settled == is_settled
