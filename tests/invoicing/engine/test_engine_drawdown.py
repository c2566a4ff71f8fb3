"""Who pays: the order of balances, the hour in which one runs out, and what a line says about it."""

from dataclasses import replace
from fractions import Fraction

import pytest

from billing_site.foundation.periods import Period
from contracts.terms import Commit
from pricing.engine.catalog import Conversion, Rounding
from pricing.engine.targets import Target
from tests.invoicing.engine.world import (
    EUR,
    HOUR,
    LATE_OCTOBER,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    D,
    Ledger,
    card,
    computed,
    computed_from,
    contract,
    given,
    on,
    override,
    postpaid,
    prepaid,
    product,
    rate,
    read,
    scheduled,
    segment,
    target,
    the_usage,
    uid,
    usage_documents,
    used,
)

A_AND_B = [product("A", tags=("compute",)), product("B")]
PRICES = card(rate("A", "10"), rate("B", "1"))
FIVE_OF_A = [used("A", on(10, 5, 5), 5)]


def october(*commits: Commit, events=FIVE_OF_A, prices=PRICES, products=A_AND_B, shared=(), **terms):
    agreed = contract(commits=commits, **terms)
    return the_usage(computed(given(LATE_OCTOBER, [agreed], [prices], products, commits=shared), events))


def payers(document) -> list[tuple[str, str]]:
    return [(line[0], line[4]) for line in read(document) if line[4].startswith("-")]


PAID = {"invoice_items": (scheduled("40", OCTOBER),)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            prepaid("30", name="first", priority=D(9)), postpaid("30", name="second", priority=D(1)), id="class"
        ),
        pytest.param(
            prepaid("30", name="first", priority=D("1.5"), **PAID),
            prepaid("30", name="second", priority=D(2)),
            id="priority",
        ),
        pytest.param(prepaid("30", name="first"), prepaid("30", name="second", **PAID), id="nothing paid for it"),
        pytest.param(
            prepaid("30", name="first", targets=(target("A"),)),
            prepaid("30", name="second", targets=(target("A"), target("B"))),
            id="fewer products",
        ),
        pytest.param(
            prepaid("30", name="first", targets=(Target(product_tags=("compute",)),)),
            prepaid("30", name="second", targets=(target("A"), target("B"))),
            id="fewer products, by tag",
        ),
        pytest.param(
            prepaid("30", name="first", targets=(target("A"),)), prepaid("30", name="second"), id="restricted at all"
        ),
        pytest.param(
            prepaid("30", name="first", end=on(12, 1)), prepaid("30", name="second", end=NEW_YEAR), id="earlier end"
        ),
        pytest.param(
            prepaid("30", name="first", start=OCTOBER),
            prepaid("30", name="second", start=on(10, 2)),
            id="earlier start",
        ),
        pytest.param(
            prepaid("30", name="first", created_at=on(8, 1)), prepaid("30", name="second"), id="created earlier"
        ),
    ],
)
def test_the_order_of_balances(first, second):
    """The second is older, so that it would go first if nothing else decided."""
    second = replace(second, created_at=second.created_at - 10 * HOUR)
    for commits in ((first, second), (second, first)):
        assert payers(october(*commits)) == [("first", "-30"), ("second", "-20")]


def test_fewer_targets_with_group_values_go_first():
    grouped = [product("A", pricing_group_key=("model",))]
    prices = card(rate("A", "10", values=(("model", "xl"),)))
    xl = Target(product_id=uid("A"), pricing_group_values=(("model", "xl"),))
    commits = [
        prepaid("30", name="by value", targets=(xl,), created_at=on(8, 1)),
        prepaid("30", name="any value", targets=(target("A"),)),
    ]
    document = october(*commits, events=[used("A", on(10, 5), 5, model="xl")], prices=prices, products=grouped)
    assert payers(document) == [("any value", "-30"), ("by value", "-20")]


def test_of_equal_priority_the_contract_goes_before_the_customer():
    shared = prepaid("30", name="customer's", contract_id=None)
    document = october(prepaid("30", name="contract's", **PAID), shared=[shared])
    assert payers(document) == [("contract's", "-30"), ("customer's", "-20")]


def test_a_commit_of_another_contract_pays_nothing():
    assert payers(october(prepaid("30", contract_id=uid("another")))) == []


def test_a_balance_in_another_unit_pays_nothing():
    assert payers(october(prepaid("30", unit=EUR))) == []


def test_each_segment_is_a_balance_of_its_own():
    """Two months of 30 each: October's usage cannot reach November's."""
    monthly = replace(
        prepaid("30"),
        segments=(segment("October", "30", OCTOBER, NOVEMBER), segment("November", "30", NOVEMBER, on(12, 1))),
    )
    inputs = given(on(11, 30), [contract(commits=(monthly,))], [PRICES], A_AND_B)
    documents = usage_documents(computed(inputs, [used("A", on(10, 5), 5), used("A", on(11, 5), 2)]))
    assert [document.total for document in documents] == [20, 0]
    assert [entry.segment_id for document in documents for entry in document.entries] == [
        uid(f"segment October {OCTOBER}"),
        uid(f"segment November {NOVEMBER}"),
    ]


def test_usage_outside_of_the_access_window_is_not_covered():
    window = prepaid("1000", on(10, 5), on(10, 6))
    document = october(window, events=[used("A", at, 1) for at in (on(10, 4, 23), on(10, 5), on(10, 5, 23), on(10, 6))])
    assert read(document) == [
        ("A", "01 Oct - 05 Oct", "1", "10", "10", ""),
        ("A", "05 Oct - 06 Oct", "2", "10", "20", "PREPAID"),
        ("prepaid", "05 Oct - 06 Oct", "", "", "-20", "PREPAID"),
        ("A", "06 Oct - 01 Nov", "1", "10", "10", ""),
        ("B", "01 Oct - 01 Nov", "0", "1", "0", ""),
    ]


def test_a_covered_line_lasts_as_long_as_its_access():
    document = october(prepaid("1000", on(10, 5), on(10, 10)), events=[used("A", on(10, 7), 1)])
    assert [line[:2] for line in read(document)[:2]] == [("A", "05 Oct - 10 Oct"), ("prepaid", "05 Oct - 10 Oct")]


@pytest.mark.parametrize("days", [(5, 25), (5,), (25,)], ids=str)
def test_a_window_that_nothing_was_used_in_does_not_cut_a_line(days):
    unused = prepaid("1000", on(10, 10), on(10, 20))
    line, *_ = read(october(unused, events=[used("A", on(10, day), 1) for day in days]))
    assert line[:3] == ("A", "01 Oct - 01 Nov", str(len(days)))


def test_a_commit_runs_out_within_an_hour():
    """The dearer product goes first; the commit pays 2.5 units of it, and the rest of the hour is not covered."""
    events = [used("A", on(10, 5, 5), 4), used("B", on(10, 5, 5), 7)]
    document = october(prepaid("25"), events=events)
    assert [line[2:] for line in read(document)] == [
        ("2.5", "10", "25", "PREPAID"),
        ("", "", "-25", "PREPAID"),
        ("1.5", "10", "15", ""),
        ("7", "1", "7", ""),
    ]


def test_a_commit_that_is_used_up_exactly_needs_no_hours():
    ledger = Ledger([used("A", on(10, day), 1) for day in range(1, 11)])
    inputs = given(LATE_OCTOBER, [contract(commits=(prepaid("100"),))], [PRICES], A_AND_B)
    assert the_usage(computed_from(inputs, ledger)).total == 0
    assert ledger.asked == []


def test_the_hour_decides_and_not_the_price_of_the_month():
    """The cheap product was used up first: the commit is gone when the dear one comes."""
    document = october(prepaid("100"), events=[used("B", on(10, 5, 5), 100), used("A", on(10, 5, 6), 1)])
    assert [line[2:] for line in read(document)] == [
        ("1", "10", "10", ""),
        ("100", "1", "100", "PREPAID"),
        ("", "", "-100", "PREPAID"),
    ]


def test_a_price_of_zero_draws_nothing():
    document = october(prepaid("5"), events=[used("B", on(10, 5), 9)], overrides=(override("0"),))
    assert read(document)[-1] == ("B", "01 Oct - 01 Nov", "9", "0", "0", "")
    assert document.entries == ()


def test_a_reversal_gives_back_what_was_drawn_and_later_usage_draws_it_again():
    events = [
        used("A", on(10, 5, 1), 4),  # 3 by the commit, 1 uncovered
        used("A", on(10, 5, 2), -2),  # the uncovered one, and one of the commit's
        used("B", on(10, 5, 3), 12),  # the commit has 10 again
    ]
    document = october(prepaid("30"), events=events)
    assert read(document) == [
        ("A", "01 Oct - 01 Nov", "2", "10", "20", "PREPAID"),
        ("prepaid", "01 Oct - 01 Nov", "", "", "-20", "PREPAID"),
        ("B", "01 Oct - 01 Nov", "10", "1", "10", "PREPAID"),
        ("prepaid", "01 Oct - 01 Nov", "", "", "-10", "PREPAID"),
        ("B", "01 Oct - 01 Nov", "2", "1", "2", ""),
    ]


def test_two_commits_one_after_the_other_over_two_months():
    commits = (prepaid("70", name="small", priority=D(1)), prepaid("100", name="large", priority=D(2)))
    inputs = given(on(11, 30), [contract(commits=commits)], [PRICES], A_AND_B)
    events = [used("A", OCTOBER + day * 24 * HOUR, 1) for day in range(5, 45, 2)]
    first, second = usage_documents(computed(inputs, events))
    assert payers(first) == [("small", "-70"), ("large", "-60")]
    assert payers(second) == [("large", "-40")]
    assert (first.total, second.total) == (0, 30)


def test_a_price_change_and_an_override_in_mid_month():
    """List 10, 20 from the 10th; half off from the 20th."""
    prices = card(rate("A", "10"), rate("A", "20", starting_at=on(10, 10), publication=2))
    half = override("0.5", period=Period(on(10, 20)))
    events = [used("A", on(10, day), 1) for day in range(1, 31)]
    assert read(october(events=events, prices=prices, products=A_AND_B[:1], overrides=(half,))) == [
        ("A", "01 Oct - 10 Oct", "9", "10", "90", ""),
        ("A", "10 Oct - 20 Oct", "10", "20", "200", ""),
        ("A", "20 Oct - 01 Nov", "11", "10", "110", ""),
    ]


def test_neighbours_that_cost_the_same_are_one_line_of_two_parts():
    """The same price published again: one line for the customer, two decisions in the trace."""
    prices = card(rate("A", "10"), rate("A", "10.0", starting_at=on(10, 10), publication=2))
    document = october(events=[used("A", on(10, day), 1) for day in (5, 15)], prices=prices, products=A_AND_B[:1])
    assert read(document) == [("A", "01 Oct - 01 Nov", "2", "10", "20", "")]
    assert [(part.publication, part.quantity, part.period.starting_at) for part in document.lines[0].parts] == [
        (1, 1, OCTOBER),
        (2, 1, on(10, 10)),
    ]


def test_thirds_add_up():
    """A price of 1 for each 3 metered: three lines of a third each come to 1."""
    by_region = product("A", conversion=Conversion(D(3), "DIVIDE"), presentation_group_key=("region",))
    events = [used("A", on(10, 5), 1, region=region) for region in ("eu", "us", None)]
    document = october(events=events, prices=card(rate("A", "1")), products=[by_region])
    assert [(line.name, line.total, line.quantity) for line in document.lines] == [
        ("A (region: none)", D("0.333333333334"), D("0.333333333333")),
        ("A (region: eu)", D("0.333333333333"), D("0.333333333333")),
        ("A (region: us)", D("0.333333333333"), D("0.333333333333")),
    ]
    assert document.total == 1


def test_thirds_across_documents_never_overdraw():
    """Two contracts draw 1/2 quantum and more each: what is posted stays within the balance."""
    thirds = [product(name, conversion=Conversion(D(6), "DIVIDE")) for name in "AB"]
    cards = [card(rate(name, "1"), name=name) for name in "AB"]
    contracts = [contract(name=name, rate_card_id=uid(name)) for name in "AB"]
    shared = prepaid("1", contract_id=None)
    events = [used("A", on(10, 5), 1), used("B", on(10, 6), 1), used("A", on(10, 7), 9)]
    documents = usage_documents(computed(given(LATE_OCTOBER, contracts, cards, thirds, commits=[shared]), events))
    drawn = [entry.amount for document in documents for entry in document.entries]
    assert sum(drawn) == -1
    assert {abs(Fraction(amount) + Fraction(1, 6)) < Fraction(1, 10**12) for amount in drawn} == {True, False}


def test_half_a_quantum_each_never_overdraws():
    """One contract draws half a trillionth, the other all that is left: rounded by themselves they would exceed it."""
    halves = [product("A", conversion=Conversion(D(2), "DIVIDE")), product("B")]
    cards = [card(rate(name, "1"), name=name) for name in "AB"]
    contracts = [contract(name=name, rate_card_id=uid(name)) for name in "AB"]
    shared = prepaid("1", contract_id=None)
    events = [used("A", on(10, 5), "0.000000000001"), used("B", on(10, 6), 1)]
    documents = usage_documents(computed(given(LATE_OCTOBER, contracts, cards, halves, commits=[shared]), events))
    assert sum(entry.amount for document in documents for entry in document.entries) == -1


def test_quantities_are_rounded_over_the_period_and_split_by_share():
    """Whole boxes of 10, rounded up: the third box is started on the 20th, at the price of that day. A commit of 15
    pays the two first boxes in part."""
    boxes = product("A", conversion=Conversion(D(10), "DIVIDE"), rounding=Rounding(0, "ROUND_UP"))
    prices = card(rate("A", "10"), rate("A", "30", starting_at=on(10, 15), publication=2))
    events = [used("A", on(10, 5), 4), used("A", on(10, 6), 4), used("A", on(10, 7), 4), used("A", on(10, 20), 9)]
    document = october(prepaid("15"), events=events, prices=prices, products=[boxes])
    assert read(document) == [
        ("A", "01 Oct - 15 Oct", "1.5", "10", "15", "PREPAID"),
        ("prepaid", "01 Oct - 15 Oct", "", "", "-15", "PREPAID"),
        ("A", "01 Oct - 15 Oct", "0.5", "10", "5", ""),
        ("A", "15 Oct - 01 Nov", "1", "30", "30", ""),
    ]
    metered = [part.metric_quantity for line in document.lines for part in line.parts]
    assert metered == [D("10.5"), D("3.5"), D(7)]


def test_a_new_definition_starts_to_count_anew():
    """From the 15th the product is sold by the dozen and rounded up: the units before it stay what they were."""
    by_the_dozen = {"conversion": Conversion(D(12), "DIVIDE"), "rounding": Rounding(0, "ROUND_UP")}
    versions = [product("A"), product("A", starting_at=on(10, 15), publication=2, **by_the_dozen)]
    events = [used("A", on(10, 14, 23), 5), used("A", on(10, 15), 13)]
    assert read(october(events=events, prices=card(rate("A", "1")), products=versions)) == [
        ("A", "01 Oct - 15 Oct", "5", "1", "5", ""),
        ("A", "15 Oct - 01 Nov", "2", "1", "2", ""),
    ]


def test_a_product_may_change_its_metric_and_its_group_keys():
    versions = [
        product("A", metric="old"),
        product("A", metric="new", starting_at=on(10, 15), publication=2, pricing_group_key=("model",)),
    ]
    prices = card(rate("A", "1"), rate("A", "7", values=(("model", "xl"),)))
    events = [used(name, on(10, day), 1, model="xl") for name in ("old", "new") for day in (5, 25)]
    assert read(october(events=events, prices=prices, products=versions)) == [
        ("A", "01 Oct - 15 Oct", "1", "1", "1", ""),
        ("A (model: xl)", "15 Oct - 01 Nov", "1", "7", "7", ""),
    ]


def test_two_products_of_one_metric_both_bill_it():
    products = [product("A", metric="tokens"), product("B", metric="tokens")]
    assert october(events=[used("tokens", on(10, 5), 3)], products=products).total == 33


def test_lines_of_a_product_come_by_value_and_name_them():
    tokens = product("A", pricing_group_key=("model",), presentation_group_key=("region", "zone"))
    prices = card(*(rate("A", price, values=(("model", model),)) for model, price in (("xl", "9"), ("s", "1"))))
    events = [
        used("A", on(10, 5), 1, model=model, region=region, zone="1", user="not a key of the product")
        for model in ("xl", "s")
        for region in ("us", "eu")
    ]
    assert [line[0] for line in read(october(events=events, prices=prices, products=[tokens]))] == [
        "A (model: s, region: eu, zone: 1)",
        "A (model: s, region: us, zone: 1)",
        "A (model: xl, region: eu, zone: 1)",
        "A (model: xl, region: us, zone: 1)",
    ]


def test_a_contract_that_ends_in_mid_month_and_one_that_follows_it():
    contracts = [contract(OCTOBER, on(10, 20), name="old"), contract(on(10, 20), None, name="new")]
    events = [used("B", on(10, 19, 23), 3), used("B", on(10, 20), 4)]
    documents = usage_documents(computed(given(LATE_OCTOBER, contracts, [PRICES], A_AND_B), events))
    assert [(document.period, document.total) for document in documents] == [
        (Period(OCTOBER, on(10, 20)), 3),
        (Period(on(10, 20), NOVEMBER), 4),
    ]
