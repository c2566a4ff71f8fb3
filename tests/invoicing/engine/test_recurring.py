"""Commits and credits that recur: the table in the docstring, and how usage draws on the instances."""

from dataclasses import replace
from uuid import UUID

import pytest

from billing_site.foundation.periods import Period
from contracts.fee_terms import AmountRounding
from contracts.recurring import instances
from contracts.terms import AccessSegment, Commit, RecurringCommit, ScheduledAmount
from tests.invoicing.engine.world import (
    CREDITS,
    DECEMBER,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
    card,
    computed,
    contract,
    given,
    on,
    plain,
    product,
    rate,
    target,
    uid,
    usage_documents,
    used,
)

START, END, LATER = on(10, 22), on(12, 11), on(6, 1, year=2026)
YEAR = contract(OCTOBER, on(10, 1, year=2026))


def recurring(amount: str = "310", **terms: object) -> RecurringCommit:
    plain = RecurringCommit(
        id=uid("monthly"),
        type="CREDIT",
        contract_id=uid("Acme"),
        product_id=uid("Commitment"),
        name="monthly",
        priority=D(100),
        unit=USD,
        access_amount=D(amount),
        period=Period(START, END),
    )
    return replace(plain, **terms)


def read(of: RecurringCommit, agreed=YEAR, until=LATER) -> list[tuple[str, str, str]]:
    """From, until, how much."""
    found = [segment for each in instances(agreed, of, until=until) for segment in each.segments]
    days = [[f"{day:%-d %b}" for day in (each.period.starting_at, each.period.ending_before)] for each in found]
    return [(*window, plain(each.amount)) for window, each in zip(days, found, strict=True)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param(
            {}, [("22 Oct", "1 Nov", "100"), ("1 Nov", "1 Dec", "310"), ("1 Dec", "11 Dec", "100")],
            id="of usage documents",
        ),
        pytest.param(
            {"proration": "NONE"}, [("22 Oct", "1 Nov", "310"), ("1 Nov", "1 Dec", "310"), ("1 Dec", "11 Dec", "310")],
            id="NONE",
        ),
        pytest.param(
            {"proration": "FIRST"},
            [("22 Oct", "1 Nov", "100"), ("1 Nov", "1 Dec", "310"), ("1 Dec", "11 Dec", "310")],
            id="FIRST",
        ),
        pytest.param(
            {"proration": "LAST"},
            [("22 Oct", "1 Nov", "310"), ("1 Nov", "1 Dec", "310"), ("1 Dec", "11 Dec", "100")],
            id="LAST",
        ),
        pytest.param(
            {"duration": 2, "proration": "NONE"},
            [("22 Oct", "1 Dec", "310"), ("1 Nov", "11 Dec", "310"), ("1 Dec", "1 Jan", "310")],
            id="a duration of two",
        ),
        pytest.param(
            {"frequency": "MONTHLY"}, [("22 Oct", "22 Nov", "310"), ("22 Nov", "11 Dec", "196.333333333333")],
            id="monthly, its own",
        ),
        pytest.param(
            {"frequency": "QUARTERLY", "proration": "FIRST"}, [("22 Oct", "11 Dec", "310")], id="one that is cut short"
        ),
        pytest.param(
            {"frequency": "WEEKLY", "period": Period(START, on(11, 5)), "proration": "NONE"},
            [("22 Oct", "29 Oct", "310"), ("29 Oct", "5 Nov", "310")],
            id="whole weeks",
        ),
    ],
)  # fmt: skip
def test_each_period_has_its_grant(terms, expected):
    assert read(recurring(**terms)) == expected


@pytest.mark.parametrize(
    ("rounding", "amount"),
    [
        (AmountRounding(0, "FLOOR"), "196"),
        (AmountRounding(0, "CEILING"), "197"),
        (AmountRounding(1, "HALF_UP"), "196.3"),
        (AmountRounding(-2, "HALF_UP"), "200"),
        (AmountRounding(-2, "FLOOR"), "100"),
    ],
)
def test_what_comes_by_time_is_rounded_as_agreed(rounding, amount):
    of = recurring(frequency="MONTHLY", access_rounding=rounding)
    assert read(of) == [("22 Oct", "22 Nov", "310"), ("22 Nov", "11 Dec", amount)]


def test_without_an_end_it_recurs_while_the_contract_runs():
    short = contract(OCTOBER, on(12, 15))
    assert read(recurring(period=Period(NOVEMBER), duration=3), short) == [
        ("1 Nov", "15 Dec", "310"),
        ("1 Dec", "15 Dec", "140"),
    ]
    assert read(recurring(period=Period(on(12, 15))), short) == []


def test_nothing_is_granted_ahead_of_the_period():
    assert read(recurring(), until=NOVEMBER) == [("22 Oct", "1 Nov", "100")]


def test_the_31st_comes_back():
    of = recurring(frequency="MONTHLY", period=Period(on(10, 31), NEW_YEAR), proration="NONE")
    assert [start for start, _, _ in read(of)] == ["31 Oct", "30 Nov", "31 Dec"]


def test_usage_draws_on_the_instance_of_its_period_and_what_is_left_expires():
    agreed = replace(YEAR, recurring=(recurring("100", period=Period(OCTOBER)),))
    events = [used("H", on(10, 5), 3), used("H", on(11, 5), 20)]
    result = computed(given(on(11, 20), [agreed], [card(rate("H", "10"))], [product("H")]), events)
    october, november = usage_documents(result)
    assert ([entry.amount for entry in october.entries], [entry.amount for entry in november.entries]) == (
        [-30],
        [-100],
    )
    assert (october.total, november.total) == (0, 100)
    at = on(11, 20)
    assert [(each.left, each.expired(at), each.usable(at)) for each in result.balances] == [(70, 70, 0), (0, 0, 0)]
    assert {each.commit.recurring_id for each in result.balances} == {uid("monthly")}
    assert len({each.commit.id for each in result.balances}) == 2


def test_grants_that_overlap_are_drawn_on_in_the_order_in_which_they_end():
    agreed = replace(YEAR, recurring=(recurring("100", period=Period(OCTOBER), duration=2),))
    events = [used("H", on(10, 5), 3), used("H", on(11, 5), 8)]
    result = computed(given(on(11, 20), [agreed], [card(rate("H", "10"))], [product("H")]), events)
    assert [each.left for each in result.balances] == [0, 90]


def test_what_is_paid_for_each_period_is_billed_at_its_start():
    paid = recurring("500", type="PREPAID", period=Period(OCTOBER), invoice_amount=D(400), unit=USD)
    agreed = replace(YEAR, recurring=(paid,))
    documents = computed(given(on(11, 20), [agreed], [card(rate("H", "10"))], [product("H")])).documents
    charges = [(each.issued_at, each.total) for each in documents if each.kind == "CHARGES"]
    assert charges == [(OCTOBER, 400), (NOVEMBER, 400)]


def test_what_is_billed_is_the_price_times_the_quantity_and_for_a_part_of_a_period_one_amount():
    terms = {"invoice_amount": D(400), "invoice_unit_price": D(50), "invoice_quantity": D(8)}
    first, second, *_ = instances(YEAR, recurring(**terms, invoice_rounding=AmountRounding(0, "FLOOR")), until=DECEMBER)
    billed = [(item.amount, item.unit_price, item.quantity) for each in (first, second) for item in each.invoice_items]
    assert billed == [(129, 129, 1), (400, 50, 8)]


def test_what_is_billed_for_a_part_of_a_period_is_rounded_by_itself():
    terms = {"invoice_amount": D(400), "invoice_rounding": AmountRounding(0, "FLOOR")}
    (first, *_) = instances(YEAR, recurring(**terms), until=DECEMBER)
    assert [item.amount for item in first.invoice_items] == [129]  # 10 of 31 days are 129.03


def test_instances_of_credits_in_a_custom_unit_roll_over_like_others():
    of = recurring("100", unit=CREDITS, period=Period(OCTOBER), rollover_fraction=D("0.5"))
    old = replace(YEAR, name="old", term=Period(OCTOBER, NOVEMBER), recurring=(of,))
    new = contract(NOVEMBER, NEW_YEAR, name="new", renews=old.id)
    prices = card(rate("H", "10", unit=CREDITS), credits_at="2")
    result = computed(given(on(11, 20), [old, new], [prices], [product("H")]), [used("H", on(10, 5), 3)])
    assert [(each.granted, each.rolled_over, each.left) for each in result.balances] == [(50, 0, 50), (100, 50, 20)]


def test_an_instance_in_full():
    """What is posted on it names it by its ids, so they may not change."""
    terms = {"type": "PREPAID", "invoice_amount": D(90), "rate_type": "COMMIT_RATE", "access_type": "QUANTITY"}
    terms |= {"targets": (target("H"),), "rollover_fraction": D("0.5"), "period": Period(OCTOBER), "priority": D(3)}
    (instance,) = instances(YEAR, recurring("100", invoice_unit=CREDITS, **terms), until=NOVEMBER)
    assert instance == Commit(
        id=UUID("54d6322e-8e57-5214-8e93-4988739ffaf5"),
        type="PREPAID",
        contract_id=uid("Acme"),
        product_id=uid("Commitment"),
        name="monthly",
        priority=D(3),
        unit=USD,
        segments=(AccessSegment(UUID("fc408261-64bf-50bb-accc-14a3475d515d"), D(100), Period(OCTOBER, NOVEMBER)),),
        invoice_items=(ScheduledAmount(UUID("3dd2d6a9-2966-5cee-82fa-edebeb128feb"), OCTOBER, D(90), D(90), D(1)),),
        targets=(target("H"),),
        created_at=OCTOBER,
        rate_type="COMMIT_RATE",
        access_type="QUANTITY",
        rollover_fraction=D("0.5"),
        recurring_id=uid("monthly"),
        invoice_unit=CREDITS,
    )
