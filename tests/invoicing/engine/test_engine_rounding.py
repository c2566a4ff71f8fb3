"""Rounding when a document becomes final: design rule 7."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_site.foundation.money import Unit, exact_sum, round_to
from invoicing.engine.documents import Document, Line
from invoicing.engine.inputs import Inputs
from invoicing.engine.rounding import finalized
from tests.invoicing.engine.world import (
    EUR,
    JPY,
    KWD,
    LATE_OCTOBER,
    NOTHING_POSTED,
    NOVEMBER,
    USD,
    D,
    Event,
    card,
    computed,
    contract,
    given,
    on,
    postpaid,
    prepaid,
    product,
    rate,
    settled,
    uid,
    used,
)


def document(unit: Unit, *lines: Line) -> Document:
    return Document(
        id=uid("draft"),
        contract_id=uid("Acme"),
        kind="USAGE",
        slot="",
        type="USAGE",
        period=None,
        issued_at=NOVEMBER,
        finalizes_at=NOVEMBER,
        unit=unit,
        lines=lines,
        total=exact_sum([line.total for line in lines if line.counts]),
    )


def usage_line(total: str | Decimal, unit: Unit, **terms: object) -> Line:
    return Line("usage", "line", D(total), unit)._replace(**terms)


def covered(total: str | Decimal, unit: Unit, type_: str) -> list[Line]:
    """Usage that a balance covers, and the balance applied to it."""
    usage = usage_line(total, unit, commit_type=type_, commit_id=uid(type_), segment_id=uid(f"{type_} segment"))
    applied = usage._replace(type="applied_commit_or_credit", total=-usage.total, counts=type_ == "PREPAID")
    return [usage, applied]


@pytest.mark.parametrize(
    ("unit", "exact", "printed", "total"),
    [
        pytest.param(USD, [], [], "0", id="nothing"),
        pytest.param(USD, ["0", "0"], ["0", "0"], "0", id="zeros stay zero"),
        pytest.param(USD, ["0.5"], ["1"], "1", id="half a cent goes up"),
        pytest.param(USD, ["-0.5"], ["-1"], "-1", id="half a cent owed to the customer goes away from zero, too"),
        pytest.param(USD, ["0.4", "0.4", "0.4"], ["1", "0", "0"], "1", id="the sum decides, the earlier line gets it"),
        pytest.param(USD, ["0.3", "0.6", "0.3"], ["0", "1", "0"], "1", id="the largest remainder gets it"),
        pytest.param(USD, ["0.4", "0.4", "0.4", "0.4"], ["1", "1", "0", "0"], "2", id="two cents over four lines"),
        pytest.param(USD, ["10.5", "-0.5"], ["11", "-1"], "10", id="a line below zero takes part"),
        pytest.param(USD, ["2.5", "-3"], ["2", "-3"], "-1", id="a total below zero"),
        pytest.param(USD, ["7", "0.999999999999"], ["7", "1"], "8", id="whole lines are not touched"),
        pytest.param(EUR, ["0.005", "0.004"], ["0.01", "0"], "0.01", id="EUR in hundredths"),
        pytest.param(JPY, ["1.5", "1.4"], ["2", "1"], "3", id="JPY in whole units"),
        pytest.param(KWD, ["0.0005", "1.0002"], ["0.001", "1"], "1.001", id="KWD in thousandths"),
    ],
)
def test_lines_are_rounded_to_the_rounded_total(unit, exact, printed, total):
    rounded = finalized(document(unit, *(usage_line(each, unit) for each in exact)))
    assert list(rounded.totals) == [D(each) for each in printed]
    assert rounded.total == D(total)
    assert rounded.unrounded_total == exact_sum([D(each) for each in exact])


def test_a_prepaid_pair_cancels_and_takes_no_part_in_the_sum():
    lines = [*covered("1.7", USD, "PREPAID"), usage_line("0.4", USD), usage_line("0.4", USD)]
    rounded = finalized(document(USD, *lines))
    assert (list(rounded.totals), rounded.total) == ([2, -2, 1, 0], 1)


@pytest.mark.parametrize("paid_by", ["PREPAID", "CREDIT"])
@pytest.mark.parametrize("type_", ["usage", "cpu_conversion"])
def test_what_is_paid_for_takes_no_part_whether_it_was_used_or_converted(type_, paid_by):
    usage, applied = covered("0.4", USD, paid_by)
    pair = [usage._replace(type=type_), applied._replace(counts=True)]
    rounded = finalized(document(USD, *pair, usage_line("0.4", USD)))
    assert (list(rounded.totals), rounded.total) == ([0, 0, 0], 0)


def test_what_is_asked_for_a_prepaid_commit_is_payable():
    bought = usage_line("0.4", USD, type="commit_purchase", commit_type="PREPAID")
    rounded = finalized(document(USD, bought, usage_line("0.4", USD)))
    assert (list(rounded.totals), rounded.total) == ([1, 0], 1)


def test_an_applied_postpaid_commit_mirrors_what_it_covers():
    lines = [*covered("0.3", USD, "POSTPAID"), *covered("0.3", USD, "POSTPAID"), usage_line("0.4", USD)]
    rounded = finalized(document(USD, *lines))
    assert (list(rounded.totals), rounded.total) == ([0, 0, 0, 0, 1], 1)


amounts = st.decimals(D(-1000), D(1000), places=12, allow_nan=False, allow_infinity=False)


@settings(max_examples=60)
@for_all(
    st.sampled_from([USD, EUR, JPY, KWD]),
    st.lists(st.tuples(st.sampled_from(["", "PREPAID", "POSTPAID"]), amounts), max_size=12),
)
def test_rounding_adds_up_and_moves_no_line_by_a_step(unit, given_lines):
    lines: list[Line] = []
    for type_, amount in given_lines:
        lines += covered(abs(amount), unit, type_) if type_ else [usage_line(amount, unit)]
    draft = document(unit, *lines)
    rounded = finalized(draft)
    assert rounded.total == round_to(draft.total, unit.minor_step)
    assert exact_sum([t for t, line in zip(rounded.totals, lines, strict=True) if line.counts]) == rounded.total
    for printed, line in zip(rounded.totals, lines, strict=True):
        assert abs(printed - line.total) < unit.minor_step
        assert Fraction(printed) / Fraction(unit.minor_step) % 1 == 0
    for (covered_, applied), line in zip(pairwise(rounded.totals), lines[1:], strict=False):
        assert line.type == "usage" or applied == -covered_


PRODUCTS = [product("A"), product("B")]
PRICES = card(rate("A", "0.4"), rate("B", "0.4"))


def promise(amount: str, at=LATE_OCTOBER, posted=NOTHING_POSTED) -> Inputs:
    return given(at, [contract(commits=(postpaid(amount),))], [PRICES], PRODUCTS, posted=posted)


def test_entries_stay_exact_and_know_what_was_billed():
    usage, true_up = computed(promise("100"), [used("A", on(10, 5), 1), used("B", on(10, 5), 1)]).documents
    (deduction,) = finalized(usage).entries
    assert (deduction.entry.amount, deduction.billed) == (D("-0.8"), -1)
    (shortfall,) = finalized(true_up).entries
    assert (true_up.total, shortfall.entry.amount, shortfall.billed) == (D("99.2"), D("-99.2"), -99)


def test_what_was_rounded_up_leaves_no_true_up_below_zero():
    """A commitment of 1.2 cents, used up: October and November print their 0.6 cents as 1 each."""
    events = [used("A", on(10, 5), "1.5"), used("A", on(11, 5), "1.5")]
    posted = NOTHING_POSTED
    for at in (LATE_OCTOBER, on(11, 30)):
        posted = settled(posted, finalized(computed(promise("1.2", at, posted), events).documents[0]))
    assert posted.billed == {uid("postpaid"): 2}
    (_, true_up) = computed(promise("1.2", on(12, 5), posted), events).documents
    assert (true_up.kind, true_up.total) == ("TRUE_UP", 0)


def test_a_prepaid_deduction_knows_what_was_printed():
    inputs = given(LATE_OCTOBER, [contract(commits=(prepaid("1"),))], [PRICES], PRODUCTS)
    (usage,) = computed(inputs, [used("A", on(10, 5), 3)]).documents
    rounded = finalized(usage)
    assert [(entry.entry.amount, entry.billed) for entry in rounded.entries] == [(-1, -1)]
    assert (usage.total, rounded.total) == (D("0.2"), 0)


@settings(max_examples=60)
@for_all(st.lists(st.integers(0, 130), min_size=3, max_size=3))
def test_invoices_and_true_up_add_up_to_the_commitment(months):
    """A commitment of 100 cents, usage at 0.4 cents a unit: what is billed in all is the commitment, or the usage.

    Documents that were rounded up to more than the commitment stay as they are.
    """
    events: list[Event] = [
        used("A", on(month, 5), quantity) for month, quantity in zip((10, 11, 12), months, strict=True)
    ]
    posted, billed, usage = NOTHING_POSTED, D(0), sum(months) * D("0.4")
    for _ in range(4):
        document = computed(promise("100", on(1, 9, year=2026), posted), events).documents[0]
        rounded = finalized(document)
        posted, billed = settled(posted, rounded), billed + rounded.total
    assert document.kind == "TRUE_UP"
    printed = sum(round_to(quantity * D("0.4"), D(1)) for quantity in months)
    assert billed == max(100, printed) if usage <= 100 else abs(billed - usage) < 3
    assert computed(promise("100", on(1, 9, year=2026), posted), events).documents == ()


def test_the_largest_amounts_keep_every_digit():
    """38 digits, as the columns have: far more than Python's decimals keep unless they are told to."""
    huge = "12345678901234567890123456.123456789012"
    rounded = finalized(document(USD, *covered(huge, USD, "PREPAID"), usage_line(huge, USD), usage_line("0.4", USD)))
    whole = D("12345678901234567890123456")
    assert list(map(str, rounded.totals)) == [str(whole), f"-{whole}", str(whole), "1"]
