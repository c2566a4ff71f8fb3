"""The worked tables in the docstring of the engine, each as it stands there."""

from dataclasses import replace
from decimal import Decimal

import pytest

from invoicing.engine.documents import Document
from pricing.engine.targets import Target
from pricing.engine.tariffs import flat
from tests.invoicing.engine.world import (
    CREDITS,
    LATE_OCTOBER,
    NOTHING_POSTED,
    OCTOBER,
    D,
    card,
    computed,
    contract,
    credit,
    given,
    on,
    override,
    prepaid,
    product,
    rate,
    target,
    the_usage,
    tiers,
    uid,
    usage_documents,
    used,
)

H = (product("H"),)
PRICES = card(rate("H", "10"))


def shares(document: Document) -> list[tuple[str, Decimal | None, Decimal | None, Decimal]]:
    """Of each line that is no applied balance: who pays, how much of it, the unit price, what it comes to."""
    lines = [line for line in document.lines if line.type != "applied_commit_or_credit"]
    return [(line.commit_type or "to pay", line.quantity, line.unit_price, line.total) for line in lines]


def october(events, *commits, prices=PRICES, **terms) -> Document:
    agreed = contract(commits=commits, **terms)
    return the_usage(computed(given(LATE_OCTOBER, [agreed], [prices], H), events))


def test_a_commit_runs_out_within_an_hour():
    events = [used("H", on(10, 1, 1), 2), used("H", on(10, 1, 2), 2)]
    document = october(events, prepaid("25"))
    assert shares(document) == [("PREPAID", D("2.5"), 10, 25), ("to pay", D("1.5"), 10, 15)]


@pytest.mark.parametrize("events", [[used("H", on(10, 9), 16)], [used("H", on(10, day), 4) for day in (1, 9, 17, 25)]])
def test_the_price_depends_on_who_pays(events):
    prices = card(rate("H", "10", commit_tariff=flat(D(8))))
    document = october(events, prepaid("80", rate_type="COMMIT_RATE"), prices=prices)
    assert shares(document) == [("PREPAID", 10, 8, 80), ("to pay", 6, 10, 60)]
    assert document.total == 60


def test_the_counter_is_the_same_whoever_pays():
    listed, committed = tiers(("10", "10"), ("8",)), tiers(("6", "10"), ("4",))
    prices = card(rate("H", "0", tariff=listed, commit_tariff=committed))
    document = october([used("H", on(10, 9), 15)], prepaid("68", rate_type="COMMIT_RATE"), prices=prices)
    assert shares(document) == [("PREPAID", 10, 6, 60), ("PREPAID", 2, 4, 8), ("to pay", 3, 8, 24)]


def test_a_multiplier_that_holds_only_while_a_commit_pays():
    commit = prepaid("30")
    named = Target(commit_ids=frozenset([commit.id]))
    half = override("0.5", is_commit_specific=True, targets=(named,))
    document = october([used("H", on(10, 9), 10)], commit, overrides=(half,))
    assert shares(document) == [("PREPAID", 6, 5, 30), ("to pay", 4, 10, 40)]


def test_credits_beside_dollars():
    prices = card(rate("H", "2", unit=CREDITS), credits_at="3")
    balances = credit("8", name="credits", unit=CREDITS), prepaid("30")
    document = october([used("H", on(10, 9), 10)], *balances, prices=prices)
    assert shares(document) == [
        ("CREDIT", 4, 2, 8),
        ("to pay", 6, 2, 12),
        ("PREPAID", 10, 3, 30),
        ("to pay", 2, 3, 6),
    ]
    assert document.total == 6


def test_who_pays_nothing_still_tells_the_time_before_it_from_the_time_after():
    """A credit from 10 October on, of which all is drawn: nobody pays at the same price on either side, and each side
    is a part of its own. Late usage is put where it belongs by these."""
    gone = credit("5", start=on(10, 10))
    posted = replace(NOTHING_POSTED, drawn={gone.segments[0].id: D(5)})
    events = [used("H", on(10, 5), 2), used("H", on(10, 20), 3)]
    document = the_usage(computed(given(LATE_OCTOBER, [contract(commits=[gone])], [PRICES], H, posted=posted), events))
    (line,) = document.lines
    assert (line.quantity, line.total) == (5, 50)
    assert [(part.period.starting_at, part.quantity) for part in line.parts] == [(OCTOBER, 2), (on(10, 10), 3)]


def test_two_contracts_share_a_commit():
    agreed = [contract(name=name, rate_card_id=uid(name)) for name in ("north", "south")]
    cards = [card(rate(name, "1"), name=name) for name in ("north", "south")]
    events = [used(name, on(10, 2, hour), 10) for name in ("north", "south") for hour in range(8)]
    shared = prepaid("100", contract_id=None)
    products = [product("north"), product("south")]
    documents = usage_documents(computed(given(LATE_OCTOBER, agreed, cards, products, commits=[shared]), events))
    assert [[entry.amount for entry in each.entries] for each in documents] == [[-50], [-50]]
    assert [each.total for each in documents] == [30, 30]


@pytest.mark.parametrize(("late", "covered", "to_pay"), [(0, [70, 30], [0, 20]), (2, [90, 10], [0, 40])])
def test_october_in_its_grace_period_beside_november(late, covered, to_pay):
    events = [used("H", on(10, 9), 7), used("H", on(11, 1, 5), 5), used("H", on(10, 31, 22), late)]
    inputs = given(on(11, 1, 12), [contract(commits=(prepaid("100"),))], [card(rate("H", "10"))], H)
    documents = usage_documents(computed(inputs, events))
    assert [-sum(entry.amount for entry in each.entries) for each in documents] == covered
    assert [each.total for each in documents] == to_pay


def test_two_commits_of_different_scope():
    """The one for H alone comes first, though it was made later: it applies to fewer products."""
    narrow = prepaid("50", name="H only", targets=(target("H"),), created_at=on(9, 20))
    wide = prepaid("100", name="everything")
    prices = card(rate("H", "10"), rate("L", "1"))
    inputs = given(LATE_OCTOBER, [contract(commits=(wide, narrow))], [prices], (*H, product("L")))
    document = the_usage(computed(inputs, [used("H", on(10, 9), 8), used("L", on(10, 9), 90)]))
    assert [(entry.commit_id, entry.amount) for entry in document.entries] == [(narrow.id, -50), (wide.id, -100)]
    assert document.total == 20
