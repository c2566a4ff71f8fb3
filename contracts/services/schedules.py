"""Invoice schedules: dates and amounts, written out."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import count
from typing import Any

from billing_site.foundation.money import PRECISION, QUANTUM, Unit, exact_sum, floor_to, largest_remainder, round_to
from billing_site.foundation.periods import DAYS_OF, MONTHS_OF, boundary
from billing_site.foundation.problems import Problems
from contracts.inputs import InvoiceItemInput, InvoiceScheduleInput, RecurringScheduleInput
from contracts.services.checks import instant

MOST_ITEMS = 1_000
FREQUENCIES = ("WEEKLY", "MONTHLY", "QUARTERLY", "SEMI_ANNUAL", "ANNUAL")
DISTRIBUTIONS = ("EACH", "DIVIDED", "DIVIDED_ROUNDED")


@dataclass(frozen=True, slots=True)
class DatedAmount:
    issued_at: datetime
    amount: Decimal
    unit_price: Decimal
    quantity: Decimal

    def columns(self) -> dict[str, Any]:
        """The columns of a scheduled item's row."""
        return asdict(self)


def dated_amounts(schedule: InvoiceScheduleInput, unit: Unit, problems: Problems) -> list[DatedAmount]:
    """The items of a schedule, a recurring one expanded. What is wrong goes to `problems`."""
    if schedule.recurring_schedule is None:
        if not schedule.schedule_items:
            problems.add("schedule_items", [], "must have an item, unless there is a recurring_schedule")
        if len(schedule.schedule_items) > MOST_ITEMS:
            problems.add("schedule_items", len(schedule.schedule_items), f"must not have more than {MOST_ITEMS} items")
            return []
        given = [
            dated_amount(item, problems.within(f"schedule_items[{index}]"))
            for index, item in enumerate(schedule.schedule_items)
        ]
        return [item for item in given if item is not None]
    if schedule.schedule_items:
        shown = f"{len(schedule.schedule_items)} items"
        problems.add("schedule_items", shown, "cannot be combined with a recurring_schedule")
    return _expanded(schedule.recurring_schedule, unit, problems.within("recurring_schedule"))


def dated_amount(item: InvoiceItemInput, problems: Problems) -> DatedAmount | None:
    """One item of a schedule. What is wrong goes to `problems`."""
    instant(problems, "timestamp", item.timestamp)
    amounts = _amounts(item, problems)
    return DatedAmount(item.timestamp, *amounts) if amounts else None


def _amounts(
    item: InvoiceItemInput | RecurringScheduleInput, problems: Problems
) -> tuple[Decimal, Decimal, Decimal] | None:
    """Amount, unit price and quantity, whichever way they were given."""
    pair = [value for value in (item.unit_price, item.quantity) if value is not None]
    if item.amount is not None:
        if pair:
            problems.add("amount", item.amount, "cannot be combined with unit_price and quantity")
        elif _is_payable(problems, "amount", item.amount):
            return item.amount, item.amount, Decimal(1)
        return None
    if item.unit_price is None or item.quantity is None:
        missing = "amount" if not pair else "unit_price" if item.unit_price is None else "quantity"
        problems.add(missing, None, "is required: give amount, or unit_price and quantity")
        return None
    both = [
        _is_payable(problems, "unit_price", item.unit_price),
        _is_payable(problems, "quantity", item.quantity),
    ]
    if not all(both):
        return None
    with localcontext(Context(prec=PRECISION)):
        amount = item.unit_price * item.quantity
    if not problems.number("amount", amount):
        return None
    return amount, item.unit_price, item.quantity


def _is_payable(problems: Problems, name: str, value: Decimal) -> bool:
    if not problems.number(name, value):
        return False
    if value < 0:
        problems.add(name, value, "must not be negative")
        return False
    return True


def _expanded(recurring: RecurringScheduleInput, unit: Unit, problems: Problems) -> list[DatedAmount]:
    found = len(problems.errors)
    instant(problems, "starting_at", recurring.starting_at)
    instant(problems, "ending_before", recurring.ending_before)
    if recurring.frequency not in {*MONTHS_OF, *DAYS_OF} or recurring.frequency not in FREQUENCIES:
        problems.add("frequency", recurring.frequency, f"must be one of {', '.join(FREQUENCIES)}")
    if recurring.amount_distribution not in DISTRIBUTIONS:
        problems.add("amount_distribution", recurring.amount_distribution, f"must be one of {', '.join(DISTRIBUTIONS)}")
    if recurring.ending_before <= recurring.starting_at:
        problems.add("ending_before", recurring.ending_before.isoformat(), "must be later than starting_at")
    amounts = _amounts(recurring, problems)
    if amounts is None or len(problems.errors) > found:
        return []
    dates = _dates(recurring)
    if len(dates) > MOST_ITEMS:
        problems.add(
            "ending_before", recurring.ending_before.isoformat(), f"must not lead to more than {MOST_ITEMS} items"
        )
        return []
    amount, unit_price, quantity = amounts
    if recurring.amount_distribution == "EACH":
        return [DatedAmount(date, amount, unit_price, quantity) for date in dates]
    parts = _divided(amount, len(dates), unit if recurring.amount_distribution == "DIVIDED_ROUNDED" else None)
    return [DatedAmount(date, part, part, Decimal(1)) for date, part in zip(dates, parts, strict=True)]


def _dates(recurring: RecurringScheduleInput) -> list[datetime]:
    """The dates of a recurring schedule; never many more than the most that are allowed."""
    dates: list[datetime] = []
    for step in count():
        date = boundary(recurring.starting_at, recurring.frequency, step)
        if date >= recurring.ending_before or len(dates) > MOST_ITEMS:
            return dates
        dates.append(date)
    raise AssertionError("unreachable")


def _divided(total: Decimal, parts: int, rounded_to: Unit | None) -> list[Decimal]:
    """`total` in equal parts; in minor units the last part takes what rounding leaves."""
    share = Fraction(total) / parts
    if rounded_to is None:
        return largest_remainder([share] * parts, total, QUANTUM)
    part = round_to(share, rounded_to.minor_step)
    if part * (parts - 1) > total:
        part = floor_to(share, rounded_to.minor_step)
    others = [part] * (parts - 1)
    return [*others, exact_sum([total, *(-other for other in others)])]
