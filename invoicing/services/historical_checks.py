"""What may be imported of usage that was invoiced elsewhere: its times, its lines, what each comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import DAY, HOUR, Period, format_instant
from billing_site.foundation.problems import Problems
from contracts.services.checks import instant
from contracts.terms import Contract
from invoicing.engine.documents import Line
from invoicing.engine.historical import CannotBePriced, PastUsage, past_lines
from invoicing.frozen import digits
from invoicing.queries.compute import Computation
from pricing.engine.catalog import RateCard

MOST_LINES, MOST_SUBTOTALS = 1_000, 1_000
GRANULARITIES = {"HOUR": HOUR, "DAY": DAY}
BILLABLE = ("billable", "unbillable")


@dataclass(frozen=True, slots=True)
class SubtotalInput:
    inclusive_start_date: datetime
    exclusive_end_date: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class PastLineInput:
    """A quantity, or one for each of the times that the line consists of."""

    product_id: UUID
    inclusive_start_date: datetime
    exclusive_end_date: datetime
    quantity: Decimal | None = None
    subtotals_with_quantity: tuple[SubtotalInput, ...] = ()
    pricing_group_values: Mapping[str, str] = field(default_factory=dict)
    presentation_group_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastInvoiceInput:
    customer_id: UUID
    contract_id: UUID
    credit_type_id: UUID
    inclusive_start_date: datetime
    exclusive_end_date: datetime
    issue_date: datetime
    usage_line_items: tuple[PastLineInput, ...]
    breakdown_granularity: str = ""
    billable_status: str = "billable"
    custom_fields: Mapping[str, str] = field(default_factory=dict)


def card_of(contract: Contract, computed: Computation) -> RateCard:
    assert contract.rate_card_id is not None, "only what is on a rate card has usage"
    return computed.inputs.catalog.rate_cards[contract.rate_card_id]


def checked_period(one: PastInvoiceInput, contract: Contract, problems: Problems, *, at: datetime) -> Period | None:
    """The time that it is for: nothing of it is invoiced here."""
    start, end = one.inclusive_start_date, one.exclusive_end_date
    before = len(problems.errors)
    for name, value in (("inclusive_start_date", start), ("exclusive_end_date", end)):
        instant(problems, name, value)
        problems.hour(name, value)
    instant(problems, "issue_date", one.issue_date)
    starts = contract.invoicing_starts_at
    if end <= start:
        problems.add("exclusive_end_date", end.isoformat(), "must be later than inclusive_start_date")
    elif start < contract.term.starting_at:
        rule = f"must not be before the contract's start, {format_instant(contract.term.starting_at)}"
        problems.add("inclusive_start_date", start.isoformat(), rule)
    elif starts is None:
        rule = (
            "must be of a contract whose usage is invoiced elsewhere at first: it has no invoice_generation_starting_at"
        )
        problems.add("contract_id", one.contract_id, rule)
    elif end > starts:
        rule = f"must not be later than {format_instant(starts)}: from then on usage is invoiced here"
        problems.add("exclusive_end_date", end.isoformat(), rule)
    elif end > at:
        problems.add("exclusive_end_date", end.isoformat(), f"must not be later than now, {format_instant(at)}")
    elif one.issue_date > at:
        problems.add("issue_date", one.issue_date.isoformat(), f"must not be later than now, {format_instant(at)}")
    if one.billable_status not in BILLABLE:
        problems.add("billable_status", one.billable_status, f"must be one of {', '.join(BILLABLE)}")
    if one.breakdown_granularity and one.breakdown_granularity not in GRANULARITIES:
        problems.add("breakdown_granularity", one.breakdown_granularity, f"must be one of {', '.join(GRANULARITIES)}")
    problems.custom_fields(one.custom_fields)
    return None if len(problems.errors) > before else Period(start, end)


def checked_lines(one: PastInvoiceInput, contract: Contract, known: Computation, problems: Problems) -> Iterator[Line]:
    card, prices, seen = card_of(contract, known), known.inputs.catalog, set[PastUsage]()
    if one.credit_type_id != card.fiat.id:
        rule = f"must be {card.fiat.id} ({card.fiat.name}), the rate card's unit"
        problems.add("credit_type_id", one.credit_type_id, rule)
    if not 1 <= len(one.usage_line_items) <= MOST_LINES:
        problems.add("usage_line_items", f"{len(one.usage_line_items)} items", f"must be from 1 to {MOST_LINES}")
        return
    for index, given in enumerate(one.usage_line_items):
        inner, before = problems.within(f"usage_line_items[{index}]"), len(problems.errors)
        versions = prices.products.get(given.product_id, ())
        if not versions:
            inner.add("product_id", given.product_id, "must be the id of a product")
        elif versions[0].type != "USAGE":
            inner.add(
                "product_id", given.product_id, f"must be a USAGE product; {versions[0].name} is {versions[0].type}"
            )
        quantities = _quantities(one, given, inner)
        past = PastUsage(
            given.product_id,
            tuple(sorted(given.pricing_group_values.items())),
            tuple(sorted(given.presentation_group_values.items())),
            (),
        )
        if past in seen:
            rule = "must be there only once with these values: say its parts as subtotals_with_quantity"
            inner.add("product_id", given.product_id, rule)
        seen.add(past)
        if len(problems.errors) > before:
            continue
        try:
            yield from past_lines(replace(past, quantities=quantities), contract, card, prices)
        except CannotBePriced as reason:
            inner.add("product_id", given.product_id, str(reason))


def _quantities(one: PastInvoiceInput, given: PastLineInput, problems: Problems) -> tuple[tuple[Period, Decimal], ...]:
    """The times of a line, each with what was used in it; none where nothing was."""
    start, end = given.inclusive_start_date, given.exclusive_end_date
    if not (one.inclusive_start_date <= start < end <= one.exclusive_end_date):
        shown = f"{format_instant(start)} to {format_instant(end)}"
        problems.add("inclusive_start_date", shown, "must be a time within that of the invoice")
        return ()
    for name, value in (("inclusive_start_date", start), ("exclusive_end_date", end)):
        problems.hour(name, value)
    parts = given.subtotals_with_quantity
    if not parts:
        if given.quantity is None:
            problems.add("quantity", None, "is required, or subtotals_with_quantity")
            return ()
        parts = (SubtotalInput(start, end, given.quantity),)
        if _is_quantity(problems, "quantity", given.quantity) and given.quantity == 0:
            problems.add("quantity", given.quantity, "must be above zero")
    elif len(parts) > MOST_SUBTOTALS:
        rule = f"must not have more than {MOST_SUBTOTALS} items"
        problems.add("subtotals_with_quantity", f"{len(parts)} items", rule)
        return ()
    else:
        _check_subtotals(one, given, problems)
    return tuple(
        (Period(each.inclusive_start_date, each.exclusive_end_date), each.quantity) for each in parts if each.quantity
    )


def _check_subtotals(one: PastInvoiceInput, given: PastLineInput, problems: Problems) -> None:
    parts, length = given.subtotals_with_quantity, GRANULARITIES.get(one.breakdown_granularity)
    before = len(problems.errors)
    for index, each in enumerate(parts):
        inner = problems.within(f"subtotals_with_quantity[{index}]")
        start, end = each.inclusive_start_date, each.exclusive_end_date
        _is_quantity(inner, "quantity", each.quantity)
        inner.hour("inclusive_start_date", start)
        inner.hour("exclusive_end_date", end)
        if not (given.inclusive_start_date <= start < end <= given.exclusive_end_date):
            inner.add("inclusive_start_date", start.isoformat(), "must begin a time within that of its line")
        elif length is not None and end - start != length:
            rule = f"must end one {one.breakdown_granularity.lower()} after its start"
            inner.add("exclusive_end_date", end.isoformat(), rule)
    for index, (each, following) in enumerate(pairwise(parts), start=1):
        if following.inclusive_start_date < each.exclusive_end_date:
            rule = "must not be before the end of the one before"
            problems.add(
                f"subtotals_with_quantity[{index}].inclusive_start_date",
                following.inclusive_start_date.isoformat(),
                rule,
            )
    if len(problems.errors) > before:
        return
    whole = exact_sum([each.quantity for each in parts])
    if whole == 0:
        problems.add("subtotals_with_quantity", digits(whole), "must come to more than zero")
    if given.quantity is not None and given.quantity != whole:
        problems.add("quantity", given.quantity, f"must be what its subtotals come to, {digits(whole)}")


def _is_quantity(problems: Problems, name: str, value: Decimal) -> bool:
    if not problems.number(name, value):
        return False
    if value < 0:
        problems.add(name, value, "must not be negative")
    return value >= 0
