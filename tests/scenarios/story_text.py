"""Stories as text: what a file says, sentence by sentence, each with its table. What they mean is told by `phrases`.

A story is Markdown of five kinds of line; any other is an error that names file and line:

    # What it is about             once, at the top
    ## Given, ## When, ## Then     as often as the story needs them
    > A remark.                    for the reader alone
    - A sentence.                  one of those that are known; it may go on in lines that begin with two blanks
    | a | table |                  under its sentence: a head, a line of dashes, and rows
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

HEADINGS = ("## Given", "## When", "## Then")
NONE = "–"
# What the names in a phrase stand for; all others stand for names of things.
WORDS = {
    "instant": r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?",
    "amount": r"[-−]?[\d,]+(?:\.\d+)?",
    "percent": r"\d+(?:\.\d+)?",
    "currency": r"[A-Z]{3}",
    "price": r"[A-Z_]+ .+",
}
NAME = r"[^\W_][\w&' -]*?"


class StoryError(Exception):
    """A story says what cannot be understood, or what is not so. The message begins with file and line."""


@dataclass(frozen=True, slots=True)
class Row:
    place: str  # file and line
    cells: Mapping[str, str]  # by column

    def get(self, column: str) -> str | None:
        """None where the column is not there, or says that there is none."""
        cell = self.cells.get(column, NONE)
        return None if cell == NONE else cell

    def __getitem__(self, column: str) -> str:
        cell = self.get(column)
        if cell is None:
            raise StoryError(f"{self.place}: {column} must be given")
        return cell


@dataclass(frozen=True, slots=True)
class Sentence:
    place: str
    text: str
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """`From {instant} on, {product} costs {price}.`, and the columns of its table: those that must be there, and those
    that may."""

    text: str
    needs: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()

    def words(self, sentence: Sentence) -> Mapping[str, str] | None:
        """What stands for the names; None where the sentence is another one. Raises StoryError for its table."""
        pieces = re.split(r"\{(\w+)\}", self.text)
        pattern = "".join(
            f"(?P<{piece}>{WORDS.get(piece, NAME)})" if number % 2 else re.escape(piece)
            for number, piece in enumerate(pieces)
        )
        found = re.fullmatch(pattern, sentence.text)
        if found is None:
            return None
        self._check_table(sentence)
        return found.groupdict()

    def __str__(self) -> str:
        optional = [f"({column})" for column in self.may_have]
        table = " | ".join([*self.needs, *optional])
        return f"{self.text} | {table} |" if table else self.text

    def _check_table(self, sentence: Sentence) -> None:
        missing = [column for column in self.needs if column not in sentence.columns]
        unknown = [column for column in sentence.columns if column not in (*self.needs, *self.may_have)]
        if missing or unknown:
            wrong = [f"column {column!r} is missing" for column in missing]
            wrong += [f"column {column!r} is not known" for column in unknown]
            raise StoryError(f"{sentence.place}: {'; '.join(wrong)}. It is: {self}")


def sentences(file: Path) -> list[Sentence]:
    """What the story says, in order. Raises StoryError."""
    found: list[Sentence] = []
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("# "):
        raise StoryError(f"{file.name}:1: a story begins with its title, as in '# Late usage'")
    for place, kind, text in _kinds(file.name, lines):
        if kind == "sentence":
            found.append(Sentence(place, text))
        elif not found:
            raise StoryError(f"{place}: a table stands under its sentence")
        elif kind == "more":
            last = found.pop()
            found.append(Sentence(last.place, f"{last.text} {text}"))
        else:
            found.append(_with_row(found.pop(), place, _cells(text)))
    return found


def understood(sentence: Sentence, phrases: Sequence[Phrase]) -> tuple[Phrase, Mapping[str, str]]:
    """The one phrase that the sentence is. Raises StoryError."""
    found = [(phrase, words) for phrase in phrases if (words := phrase.words(sentence)) is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        known = "\n".join(f"    - {phrase}" for phrase in phrases)
        raise StoryError(f"{sentence.place}: not known is {sentence.text!r}. Known is:\n{known}")
    raise StoryError(f"{sentence.place}: may be read as any of {[str(phrase) for phrase, _ in found]}")


def number(text: str, place: str) -> Decimal:
    """`1,234.50`, `-3` or `−3`. Raises StoryError."""
    if not re.fullmatch(WORDS["amount"], text):
        raise StoryError(f"{place}: {text!r} is not a number such as 1,234.50")
    return Decimal(text.replace("−", "-").replace(",", ""))


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as it is written in a story."""
    head = [list(columns), ["---"] * len(columns)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*head, *map(list, rows)])


def _kinds(name: str, lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for count, line in enumerate(lines[1:], start=2):
        place = f"{name}:{count}"
        if line.startswith("- "):
            yield place, "sentence", line[2:].strip()
        elif line.startswith("  ") and line.strip():
            yield place, "more", line.strip()
        elif line.startswith("|"):
            yield place, "row", line
        elif line.strip() and line not in HEADINGS and not line.startswith(">"):
            kinds = "'- A sentence.', a row '| of a table |', '> a remark' or one of " + ", ".join(HEADINGS)
            raise StoryError(f"{place}: not known is {line!r}. A line is {kinds}")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _with_row(sentence: Sentence, place: str, cells: list[str]) -> Sentence:
    if not sentence.columns:
        return Sentence(sentence.place, sentence.text, tuple(cells))
    if len(cells) != len(sentence.columns):
        raise StoryError(f"{place}: the row has {len(cells)} cells, and the table {len(sentence.columns)} columns")
    if all(re.fullmatch(":?-+:?", cell) for cell in cells):
        return sentence
    row = Row(place, dict(zip(sentence.columns, cells, strict=True)))
    return Sentence(sentence.place, sentence.text, sentence.columns, (*sentence.rows, row))
