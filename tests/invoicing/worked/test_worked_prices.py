"""What October comes to at prices of every shape, from the price list to the printed draft, as tables.

Each table is one shop: a row is a product of its own with its price, what was used of it, and the lines of the draft.
`shop.py` says how prices, usage and lines are written. Amounts are in cents and worked out by hand.
"""

from decimal import ROUND_HALF_UP
from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation.money import exact_sum
from invoicing.services import finalize_invoice
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at
from tests.invoicing.shop import Shop, shown, table

pytestmark = pytest.mark.django_db

GRADUATED = """
row                   | price                                        | used                  | lines
nothing used          | TIERED 10 for 100 (50), 8 (30)               |                       | 0 at 10 = 0
used and given back   | TIERED 10 for 100 (50), 8 (30)               | 40, -40               | 0 at 10 = 0
a unit                | TIERED 10 for 100 (50), 8 (30)               | 1                     | 1 at 10 = 60
the least there is    | TIERED 10 for 100 (50), 8 (30)               | 0.000000000001        | 0.000000000001 at 10 = 50.00000000001
exactly a tier        | TIERED 10 for 100 (50), 8 (30)               | 100                   | 100 at 10 = 1050
a little more         | TIERED 10 for 100 (50), 8 (30)               | 100.5                 | 100 at 10 = 1050; 0.5 at 8 = 34
exactly two           | TIERED 10 for 100, 8 for 400, 5              | 500                   | 100 at 10 = 1000; 400 at 8 = 3200
all three             | TIERED 10 for 100, 8 for 400, 5              | 501                   | 100 at 10 = 1000; 400 at 8 = 3200; 1 at 5 = 5
one tier alone        | TIERED 3                                     | 7                     | 7 at 3 = 21
one tier with a fee   | TIERED 3 (9)                                 | 7                     | 7 at 3 = 30
the free ones         | TIERED 0 for 10, 2                           | 10                    | 10 at 0 = 0
the first to pay      | TIERED 0 for 10, 2                           | 11                    | 10 at 0 = 0; 1 at 2 = 2
free at last          | TIERED 2 for 10, 0                           | 1000                  | 10 at 2 = 20; 990 at 0 = 0
all free              | TIERED 0 for 10, 0                           | 11                    | 10 at 0 = 0; 1 at 0 = 0
fees alone            | TIERED 0 for 10 (100), 0 for 10 (90), 0 (80) | 11                    | 10 at 0 = 100; 1 at 0 = 90
dearer with use       | TIERED 1 for 2, 5 for 2, 25                  | 5                     | 2 at 1 = 2; 2 at 5 = 10; 1 at 25 = 25
a tier of half a unit | TIERED 1 for 0.5, 2                          | 0.5                   | 0.5 at 1 = 0.5
and what follows it   | TIERED 1 for 0.5, 2                          | 0.75                  | 0.5 at 1 = 0.5; 0.25 at 2 = 0.5
in three parts        | TIERED 10 for 100 (50), 8 (30)               | 40, 60 on 11, 1 on 12 | 100 at 10 = 1050; 1 at 8 = 38
"""  # noqa: E501

VOLUME = """
row                      | price                           | used              | lines
nothing used             | VOLUME 10 for 100 (50), 8 (30)  |                   | 0 at 10 = 0
used and given back      | VOLUME 10 for 100 (50), 8 (30)  | 150, -150 on 20   | 0 at 10 = 0
back in the lower tier   | VOLUME 10 for 100 (50), 8 (30)  | 150, -100 on 20   | 50 at 10 = 550
a unit                   | VOLUME 10 for 100 (50), 8 (30)  | 1                 | 1 at 10 = 60
exactly a tier           | VOLUME 10 for 100 (50), 8 (30)  | 100               | 100 at 10 = 1050
a little more            | VOLUME 10 for 100 (50), 8 (30)  | 100.5             | 100.5 at 8 = 834
cheaper in all           | VOLUME 10 for 100, 1            | 101               | 101 at 1 = 101
the last tier            | VOLUME 10 for 100, 8 for 400, 5 | 501               | 501 at 5 = 2505
one tier alone           | VOLUME 3 (9)                    | 7                 | 7 at 3 = 30
none of it free any more | VOLUME 0 for 100, 8             | 101               | 101 at 8 = 808
all of it free           | VOLUME 8 for 100, 0             | 101               | 101 at 0 = 0
a fee alone              | VOLUME 0 for 10 (100), 0 (250)  | 11                | 11 at 0 = 250
on two days              | VOLUME 10 for 100 (50), 8 (30)  | 60 on 5, 60 on 20 | 120 at 8 = 990
"""

PACKAGES = """
row                     | price                           | used                   | lines
nothing used            | PACKAGE 12 per 10               |                        | 0 at 12 = 0
used and given back     | PACKAGE 12 per 10               | 5, -5 on 20            | 0 at 12 = 0
the least there is      | PACKAGE 12 per 10               | 0.000000000001         | 1 at 12 = 12
exactly one             | PACKAGE 12 per 10               | 10                     | 1 at 12 = 12
one begun               | PACKAGE 12 per 10               | 10.01                  | 2 at 12 = 24
on three days           | PACKAGE 12 per 10               | 4 on 5, 4 on 6, 4 on 7 | 2 at 12 = 24
one is given back       | PACKAGE 12 per 10               | 25, -6 on 20           | 2 at 12 = 24
packages of a part      | PACKAGE 12 per 0.25             | 0.3                    | 2 at 12 = 24
packages of one         | PACKAGE 12 per 1                | 2.5                    | 3 at 12 = 36
free packages           | PACKAGE 0 per 10                | 25                     | 3 at 0 = 0
a package of everything | PACKAGE 12 per 1000000000000000 | 999999999999999        | 1 at 12 = 12
"""

FLAT_AND_SIZES = """
row                           | price               | used             | lines
nothing used                  | FLAT 2              |                  | 0 at 2 = 0
free                          | FLAT 0              | 5                | 5 at 0 = 0
a part                        | FLAT 3              | 0.123456789012   | 0.123456789012 at 3 = 0.370370367036
the smallest price            | FLAT 0.000000000001 | 1                | 1 at 0.000000000001 = 0.000000000001
of a very great many          | FLAT 0.000000000001 | 1000000000000000 | 1000000000000000 at 0.000000000001 = 1000
a great price                 | FLAT 1000000        | 1000000000       | 1000000000 at 1000000 = 1000000000000000
part of a part                | FLAT 0.000001       | 0.000001         | 0.000001 at 0.000001 = 0.000000000001
given back in part            | FLAT 2              | 5 on 5, -3 on 20 | 2 at 2 = 4
given back before it was used | FLAT 2              | -3 on 5, 5 on 20 | 2 at 2 = 4
"""

# From the 15th on another price, and nothing else is new: the counter runs on.
CHANGES = """
row                              | price                                                    | used                         | lines
flat                             | FLAT 2 then FLAT 3                                       | 10 on 5, 10 on 20            | 10 at 2 = 20; 10 at 3 = 30
flat, the change unused          | FLAT 2 then FLAT 3                                       | 10 on 5                      | 10 at 2 = 20
flat, not used before            | FLAT 2 then FLAT 3                                       | 10 on 20                     | 10 at 3 = 30
flat, to nothing                 | FLAT 2 then FLAT 0                                       | 10 on 5, 10 on 20            | 10 at 2 = 20; 10 at 0 = 0
on the hour of the change        | FLAT 2 then FLAT 3                                       | 10 on 14, 10 on 15           | 10 at 2 = 20; 10 at 3 = 30
within a tier                    | TIERED 10 for 100, 8 then TIERED 20 for 100, 16          | 60 on 5, 30 on 20            | 60 at 10 = 600; 30 at 20 = 600
at a bound                       | TIERED 10 for 100, 8 then TIERED 20 for 100, 16          | 100 on 5, 5 on 20            | 100 at 10 = 1000; 5 at 16 = 80
over a bound                     | TIERED 10 for 100, 8 then TIERED 20 for 100, 16          | 60 on 5, 60 on 20            | 60 at 10 = 600; 40 at 20 = 800; 20 at 16 = 320
a tier is entered once           | TIERED 10 for 100 (50), 8 then TIERED 10 for 100 (70), 8 | 60 on 5, 40 on 20            | 60 at 10 = 650; 40 at 10 = 400
the next at the new fee          | TIERED 10 for 100, 8 (30) then TIERED 10 for 100, 8 (40) | 60 on 5, 60 on 20            | 100 at 10 = 1000; 20 at 8 = 200
narrower tiers: past their bound | TIERED 10 for 100, 8 then TIERED 10 for 50 (9), 8 (9)    | 60 on 5, 60 on 20            | 60 at 10 = 600; 60 at 8 = 480
wider tiers: within the first    | TIERED 10 for 50, 8 then TIERED 10 for 200, 8            | 60 on 5, 60 on 20            | 50 at 10 = 500; 10 at 8 = 80; 60 at 10 = 600
volume: each at its own          | VOLUME 10 for 100, 8 then VOLUME 20 for 100, 16          | 60 on 5, 60 on 20            | 60 at 8 = 480; 60 at 16 = 960
volume: other bounds             | VOLUME 10 for 100, 8 then VOLUME 20 for 200, 16          | 60 on 5, 60 on 20            | 60 at 8 = 480; 60 at 20 = 1200
volume: one fee, of the first    | VOLUME 10 for 100, 8 (30) then VOLUME 10 for 100, 8 (40) | 60 on 5, 60 on 20            | 60 at 8 = 510; 60 at 8 = 480
packages: the begun one is paid  | PACKAGE 12 per 10 then PACKAGE 20 per 10                 | 25 on 5, 10 on 20            | 3 at 12 = 36; 1 at 20 = 20
packages: of another size        | PACKAGE 12 per 50 then PACKAGE 12 per 30                 | 60 on 5, 60 on 20            | 2 at 12 = 24; 2 at 12 = 24
flat to tiers                    | FLAT 2 then TIERED 10 for 100, 8                         | 60 on 5, 60 on 20            | 60 at 2 = 120; 40 at 10 = 400; 20 at 8 = 160
tiers to flat                    | TIERED 10 for 100, 8 then FLAT 2                         | 120 on 5, 60 on 20           | 100 at 10 = 1000; 20 at 8 = 160; 60 at 2 = 120
flat to packages                 | FLAT 2 then PACKAGE 12 per 50                            | 60 on 5, 60 on 20            | 60 at 2 = 120; 1 at 12 = 12
packages to flat                 | PACKAGE 12 per 50 then FLAT 2                            | 60 on 5, 60 on 20            | 2 at 12 = 24; 60 at 2 = 120
tiers to volume                  | TIERED 10 for 100, 8 then VOLUME 10 for 100, 8 (30)      | 60 on 5, 60 on 20            | 60 at 10 = 600; 60 at 8 = 480
volume to tiers                  | VOLUME 10 for 100, 8 (30) then TIERED 10 for 100, 8      | 60 on 5, 60 on 20            | 60 at 8 = 510; 40 at 10 = 400; 20 at 8 = 160
volume to packages               | VOLUME 10 for 100, 8 then PACKAGE 12 per 100             | 60 on 5, 60 on 20            | 60 at 8 = 480; 1 at 12 = 12
what is given back is the last   | FLAT 2 then FLAT 3                                       | 10 on 5, 10 on 20, -4 on 25  | 10 at 2 = 20; 6 at 3 = 18
and then of what came before     | FLAT 2 then FLAT 3                                       | 10 on 5, -4 on 20            | 6 at 2 = 12
a package given back and renewed | PACKAGE 12 per 10 then PACKAGE 20 per 10                 | 25 on 5, -10 on 16, 10 on 20 | 2 at 12 = 24; 1 at 20 = 20
"""  # noqa: E501

SOLD = """
row                        | sold            | price               | used                          | lines
tens                       | / 10            | FLAT 5              | 25                            | 2.5 at 5 = 12.5
times three                | * 3             | FLAT 5              | 25                            | 75 at 5 = 375
thirds                     | / 3             | FLAT 6              | 1                             | 0.333333333333 at 6 = 2
thirds in parts            | / 3             | FLAT 6              | 1 on 5, 1 on 6, 1 on 20       | 1 at 6 = 6
thirds in tiers            | / 3             | TIERED 10 for 1, 1  | 10                            | 1 at 10 = 10; 2.333333333333 at 1 = 2.333333333333
sevenths to the cent       | / 7             | FLAT 0.7            | 100                           | 14.285714285714 at 0.7 = 10
tiers count what is sold   | / 10            | TIERED 10 for 10, 8 | 101                           | 10 at 10 = 100; 0.1 at 8 = 0.8
packages too               | / 10            | PACKAGE 12 per 2    | 21                            | 2 at 12 = 24
by hundredths              | / 0.01          | FLAT 1              | 0.5                           | 50 at 1 = 50
up                         | up to 0         | FLAT 10             | 2.1                           | 3 at 10 = 30
up: whole already          | up to 0         | FLAT 10             | 2                             | 2 at 10 = 20
up: nothing                | up to 0         | FLAT 10             |                               | 0 at 10 = 0
up: once for the period    | up to 0         | FLAT 10             | 0.4 on 5, 0.4 on 6, 0.4 on 20 | 2 at 10 = 20
down                       | down to 0       | FLAT 10             | 2.9                           | 2 at 10 = 20
down: once for the period  | down to 0       | FLAT 10             | 0.4 on 5, 0.4 on 6, 0.4 on 20 | 1 at 10 = 10
down: to nothing           | down to 0       | FLAT 10             | 0.9                           | 0 at 10 = 0
half up: a half            | half to 0       | FLAT 10             | 2.5                           | 3 at 10 = 30
half up: less              | half to 0       | FLAT 10             | 2.499999999999                | 2 at 10 = 20
half up: two decimals      | half to 2       | FLAT 100            | 0.125                         | 0.13 at 100 = 13
up in the last decimal     | / 3, up to 12   | FLAT 3              | 1                             | 0.333333333334 at 3 = 1.000000000002
converted first            | / 1000, up to 0 | FLAT 10             | 1001                          | 2 at 10 = 20
not rounded first          | * 1000, up to 0 | FLAT 10             | 0.0004                        | 1 at 10 = 10
rounded over a bound       | up to 0         | TIERED 10 for 2, 1  | 2.1                           | 2 at 10 = 20; 1 at 1 = 1
rounded back to a bound    | down to 0       | TIERED 10 for 2, 1  | 2.9                           | 2 at 10 = 20
rounded into a package     | half to 0       | PACKAGE 12 per 2    | 2.5                           | 2 at 12 = 24
rounded to a volume        | half to 0       | VOLUME 10 for 2, 1  | 2.5                           | 3 at 1 = 3
a step is paid where it is | up to 0         | FLAT 1 then FLAT 10 | 0.4 on 5, 0.4 on 20           | 1 at 1 = 1
a half is paid where it is | half to 0       | FLAT 1 then FLAT 10 | 0.4 on 5, 0.4 on 20           | 1 at 10 = 10
given back in whole steps  | up to 0         | FLAT 1              | 2.5 on 5, -1 on 20            | 2 at 1 = 2
"""  # noqa: E501

MEASURED = """
row                           | aggregation  | price              | used                             | lines
counted                       | COUNT        | TIERED 3 for 2, 1  | 3                                | 2 at 3 = 6; 1 at 1 = 1
the peak                      | MAX          | FLAT 3             | 10 on 5, 7 on 10, 12 on 20       | 12 at 3 = 36
a peak at two prices          | MAX          | FLAT 3 then FLAT 5 | 10 on 5, 7 on 16, 12 on 20       | 10 at 3 = 30; 2 at 5 = 10
a peak in tiers               | MAX          | TIERED 3 for 10, 1 | 8 on 5, 12 on 20                 | 10 at 3 = 30; 2 at 1 = 2
a peak by volume              | MAX          | VOLUME 3 for 10, 1 | 8 on 5, 12 on 20                 | 12 at 1 = 12
the last one                  | LATEST       | FLAT 3             | 10 on 5, 7 on 20                 | 7 at 3 = 21
the last, whole, at its price | LATEST       | FLAT 3 then FLAT 5 | 10 on 5, 7 on 20                 | 7 at 5 = 35
the last one is nothing       | LATEST       | PACKAGE 3 per 10   | 5 on 5, 0 on 20                  | 0 at 3 = 0
each once                     | UNIQUE       | FLAT 3             | 1 on 5, 2 on 6, 1 on 20          | 2 at 3 = 6
each where it came first      | UNIQUE       | FLAT 3 then FLAT 5 | 1 on 5, 2 on 6, 2 on 20, 3 on 21 | 2 at 3 = 6; 1 at 5 = 5
each once, in packages        | UNIQUE       | PACKAGE 12 per 2   | 1 on 5, 2 on 6, 1 on 20, 3 on 21 | 2 at 12 = 24
a level, by the hour          | WEIGHTED_SUM | FLAT 3             | 10 on 30                         | 420 at 3 = 1260
a level at two prices         | WEIGHTED_SUM | FLAT 3 then FLAT 5 | 1 on 14, -1 on 16                | 19 at 3 = 57; 29 at 5 = 145
a level that goes down        | WEIGHTED_SUM | TIERED 3 for 24, 1 | 2 on 5, -1 on 6, -1 on 7         | 24 at 3 = 72; 48 at 1 = 48
"""  # noqa: E501


def sold(text: str) -> dict[str, object]:
    """`/ 10`, `* 3`, `up to 0`: what a product converts and rounds."""
    definition: dict[str, object] = {}
    methods = {"up": "ROUND_UP", "down": "ROUND_DOWN", "half": "ROUND_HALF_UP"}
    for part in text.split(", "):
        word, *_, number = part.split(" ")
        if word in methods:
            definition["quantity_rounding"] = {"decimal_places": int(number), "rounding_method": methods[word]}
        else:
            operation = "DIVIDE" if word == "/" else "MULTIPLY"
            definition["quantity_conversion"] = {"conversion_factor": float(number), "operation": operation}
    return definition


def opened(client, rows) -> Shop:
    """A shop that sells a product for each (name, definition, price, used)."""
    shop = Shop(client)
    rates = []
    for name, definition, price, used in rows:
        shop.product(name, **definition)
        rates += shop.price(name, price)
        shop.uses(name, used)
    shop.prices(*rates)
    shop.contract()
    return shop


def days_add_up(shop: Shop) -> bool:
    """Whether what the days come to is what the month comes to, product by product."""
    days = shop.v1.customers.invoices.list_breakdowns(
        customer_id=str(shop.customer.pk), starting_on=OCTOBER, ending_before=NOVEMBER, window_size="DAY", limit=100
    ).data
    by_day: dict[str, D] = {}
    for line in (line for day in days for line in day.line_items):
        by_day[line.name] = by_day.get(line.name, D(0)) + D(str(line.total))
    month: dict[str, D] = {}
    for line in shop.invoice().line_items:
        month[line.name] = month.get(line.name, D(0)) + D(str(line.total))
    return all(
        abs(by_day.get(name, D(0)) - total) <= abs(total) * D("1e-9") + D("1e-9") for name, total in month.items()
    )


def final_adds_up(shop: Shop) -> bool:
    """Whether the printed document is the draft, rounded once, and its lines add up to what it says."""
    draft = shop.invoice()
    finalize_invoice(shop.customer.pk, UUID(draft.id), at=at("2025-11-03"), by=ADA)
    final = shop.invoice("FINALIZED")
    total = exact_sum([D(str(line.total)) for line in draft.line_items])
    printed = exact_sum([D(str(line.total)) for line in final.line_items])
    quantities = [[(line.name, line.quantity, line.unit_price) for line in of.line_items] for of in (draft, final)]
    return quantities[0] == quantities[1] and printed == D(str(final.total)) == total.quantize(D(1), ROUND_HALF_UP)


@pytest.mark.parametrize(
    "text",
    [GRADUATED, VOLUME, PACKAGES, FLAT_AND_SIZES, CHANGES],
    ids=["graduated", "volume", "packages", "flat", "changes"],
)
def test_prices(client, text):
    rows = table(text)
    shop = opened(client, [(name, {}, price, used) for name, price, used, _ in rows])
    assert shop.lines() == {name: lines for name, _, _, lines in rows}
    assert days_add_up(shop)
    assert final_adds_up(shop)


def test_what_is_sold_of_what_is_measured(client):
    rows = table(SOLD)
    shop = opened(client, [(name, sold(of), price, used) for name, of, price, used, _ in rows])
    assert shop.lines() == {name: lines for name, *_, lines in rows}
    assert days_add_up(shop)
    assert final_adds_up(shop)


def test_measures_of_every_kind(client):
    rows = table(MEASURED)
    shop = opened(client, [(name, {"aggregation": kind}, price, used) for name, kind, price, used, _ in rows])
    assert shop.lines() == {name: lines for name, *_, lines in rows}
    assert days_add_up(shop)


def in_currency(client, currency, *prices) -> Shop:
    """A shop that sells a product at each price, and has sold one of each."""
    shop = Shop(client, currency)
    for name, price in zip("ABC", prices, strict=False):
        shop.product(name)
        shop.prices(*shop.price(name, f"FLAT {price}"))
        shop.uses(name, "1")
    shop.contract()
    return shop


@pytest.mark.parametrize(
    ("currency", "prices", "draft", "printed"),
    [
        pytest.param("USD", ["0.5"], "0.5", ["1"], id="cents: half a cent"),
        pytest.param("USD", ["0.499999999999"], "0.499999999999", ["0"], id="cents: less than half"),
        pytest.param("EUR", ["0.005"], "0.005", ["0.01"], id="whole euros: half a cent"),
        pytest.param("JPY", ["1.5"], "1.5", ["2"], id="yen have no decimals"),
        pytest.param("JPY", ["0.5", "0.5", "0.5"], "1.5", ["1", "1", "0"], id="yen: three halves print two"),
        pytest.param("JPY", ["0.6", "0.7", "0.1"], "1.4", ["0", "1", "0"], id="yen: the largest part rounds up"),
        pytest.param("KWD", ["0.0015"], "0.0015", ["0.002"], id="dinars have three"),
        pytest.param("KWD", ["0.0004", "0.0004", "0.0004"], "0.0012", ["0.001", "0", "0"], id="dinars: one for three"),
    ],
)
def test_a_document_is_rounded_once_to_what_can_be_paid(client, currency, prices, draft, printed):
    shop = in_currency(client, currency, *prices)
    assert shown(shop.invoice().total) == draft
    finalize_invoice(shop.customer.pk, UUID(shop.invoice().id), at=at("2025-11-03"), by=ADA)
    final = shop.invoice("FINALIZED")
    assert [shown(line.total) for line in final.line_items] == printed
    assert D(str(final.total)) == exact_sum([D(each) for each in printed])
