"""Invoice schedules: the amount shorthand, and recurring ones written out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.problems import Problems
from contracts.inputs import InvoiceItemInput, InvoiceScheduleInput, RecurringScheduleInput
from contracts.services.schedules import MOST_ITEMS, DatedAmount, dated_amounts

USD = Unit(uuid7(), "USD (cents)", 2, 2)
EUR = Unit(uuid7(), "EUR", 0, 2)
JANUARY = datetime(2025, 1, 31, 14, 30, tzinfo=UTC)


def items(schedule, unit=USD):
    problems = Problems()
    found = dated_amounts(schedule, unit, problems)
    assert problems.errors == []
    return found


def refusals(schedule):
    problems = Problems("schedule.")
    dated_amounts(schedule, USD, problems)
    return [(error.field, error.rule) for error in problems.errors]


def one(**amounts):
    return InvoiceScheduleInput(schedule_items=(InvoiceItemInput(JANUARY, **amounts),))


def recurring(distribution="EACH", frequency="MONTHLY", months=3, **amounts):
    end = datetime(2025 + (months // 12), 1 + months % 12, 28, tzinfo=UTC)
    return InvoiceScheduleInput(
        recurring_schedule=RecurringScheduleInput(JANUARY, end, frequency, distribution, **amounts)
    )


def test_an_amount_is_one_of_its_own_price():
    assert items(one(amount=D("12.5"))) == [DatedAmount(JANUARY, D("12.5"), D("12.5"), D(1))]


def test_a_price_and_a_quantity_make_an_amount():
    assert items(one(unit_price=D("0.000001"), quantity=D("2.5"))) == [
        DatedAmount(JANUARY, D("0.0000025"), D("0.000001"), D("2.5"))
    ]


@pytest.mark.parametrize(
    ("amounts", "field", "rule"),
    [
        pytest.param({}, "amount", "is required: give amount, or unit_price and quantity", id="nothing"),
        pytest.param(
            {"quantity": D(1)}, "unit_price", "is required: give amount, or unit_price and quantity", id="half a pair"
        ),
        pytest.param(
            {"amount": D(1), "quantity": D(1)},
            "amount",
            "cannot be combined with unit_price and quantity",
            id="both ways",
        ),
        pytest.param({"amount": D(-1)}, "amount", "must not be negative", id="a negative amount"),
        pytest.param({"amount": D("NaN")}, "amount", "must be a finite number", id="no number"),
        pytest.param(
            {"unit_price": D("1e-12"), "quantity": D("0.5")},
            "amount",
            "must not have more than 12 decimals",
            id="a product finer than the ledger keeps",
        ),
    ],
)
def test_amounts_that_break_a_rule_are_named(amounts, field, rule):
    assert refusals(one(**amounts)) == [(f"schedule.schedule_items[0].{field}", rule)]


def test_recurring_dates_are_counted_from_the_first_and_return_to_the_31st():
    dates = [item.issued_at for item in items(recurring(amount=D(5)))]

    assert dates == [JANUARY, datetime(2025, 2, 28, 14, 30, tzinfo=UTC), datetime(2025, 3, 31, 14, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("distribution", "unit", "total", "parts"),
    [
        pytest.param("EACH", USD, "100", ["100", "100", "100"], id="each"),
        pytest.param("DIVIDED", USD, "100", ["33.333333333334", "33.333333333333", "33.333333333333"], id="divided"),
        pytest.param("DIVIDED_ROUNDED", USD, "100", ["33", "33", "34"], id="in cents, the rest on the last"),
        pytest.param("DIVIDED_ROUNDED", USD, "200", ["67", "67", "66"], id="in cents, rounded up"),
        pytest.param("DIVIDED_ROUNDED", EUR, "100", ["33.33", "33.33", "33.34"], id="in hundredths of a euro"),
        pytest.param("DIVIDED_ROUNDED", USD, "2.5", ["1", "1", "0.5"], id="less than a cent is left"),
    ],
)
def test_a_total_is_distributed(distribution, unit, total, parts):
    assert [item.amount for item in items(recurring(distribution, amount=D(total)), unit)] == [D(p) for p in parts]


def test_a_few_cents_over_many_months_are_never_less_than_nothing():
    parts = items(recurring("DIVIDED_ROUNDED", months=5, amount=D(3)))

    assert [item.amount for item in parts] == [D(0), D(0), D(0), D(0), D(3)]


def test_each_item_keeps_its_price_and_quantity_and_a_divided_one_is_an_amount():
    each = items(recurring("EACH", months=1, unit_price=D(3), quantity=D(2)))
    divided = items(recurring("DIVIDED", months=2, unit_price=D(3), quantity=D(2)))

    assert [(item.amount, item.unit_price, item.quantity) for item in each] == [(D(6), D(3), D(2))]
    assert [(item.amount, item.unit_price, item.quantity) for item in divided] == [(D(3), D(3), D(1))] * 2


@given(
    total=st.decimals(min_value=0, max_value=10**9, places=4),
    months=st.integers(1, 11),
    distribution=st.sampled_from(["DIVIDED", "DIVIDED_ROUNDED"]),
)
def test_the_parts_of_a_total_add_up_to_it_and_none_is_negative(total, months, distribution):
    parts = [item.amount for item in items(recurring(distribution, months=months, amount=total))]

    assert exact_sum(parts) == total
    assert min(parts) >= 0


@pytest.mark.parametrize(
    ("schedule", "field", "rule"),
    [
        pytest.param(
            InvoiceScheduleInput(),
            "schedule_items",
            "must have an item, unless there is a recurring_schedule",
            id="neither items nor a recurring schedule",
        ),
        pytest.param(
            InvoiceScheduleInput(
                schedule_items=(InvoiceItemInput(JANUARY, amount=D(1)),),
                recurring_schedule=recurring(amount=D(1)).recurring_schedule,
            ),
            "schedule_items",
            "cannot be combined with a recurring_schedule",
            id="both",
        ),
        pytest.param(
            recurring(frequency="DAILY", amount=D(1)),
            "recurring_schedule.frequency",
            "must be one of WEEKLY, MONTHLY, QUARTERLY, SEMI_ANNUAL, ANNUAL",
            id="an unknown frequency",
        ),
        pytest.param(
            recurring("HALVES", amount=D(1)),
            "recurring_schedule.amount_distribution",
            "must be one of EACH, DIVIDED, DIVIDED_ROUNDED",
            id="an unknown distribution",
        ),
        pytest.param(
            InvoiceScheduleInput(
                recurring_schedule=RecurringScheduleInput(JANUARY, JANUARY, "MONTHLY", "EACH", amount=D(1))
            ),
            "recurring_schedule.ending_before",
            "must be later than starting_at",
            id="an empty range",
        ),
        pytest.param(
            InvoiceScheduleInput(
                recurring_schedule=RecurringScheduleInput(
                    JANUARY, JANUARY + timedelta(days=36_500), "WEEKLY", "EACH", amount=D(1)
                )
            ),
            "recurring_schedule.ending_before",
            f"must not lead to more than {MOST_ITEMS} items",
            id="a century of weeks",
        ),
    ],
)
def test_schedules_that_break_a_rule_are_named(schedule, field, rule):
    assert refusals(schedule) == [(f"schedule.{field}", rule)]
