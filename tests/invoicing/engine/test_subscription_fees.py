"""The worked tables of `docs/subscriptions.md`, and what pays for fees."""

from dataclasses import replace

import pytest

from billing_site.foundation.money import exact_sum
from contracts.fee_terms import AmountRounding
from invoicing.engine.rounding import finalized
from pricing.engine.targets import Target
from pricing.engine.tariffs import Tariff
from tests.invoicing.engine.subscribed import CALLS, collected, quantities, seats, subscribed, subscription
from tests.invoicing.engine.world import (
    CREDITS,
    DECEMBER,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
    card,
    composite,
    computed,
    credit,
    override,
    percentage,
    postpaid,
    prepaid,
    rate,
    read,
    target,
    uid,
    used,
)  # fmt: skip
from tests.invoicing.engine.world import on as day
from tests.invoicing.engine.world import tiers as priced_in_tiers

SEATS_BY_MONTH = Target(uid("Seats"), billing_frequency="MONTHLY")
CHANGES = ((OCTOBER, 10), (day(10, 16), 15), (day(11, 10), 12))
LATE = day(12, 31, 23)
FIRST = ("01 Oct", "CHARGES", "01 Oct - 01 Nov", "10", "2,000", "20,000")
MORE = ("16 Oct - 01 Nov", "5", "1,032.258064516129", "5,161.290322580645")
TEN, FIFTEEN, TWELVE = (("10", "2,000", "20,000"), ("15", "2,000", "30,000"), ("12", "2,000", "24,000"))


@pytest.mark.parametrize(
    ("terms", "rows"),
    [
        pytest.param(
            {},
            [
                FIRST,
                ("16 Oct", "CHARGES", *MORE),
                ("01 Nov", "USAGE", "01 Nov - 01 Dec", *FIFTEEN),
                ("01 Dec", "USAGE", "01 Dec - 01 Jan", *TWELVE),
            ],
            id="in advance, increases at once",
        ),
        pytest.param(
            {"bills_immediately": False},
            [
                FIRST,
                ("01 Nov", "USAGE", *MORE),
                ("01 Nov", "USAGE", "01 Nov - 01 Dec", *FIFTEEN),
                ("01 Dec", "USAGE", "01 Dec - 01 Jan", *TWELVE),
            ],
            id="in advance, increases at the next collection",
        ),
        pytest.param(
            {"is_in_advance": False},
            [
                ("01 Nov", "USAGE", "01 Oct - 01 Nov", *TEN),
                ("01 Nov", "USAGE", *MORE),
                ("01 Dec", "USAGE", "01 Nov - 01 Dec", *FIFTEEN),
                ("01 Jan", "USAGE", "01 Dec - 01 Jan", *TWELVE),
            ],
            id="in arrears",
        ),
        pytest.param(
            {"is_in_advance": False, "is_on_usage_invoice": False},
            [
                ("01 Nov", "CHARGES", "01 Oct - 01 Nov", *TEN),
                ("01 Nov", "CHARGES", *MORE),
                ("01 Dec", "CHARGES", "01 Nov - 01 Dec", *FIFTEEN),
                ("01 Jan", "CHARGES", "01 Dec - 01 Jan", *TWELVE),
            ],
            id="in arrears on documents of its own",
        ),
        pytest.param(
            {"is_prorated": False},
            [
                FIRST,
                ("16 Oct", "CHARGES", "16 Oct - 01 Nov", "5", "2,000", "10,000"),
                ("01 Nov", "USAGE", "01 Nov - 01 Dec", *FIFTEEN),
                ("01 Dec", "USAGE", "01 Dec - 01 Jan", *TWELVE),
            ],
            id="not prorated",
        ),
    ],
)
def test_the_worked_table(terms, rows):
    result = computed(subscribed(LATE, subscription(OCTOBER, *CHANGES, **terms)))
    assert collected(result) == rows
    assert result.findings == ()


@pytest.mark.parametrize(
    ("terms", "row"),
    [
        ({}, ("22 Oct - 01 Nov", "10", "645.161290322581", "6,451.612903225806")),
        ({"is_prorated": False}, ("22 Oct - 01 Nov", *TEN)),
        ({"rounding": AmountRounding(-2, "HALF_UP")}, ("22 Oct - 01 Nov", "10", "650", "6,500")),
        ({"rounding": AmountRounding(0, "FLOOR")}, ("22 Oct - 01 Nov", "10", "645.1", "6,451")),
        ({"rounding": AmountRounding(0, "CEILING")}, ("22 Oct - 01 Nov", "10", "645.2", "6,452")),
    ],
)
def test_a_short_first_period_costs_its_share(terms, row):
    result = computed(subscribed(day(10, 22), subscription(day(10, 22), (day(10, 22), 10), **terms)))
    assert collected(result)[0] == ("22 Oct", "CHARGES", *row)
    assert result.documents[0].lines[0].is_prorated is (terms.get("is_prorated") is not False)


def test_a_last_period_costs_its_share_and_no_period_follows():
    ends = subscription(OCTOBER, (OCTOBER, 10), end=day(12, 11))
    (*_, last) = collected(computed(subscribed(LATE, ends)))
    assert last == ("01 Dec", "USAGE", "01 Dec - 11 Dec", "10", "645.161290322581", "6,451.612903225806")


@pytest.mark.parametrize(
    ("frequency", "anchor", "starts"),
    [
        ("MONTHLY", day(1, 31), ["31 Jan - 28 Feb", "28 Feb - 31 Mar", "31 Mar - 30 Apr", "30 Apr - 31 May"]),
        ("QUARTERLY", day(1, 31), ["31 Jan - 30 Apr", "30 Apr - 31 Jul", "31 Jul - 31 Oct", "31 Oct - 31 Jan"]),
        ("WEEKLY", day(1, 31), ["31 Jan - 07 Feb", "07 Feb - 14 Feb", "14 Feb - 21 Feb", "21 Feb - 28 Feb"]),
        ("ANNUAL", day(2, 29, year=2024), ["29 Feb - 28 Feb", "28 Feb - 28 Feb", "28 Feb - 28 Feb", "28 Feb - 29 Feb"]),
    ],
)
def test_periods_are_counted_from_the_anchor(frequency, anchor, starts):
    terms = {"frequency": frequency, "anchor_at": anchor, "is_on_usage_invoice": False}
    runs = subscription(anchor, (anchor, 1), **terms)
    rates = [rate("Seats", "2000", billing_frequency=frequency, starting_at=day(1, 1, year=2024))]
    at = day(3, 1, year=2028)
    inputs = subscribed(at, runs, rates=rates, terms={"start": anchor, "end": None})
    found = collected(computed(inputs))
    assert [row[2] for row in found[:4]] == starts
    assert {row[3:] for row in found[:4]} == {("1", "2,000", "2,000")}, "a whole period costs the whole fee"


def test_less_and_more_again_within_a_period_costs_nothing():
    changes = ((OCTOBER, 10), (day(10, 5), 4), (day(10, 20), 9), (day(10, 25), 11))
    rows = collected(computed(subscribed(day(10, 26), subscription(OCTOBER, *changes, is_prorated=False))))
    assert [row[2:4] for row in rows] == [
        ("01 Oct - 01 Nov", "10"),
        ("25 Oct - 01 Nov", "1"),
        ("01 Nov - 01 Dec", "11"),
    ]


def test_a_fee_that_begins_within_a_usage_period_has_a_document_of_its_own():
    middle = subscription(OCTOBER, (OCTOBER, 10), anchor_at=day(10, 15))
    rows = collected(computed(subscribed(day(12, 20), middle)))
    assert [(row[0], row[1]) for row in rows] == [
        (f"{date}", "CHARGES") for date in ("01 Oct", "15 Oct", "15 Nov", "15 Dec")
    ]


def test_what_was_agreed_late_is_an_increase_of_each_period_that_is_final():
    late = quantities((day(10, 20), 15), agreed_at=day(12, 10), billed_through=DECEMBER)
    runs = subscription(OCTOBER, (OCTOBER, 10))
    runs = replace(runs, quantities=(*runs.quantities, *late))
    assert [row for row in collected(computed(subscribed(LATE, runs))) if row[3] != "10"] == [
        ("20 Oct", "CHARGES", "20 Oct - 01 Nov", "5", "774.193548387097", "3,870.967741935484"),
        ("01 Nov", "CHARGES", "01 Nov - 01 Dec", "5", "2,000", "10,000"),
        ("01 Dec", "CHARGES", "01 Dec - 01 Jan", "5", "2,000", "10,000"),
    ]


def test_in_arrears_what_was_agreed_late_has_a_document_where_the_usage_document_is_final():
    late = quantities((day(10, 20), 15), agreed_at=day(12, 10), billed_through=DECEMBER)
    runs = subscription(OCTOBER, (OCTOBER, 10), is_in_advance=False)
    runs = replace(runs, quantities=(*runs.quantities, *late))
    assert [row[:4] for row in collected(computed(subscribed(LATE, runs)))] == [
        ("01 Nov", "USAGE", "01 Oct - 01 Nov", "10"),
        ("01 Nov", "CHARGES", "20 Oct - 01 Nov", "5"),
        ("01 Dec", "USAGE", "01 Nov - 01 Dec", "10"),
        ("01 Dec", "CHARGES", "01 Nov - 01 Dec", "5"),
        ("01 Jan", "USAGE", "01 Dec - 01 Jan", "15"),
    ]


def test_nothing_is_charged_where_the_deal_does_not_entitle_to_it():
    listed = rate("Seats", "2000", billing_frequency="MONTHLY", entitled=False)
    inputs = subscribed(LATE, subscription(OCTOBER, (OCTOBER, 10)), rates=[rate("Calls", "1"), listed])
    assert (collected(computed(inputs)), computed(inputs).findings) == ([], ())
    entitles = override(entitled=True, targets=(SEATS_BY_MONTH,), type="", period=override("1").period)
    with_it = subscribed(
        LATE, subscription(OCTOBER, (OCTOBER, 10)), rates=[rate("Calls", "1"), listed], terms={"overrides": (entitles,)}
    )
    assert len(collected(computed(with_it))) == 3


def test_a_rate_that_has_ended_holds_the_document():
    ended = rate("Seats", "2000", billing_frequency="MONTHLY", ending_before=NOVEMBER)
    inputs = subscribed(LATE, subscription(OCTOBER, (OCTOBER, 10)), rates=[rate("Calls", "1"), ended])
    result = computed(inputs)
    assert collected(result) == [FIRST]
    assert [(each.kind, each.blocking, each.message) for each in result.findings] == [
        ("NO_RATE", True, "Seats: 10 subscribed to, and the rate card List has no rate for it.")
    ] * 2


def test_a_new_price_holds_from_the_next_period_in_advance_and_for_the_running_one_in_arrears():
    rates = [
        rate("Seats", "2000", billing_frequency="MONTHLY"),
        rate("Seats", "3000", billing_frequency="MONTHLY", starting_at=day(11, 15), publication=2),
    ]
    for terms, prices in (({}, ["2,000", "2,000", "3,000"]), ({"is_in_advance": False}, ["2,000", "3,000", "3,000"])):
        rows = collected(computed(subscribed(LATE, subscription(OCTOBER, (OCTOBER, 10), **terms), rates=rates)))
        assert [row[4] for row in rows] == prices


def test_overrides_that_name_the_frequency_apply_and_prices_of_tiers_count_what_came_before():
    half = override("0.5", targets=(SEATS_BY_MONTH,))
    tiers = override(tariff=priced_in_tiers(("2000", "12"), ("1000",)), targets=(SEATS_BY_MONTH,))
    assert [row[4:] for row in collected(computed(with_override(half)))][:2] == [
        ("1,000", "10,000"), ("516.129032258065", "2,580.645161290323"),
    ]  # fmt: skip
    assert [row[3:] for row in collected(computed(with_override(tiers)))][:3] == [
        ("10", "2,000", "20,000"),
        ("2", "1,032.258064516129", "2,064.516129032258"),  # up to 12, at the price of the first tier
        ("3", "516.129032258065", "1,548.387096774194"),
    ]


def test_a_rate_of_the_old_kind_has_a_quantity_of_its_own_and_knows_no_increase():
    five = rate(
        "Seats",
        "0",
        billing_frequency="MONTHLY",
        tariff=Tariff("SUBSCRIPTION", D(2000), quantity=D(5), is_prorated=True),
    )
    rows = collected(computed(subscribed(day(10, 31), subscription(OCTOBER, *CHANGES), rates=[five])))
    assert [row[3:] for row in rows] == [("5", "2,000", "10,000")] * 2


def test_a_balance_pays_usage_and_fees_in_the_order_of_time():
    """250 dollars from 1 October: the first fee takes 200 of it, usage has what is left before the next fee."""
    paid = prepaid("25000", OCTOBER, NEW_YEAR)
    inputs = subscribed(day(10, 31), subscription(OCTOBER, (OCTOBER, 10)), terms={"commits": (paid,)})
    first, usage = computed(inputs, [used("Calls", day(10, 10), 8000)]).documents
    assert read(first) == [
        ("Seats", "01 Oct - 01 Nov", "10", "2,000", "20,000", "PREPAID"),
        ("prepaid", "01 Oct - 01 Nov", "", "", "-20,000", "PREPAID"),
    ]
    assert [(row[0], row[2], row[4], row[5]) for row in read(usage)] == [
        ("Calls", "5,000", "5,000", "PREPAID"),
        ("prepaid", "", "-5,000", "PREPAID"),
        ("Calls", "3,000", "3,000", ""),
        ("Seats", "10", "20,000", ""),
    ]
    assert (first.total, usage.total) == (0, 23_000)
    assert [(entry.amount, entry.timestamp) for entry in (*first.entries, *usage.entries)] == [
        (-20_000, OCTOBER), (-5_000, NOVEMBER),
    ]  # fmt: skip
    (standing,) = computed(inputs).balances
    assert {(each.amount, each.timestamp) for each in standing.pending} == {(20_000, OCTOBER), (5_000, NOVEMBER)}


def test_a_credit_for_the_next_month_pays_the_fee_that_is_collected_when_it_begins():
    november = credit("30000", NOVEMBER, DECEMBER, targets=(target("Seats"),))
    inputs = subscribed(day(11, 2), subscription(OCTOBER, (OCTOBER, 10)), terms={"commits": (november,)})
    _, october, _ = computed(inputs, [used("Calls", day(10, 31), 500)]).documents
    assert [(row[0], row[4], row[5]) for row in read(october)] == [
        ("Calls", "500", ""), ("Seats", "20,000", "CREDIT"), ("credit", "-20,000", "CREDIT"),
    ]  # fmt: skip


def test_fees_count_toward_a_commitment_whose_true_up_waits_for_them():
    owed = postpaid("50000", OCTOBER, NOVEMBER, name="floor")
    inputs = subscribed(day(10, 31), subscription(OCTOBER, (OCTOBER, 10)), terms={"commits": (owed,)})
    first, *_, true_up = sorted(computed(inputs).documents, key=lambda each: each.kind == "TRUE_UP")
    assert (true_up.total, first.kind, first.id in true_up.waits_for) == (30_000, "CHARGES", True)


def test_custom_units_are_converted_on_the_document_of_the_fee():
    rates = [rate("Seats", "2", billing_frequency="MONTHLY", unit=CREDITS)]
    inputs = subscribed(day(10, 2), subscription(OCTOBER, (OCTOBER, 10)), cards=[card(*rates, credits_at="300")])
    first, _ = computed(inputs).documents
    assert [(line.type, line.name, line.total, line.unit, line.counts) for line in first.lines] == [
        ("subscription", "Seats", 20, CREDITS, False),
        ("cpu_conversion", "credits in USD (cents)", 6_000, USD, True),
    ]
    assert first.total == 6_000


def test_composites_stand_on_usage_alone():
    rates = [rate("Calls", "1"), rate("Seats", "2000", billing_frequency="MONTHLY")]
    rates.append(rate("Support", "0", tariff=percentage("0.1")))
    products = (CALLS, seats(), composite("Support", "Calls", "Seats"))
    inputs = subscribed(day(10, 31), subscription(OCTOBER, (OCTOBER, 10)), rates=rates, products=products)
    *_, usage = computed(inputs, [used("Calls", day(10, 2), 1000)]).documents
    assert [(line.name, line.total) for line in usage.lines] == [("Calls", 1000), ("Seats", 20_000), ("Support", 100)]


def test_documents_round_once():
    runs = subscription(OCTOBER, *CHANGES)
    result = computed(subscribed(LATE, runs))
    final = [finalized(document) for document in result.documents]
    assert [each.total for each in final if each.document.lines] == [D(20_000), D(5_161), D(30_000), D(24_000), D(0)]
    assert all(exact_sum(list(each.totals)) == each.total for each in final)


def with_override(rule):
    return subscribed(day(10, 31), subscription(OCTOBER, *CHANGES), terms={"overrides": (rule,)})
