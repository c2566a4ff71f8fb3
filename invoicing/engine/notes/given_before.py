"""What notes by hand have given back already, where a rated note would give it back once more.

A rated note is the whole difference between what was billed and what would be billed now. It credits no more than is
left of a line, of a product, or of the document: what is beyond that and was credited by hand stands on the note as a
line of its own, of the other sign.

**Worked table.** A line of 10.00 is alone on its document. Of every row there is a test.

    credited by hand before      the difference   the note
    nothing                      -6.00            -6.00
    4.00 of the line             -6.00            -6.00: so much is left of it
    5.00 of the line             -6.00            -6.00 and 1.00: it comes to -5.00
    10.00 of the line            -6.00            -6.00 and 6.00: there is nothing to propose
    5.00 of its product          -6.00            -6.00 and 1.00
    5.00 for “Goodwill”          -6.00            -6.00 and 1.00
    5.00 of the line             2.00             2.00
    -5.00 of the line: a debit   -12.00           -12.00
    nothing                      -12.00           -12.00: what was not given by hand is for a person to see
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from invoicing.engine.documents import Corrects, Line
from invoicing.engine.items import LONGEST_NAME
from invoicing.engine.notes.by_hand import ZERO, Creditable, Item
from invoicing.engine.rounding import RoundedDocument, finalized

BEFORE = ", given back by hand before"
DOCUMENT = "The document"


@dataclass(frozen=True, slots=True)
class GivenBefore:
    """Of one item, of a product where `item` is None, or of the document where neither is told."""

    amount: Decimal
    item: Item | None = None
    product_id: UUID | None = None


def item_of(line: Line) -> Item | None:
    """What rated notes correct of a line, as `Billed` tells it of lines that are final."""
    if line.product_id is None:
        return None
    priced = [(key, value) for key, value in line.pricing_group_values if value is not None]
    return str(line.product_id), tuple(sorted(priced)), tuple(sorted(line.presentation_group_values))


def without_given_before(note: RoundedDocument, of: Creditable, about: Corrects) -> RoundedDocument:
    """The note with a line for each amount of it that was given back by hand before."""
    found = list(given_before(note, of))
    if not found:
        return note
    document = note.document
    lines = [_line(each, note, of, about) for each in found]
    total = exact_sum([document.total, *(line.total for line in lines)])
    return finalized(replace(document, lines=(*document.lines, *lines), total=total))


def given_before(note: RoundedDocument, of: Creditable) -> Iterator[GivenBefore]:
    """By item, then by product, then of the document; what is told of one is not told of the next."""
    came_to = _by_item(note)
    by_product: dict[UUID, list[Decimal]] = {}
    told: list[Decimal] = []
    for item, (product_id, amount) in came_to.items():
        mine = [line for line in of.lines if line.item == item]
        credited = exact_sum([of.credited.get(line.position, ZERO) for line in mine])
        left = exact_sum([*(line.amount for line in mine), -credited, of.rated.get(item, ZERO)])
        back = _beyond(amount, left, credited)
        by_product.setdefault(product_id, []).append(amount + back)
        if back:
            told.append(back)
            yield GivenBefore(back, item, product_id)
    for product_id, amounts in by_product.items():
        back = _beyond(exact_sum(amounts), of.left_of_product(product_id), of.loose.get(product_id, ZERO))
        if back:
            told.append(back)
            yield GivenBefore(back, None, product_id)
    whole = exact_sum([*_of_the_document(note), *told])
    back = _beyond(whole, of.left, of.goodwill)
    if back:
        yield GivenBefore(back)


def _beyond(amount: Decimal, left: Decimal, by_hand: Decimal) -> Decimal:
    """What of a credit, an amount below zero, is more than is left, as far as that was credited by hand."""
    return max(min(-amount - max(left, ZERO), by_hand), ZERO)


def _by_item(note: RoundedDocument) -> Mapping[Item, tuple[UUID, Decimal]]:
    """What the note comes to by item, in its money; a balance that is applied belongs to the line before it."""
    found: dict[Item, tuple[UUID, list[Decimal]]] = {}
    last: tuple[Item, UUID] | None = None
    for line, total in zip(note.document.lines, note.totals, strict=True):
        if not line.counts or line.unit != note.document.unit:
            continue
        if line.type != "applied_commit_or_credit":
            item = item_of(line)
            last = (item, line.product_id) if item is not None and line.product_id is not None else None
        if last is not None:
            found.setdefault(last[0], (last[1], []))[1].append(total)
    return {item: (product_id, exact_sum(totals)) for item, (product_id, totals) in found.items()}


def _of_the_document(note: RoundedDocument) -> Iterator[Decimal]:
    """Without true-ups, which were billed by other documents."""
    for line, total in zip(note.document.lines, note.totals, strict=True):
        if line.counts and line.postpaid_commit_id is None:
            yield total


def _line(given: GivenBefore, note: RoundedDocument, of: Creditable, about: Corrects) -> Line:
    unit = note.document.unit
    if given.product_id is None:
        return Line(type="scheduled", name=f"{DOCUMENT}{BEFORE}", total=given.amount, unit=unit, corrects=about)
    like = next(
        line
        for line in note.document.lines
        if line.product_id == given.product_id and given.item in (None, item_of(line))
    )
    name = like.name.partition(", adjustment of ")[0]
    position = next((line.position for line in of.lines if given.item is not None and line.item == given.item), None)
    of_item = given.item is not None
    return Line(
        type="scheduled",
        name=f"{name[: LONGEST_NAME - len(BEFORE)]}{BEFORE}",
        total=given.amount,
        unit=unit,
        product_id=given.product_id,
        product_type=like.product_type,
        pricing_group_values=like.pricing_group_values if of_item else (),
        presentation_group_values=like.presentation_group_values if of_item else (),
        corrects=about._replace(position=position),
    )
