"""What is unbilled, deferred, committed and given, by currency."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.urls import reverse

from billing_site.foundation.display import NOTHING, amount_text
from invoicing.finance.reading import Books
from invoicing.finance.revenue import plain_major
from invoicing.finance.tables import Cell, Row, Table
from invoicing.queries.open_money import OpenMoney

KINDS = ("Unbilled usage", "Unbilled charges", "Deferred", "Committed", "Credits left")
STANDING_COLUMNS = (*("currency", "unbilled_usage", "unbilled_charges", "deferred", "committed", "credits_left"),)


def standing_table(books: Books) -> Table:
    drafts = reverse("admin:invoicing_draftsummary_changelist")
    commitments = reverse("admin:invoicing_commitmentsummary_changelist")

    def row(each: OpenMoney) -> Row:
        unit = books.unit(each.unit_id)
        linked = (
            (each.unbilled_usage, f"{drafts}?kind__exact=USAGE"),
            (each.unbilled_charges, f"{drafts}?kind__exact=CHARGES"),
            (each.deferred, f"{commitments}?type=PREPAID"),
            (each.committed, f"{commitments}?type=POSTPAID"),
            (each.given, f"{commitments}?type=CREDIT"),
        )
        return Row(
            (
                Cell(books.unit_code(each.unit_id)),
                *(
                    Cell(amount_text(amount, unit), url=url, is_number=True)
                    if amount
                    else Cell(NOTHING, is_number=True)
                    for amount, url in linked
                ),
            )
        )

    return Table(
        name="standing",
        title="Unbilled, deferred, committed",
        columns=(("Currency", False), *((kind, True) for kind in KINDS)),
        rows=tuple(row(each) for each in _in_order(books)),
        empty="No draft is open, and nobody has a balance or a commitment.",
        note="Deferred: paid for prepaid commits and not drawn. Committed: what is left of the minimums of postpaid "
        "commits. What drafts draw counts as drawn.",
    )


def standing_charts(books: Books) -> list[dict[str, Any]]:
    """A bar for each of the table's columns, and a chart for each unit: they do not add up to anything together."""
    charts = []
    for each in _in_order(books):
        unit = books.unit(each.unit_id)
        amounts = (each.unbilled_usage, each.unbilled_charges, each.deferred, each.committed, each.given)
        if any(amounts):
            said = (f"{name.lower()} {amount_text(amount, unit)}" for name, amount in zip(KINDS, amounts, strict=True))
            charts.append(
                {
                    "id": f"standing-chart-{each.unit_id}",
                    "kind": "across",
                    "summary": f"In {books.unit_code(each.unit_id)}: {', '.join(said)}.",
                    "labels": KINDS,
                    "series": [
                        {
                            "name": books.unit_code(each.unit_id),
                            "values": [plain_major(amount, unit) for amount in amounts],
                            "texts": [amount_text(amount, unit) for amount in amounts],
                        }
                    ],
                }
            )
    return charts


def standing_sheet(books: Books) -> Iterator[Sequence[str]]:
    for each in _in_order(books):
        amounts = (each.unbilled_usage, each.unbilled_charges, each.deferred, each.committed, each.given)
        yield [books.unit_cell(each.unit_id), *(books.amount_cell(amount, each.unit_id) for amount in amounts)]


def _in_order(books: Books) -> list[OpenMoney]:
    return sorted(books.money, key=lambda each: books.unit_code(each.unit_id))
