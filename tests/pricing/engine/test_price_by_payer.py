"""The price depends on who pays: commit rates, and overrides that hold only while a balance pays."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.overrides import (
    COMMIT_RATE,
    EXPLICIT,
    LIST_RATE,
    LOWEST_MULTIPLIER,
    LosingOverride,
    MultiplierTier,
    Override,
    Payer,
)
from pricing.engine.prices import Price, Unpriced, price_at
from pricing.engine.targets import Offer, Target
from pricing.engine.tariffs import Tariff, Tier, flat

AT = datetime(2025, 10, 15, tzinfo=UTC)
USD = Unit(derived_id("USD"), "USD (cents)", 2, 2)
TOKENS = derived_id("tokens")
OFFER = Offer(TOKENS, ("ai",), (), ())
COMMIT, OTHER = derived_id("commit"), derived_id("other")
AT_LIST, AT_COMMIT_RATE = Payer(COMMIT, LIST_RATE), Payer(COMMIT, COMMIT_RATE)


def override(name: str, **terms) -> Override:
    kind = "OVERWRITE" if "tariff" in terms else "TIERED" if "tiers" in terms else "MULTIPLIER"
    return replace(Override(derived_id(name), kind, Period(datetime(2025, 1, 1, tzinfo=UTC)), (), 1, 0), **terms)


def specific(name: str, *commit_ids, **terms) -> Override:
    targets = (Target(product_tags=("ai",), commit_ids=frozenset(commit_ids)),)
    return override(name, is_commit_specific=True, targets=targets, **terms)


def card(price="10", commit_price="8", **terms) -> RateCard:
    plain = Rate(
        id=derived_id("rate"),
        product_id=TOKENS,
        values=(),
        starting_at=datetime(2025, 1, 1, tzinfo=UTC),
        ending_before=None,
        entitled=True,
        tariff=flat(D(price)),
        unit=USD,
        publication=1,
        published_at=AT,
        published_by="someone",
        commit_tariff=None if commit_price is None else flat(D(commit_price)),
    )
    return RateCard(derived_id("card"), "List", USD, (replace(plain, **terms),), (TOKENS,))


def priced(*overrides, payer=None, scheme=LOWEST_MULTIPLIER, on=None) -> Price:
    found = price_at(on or card(), OFFER, AT, overrides=overrides, prioritization=scheme, payer=payer)
    assert isinstance(found, Price)
    return found


HALF = override("half", multiplier=D("0.5"))
OWN = override("own price", tariff=flat(D(3)))
QUARTER = specific("quarter", COMMIT, multiplier=D("0.25"))
OWN_WHILE = specific("own while it pays", COMMIT, tariff=flat(D(1)))
OF_COMMIT_RATE = specific("of the commit rate", COMMIT, multiplier=D("0.5"), target=COMMIT_RATE)


@pytest.mark.parametrize(
    ("payer", "commit_price", "charged", "price", "holds"),
    [
        pytest.param(None, "8", LIST_RATE, 5, "half", id="nobody"),
        pytest.param(AT_LIST, "8", LIST_RATE, D("2.5"), "quarter", id="at list rate"),
        pytest.param(AT_COMMIT_RATE, "8", COMMIT_RATE, 4, "of the commit rate", id="at commit rate"),
        pytest.param(AT_COMMIT_RATE, None, LIST_RATE, D("2.5"), "quarter", id="at a commit rate that there is not"),
        pytest.param(Payer(OTHER, LIST_RATE), "8", LIST_RATE, 5, "half", id="another balance"),
        pytest.param(Payer(OTHER, COMMIT_RATE), "8", COMMIT_RATE, 8, None, id="another balance at commit rate"),
    ],
)
def test_the_table_of_who_pays(payer, commit_price, charged, price, holds):
    found = priced(HALF, QUARTER, OF_COMMIT_RATE, payer=payer, on=card("10", commit_price))
    assert (found.charged, found.unit_price) == (charged, price)
    assert (found.override and found.override.id) == (holds and derived_id(holds))


@pytest.mark.parametrize(
    ("overrides", "winner", "reasons"),
    [
        pytest.param(
            [OWN, HALF, QUARTER, OWN_WHILE],
            "own while it pays",
            {
                "quarter": "An overwritten price goes before multipliers.",
                "own price": "One for the balance that pays goes before those that hold whoever pays.",
                "half": "One for the balance that pays goes before those that hold whoever pays.",
            },
            id="1 a commit-specific price",
        ),
        pytest.param(
            [OWN, HALF, QUARTER],
            "quarter",
            {
                "own price": "One for the balance that pays goes before those that hold whoever pays.",
                "half": "One for the balance that pays goes before those that hold whoever pays.",
            },
            id="2 a commit-specific multiplier",
        ),
        pytest.param(
            [OWN, HALF], "own price", {"half": "An overwritten price goes before multipliers."}, id="3 a price"
        ),
        pytest.param([HALF], "half", {}, id="4 a multiplier"),
        pytest.param([], None, {}, id="5 the list"),
    ],
)
def test_the_order_of_overrides(overrides, winner, reasons):
    for given in (overrides, overrides[::-1]):
        found = priced(*given, payer=AT_LIST)
        assert (found.override and found.override.id) == (winner and derived_id(winner))
        assert {lost.id: lost.reason for lost in found.losing_overrides} == {
            derived_id(name): reason for name, reason in reasons.items()
        }


def test_schemes_rank_commit_specific_multipliers_too():
    low, first = replace(QUARTER, priority=D(2)), specific("first", COMMIT, multiplier=D("0.9"), priority=D(1))
    assert priced(low, first, payer=AT_LIST).override == low
    chosen = priced(low, first, payer=AT_LIST, scheme=EXPLICIT)
    assert chosen.override == first
    assert chosen.losing_overrides == (LosingOverride(low.id, "One with a lower priority number holds."),)


def test_why_one_on_the_other_tariff_does_not_hold():
    on_list = "It changes the list price, and the commit rate is charged while this balance pays."
    on_commit = "It changes the commit rate, and the list price is charged."
    assert priced(HALF, payer=AT_COMMIT_RATE).losing_overrides == (LosingOverride(HALF.id, on_list),)
    assert priced(OF_COMMIT_RATE, payer=AT_LIST).losing_overrides == (LosingOverride(OF_COMMIT_RATE.id, on_commit),)
    assert priced(OF_COMMIT_RATE).losing_overrides == (), "nobody pays: it is out of the question"


def test_one_that_names_no_balance_holds_while_any_pays():
    any_balance = specific("any", multiplier=D("0.1"))
    without_targets = override("bare", is_commit_specific=True, multiplier=D("0.1"))
    for each in (any_balance, without_targets):
        assert priced(each, payer=Payer(OTHER)).unit_price == 1
        assert priced(each).unit_price == 10


def test_the_target_that_covers_the_offer_has_to_name_the_balance():
    elsewhere = Target(product_id=derived_id("another"), commit_ids=frozenset({COMMIT}))
    here = Target(product_id=TOKENS, commit_ids=frozenset({OTHER}))
    mixed = override("mixed", is_commit_specific=True, multiplier=D("0.1"), targets=(elsewhere, here))
    assert priced(mixed, payer=AT_LIST).unit_price == 10
    assert priced(mixed, payer=Payer(OTHER)).unit_price == 1


def test_multiples_by_quantity_and_prices_of_other_shapes():
    by_quantity = override("steps", tiers=(MultiplierTier(D("0.5"), D(60)),), priority=D(1))
    package = override("package", tariff=Tariff("PACKAGE", D(12), package_size=D(10)))
    stepped, packed = priced(by_quantity, scheme=EXPLICIT), priced(package)
    assert [(step.price, step.upto) for step in stepped.steps(F(0))] == [(5, 60), (10, None)]
    assert (stepped.unit_price, packed.unit_price) == (None, None)
    assert stepped.as_tariff == Tariff("TIERED", tiers=(Tier(D(5), D(60)), Tier(D(10))))
    assert (packed.as_tariff, priced().as_tariff) == (package.tariff, flat(D(10)))


def test_a_price_by_volume_is_that_of_the_tier_reached():
    tariff = Tariff("VOLUME", tiers=(Tier(D(10), D(100)), Tier(D(8), None, D(7))))
    found = priced(HALF, on=card(tariff=tariff))
    assert [(step.price, step.fee) for step in found.steps(F(100))] == [(5, 0)]
    assert [(step.price, step.fee) for step in found.steps(F(101))] == [(4, D("3.5"))]
    assert found.unit_price is None
    assert [found.list_price(step, F(101)) for step in found.steps(F(101))] == [8]
    other = priced(HALF, on=card(tariff=Tariff("VOLUME", tiers=(Tier(D(9), D(100)), Tier(D(8), None, D(7))))))
    assert [found.reads_like(other, total) for total in (F(100), F(101))] == [False, True]
    assert [step.price for step in found.list_steps(F(101))] == [8]
    assert found.steps(F(101)) is found.steps(F(999)), "worked out once for each tier"


def test_which_of_the_two_tariffs_a_price_of_its_own_stands_for():
    own = specific("own commit rate", COMMIT, tariff=flat(D(2)), target=COMMIT_RATE)
    found = [priced(own, OWN, payer=payer) for payer in (None, AT_LIST, AT_COMMIT_RATE)]
    assert [(each.charged, each.unit_price) for each in found] == [(LIST_RATE, 3), (LIST_RATE, 3), (COMMIT_RATE, 2)]


def test_what_an_override_makes_of_a_tariff():
    by_quantity = override("steps", tiers=(MultiplierTier(D("0.5"), D(60)),), priority=D(1))
    found = [priced(), priced(OWN), priced(HALF), priced(by_quantity)]
    assert [each.multiples for each in found] == [(), (), (MultiplierTier(D("0.5")),), by_quantity.tiers]


def test_what_the_list_says_of_a_step():
    tariff = Tariff("TIERED", tiers=(Tier(D(10), D(100)), Tier(D(8))))
    listed, own = card(tariff=tariff), override("own", tariff=Tariff("PACKAGE", D(12), package_size=D(10)))
    half = override("half for 60", tiers=(MultiplierTier(D("0.5"), D(60)),), priority=D(1))

    def list_prices(found: Price):
        return [found.list_price(step, F(0)) for step in found.steps(F(0))]

    assert list_prices(priced(half, on=listed, scheme=EXPLICIT)) == [10, 10, 8]
    assert list_prices(priced(OWN, on=listed)) == [None], "two prices of the list stand for one of its own"
    assert list_prices(priced(own)) == [None], "a package is no unit"
    assert list_prices(priced(OWN)) == [10]


def test_prices_that_read_alike():
    same = priced(override("other", tariff=flat(D("5.0"))))
    assert priced(HALF).reads_like(same, F(0))
    assert not priced(HALF).reads_like(priced(), F(0))
    assert not priced(HALF).reads_like(priced(HALF, on=card("10.5")), F(0))
    euro = replace(same, unit=Unit(derived_id("EUR"), "EUR", 0, 2))
    assert not same.reads_like(euro, F(0))


def test_a_fee_is_looked_up_by_how_often_it_is_due():
    monthly = replace(OFFER, billing_frequency="MONTHLY")
    by_month = override("by month", multiplier=D("0.5"), targets=(Target(billing_frequency="MONTHLY"),))
    on = card(billing_frequency="MONTHLY")
    found = price_at(on, monthly, AT, overrides=[by_month])
    assert isinstance(found, Price)
    assert found.unit_price == 5
    assert price_at(on, OFFER, AT) is Unpriced.NO_RATE
    assert priced(by_month).unit_price == 10
