"""Where bars and marks of a contract's terms go: percent of the span, and what is left out of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from billing_site.foundation.periods import Period
from invoicing.admin.term_chart import MOST_PIECES, MOST_ROWS, Group, Piece, Row, picture_of


def day(month, number=1, year=2026):
    return datetime(year, month, number, tzinfo=UTC)


YEAR = Period(day(1), day(1, year=2027))
JULY = day(7, 2)  # 182 of 365 days have passed


def drawn(pieces, term=YEAR, at=JULY):
    """The one row of these, and the picture."""
    picture = picture_of([Group("Overrides", (Row("Override", "Half price", tuple(pieces)),))], term, at)
    return picture, picture.groups[0].rows[0].drawn if picture.groups[0].rows else ()


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param(Period(day(1), day(7)), ("0.00", "49.59", "past", False, False), id="over"),
        pytest.param(Period(day(1)), ("0.00", "100.00", "in force", False, True), id="open end"),
        pytest.param(Period(day(5, year=2024)), ("0.00", "100.00", "in force", True, True), id="began before"),
        pytest.param(Period(day(1), YEAR.ending_before), ("0.00", "100.00", "in force", False, False), id="to the end"),
        pytest.param(Period(day(10)), ("74.79", "25.21", "to come", False, True), id="scheduled"),
        pytest.param(Period(day(7, 2), day(7, 3)), ("49.86", "1.00", "in force", False, False), id="one day"),
        pytest.param(
            Period(day(12, 31), YEAR.ending_before), ("99.00", "1.00", "to come", False, False), id="last day"
        ),
        pytest.param(Period(day(12), day(2, year=2027)), ("91.51", "8.49", "to come", False, True), id="ends later"),
        pytest.param(day(12, 31), ("99.73", None, "to come", False, False), id="a charge to come"),
        pytest.param(day(7, 2), ("49.86", None, "past", False, False), id="a charge of this instant"),
        pytest.param(YEAR.ending_before, ("100.00", None, "to come", False, False), id="a charge at the end"),
    ],
)
def test_the_worked_table(when, expected):
    _, (found,) = drawn([Piece(when)])
    width = None if found.width is None else str(found.width)
    assert (str(found.x), width, found.standing, found.is_from_before, found.goes_on) == expected


@pytest.mark.parametrize(
    ("term", "at", "changes", "span"),
    [
        pytest.param(YEAR, JULY, (), YEAR, id="from its start to its end"),
        pytest.param(
            Period(day(1, year=2020), day(1, year=2027)), JULY, (), Period(day(7, 2, 2025), day(1, year=2027)), id="old"
        ),
        pytest.param(Period(day(1)), JULY, (), Period(day(1), day(7, 2, 2027)), id="without end: a year ahead"),
        pytest.param(
            Period(day(1)), JULY, (day(3, year=2028),), Period(day(1), day(4, year=2028)), id="past the last change"
        ),
        pytest.param(
            Period(day(1)), JULY, (day(12, 31, 9999),), Period(day(1), day(7, 2, 2036)), id="never more than ten years"
        ),
        pytest.param(
            Period(day(1), day(1, year=2099)), JULY, (), Period(day(1), day(7, 2, 2036)), id="an end that is far off"
        ),
        pytest.param(
            Period(day(9), day(1, year=2027)), JULY, (), Period(JULY, day(1, year=2027)), id="to come: from today on"
        ),
        pytest.param(Period(day(9)), JULY, (), Period(JULY, day(9, year=2027)), id="to come, without end"),
        pytest.param(
            Period(day(1, year=2020), day(6, year=2024)),
            JULY,
            (),
            Period(day(6, year=2023), day(6, year=2024)),
            id="long over: its last year",
        ),
        pytest.param(
            Period(day(1), YEAR.ending_before),
            JULY + timedelta(hours=15, minutes=7),
            (),
            YEAR,
            id="in the midst of a day",
        ),
    ],
)
def test_the_span(term, at, changes, span):
    picture, _ = drawn([Piece(each) for each in changes], term, at)
    assert picture.span == span


def test_the_present_has_a_line_where_it_is_shown():
    assert drawn([], at=JULY + timedelta(hours=12))[0].now == D("50.00")
    assert drawn([], at=day(1))[0].now == D(0)
    assert drawn([], at=day(1, year=2028))[0].now is None


def test_firsts_of_months_are_told_where_there_is_room_for_them():
    def ticks(term, at=JULY):
        return [(tick.year, tick.month) for tick, _ in drawn([], term, at)[0].ticks]

    assert ticks(YEAR) == [(2026, 4), (2026, 7), (2026, 10)]
    assert ticks(Period(day(1), day(4))) == [(2026, 2), (2026, 3)]
    assert ticks(Period(day(1), day(7))) == [(2026, 4)]
    assert ticks(Period(day(2), day(1, year=2029))) == [(2027, 1), (2028, 1)]
    assert ticks(Period(day(3, 5), day(3, 20))) == []
    assert ticks(Period(day(1), day(1, year=2099))) == [(2030, 1), (2035, 1)]


def test_of_many_rows_those_nearest_to_the_present_stay_as_they_were_given():
    def of_day(index):
        return Row(
            "Override", str(index), (Piece(Period(day(1) + index * timedelta(1), day(1) + (index + 1) * timedelta(1))),)
        )

    (group,) = picture_of([Group("Overrides", tuple(map(of_day, range(200))))], YEAR, JULY).groups
    assert [row.row.name for row in group.rows] == [str(index) for index in range(178, 186)]
    assert group.left_out == 200 - MOST_ROWS


def test_what_began_last_is_nearest_of_what_is_in_force():
    rows = tuple(Row("Override", str(index), (Piece(Period(day(1, index + 1))),)) for index in range(20))
    (group,) = picture_of([Group("Overrides", rows)], YEAR, JULY).groups
    assert [row.row.name for row in group.rows] == [str(index) for index in range(12, 20)]


def test_of_many_pieces_those_nearest_to_the_present_stay():
    steps = [Piece(Period(day(1) + index * timedelta(1), day(1) + (index + 1) * timedelta(1))) for index in range(365)]
    picture, found = drawn(steps)
    assert len(found) == MOST_PIECES
    assert picture.groups[0].rows[0].left_out == 365 - MOST_PIECES
    assert [each.piece for each in found] == steps[170:194]


def test_what_is_not_within_the_span_is_left_out_and_counted():
    rows = (Row("Override", "gone", (Piece(Period(day(1, year=2024), day(1))),)), Row("Commit", "cut", ()))
    (group,) = picture_of([Group("Overrides", rows), Group("Subscriptions", ())], YEAR, JULY).groups
    assert (group.rows, group.left_out) == ((), 2)
