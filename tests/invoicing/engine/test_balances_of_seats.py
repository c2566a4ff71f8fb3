"""Balances of each seat's own: the worked table in `docs/subscriptions.md`, its edges, and how usage draws on them.

100.00 a seat and calendar month. Ada and Bob have seats from 1 October, one seat is nobody's; on 16 October Cy takes
that and Bob's is removed, on 20 October Bob has one again, Dee has one from 16 November.
"""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given as drawn_from
from hypothesis import strategies as st

from billing_site.foundation.periods import Period
from contracts.fee_terms import SubscriptionQuantity
from contracts.recurring import instances
from contracts.terms import RecurringCommit, SeatLink
from tests.invoicing.engine.subscribed import seats, subscribed, subscription, used
from tests.invoicing.engine.world import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
    computed,
    contract,
    on,
    plain,
    product,
    target,
    uid,
    usage_documents,
)

CHANGES = (
    (OCTOBER, "Ada Bob", 1),
    (on(10, 16), "Ada Cy", 0),
    (on(10, 20), "Ada Cy Bob", 0),
    (on(11, 16), "Ada Cy Bob Dee", 0),
)
OF_ALL = [("1 Oct", "Ada Bob", "10,000"), ("1 Nov", "Ada Cy Bob", "10,000")]


def linked(is_prorated=True, start=OCTOBER, **terms):
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
            "seats": SeatLink(uid("subscription"), is_prorated, OCTOBER, is_individual=True),
            **terms,
        }
    )


def row(number, start, ids, unassigned=0, agreed_at=None):
    names = tuple(ids.split())
    return SubscriptionQuantity(UUID(int=number), start, D(len(names) + unassigned), agreed_at=agreed_at, seats=names)


def held(*changes, late=(), runs=OCTOBER, **terms):
    """The first of `changes` is agreed with the subscription, the others when it begins."""
    rows = [row(number, *each, agreed_at=runs if number else None) for number, each in enumerate(changes)]
    rows += [row(len(rows) + number, *each) for number, each in enumerate(late)]
    ordered = tuple(sorted(rows, key=lambda each: each.starting_at))
    return subscription(runs, quantities=ordered, seat_group_key="user", **terms)


def segments(of, subscribed_to, until=DECEMBER):
    agreed = contract(OCTOBER, DECEMBER, subscriptions=(subscribed_to,))
    return [each for instance in instances(agreed, of, until=until) for each in instance.segments]


def parts(of, subscribed_to):
    """From when on, whose, and how much each; whatever is added within a period beside it."""
    told = {}
    for each in segments(of, subscribed_to):
        assert each.seat is not None
        key, name = each.seat
        assert key == "user"
        start = f"{each.period.starting_at:%-d %b}{'+' if each.is_for_seats else ''}"
        told.setdefault((start, plain(each.amount)), []).append(name)
    return [(start, " ".join(names), amount) for (start, amount), names in told.items()]


@pytest.mark.parametrize(
    ("is_prorated", "cy", "dee"),
    [
        pytest.param(True, "5,161.290322580645", "5,000", id="prorated"),
        pytest.param(False, "10,000", "10,000", id="not prorated"),
    ],
)
def test_the_worked_table_of_seats(is_prorated, cy, dee):
    october, november = OF_ALL
    found = parts(linked(is_prorated), held(*CHANGES))
    assert found == [october, ("16 Oct+", "Cy", cy), november, ("16 Nov+", "Dee", dee)]


def test_a_part_lasts_as_long_as_its_grant_whoever_is_removed():
    ada, bob, cy = segments(linked(), held(*CHANGES), until=NOVEMBER)
    assert [each.period for each in (ada, bob, cy)] == [
        Period(OCTOBER, NOVEMBER), Period(OCTOBER, NOVEMBER), Period(on(10, 16), NOVEMBER),
    ]  # fmt: skip
    assert len({ada.id, bob.id, cy.id}) == 3


@pytest.mark.parametrize(
    ("terms", "late", "expected"),
    [
        pytest.param({}, [], [("1 Oct", "", "0"), ("16 Oct+", "Ada", "5,161.290322580645"), ("1 Nov", "Ada", "10,000")],
                     id="nobody has one when the period begins"),
        pytest.param({"runs": on(10, 16)}, [(on(10, 20), "Ada Bob", 0, on(10, 22))],
                     [("1 Oct", "", "0"), ("16 Oct+", "Ada", "5,161.290322580645"),
                      ("20 Oct+", "Bob", "3,870.967741935484"), ("1 Nov", "Ada Bob", "10,000")],
                     id="the subscription begins within a period, and one is agreed late"),
        pytest.param({"runs": DECEMBER}, [], [], id="the subscription is yet to come"),
        pytest.param({"end": NOVEMBER}, [], [("1 Oct", "", "0"), ("16 Oct+", "Ada", "5,161.290322580645")],
                     id="the subscription ends"),
    ],
)  # fmt: skip
def test_when_seats_come_and_the_subscription_runs(terms, late, expected):
    runs = terms.get("runs", OCTOBER)
    changes = [(runs, "Ada", 0)] if "runs" in terms else [(OCTOBER, "", 2), (on(10, 16), "Ada", 1)]
    assert parts(linked(), held(*changes, late=late, **terms)) == expected


def calls(**keys):
    return replace(product("Calls"), **keys)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({"presentation_group_key": ("user",)}, id="shown by user"),
        pytest.param({"presentation_group_key": ("region", "user")}, id="shown by region and user"),
    ],
)
def test_only_usage_of_the_seat_draws_on_its_part(keys):
    """At a cent each: of Ada's 15,000 calls 10,000 are covered, of Bob's 2,000 all, and of somebody else's none."""
    of = linked(targets=(target("Calls"),))
    inputs = subscribed(on(10, 25), held(*CHANGES), terms={"recurring": (of,)}, products=(calls(**keys), seats()))
    events = [
        used("Calls", on(10, 5), 15_000, user="Ada", region="eu"),
        used("Calls", on(10, 10), 2_000, user="Bob", region="us"),
        used("Calls", on(10, 10), 3_000, user="Eve", region="eu"),
        used("Calls", on(10, 10), 500, region="eu", user=None),
        used("Calls", on(10, 15), 700, user="Cy", region="eu"),  # before the part that Cy has
    ]
    october = usage_documents(computed(inputs, events))[0]
    whose = {each.id: each.seat[1] for each in segments(of, held(*CHANGES))}
    assert {whose[each.segment_id]: plain(each.amount) for each in october.entries} == {
        "Ada": "-10,000", "Bob": "-2,000",
    }  # fmt: skip
    paid = [line.total for line in october.lines if line.counts and line.type != "subscription"]
    assert plain(sum(paid)) == "9,200"


@pytest.mark.parametrize("keys", [{}, {"presentation_group_key": ("region",)}])
def test_usage_that_is_not_told_apart_draws_on_none(keys):
    inputs = subscribed(on(10, 25), held(*CHANGES), terms={"recurring": (linked(),)}, products=(calls(**keys), seats()))
    october = usage_documents(computed(inputs, [used("Calls", on(10, 5), 100, user="Ada", region="eu")]))[0]
    assert october.entries == ()


@drawn_from(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 8), st.sets(st.sampled_from("ABCD"))), max_size=6),
    st.booleans(),
)
def test_what_is_agreed_later_takes_no_part_away(said, is_prorated):
    """Each is agreed so many days after the one before it, for a day from which on it has held."""
    of, late = linked(is_prorated, period=Period(OCTOBER, NOVEMBER)), []
    day, before = 2, {}
    for passed, since, names in said:
        day += passed
        late.append((on(10, max(day - since, 1)), " ".join(sorted(names)), 0, on(10, day)))
        found = segments(of, held((OCTOBER, "A B", 0), late=late), until=NOVEMBER)
        now = {each.id: (each.seat, plain(each.amount)) for each in found}
        assert len({each.seat for each in found}) == len(found)
        assert before.items() <= now.items()
        before = now
