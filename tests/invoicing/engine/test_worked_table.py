"""The table in the docstring of the walk, and those of the design that need no later kind of term."""

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine.walk import Finer
from tests.invoicing.engine.world import (
    LATE_OCTOBER,
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
    postpaid,
    prepaid,
    product,
    rate,
    read,
    target,
    the_usage,
    uid,
    usage_documents,
    used,
)

H_AND_L = (product("H"), product("L"))
PRICES = card(rate("H", "10"), rate("L", "1"))

FOUR_HOURS = [
    used("H", on(10, 1, 1), 3), used("L", on(10, 1, 1), 20),
    used("H", on(10, 1, 2), 8), used("L", on(10, 1, 2), 40),
    used("L", on(10, 1, 3), -30),
    used("H", on(10, 1, 4), 2),
]  # fmt: skip


def test_the_table_of_the_walk():
    b = prepaid("50", name="B", targets=(target("H"),))
    a = prepaid("100", name="A")
    result = computed(given(LATE_OCTOBER, [contract(commits=(a, b))], [PRICES], H_AND_L), FOUR_HOURS)
    october = the_usage(result)
    assert read(october) == [
        ("H", "01 Oct - 01 Nov", "5", "10", "50", "PREPAID"),
        ("B", "01 Oct - 01 Nov", "", "", "-50", "PREPAID"),
        ("H", "01 Oct - 01 Nov", "7", "10", "70", "PREPAID"),
        ("A", "01 Oct - 01 Nov", "", "", "-70", "PREPAID"),
        ("H", "01 Oct - 01 Nov", "1", "10", "10", ""),
        ("L", "01 Oct - 01 Nov", "30", "1", "30", "PREPAID"),
        ("A", "01 Oct - 01 Nov", "", "", "-30", "PREPAID"),
    ]
    assert october.total == 10
    assert [(entry.commit_id, entry.amount) for entry in october.entries] == [(b.id, -50), (a.id, -100)]


@pytest.mark.parametrize("idle", [False, True], ids=["without a cut", "with an idle cut in the middle of the month"])
def test_a_prepaid_100_for_any_product_then_one_for_h_only(idle):
    """The order of the two is the design's: the one for any product first, by its priority."""
    any_product = prepaid("100", name="any", priority=D(1))
    h_only = prepaid("100", name="H only", priority=D(2), targets=(target("H"),))
    rates = [rate("H", "10"), rate("L", "1")]
    products = [*H_AND_L]
    if idle:
        rates.append(rate("idle", "5", starting_at=on(10, 15)))
        products.append(product("idle", pricing_group_key=("region",)))
    events = [used(name, on(10, day, 5), quantity) for day in (3, 20) for name, quantity in (("H", 8), ("L", 40))]
    result = computed(given(LATE_OCTOBER, [contract(commits=(any_product, h_only))], [card(*rates)], products), events)
    assert read(the_usage(result)) == [
        ("H", "01 Oct - 01 Nov", "8", "10", "80", "PREPAID"),
        ("any", "01 Oct - 01 Nov", "", "", "-80", "PREPAID"),
        ("H", "01 Oct - 01 Nov", "8", "10", "80", "PREPAID"),
        ("H only", "01 Oct - 01 Nov", "", "", "-80", "PREPAID"),
        ("L", "01 Oct - 01 Nov", "20", "1", "20", "PREPAID"),
        ("any", "01 Oct - 01 Nov", "", "", "-20", "PREPAID"),
        ("L", "01 Oct - 01 Nov", "60", "1", "60", ""),
    ]


def test_two_contracts_share_a_commit_of_the_customer():
    contracts = [contract(name="north", rate_card_id=uid("north")), contract(name="south", rate_card_id=uid("south"))]
    cards = [card(rate("H", "1"), name="north"), card(rate("L", "1"), name="south")]
    events = [used(name, on(10, 1 + hour // 24, hour % 24), 1) for name in "HL" for hour in range(80)]
    shared = prepaid("100", name="shared", contract_id=None)
    north, south = usage_documents(computed(given(LATE_OCTOBER, contracts, cards, H_AND_L, commits=[shared]), events))
    assert north.total + south.total == 60
    assert [entry.amount for document in (north, south) for entry in document.entries] == [-50, -50]


def test_a_postpaid_commit_counts_what_is_still_to_be_paid():
    """$500 of usage, $400 prepaid, $400 postpaid: 400 is covered, 100 counts and is billed."""
    commits = (postpaid("400", name="promise"), prepaid("400", name="paid"))
    result = computed(
        given(LATE_OCTOBER, [contract(commits=commits)], [PRICES], H_AND_L), [used("H", on(10, 9, 9), 50)]
    )
    usage, true_up = [document for document in result.documents if document.kind in ("USAGE", "TRUE_UP")]
    assert read(usage) == [
        ("H", "01 Oct - 01 Nov", "40", "10", "400", "PREPAID"),
        ("paid", "01 Oct - 01 Nov", "", "", "-400", "PREPAID"),
        ("H", "01 Oct - 01 Nov", "10", "10", "100", "POSTPAID"),
        ("promise", "01 Oct - 01 Nov", "", "", "-100", "POSTPAID, not added"),
        ("L", "01 Oct - 01 Nov", "0", "1", "0", ""),
    ]
    assert usage.total == 100
    assert true_up.total == 300


def test_a_balance_that_runs_out_costs_one_look_at_the_days_and_one_at_the_hours_of_one():
    events = [used("H", on(10, 1 + hour // 24, hour % 24), 1) for hour in range(240)]
    events += [used("L", on(10, 1 + hour // 24, hour % 24), 5) for hour in range(240)]
    ledger = Ledger(events)
    inputs = given(LATE_OCTOBER, [contract(commits=(prepaid("1000"),))], [PRICES], H_AND_L)
    october = the_usage(computed_from(inputs, ledger))
    third_day = Period(on(10, 3), on(10, 4))
    assert ledger.asked == [Finer(Period(OCTOBER, NOVEMBER), by_hour=False), Finer(third_day, by_hour=True)]
    # 15 an hour: 66 hours cost 990; of the 67th, the dearer H comes first and takes the last 10.
    assert [line[2:] for line in read(october)] == [
        ("67", "10", "670", "PREPAID"),
        ("", "", "-670", "PREPAID"),
        ("173", "10", "1,730", ""),
        ("330", "1", "330", "PREPAID"),
        ("", "", "-330", "PREPAID"),
        ("870", "1", "870", ""),
    ]
