"""Named schedules of rate cards, as services write them and the API shows them."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from pricing import queries, services
from pricing.models import NamedScheduleSegment
from pricing.queries import NamedValue
from tests.factories.pricing import RateCardFactory

pytestmark = pytest.mark.django_db

RATE_CARDS = "/v1/contract-pricing/rate-cards"
MARCH = datetime(2025, 3, 1, tzinfo=UTC)
MAY = datetime(2025, 5, 1, tzinfo=UTC)
JULY = datetime(2025, 7, 1, tzinfo=UTC)


def nested(depth):
    """Empty lists in lists."""
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.fixture
def card():
    return RateCardFactory()


@pytest.fixture
def write(card, told):
    def write(value, starting_at=MARCH, ending_before=None, name="regions"):
        return services.update_named_schedule(
            card.id, name, value, starting_at=starting_at, ending_before=ending_before, **told
        )

    return write


def test_what_is_written_later_holds_where_it_says_something(card, write):
    first = write("a").publication_id
    write("b", MAY, JULY)
    write("other", name="zones")
    assert queries.named_schedule(card, "regions") == [
        NamedValue("a", MARCH, MAY),
        NamedValue("b", MAY, JULY),
        NamedValue("a", JULY, None),
    ]
    assert queries.named_schedule(card, "regions", at_publication=first) == [NamedValue("a", MARCH, None)]
    assert queries.named_schedule(card, "regions", covering=MAY) == [NamedValue("b", MAY, JULY)]
    assert queries.named_schedule(card, "regions", covering=JULY) == [NamedValue("a", JULY, None)]
    assert queries.named_schedule(card, "regions", covering=MARCH.replace(year=2024)) == []
    assert queries.named_schedule(RateCardFactory(), "regions") == []


def test_what_was_written_last_is_not_written_again(card, write):
    assert write({"eu": D("1.0")}) == write({"eu": D("1.0")})
    write("b")
    write({"eu": D("1.0")})
    assert NamedScheduleSegment.objects.count() == 3
    assert queries.named_schedule(card, "regions") == [NamedValue({"eu": D("1.0")}, MARCH, None)]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param([1, "two", {"three": [True, {}]}], id="nested"),
        pytest.param({"rate": D("0.1234567890123456789012345")}, id="more digits than a float has"),
        pytest.param(10**30, id="a number of many digits"),
    ],
)
def test_a_value_comes_back_digit_by_digit(api, card, value, write):
    write(value)
    body = {"rate_card_id": str(card.id), "schedule_name": "regions"}
    reply = api.post(f"{RATE_CARDS}/getNamedSchedule", body)
    assert reply == {"data": [{"starting_at": "2025-03-01T00:00:00+00:00", "value": value}]}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"name": " "}, ["schedule_name"], id="no name"),
        pytest.param({"starting_at": MARCH.replace(minute=30)}, ["starting_at"], id="off the hour"),
        pytest.param({"starting_at": MAY, "ending_before": MAY}, ["ending_before"], id="an empty range"),
        pytest.param({"value": "x" * 65_535}, ["value"], id="a value too long"),
        pytest.param({"value": nested(33)}, ["value"], id="a value nested too deeply"),
    ],
)
def test_a_schedule_is_refused_by_field(write, changes, fields):
    with pytest.raises(Refusal) as refusal:
        write(**{"value": 1} | changes)
    assert [error.field for error in refusal.value.errors] == fields
    assert not NamedScheduleSegment.objects.exists()


def test_the_longest_and_deepest_value_is_kept(card, write):
    for value in ("x" * 65_534, nested(32)):
        write(value)
        assert queries.named_schedule(card, "regions", covering=MAY)[0].value == value


def test_a_schedule_is_of_a_card_that_is_there(told):
    with pytest.raises(NotFound):
        services.update_named_schedule(uuid7(), "regions", 1, starting_at=MARCH, **told)
