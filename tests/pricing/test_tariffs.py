"""What a tariff may say, type by type."""

from dataclasses import dataclass
from decimal import Decimal as D

import pytest

from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import NotSupported
from pricing.engine.tariffs import Tariff, Tier
from pricing.models import Product
from pricing.services.tariffs import TierInput, check_suits_product, checked_tariff
from pricing.tiers import read_tiers, stored_tiers


@dataclass(frozen=True)
class Sent:
    rate_type: str
    price: D | None = None
    tiers: tuple[TierInput, ...] = ()
    package_size: D | None = None
    quantity: D | None = None
    is_prorated: bool | None = None


TWO_TIERS = (TierInput(D("0.2"), D(100), D(5)), TierInput(D("0.1")))


@pytest.mark.parametrize(
    ("sent", "tariff"),
    [
        pytest.param(Sent("FLAT", D(0), is_prorated=False), Tariff("FLAT", D(0)), id="free"),
        pytest.param(
            Sent("TIERED", tiers=TWO_TIERS),
            Tariff("TIERED", tiers=(Tier(D("0.2"), D(100), D(5)), Tier(D("0.1")))),
            id="tiers with a fee",
        ),
        pytest.param(Sent("VOLUME", tiers=(TierInput(D(1)),)), Tariff("VOLUME", tiers=(Tier(D(1)),)), id="one tier"),
        pytest.param(
            Sent("PACKAGE", D(12), package_size=D(10)), Tariff("PACKAGE", D(12), package_size=D(10)), id="packages"
        ),
        pytest.param(Sent("PERCENTAGE", D(1)), Tariff("PERCENTAGE", D(1)), id="all of it"),
        pytest.param(
            Sent("TIERED_PERCENTAGE", tiers=(TierInput(D("0.2"), D(100)), TierInput(D(0)))),
            Tariff("TIERED_PERCENTAGE", tiers=(Tier(D("0.2"), D(100)), Tier(D(0)))),
            id="fractions of slices",
        ),
        pytest.param(
            Sent("SUBSCRIPTION", D(3), quantity=D(0), is_prorated=True),
            Tariff("SUBSCRIPTION", D(3), quantity=D(0), is_prorated=True),
            id="a subscription",
        ),
    ],
)
def test_a_good_tariff(sent, tariff):
    problems = Problems()
    assert checked_tariff(problems, sent) == tariff
    assert problems.errors == []
    assert read_tiers(stored_tiers(tariff.tiers)) == tariff.tiers


@pytest.mark.parametrize(
    ("sent", "field", "rule"),
    [
        pytest.param(
            Sent("HOURLY", D(1)),
            "rate_type",
            "must be one of FLAT, TIERED, VOLUME, PACKAGE, PERCENTAGE, TIERED_PERCENTAGE, SUBSCRIPTION",
            id="an unknown type",
        ),
        pytest.param(Sent("FLAT"), "price", "is required for the rate type FLAT", id="no price"),
        pytest.param(Sent("FLAT", D(-1)), "price", "must not be negative", id="a negative price"),
        pytest.param(Sent("FLAT", D("NaN")), "price", "must be a finite number", id="not a number"),
        pytest.param(
            Sent("FLAT", D(1), tiers=TWO_TIERS),
            "tiers",
            "belongs to the rate type TIERED or VOLUME or TIERED_PERCENTAGE",
            id="stray tiers",
        ),
        pytest.param(
            Sent("FLAT", D(1), is_prorated=True), "is_prorated", "belongs to the rate type SUBSCRIPTION", id="prorated"
        ),
        pytest.param(
            Sent("TIERED", D(0), tiers=TWO_TIERS),
            "price",
            "belongs to the rate type FLAT or PACKAGE or PERCENTAGE or SUBSCRIPTION",
            id="a stray price, if it is zero",
        ),
        pytest.param(Sent("TIERED"), "tiers", "is required for the rate type TIERED", id="no tiers"),
        pytest.param(
            Sent("TIERED", tiers=(TierInput(D(1)), TierInput(D(2)))),
            "tiers[0].size",
            "is required on every tier but the last",
            id="two endless tiers",
        ),
        pytest.param(
            Sent("TIERED", tiers=(TierInput(D(1), D(5)),)),
            "tiers[0].size",
            "must not be given on the last tier: it takes all the rest",
            id="nothing beyond the last tier",
        ),
        pytest.param(
            Sent("TIERED", tiers=(TierInput(D(1), D(0)), TierInput(D(1)))),
            "tiers[0].size",
            "must be greater than 0",
            id="a tier of no width",
        ),
        pytest.param(
            Sent("VOLUME", tiers=(TierInput(D(1), None, D(-1)),)),
            "tiers[0].flat_fee",
            "must not be negative",
            id="a negative fee",
        ),
        pytest.param(
            Sent("PACKAGE", D(1)), "package_size", "is required for the rate type PACKAGE", id="a package of no size"
        ),
        pytest.param(
            Sent("PACKAGE", D(1), package_size=D(0)), "package_size", "must be greater than 0", id="an empty package"
        ),
        pytest.param(
            Sent("PERCENTAGE", D("1.01")),
            "price",
            "must be a fraction from 0 to 1: 0.1 is ten percent",
            id="more than all",
        ),
        pytest.param(
            Sent("TIERED_PERCENTAGE", tiers=(TierInput(D("0.1"), None, D(5)),)),
            "tiers[0].flat_fee",
            "belongs to the rate type TIERED or VOLUME",
            id="a fee of a percentage",
        ),
        pytest.param(
            Sent("SUBSCRIPTION", D(1), quantity=D(1)),
            "is_prorated",
            "is required for the rate type SUBSCRIPTION",
            id="a subscription that does not say",
        ),
        pytest.param(
            Sent("SUBSCRIPTION", D(1), quantity=D(1), is_prorated=False),
            "is_prorated",
            "must be true: a rate of the type SUBSCRIPTION is always prorated",
            id="a subscription that is not prorated",
        ),
    ],
)
def test_a_tariff_that_breaks_a_rule_is_refused(sent, field, rule):
    problems = Problems("rate.")
    assert checked_tariff(problems, sent) is None
    assert [(error.field, error.rule) for error in problems.errors] == [(f"rate.{field}", rule)]


def test_nothing_rates_custom_rates():
    with pytest.raises(NotSupported, match="is not supported: there is no processor"):
        checked_tariff(Problems("rate."), Sent("CUSTOM"))


@pytest.mark.parametrize(
    ("kind", "suitable"),
    [
        ("USAGE", {"FLAT", "TIERED", "VOLUME", "PACKAGE"}),
        ("COMPOSITE", {"PERCENTAGE", "TIERED_PERCENTAGE"}),
        ("SUBSCRIPTION", {"FLAT", "SUBSCRIPTION"}),
    ],
)
def test_a_type_suits_a_kind_of_product(kind, suitable):
    product, fits = Product(name="It", type=kind), set()
    for rate_type in ("FLAT", "TIERED", "VOLUME", "PACKAGE", "PERCENTAGE", "TIERED_PERCENTAGE", "SUBSCRIPTION"):
        problems = Problems()
        check_suits_product(problems, rate_type, product)
        if not problems.errors:
            fits.add(rate_type)
    assert fits == suitable
