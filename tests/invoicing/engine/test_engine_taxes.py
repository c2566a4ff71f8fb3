"""Tax on rounded documents: the table of `invoicing/engine/taxes.py`, and what holds for any lines."""

from datetime import datetime
from decimal import Decimal as D
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit, exact_sum, wire_amount
from billing_site.foundation.periods import HOUR, Period
from invoicing.engine.documents import Adjusted, Document, Line
from invoicing.engine.rounding import finalized
from invoicing.engine.taxes import (
    STANDARD,
    AsPrinted,
    DatedRate,
    FixedRates,
    NoTaxes,
    NoTaxRate,
    Taxed,
    TaxRate,
    tax_line,
    taxes,
)
from tests.invoicing.engine.world import DECEMBER, EUR, JPY, KWD, NOVEMBER, OCTOBER, USD

VAT = TaxRate("VAT", D(19))
BOOKS = TaxRate("VAT", D(7), "books")
EVER = Period(datetime.fromisoformat("2020-01-01T00:00:00+00:00"), None)
BOOK, SERVICE = uuid7(), uuid7()
CREDITS = Unit(uuid7(), "credits", 0, 0)


@pytest.mark.parametrize(
    ("unit", "lines", "percent", "taxable", "tax", "shares"),
    [
        (EUR, "10.00", "19", "10.00", "1.90", "1.90"),
        (EUR, "0.05", "10", "0.05", "0.01", "0.01"),
        (EUR, "-0.05", "10", "-0.05", "-0.01", "-0.01"),
        (EUR, "0.33 0.33 0.33", "10", "0.99", "0.10", "0.04 0.03 0.03"),
        (EUR, "100.00 -100.00", "19", "0.00", "0.00", "19.00 -19.00"),
        (EUR, "100.00", "0", "100.00", "0.00", "0.00"),
        (USD, "19.99", "8.875", "19.99", "1.77", "1.77"),
        (JPY, "105 104", "10", "209", "21", "11 10"),
        (KWD, "1.234 -0.001", "5", "1.233", "0.062", "0.062 0.000"),
    ],
)
def test_the_worked_table(unit, lines, percent, taxable, tax, shares):
    def wire(text):
        return [wire_amount(D(amount), unit) for amount in text.split()]

    rate = TaxRate("VAT", D(percent))
    found = tax_line(rate, dict(enumerate(wire(lines))), unit.minor_step)
    assert (found.taxable, found.amount, list(found.shares.values())) == (*wire(taxable), *wire(tax), wire(shares))


NOTES = [
    ("0.10", "-0.05 -0.05", "-0.01 -0.01"),
    ("0.13", "-0.03 -0.03 -0.07", "-0.01 0.00 -0.01"),
    ("100.00", "-33.33 -33.33 -33.34", "-6.33 -6.34 -6.33"),
    ("1.00", "0.50 -0.75 -0.75", "0.10 -0.15 -0.14"),
]


@pytest.mark.parametrize(("document", "notes", "tax"), NOTES)
def test_notes_take_back_the_tax_of_their_document_bit_by_bit(document, notes, tax):
    step, before, found = D("0.01"), Taxed(), []
    for note in map(D, notes.split()):
        line = tax_line(VAT, {0: note}, step, before)
        found.append(line.amount)
        before = Taxed(before.taxable + note, before.amount + line.amount)
        assert list(line.shares.values()) == [line.amount]
    assert found == [D(each) for each in tax.split()]
    assert -before.amount == tax_line(VAT, {0: D(document)}, step).amount


@for_all(parts=st.lists(st.integers(1, 10**6), min_size=1, max_size=6), millionths=st.integers(0, 10**8))
def test_parts_that_are_credited_never_exceed_the_tax_of_the_whole(parts, millionths):
    rate, step, before = TaxRate("VAT", D(millionths).scaleb(-6)), D("0.01"), Taxed()
    whole = tax_line(rate, {0: D(sum(parts)).scaleb(-2)}, step).amount
    for part in parts:
        amounts = {0: -D(part).scaleb(-2), 1: D(0)}
        line = tax_line(rate, amounts, step, before)
        assert exact_sum(list(line.shares.values())) == line.amount <= 0
        before = Taxed(exact_sum([before.taxable, *amounts.values()]), exact_sum([before.amount, line.amount]))
        assert -before.amount <= whole
    assert -before.amount == whole


@for_all(
    mils=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8),
    millionths=st.integers(0, 10**8),
)
def test_shares_add_up_to_a_tax_that_is_off_by_half_a_step_at_the_most(mils, millionths):
    amounts, percent = [D(each).scaleb(-3) for each in mils], D(millionths).scaleb(-6)
    found = tax_line(TaxRate("VAT", percent), dict(enumerate(amounts)), D("0.001"))
    assert exact_sum(list(found.shares.values())) == found.amount
    exact = sum(map(Fraction, amounts)) * Fraction(percent) / 100
    assert abs(Fraction(found.amount) - exact) <= Fraction(1, 2000)
    for share, amount in zip(found.shares.values(), amounts, strict=True):
        assert abs(Fraction(share) - Fraction(amount) * Fraction(percent) / 100) < Fraction(1, 1000)


def document(*lines: Line, unit: Unit = EUR, period: Period | None = None) -> Document:
    return Document(
        id=uuid7(),
        contract_id=uuid7(),
        kind="USAGE",
        slot="",
        type="USAGE",
        period=period,
        issued_at=NOVEMBER,
        finalizes_at=NOVEMBER,
        unit=unit,
        lines=lines,
        total=exact_sum([line.total for line in lines if line.counts]),
    )


def line(total: str, product_id: UUID = SERVICE, type: str = "usage", **fields) -> Line:
    return Line(**{"type": type, "name": "x", "total": D(total), "unit": EUR, "product_id": product_id, **fields})


def fixed(*rates: DatedRate, country: str = "DE") -> FixedRates:
    return FixedRates(country, {BOOK: "books"}, rates)


def told(found):
    return [(tax.rate.percent, tax.taxable, tax.amount, dict(tax.shares)) for tax in found]


BOTH = (DatedRate(VAT, "DE", EVER), DatedRate(BOOKS, "DE", EVER))


def test_each_rate_is_rounded_for_itself_and_higher_ones_come_first():
    lines = document(line("0.05", BOOK), line("0.05"), line("0.05", BOOK))
    rates = (DatedRate(TaxRate("VAT", D(20)), "", EVER), DatedRate(TaxRate("VAT", D(10), "books"), "", EVER))
    assert told(taxes(finalized(lines), fixed(*rates))) == [
        (D(20), D("0.05"), D("0.01"), {1: D("0.01")}),
        (D(10), D("0.10"), D("0.01"), {0: D("0.01"), 2: D("0.00")}),
    ]


def test_tax_is_of_what_is_printed():
    lines = document(line("0.333333333333"), line("0.333333333333"), line("0.333333333334"))
    assert told(taxes(finalized(lines), fixed(*BOTH))) == [
        (D(19), D("1.00"), D("0.19"), {0: D("0.06"), 1: D("0.06"), 2: D("0.07")})
    ]


def test_what_a_prepaid_balance_pays_is_not_taxed_again():
    paid = {"commit_id": uuid7(), "commit_type": "PREPAID"}
    lines = document(
        line("80", BOOK, **paid),
        line("-80", SERVICE, "applied_commit_or_credit", **paid),
        line("20", BOOK),
        line("50", type="commit_purchase"),
    )
    assert [(tax.rate, tax.taxable, tax.amount) for tax in taxes(finalized(lines), fixed(*BOTH))] == [
        (VAT, D(50), D("9.50")),
        (BOOKS, D(20), D("1.40")),
    ]


def test_what_counts_toward_a_postpaid_commit_is_taxed_with_its_usage():
    owed = {"commit_id": uuid7(), "commit_type": "POSTPAID"}
    lines = document(line("80", **owed), line("-80", SERVICE, "applied_commit_or_credit", counts=False, **owed))
    assert told(taxes(finalized(lines), fixed(*BOTH))) == [(D(19), D(80), D("15.20"), {0: D("15.20")})]


def test_custom_units_are_taxed_where_they_are_converted():
    lines = document(
        line("12", BOOK, unit=CREDITS, counts=False),
        line("36", None, "cpu_conversion", converted=CREDITS),
    )
    assert told(taxes(finalized(lines), fixed(*BOTH))) == [(D(19), D(36), D("6.84"), {1: D("6.84")})]


def test_without_taxes_there_are_no_tax_lines():
    assert taxes(finalized(document(line("10"))), NoTaxes()) == ()


@pytest.mark.parametrize(
    ("product", "country", "at", "percent"),
    [
        pytest.param(SERVICE, "DE", NOVEMBER - HOUR, 19, id="the last hour of the old rate"),
        pytest.param(SERVICE, "DE", NOVEMBER, 16, id="the first hour of the new one"),
        pytest.param(SERVICE, "FR", NOVEMBER, 0, id="any other country"),
        pytest.param(BOOK, "DE", NOVEMBER, 7, id="a code of its own"),
        pytest.param(None, "DE", OCTOBER, 19, id="no product: the standard rate"),
    ],
)
def test_the_rate_that_holds(product, country, at, percent):
    rates = (
        DatedRate(VAT, "DE", EVER),
        DatedRate(TaxRate("VAT", D(16)), "DE", Period(NOVEMBER, None)),
        DatedRate(BOOKS, "DE", EVER),
        DatedRate(TaxRate("Export", D(0)), "", Period(NOVEMBER, None)),
    )
    found = fixed(*rates, country=country).rate(product, at)
    assert found is not None
    assert found.percent == percent


@pytest.mark.parametrize(
    ("product", "country", "at"),
    [(BOOK, "FR", NOVEMBER), (SERVICE, "FR", NOVEMBER), (SERVICE, "DE", OCTOBER - HOUR), (BOOK, "", NOVEMBER)],
)
def test_no_rate_is_not_a_rate_of_zero(product, country, at):
    rates = (DatedRate(VAT, "DE", Period(OCTOBER, None)), DatedRate(BOOKS, "DE", EVER))
    with pytest.raises(NoTaxRate):
        fixed(*rates, country=country).rate(product, at)


def test_what_corrects_a_document_is_taxed_as_that_was_and_the_rest_as_ever():
    now = fixed(DatedRate(TaxRate("VAT", D(16)), "DE", EVER), DatedRate(BOOKS, "DE", EVER))
    printed = AsPrinted(now, now.codes, {STANDARD: VAT})
    assert [printed.rate(product, NOVEMBER) for product in (SERVICE, None, BOOK)] == [VAT, VAT, BOOKS]


def test_usage_is_taxed_by_the_end_of_its_period_and_the_rest_by_its_date():
    rates = fixed(DatedRate(VAT, "DE", EVER), DatedRate(TaxRate("VAT", D(16)), "DE", Period(NOVEMBER, None)))
    october = document(line("100"), period=Period(OCTOBER, NOVEMBER))
    assert [tax.amount for tax in taxes(finalized(october), rates)] == [D(19)]
    assert [tax.amount for tax in taxes(finalized(document(line("100"))), rates)] == [D(16)]


def test_late_usage_is_taxed_by_the_end_of_the_period_that_it_is_of():
    rates = fixed(DatedRate(VAT, "DE", EVER), DatedRate(TaxRate("VAT", D(16)), "DE", Period(NOVEMBER, None)))
    october = Adjusted(uuid7(), "INV-000001", Period(OCTOBER, NOVEMBER), D(0), D(0))
    lines = document(line("100"), line("-50", adjusts=october), period=Period(NOVEMBER, DECEMBER))
    assert [(tax.rate.percent, tax.amount) for tax in taxes(finalized(lines), rates)] == [(19, D("-9.50")), (16, D(16))]
