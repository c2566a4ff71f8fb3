"""Changing subscriptions by an edit: how many from when on, who has which seat, the end, the name.

Quantities are states over time. An update says what holds from its instant on: a quantity up to the next one that was
agreed, a seat for good, so that it is in what was agreed for later, too. What is new of an instant that has come stands
beside what was agreed for it; of an instant to come, it takes its place.

    10 seats, 12 agreed for 1 March      from 1 February on     from 1 March on
    quantity 15 from 1 February          15                     12
    one seat more from 1 February        11                     13
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import Period, earliest, format_instant
from billing_site.foundation.problems import Problems
from contracts import terms
from contracts.inputs import UNCHANGED, EditInput
from contracts.models import Contract, SubscriptionQuantity, SubscriptionTerms, Term
from contracts.models.subscriptions import in_order_of_time
from contracts.queries import AgreedSubscription, Agreement
from contracts.queries.compiled import to_terms
from contracts.services.checks import instant, reaches_back, rounding, short_text
from contracts.services.endings import FIELD as END_DATE
from contracts.services.recurring import rounding_told
from contracts.services.subscription_ends import carried_on, own_ends, refuse_collected_again
from contracts.services.subscriptions import not_below_zero, seat_ids, whole_number
from contracts.subscription_ends import billed_fees
from contracts.subscription_inputs import (
    QuantityUpdateInput,
    SeatIdsInput,
    SeatUpdatesInput,
    SubscriptionUpdateInput,
    UnassignedSeatsInput,
)

FIELD = "update_subscriptions"


@dataclass(frozen=True, slots=True)
class State:
    """How many there are, and who has which."""

    quantity: Decimal
    seats: tuple[str, ...] = ()

    @property
    def is_possible(self) -> bool:
        return self.quantity >= len(self.seats)


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """What an edit makes of a subscription: rows that it adds and rows that it takes out."""

    agreed: AgreedSubscription
    terms: SubscriptionTerms | None = None  # what replaces the standing ones
    quantities: tuple[SubscriptionQuantity, ...] = ()
    replaced: tuple[SubscriptionQuantity, ...] = ()
    is_gone: bool = False

    @property
    def added(self) -> Iterator[Sequence[Term]]:
        yield [self.terms] if self.terms is not None else []
        yield self.quantities

    @property
    def removed(self) -> Iterator[Sequence[Term]]:
        yield [self.agreed.subscription] if self.is_gone else []
        yield [self.agreed.terms] if self.is_gone or self.terms is not None else []
        yield self.agreed.quantities if self.is_gone else self.replaced

    def after(self) -> AgreedSubscription:
        kept = [each for each in self.agreed.quantities if each not in self.replaced]
        quantities = tuple(in_order_of_time([*kept, *self.quantities]))
        return replace(self.agreed, terms=self.terms or self.agreed.terms, quantities=quantities)


def after_changes(
    standing: Sequence[AgreedSubscription], changes: Sequence[SubscriptionChange]
) -> list[AgreedSubscription]:
    changed = {each.agreed.subscription.pk: each.after() for each in changes}
    gone = {each.agreed.subscription.pk for each in changes if each.is_gone}
    return [changed.get(each.subscription.pk, each) for each in standing if each.subscription.pk not in gone]


def plan_subscriptions(
    given: EditInput, agreed: Agreement, new_end: datetime | None, problems: Problems, *, at: datetime
) -> list[SubscriptionChange]:
    """What the edit changes of what stands; `new_end` is the contract's after it."""
    term = Period(agreed.contract.starting_at, agreed.terms.ending_before)
    standing = {each.subscription.pk: each for each in agreed.subscriptions}
    deal = to_terms(agreed)
    changes: dict[UUID, SubscriptionChange] = {}
    for index, update in enumerate(given.update_subscriptions):
        inner, found = problems.within(f"{FIELD}[{index}]"), standing.get(update.subscription_id)
        if found is None:
            inner.add("subscription_id", update.subscription_id, "must be the id of a subscription of the contract")
        elif update.subscription_id in changes:
            inner.add("subscription_id", update.subscription_id, "must be there only once")
        else:
            change = _changed(update, found, agreed.contract, term, inner, at=at)
            changes[update.subscription_id] = change
            _keeps_what_is_billed(change, agreed, deal, inner, at=at)
            if isinstance(end := update.ending_before, datetime):
                held = [each for each in deal.subscriptions if each.id == update.subscription_id]
                refuse_collected_again(inner, "ending_before", end.isoformat(), held, deal, end, at=at)
    if new_end is not None and new_end in term:
        shown = new_end.isoformat()
        refuse_collected_again(problems, END_DATE, shown, deal.subscriptions, deal, new_end, at=at)
    after = after_changes(agreed.subscriptions, list(changes.values()))
    for ended in own_ends(agreed, after, new_end, at=at):
        key = ended.agreed.subscription.pk
        changes[key] = replace(changes.get(key) or SubscriptionChange(standing[key]), terms=ended.terms)
    return list(changes.values())


def _changed(
    update: SubscriptionUpdateInput,
    agreed: AgreedSubscription,
    contract: Contract,
    term: Period,
    problems: Problems,
    *,
    at: datetime,
) -> SubscriptionChange:
    terms = _new_terms(update, agreed, contract, term, problems)
    is_by_seat = (terms or agreed.terms).is_by_seat
    states = _states(agreed.quantities)
    before = dict(states)
    runs = _running(agreed, term)
    if update.quantity_updates and is_by_seat:
        rule = "is for the mode QUANTITY_ONLY; seats are added and removed by seat_updates"
        problems.add("quantity_updates", len(update.quantity_updates), rule)
    elif update.quantity_updates:
        for index, each in enumerate(update.quantity_updates):
            _update_quantity(states, each, runs, problems.within(f"quantity_updates[{index}]"))
    if update.seat_updates != SeatUpdatesInput():
        if is_by_seat:
            _update_seats(states, update.seat_updates, runs, problems.within("seat_updates"))
        else:
            problems.add("seat_updates", "seats", "is for the mode SEAT_BASED; say quantity_updates")
    changed = {start: state for start, state in states.items() if before.get(start) != state}
    return SubscriptionChange(
        agreed,
        terms,
        tuple(
            SubscriptionQuantity(
                position=place,
                subscription=agreed.subscription,
                starting_at=start,
                quantity=state.quantity,
                assigned_seat_ids=list(state.seats),
                billed_through=contract.billed_through,
            )
            for place, (start, state) in enumerate(sorted(changed.items()))
        ),
        tuple(each for each in agreed.quantities if each.starting_at in changed and each.starting_at > at),
    )


def _keeps_what_is_billed(
    change: SubscriptionChange, agreed: Agreement, deal: terms.Contract, problems: Problems, *, at: datetime
) -> None:
    """An increase that is billed would be billed again as part of one that is agreed later for an earlier time."""
    key, through = change.agreed.subscription.pk, agreed.contract.billed_through
    if not change.quantities:
        return
    after = replace(change, terms=None).after()
    others = tuple(each for each in agreed.subscriptions if each.subscription.pk != key)
    then = to_terms(replace(agreed, subscriptions=(*others, after)))
    lost = billed_fees(deal, key, through, at=at) - billed_fees(then, key, through, at=at)
    if lost:
        name = "seat_updates" if after.terms.is_by_seat else "quantity_updates"
        first = format_instant(min(period.starting_at for _, _, period, _, _ in lost))
        start = min(each.starting_at for each in change.quantities).isoformat()
        rule = f"must not begin before {first}: an increase from then on is billed already; say what holds from then on"
        problems.add(f"{name}.starting_at", start, rule)


def _new_terms(
    update: SubscriptionUpdateInput,
    agreed: AgreedSubscription,
    contract: Contract,
    term: Period,
    problems: Problems,
) -> SubscriptionTerms | None:
    changed: dict[str, Any] = {}
    if update.name is not UNCHANGED:
        short_text(problems, "name", update.name)
        changed["name"] = update.name
    if update.ending_before is not UNCHANGED:
        _check_end(update.ending_before, agreed, contract, term, problems)
        changed["ending_before"] = update.ending_before
    if update.rounding is not UNCHANGED:
        places, method = rounding(update.rounding, problems.within("proration_rounding"))
        changed |= {"decimal_places": places, "rounding_method": method}
    if update.by_seats_of is not None:
        _check_switch(update.by_seats_of, agreed, problems.within("quantity_management_mode_update"))
        changed |= {"mode": SubscriptionTerms.Mode.SEAT_BASED, "seat_group_key": update.by_seats_of}
    return carried_on(agreed.terms, **changed) if changed else None


def _check_end(
    end: datetime | None, agreed: AgreedSubscription, contract: Contract, term: Period, problems: Problems
) -> None:
    """An end can only be brought forward: what was collected for a last period knows where that ended."""
    start, stands, name = agreed.subscription.starting_at, agreed.terms.ending_before, "ending_before"
    if end is None:
        if stands is not None:
            rule = f"must not be taken back: it ends on {format_instant(stands)}; add a subscription that starts there"
            problems.add(name, None, rule)
        return
    instant(problems, name, end)
    problems.hour(name, end)
    latest = earliest(stands, term.ending_before)
    if end <= start:
        problems.add(name, end.isoformat(), f"must be later than its start, {format_instant(start)}")
    elif latest is not None and end > latest:
        rule = f"must not be later than its end now, {format_instant(latest)}; add a subscription that starts there"
        problems.add(name, end.isoformat(), rule)
    elif contract.billed_through is not None and end <= contract.billed_through:
        problems.add(name, end.isoformat(), f"must be later than {format_instant(contract.billed_through)}: "
                     + reaches_back(contract.billed_through))  # fmt: skip


def _check_switch(key: str, agreed: AgreedSubscription, problems: Problems) -> None:
    problems.key("seat_config.seat_group_key", key)
    if agreed.terms.is_by_seat:
        problems.add("quantity_management_mode", "SEAT_BASED", "is what it is already")
    elif any(each.quantity != each.quantity.to_integral_value() for each in agreed.quantities):
        problems.add("quantity_management_mode", "SEAT_BASED", "needs quantities that are whole numbers")


def _running(agreed: AgreedSubscription, term: Period) -> Period:
    """When it runs; at the latest, an instant can lie in it."""
    end = earliest(agreed.terms.ending_before, term.ending_before)
    start = agreed.subscription.starting_at
    return Period(start, end if end is None or end > start else None)


def _states(quantities: Sequence[SubscriptionQuantity]) -> dict[datetime, State]:
    """What holds from each instant on, in order of time; the last that was said of an instant counts."""
    return {each.starting_at: State(each.quantity, tuple(each.assigned_seat_ids)) for each in quantities}


def _state_at(states: Mapping[datetime, State], at: datetime) -> State:
    held = [start for start in states if start <= at]
    return states[max(held)] if held else State(Decimal(0))


def _is_within(problems: Problems, starting_at: datetime, runs: Period) -> bool:
    count = len(problems.errors)
    instant(problems, "starting_at", starting_at)
    problems.hour("starting_at", starting_at)
    if starting_at not in runs:
        end = f" and before its end, {format_instant(runs.ending_before)}" if runs.ending_before else ""
        rule = f"must not be before the subscription's start, {format_instant(runs.starting_at)}{end}"
        problems.add("starting_at", starting_at.isoformat(), rule)
    return len(problems.errors) == count


def _update_quantity(
    states: dict[datetime, State], update: QuantityUpdateInput, runs: Period, problems: Problems
) -> None:
    if not _is_within(problems, update.starting_at, runs):
        return
    if (update.quantity is None) == (update.quantity_delta is None):
        problems.add("quantity", update.quantity, "is required, or quantity_delta, and not both")
        return
    was = _state_at(states, update.starting_at).quantity
    if update.quantity is not None:
        quantity = not_below_zero(problems, "quantity", update.quantity)
    else:
        delta = update.quantity_delta or Decimal(0)
        if not problems.number("quantity_delta", delta):
            return
        quantity = was + delta
        if quantity < 0:
            problems.add("quantity_delta", delta, f"must not take more than the {was.normalize():f} that there are")
    states[update.starting_at] = State(quantity)


def _update_seats(states: dict[datetime, State], updates: SeatUpdatesInput, runs: Period, problems: Problems) -> None:
    """In order of time; at one instant in the order of the lists."""
    steps: list[tuple[datetime, Problems, Callable[[dict[datetime, State], datetime], None]]] = []
    for name, seats, change in (
        ("add_seat_ids", updates.add_seat_ids, _add_seat),
        ("remove_seat_ids", updates.remove_seat_ids, _remove_seat),
    ):
        for index, each in enumerate(seats):
            inner = problems.within(f"{name}[{index}]")
            for seat in seat_ids(inner, "seat_ids", each.seat_ids):
                steps.append((each.starting_at, inner, partial(change, seat=seat)))
    for name, counts, sign in (
        ("add_unassigned_seats", updates.add_unassigned_seats, 1),
        ("remove_unassigned_seats", updates.remove_unassigned_seats, -1),
    ):
        for index, one in enumerate(counts):
            inner = problems.within(f"{name}[{index}]")
            count = whole_number(inner, "quantity", one.quantity)
            steps.append((one.starting_at, inner, partial(_add_unassigned, count=sign * count)))
    for starting_at, inner, step in sorted(steps, key=lambda each: each[0]):
        if not _is_within(inner, starting_at, runs):
            return
        states[starting_at] = _state_at(states, starting_at)
        step(states, starting_at)
        short = [start for start, state in sorted(states.items()) if not state.is_possible]
        if short:
            inner.add(
                "quantity", "seats", f"must not be more than the seats that nobody has on {format_instant(short[0])}"
            )
            return


def _from(states: Mapping[datetime, State], starting_at: datetime) -> list[datetime]:
    return sorted(each for each in states if each >= starting_at)


def _add_seat(states: dict[datetime, State], starting_at: datetime, seat: str) -> None:
    """It takes a seat that nobody has; only where there is none, there is one more. From where it was to come anyway,
    everything is as it was."""
    more = Decimal(0)
    for start in _from(states, starting_at):
        state = states[start]
        if seat in state.seats:
            return
        taken = (*state.seats, seat)
        states[start] = State(max(state.quantity + more, Decimal(len(taken))), taken)
        more = states[start].quantity - state.quantity


def _remove_seat(states: dict[datetime, State], starting_at: datetime, seat: str) -> None:
    """There is one fewer, up to where it was to go anyway. One that is not there changes nothing."""
    for start in _from(states, starting_at):
        state = states[start]
        if seat not in state.seats:
            return
        states[start] = State(state.quantity - 1, tuple(each for each in state.seats if each != seat))


def _add_unassigned(states: dict[datetime, State], starting_at: datetime, count: int) -> None:
    for start in _from(states, starting_at):
        states[start] = replace(states[start], quantity=states[start].quantity + count)


def subscriptions_told(updates: Sequence[SubscriptionUpdateInput]) -> list[dict[str, Any]]:
    """The updates as they are kept on the edit, numbers as text."""
    return [_told(update) for update in updates]


def _told(update: SubscriptionUpdateInput) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(update.subscription_id)}
    if update.name is not UNCHANGED:
        told["name"] = update.name
    if update.ending_before is not UNCHANGED:
        told["ending_before"] = None if update.ending_before is None else format_instant(update.ending_before)
    if update.rounding is not UNCHANGED:
        told["proration_rounding"] = rounding_told(update.rounding)
    if update.by_seats_of is not None:
        config = {"seat_group_key": update.by_seats_of}
        told["quantity_management_mode_update"] = {"quantity_management_mode": "SEAT_BASED", "seat_config": config}
    if update.quantity_updates:
        told["quantity_updates"] = [_quantity_told(each) for each in update.quantity_updates]
    seats = {
        name: [_seats_told(each) for each in getattr(update.seat_updates, name)]
        for name in ("add_seat_ids", "remove_seat_ids", "add_unassigned_seats", "remove_unassigned_seats")
    }
    if any(seats.values()):
        told["seat_updates"] = {name: each for name, each in seats.items() if each}
    return told


def _quantity_told(update: QuantityUpdateInput) -> dict[str, Any]:
    numbers = {"quantity": update.quantity, "quantity_delta": update.quantity_delta}
    said = {name: f"{value:f}" for name, value in numbers.items() if value is not None}
    return {"starting_at": format_instant(update.starting_at), **said}


def _seats_told(given: SeatIdsInput | UnassignedSeatsInput) -> dict[str, Any]:
    start = {"starting_at": format_instant(given.starting_at)}
    if isinstance(given, SeatIdsInput):
        return {**start, "seat_ids": list(given.seat_ids)}
    return {**start, "quantity": f"{given.quantity:f}"}
