"""The worked table of notes by hand: a document has a line of 10.00 and one of -3.00, and so comes to 7.00."""

from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.ids import uuid7
from invoicing.engine.documents import Corrects
from invoicing.engine.items import LONGEST_NAME
from invoicing.engine.notes.by_hand import CREDIT, DEBIT, Asked, Billed, Creditable, broken_rules, note_by_hand
from tests.invoicing.engine.world import EUR, OCTOBER

CENT = D("0.01")
PRODUCT = UUID(int=7)
FIRST = Billed(1, "Calls", D("10.00"), None, None, "")
SECOND = Billed(2, "Discount", D("-3.00"), None, None, "")


def document(*, credited=(), goodwill="0", **more):
    notes = -sum((amount for _, amount in credited), D(goodwill))
    given = {"lines": (FIRST, SECOND), "total": D("7.00"), "loose": {}, "rated": {}, "notes": notes}
    return Creditable(credited=dict(credited), **given | more)


def answer(asked, of, kind=CREDIT):
    lines = [Asked(D(amount), "because", position) for position, amount in asked]
    return [broken.rule for broken in broken_rules(kind, lines, of, CENT)]


LINE = "must credit something, and no more than is left of it"
WHOLE = "must not credit more than is left of the document"
FOUR, SEVEN = ((1, D("4.00")),), ((1, D("7.00")),)
TABLE = [
    ((), [(1, "4.00")], []),
    ((), [(1, "7.00")], []),
    ((), [(1, "10.00")], [WHOLE]),
    ((), [(1, "10.00"), (2, "-3.00")], []),
    ((), [(1, "10.01"), (2, "-3.00")], [LINE, WHOLE]),
    ((), [(2, "-3.00")], ["must come to more than zero together"]),
    ((), [(2, "1.00")], [LINE]),
    (FOUR, [(1, "6.00")], [WHOLE]),
    (FOUR, [(None, "3.00")], []),
    (SEVEN, [(None, "0.01")], [WHOLE]),
    ((), [(1, "0.005")], ["must be a multiple of 0.01, which is what can be paid"]),
    ((), [(3, "1.00")], ["must be a line of the document that was asked to be paid"]),
    ((), [(1, "1.00"), (1, "1.00")], ["must be there only once"]),
    ((), [(None, "-1.00"), (1, "4.00")], ["must be above zero"]),
    ((), [], ["must come to more than zero together"]),
]


@pytest.mark.parametrize(("credited", "asked", "broken"), TABLE)
def test_the_worked_table(credited, asked, broken):
    assert answer(asked, document(credited=credited)) == broken


def test_a_debit_note_has_no_limit_and_gives_room_for_credit():
    assert answer([(1, "1000.00"), (None, "5.00")], document(), DEBIT) == []
    assert answer([(1, "-1.00"), (None, "5.00")], document(), DEBIT) == ["must be above zero"]
    after = document(credited=((1, D("-5.00")),))
    assert answer([(1, "12.00")], after) == []
    assert answer([(1, "12.01")], after) == [WHOLE]


def of_product(amount, position, model):
    return Billed(position, "Tokens", D(amount), (str(PRODUCT), (("model", model),), ()), PRODUCT, "USAGE")


def test_what_rated_notes_took_off_a_product_is_not_credited_again():
    xl, small = of_product("8.00", 1, "xl"), of_product("2.00", 2, "small")
    of = document(lines=(xl, small), total=D("10.00"), rated={xl.item: D("-5.00")})
    assert [of.left_of(line) for line in of.lines] == [D("3.00"), D("2.00")]
    assert of.left_of_product(PRODUCT) == D("5.00")
    assert of.left_of_product(uuid7()) == 0


def test_a_product_and_its_lines_are_credited_by_what_it_came_to():
    xl, small = of_product("8.00", 1, "xl"), of_product("2.00", 2, "small")
    of = document(lines=(xl, small), total=D("10.00"), loose={PRODUCT: D("9.00")}, goodwill="9.00")
    assert [of.left_of(line) for line in of.lines] == [D("1.00"), D("1.00")]
    fresh = document(lines=(xl, small), total=D("20.00"))
    lines = [Asked(D("8.00"), "outage", 1, PRODUCT), Asked(D("3.00"), "goodwill", None, PRODUCT)]
    [broken] = broken_rules(CREDIT, lines, fresh, CENT)
    assert broken.rule == "must not credit more than is left of the product"


def test_a_discount_on_a_product_is_taken_back_with_what_it_was_on_or_limits_it():
    whole, discount = of_product("8.00", 1, "xl"), of_product("-2.00", 2, "xl")
    of = document(lines=(whole, discount), total=D("20.00"))
    assert [of.left_of(line) for line in of.lines] == [D("8.00"), D("-2.00")]
    alone = Asked(D("8.00"), "outage", 1, PRODUCT)
    assert [broken.rule for broken in broken_rules(CREDIT, [alone], of, CENT)] == [
        "must not credit more than is left of the product"
    ]
    assert not list(broken_rules(CREDIT, [alone, Asked(D("-2.00"), "outage", 2, PRODUCT)], of, CENT))


def test_a_note_takes_off_or_adds_what_was_asked_and_posts_nothing():
    about, of = Corrects(uuid7(), "INV-000001"), {"contract_id": uuid7(), "unit": EUR, "slot": "1", "at": OCTOBER}
    asked = [Asked(D("2.00"), "outage", 1, PRODUCT, "USAGE", "Calls"), Asked(D("1.00"), "goodwill")]
    credited, debited = (note_by_hand(kind, asked, about=about, **of) for kind in (CREDIT, DEBIT))
    assert [(line.name, line.total) for line in credited.lines] == [("Calls: outage", D(-2)), ("goodwill", D(-1))]
    assert [line.corrects for line in credited.lines] == [Corrects(about.invoice_id, about.number, 1), about]
    assert (credited.total, debited.total, credited.entries) == (D(-3), D(3), ())


def test_a_long_name_makes_room_for_the_reason():
    asked = [Asked(D(1), "outage", 1, PRODUCT, "USAGE", "x" * LONGEST_NAME)]
    about = Corrects(uuid7(), "INV-000001")
    note = note_by_hand(CREDIT, asked, about=about, contract_id=uuid7(), unit=EUR, slot="1", at=OCTOBER)
    assert len(note.lines[0].name) == LONGEST_NAME
    assert note.lines[0].name.endswith("x…: outage")
