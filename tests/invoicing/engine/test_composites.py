"""A percentage of what a period's usage came to."""

import re

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine.composites import CompositeCycle
from pricing.engine.targets import Target
from pricing.engine.tariffs import flat
from tests.invoicing.engine.world import (
    CREDITS,
    HOUR,
    LATE_OCTOBER,
    NOVEMBER,
    OCTOBER,
    D,
    Ledger,
    card,
    composite,
    computed,
    computed_from,
    contract,
    fixed,
    given,
    on,
    override,
    percentage,
    postpaid,
    prepaid,
    product,
    rate,
    read,
    target,
    the_usage,
    tiers,
    uid,
    usage_documents,
    used,
)

A, B = product("A", tags=("compute",)), product("B")
SUPPORT = composite("Support", "A", "B")
USED = [used("A", on(10, 5), 10), used("B", on(10, 6), 30)]
LAST_HOUR = NOVEMBER - HOUR


def share(name: str, fraction: str, **terms):
    return rate(name, fraction, tariff=percentage(fraction), **terms)


RATES = [rate("A", "10"), rate("B", "1"), share("Support", "0.2")]


def october(*more, events=USED, products=(A, B, SUPPORT), rates=RATES, commits=(), **terms):
    agreed = contract(commits=commits, **terms)
    inputs = given(LATE_OCTOBER, [agreed], [card(*rates, *more)], products)
    return the_usage(computed(inputs, events))


def lines_of(document, *names: str) -> list[tuple[str, ...]]:
    return [(line[0], *line[2:]) for line in read(document) if line[0] in names]


def test_the_table_of_composites():
    tax = composite("Tax", "Support", include_composite_spend=True)
    document = october(share("Tax", "0.1"), products=(A, B, SUPPORT, tax))
    assert lines_of(document, "Support", "Tax") == [
        ("Support", "130", "0.2", "26", ""),
        ("Tax", "26", "0.1", "2.6", ""),
    ]
    assert document.total == D("158.6")


def test_what_its_line_says():
    line = next(line for line in october().lines if line.name == "Support")
    assert (line.type, line.product_type, line.period) == ("usage", "COMPOSITE", Period(OCTOBER, NOVEMBER))
    (part,) = line.parts
    assert part.period == Period(LAST_HOUR, NOVEMBER)
    assert (part.metric_quantity, part.rate_type, part.above, part.upto) == (130, "PERCENTAGE", 0, 130)


def test_a_graduated_percentage():
    by_slices = rate("Support", "0", tariff=tiers(("0.2", "100"), ("0.1",), kind="TIERED_PERCENTAGE"))
    assert lines_of(october(rates=[*RATES[:2], by_slices]), "Support") == [
        ("Support", "100", "0.2", "20", ""),
        ("Support", "30", "0.1", "3", ""),
    ]


@pytest.mark.parametrize(
    ("definition", "base"),
    [
        pytest.param({"composite_product_ids": (uid("A"),)}, "100", id="a listed product"),
        pytest.param(
            {"composite_product_ids": (), "composite_tags": ("compute", "other")}, "100", id="any of the tags"
        ),
        pytest.param({"composite_product_ids": (uid("B"),), "composite_tags": ("compute",)}, "130", id="either"),
    ],
)
def test_what_is_in_the_base(definition, base):
    of = composite("Support", **definition)
    assert lines_of(october(products=(A, B, of)), "Support")[0][1] == base


def test_a_product_counts_while_it_has_the_tag():
    """A loses its tag on the 20th: the 5 units before are in the base, whatever the line says."""
    untagged = product("A", starting_at=on(10, 20), publication=2)
    of = composite("Support", composite_tags=("compute",))
    events = [used("A", on(10, 10), 5), used("A", on(10, 25), 4)]
    document = october(events=events, products=(A, untagged, B, of))
    assert lines_of(document, "A", "Support") == [("A", "9", "10", "90", ""), ("Support", "50", "0.2", "10", "")]


def test_the_base_is_finally_priced_and_includes_what_balances_paid():
    """A at half from its override, 15 of the 50 paid by a balance: still 50 of the base, and 30 of B."""
    half = override("0.5", targets=(target("A"),))
    document = october(overrides=(half,), commits=[prepaid("15", targets=(target("A"),))])
    assert lines_of(document, "Support") == [("Support", "80", "0.2", "16", "")]


def test_nothing_in_the_base_nothing_to_charge():
    assert lines_of(october(events=[]), "Support") == []


@pytest.mark.parametrize(("exclude", "lines"), [(False, [("Support", "0", "0.2", "0", "")]), (True, [])])
def test_free_usage_in_the_base(exclude, lines):
    of = composite("Support", "A", exclude_free_usage=exclude)
    free = override("0", targets=(target("A"),))
    assert lines_of(october(products=(A, B, of), overrides=(free,)), "Support") == lines


def test_balances_pay_for_composites_after_the_last_hours_usage():
    """50 for the last hour: its usage of 40 first, then 10 of the composite's 34."""
    events = [*USED, used("B", LAST_HOUR, 40)]
    document = october(events=events, commits=[prepaid("50", LAST_HOUR, NOVEMBER)])
    assert lines_of(document, "Support", "prepaid") == [
        ("prepaid", "", "", "-40", "PREPAID"),
        ("Support", "120", "0.2", "24", ""),
        ("Support", "50", "0.2", "10", "PREPAID"),
        ("prepaid", "", "", "-10", "PREPAID"),
    ]


def test_the_windows_and_targets_of_balances_hold_for_composites():
    over = prepaid("999", OCTOBER, LAST_HOUR, name="over", priority=D(1))
    for_a = prepaid("999", LAST_HOUR, name="for A", targets=(target("A"),), priority=D(2))
    grouped = prepaid("999", LAST_HOUR, name="EU", targets=(Target(pricing_group_values=(("region", "eu"),)),))
    composites = prepaid("5", name="composites", targets=(target("Support"),), priority=D(200))
    document = october(events=USED[:1], commits=[over, for_a, grouped, composites])
    assert [line[0] for line in read(document) if line[4].startswith("-")] == ["over", "composites"]


def test_a_balance_of_units_takes_none_of_a_composite():
    document = october(events=USED[:1], commits=[prepaid("999", access_type="QUANTITY")])
    assert lines_of(document, "A", "Support") == [
        ("A", "10", "10", "100", "PREPAID"),
        ("Support", "100", "0.2", "20", ""),
    ]


def test_what_holds_in_the_last_hour_counts():
    rates = [*RATES, share("Support", "0.3", starting_at=LAST_HOUR, publication=2)]
    discount = override("0.5", period=Period(LAST_HOUR), targets=(target("Support"),))
    assert lines_of(october(rates=rates, overrides=(discount,)), "Support") == [("Support", "130", "0.15", "19.5", "")]


def test_a_postpaid_commit_counts_composites():
    document = october(commits=[postpaid("1000")])
    assert document.total == 156
    assert [entry.amount for entry in document.entries] == [-156]


def test_composites_of_one_layer_are_drawn_dearest_first():
    care = composite("Care", "A")
    document = october(share("Care", "0.3"), products=(A, B, SUPPORT, care),
                       commits=[prepaid("30", targets=(target("Care"), target("Support")))])  # fmt: skip
    assert lines_of(document, "Care", "Support") == [
        ("Support", "130", "0.2", "26", ""),
        ("Care", "100", "0.3", "30", "PREPAID"),
    ]


def test_composites_stand_on_composites_by_tag_and_in_order():
    chain = [
        composite("Third", "Second", include_composite_spend=True),
        composite("Second", composite_tags=("first",), include_composite_spend=True),
        composite("First", "A", tags=("first",)),
    ]
    rates = [*RATES[:2], *(share(name, "0.5") for name in ("Third", "Second", "First"))]
    document = october(products=(A, B, *chain), rates=rates)
    assert lines_of(document, "First", "Second", "Third") == [
        ("Third", "25", "0.5", "12.5", ""),
        ("Second", "50", "0.5", "25", ""),
        ("First", "100", "0.5", "50", ""),
    ]


def test_composite_spend_is_left_out_unless_asked_for():
    tax = composite("Tax", "Support", "A")
    document = october(share("Tax", "0.1"), products=(A, B, SUPPORT, tax))
    assert lines_of(document, "Tax") == [("Tax", "100", "0.1", "10", "")]


def test_a_circle_of_composites_is_refused():
    circle = [
        composite("One", "Two", include_composite_spend=True),
        composite("Two", "One", include_composite_spend=True),
    ]
    rates = [*RATES[:2], share("One", "0.1"), share("Two", "0.1")]
    with pytest.raises(CompositeCycle, match=re.escape("These composites stand on each other: ")):
        october(products=(A, B, *circle), rates=rates)


def test_a_composite_without_a_rate_is_found_where_the_deal_has_it():
    ended = share("Support", "0.2", ending_before=on(10, 20))
    document = october(rates=[*RATES[:2], ended])
    (finding,) = document.findings
    assert (finding.kind, finding.blocking, finding.quantity) == ("NO_RATE", True, 130)
    assert finding.message == "Support: a spend of 130, and the rate card List has no rate for it."
    refused = october(rates=[*RATES[:2], share("Support", "0.2", entitled=False)])
    assert (refused.findings, lines_of(refused, "Support")) == ((), [])


def test_an_override_may_put_a_composite_into_the_deal():
    into = override(entitled=True, targets=(target("Support"),))
    rates = [*RATES[:2], share("Support", "0.2", entitled=False)]
    assert lines_of(october(rates=rates, overrides=(into,)), "Support") == [("Support", "130", "0.2", "26", "")]


def test_a_composite_that_is_defined_later_charges_nothing_before():
    later = composite("Support", "A", starting_at=on(11, 1))
    assert lines_of(october(products=(A, B, later)), "Support") == []


def test_the_charge_is_in_the_unit_of_its_base():
    rates = [rate("A", "10"), rate("B", "2", unit=CREDITS), share("Support", "0.2")]
    agreed = contract(commits=[prepaid("3", unit=CREDITS, name="credits")])
    inputs = given(LATE_OCTOBER, [agreed], [card(*rates, credits_at="5")], (A, B, SUPPORT))
    document = the_usage(computed(inputs, USED))
    support = [(line.total, line.unit.name) for line in document.lines if line.name == "Support"]
    assert sorted(support, key=str) == [(12, "credits"), (20, "USD (cents)")]
    # 60 credits by B and 12 for its support, less 3: 69 at 5 cents; 100 by A and 20.
    assert document.total == 120 + 69 * 5


def test_a_base_of_nothing_in_two_units_has_one_line_in_whatever_order_usage_came():
    rates = [rate("A", "0"), rate("B", "0", unit=CREDITS), share("Support", "0.2")]
    inputs = given(LATE_OCTOBER, [contract()], [card(*rates, credits_at="5")], (A, B, SUPPORT))
    one, other = (the_usage(computed(inputs, events)) for events in (USED, USED[::-1]))
    assert one == other
    assert [line.unit.name for line in one.lines if line.name == "Support"] == ["USD (cents)"]


def test_two_contracts_whose_months_end_together_share_a_balance():
    contracts = [contract(name=name, rate_card_id=uid(name)) for name in ("north", "south")]
    cards = [
        card(rate("A", "10"), share("Support", "0.2"), name="north"),
        card(rate("B", "1"), share("Care", "0.5"), name="south"),
    ]
    care = composite("Care", "B")
    shared = prepaid("20", LAST_HOUR, NOVEMBER, name="shared", contract_id=None)
    inputs = given(LATE_OCTOBER, contracts, cards, (A, B, SUPPORT, care), commits=[shared])
    documents = usage_documents(computed(inputs, USED))
    # Care, a half, is dearer than Support, a fifth: 15 of its 15 are paid, and 5 of the other's 20.
    assert {document.total for document in documents} == {100 + 15, 30}


def test_a_composite_of_a_month_so_far_waits_for_its_last_hour():
    """On the 10th the draft shows it on what was used so far; a balance that ends before does not pay for it."""
    agreed = contract(commits=[prepaid("999", OCTOBER, on(10, 20))])
    inputs = given(on(10, 10), [agreed], [card(*RATES)], (A, B, SUPPORT))
    assert the_usage(computed(inputs, USED)).total == 26


def test_it_needs_no_hours():
    ledger = Ledger(USED)
    inputs = given(LATE_OCTOBER, [contract(commits=[prepaid("140")])], [card(*RATES)], (A, B, SUPPORT))
    assert the_usage(computed_from(inputs, ledger)).total == 16
    assert ledger.asked == []


def test_only_composites_are_taken_for_such():
    assert lines_of(october(flat_rate(), products=(A, B, SUPPORT, fixed("Setup"))), "Setup") == []


def flat_rate():
    return rate("Setup", "5", tariff=flat(D(5)))
