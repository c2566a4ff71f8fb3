"""Commits and credits, and what edits change of them, in the words of the trade, for people.

an edit                                              in words
an amount lowered                                    Credit “Bonus”: $100.00 (October 2025) is now $60.00.
an end brought forward                               Credit “Bonus”: $100.00 (October 2025) is now (1–14 October 2025).
priority, name                                       Credit “Bonus”: priority 100 is now 1, named “Welcome”.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.display import day_text, exact_text, instant_text, period_text, quantity_text
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period, floor_hour
from contracts.models import (
    AccessSegment,
    Commit,
    ContractTerms,
    InvoiceScheduleItem,
    PaymentOutcome,
    ProfessionalService,
    RecurringCommit,
    ScheduledCharge,
)
from contracts.models.commit_attributes import BalanceAttributes
from contracts.queries import AgreedCommit, UpdatedCommit
from contracts.queries.gates import AgreedGate
from pricing.engine.overrides import LIST_RATE
from pricing.models import Product
from pricing.wording import percent_text

NOUNS = {"PREPAID": "Prepaid commit", "POSTPAID": "Postpaid commit", "CREDIT": "Credit"}
RATES = {"LIST_RATE": "list rates", "COMMIT_RATE": "commit rates"}
USUAL_PRIORITY = 100
TARGETS = ("applicable_product_ids", "applicable_product_tags", "specifiers")


def commit_text(committed: AgreedCommit, names: Mapping[str, str] | None = None) -> str:
    """ "Credit “Bonus”: $250.00 (1 October - 31 December 2025); for API calls; priority 1". `names` are those of
    `names_in`; without them it is not said what it pays for."""
    commit = committed.commit
    access = ", ".join(_segment_text(segment, commit) for segment in committed.segments)
    billed = ", ".join(_item_text(item, commit) for item in committed.invoice_items)
    what = "the rest is billed on" if commit.type == Commit.Type.POSTPAID else _how_paid(commit)
    if commit.type == Commit.Type.POSTPAID and len(committed.invoice_items) == 1:
        billed = day_text(committed.invoice_items[0].issued_at)
    paid = f"; {what} {billed}" if billed else ""
    opportunity = commit.salesforce_opportunity_id
    deal = f"; Salesforce opportunity {opportunity}" if opportunity else ""
    gate = f"; usable once that is paid, {committed.gate.gate.get_type_display()}" if committed.gate else ""
    more = f"{attributes_text(commit, names)}{order_text(commit)}"
    return f"{NOUNS[commit.type]}{named(commit.name)}: {access}{paid}{gate}{more}{deal}"


def attributes_text(term: BalanceAttributes, names: Mapping[str, str] | None = None) -> str:
    """ "; for API calls; priority 1; up to 50 % of it goes over to a renewal": what is not as with most."""
    return "".join(f"; {part}" for part in _unusual(term, names))


def _unusual(term: BalanceAttributes, names: Mapping[str, str] | None) -> Iterator[str]:
    if names is not None and any(getattr(term, each) for each in TARGETS):
        yield f"for {_targets(term, names)}"
    if term.priority != USUAL_PRIORITY:
        yield f"priority {quantity_text(term.priority)}"
    if term.rate_type != LIST_RATE:
        yield f"charged at {RATES[term.rate_type]}"
    if term.rollover_fraction:
        yield f"up to {percent_text(term.rollover_fraction)} of it goes over to a renewal"


def order_text(term: Commit | RecurringCommit | ScheduledCharge | ProfessionalService) -> str:
    """ "; NetSuite sales order SO-1"; nothing where there is none."""
    order = term.netsuite_sales_order_id
    return f"; NetSuite sales order {order}" if order else ""


def changes_in_words(updates: Iterable[UpdatedCommit], names: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each commit that an edit changed. `names` are those of `names_in_updates`."""
    for updated in updates:
        commit = updated.before.commit
        parts = [
            *_segments(updated),
            *_items(updated),
            *_attributes(updated.before.commit, updated.after.commit, names),
        ]
        yield f"{NOUNS[commit.type]}{named(commit.name)}: {'; '.join(parts)}."


def paid_for_by(term: BalanceAttributes) -> set[str]:
    """The ids of the products that a balance names, as text."""
    return {*term.applicable_product_ids, *(each["product_id"] for each in term.specifiers if each.get("product_id"))}


def names_in_updates(updates: Iterable[UpdatedCommit]) -> dict[str, str]:
    """The names of all products and contracts that changed commits name now, by id as text. Two queries at the
    most."""
    products: set[str] = set()
    contracts: set[str] = set()
    for updated in updates:
        commit = updated.after.commit
        products |= paid_for_by(commit)
        contracts |= {*commit.applicable_contract_ids, str(commit.invoice_contract_id or "")}
    named_products = Product.objects.filter(pk__in=products).values_list("pk", "name")
    held = ContractTerms.objects.filter(contract__in=map(UUID, contracts - {""}), removed_by_edit=None)
    named_contracts = {
        str(terms.contract_id): terms.name or str(terms.contract) for terms in held.select_related("contract__customer")
    }
    return {str(pk): name for pk, name in named_products} | named_contracts


def span(start: datetime, end: datetime | None) -> str:
    if end is None:
        return period_text(Period(start))
    text = period_text(Period(start, end))
    return text if text.startswith("from") else f"({text})"


def dated(amount: Decimal, unit: Unit, instant: datetime) -> str:
    return f"{exact_text(amount, unit)} on {day_text(instant)}"


def named(name: str) -> str:
    return f" “{name}”" if name else ""


def noun_and_name(commit: Commit) -> str:
    """ "the credit “Bonus”"."""
    return f"the {'credit' if commit.is_credit else 'commit'}{named(commit.name)}"


def gate_text(agreed: AgreedGate) -> str:
    """ "has waited for its payment since 10 October 2025": goes on with what the commit is called."""
    if agreed.outcome is None:
        return f"has waited for its payment since {day_text(agreed.gate.created_at)}"
    told = day_text(agreed.outcome.created_at)
    if agreed.outcome.is_paid:
        return f"was paid for on {told}"
    return f"can never be used: its payment failed on {told}"


def payment_text(outcome: PaymentOutcome) -> str:
    """ "The payment for “Top-up” has failed: it is never usable"; needs its gate's commit."""
    name = named(outcome.gate.commit.name) or " a prepaid commit"
    if outcome.is_paid:
        return f"The payment for{name} was made: it is usable from {instant_text(floor_hour(outcome.created_at))} on"
    return f"The payment for{name} has failed: it is never usable"


def shared_text(commit: Commit, names: Mapping[str, str]) -> str:
    """Which contracts share a commit of the customer, and which one bills it."""
    shared = ", ".join(names.get(each, each) for each in commit.applicable_contract_ids) or "all contracts"
    billed = f", billed by {names[str(commit.invoice_contract_id)]}" if commit.invoice_contract_id else ""
    return f"shared by {shared}{billed}"


def _how_paid(commit: Commit) -> str:
    return "billed:" if commit.is_invoiced else "paid elsewhere:"


def _segments(updated: UpdatedCommit) -> Iterator[str]:
    gone = {segment.segment_id: segment for segment in updated.before.segments}
    commit = updated.after.commit
    for segment in updated.after.segments:
        old = gone.pop(segment.segment_id, None)
        if old is None:
            yield f"added {_segment_text(segment, commit)}"
            continue
        now = []
        if segment.amount != old.amount:
            now.append(exact_text(segment.amount, commit.held_in))
        if (segment.starting_at, segment.ending_before) != (old.starting_at, old.ending_before):
            now.append(span(segment.starting_at, segment.ending_before))
        yield f"{_segment_text(old, commit)} is now {' '.join(now)}"
    for old in gone.values():
        yield f"taken out {_segment_text(old, commit)}"


def _items(updated: UpdatedCommit) -> Iterator[str]:
    gone = {item.item_id: item for item in updated.before.invoice_items}
    commit = updated.after.commit
    what = "the rest billed" if commit.type == Commit.Type.POSTPAID else "a payment"
    for item in updated.after.invoice_items:
        old = gone.pop(item.item_id, None)
        if old is None:
            yield f"added {what}, {_item_text(item, commit)}"
        else:
            yield f"{what}, {_item_text(old, commit)}, is now {_item_text(item, commit)}"
    for old in gone.values():
        yield f"taken out {what}, {_item_text(old, commit)}"


def _attributes(old: Commit, new: Commit, names: Mapping[str, str]) -> Iterator[str]:
    if new.priority != old.priority:
        yield f"priority {quantity_text(old.priority)} is now {quantity_text(new.priority)}"
    if new.name != old.name:
        yield f"named “{new.name}”" if new.name else "its name taken away"
    if new.description != old.description:
        yield "described anew"
    if new.product_id != old.product_id:
        yield f"billed as {new.product.name}"
    if new.rate_type != old.rate_type:
        yield f"charged at {RATES[new.rate_type]}"
    if new.rollover_fraction != old.rollover_fraction:
        share = percent_text(new.rollover_fraction or Decimal(0))
        yield f"{share} of it goes over to a renewal at the most"
    if new.netsuite_sales_order_id != old.netsuite_sales_order_id:
        order = new.netsuite_sales_order_id
        yield f"NetSuite sales order {order}" if order else "its NetSuite sales order taken away"
    if any(getattr(new, name) != getattr(old, name) for name in TARGETS):
        yield f"for {_targets(new, names)}"
    if new.applicable_contract_ids != old.applicable_contract_ids:
        shared = ", ".join(names.get(each, each) for each in new.applicable_contract_ids)
        yield f"shared by {shared or 'all contracts'}"
    if new.invoice_contract_id != old.invoice_contract_id:
        yield f"billed by {names.get(str(new.invoice_contract_id), 'no contract')}"


def _targets(commit: BalanceAttributes, names: Mapping[str, str]) -> str:
    found = [names.get(each, each) for each in commit.applicable_product_ids]
    found += [f"products tagged {tag}" for tag in commit.applicable_product_tags]
    for each in commit.specifiers:
        product_id, tags = each.get("product_id"), each.get("product_tags")
        values = {**each.get("pricing_group_values", {}), **each.get("presentation_group_values", {})}
        words = [names.get(product_id, product_id)] if product_id else []
        words += [f"products tagged {' and '.join(tags)}"] if tags else []
        words += [f"({', '.join(f'{key}: {value}' for key, value in values.items())})"] if values else []
        found.append(" ".join(words))
    return ", ".join(found) or "all products"


def _segment_text(segment: AccessSegment, commit: Commit) -> str:
    return f"{exact_text(segment.amount, commit.held_in)} {span(segment.starting_at, segment.ending_before)}"


def _item_text(item: InvoiceScheduleItem, commit: Commit) -> str:
    return dated(item.amount, (commit.invoice_unit or commit.unit).to_unit(), item.issued_at)
