"""Worlds of every kind for the laws: what is sold, at what prices, what was agreed, and what was used."""

from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st

from billing_site.foundation.periods import Period
from invoicing.engine.inputs import Inputs
from pricing.engine.catalog import Conversion, Rounding
from pricing.engine.overrides import MultiplierTier
from pricing.engine.targets import Target
from pricing.engine.tariffs import Tariff, Tier, flat
from tests.invoicing.engine.world import (
    CREDITS,
    HOUR,
    USD,
    D,
    card,
    commit,
    composite,
    contract,
    given,
    on,
    override,
    product,
    rate,
    target,
    uid,
    used,
)

START = on(10, 6)  # a Monday
HOURS = 10 * 24  # a week and three days: two billing periods
END = START + HOURS * HOUR
AFTER = END - HOUR

MODELS = ["s", "m", None]
USAGE = [
    product("plain"),
    product("model", pricing_group_key=("model",), presentation_group_key=("region",)),
    product("thirds", conversion=Conversion(D(3), "DIVIDE")),
    product("boxes", conversion=Conversion(D("0.4"), "MULTIPLY"), rounding=Rounding(0, "ROUND_UP")),
]
PRODUCTS = [*USAGE, composite("care", "plain", "model"), composite("help", "thirds", "boxes", "model")]
NAMES = ["plain", "model", "thirds", "boxes"]


def numbers(low: str, high: str, places: int):
    return st.decimals(D(low), D(high), places=places, allow_nan=False, allow_infinity=False)


@st.composite
def hours(draw, first: int = 0, last: int = HOURS) -> datetime:
    return START + draw(st.integers(first, last)) * HOUR


@st.composite
def windows(draw) -> tuple[datetime, datetime]:
    first = draw(st.integers(0, HOURS - 1))
    return START + first * HOUR, START + draw(st.integers(first + 1, HOURS)) * HOUR


prices = st.just(D(0)) | numbers("0", "20", 2)
fees = st.just(D(0)) | numbers("0", "30", 1)
sizes = numbers("0.5", "40", 1)


@st.composite
def tariffs(draw, kinds=("FLAT", "TIERED", "PACKAGE", "VOLUME"), amounts=prices):
    kind = draw(st.sampled_from(kinds))
    if kind in ("FLAT", "PERCENTAGE"):
        return Tariff(kind, draw(amounts))
    if kind == "PACKAGE":
        return Tariff(kind, draw(amounts), package_size=draw(sizes))
    own_fees = fees if kind != "TIERED_PERCENTAGE" else st.just(D(0))
    sized = [Tier(draw(amounts), draw(sizes), draw(own_fees)) for _ in range(draw(st.integers(0, 2)))]
    return Tariff(kind, tiers=(*sized, Tier(draw(amounts), None, draw(own_fees))))


percentages = tariffs(("PERCENTAGE", "TIERED_PERCENTAGE"), numbers("0", "1", 2))
flat_prices = prices.map(flat)


@st.composite
def price_lists(draw, of=None, *, commit_rates=True):
    """A rate for each product, then changes of some. `of` draws tariffs of usage; the third product is in credits."""
    of = tariffs() if of is None else of
    rates = [
        rate("plain", "7", tariff=draw(of)),
        rate("thirds", "5", tariff=draw(of), unit=draw(st.sampled_from([USD, CREDITS]))),
        rate("boxes", "3", tariff=draw(of)),
        rate("model", "4", values=(("model", "s"),), tariff=draw(of)),
        rate("model", "9", values=(("model", "m"),), tariff=draw(of)),
    ]
    for publication in range(2, 2 + draw(st.integers(0, 4))):
        earlier = draw(st.sampled_from(rates))
        start, end = draw(windows())
        change = {"starting_at": start, "publication": publication, "tariff": draw(of)}
        change["ending_before"] = draw(st.sampled_from([None, end]))
        change["entitled"] = draw(st.sampled_from([True, True, True, False]))
        change["commit_tariff"] = draw(st.none() | of) if commit_rates else None
        rates.append(replace(earlier, id=uid(f"rate {publication}"), **change))
    rates += [rate("care", "0.1", tariff=draw(percentages)), rate("help", "0.2", tariff=draw(percentages))]
    return card(*rates, credits_at="1.5")


def targets(**terms):
    products = [Target(product_id=uid(name)) for name in (*NAMES, "care")]
    others = [Target(), Target(pricing_group_values=(("model", "m"),)),
              Target(presentation_group_values=(("region", "eu"),))]  # fmt: skip
    return st.sampled_from([*others, *products]).map(lambda one: (replace(one, **terms),))


@st.composite
def overrides(draw, prioritization: str, of=None):
    of = tariffs() if of is None else of
    found = []
    for position in range(draw(st.integers(0, 3))):
        multiples = st.lists(st.builds(MultiplierTier, numbers("0", "2", 1), sizes), min_size=1, max_size=2)
        kinds = [{"multiplier": "0.5"}, {"multiplier": "1.25"}, {"tariff": draw(of)}]
        kinds += [{"tiers": tuple(draw(multiples))}] if prioritization == "EXPLICIT" else []
        terms = draw(st.sampled_from(kinds))
        specific = draw(st.booleans())
        named = frozenset(draw(st.sets(st.sampled_from([uid(f"commit {n}") for n in range(3)]), max_size=2)))
        terms["targets"] = draw(targets(commit_ids=named if specific else frozenset()))
        if specific:
            terms |= {"is_commit_specific": True, "target": draw(st.sampled_from(["LIST_RATE", "COMMIT_RATE"]))}
        else:
            terms["entitled"] = draw(st.sampled_from([None, None, True]))
        priority = D(draw(st.integers(1, 3)))
        found.append(override(period=Period(*draw(windows())), position=position, priority=priority, **terms))
    return tuple(found)


@st.composite
def commits(draw):
    found = []
    for priority in range(draw(st.integers(0, 3))):
        type_ = draw(st.sampled_from(["PREPAID", "POSTPAID"]))
        kinds = [{}, {}, {"unit": CREDITS}, {"rate_type": "COMMIT_RATE"}]
        kinds += [{"access_type": "QUANTITY"}] if type_ == "PREPAID" else []
        terms = dict(draw(st.sampled_from(kinds)))
        amount = str(draw(numbers("0.01", "400", 2) | st.integers(1, 40).map(D)))
        terms |= {"name": f"commit {priority}", "priority": D(priority), "targets": draw(st.just(()) | targets())}
        found.append(commit(type_, amount, *draw(windows()), **terms))
    return tuple(found)


@st.composite
def usage(draw, low: str = "0", names=tuple(NAMES)):
    quantities = numbers(low, "12", 1) | st.sampled_from([D(1), D(10), D(40)])
    events = []
    for _ in range(draw(st.integers(0, 25))):
        name = draw(st.sampled_from(names))
        at = draw(hours(last=HOURS - 1))
        values = {}
        if name == "model":
            values = {"model": draw(st.sampled_from(MODELS)), "region": draw(st.sampled_from(["eu", "us"]))}
        events.append(used(name, at, str(draw(quantities)), **values))
    return events


def weekly(**terms):
    return contract(START, END, frequency="WEEKLY", billing_anchor_at=START, **terms)


@st.composite
def worlds(draw, of=None) -> Inputs:
    prioritization = draw(st.sampled_from(["LOWEST_MULTIPLIER", "EXPLICIT"]))
    terms = {
        "prioritization": prioritization,
        "overrides": draw(overrides(prioritization, of)),
        "commits": draw(commits()),
    }
    return given(AFTER, [weekly(**terms)], [draw(price_lists(of))], PRODUCTS)


__all__ = [
    "AFTER",
    "END",
    "HOURS",
    "PRODUCTS",
    "START",
    "USAGE",
    "flat_prices",
    "hours",
    "numbers",
    "price_lists",
    "prices",
    "target",
    "tariffs",
    "usage",
    "weekly",
    "windows",
    "worlds",
]  # fmt: skip
