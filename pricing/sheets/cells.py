"""The columns of a sheet of prices, and how its cells are written.

    column               what it says                                         where it is empty
    product_id, product  the product; one of the two is needed                the other one says it
    a dimension          the value that the price is for                      not allowed: see below
    price                in the major unit (dollars) or a fraction, exact     for a price in tiers: left as it is
    unit                 USD, or a custom unit's name                         the product's
    rate_type            FLAT, or PERCENTAGE of a COMPOSITE product           FLAT, PERCENTAGE
    entitled             yes or no                                            as it is; yes for a new price
    billing_frequency    of subscriptions: MONTHLY …                          none
    starting_at          from when on: 2025-12-01 or 2025-12-01T06:00Z        what is asked for beside the sheet

A dimension that is called like one of these columns has the column "values.price", say.

Spreadsheets take a cell for a formula that begins with one of = + - @, and the values of dimensions come from whoever
sends events. So a text that could be taken for one is written with an apostrophe before it, and one after each
separator in it, because a spreadsheet that expects other separators splits there. Reading takes away what writing has
added:

    value      cell
    xl         xl
    =1+1       '=1+1
    a;=1+1     'a;'=1+1
    'quoted    ''quoted
    (empty)    '
"""

import re

PRODUCT_ID, PRODUCT, PRICE, UNIT = "product_id", "product", "price", "unit"
RATE_TYPE, ENTITLED, FREQUENCY, START = "rate_type", "entitled", "billing_frequency", "starting_at"
COLUMNS = (PRODUCT_ID, PRODUCT, PRICE, UNIT, RATE_TYPE, ENTITLED, FREQUENCY, START)
DIMENSION = "values."

# What begins a formula, at the beginning or after a separator; spaces and quotes between do not stop every reader.
_FORMULA = re.compile(r"""(^|[;,\t\r\n])["'\s]*[=+\-@＝＋－＠]""")
_SEPARATOR = re.compile(r"([;,\t\r\n])")
_GUARDED_SEPARATOR = re.compile(r"([;,\t\r\n])'")


def guarded(text: str) -> str:
    """A text as a cell that no spreadsheet computes."""
    is_plain = text and text == text.strip() and not text.startswith("'") and not _FORMULA.search(text)
    if is_plain:
        return text
    return "'" + _SEPARATOR.sub(r"\1'", text)


def unguarded(cell: str) -> str:
    """The text that a cell was written for. Spaces around what has no apostrophe before it say nothing."""
    return _GUARDED_SEPARATOR.sub(r"\1", cell[1:]) if cell.startswith("'") else cell.strip()


def column_of(dimension: str) -> str:
    is_taken = dimension in COLUMNS or dimension.startswith(DIMENSION)
    return guarded(f"{DIMENSION}{dimension}" if is_taken else dimension)


def dimension_of(column: str) -> str | None:
    """The dimension that a column is for; None for the others."""
    name = unguarded(column)
    return None if name in COLUMNS else name.removeprefix(DIMENSION)
