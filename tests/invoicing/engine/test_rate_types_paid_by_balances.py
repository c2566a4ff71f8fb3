"""Every type of rate on a document of which a balance pays a part."""

from fractions import Fraction as F

import pytest

from billing_site.foundation.periods import Period
from pricing.engine.catalog import Conversion, Rounding
from pricing.engine.overrides import MultiplierTier
from pricing.engine.targets import Target
from pricing.engine.tariffs import flat
from tests.invoicing.engine.one_product import TEN_THEN_EIGHT, A, a, at_list, october, rows
from tests.invoicing.engine.world import (
    D,
    on,
    override,
    package,
    prepaid,
    product,
    rate,
    read,
    tiers,
    uid,
    used,
)


def test_16_units_at_a_commit_rate():
    """List 10, commit rate 8, a commit of 80: 10 units at 8 are covered, 6 at 10 are not: 60 to pay, not 80."""
    document = october(
        a(5, 16), rates=[rate("A", "10", commit_tariff=flat(D(8)))], commits=[prepaid("80", rate_type="COMMIT_RATE")]
    )
    assert rows(document) == [("10", "8", "80", "PREPAID"), ("", "", "-80", "PREPAID"), ("6", "10", "60", "")]
    assert document.total == 60
    assert [part.charged for line in document.lines for part in line.parts] == ["COMMIT_RATE", "LIST_RATE"]


def test_a_package_of_which_a_balance_pays_a_part():
    """12, or 10 at commit rate; a balance of 4: 4 covered, 0.6 x 12 = 7.2 to pay."""
    rates = [at_list(package("12", "10"), commit_tariff=package("10", "10"))]
    document = october(a(5, 7), rates=rates, commits=[prepaid("4", rate_type="COMMIT_RATE")])
    assert rows(document) == [
        ("0.4", "10", "4", "PREPAID"),
        ("", "", "-4", "PREPAID"),
        ("0.6", "12", "7.2", ""),
    ]
    assert document.total == D("7.2")


def test_the_table_of_takes():
    rates = [at_list(package("12", "10"), commit_tariff=package("10", "10"))]
    commits = [
        prepaid(amount, name=name, priority=D(rank), rate_type="COMMIT_RATE")
        for rank, (name, amount) in enumerate([("A", "4"), ("B", "13")])
    ]
    document = october(a(5, 15), rates=rates, commits=commits)
    assert rows(document) == [
        ("0.4", "10", "4", "PREPAID"),
        ("", "", "-4", "PREPAID"),
        ("1.3", "10", "13", "PREPAID"),
        ("", "", "-13", "PREPAID"),
        ("0.3", "12", "3.6", ""),
    ]
    assert sum(part.metric_quantity for line in document.lines for part in line.parts) == 15


def test_who_is_spent_passes_on_the_share_of_a_package_that_is_left():
    """Packages of 10 at 12, and 15 units. Those of the first package are free while A pays.

    asked    what is left                          has             pays
    A        0 to 15                               1/3 of the 2nd  4
    B        0 to 10; 10 to 15, share 2/3          5/12 of the 1st 5, and is spent
    nobody   0 to 10, share 7/12; 10 to 15, share 2/3              7 + 8
    """
    first_free = override(
        tiers=(MultiplierTier(D(0), D(10)),),
        is_commit_specific=True,
        targets=(Target(commit_ids=frozenset([uid("A's")])),),
        priority=D(1),
    )
    commits = [prepaid("4", name="A's", priority=D(1)), prepaid("5", name="B's", priority=D(2))]
    rates = [at_list(package("12", "10"))]
    document = october(a(5, 15), rates=rates, commits=commits, overrides=(first_free,), prioritization="EXPLICIT")
    assert [(total, payer) for quantity, _, total, payer in rows(document) if quantity] == [
        ("4", "PREPAID"),
        ("5", "PREPAID"),
        ("15", ""),
    ]


@pytest.mark.parametrize(
    ("left", "lines"),
    [
        pytest.param("3", [("0", "10", "3", "PREPAID"), ("", "", "-3", "PREPAID"), ("8", "20", "163.6", "")],
                     id="3 of 5 of the fee: 0.4 x 9 go on"),
        pytest.param("5", [("0", "10", "5", "PREPAID"), ("", "", "-5", "PREPAID"), ("8", "20", "160", "")],
                     id="the fee alone"),
        pytest.param("35", [("3", "10", "35", "PREPAID"), ("", "", "-35", "PREPAID"), ("5", "20", "100", "")],
                     id="the fee and 3 units"),
        pytest.param("85", [("8", "10", "85", "PREPAID"), ("", "", "-85", "PREPAID")], id="all of it, to the cent"),
    ],
)  # fmt: skip
def test_an_entry_fee_of_which_a_balance_pays_a_part(left, lines):
    """List: 20 a unit and a fee of 9. Commit rate: 10 a unit and a fee of 5. 8 units."""
    rates = [at_list(tiers(("20", "", "9")), commit_tariff=tiers(("10", "", "5")))]
    assert rows(october(a(5, 8), rates=rates, commits=[prepaid(left, rate_type="COMMIT_RATE")])) == lines


def test_a_rounding_step_of_which_a_balance_pays_a_part():
    """Boxes of 10, rounded up: 4 metered are one box, at 10 for the balance of 4, the rest of it at 12."""
    boxes = product("A", conversion=Conversion(D(10), "DIVIDE"), rounding=Rounding(0, "ROUND_UP"))
    rates = [rate("A", "12", commit_tariff=flat(D(10)))]
    document = october(a(5, 4), rates=rates, products=[boxes], commits=[prepaid("4", rate_type="COMMIT_RATE")])
    assert rows(document) == [
        ("0.4", "10", "4", "PREPAID"),
        ("", "", "-4", "PREPAID"),
        ("0.6", "12", "7.2", ""),
    ]


def test_tiers_are_counted_alike_at_list_price_and_commit_rate():
    """The balance has the first 60 units at commit rate, so unit 101 is the first of the second tier at list price."""
    rates = [at_list(TEN_THEN_EIGHT, commit_tariff=tiers(("5", "100"), ("4",)))]
    document = october(a(5, 60), a(6, 60), rates=rates, commits=[prepaid("300", rate_type="COMMIT_RATE")])
    assert rows(document) == [
        ("60", "5", "300", "PREPAID"),
        ("", "", "-300", "PREPAID"),
        ("40", "10", "400", ""),
        ("20", "8", "163", ""),
    ]


def test_free_units_pass_a_balance_by():
    """The first 50 are free: they draw nothing, and in whatever hours they come the balance pays for the same 10."""
    rates = [at_list(tiers(("0", "50"), ("2",)))]
    for events in ([a(5, 60)], [a(5, 30), a(6, 30)], [a(5, 50), a(5, 10, 6)]):
        assert rows(october(*events, rates=rates, commits=[prepaid("30")])) == [
            ("10", "2", "20", "PREPAID"),
            ("", "", "-20", "PREPAID"),
            ("50", "0", "0", ""),
        ]


def test_a_balance_at_a_free_commit_rate_passes_by_a_package_of_which_a_part_is_paid():
    """A pays 4 of 12; at B's commit rate packages are free, so B takes nothing: 8 to pay, not 12."""
    rates = [at_list(package("12", "10"), commit_tariff=package("0", "10"))]
    commits = [prepaid("4", name="A", priority=D(1)), prepaid("100", name="B", priority=D(2), rate_type="COMMIT_RATE")]
    document = october(a(5, 7), rates=rates, commits=commits)
    assert [row for row in rows(document) if row[3] == ""] == [("0.666666666667", "12", "8", "")]
    assert [entry.amount for entry in document.entries] == [-4]


def test_a_balance_that_runs_out_before_a_tier_leaves_its_fee_to_be_paid():
    """10 for 10 units, then 8 and a fee of 5; a balance of 60 has 6 of 15 units."""
    rates = [at_list(tiers(("10", "10"), ("8", "", "5")))]
    document = october(a(5, 15), rates=rates, commits=[prepaid("60")])
    assert rows(document) == [
        ("6", "10", "60", "PREPAID"),
        ("", "", "-60", "PREPAID"),
        ("4", "10", "40", ""),
        ("5", "8", "45", ""),
    ]


def test_the_rest_of_a_package_goes_with_it():
    """A later hour within a package that was begun costs nothing, and is no line of its own."""
    rates = [at_list(package("12", "10"))]
    assert rows(october(a(5, 3), a(6, 4), rates=rates, commits=[prepaid("12")])) == [
        ("1", "12", "12", "PREPAID"),
        ("", "", "-12", "PREPAID"),
    ]


def test_a_balance_that_comes_out_even_with_a_fee_leaves_what_follows():
    """The fee of 20 stands for 50 units; it uses the balance up, so the 30 of the next hour are nobody's."""
    rates = [at_list(tiers(("0", "50", "20"), ("1",)))]
    assert rows(october(a(5, 20), a(6, 30), rates=rates, commits=[prepaid("20")])) == [
        ("20", "0", "20", "PREPAID"),
        ("", "", "-20", "PREPAID"),
        ("30", "0", "0", ""),
    ]


def test_a_balance_of_units_takes_units_whatever_they_would_have_cost():
    """20 units: the first 15 of the first tier at 10 with its fee; the other 5 of 8 each with theirs... all but 3."""
    rates = [at_list(tiers(("10", "15", "5"), ("8", "", "3")))]
    document = october(a(5, 20), rates=rates, commits=[prepaid("17", access_type="QUANTITY")])
    assert rows(document) == [
        ("15", "10", "155", "PREPAID"),
        ("", "", "-155", "PREPAID"),
        ("2", "8", "19", "PREPAID"),
        ("", "", "-19", "PREPAID"),
        ("3", "8", "24", ""),
    ]
    assert document.total == 24
    assert [line.quantity_consumed for line in document.lines] == [None, 15, None, 2, None]
    assert [entry.amount for entry in document.entries] == [-17]


def test_a_balance_of_units_takes_packages_by_their_units():
    document = october(a(5, 25), rates=[at_list(package("12", "10"))], commits=[prepaid("12", access_type="QUANTITY")])
    assert rows(document) == [("2", "12", "24", "PREPAID"), ("", "", "-24", "PREPAID"), ("1", "12", "12", "")]
    assert [line.quantity_consumed for line in document.lines] == [None, 12, None]


def test_a_balance_of_units_takes_the_rest_of_a_jump_with_its_unit():
    commits = [prepaid("4", name="money", priority=D(1)), prepaid("1", name="units", access_type="QUANTITY")]
    document = october(a(5, 3), rates=[at_list(package("12", "10"))], commits=commits)
    assert [(line[0], line[1], line[2]) for line in rows(document)] == [
        ("0.333333333333", "12", "4"),
        ("", "", "-4"),
        ("0.666666666667", "12", "8"),
        ("", "", "-8"),
    ]
    assert document.total == 0


def test_usage_below_zero_undoes_the_last_units_with_their_jumps():
    """130 units, then 40 back: unit 101 and up are undone with the fee of their tier, and 10 of the first tier."""
    rates = [at_list(TEN_THEN_EIGHT)]
    document = october(a(5, 130), a(6, -40), rates=rates, commits=[prepaid("2000")])
    assert rows(document) == [("90", "10", "905", "PREPAID"), ("", "", "-905", "PREPAID")]
    packages = october(a(5, 21), a(6, -1), a(7, -5), a(8, 5), rates=[at_list(package("12", "10"))])
    assert rows(packages) == [("2", "12", "24", "")]


def test_undone_shares_of_a_jump_go_back_to_who_paid_them():
    """A has 4 of the package's 12, nobody the rest. What is taken back gives A its 4 again, for another product."""
    rates = [at_list(package("12", "10")), rate("B", "1")]
    events = [a(5, 3), a(6, -3), used("B", on(10, 7), 9)]
    document = october(*events, rates=rates, products=[A, product("B")], commits=[prepaid("4")])
    assert rows(document) == [
        ("0", "12", "0", ""),
        ("4", "1", "4", "PREPAID"),
        ("", "", "-4", "PREPAID"),
        ("5", "1", "5", ""),
    ]


def test_the_dearer_next_unit_goes_first():
    """B is at 9; A is at 10 for its first 5 units and at 1 then. In the second hour B is the dearer one."""
    rates = [at_list(tiers(("10", "5"), ("1",))), rate("B", "9")]
    events = [a(5, 5), used("B", on(10, 5, 5), 1), a(5, 5, 6), used("B", on(10, 5, 6), 1)]
    document = october(*events, rates=rates, products=[A, product("B")], commits=[prepaid("68")])
    assert [line for line in rows(document) if line[3] == ""] == [("5", "1", "5", "")]


def test_commit_specific_overrides_hold_while_their_balance_pays():
    paid = prepaid("30", name="paid", priority=D(1))
    other = prepaid("30", name="other", priority=D(2))
    half = override(
        "0.5", is_commit_specific=True, targets=(Target(product_id=uid("A"), commit_ids=frozenset({paid.id})),)
    )
    document = october(a(5, 12), rates=[rate("A", "10")], commits=[paid, other], overrides=(half,))
    assert rows(document) == [
        ("6", "5", "30", "PREPAID"),
        ("", "", "-30", "PREPAID"),
        ("3", "10", "30", "PREPAID"),
        ("", "", "-30", "PREPAID"),
        ("3", "10", "30", ""),
    ]
    assert [part.override_id for line in document.lines for part in line.parts] == [half.id, None, None]


def test_a_commit_rate_holds_for_the_window_of_the_balance():
    rates = [rate("A", "10", commit_tariff=flat(D(8)))]
    late = prepaid("999", on(10, 10), on(10, 20), rate_type="COMMIT_RATE")
    document = october(a(5, 1), a(15, 1), a(25, 1), rates=rates, commits=[late])
    assert [(line[1], *line[2:5]) for line in read(document)] == [
        ("01 Oct - 10 Oct", "1", "10", "10"),
        ("10 Oct - 20 Oct", "1", "8", "8"),
        ("10 Oct - 20 Oct", "", "", "-8"),
        ("20 Oct - 01 Nov", "1", "10", "10"),
    ]


def test_thirds_of_packages_and_tiers_add_up():
    thirds = product("A", conversion=Conversion(D(3), "DIVIDE"), presentation_group_key=("region",))
    rates = [at_list(tiers(("1", "0.5", "0.1"), ("0.7",)))]
    events = [a(5, 2, region=region) for region in ("eu", "us", None)]
    document = october(*events, rates=rates, products=[thirds], commits=[prepaid("1")])
    assert document.total == sum(line.total for line in document.lines if line.counts)
    each = F(1, 10) + F(1, 2) + F(1, 6) * F(7, 10)
    assert abs(F(document.total) - (3 * each - 1)) < F(1, 10**11)


def test_a_line_has_the_time_of_its_price_around_it():
    """Nothing was used before the 10th, but the price was the same; from the 20th on it is another."""
    rates = [at_list(TEN_THEN_EIGHT), at_list(tiers(("1",)), starting_at=on(10, 20), publication=2)]
    again = at_list(tiers(("10", "100", "5"), ("8", "", "3")), starting_at=on(10, 3), publication=2)
    document = october(a(15, 5), rates=[*rates, again])
    assert document.lines[0].period == Period(on(10, 1), on(10, 20))


def test_an_unused_product_has_a_line_at_its_first_price():
    (line,) = october(rates=[at_list(TEN_THEN_EIGHT)]).lines
    assert (line.quantity, line.unit_price, line.total, line.level.number, line.flat_fee) == (0, 10, 0, 1, None)


def test_a_balance_of_units_is_drawn_within_a_package_that_another_began():
    """Nobody's hour begins the package; the unit of the next hour costs nothing, and is one of the balance's all the
    same."""
    units = prepaid("5", on(10, 6), access_type="QUANTITY")
    document = october(a(5, 3), a(6, 1), rates=[at_list(package("12", "10"))], commits=[units])
    assert rows(document) == [
        ("1", "12", "12", ""),
        ("0", "12", "0", "PREPAID"),
        ("", "", "0", "PREPAID"),
    ]
    assert [line.quantity_consumed for line in document.lines] == [None, None, 1]
    assert [entry.amount for entry in document.entries] == [-1]
