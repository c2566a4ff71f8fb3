"""What is in force, and over which ranges."""

from datetime import UTC, datetime

from billing_site.foundation.periods import Period
from pricing.engine.timelines import SINCE_EVER, Dated, all_in_force, in_force, stretches


def day(number: int) -> datetime:
    return datetime(2025, 10, number, tzinfo=UTC)


def dated(value: str, start: int | None, end: int | None = None, publication: int = 1) -> Dated[str]:
    return Dated(value, None if start is None else day(start), None if end is None else day(end), publication)


def test_each_thing_with_the_ranges_in_which_it_is_the_one_in_force():
    timeline = in_force([dated("base", 1), dated("offer", 5, 10, 2), dated("late", 20, 25, 3)])
    assert list(stretches(timeline)) == [
        ("base", day(1), day(5)),
        ("offer", day(5), day(10)),
        ("base", day(10), day(20)),
        ("late", day(20), day(25)),
        ("base", day(25), None),
    ]


def test_nothing_in_force_is_no_range():
    timeline = in_force([dated("first", 1, 5), dated("second", 10, 15)])
    assert list(stretches(timeline)) == [("first", day(1), day(5)), ("second", day(10), day(15))]
    assert [timeline.at(day(number)) for number in (4, 5, 10, 15)] == ["first", None, "second", None]
    assert timeline.at(datetime(2025, 9, 30, tzinfo=UTC)) is None
    assert (timeline.holds("first"), timeline.holds("third")) == (True, False)
    assert list(stretches(in_force([]))) == []


def test_an_instant_that_changes_nothing_cuts_nothing():
    """What ends while a later one covers it leaves no mark."""
    timeline = in_force([dated("under", 1, 10), dated("over", 1, 20, 2)])
    assert list(stretches(timeline)) == [("over", day(1), day(20))]


def test_what_holds_since_ever():
    timeline = in_force([dated("always", None), dated("newer", None, None, 2), dated("dated", 5)])
    assert (timeline.at(SINCE_EVER), timeline.at(day(4)), timeline.at(day(5))) == ("newer", "newer", "dated")


class Term:
    def __init__(self, name: str, start: int, end: int | None) -> None:
        self.name, self.period = name, Period(day(start), None if end is None else day(end))


def test_all_terms_that_hold_at_each_instant_in_the_order_given():
    terms = [Term("long", 3, None), Term("short", 1, 5), Term("same", 3, 6)]
    instants = [day(number) for number in (1, 3, 5, 6)]
    found = [[term.name for term in holding] for holding in all_in_force(terms, instants)]
    assert found == [["short"], ["long", "short", "same"], ["long", "same"], ["long"]]
