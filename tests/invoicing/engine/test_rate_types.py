"""Every type of rate on a document that nobody else pays."""

import pytest

from pricing.engine.catalog import Conversion
from pricing.engine.overrides import EXPLICIT, MultiplierTier
from pricing.engine.targets import Target
from pricing.engine.tariffs import flat
from tests.invoicing.engine.one_product import TEN_THEN_EIGHT, A, a, at_list, october, rows
from tests.invoicing.engine.world import (
    D,
    card,
    computed,
    contract,
    given,
    on,
    override,
    package,
    prepaid,
    product,
    tiers,
    uid,
    used,
    volume,
)


@pytest.mark.parametrize("by", [1, 2, 5, 13], ids=lambda days: f"in {days} parts")
@pytest.mark.parametrize(
    ("tariff", "quantity", "lines"),
    [
        pytest.param(TEN_THEN_EIGHT, 65, [("65", "10", "655", "")], id="tiered, the first tier"),
        pytest.param(
            TEN_THEN_EIGHT, 130, [("100", "10", "1,005", ""), ("30", "8", "243", "")], id="tiered, two tiers"
        ),
        pytest.param(package("12", "10"), 65, [("7", "12", "84", "")], id="package"),
        pytest.param(package("12", "10"), 130, [("13", "12", "156", "")], id="package, whole ones"),
        pytest.param(volume(("10", "100"), ("8", "", "7")), 65, [("65", "10", "650", "")], id="volume, low"),
        pytest.param(volume(("10", "100"), ("8", "", "7")), 130, [("130", "8", "1,047", "")], id="volume, high"),
        pytest.param(volume(("10", "130"), ("8", "", "7")), 130, [("130", "10", "1,300", "")], id="volume, the bound"),
        pytest.param(tiers(("0", "50", "20"), ("1",)), 65, [("50", "0", "20", ""), ("15", "1", "15", "")], id="stairs"),
    ],
)  # fmt: skip
def test_a_month_costs_the_same_in_whatever_parts_it_comes(tariff, quantity, lines, by):
    events = [a(1 + number, D(quantity) / by if quantity % by else quantity // by) for number in range(by)]
    assert rows(october(*events, rates=[at_list(tariff)])) == lines


def test_the_tier_is_on_the_line_with_its_fee():
    document = october(a(5, 130), rates=[at_list(TEN_THEN_EIGHT)])
    assert [(line.level.number, line.level.above, line.level.size, line.flat_fee) for line in document.lines] == [
        (1, 0, 100, 5),
        (2, 100, None, 3),
    ]
    (first,), (second,) = (line.parts for line in document.lines)
    assert (first.above, first.upto, first.fee, first.amount) == (0, 100, 5, 1005)
    assert (second.above, second.upto, second.fee, second.amount) == (100, 130, 3, 243)
    assert (second.rate_type, second.charged, second.list_price, second.list_amount) == ("TIERED", "LIST_RATE", 8, 243)


def test_packages_and_volume_say_what_they_are_counted_by():
    (line,) = october(a(5, 65), rates=[at_list(package("12", "10"))]).lines
    assert (line.package_size, line.level, line.parts[0].package_size) == (10, None, 10)
    assert (line.parts[0].above, line.parts[0].upto, line.parts[0].metric_quantity) == (0, 65, 65)
    (line,) = october(a(5, 130), rates=[at_list(volume(("10", "100"), ("8", "", "7")))]).lines
    assert (line.level.number, line.level.above, line.flat_fee, line.parts[0].period_quantity) == (2, 100, 7, 130)


def test_the_counter_runs_on_over_changes_of_price_and_type():
    """60 at 10 (fee 5); 100 more after a change of prices, of which 40 are in the first tier; then packages of 50:
    units 161 to 180 are in the one begun at 150, so it takes 201 to begin another."""
    rates = [
        at_list(TEN_THEN_EIGHT),
        at_list(tiers(("20", "100", "9"), ("16", "", "4")), starting_at=on(10, 10), publication=2),
        at_list(package("7", "50"), starting_at=on(10, 20), publication=3),
        at_list(flat(D(1)), starting_at=on(10, 25), publication=4),
    ]
    document = october(a(5, 60), a(15, 100), a(21, 20), a(22, 21), a(26, 5), rates=rates)
    assert rows(document) == [
        ("60", "10", "605", ""),
        ("40", "20", "800", ""),
        ("60", "16", "964", ""),
        ("1", "7", "7", ""),
        ("5", "1", "5", ""),
    ]
    assert sum(part.metric_quantity for line in document.lines for part in line.parts) == 206


def test_units_inside_a_package_that_began_at_another_price_are_told_where_it_began():
    """3 at 10; from the 20th on packages of ten, of which the first has begun, so that 4 more cost nothing."""
    rates = [at_list(flat(D(10))), at_list(package("12", "10"), starting_at=on(10, 20), publication=3)]
    (line,) = october(a(5, 3), a(25, 4), rates=rates).lines
    assert (line.total, [part.metric_quantity for part in line.parts]) == (30, [3, 4])


def test_counters_are_kept_by_group_values_and_restart_with_the_run():
    split = product("A", pricing_group_key=("model",), presentation_group_key=("region",))
    sold_in_tens = product(
        "A",
        starting_at=on(10, 20),
        publication=2,
        pricing_group_key=("model",),
        presentation_group_key=("region",),
        conversion=Conversion(D(10), "DIVIDE"),
    )
    rates = [at_list(tiers(("10", "8"), ("1",)), values=(("model", model),)) for model in ("s", "m")]
    events = [a(5, 10, model=model, region=region) for model in ("s", "m") for region in ("eu", "us")]
    document = october(*events, a(25, 100, model="s", region="eu"), rates=rates, products=[split, sold_in_tens])
    in_tiers = [("8", "10", "80", ""), ("2", "1", "2", "")]
    assert rows(document) == [*in_tiers * 2, *in_tiers, *in_tiers * 2][:10]
    assert document.total == 5 * 82


def test_a_new_month_begins_to_count_anew():
    inputs = given(on(11, 30), [contract()], [card(at_list(TEN_THEN_EIGHT))], [A])
    events = [used("A", on(month, 5), 65) for month in (10, 11)]
    assert [document.total for document in computed(inputs, events).documents] == [655, 655]


def test_the_volume_is_that_of_the_period_and_each_part_is_priced_by_its_own_rate():
    """120 in all: the second tier of both rates. The fee is that of the rate in force with the first usage."""
    rates = [
        at_list(volume(("10", "100"), ("8", "", "7"))),
        at_list(volume(("10", "50"), ("4", "60", "2"), ("3", "", "1")), starting_at=on(10, 10), publication=2),
    ]
    assert rows(october(a(5, 60), a(15, 60), rates=rates)) == [("60", "8", "487", ""), ("60", "3", "180", "")]
    assert rows(october(a(15, 120), rates=rates)) == [("120", "3", "361", "")]


def test_volume_counts_what_is_priced_and_what_is_left_of_it():
    """40 are taken back, and 100 are not part of the deal before the 10th: 90 are left."""
    by_volume = volume(("10", "100"), ("8",))
    rates = [at_list(by_volume), at_list(by_volume, ending_before=on(10, 10), publication=2, entitled=False)]
    events = [a(5, 100), a(15, 130), a(16, -40)]
    assert rows(october(*events, rates=rates)) == [("90", "10", "900", "")]


def test_volume_of_a_contract_of_its_own_and_at_a_commit_rate():
    own = override(tariff=volume(("3", "10"), ("2",)), targets=(Target(product_id=uid("A")),))
    assert rows(october(a(5, 12), rates=[at_list(flat(D(10)))], overrides=(own,))) == [("12", "2", "24", "")]
    by_volume = at_list(flat(D(10)), commit_tariff=volume(("3", "10"), ("2",)))
    document = october(a(5, 12), rates=[by_volume], commits=[prepaid("10", rate_type="COMMIT_RATE")])
    assert rows(document) == [
        ("5", "2", "10", "PREPAID"),
        ("", "", "-10", "PREPAID"),
        ("7", "10", "70", ""),
    ]


@pytest.mark.parametrize(
    ("tariff", "terms", "lines"),
    [
        pytest.param(
            flat(D(10)),
            {"tiers": (MultiplierTier(D("0.5"), D(60)),)},
            [("60", "5", "300", ""), ("70", "10", "700", "")],
            id="half for 60, then list",
        ),
        pytest.param(
            TEN_THEN_EIGHT,
            {"tiers": (MultiplierTier(D("0.5"), D(60)), MultiplierTier(D(2)))},
            [("60", "5", "302.5", ""), ("40", "20", "800", ""), ("30", "16", "486", "")],
            id="over tiers",
        ),
        pytest.param(TEN_THEN_EIGHT, {"multiplier": "0.5"}, [("100", "5", "502.5", ""), ("30", "4", "121.5", "")],
                     id="a multiplier, fees included"),
        pytest.param(package("12", "10"), {"multiplier": "0.5"}, [("13", "6", "78", "")], id="packages at half"),
        pytest.param(
            package("12", "10"),
            {"tiers": (MultiplierTier(D("0.5"), D(25)),)},
            [("3", "6", "18", ""), ("10", "12", "120", "")],
            id="half for 25 units: three packages begin",
        ),
        pytest.param(volume(("10", "100"), ("8", "", "7")), {"multiplier": "0.5"}, [("130", "4", "523.5", "")],
                     id="volume at half"),
        pytest.param(flat(D(10)), {"tariff": TEN_THEN_EIGHT}, [("100", "10", "1,005", ""), ("30", "8", "243", "")],
                     id="tiers instead of a price"),
    ],
)  # fmt: skip
def test_overrides_of_every_kind(tariff, terms, lines):
    own = override(priority=D(1), **terms)
    events = [a(1 + number, 13) for number in range(10)]
    document = october(*events, rates=[at_list(tariff)], overrides=(own,), prioritization=EXPLICIT)
    assert rows(document) == lines
    assert document.lines[0].parts[0].override_id == own.id
