"""Design rule 4: which rate holds, among those that are published and not withdrawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from pricing.engine.catalog import ProductVersion, Rate, RateCard
from pricing.engine.products import name_at, runs, version_in_force
from pricing.engine.rates import price_changes, rate_in_force
from pricing.engine.tariffs import flat

USD = Unit(derived_id("USD"), "USD (cents)", 2, 2)
CALLS = derived_id("API calls")
XL = (("model", "xl"),)


def day(of_month: int, hour: int = 0) -> datetime:
    return datetime(2025, 10, of_month, hour, tzinfo=UTC)


def rate(
    price: str, starting_at: datetime, ending_before: datetime | None = None, publication: int = 1, **more
) -> Rate:
    plain = Rate(
        id=derived_id(price, starting_at, publication, sorted(more.items())),
        product_id=CALLS,
        values=(),
        starting_at=starting_at,
        ending_before=ending_before,
        entitled=True,
        tariff=flat(Decimal(price)),
        unit=USD,
        publication=publication,
        published_at=day(1),
        published_by="someone",
    )
    return replace(plain, **more)


def card(*rates: Rate) -> RateCard:
    return RateCard(derived_id("card"), "List", USD, rates, (CALLS,))


def price(card_: RateCard, at: datetime, values=(), frequency="") -> str | None:
    found = rate_in_force(card_, CALLS, values, at, frequency)
    return None if found is None else str(found.tariff.price)


LIST = card(
    rate("1", day(1)),
    rate("2", day(10), publication=2),
    rate("3", day(5), day(8), publication=3),
    rate("4", day(10), day(12), publication=4),
    rate("5", day(4), publication=5),
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(day(1) - timedelta(microseconds=1), None, id="before the first rate"),
        pytest.param(day(1), "1", id="from its first instant"),
        pytest.param(day(4), "5", id="the later start supersedes"),
        pytest.param(day(5), "3", id="even if it was published earlier"),
        pytest.param(day(8), "5", id="what ends uncovers what it superseded"),
        pytest.param(day(10), "4", id="of the same start, the later publication"),
        pytest.param(day(12) - timedelta(microseconds=1), "4", id="up to its end"),
        pytest.param(day(12), "2", id="and not including it"),
        pytest.param(datetime(2125, 1, 1, tzinfo=UTC), "2", id="for good"),
    ],
)
def test_the_rate_in_force(at, expected):
    assert price(LIST, at) == expected


def test_keys_do_not_mix():
    card_ = card(
        rate("1", day(1)),
        rate("2", day(1), values=XL),
        rate("3", day(1), billing_frequency="MONTHLY"),
        rate("4", day(1), product_id=derived_id("another")),
    )
    assert [price(card_, day(2)), price(card_, day(2), XL), price(card_, day(2), (), "MONTHLY")] == ["1", "2", "3"]
    assert price(card_, day(2), (("model", None),)) is None


def test_the_order_on_the_card_changes_nothing():
    backwards = card(*reversed(LIST.rates))
    instants = [day(1) + timedelta(hours=hour) for hour in range(24 * 14)]
    assert [price(backwards, at) for at in instants] == [price(LIST, at) for at in instants]


spans = st.tuples(st.integers(1, 20), st.integers(0, 10), st.integers(1, 100))


@given(st.lists(spans, max_size=12, unique_by=lambda span: span[2]), st.integers(0, 24))
def test_it_is_the_greatest_start_and_publication_among_those_that_hold(given_spans, at):
    rates = [
        rate(str(publication), day(start), day(start + length) if length else None, publication)
        for start, length, publication in given_spans
    ]
    instant = day(1) + timedelta(days=at)
    holding = [r for r in rates if r.starting_at <= instant and (r.ending_before is None or instant < r.ending_before)]
    expected = max(holding, key=lambda r: (r.starting_at, r.publication), default=None)
    assert rate_in_force(card(*rates), CALLS, (), instant) is expected


def test_every_start_and_end_is_a_price_change():
    assert set(price_changes(LIST)) == {day(1), day(4), day(5), day(8), day(10), day(12)}


def version(name: str, starting_at: datetime | None, publication: int, **more) -> ProductVersion:
    plain = ProductVersion(CALLS, "USAGE", name, starting_at, publication, metric_id=derived_id("metric"))
    return replace(plain, **more)


VERSIONS = (version("first", None, 1), version("third", day(20), 2), version("second", day(10), 3))


@pytest.mark.parametrize(
    ("at", "expected"), [(datetime(1970, 1, 1, tzinfo=UTC), "first"), (day(10), "second"), (day(25), "third")], ids=str
)
def test_the_definition_in_force(at, expected):
    found = version_in_force(VERSIONS, at)
    assert found is not None
    assert (found.name, name_at(VERSIONS, at)) == (expected, expected)


def test_of_two_definitions_of_one_day_the_later_publication_holds():
    found = version_in_force((*VERSIONS, version("corrected", day(10), 4)), day(11))
    assert found is not None
    assert found.name == "corrected"


def test_a_name_or_a_tag_does_not_begin_a_new_run_and_a_metric_does():
    versions = (
        version("A", None, 1),
        version("B", day(5), 2, tags=("new",)),
        version("B", day(10), 3, metric_id=derived_id("another metric")),
        version("B", day(15), 4),
    )
    found = runs(versions, day(2), day(20))
    assert [(run.starting_at, run.ending_before, len(run.reigns)) for run in found] == [
        (day(2), day(10), 2),
        (day(10), day(15), 1),
        (day(15), day(20), 1),
    ]


def test_before_its_first_definition_a_product_counts_nothing():
    assert [(run.starting_at, run.ending_before) for run in runs((version("A", day(5), 1),), day(2), day(9))] == [
        (day(5), day(9))
    ]
    assert runs((version("A", day(5), 1),), day(2), day(5)) == []
