"""What is so at the end of a story: documents, lines and balances, compared with the tables that it says."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import parse_instant
from tests.scenarios.story import Steps, Story
from tests.scenarios.story_text import NONE, Sentence, StoryError, drawn, number

AMOUNTS = {"subtotal", "tax", "total", "amount", "unit price", "quantity", "left"}

STEPS = Steps()
says = STEPS.says


@says(
    "{customer} has these documents:",
    ["number", "total"],
    ["kind", "status", "issued", "from", "to", "subtotal", "tax"],
)
def has_these_documents(story: Story, sentence: Sentence, customer: str) -> None:
    """All of them, by date of issue and number."""
    found = [
        {
            "number": getattr(each, "number", NONE),
            "kind": each.type.lower(),
            "status": each.status.lower(),
            "issued": _day(each.issued_at),
            "from": _day(each.start_timestamp),
            "to": _day(each.end_timestamp),
            "subtotal": _money(each.subtotal) / story.wire(),
            "tax": (_money(each.total) - _money(each.subtotal)) / story.wire(),
            "total": _money(each.total) / story.wire(),
        }
        for each in story.invoices(story.known(story.customers, customer, sentence.place))
    ]
    _compare(sentence, found)


@says("Invoice {number} of {customer} has these lines:", ["line", "amount"], ["quantity", "unit price"])
def has_these_lines(story: Story, sentence: Sentence, number: str, customer: str) -> None:
    customer_id = story.known(story.customers, customer, sentence.place)
    _compare(sentence, list(_lines(story, story.numbered(customer_id, number, sentence.place))))


@says("The draft of {contract} from {instant} has these lines:", ["line", "amount"], ["quantity", "unit price"])
def draft_has_these_lines(story: Story, sentence: Sentence, contract: str, instant: str) -> None:
    customer, contract_id = story.known(story.contracts, contract, sentence.place)
    drafts = {
        each.start_timestamp: each
        for each in story.invoices(customer)
        if each.contract_id == contract_id and each.status == "DRAFT"
    }
    _compare(sentence, list(_lines(story, story.known(drafts, parse_instant(instant), sentence.place))))


@says("{customer} has these balances:", ["balance", "left"])
def has_these_balances(story: Story, sentence: Sentence, customer: str) -> None:
    """All that are agreed, in the order of their names."""
    asked = {"include_contract_balances": True, "include_balance": True}
    customer_id = story.known(story.customers, customer, sentence.place)
    found = [
        {"balance": each.name, "left": _money(each.balance) / story.wire(_unit_name(each.access_schedule.credit_type))}
        for each in story.client.v1.contracts.list_balances(customer_id=customer_id, **asked)
    ]
    _compare(sentence, sorted(found, key=lambda each: each["balance"]))


def _lines(story: Story, invoice: Any) -> Iterator[dict[str, Any]]:
    """As they are printed."""
    for line in invoice.line_items:
        wire = story.wire(_unit_name(line.credit_type))
        yield {
            "line": line.name,
            "quantity": NONE if line.quantity is None else _money(line.quantity),
            "unit price": NONE if line.unit_price is None else _money(line.unit_price) / wire,
            "amount": _money(line.total) / wire,
        }


def _compare(sentence: Sentence, found: Sequence[Mapping[str, Any]]) -> None:
    """All rows in order, by the columns that the story has. Raises StoryError with both tables."""
    said = [{name: _read(name, cell, row.place) for name, cell in row.cells.items()} for row in sentence.rows]
    is_so = [{name: row[name] for name in sentence.columns} for row in found]
    if said != is_so:
        wrong, right = (
            drawn(sentence.columns, [list(map(_text, row.values())) for row in rows]) for rows in (said, is_so)
        )
        raise StoryError(f"{sentence.place}: {sentence.text}\n\nsaid is\n\n{wrong}\n\nbut it is\n\n{right}")


def _read(column: str, cell: str, place: str) -> str | Decimal:
    return number(cell, place) if column in AMOUNTS and cell != NONE else cell


def _text(cell: Any) -> str:
    if not isinstance(cell, Decimal):
        return str(cell)
    written = f"{cell.normalize():,f}"
    return written if "." not in written or len(written.partition(".")[2]) > 1 else f"{written}0"


def _money(value: Any) -> Decimal:
    """A number of the client, digit by digit as it was sent."""
    return Decimal(str(value))


def _unit_name(unit: Any) -> str:
    return unit.name.partition(" ")[0] if unit is not None else ""


def _day(instant: Any) -> str:
    if instant is None:
        return NONE
    return f"{instant:%Y-%m-%d}" if instant.hour == 0 else f"{instant:%Y-%m-%d %H:%M}"
