"""Exactly one override wins, and the others say why they lost."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.overrides import (
    EXPLICIT,
    LOWEST_MULTIPLIER,
    LosingOverride,
    MultiplierTier,
    Override,
    choose_override,
)
from pricing.engine.prices import Price, Unpriced, price_at
from pricing.engine.targets import Offer, Target, applies
from pricing.engine.tariffs import flat

D = Decimal
AT = datetime(2025, 10, 15, tzinfo=UTC)
START = datetime(2025, 10, 1, tzinfo=UTC)
USD = Unit(derived_id("USD"), "USD (cents)", 2, 2)
TOKENS = derived_id("tokens")
XL_EU = Offer(TOKENS, ("ai", "gpu"), (("model", "xl"), ("tier", "1")), (("region", "eu"),))


def override(name: str, **terms) -> Override:
    kind = "OVERWRITE" if "tariff" in terms else "MULTIPLIER" if "multiplier" in terms else ""
    return replace(Override(derived_id(name), kind, Period(START), (Target(),), 1, 0), **terms)


def multiplier(name: str, factor: str, **terms) -> Override:
    return override(name, multiplier=D(factor), **terms)


@pytest.mark.parametrize(
    ("target", "covers"),
    [
        pytest.param(Target(), True, id="everything"),
        pytest.param(Target(product_id=TOKENS), True, id="the product"),
        pytest.param(Target(product_id=derived_id("other")), False, id="another product"),
        pytest.param(Target(product_tags=("ai",)), True, id="a tag"),
        pytest.param(Target(product_tags=("gpu", "ai")), True, id="all tags"),
        pytest.param(Target(product_tags=("ai", "cpu")), False, id="one tag is missing"),
        pytest.param(Target(pricing_group_values=(("model", "xl"),)), True, id="a subset of the values"),
        pytest.param(Target(pricing_group_values=(("model", "s"),)), False, id="another value"),
        pytest.param(Target(pricing_group_values=(("speed", "fast"),)), False, id="a key that the product lacks"),
        pytest.param(Target(presentation_group_values=(("region", "eu"),)), True, id="a presentation value"),
        pytest.param(Target(pricing_group_values=(("region", "eu"),)), False, id="a value of the other kind"),
        pytest.param(Target(product_id=TOKENS, product_tags=("cpu",)), False, id="all that is given must hold"),
    ],
)
def test_targets(target, covers):
    assert target.covers(XL_EU) is covers
    assert applies((target,), XL_EU) is covers
    assert applies((Target(product_id=derived_id("other")), target), XL_EU) is covers


def test_a_balance_for_everything_covers_fees_too():
    monthly = replace(XL_EU, billing_frequency="MONTHLY")
    assert Target().covers(monthly)
    assert Target(billing_frequency="MONTHLY").covers(monthly)
    assert not Target(billing_frequency="ANNUAL").covers(monthly)


@pytest.mark.parametrize(
    ("target", "holds_for"),
    [
        pytest.param((), [""], id="everything"),
        pytest.param((Target(product_tags=("gpu",)),), [""], id="a tag"),
        pytest.param((Target(product_id=TOKENS),), [""], id="a product"),
        pytest.param(
            (Target(product_id=TOKENS, billing_frequency="MONTHLY"),), ["MONTHLY"], id="a product by the month"
        ),
        pytest.param(
            (Target(), Target(billing_frequency="ANNUAL")), ["", "ANNUAL"], id="everything, and what is yearly"
        ),
    ],
)
@pytest.mark.parametrize("entitlement", [False, True])
def test_a_fee_is_overridden_by_frequency(target, holds_for, entitlement):
    terms = {"entitled": True} if entitlement else {"multiplier": D("0.5")}
    given = override("given", targets=target, **terms)
    chosen = {
        frequency: choose_override([given], replace(XL_EU, billing_frequency=frequency), AT, LOWEST_MULTIPLIER)
        for frequency in ("", "MONTHLY", "ANNUAL")
    }
    assert [frequency for frequency, choice in chosen.items() if choice.entitled or choice.winner] == holds_for


def test_without_targets_a_term_applies_to_everything():
    assert applies((), XL_EU)


SMALL, LARGE = multiplier("small", "0.5", priority=D(2)), multiplier("large", "0.9", priority=D(1))
STEPPED = override("stepped", type="TIERED", tiers=(MultiplierTier(D("0.1"), D(5)),))
EARLY = override("early", tariff=flat(D(7)), unit=USD, added_by_edit=1)
LATE = override("late", tariff=flat(D(9)), unit=USD, added_by_edit=2)


@pytest.mark.parametrize(
    ("given", "scheme", "winner", "reasons"),
    [
        pytest.param([], LOWEST_MULTIPLIER, None, [], id="none"),
        pytest.param([SMALL, LARGE], LOWEST_MULTIPLIER, "small", ["A smaller multiplier holds."], id="the lowest"),
        pytest.param([SMALL, LARGE], EXPLICIT, "large", ["One with a lower priority number holds."], id="explicit"),
        pytest.param(
            [EARLY, LATE, SMALL],
            LOWEST_MULTIPLIER,
            "late",
            ["One that was added later holds.", "An overwritten price goes before multipliers."],
            id="an overwrite, the last one added",
        ),
        pytest.param(
            [LATE, EARLY, LARGE],
            EXPLICIT,
            "late",
            ["One that was added later holds.", "An overwritten price goes before multipliers."],
            id="whatever the scheme",
        ),
        pytest.param(
            [multiplier("same", "0.5", position=1), SMALL],
            LOWEST_MULTIPLIER,
            "same",
            ["One that was added later holds."],
            id="equal multipliers",
        ),
        pytest.param(
            [EARLY, multiplier("free", "0", added_by_edit=9)],
            LOWEST_MULTIPLIER,
            "early",
            ["An overwritten price goes before multipliers."],
            id="even before nothing at all",
        ),
        pytest.param(
            [multiplier("later", "0.9", priority=D(2), position=1), SMALL],
            EXPLICIT,
            "later",
            ["One that was added later holds."],
            id="equal priorities",
        ),
        pytest.param(
            [STEPPED, LARGE], LOWEST_MULTIPLIER, "large", ["A smaller multiplier holds."], id="tiers count as the price"
        ),
        pytest.param(
            [STEPPED, multiplier("dearer", "1.5")],
            LOWEST_MULTIPLIER,
            "stepped",
            ["A smaller multiplier holds."],
            id="which is less than more",
        ),
        pytest.param(
            [multiplier("unnumbered", "0.1"), SMALL], EXPLICIT, "small", ["One with a lower priority number holds."],
            id="without a priority last",
        ),
    ],
)  # fmt: skip
def test_the_winner_and_the_losers(given, scheme, winner, reasons):
    for overrides in (given, given[::-1]):
        choice = choose_override(overrides, XL_EU, AT, scheme)
        assert (choice.winner.id if choice.winner else None) == (derived_id(winner) if winner else None)
        assert [loser.reason for loser in choice.losers] == reasons


def test_what_does_not_hold_or_apply_is_no_candidate():
    ended = multiplier("ended", "0.1", period=Period(START, AT))
    starts_now = multiplier("now", "0.8", period=Period(AT))
    elsewhere = multiplier("elsewhere", "0.1", targets=(Target(product_id=derived_id("other")),))
    choice = choose_override([ended, starts_now, elsewhere], XL_EU, AT, LOWEST_MULTIPLIER)
    assert (choice.winner, choice.losers) == (starts_now, ())


def test_entitlement_is_decided_apart_from_the_price():
    no, yes = override("no", entitled=False), override("yes", entitled=True, position=1)
    choice = choose_override([yes, no, SMALL], XL_EU, AT, LOWEST_MULTIPLIER)
    assert (choice.winner, choice.losers, choice.entitled) == (SMALL, (), True)
    assert choose_override([SMALL], XL_EU, AT, LOWEST_MULTIPLIER).entitled is None


def rate(price: str, **terms) -> Rate:
    plain = Rate(
        id=derived_id(price),
        product_id=TOKENS,
        values=XL_EU.pricing_group_values,
        starting_at=START,
        ending_before=None,
        entitled=True,
        tariff=flat(D(price)),
        unit=USD,
        publication=1,
        published_at=START,
        published_by="someone",
    )
    return replace(plain, **terms)


def card(*rates: Rate) -> RateCard:
    return RateCard(derived_id("card"), "List", USD, rates, (TOKENS,))


def listing(price: Price) -> D | None:
    """The list price of its first unit."""
    (step, *_) = price.steps(Fraction(0))
    return price.list_price(step, Fraction(0))


def test_list_price_multiplier_and_overwritten_price():
    listed = price_at(card(rate("0.3")), XL_EU, AT)
    third = price_at(card(rate("0.3")), XL_EU, AT, overrides=[multiplier("third", "0.333333333333")])
    own = price_at(card(rate("0.3")), XL_EU, AT, overrides=[LATE, SMALL])
    assert isinstance(listed, Price)
    assert isinstance(third, Price)
    assert isinstance(own, Price)
    assert (listed.unit_price, listed.override) == (D("0.3"), None)
    assert (third.unit_price, listing(third)) == (D("0.0999999999999"), D("0.3"))
    assert (own.unit_price, listing(own), own.override) == (9, D("0.3"), LATE)
    assert own.losing_overrides == (LosingOverride(SMALL.id, "An overwritten price goes before multipliers."),)


def test_the_largest_price_and_multiplier_stay_exact():
    price = price_at(
        card(rate("9999999999999999.999999999999")),
        XL_EU,
        AT,
        overrides=[multiplier("odd", "1234567890123456.999999999999")],
    )
    assert isinstance(price, Price)
    (step,) = price.steps(Fraction(0))
    assert step.exact_price == Fraction("9999999999999999.999999999999") * Fraction("1234567890123456.999999999999")


@pytest.mark.parametrize(
    ("rates", "overrides", "why"),
    [
        pytest.param([], [], Unpriced.NOT_ENTITLED, id="not on the card"),
        pytest.param([rate("1", values=())], [], Unpriced.NO_RATE, id="another combination is on the card"),
        pytest.param([rate("1", ending_before=AT)], [], Unpriced.NO_RATE, id="the rate has ended"),
        pytest.param([rate("1", entitled=False)], [], Unpriced.NOT_ENTITLED, id="the card does not entitle"),
        pytest.param(
            [rate("1", entitled=False), rate("2", values=())],
            [],
            Unpriced.NOT_ENTITLED,
            id="to this combination, whatever others it entitles to",
        ),
        pytest.param([rate("1", entitled=False)], [SMALL], Unpriced.NOT_ENTITLED, id="a price alone does not entitle"),
        pytest.param([rate("1")], [override("no", entitled=False)], Unpriced.NOT_ENTITLED, id="taken away"),
        pytest.param([], [override("yes", entitled=True)], Unpriced.NO_RATE, id="entitled to what has no price"),
    ],
)
def test_why_there_is_no_price(rates, overrides, why):
    assert price_at(card(*rates), XL_EU, AT, overrides=overrides) is why


def test_an_override_may_entitle():
    found = price_at(card(rate("1", entitled=False)), XL_EU, AT, overrides=[override("yes", entitled=True)])
    assert isinstance(found, Price)
