"""When a customer goes into alarm and comes back, and whom filters by custom fields choose."""

from datetime import UTC, datetime
from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from contracts.terms import CREDIT, PREPAID, QUANTITY, AccessSegment, Commit
from invoicing.engine.alerts import (
    KINDS,
    Alarm,
    FieldFilter,
    Fields,
    Reading,
    Specifier,
    days,
    followed,
    is_past,
    remaining,
    remaining_of_seats,
    spend,
    totals,
)
from invoicing.engine.documents import Document, Line, Pending, Standing

OCTOBER, NOON, NOVEMBER = (datetime(2025, *rest, tzinfo=UTC) for rest in ((10, 1), (10, 20, 12), (11, 1)))
WHOLE = Period(OCTOBER, NOVEMBER)
USD = Unit(UUID(int=1), "USD", 2, 2, "USD")
SPEND, COMMITS = KINDS["SPEND_THRESHOLD_REACHED"], KINDS["LOW_REMAINING_COMMIT_BALANCE_REACHED"]
PERCENT = KINDS["LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_PERCENTAGE_REACHED"]
DAYS = KINDS["LOW_REMAINING_DAYS_FOR_COMMIT_SEGMENT_REACHED"]


@pytest.mark.parametrize(
    ("kind", "figure", "expected"),
    [
        pytest.param(SPEND, "9.999999999999", False, id="spend just below"),
        pytest.param(SPEND, "10", True, id="spend at the threshold"),
        pytest.param(SPEND, "10.000000000001", True, id="spend just above"),
        pytest.param(COMMITS, "10.000000000001", False, id="a balance just above"),
        pytest.param(COMMITS, "10", True, id="a balance at the threshold"),
        pytest.param(COMMITS, "9.999999999999", True, id="a balance just below"),
    ],
)
def test_the_threshold_itself_is_past_it(kind, figure, expected):
    assert is_past(kind, D(figure), D(10)) is expected


def test_what_is_low_is_of_balances_and_nothing_else_is():
    assert {code for code, kind in KINDS.items() if kind.is_of_balances} == {
        code for code, kind in KINDS.items() if kind.is_low
    }


def test_turns_are_told_once_and_muted_alarms_not_at_all():
    def read(*figures):
        return [Reading(D(figure), about, f"the {about}") for about, figure in figures]

    first = followed(None, read(("a", 12), ("b", 3)), SPEND, D(10), at=OCTOBER, is_muted_at_first=True)
    assert (first.is_alarm, first.turns, first.worst) == (False, (), Reading(D(12), "a", "the a"))
    both = followed(first.alarms, read(("a", 13), ("b", 11)), SPEND, D(10), at=NOON)
    assert [(turn.about, turn.is_alarm, turn.figure) for turn in both.turns] == [("b", True, D(11))]
    assert (both.is_alarm, both.worst) == (True, Reading(D(11), "b", "the b"))  # nobody is told of the other
    same = followed(both.alarms, read(("a", 13), ("b", 12)), SPEND, D(10), at=NOVEMBER)
    assert (same.turns, same.alarms) == ((), {"a": Alarm(OCTOBER, "the a", True), "b": Alarm(NOON, "the b")})
    gone = followed(same.alarms, read(("a", 1)), SPEND, D(10), at=NOVEMBER)
    assert [(turn.about, turn.is_alarm, turn.figure) for turn in gone.turns] == [("b", False, None)]
    again = followed(gone.alarms, read(("a", 10)), SPEND, D(10), at=NOVEMBER)
    assert [(turn.about, turn.is_alarm, turn.figure) for turn in again.turns] == [("a", True, D(10))]
    assert followed({}, [], SPEND, D(0), at=NOON).worst is None
    assert followed({}, read(("a", 5), ("b", 4)), COMMITS, D(1), at=NOON).worst == Reading(D(4), "b", "the b")


def standing(number, amount, *, type_=PREPAID, name="", taken=0, seat=None, **more):
    period = Period(OCTOBER, more.pop("end", NOVEMBER))
    segment = AccessSegment(UUID(int=number), D(amount), period, seat=seat)
    made = Commit(UUID(int=number), type_, None, UUID(int=9), name, D(1), USD, (segment,), (), (), OCTOBER, **more)
    pending = (Pending(UUID(int=8), UUID(int=7), D(taken), NOVEMBER),) if taken else ()
    return Standing(made, segment, D(amount), D(0), D(0), pending, D(0))


def test_each_seat_is_read_by_what_it_has_of_its_own():
    held = [
        standing(1, 30, seat=("user", "bo"), taken=4),
        standing(2, 10, seat=("user", "ada")),
        standing(3, 5, seat=("user", "ada")),
        standing(4, 9, seat=("user", "eve"), end=NOON),  # over: nobody's alarm
        standing(5, 9, seat=("user", "kim"), access_type=QUANTITY),
        standing(6, 9, seat=("device", "ada")),
        standing(7, 100),
    ]

    def figures(seat, unit_id=USD.id):
        found = remaining_of_seats(held, [("user", seat)], unit_id, at=NOON)
        return [(reading.figure, reading.label) for reading in found]

    assert figures(None) == [(D(15), "user: ada"), (D(26), "user: bo")]
    assert figures("bo") == [(D(26), "user: bo")]
    assert figures("kim", None) == [(D(9), "user: kim")]
    assert figures("nobody") == []


def test_balances_count_if_they_are_in_the_unit_and_have_begun():
    held = [
        standing(1, 100, taken=40),
        standing(2, 50, type_=CREDIT, name="Gift"),
        standing(3, 7, access_type=QUANTITY),
    ]

    def figures(kind, unit_id=USD.id, at=NOON):
        return [reading.figure for reading in remaining(held, kind, unit_id, at=at)]

    assert figures(COMMITS) == [D(60)]
    assert figures(PERCENT) == [D("73.333333333333")]
    assert figures(COMMITS, None) == [D(7)]
    assert figures(COMMITS, UUID(int=5)) == []
    assert figures(COMMITS, at=datetime(2025, 9, 30, tzinfo=UTC)) == []
    assert figures(COMMITS, at=NOVEMBER) == figures(PERCENT, at=NOVEMBER) == [D(0)]


def test_days_are_counted_begun_and_a_segment_that_is_over_has_none():
    held = [standing(1, 100), standing(2, 5, type_=CREDIT)]
    assert list(days(held, DAYS, at=NOON)) == [Reading(D(12), str(UUID(int=1)), "commit until 1 November 2025")]
    assert list(days(held, DAYS, at=OCTOBER)) == [Reading(D(31), str(UUID(int=1)), "commit until 1 November 2025")]
    assert list(days(held, DAYS, at=NOVEMBER)) == []
    credits = KINDS["LOW_REMAINING_DAYS_FOR_CONTRACT_CREDIT_SEGMENT_REACHED"]
    [reading] = days([standing(2, 5, type_=CREDIT), standing(3, 5, type_=CREDIT, end=None)], credits, at=NOON)
    assert reading.label == "credit until 1 November 2025"


def document(number, *lines, kind="USAGE", period: Period | None = WHOLE, type_="USAGE"):
    issued, total = NOVEMBER, sum((line.total for line in lines if line.counts), D(0))
    contract = UUID(int=1)
    return Document(UUID(int=number), contract, kind, "", type_, period, issued, issued, USD, lines, total)


def test_spend_is_usage_of_the_current_period_whoever_pays_it():
    paid = Line("usage", "Calls", D(8), USD, presentation_group_values=(("region", "eu"),))
    drafts = [
        document(1, paid, paid._replace(type="applied_commit_or_credit", total=D(-8))),
        document(2, paid._replace(total=D(3), presentation_group_values=(("region", None),))),
        document(3, paid, period=Period(datetime(2025, 9, 1, tzinfo=UTC), OCTOBER)),
        document(4, paid._replace(type="scheduled"), kind="CHARGES", period=None, type_="SCHEDULED"),
    ]

    def told(*groups):
        return [(each.about, each.figure) for each in spend(drafts, USD.id, groups, at=NOON)]

    assert told() == [("", D(11))]
    assert told(("region", None)) == [("region: eu", D(8))]
    assert told(("region", "us")) == [("region: us", D(0))]
    assert list(spend(drafts[2:], USD.id, (), at=NOON)) == list(spend([], USD.id, (("a", "b"),), at=NOON)) == []
    assert [each.label for each in totals(drafts, USD.id, frozenset({"SCHEDULED"}))] == ["charges from 1 November 2025"]
    assert [each.figure for each in totals(drafts, USD.id, frozenset())] == [D(0), D(3), D(8), D(8)]
    assert list(totals(drafts, UUID(int=5), frozenset())) == []


@pytest.mark.parametrize(
    ("entity", "key", "value", "fits"),
    [
        pytest.param("CREDITS", "tier", "gold", False, id="a commit is no credit"),
        pytest.param("COMMIT", "tier", "gold", True, id="a value"),
        pytest.param("COMMIT", "tier", None, True, id="any value"),
        pytest.param("COMMIT", "tier", "silver", False, id="another value"),
        pytest.param("COMMIT", "colour", None, False, id="another key"),
        pytest.param("CONTRACTCREDIT", "tier", None, False, id="of credits"),
        pytest.param("CONTRACTCREDITORCOMMIT", "tier", None, True, id="of either"),
        pytest.param("CONTRACT", "region", "eu", True, id="of the contract"),
    ],
)
def test_a_filter_asks_for_a_field_of_an_entity(entity, key, value, fits):
    entity = "CONTRACTCREDIT" if entity == "CREDITS" else entity
    own = Fields({"region": "eu"}, {"tier": "gold"})
    assert own.fit([FieldFilter(entity, key, value)]) is fits
    assert Fields(None, {"tier": "gold"}).fit([FieldFilter("CONTRACT", "region", None)]) is False


def test_one_specifier_is_enough_and_what_it_excludes_is_left_out():
    gold, europe = FieldFilter("COMMIT", "tier", "gold"), FieldFilter("CONTRACT", "region", "eu")
    own = Fields({"region": "eu"}, {"tier": "gold"})
    assert own.fit_any(())
    assert own.fit_any([Specifier((FieldFilter("COMMIT", "x", None),)), Specifier((gold,))])
    assert not own.fit_any([Specifier((gold,), ((europe,),))])
    assert own.fit_any([Specifier((gold,), ((europe, FieldFilter("COMMIT", "x", None)),))])
