"""Notes by hand: what of a final document may be credited still, and what is asked for as a note.

What is entered are lines with an amount and a reason each: of a line of the document, of a product, or of neither. A
credit note may credit what was asked to be paid and has not been credited yet; a debit note has no limit.

    a line was          it may be credited by
    10.00               10.00
    10.00, paid by a    nothing: nothing was asked for. What a balance has paid it gets back by an entry by hand
      prepaid balance
    10.00, counted by   10.00
      a postpaid one
    -3.00               -3.00: a discount is taken back, beside what it was on

What was credited before, by hand or by a rated note on the same product and group values, is credited no more; what a
debit note has added may be. A product may be credited by what its lines may be, together. And all of it together is
never more than the document and the notes on it come to.

**Worked table.** A document has a line of 10.00 and one of -3.00, and so comes to 7.00. Of every row there is a test.

    credited before     asked for                       answer
    nothing             4.00 of the first               a credit note of 4.00
    nothing             7.00 of the first               a credit note of 7.00
    nothing             10.00 of the first              refused: the document comes to 7.00
    nothing             10.00 of the first, -3.00 of    a credit note of 7.00
                        the second
    nothing             10.01 of the first, -3.00 of    refused: the line has 10.00
                        the second
    nothing             -3.00 of the second             refused: a credit note credits something
    nothing             1.00 of the second              refused: there is nothing to credit but -3.00
    4.00 of the first   6.00 of the first               refused: the document has 3.00 left
    4.00 of the first   3.00 for “Goodwill”             a credit note of 3.00; then nothing is left
    7.00 of the first   0.01 for “Goodwill”             refused
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from billing_site.foundation.money import Unit, exact_sum, round_to
from invoicing.engine.documents import Corrects, Document, Line
from invoicing.engine.items import LONGEST_NAME
from invoicing.engine.notes.document import note_document
from pricing.engine.catalog import GroupValues

Item = tuple[str, GroupValues, GroupValues]  # product, pricing and presentation values

CREDIT, DEBIT = "CREDIT", "DEBIT"
ZERO = Decimal(0)


class Billed(NamedTuple):
    """A line of the document that was asked to be paid; `amount` is as printed, less what a balance has paid of it."""

    position: int
    name: str
    amount: Decimal
    item: Item | None  # what rated notes may have corrected of it
    product_id: UUID | None
    product_type: str


@dataclass(frozen=True, slots=True)
class Creditable:
    """A final document as far as notes by hand are concerned. What was `credited` is signed, debits count against it:
    by position, and `loose`, by product, where it was of no line. `rated` is what rated notes came to by item, `notes`
    what all notes on the document come to."""

    lines: tuple[Billed, ...]
    total: Decimal  # before tax
    credited: Mapping[int, Decimal]
    loose: Mapping[UUID, Decimal]
    rated: Mapping[Item, Decimal]
    notes: Decimal
    goodwill: Decimal = ZERO  # credited by hand of neither a line nor a product

    @property
    def left(self) -> Decimal:
        """What the document may be credited by in all."""
        return max(exact_sum([self.total, self.notes]), ZERO)

    def left_of(self, line: Billed) -> Decimal:
        """Of a line that was a discount it is below zero. What discounts took off others is the product's to say: they
        may be taken back in the same note."""
        rest = self._rest(line)
        if line.item is None or line.product_id is None or rest <= 0:
            return rest
        of_item = [self._rest(each) for each in self.lines if each.item == line.item]
        of_product = [self._rest(each) for each in self.lines if each.product_id == line.product_id]
        item = [max(each, ZERO) for each in of_item] + [self.rated.get(line.item, ZERO)]
        product = [max(each, ZERO) for each in of_product] + self._taken_off(line.product_id)
        return max(min(rest, exact_sum(item), exact_sum(product)), ZERO)

    def left_of_product(self, product_id: UUID) -> Decimal:
        lines = [self._rest(each) for each in self.lines if each.product_id == product_id]
        return max(exact_sum([*lines, *self._taken_off(product_id)]), ZERO)

    def _taken_off(self, product_id: UUID) -> list[Decimal]:
        """By rated notes, and by credits of no line."""
        rated = [amount for item, amount in self.rated.items() if item[0] == str(product_id)]
        return [*rated, -self.loose.get(product_id, ZERO)]

    def _rest(self, line: Billed) -> Decimal:
        return exact_sum([line.amount, -self.credited.get(line.position, ZERO)])


class Asked(NamedTuple):
    """A line of a note by hand: `position` is of the line that it corrects. `amount` is positive, but for a discount
    that is taken back."""

    amount: Decimal
    reason: str
    position: int | None = None
    product_id: UUID | None = None
    product_type: str = ""
    name: str = ""  # of the line or product; empty for neither


class Broken(NamedTuple):
    """A rule that an entered line breaks; `place` is counted from 0, None where all of them together break it."""

    place: int | None
    field: str
    value: object
    rule: str


def broken_rules(kind: str, asked: Sequence[Asked], of: Creditable, step: Decimal) -> Iterator[Broken]:
    """What is wrong with the amounts; nothing where such a note can be made."""
    found = list(_broken_one_by_one(kind, asked, of, step))
    yield from found
    total = exact_sum([each.amount for each in asked])
    if total <= 0:
        yield Broken(None, "lines", total, "must come to more than zero together")
    elif kind == CREDIT and total > of.left:
        yield Broken(None, "lines", total, "must not credit more than is left of the document")
    elif kind == CREDIT and not found:
        yield from _broken_by_products(asked, of)


def _broken_one_by_one(kind: str, asked: Sequence[Asked], of: Creditable, step: Decimal) -> Iterator[Broken]:
    seen: set[int | UUID] = set()
    for index, each in enumerate(asked):
        subject = each.product_id if each.position is None else each.position
        if round_to(each.amount, step) != each.amount:
            yield Broken(index, "amount", each.amount, f"must be a multiple of {step}, which is what can be paid")
        elif subject in seen:
            yield Broken(index, "line", subject, "must be there only once")
        else:
            yield from _broken_by(kind, index, each, of)
        if subject is not None:
            seen.add(subject)


def _broken_by_products(asked: Sequence[Asked], of: Creditable) -> Iterator[Broken]:
    """Each line may be within its own limit, and all of a product beyond what discounts left of it."""
    by_product: dict[UUID, list[Decimal]] = {}
    for each in asked:
        if each.product_id is not None:
            by_product.setdefault(each.product_id, []).append(each.amount)
    for product_id, amounts in by_product.items():
        if exact_sum(amounts) > of.left_of_product(product_id):
            yield Broken(None, "lines", exact_sum(amounts), "must not credit more than is left of the product")


def _broken_by(kind: str, index: int, asked: Asked, of: Creditable) -> Iterator[Broken]:
    line = next((each for each in of.lines if each.position == asked.position), None)
    if asked.position is not None and line is None:
        yield Broken(index, "line", asked.position, "must be a line of the document that was asked to be paid")
        return
    left = None
    if kind == CREDIT and line is not None:
        left = of.left_of(line)
    elif kind == CREDIT and asked.product_id is not None:
        left = of.left_of_product(asked.product_id)
    if left is not None and not (0 < asked.amount <= left or left <= asked.amount < 0):
        yield Broken(index, "amount", asked.amount, "must credit something, and no more than is left of it")
    elif left is None and asked.amount <= 0:
        yield Broken(index, "amount", asked.amount, "must be above zero")


def note_by_hand(
    kind: str,
    asked: Sequence[Asked],
    *,
    about: Corrects,
    contract_id: UUID,
    unit: Unit,
    slot: str,
    at: datetime,
) -> Document:
    """The note as a document that is final at once. It posts nothing: balances stay as they are."""
    sign = -1 if kind == CREDIT else 1
    lines = [
        Line(
            type="scheduled",
            name=_name(each),
            total=sign * each.amount,
            unit=unit,
            product_id=each.product_id,
            product_type=each.product_type,
            corrects=about._replace(position=each.position),
        )
        for each in asked
    ]
    return note_document(lines, (), contract_id=contract_id, slot=slot, unit=unit, at=at)


def _name(asked: Asked) -> str:
    """ "Tokens (model: xl): outage on 3 October"."""
    if not asked.name:
        return asked.reason
    room = LONGEST_NAME - len(asked.reason) - 2
    return f"{asked.name if len(asked.name) <= room else f'{asked.name[: room - 1]}…'}: {asked.reason}"
