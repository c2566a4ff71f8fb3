"""Why an amount is what it is, in plain English: sentences about a line, and about each of its parts.

$24.00 = 30 × $0.80
  From 100 to 130 of the period: in tier 2 (above 100).
  List price $1.00 of “Standard” from 1 January 2025: publication 7 by Ada on 3 December 2024, 09:00 UTC.
  The contract has its own: 20 % off the list price of API calls from 1 October 2025, agreed in edit 4 by Bob on …
  Not applied: 10 % off the list price of all products from … A smaller multiplier holds.
  Paid by the prepaid commit “Pack” of $100.00, 1–31 October 2025.
  Nothing was left for it of the credit “Welcome” of $10.00, 1–31 October 2025.
  “Welcome” goes before “Pack”: nothing was paid for it.

The customer is told the same without what is the house's own: who published, agreed and approved what and why, from
which card, by which formula, and what was agreed and did not apply.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile, zip_longest
from uuid import UUID

from billing_site.foundation.display import exact_text, instant_text, period_text, quantity_text
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import HOUR, Period, full_period, parse_instant
from contracts.models import ContractEdit, Override
from contracts.override_wording import override_text
from contracts.terms import CREDIT, POSTPAID
from invoicing.engine.balances import Balance
from invoicing.models import EnteredNoteDecision, Invoice
from invoicing.queries.explained import Explained, id_in, named_in
from invoicing.queries.shown import COMMIT_TYPES, ShownLine
from invoicing.queries.traces import ShownPart
from invoicing.wording import place_sentences, rate_text
from pricing.engine.overrides import COMMIT_RATE
from pricing.engine.products import name_at
from pricing.models import ProductVersion, Rate
from pricing.wording import charge_text, made_of_text

# Why one balance goes before the next, by rule of `invoicing.engine.balances`.
BEFORE_THE_NEXT = {
    "unit": "it is held in a custom unit, which pays before money does",
    "class": "what was rolled over goes first, then prepaid commits and credits, then postpaid commits",
    "priority": "its priority number is lower",
    "contract": "the contract's own go before the customer's",
    "cost": "nothing was paid for it",
    "products": "it is for fewer products",
    "values": "it singles out fewer group values",
    "end": "it ends earlier",
    "start": "it begins earlier",
    "contracts": "it is for fewer contracts",
    "created": "it was created earlier",
    "id": "its id is smaller, and all else is equal",
}
ROUNDED = {"ROUND_UP": "up", "ROUND_DOWN": "down", "ROUND_HALF_UP": "half up"}


def document_sentences(told: Explained) -> Iterator[str]:
    """How its total was rounded; of a note by hand, who wanted it and why."""
    if told.by_hand is not None:
        who = _by_hand(told.by_hand, is_for_customer=told.is_for_customer)
        yield f"{who} No balance and no commitment changes by it."
    shown, unit = told.document, told.units[told.document.unit_id]
    if shown.finalizes_at is not None:
        final = instant_text(shown.finalizes_at)
        yield f"Amounts are exact: the total is rounded once, when it becomes final, not before {final}."
    elif shown.subtotal != shown.unrounded_total:
        exact, printed = exact_text(shown.unrounded_total, unit), exact_text(shown.subtotal, unit)
        yield f"The total came to {exact} exactly, and was rounded once, when it became final, to {printed}."


def _by_hand(decided: EnteredNoteDecision, *, is_for_customer: bool) -> str:
    entered, why = decided.entered, _because(decided.entered.reason)
    if is_for_customer:
        return f"Entered by hand{why}."
    return (
        f"Entered by hand by {entered.entered_by} on {instant_text(entered.entered_at)}{why}, and approved by"
        f" {decided.decided_by} on {instant_text(decided.decided_at)}{_because(decided.reason)}."
    )


def line_sentences(told: Explained, *lines: ShownLine) -> Iterator[str]:
    """What was measured, how that is sold, and how the amount was rounded; of lines of one product."""
    first, parts = lines[0], [part for line in lines for part in line.parts]
    if "correction" in first.fields:
        is_rated = any("adjustment" in line.fields for line in told.document.lines)
        yield _given_before(first) if is_rated else _corrected_by_hand(first)
        return
    if "adjustment" in first.fields:
        yield from _corrected(first) if told.document.kind == Invoice.Kind.NOTE else _adjusted(first)
    if told.document.kind == Invoice.Kind.HISTORICAL:
        used = exact_sum([part.metric_quantity for part in parts])
        yield f"It was invoiced elsewhere: {quantity_text(used)} of it, as told with the import, and not measured here."
        yield from (sentence for line in lines for sentence in _rounding(line, told.unit(line)))
        return
    for metric_id in dict.fromkeys(part.metric_id for part in parts if part.metric_id is not None):
        metric = told.metrics[metric_id]
        types = metric.event_type_filter.get("in_values") or ["every type"]
        what = {"COUNT": "the number", "SUM": f"the sum of “{metric.aggregation_key}”"}.get(
            metric.aggregation_type, f"{metric.aggregation_type} of “{metric.aggregation_key}”"
        )
        metered = exact_sum([part.metric_quantity for part in parts if part.metric_id == metric_id])
        yield (
            f"Measured by “{metric.name}”: {what} over this customer's events of type {', '.join(types)}."
            f" This is {quantity_text(metered)} of it."
        )
    yield from _filtered(told, parts)
    version = told.version(first)
    if version is not None and parts:
        yield from _sold(version)
    if base := told.base_of(first):
        unit = told.unit(first)
        yield f"It is a share of {', '.join(f'{name} ({exact_text(amount, unit)})' for name, amount in base.items())}."
    for line in lines:
        if not line.parts:
            yield from _without_parts(told, line)
        yield from _rounding(line, told.unit(line))


def part_sentences(told: Explained, line: ShownLine, part: ShownPart) -> Iterator[str]:
    """Where its units are, its rate, the override that holds and those that do not, and who pays, in which turn."""
    yield from place_sentences(part)
    rate = told.rates.get(part.rate_id)
    if line.type == "subscription":
        yield from _fee(told, line, part)
    if line.type == "cpu_conversion":
        yield from _converted(told, line)
    elif rate is not None:
        yield _listed(told, replace(part, list_price=None) if line.type == "subscription" else part, rate)
        if rate.formula is not None and not told.is_for_customer:
            yield f"Its price is made by a formula: {made_of_text(rate)}."
    override = told.overrides.get(part.override_id) if part.override_id else None
    if override is not None:
        yield f"The contract has its own: {_agreed(told, override)}."
    elif rate is not None:
        yield "The contract has no price or discount of its own for it then."
    for loser_id, reason in part.losing_overrides:
        loser = told.overrides.get(loser_id)
        if loser is not None and not told.is_for_customer:
            yield f"Not applied: {_agreed(told, loser)}. {reason}"
    yield from _turns(told, line, part)


def _fee(told: Explained, line: ShownLine, part: ShownPart) -> Iterator[str]:
    """What time a fee is for, and what share of the whole period's fee that is."""
    subscription, end = told.subscription(line), part.period.ending_before
    if subscription is None or end is None:
        return
    when = "in advance" if told.document.issued_at <= part.period.starting_at else "when it was over"
    yield f"The fee of the subscription for {period_text(part.period)}, collected {when}."
    if line.fields.get("is_prorated"):
        whole = full_period(subscription.anchor_at, subscription.frequency, at=part.period.starting_at)
        assert whole.ending_before is not None
        hours, of = (end - part.period.starting_at) // HOUR, (whole.ending_before - whole.starting_at) // HOUR
        share = f"{hours // 24} of {of // 24} days" if hours % 24 == of % 24 == 0 else f"{hours} of {of} hours"
        yield f"That is {share} of its period, and so much of the price of a whole one."


def override_words(told: Explained, override: Override) -> str:
    """ "50 % off the list price of API calls from 15 October 2025"."""
    return override_text(override, told.names)


def balance_text(told: Explained, balance: Balance) -> str:
    """ "credit “Welcome” of $100.00, 1–31 October 2025"."""
    commit, amount = balance.commit, balance.segment.amount
    kind = {CREDIT: "credit", POSTPAID: "postpaid commit"}.get(commit.type, "prepaid commit")
    whole = exact_text(amount, commit.held_in)
    return f"{kind} “{balance_name(told, balance)}” of {whole}, {period_text(balance.period)}"


def balance_name(told: Explained, balance: Balance) -> str:
    """Its own, or that of the product as which it is billed."""
    commit = balance.commit
    return commit.name or name_at(told.catalog.products[commit.product_id], balance.period.starting_at)


def _filtered(told: Explained, parts: Sequence[ShownPart]) -> Iterator[str]:
    """Which usage was the contract's while this was measured."""
    measured = [part.period for part in parts if part.metric_id is not None]
    filters = next((each.usage_filters for each in told.terms.contracts if each.id == told.contract.pk), ())
    ends = [each.starting_at for each in filters[1:]]
    for held, end in zip_longest(filters, ends):
        if any(period.overlap(Period(held.starting_at, end)) is not None for period in measured):
            since, values = instant_text(held.starting_at), " or ".join(sorted(held.group_values))
            yield f"Only usage whose {held.group_key} is {values} counts for this contract, from {since} on."


def _adjusted(line: ShownLine) -> Iterator[str]:
    about = line.fields["adjustment"]
    period = period_text(Period(parse_instant(about["starting_at"]), parse_instant(about["ending_before"])))
    if "billed_on_invoice_number" in about:
        yield (
            f"{about['billed_on_invoice_number']} has billed this for {period}, as an adjustment of"
            f" {about['invoice_number']}, which is void. All of that usage is on this document: so it is taken off."
        )
        return
    yield (
        f"Usage of {period} came in, or was corrected, after {about['invoice_number']} became final. The period was"
        " rated again with the terms and prices that were known for it, and its units stayed with who had them: this"
        " is the difference."
    )


def _corrected(line: ShownLine) -> Iterator[str]:
    about = line.fields["adjustment"]
    period = period_text(Period(parse_instant(about["starting_at"]), parse_instant(about["ending_before"])))
    yield (
        f"{about['invoice_number']} has billed {period}. What it billed was rated again with the terms and prices that"
        " were known when this note was made, and its units stayed with who had them: this is the difference."
    )


def _corrected_by_hand(line: ShownLine) -> str:
    about = line.fields["correction"]
    verb = "Credited" if line.total < 0 else "Asked for"
    where = f"line {about['line']} of {about['invoice_number']}" if "line" in about else about["invoice_number"]
    return f"{verb} by hand, to correct {where}."


def _given_before(line: ShownLine) -> str:
    number = line.fields["correction"]["invoice_number"]
    return (
        f"So much of what {number} billed was given back by hand before, and is not given back once more: nothing is"
        " credited beyond what was billed."
    )


def _sold(version: ProductVersion) -> Iterator[str]:
    if version.conversion_factor is not None:
        sold = version.conversion_name or "sold units"
        verb = "divided" if version.conversion_operation == "DIVIDE" else "multiplied"
        yield f"Sold in {sold}: what is measured is {verb} by {quantity_text(version.conversion_factor)}."
    if version.rounding_decimal_places is not None:
        places = version.rounding_decimal_places
        to = "whole units" if places == 0 else "one decimal" if places == 1 else f"{places} decimals"
        yield f"The period's quantity is rounded {ROUNDED[version.rounding_method]} to {to}."


def _without_parts(told: Explained, line: ShownLine) -> Iterator[str]:
    """Lines that no usage stands behind: a true-up, a purchase, a scheduled charge, an applied balance, a zero."""
    if "billed_on_invoice_number" in line.fields.get("adjustment", {}):
        return
    if line.type == "usage":
        yield "Nothing was used."
    elif line.type == "applied_commit_or_credit":
        yield (
            "What the line before counts toward the commitment: shown and not added, as it is still to be paid."
            if line.fields["commit_type"] == COMMIT_TYPES[POSTPAID]
            else "The balance that pays for the line before."
        )
    elif "postpaid_commit" in line.fields:
        yield from _missing(told, line)
    elif "professional_service_id" in line.fields:
        yield "Work that was told to be invoiced on this date."
    else:
        yield (
            "Agreed in the contract for the date on which this invoice ends."
            if "scheduled_item_id" in line.fields
            else "Agreed in the contract for this date."
        )
    agreed = (
        named_in(line, "commit_id", told.commits)
        or named_in(line, "scheduled_charge_id", told.charges)
        or named_in(line, "discount_id", told.charges)
        or named_in(line, "professional_service_id", told.services)
    )
    if agreed is not None and line.type in ("scheduled", "commit_purchase"):
        yield f"Agreed {_edit_text(told, agreed.added_by_edit)}."


def _missing(told: Explained, line: ShownLine) -> Iterator[str]:
    if "adjustment" in line.fields:
        yield (
            "More counts toward the commitment by now: the true-up, which is final, is reversed by as much."
            if line.total < 0
            else "Less counts toward the commitment by now: the true-up, which is final, asked for too little."
        )
        return
    yield "What is still missing of the commitment: the amount agreed, less what has counted toward it."
    unit, commit_id = told.unit(line), id_in(line, "commit_id")
    amounts = [each.amount for commit in told.terms.all_commits if commit.id == commit_id for each in commit.segments]
    if amounts:
        agreed, missing = exact_sum(amounts), line.unrounded_total
        yield (
            f"{exact_text(agreed, unit)} less {exact_text(exact_sum([agreed, -missing]), unit)}:"
            f" {exact_text(missing, unit)}."
        )


def _rounding(line: ShownLine, unit: Unit) -> Iterator[str]:
    if line.total != line.unrounded_total:
        yield (
            f"It came to {exact_text(line.unrounded_total, unit)} exactly; printed are {exact_text(line.total, unit)},"
            " so that the lines add up to the total, which was rounded."
        )


def _listed(told: Explained, part: ShownPart, rate: Rate) -> str:
    unit, text = rate.unit.to_unit(), rate_text(part, rate.unit.to_unit())
    commit_tariff = rate.to_commit_tariff()
    if part.charged == COMMIT_RATE and commit_tariff is not None:
        text = f"Commit rate {charge_text(commit_tariff, unit)}, which the balance asks for,"
    elif part.list_price is None and rate.rate_type == part.rate_type:
        text = f"List price {charge_text(rate.to_tariff(), unit)}"
    publication = rate.publication
    if told.is_for_customer:
        return f"{text} {period_text(Period(rate.starting_at, rate.ending_before))}."
    return (
        f"{text} of “{rate.rate_card.name}” {period_text(Period(rate.starting_at, rate.ending_before))}: publication"
        f" {part.publication} by {part.published_by} on {instant_text(publication.published_at)}"
        f"{_because(publication.price_change.reason)}."
    )


def _converted(told: Explained, line: ShownLine) -> Iterator[str]:
    custom = told.units[UUID(line.fields["converted_credit_type_id"])].name
    yield f"What no balance in {custom} paid for is charged in money: the rate card says what {custom} are worth."


def _turns(told: Explained, line: ShownLine, part: ShownPart) -> Iterator[str]:
    if part.amount == 0:
        return  # what is free draws on nothing
    if part.is_difference and part.amount < 0:
        given = [balance for balance in told.balances if balance.segment.id == part.segment_id]
        yield from (f"Given back to the {balance_text(told, balance)}." for balance in given)
        return
    turns = told.turns(line, part)
    earlier = list(takewhile(lambda turn: not turn.pays, turns))
    if len(earlier) < len(turns):
        balance = turns[len(earlier)].balance
        verb = "Counts toward" if balance.commit.type == POSTPAID else "Paid by"
        yield f"{verb} the {balance_text(told, balance)}."
    if earlier:
        yield f"Nothing was left for it of the {', the '.join(balance_text(told, turn.balance) for turn in earlier)}."
    for turn, following in pairwise(turns):
        first, second = balance_name(told, turn.balance), balance_name(told, following.balance)
        yield f"“{first}” goes before “{second}”: {BEFORE_THE_NEXT[turn.rule]}."


def _agreed(told: Explained, override: Override) -> str:
    return f"{override_words(told, override)}, agreed {_edit_text(told, override.added_by_edit)}"


def _edit_text(told: Explained, edit: ContractEdit) -> str:
    if told.is_for_customer:
        return f"on {instant_text(edit.created_at)}"
    return f"in edit {edit.number} by {edit.created_by} on {instant_text(edit.created_at)}{_because(edit.reason)}"


def _because(reason: str) -> str:
    return f" (“{reason}”)" if reason else ""
