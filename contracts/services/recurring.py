"""Commits and credits that recur: checked, and made into rows (`api_map` 4.8).

    field                   rule
    access_amount           unit price times quantity, above zero; in money, in a custom unit, or of QUANTITY
    invoice_amount          of commits alone, in the money of the deal; absent: nobody pays for it
    commit_duration         so many whole periods
    recurrence_frequency    absent: with the usage documents; DAILY: one of a contract, and not by the seat
    subscription_config     a subscription of the contract or the request, which says the quantity (`services/seats.py`)
    starting_at             within the contract

An update is a row of its own that takes over for whatever begins after the edit. So is another end of the contract, so
that it changes nothing of the amount of what has begun, which may be billed already.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.money import PRECISION
from billing_site.foundation.periods import Period, billing_periods, format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import (
    UNCHANGED,
    ProrationRoundingInput,
    RecurringAmountInput,
    RecurringInput,
    RecurringUpdateInput,
    RoundingInput,
    Unchanged,
)
from contracts.models import Contract, RecurringCommit
from contracts.queries import AgreedRecurring, AgreedSubscription
from contracts.services import access
from contracts.services.checks import Deal, in_fiat, instant, not_charged_yet, rounding, term_range, within_term
from contracts.services.commits import charged_at, check_attributes, target
from contracts.services.seats import for_each_one, link, quantity_of

MOST_PERIODS = 1_000
Term = Period  # from the contract's start to its end


def recurring_row(
    given: RecurringInput,
    position: int,
    contract: Contract,
    term: Term,
    deal: Deal,
    problems: Problems,
    *,
    at: datetime,
    subscriptions: Mapping[str, AgreedSubscription],
) -> RecurringCommit:
    """The row of what recurs, not saved; `subscriptions` are those that it may be linked to, by name. What is wrong
    goes to `problems`."""
    row = RecurringCommit(
        position=position,
        type=given.type,
        starting_at=given.starting_at,
        ending_before=given.ending_before,
        frequency=given.recurrence_frequency,
        proration=given.proration,
        product_id=given.product_id,
        name=given.name,
        description=given.description,
        priority=given.priority,
        rate_type=given.rate_type,
        rollover_fraction=given.rollover_fraction,
        netsuite_sales_order_id=given.netsuite_sales_order_id,
    )
    check_attributes(row, deal, problems)
    target(row, given.applicable_product_ids, given.applicable_product_tags, given.specifiers, deal, problems)
    found = len(problems.errors)
    term_range(problems, given.starting_at, given.ending_before)
    within_term(problems, "starting_at", given.starting_at, term)
    if given.recurrence_frequency and given.recurrence_frequency not in RecurringCommit.Frequency.values:
        rule = f"must be one of {', '.join(RecurringCommit.Frequency.values)}"
        problems.add("recurrence_frequency", given.recurrence_frequency, rule)
    if given.proration not in RecurringCommit.Proration.values:
        problems.add("proration", given.proration, f"must be one of {', '.join(RecurringCommit.Proration.values)}")
    row.duration = _duration(given.commit_duration, problems)
    inner = problems.within("access_amount")
    row.access_type = access.access_type(given.access_amount, inner)
    row.unit = access.held_in(given.access_amount, deal, inner)
    link(row, given.subscription_config, subscriptions, deal, problems)
    _fill_access(row, given.access_amount, inner)
    if given.invoice_amount is not None and row.is_credit:
        problems.add("invoice_amount", "an amount", "must not be given for a credit, which is never invoiced")
    elif given.invoice_amount is not None:
        _fill_invoice(row, given.invoice_amount, deal, problems.within("invoice_amount"))
    _fill_rounding(row, given.proration_rounding, problems.within("proration_rounding"))
    if row.invoice_unit_price is not None and len(problems.errors) == found:
        granted = Period(given.starting_at, given.ending_before).overlap(term)
        not_charged_yet(problems, _starts(row, granted, contract, until=at), deal)
    return row


def check_daily(
    rows: Sequence[tuple[str, RecurringCommit]], standing: Iterable[AgreedRecurring], problems: Problems
) -> None:
    """A day of a contract has one instance at the most. Each row comes with its path."""
    known = any(each.now.frequency == RecurringCommit.Frequency.DAILY for each in standing)
    for path, row in rows:
        if row.frequency == RecurringCommit.Frequency.DAILY:
            if known:
                problems.add(
                    f"{path}.recurrence_frequency",
                    row.frequency,
                    "can be that of one recurring commit or credit of a contract only",
                )
            known = True


def later_rows(
    field: str,
    updates: Sequence[RecurringUpdateInput],
    standing: Mapping[UUID, AgreedRecurring],
    deal: Deal,
    term: Term,
    problems: Problems,
) -> list[RecurringCommit]:
    """The rows that updates add, each for what has not begun."""
    rows: dict[UUID, RecurringCommit] = {}
    for index, update in enumerate(updates):
        inner, agreed = problems.within(f"{field}[{index}]"), standing.get(update.recurring_id)
        if agreed is None:
            noun = "recurring credit" if field.endswith("credits") else "recurring commit"
            inner.add(_id_field(field), update.recurring_id, f"must be the id of a {noun} of the contract")
        elif update.recurring_id in rows:
            inner.add(_id_field(field), update.recurring_id, "must be there only once")
        else:
            rows[update.recurring_id] = _updated(update, agreed, deal, term, inner)
    return list(rows.values())


def taking_over(row: RecurringCommit, term: Term) -> RecurringCommit:
    """The same once more, for what begins from now on; `term` is the contract's as it was until now."""
    names = [field.attname for field in RecurringCommit._meta.concrete_fields if field.name not in NOT_CARRIED_ON]
    return RecurringCommit(
        first_row_id=row.recurring_id,
        contract_ended_at=term.ending_before,
        **{name: getattr(row, name) for name in names},
    )


NOT_CARRIED_ON = ("id", "first_row", "contract_ended_at", "added_by_edit", "removed_by_edit", "created_at")


def updates_told(updates: Sequence[RecurringUpdateInput]) -> list[dict[str, Any]]:
    """The updates as they are kept on the edit, numbers as text."""
    return [_told(update) for update in updates]


def _updated(
    update: RecurringUpdateInput, agreed: AgreedRecurring, deal: Deal, term: Term, problems: Problems
) -> RecurringCommit:
    row = taking_over(agreed.now, term)
    if update.access_amount is not None:
        _fill_access(
            row,
            _completed(update.access_amount, row.access_unit_price, quantity_of(row)),
            problems.within("access_amount"),
        )
    if update.invoice_amount is not None:
        if row.invoice_unit_price is None:
            rule = "must not be given: it was agreed that nobody pays for it"
            problems.add("invoice_amount", "an amount", rule)
        else:
            whole = _completed(update.invoice_amount, row.invoice_unit_price, row.invoice_quantity)
            _fill_invoice(row, whole, deal, problems.within("invoice_amount"))
    if update.ending_before is not UNCHANGED:
        row.ending_before = update.ending_before
        if row.ending_before is not None:
            instant(problems, "ending_before", row.ending_before)
            problems.hour("ending_before", row.ending_before)
            if row.ending_before <= row.starting_at:
                rule = f"must be later than its start, {format_instant(row.starting_at)}"
                problems.add("ending_before", row.ending_before.isoformat(), rule)
    _fill_rounding(row, update.proration_rounding, problems.within("proration_rounding"))
    if update.rate_type is not None:
        charged_at(problems, update.rate_type)
        row.rate_type = update.rate_type
    return row


def _id_field(field: str) -> str:
    return "recurring_credit_id" if field.endswith("credits") else "recurring_commit_id"


def _completed(
    amount: RecurringAmountInput, unit_price: Decimal | None, quantity: Decimal | None
) -> RecurringAmountInput:
    """What an update leaves out stays."""
    return RecurringAmountInput(
        unit_price=unit_price if amount.unit_price is None else amount.unit_price,
        quantity=quantity if amount.quantity is None else amount.quantity,
    )


def _duration(given: Decimal, problems: Problems) -> int:
    if not given.is_finite() or not 1 <= given <= MOST_PERIODS or given != given.to_integral_value():
        problems.add("commit_duration.value", given, f"must be a whole number of periods from 1 to {MOST_PERIODS}")
        return 1
    return int(given)


def _fill_access(row: RecurringCommit, given: RecurringAmountInput, problems: Problems) -> None:
    if row.allocation:
        given = for_each_one(given, problems)
    checked = _price_and_quantity(given, problems)
    if checked is not None:
        row.access_unit_price, row.access_quantity = checked
        for name, value in (("unit_price", checked[0]), ("quantity", checked[1])):
            if value <= 0:
                problems.add(name, value, "must be greater than 0")


def _fill_invoice(row: RecurringCommit, given: RecurringAmountInput, deal: Deal, problems: Problems) -> None:
    in_fiat(problems, given.credit_type_id, deal)
    checked = _price_and_quantity(given, problems)
    if checked is not None:
        row.invoice_unit_price, row.invoice_quantity = checked
        row.invoice_unit = None if row.unit == deal.fiat else deal.fiat
        for name, value in (("unit_price", checked[0]), ("quantity", checked[1])):
            if value < 0:
                problems.add(name, value, "must not be negative")


def _price_and_quantity(given: RecurringAmountInput, problems: Problems) -> tuple[Decimal, Decimal] | None:
    if given.unit_price is None or given.quantity is None:
        missing = "unit_price" if given.unit_price is None else "quantity"
        problems.add(missing, None, "is required: an amount is a unit price times a quantity")
        return None
    both = [problems.number("unit_price", given.unit_price), problems.number("quantity", given.quantity)]
    if not all(both):
        return None
    if not problems.number("unit_price", Context(prec=PRECISION).multiply(given.unit_price, given.quantity)):
        return None
    return given.unit_price, given.quantity


def _fill_rounding(row: RecurringCommit, given: ProrationRoundingInput, problems: Problems) -> None:
    if given.access is not UNCHANGED:
        row.access_decimal_places, row.access_rounding_method = rounding(given.access, problems.within("access"))
    if given.invoice is not UNCHANGED:
        row.invoice_decimal_places, row.invoice_rounding_method = rounding(given.invoice, problems.within("invoice"))


def _starts(row: RecurringCommit, granted: Period | None, contract: Contract, *, until: datetime) -> Iterable[datetime]:
    """When its instances begin that have begun by `until`."""
    if granted is None:
        return
    anchor = granted.starting_at if row.frequency else contract.billing_anchor_at
    for period in billing_periods(granted, anchor, row.frequency or contract.frequency):
        if period.starting_at > until:
            return
        yield period.starting_at


def _told(update: RecurringUpdateInput) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(update.recurring_id)}
    for name in ("access_amount", "invoice_amount"):
        amount: RecurringAmountInput | None = getattr(update, name)
        if amount is not None:
            numbers = {"unit_price": amount.unit_price, "quantity": amount.quantity}
            told[name] = {key: f"{value:f}" for key, value in numbers.items() if value is not None}
    if update.ending_before is not UNCHANGED:
        told["ending_before"] = None if update.ending_before is None else format_instant(update.ending_before)
    if update.rate_type is not None:
        told["rate_type"] = update.rate_type
    roundings = {"access": update.proration_rounding.access, "invoice": update.proration_rounding.invoice}
    changed = {name: rounding_told(given) for name, given in roundings.items() if given is not UNCHANGED}
    if changed:
        told["proration_rounding"] = changed
    return told


def rounding_told(given: RoundingInput | Unchanged | None) -> dict[str, Any] | None:
    """As it is kept on an edit."""
    if given is None or given is UNCHANGED:
        return None
    return {"decimal_places": int(given.decimal_places), "rounding_method": given.rounding_method}
