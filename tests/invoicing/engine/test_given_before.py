"""What notes by hand gave back, beside a rated note: the worked table. A line of 10.00 is alone on its document."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from invoicing.engine.documents import Adjusted, Corrects, Line
from invoicing.engine.notes.by_hand import Billed, Creditable
from invoicing.engine.notes.document import note_document
from invoicing.engine.notes.given_before import without_given_before
from invoicing.engine.rounding import finalized
from tests.invoicing.engine.world import EUR

CALLS, INVOICE, CONTRACT = UUID(int=1), UUID(int=2), UUID(int=3)
ABOUT = Corrects(INVOICE, "INV-000001")
OCTOBER = Period(datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC))
XL = (str(CALLS), (("model", "xl"),), ())
LINE = Billed(1, "Calls", D("10.00"), XL, CALLS, "USAGE")

TABLE = """
    nothing                      -6.00            -6.00
    4.00 of the line             -6.00            -6.00
    5.00 of the line             -6.00            -6.00 1.00
    10.00 of the line            -6.00            -6.00 6.00
    5.00 of its product          -6.00            -6.00 1.00
    5.00 for “Goodwill”          -6.00            -6.00 1.00
    5.00 of the line             2.00             2.00
    -5.00 of the line            -12.00           -12.00
    nothing                      -12.00           -12.00
"""


def billed(credited: str) -> Creditable:
    amount = D(0) if credited == "nothing" else D(credited.split()[0])
    empty = Creditable((LINE,), D("10.00"), {}, {}, {}, -amount)
    if "line" in credited:
        return replace(empty, credited={1: amount})
    if "product" in credited:
        return replace(empty, loose={CALLS: amount})
    return replace(empty, goodwill=amount)


def rated(*amounts: str, unit: Unit = EUR):
    adjusts = Adjusted(INVOICE, "INV-000001", OCTOBER, D(10), D(10))
    lines = [
        Line("usage", "Calls, adjustment of INV-000001 (1 Oct to 31 Oct 2025)", D(amount), unit, product_id=CALLS)
        ._replace(product_type="USAGE", pricing_group_values=(("model", "xl"),), adjusts=adjusts)
        for amount in amounts
    ]  # fmt: skip
    return finalized(note_document(lines, (), contract_id=CONTRACT, slot="1", unit=unit, at=OCTOBER.starting_at))


@pytest.mark.parametrize(("credited", "difference", "printed"), [
    [row[4:33].strip(), row[33:50].strip(), row[50:]] for row in TABLE.strip("\n").splitlines()
])  # fmt: skip
def test_the_worked_table(credited, difference, printed):
    note = without_given_before(rated(difference), billed(credited), ABOUT)
    assert list(note.totals) == [D(each) for each in printed.split()]
    assert note.total == sum(note.totals)


def test_the_line_says_what_it_is_and_counts_against_what_is_left_of_the_item():
    note = without_given_before(rated("-6.00"), billed("5.00 of the line"), ABOUT)
    line = note.document.lines[-1]
    assert (line.name, line.corrects) == ("Calls, given back by hand before", ABOUT._replace(position=1))
    assert (line.product_id, line.pricing_group_values) == (CALLS, (("model", "xl"),))
    of = replace(billed("5.00 of the line"), rated={XL: note.total}, notes=D("-5.00") + note.total)
    assert (of.left_of(LINE), of.left) == (0, 0)


def test_what_was_given_of_a_line_is_not_told_again_of_its_product_and_document():
    of = replace(billed("8.00 of the line"), loose={CALLS: D("1.00")}, goodwill=D("1.00"), notes=D("-10.00"))
    note = without_given_before(rated("-6.00"), of, ABOUT)
    assert [(line.name, line.total) for line in note.document.lines[1:]] == [
        ("Calls, given back by hand before", 4),
        ("Calls, given back by hand before", 1),
        ("The document, given back by hand before", 1),
    ]
    assert note.total == 0


def test_of_an_item_counts_what_is_payable_and_of_the_document_whatever_is_no_true_up():
    """-6 of calls, and -2 that a balance gets back; 9 credits, which are -3 in money, and -1 that a balance gets back;
    a true-up of 5. All of the line was given back before, and 9 of the document."""
    credits_ = Unit(CALLS, "credits", 0, 0)
    paid, applied = {"commit_type": "CREDIT"}, Line("applied_commit_or_credit", "Pack", D(2), EUR, commit_type="CREDIT")
    lines = [
        *rated("-6.00").document.lines,
        Line("usage", "Calls", D(-2), EUR, product_id=CALLS, pricing_group_values=(("model", "xl"),), **paid),
        applied,
        Line("usage", "Calls", D(-9), credits_, counts=False, product_id=CALLS),
        Line("cpu_conversion", "credits in EUR", D(-3), EUR),
        Line("cpu_conversion", "credits in EUR", D(-1), EUR, **paid),
        applied,
        Line("commit_purchase", "Pack: true-up", D(5), EUR, product_id=CONTRACT, postpaid_commit_id=CONTRACT),
    ]
    rounded = finalized(note_document(lines, (), contract_id=CONTRACT, slot="1", unit=EUR, at=OCTOBER.starting_at))
    of = replace(billed("10.00 of the line"), goodwill=D(9), notes=D(-19))
    assert [(line.name, line.total) for line in without_given_before(rounded, of, ABOUT).document.lines[8:]] == [
        ("Calls, given back by hand before", 6),
        ("The document, given back by hand before", 3),
    ]
