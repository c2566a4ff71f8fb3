"""From what the walk took to a usage document: lines as the customer reads them, and the entries they would post.

Neighbours with the same price and payer become one line, so that a month reads as two unit prices and not as seven
hundred hours. What a balance took is two lines, the covered usage and the balance applied to it (negative), and what
nobody covered is a third. An applied prepaid balance is added into the total and so cancels what it covers; an
applied postpaid commit is shown and not added, because what counts toward it is still to be paid.

Here amounts get their 12 decimals, once: each payer's sum is rounded (a balance's as its deduction was), and its rows
share it by largest remainder. The total is the sum of the lines that count.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any
from uuid import UUID

from billing_site.foundation.money import QUANTUM, MixedUnits, exact_sum, largest_remainder, round_to
from billing_site.foundation.periods import Period
from invoicing.engine.balances import Balance
from invoicing.engine.calendar import USAGE
from invoicing.engine.documents import Document, Entry, Finding, Line, Part
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item, Take
from pricing.engine.catalog import Catalog
from pricing.engine.prices import Price
from pricing.engine.products import name_at


def usage_document(draft: UsageDraft, catalog: Catalog, findings: tuple[Finding, ...]) -> Document | None:
    """The document of a billing period, or None where it has neither lines nor a finding that holds it."""
    lines = tuple(_lines(draft, catalog))
    if not lines and not any(finding.blocking for finding in findings):
        return None
    open_, fiat = draft.open, draft.seller.card.fiat
    if any(line.unit != fiat for line in lines):
        raise MixedUnits(f"Every line of contract {open_.contract.id} has to be in {fiat.name}.")
    return Document(
        id=open_.document_id,
        contract_id=open_.contract.id,
        kind=USAGE,
        slot=open_.slot,
        type="USAGE",
        period=open_.period,
        issued_at=open_.ending_before,
        finalizes_at=open_.finalizes_at,
        unit=fiat,
        lines=lines,
        total=exact_sum([line.total for line in lines if line.counts]),
        entries=tuple(_entries(draft)),
        findings=findings,
    )


def _entries(draft: UsageDraft) -> Iterator[Entry]:
    for balance, amount in sorted(draft.deductions.items(), key=lambda deduction: deduction[0].rank):
        if amount:
            yield Entry(
                type=f"{balance.commit.type}_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
                commit_id=balance.commit.id,
                segment_id=balance.segment.id,
                amount=-amount,
                timestamp=draft.open.ending_before,
            )


@dataclass(slots=True, eq=False)
class _Row:
    """A line in the making: what one payer took of one item, at one price, in neighbouring stretches."""

    item: Item
    payer: Balance | None
    takes: list[Take]  # one for each stretch, in order of time
    period: Period
    # In 12 decimals: of the line, and of each take.
    amount: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    amounts: list[Decimal] = field(default_factory=list)
    quantities: list[Decimal] = field(default_factory=list)
    metered: list[Decimal] = field(default_factory=list)

    @property
    def order(self) -> tuple[Any, ...]:
        """Among the rows of a product: by values, then time, then payer, with what nobody covers last."""
        item = self.item
        payer = inf if self.payer is None else self.payer.rank
        return item.values_order, item.run.starting_at, self.period.starting_at, payer


def _lines(draft: UsageDraft, catalog: Catalog) -> Iterator[Line]:
    """In the card's order of products. A product without group keys that was not used has a line of zero."""
    place = {product_id: number for number, product_id in enumerate(draft.seller.product_ids)}
    rows = [row for item in draft.items.values() for row in _rows(item)]
    rows.sort(key=lambda row: (place[row.item.product_id], row.order))
    _share_out(rows, draft)
    for product_id in draft.seller.product_ids:
        used = [row for row in rows if row.item.product_id == product_id]
        for row in used:
            yield from _lines_of(row, catalog)
        if not used:
            yield from _zero_line(draft, product_id)


def _rows(item: Item) -> Iterator[_Row]:
    place = {stretch: index for index, stretch in enumerate(item.stretches)}
    by_payer: dict[Balance | None, dict[int, Take]] = {}
    for take in item.takes:
        of_payer, index = by_payer.setdefault(take.payer, {}), place[take.stretch]
        of_payer[index] = take if index not in of_payer else _sum(of_payer[index], take)
    used = dict.fromkeys(sorted(index for of_payer in by_payer.values() for index in of_payer))
    for payer, of_payer in by_payer.items():
        for group in _neighbours(of_payer, used):
            yield _Row(item, payer, [of_payer[index] for index in group], _window(item, payer, group, used))


def _sum(one: Take, other: Take) -> Take:
    return replace(one, quantity=one.quantity + other.quantity, amount=one.amount + other.amount)


def _neighbours(takes: dict[int, Take], used: Collection[int]) -> list[list[int]]:
    """The stretches of the takes, those together that follow each other at the same price.

    A stretch in which the item was not used at all comes between nothing.
    """
    groups: list[list[int]] = []
    previous: Take | None = None
    for index in used:
        take = takes.get(index)
        if take is not None and previous is not None and take.price.reads_like(previous.price):
            groups[-1].append(index)
        elif take is not None:
            groups.append([index])
        previous = take
    return groups


def _window(item: Item, payer: Balance | None, group: Sequence[int], used: Collection[int]) -> Period:
    """The time of a line: its stretches, and around them those at the same price in which nothing was used."""
    first, last = group[0], group[-1]
    while first > 0 and first - 1 not in used and _same(item.stretches[first - 1].price, item.stretches[first].price):
        first -= 1
    end = len(item.stretches) - 1
    while last < end and last + 1 not in used and _same(item.stretches[last + 1].price, item.stretches[last].price):
        last += 1
    window = Period(item.stretches[first].starting_at, item.stretches[last].ending_before)
    return window if payer is None else window.overlap(payer.period) or window


def _same(one: Price | None, other: Price | None) -> bool:
    return one is not None and other is not None and one.reads_like(other)


def _share_out(rows: Sequence[_Row], draft: UsageDraft) -> None:
    """Give every line and take its 12 decimals, so that lines, deductions and quantities add up exactly."""
    for payer in dict.fromkeys(row.payer for row in rows):
        paid = [row for row in rows if row.payer is payer]
        exact = sum((take.amount for row in paid for take in row.takes), Fraction(0))
        total = round_to(exact, QUANTUM) if payer is None else draft.deductions[payer]
        for row, amount, amounts in _shares(paid, total, lambda take: take.amount):
            row.amount, row.amounts = amount, amounts
    for item in dict.fromkeys(row.item for row in rows):
        _share_quantities(item, [row for row in rows if row.item is item])


def _share_quantities(item: Item, rows: Sequence[_Row]) -> None:
    for row, quantity, quantities in _shares(rows, round_to(item.quantity, QUANTUM), lambda take: take.quantity):
        row.quantity, row.quantities = quantity, quantities
    metered_per_unit = Fraction(item.metered) / item.quantity
    for row, _, metered in _shares(rows, item.metered, lambda take: take.quantity * metered_per_unit):
        row.metered = metered


def _shares(
    rows: Sequence[_Row], total: Decimal, exact: Callable[[Take], Fraction]
) -> Iterator[tuple[_Row, Decimal, list[Decimal]]]:
    """Of each row: what it gets of `total`, and what each of its takes gets of that."""
    of_takes = [[exact(take) for take in row.takes] for row in rows]
    of_rows = largest_remainder([sum(takes, Fraction(0)) for takes in of_takes], total, QUANTUM)
    for row, share, takes in zip(rows, of_rows, of_takes, strict=True):
        yield row, share, [share] if len(takes) == 1 else largest_remainder(takes, share, QUANTUM)


def _lines_of(row: _Row, catalog: Catalog) -> Iterator[Line]:
    item, price, payer = row.item, row.takes[0].price, row.payer
    covered = Line(
        type="usage",
        name=item.name,
        total=row.amount,
        unit=price.unit,
        product_id=item.product_id,
        product_type="USAGE",
        quantity=row.quantity,
        unit_price=round_to(price.unit_price, QUANTUM),
        list_price=price.list_price,
        period=row.period,
        pricing_group_values=item.pricing_group_values,
        presentation_group_values=item.presentation_group_values,
        commit_id=payer.commit.id if payer is not None else None,
        commit_type=payer.commit.type if payer is not None else "",
        segment_id=payer.segment.id if payer is not None else None,
        parts=tuple(_parts(row)),
    )
    yield covered
    if payer is not None:
        commit = payer.commit
        yield replace(
            covered,
            type="applied_commit_or_credit",
            name=commit.name or name_at(catalog.products[commit.product_id], row.period.starting_at),
            total=-row.amount,
            counts=commit.type == "PREPAID",
            quantity=None,
            unit_price=None,
            list_price=None,
            parts=(),
        )


def _parts(row: _Row) -> Iterator[Part]:
    for take, amount, quantity, metered in zip(row.takes, row.amounts, row.quantities, row.metered, strict=True):
        yield Part(
            period=Period(take.stretch.starting_at, take.stretch.ending_before),
            metric_quantity=metered,
            quantity=quantity,
            amount=amount,
            unit_price=take.price.unit_price,
            list_price=take.price.list_price,
            rate_id=take.price.rate.id,
            publication=take.price.rate.publication,
            published_by=take.price.rate.published_by,
            override_id=take.price.override.id if take.price.override is not None else None,
            losing_overrides=take.price.losing_overrides,
            segment_id=row.payer.segment.id if row.payer is not None else None,
        )


def _zero_line(draft: UsageDraft, product_id: UUID) -> Iterator[Line]:
    """One line of zero at the first price of the period, where the product has no group keys and is entitled."""
    for number, run in enumerate(draft.runs[product_id]):
        if run.definition.pricing_group_key or run.definition.presentation_group_key:
            continue
        item = draft.item(product_id, number, ())
        for stretch in item.stretches:
            if stretch.price is not None:
                yield Line(
                    type="usage",
                    name=item.name,
                    total=Decimal(0),
                    unit=stretch.price.unit,
                    product_id=product_id,
                    product_type="USAGE",
                    quantity=Decimal(0),
                    unit_price=round_to(stretch.price.unit_price, QUANTUM),
                    list_price=stretch.price.list_price,
                    period=Period(stretch.starting_at, draft.open.ending_before),
                )
                return
