"""Sheets of prices: cells that no spreadsheet computes, errors by line and column, and the way out and back in."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.refusals import Refusal
from pricing import queries
from pricing.engine.tariffs import Tariff, flat
from pricing.models import Rate
from pricing.services import Outcome, plan_sheet, publish_prices
from pricing.sheets import price_sheet, text_of
from pricing.sheets.cells import guarded, unguarded
from pricing.sheets.reading import MOST_BYTES, MOST_ROWS, read_table
from tests.factories.pricing import (
    CompositeRateFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
    SubscriptionRateFactory,
)

NOW, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("xl", "xl"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        (' "=1', "' \"=1"),
        ("a;=1+1", "'a;'=1+1"),
        ('a,"=cmd|x', "'a,'\"=cmd|x"),
        ("＝1", "'＝1"),
        ("'quoted", "''quoted"),
        ("", "'"),
        (" spaced ", "' spaced "),
        ("a-b", "a-b"),
        ("gpt-4;eu", "gpt-4;eu"),
    ],
)
def test_a_text_that_could_be_a_formula_has_an_apostrophe_before_it(value, cell):
    assert guarded(value) == cell
    assert unguarded(cell) == value


@given(text=st.text(alphabet=st.sampled_from("a'=+-@;,\t \"\r\n＝"), max_size=12) | st.text(max_size=20))
def test_every_text_comes_back_and_no_separator_has_a_formula_after_it(text):
    cell = guarded(text)
    assert unguarded(cell) == text
    for separator in ";,\t\n\r":
        for part in cell.split(separator):
            assert not part.lstrip('" \t\r\n').startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    ("sent", "value", "rule"),
    [
        pytest.param(b"", "nothing", "must have a header and rows", id="empty"),
        pytest.param(b"\xef\xbb\xbf \r\n", "nothing", "must have a header and rows", id="a mark alone"),
        pytest.param("price".encode("utf-16"), "UTF-16", "must be in UTF-8: save it as “CSV UTF-8”", id="UTF-16"),
        pytest.param(
            "product,price\r\nCafé,1".encode("cp1252"),
            "byte 0xE9 in line 2",
            "must be in UTF-8: save it as “CSV UTF-8”",
            id="a code page",
        ),
        pytest.param(
            b"PK\x03\x04", "a workbook", "must be text, separated by commas: save it as “CSV UTF-8”", id="a workbook"
        ),
        pytest.param(
            b"x" * (MOST_BYTES + 1),
            "1,500,001 bytes",
            "must not be larger than 1,500,000 bytes: send it in parts",
            id="too large",
        ),
    ],
)
def test_what_is_no_text_is_refused(sent, value, rule):
    with pytest.raises(Refusal) as refused:
        text_of(sent)
    [error] = refused.value.errors
    assert (error.value, error.rule) == (value, rule)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_sheet_is_read_with_the_separators_of_its_header(separator, end):
    lines = [["product", "model", "price"], ["Tokens", '"x,;\tl"', "0.25"], ["", "", ""], ["Tokens", "s", "1"]]
    table = read_table(text_of(("\ufeff" + end.join(separator.join(line) for line in lines)).encode()))
    assert table.columns == ("product", "model", "price")
    assert [(row.line, row.cell("model"), row.cell("price")) for row in table.rows] == [
        (2, "x,;\tl", "0.25"),
        (4, "s", "1"),
    ]


def test_the_line_of_a_row_is_where_it_begins():
    table = read_table('product,price,model\nTokens,1,"a\nb"\nTokens,2,c\n')
    assert [row.line for row in table.rows] == [2, 4]


@pytest.mark.parametrize(
    ("header", "column", "rule"),
    [
        ("product,model", "price", "must be among the columns"),
        ("model,price", "product", "must be among the columns, or product_id"),
        ("product,price,price", "price", "must be there only once"),
        ("product,price,", "column 3", "must have a name"),
        ("product,price,Price", "Price", "must be written price; as a dimension, values.Price"),
    ],
)
def test_a_wrong_header_is_said_by_column(header, column, rule):
    table = read_table(f"{header}\n1,2,3\n")
    assert [(error.line, error.column, error.rule) for error in table.errors] == [(1, column, rule)]
    assert table.rows == ()


def test_rows_of_another_width_and_open_quotes_are_named():
    table = read_table("product,price\nTokens,1,2\nTokens\nTokens,3\n")
    assert [(error.line, error.value) for error in table.errors] == [(2, "3 cells"), (3, "1 cells")]
    with pytest.raises(Refusal, match="line 3"):
        read_table('product,price\nTokens,1\n"Tokens,3')


def test_too_many_rows_are_refused():
    with pytest.raises(Refusal, match="must not have more than 10,000 rows"):
        read_table("product,price\n" + "Tokens,1\n" * (MOST_ROWS + 1))


@pytest.fixture
def card(db):
    return RateCardFactory()


@pytest.fixture
def tokens(db):
    return ProductFactory(name="Tokens", version__pricing_group_key=["model", "region"])


def priced(card, product, price, /, **values):
    return RateFactory(rate_card=card, product=product, pricing_group_values=values, price=D(price))


def plan(card, text):
    return plan_sheet(card, text, starting_at=NOVEMBER)


def exported(card, at=NOW):
    return price_sheet(queries.rates_in_force(card, list(queries.keys_priced_at(card, [], at=at)), at=at))


def table_of(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_sheet_says_what_is_new_what_changes_and_what_does_not(card, tokens, told):
    priced(card, tokens, "25", model="xl", region="eu")
    priced(card, tokens, "50", model="xl", region="us")
    found = plan(
        card,
        "product,model,region,price,entitled\nTokens,xl,eu,0.25,\nTokens,xl,us,0.60,yes\nTokens,nano,eu,0.0025,no\n",
    )
    assert found.errors == ()
    assert [(row.line, row.product_name, row.planned.outcome) for row in found.rows] == [
        (2, "Tokens", Outcome.SAME),
        (3, "Tokens", Outcome.CHANGED),
        (4, "Tokens", Outcome.NEW),
    ]
    planned = [row.planned for row in found.rows]
    assert planned[1].before.tariff == flat(D(50))
    rates = publish_prices(card, planned, known_publication=queries.latest_publication(), **told)
    assert [(rate.pricing_group_values, rate.price, rate.entitled, rate.starting_at) for rate in rates] == [
        ({"model": "xl", "region": "us"}, D(60), True, NOVEMBER),
        ({"model": "nano", "region": "eu"}, D("0.25"), False, NOVEMBER),
    ]


@pytest.mark.parametrize(
    ("changes", "column", "rule"),
    [
        ({"price": ""}, "price", "is required; 0 is free"),
        ({"price": "NaN"}, "price", "must be a number such as 30 or 0.0025"),
        ({"price": "Infinity"}, "price", "must be a number such as 30 or 0.0025"),
        ({"price": "$0.25"}, "price", "must be a number such as 30 or 0.0025"),
        ({"price": "٣"}, "price", "must be a number such as 30 or 0.0025"),
        ({"price": "-0.25"}, "price", "must not be negative"),
        (
            {"price": '"0,25"'},
            "price",
            "must be written with a point, and with nothing between thousands: 1234.5",
        ),
        ({"price": "0.000000000000001"}, "price", "must not have more than 12 decimals"),
        ({"price": "1e30"}, "price", "must not have more than 16 digits before the point"),
        ({"product": "Nothing"}, "product", "there is no such product"),
        ({"product": ""}, "product", "is required, or product_id"),
        ({"product_id": "7"}, "product_id", "there is no such product"),
        ({"model": ""}, "model", "is required for Tokens; an empty value is written '"),
        ({"model": "x" * 257}, "model", "must not be longer than 256 bytes"),
        ({"entitled": "perhaps"}, "entitled", "must be yes or no, or empty for what it is"),
        ({"unit": "dollars"}, "unit", "must be a currency's code or the name of a custom pricing unit"),
        ({"unit": "EUR"}, "unit", "the currency of this rate card is USD (cents), not EUR"),
        ({"rate_type": "GUESS"}, "rate_type", "must be one of "),
        ({"rate_type": "PERCENTAGE"}, "price", "must be a fraction from 0 to 1: 0.1 is ten percent"),
        (
            {"rate_type": "TIERED"},
            "price",
            "must be empty: a price of the type TIERED is more than one number, and changed on its page",
        ),
        ({"billing_frequency": "MONTHLY"}, "billing_frequency", "is for SUBSCRIPTION products only"),
        ({"starting_at": "soon"}, "starting_at", "must be an instant such as 2025-12-01 or 2025-12-01T06:00Z"),
        ({"starting_at": "2025-12-01T06:30Z"}, "starting_at", "must be on the hour (UTC)"),
    ],
)
def test_what_is_wrong_is_said_by_line_and_column(card, tokens, changes, column, rule):
    cells = {"product": "Tokens", "model": "xl", "region": "eu", "price": "25"} | changes
    found = plan(card, f"{','.join(cells)}\n{','.join(cells.values())}\n")
    error = next(error for error in found.errors if error.column == column)
    assert (error.line, error.rule[: len(rule)]) == (2, rule)


def test_columns_that_are_missing_and_columns_too_many_are_named(card, tokens):
    ProductFactory(name="Calls")
    found = plan(card, "product,model,colour,price\nTokens,xl,red,1\nCalls,xl,,1\n")
    assert [(error.line, error.column, error.rule) for error in found.errors] == [
        (1, "colour", "is neither a column of a sheet of prices nor a dimension of its products (model, region)"),
        (2, "region", "must be a column: Tokens is priced by model, region"),
        (3, "model", "must be empty: it is no dimension of Calls"),
    ]


def test_the_same_price_twice_is_refused_unless_it_begins_at_another_time(card, tokens):
    rows = "Tokens,xl,eu,1,\nTokens,xl,eu,2,\nTokens,xl,eu,2,2025-12-01\n"
    found = plan(card, f"product,model,region,price,starting_at\n{rows}")
    assert [(error.line, error.column, error.rule) for error in found.errors] == [
        (3, "price", "is a price of the same product and values from the same instant as line 2")
    ]
    assert [(row.line, row.planned.outcome, row.planned.wanted.starting_at) for row in found.rows] == [
        (2, Outcome.NEW, NOVEMBER),
        (4, Outcome.CHANGED, DECEMBER),
    ]


def test_a_name_that_two_products_have_needs_an_id(card):
    one, _ = ProductFactory(name="Calls"), ProductFactory(name="Calls")
    found = plan(card, f"product,product_id,price\nCalls,,1\nCalls,{one.pk},1\nOther,{one.pk},1\n")
    assert [(error.line, error.rule) for error in found.errors] == [
        (2, "names 2 products: give its product_id"),
        (4, "is not what the product of this product_id is called: Calls"),
    ]
    assert [row.line for row in found.rows] == [3]


def test_a_sheet_that_was_taken_out_changes_nothing_when_it_comes_back(card, tokens):
    hostile = ["=cmd|' /C calc'!A1", "a;=1+1", "+1", "-1", "@x", "'", "", " xl ", 'say "hi"', "a\nb", "ü,ö", "a'b"]
    for number, value in enumerate(hostile):
        priced(card, tokens, D("0.000000000001") * (number + 1), model=value, region="eu")
    credits = PricingUnitFactory(name="=Credits")
    RateCardConversionFactory(rate_card=card, unit=credits)
    RateFactory(rate_card=card, product=ProductFactory(name="+Calls"), unit=credits, price=D("12345.678"))
    RateFactory(rate_card=card, product=ProductFactory(name="Not sold"), entitled=False, price=D(0))
    odd = ProductFactory(name="Odd", version__pricing_group_key=["price", "values.x", "=k"])
    priced(card, odd, "7", **{"price": "1", "values.x": "2", "=k": "3"})
    CompositeRateFactory(rate_card=card)
    SubscriptionRateFactory(rate_card=card, billing_frequency="ANNUAL")
    tiered = ProductFactory(name="Tiers")
    RateFactory(rate_card=card, product=tiered, rate_type="TIERED", price=None, tiers=[{"price": "1"}])
    sheet = exported(card)
    for row in table_of(sheet):
        assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]
    found = plan(card, text_of(sheet.encode()))
    assert found.errors == ()
    assert [row.planned.outcome for row in found.rows] == [Outcome.SAME] * (len(hostile) + 5)
    assert found.left_alone == 1


def test_an_edited_cell_is_the_only_change(card, tokens, told):
    for model in ("s", "xl"):
        for region in ("eu", "us"):
            priced(card, tokens, "25", model=model, region=region)
    rows = table_of(exported(card))
    price = rows[0].index("price")
    assert [row[price] for row in rows] == ["price", "0.25", "0.25", "0.25", "0.25"]
    rows[2][price] = "0.30"
    found = plan(card, "\n".join(",".join(row) for row in rows))
    planned = [row.planned for row in found.rows]
    [rate] = publish_prices(card, planned, known_publication=queries.latest_publication(), **told)
    assert rate.price == 30
    again = table_of(exported(card, at=NOVEMBER))
    assert sorted(row[price] for row in again[1:]) == ["0.25", "0.25", "0.25", "0.3"]


def test_prices_that_are_more_than_one_number_are_left_alone(card):
    tiered = ProductFactory(name="Tiers")
    RateFactory(rate_card=card, product=tiered, rate_type="TIERED", price=None, tiers=[{"price": "1"}])
    found = plan(card, "product,price,rate_type\nTiers,,TIERED\n")
    assert (found.rows, found.left_alone, found.errors) == ((), 1, ())
    [row] = plan(card, "product,price,rate_type\nTiers,2,FLAT\n").rows
    assert (row.planned.outcome, row.planned.before.tariff.type) == (Outcome.CHANGED, "TIERED")


def test_a_percentage_is_a_fraction_and_needs_no_type(card):
    CompositeRateFactory(rate_card=card)
    [row] = plan(card, "product,price\nSupport,0.2\n").rows
    assert (row.planned.outcome, row.planned.after.tariff) == (Outcome.CHANGED, Tariff("PERCENTAGE", D("0.2")))


def test_a_price_in_a_custom_unit_is_in_itself(card):
    credits = PricingUnitFactory(name="Credits")
    RateCardConversionFactory(rate_card=card, unit=credits)
    calls = ProductFactory(name="Calls")
    [row] = plan(card, "product,price,unit\nCalls,3,Credits\n").rows
    assert (row.planned.after.tariff, row.planned.after.unit) == (flat(D(3)), credits)
    RateFactory(rate_card=card, product=calls, unit=credits, price=D(2))
    [row] = plan(card, "product,price\nCalls,3\n").rows
    assert (row.planned.after.tariff, row.planned.after.unit) == (flat(D(3)), credits)
    [error] = plan(card, "product,price,unit\nCalls,3,USD\n").errors
    assert (error.column, error.rule) == ("unit", "Calls is priced in Credits on this rate card, which cannot change")


def test_a_spreadsheet_may_write_small_numbers_with_an_exponent(card, tokens):
    [row] = plan(card, "product,model,region,price\nTokens,xl,eu,2.5E-07\n").rows
    assert row.planned.wanted.price == D("0.000025")


@pytest.mark.parametrize("count", [3, 400])
def test_a_sheet_costs_the_same_queries_however_long_it_is(card, tokens, count):
    for number in range(0, count, 2):
        priced(card, tokens, "25", model=str(number), region="eu")
    text = "product,model,region,price\n" + "".join(f"Tokens,{number},eu,0.30\n" for number in range(count))
    with CaptureQueriesContext(connection) as made:
        found = plan(card, text)
    assert (len(found.rows), found.errors) == (count, ())
    assert len(made) == 10
    assert Rate.objects.count() == (count + 1) // 2
