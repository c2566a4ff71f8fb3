"""Allowances by the seat: the worked table in `docs/subscriptions.md`, its edges, and how usage draws on them.

100.00 a seat and calendar month; 10 seats from 1 October, 15 from 16 October, 12 from 10 November, 14 from 20 November.
"""

from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given as drawn_from
from hypothesis import strategies as st

from billing_site.foundation.periods import Period
from contracts.fee_terms import AmountRounding, SubscriptionQuantity
from contracts.recurring import instances
from contracts.terms import RecurringCommit, SeatLink
from tests.invoicing.engine.subscribed import quantities, subscribed, subscription, used
from tests.invoicing.engine.world import (
    DECEMBER,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
    computed,
    contract,
    on,
    plain,
    target,
    uid,
    usage_documents,
)

IDS = (UUID(int=number) for number in count(1))  # as they are given, in the order of agreement
CHANGES = ((OCTOBER, 10), (on(10, 16), 15), (on(11, 10), 12), (on(11, 20), 14))


def linked(is_prorated=True, agreed_at=OCTOBER, start=OCTOBER, **terms):
    return RecurringCommit(
        **{
            "id": uid("by seat"),
            "type": "CREDIT",
            "contract_id": uid("Acme"),
            "product_id": uid("Commitment"),
            "name": "by seat",
            "priority": D(100),
            "unit": USD,
            "access_amount": D(10_000),
            "period": Period(start, None),
            "seats": SeatLink(uid("subscription"), is_prorated, agreed_at),
            **terms,
        }
    )


def grants(of, *changes, late=(), until=NEW_YEAR, end=NEW_YEAR, runs=OCTOBER, **terms):
    """From when on, how much, and whether it is a top-up."""
    told = (*quantities(*changes[:1]), *quantities(*changes[1:], agreed_at=runs), *late)
    held = subscription(runs, quantities=tuple(sorted(told, key=lambda each: each.starting_at)), **terms)
    agreed = contract(OCTOBER, end, subscriptions=(held,))
    return [
        (f"{segment.period.starting_at:%-d %b}", plain(segment.amount), segment.is_for_seats)
        for instance in instances(agreed, of, until=until)
        for segment in instance.segments
    ]


def later(agreed, start, quantity):
    return SubscriptionQuantity(next(IDS), start, D(quantity), agreed_at=agreed)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param(
            {}, [("1 Oct", "100,000", False), ("16 Oct", "25,806.451612903226", True), ("1 Nov", "150,000", False),
                 ("1 Dec", "140,000", False)], id="prorated",
        ),
        pytest.param(
            {"is_prorated": False}, [("1 Oct", "100,000", False), ("16 Oct", "50,000", True),
                                     ("1 Nov", "150,000", False), ("1 Dec", "140,000", False)], id="not prorated",
        ),
        pytest.param(
            {"start": on(10, 22)}, [("22 Oct", "48,387.096774193548", False), ("1 Nov", "150,000", False),
                                    ("1 Dec", "140,000", False)], id="a first period cut short",
        ),
        pytest.param(
            {"start": on(10, 12), "is_prorated": False},
            [("12 Oct", "64,516.129032258065", False), ("16 Oct", "32,258.064516129032", True),
             ("1 Nov", "150,000", False), ("1 Dec", "140,000", False)], id="each new one brings what the others had",
        ),
        pytest.param(
            {"start": on(10, 12)}, [("12 Oct", "64,516.129032258065", False), ("16 Oct", "25,806.451612903226", True),
                                    ("1 Nov", "150,000", False), ("1 Dec", "140,000", False)], id="by time in both",
        ),
        pytest.param(
            {"access_rounding": AmountRounding(-2, "HALF_UP")},
            [("1 Oct", "100,000", False), ("16 Oct", "25,800", True), ("1 Nov", "150,000", False),
             ("1 Dec", "140,000", False)], id="what comes by time is rounded",
        ),
    ],
)  # fmt: skip
def test_the_worked_table(terms, expected):
    assert grants(linked(**terms), *CHANGES) == expected


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param([(on(11, 6), 18)], [("1 Nov", "150,000", False), ("6 Nov", "25,000", True)], id="more"),
        pytest.param([(NOVEMBER, 8)], [("1 Nov", "150,000", False)], id="fewer"),
        pytest.param(
            [(on(10, 20), 20)], [("1 Nov", "150,000", False), ("1 Nov", "50,000", True)], id="since the month before"
        ),
        pytest.param([(on(11, 6), 18), (on(11, 6), 16)], [("1 Nov", "150,000", False), ("6 Nov", "25,000", True)],
                     id="corrected at once: the most counts"),
    ],
)  # fmt: skip
def test_what_is_agreed_late_only_adds(late, expected):
    said = [later(on(11, 12), *each) for each in late]
    of_november = linked(period=Period(OCTOBER, DECEMBER))
    assert grants(of_november, *CHANGES, late=said)[-len(expected):] == expected  # fmt: skip


def test_what_was_corrected_before_the_allowance_was_agreed_never_counted():
    late = [later(on(10, 17), on(10, 16), 12), later(on(10, 18), OCTOBER, 9)]
    of = linked(False, agreed_at=on(10, 25), period=Period(OCTOBER, NOVEMBER))
    assert grants(of, *CHANGES[:2], late=late) == [("1 Oct", "90,000", False), ("16 Oct", "30,000", True)]


def test_what_was_granted_late_or_planned_stays_beside_what_comes_after_it():
    """15 were planned for the 20th; on the 5th there turn out to be 12 already, on the 22nd 13 since the 3rd."""
    late = [later(on(10, 5), on(10, 5), 12), later(on(10, 22), on(10, 3), 13)]
    of = linked(False, period=Period(OCTOBER, NOVEMBER))
    expected = [("1 Oct", "100,000", False), ("5 Oct", "20,000", True), ("20 Oct", "30,000", True)]
    assert grants(of, (OCTOBER, 10), (on(10, 20), 15), late=late) == expected


def test_down_and_up_again_tops_nothing_up():
    assert grants(linked(), (OCTOBER, 10), (on(10, 5), 4), (on(10, 9), 10), end=NOVEMBER) == [
        ("1 Oct", "100,000", False)
    ]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param(
            {"runs": on(10, 16)}, [("1 Oct", "0", False), ("16 Oct", "77,419.354838709677", True),
                                   ("1 Nov", "150,000", False), ("1 Dec", "150,000", False)], id="begins",
        ),
        pytest.param(
            {"period": Period(OCTOBER, on(11, 16))}, [("1 Oct", "150,000", False), ("1 Nov", "150,000", False)],
            id="ends",
        ),
        pytest.param({"runs": NEW_YEAR}, [], id="is yet to come"),
        pytest.param({"id": uid("another")}, [], id="is another"),
    ],
)  # fmt: skip
def test_the_subscription(terms, expected):
    assert grants(linked(), (terms.get("runs", OCTOBER), 15), **terms) == expected


def test_a_grant_lasts_and_what_tops_it_up_lasts_as_long():
    (october, *_) = instances(
        contract(OCTOBER, NEW_YEAR, subscriptions=(subscription(OCTOBER, *CHANGES),)),
        linked(duration=2),
        until=DECEMBER,
    )
    assert [each.period for each in october.segments] == [Period(OCTOBER, DECEMBER), Period(on(10, 16), DECEMBER)]


def test_usage_draws_on_a_top_up_from_its_instant_on():
    """12 seats of 10 each from the 16th on, 10 before: of 150 used on the 5th 100 are covered, of 50 on the 20th 20."""
    held = subscription(OCTOBER, (OCTOBER, 10), (on(10, 16), 12))
    of = replace(linked(False), access_amount=D(10), targets=(target("Calls"),))
    inputs = subscribed(on(10, 25), held, terms={"recurring": (of,)})
    result = computed(inputs, [used("Calls", on(10, 5), 150), used("Calls", on(10, 20), 50)])
    october = usage_documents(result)[0]
    assert [(each.timestamp, plain(each.amount)) for each in october.entries] == [(NOVEMBER, "-100"), (NOVEMBER, "-20")]
    assert plain(sum(line.total for line in october.lines if line.counts and line.type != "subscription")) == "80"


@drawn_from(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 8), st.integers(0, 9)), max_size=6),
    st.booleans(),
)
def test_what_is_agreed_later_takes_nothing_away(said, is_prorated):
    """Each is agreed so many days after the one before it, for a day from which on it has held: what was granted until
    then stays, part by part."""
    of, rows = linked(is_prorated, period=Period(OCTOBER, NOVEMBER)), [*quantities((OCTOBER, 5))]
    day, before = 2, {}
    for passed, since, quantity in said:
        day += passed
        rows.append(later(on(10, day), on(10, max(day - since, 1)), quantity))
        held = subscription(OCTOBER, quantities=tuple(sorted(rows, key=lambda each: each.starting_at)))
        (instance,) = instances(contract(OCTOBER, NEW_YEAR, subscriptions=(held,)), of, until=NOVEMBER)
        now = {str(each.id): plain(each.amount) for each in instance.segments}
        assert before.items() <= now.items()
        before = now
