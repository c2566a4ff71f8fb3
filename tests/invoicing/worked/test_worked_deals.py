"""What October comes to where a price is overridden, is for the balance that pays, or is a share.

As in `test_worked_prices.py`: set up through the API, read off the printed draft, worked out by hand, in cents.
"""

import pytest

from tests.invoicing.conftest import OCTOBER, at
from tests.invoicing.shop import MIDDLE, Shop, shown, table, tariff

pytestmark = pytest.mark.django_db

# What a contract says otherwise from the 15th on: 60 are used on the 5th, and 60 on the 20th.
OVERRIDES = """
row                      | list                           | override                | lines
half                     | TIERED 10 for 100 (50), 8 (30) | times 0.5               | 60 at 10 = 650; 40 at 5 = 200; 20 at 4 = 95
half the volume          | VOLUME 10 for 100 (50), 8 (30) | times 0.5               | 60 at 8 = 510; 60 at 4 = 240
half the packages        | PACKAGE 12 per 50              | times 0.5               | 2 at 12 = 24; 1 at 6 = 6
free                     | PACKAGE 12 per 50              | times 0                 | 2 at 12 = 24; 1 at 0 = 0
dearer                   | FLAT 2                         | times 1.5               | 60 at 2 = 120; 60 at 3 = 180
a third                  | FLAT 3                         | times 0.333333333333    | 60 at 3 = 180; 60 at 0.999999999999 = 59.99999999994
a flat price             | TIERED 10 for 100 (50), 8 (30) | FLAT 1                  | 60 at 10 = 650; 60 at 1 = 60
tiers of its own         | FLAT 2                         | TIERED 1 for 70, 100    | 60 at 2 = 120; 10 at 1 = 10; 50 at 100 = 5000
tiers with other bounds  | TIERED 10 for 100, 8           | TIERED 5 for 80, 4 (20) | 60 at 10 = 600; 20 at 5 = 100; 40 at 4 = 180
a volume of its own      | FLAT 2                         | VOLUME 3 for 100, 1     | 60 at 2 = 120; 60 at 1 = 60
packages of its own      | FLAT 2                         | PACKAGE 12 per 50       | 60 at 2 = 120; 1 at 12 = 12
flat instead of a volume | VOLUME 10 for 100, 8           | FLAT 1                  | 60 at 8 = 480; 60 at 1 = 60
"""  # noqa: E501


def test_overrides_from_the_middle_of_the_month_on(shop):
    rows, overrides = table(OVERRIDES), []
    for name, price, override, _ in rows:
        product = shop.product(name)
        shop.prices(*shop.price(name, price))
        shop.uses(name, "60 on 5, 60 on 20")
        word, _, multiplier = override.partition(" ")
        what = (
            {"type": "MULTIPLIER", "multiplier": float(multiplier)}
            if word == "times"
            else {"type": "OVERWRITE", "overwrite_rate": tariff(override)}
        )
        overrides.append({"starting_at": at(MIDDLE), "override_specifiers": [{"product_id": product}], **what})
    shop.contract(overrides=overrides)
    assert shop.lines() == {name: lines for name, _, _, lines in rows}


# A prepaid balance of each product's own that pays at the commit rate; what it pays is marked.
COMMIT_RATES = """
row                          | list                     | commit rate         | balance | used               | lines
until it is spent            | FLAT 10                  | FLAT 8              | 80      | 16                 | 10 at 8 = 80 paid; 6 at 10 = 60
all of it                    | FLAT 10                  | FLAT 8              | 1000    | 16                 | 16 at 8 = 128 paid
free is not paid for         | FLAT 10                  | FLAT 0              | 80      | 16                 | 16 at 10 = 160
dearer than the list         | FLAT 8                   | FLAT 10             | 80      | 16                 | 8 at 10 = 80 paid; 8 at 8 = 64
a third of a unit            | FLAT 7                   | FLAT 3              | 1       | 1                  | 0.333333333333 at 3 = 1 paid; 0.666666666667 at 7 = 4.666666666667
one count of tiers for both  | TIERED 10 for 100, 8     | TIERED 5 for 100, 4 | 540     | 120, 30 on 20      | 100 at 5 = 500 paid; 10 at 4 = 40 paid; 40 at 8 = 320
a tier entered while it pays | TIERED 10 for 10 (50), 8 | FLAT 5              | 30      | 16                 | 6 at 5 = 30 paid; 4 at 10 = 40; 6 at 8 = 48
the volume of the period     | VOLUME 10 for 100, 8     | VOLUME 5 for 100, 4 | 200     | 60, 60 on 20       | 50 at 4 = 200 paid; 70 at 8 = 560
a part of a package          | PACKAGE 12 per 10        | PACKAGE 10 per 10   | 4       | 10                 | 0.4 at 10 = 4 paid; 0.6 at 12 = 7.2
beside a change of the list  | FLAT 10 then FLAT 20     | FLAT 8              | 100     | 10 on 5, 10 on 20  | 10 at 8 = 80 paid; 2.5 at 8 = 20 paid; 7.5 at 20 = 150
given back: the last first   | FLAT 10                  | FLAT 8              | 80      | 16 on 5, -10 on 20 | 6 at 8 = 48 paid
"""  # noqa: E501


def test_commit_rates_while_a_balance_pays(shop):
    rows, commits = table(COMMIT_RATES), []
    commitment = shop.product("Commitment", type="FIXED")
    for name, price, commit_rate, balance, used, _ in rows:
        product = shop.product(name)
        shop.prices(*shop.price(name, price, commit_rate=tariff(commit_rate)))
        shop.uses(name, used)
        segment = {"amount": float(balance), "starting_at": OCTOBER, "ending_before": at("2026-10-01")}
        commits.append(
            {
                "type": "PREPAID",
                "product_id": commitment,
                "rate_type": "COMMIT_RATE",
                "applicable_product_ids": [product],
                "access_schedule": {"schedule_items": [segment]},
            }
        )
    shop.contract(commits=commits)
    found: dict[str, list[str]] = {name: [] for name, *_ in rows}
    for line in shop.invoice().line_items:
        if line.type == "usage":
            paid = " paid" if line.applied_commit_or_credit else ""
            text = f"{shown(line.quantity)} at {shown(line.unit_price)} = {shown(line.total)}{paid}"
            found[line.name].append(text)
    assert {name: "; ".join(texts) for name, texts in found.items()} == {name: lines for name, *_, lines in rows}


SHARES = """
row                         | of           | price                              | switches                | lines
a tenth                     | paid         | PERCENTAGE 0.1                     |                         | 300 at 0.1 = 30
nothing                     | paid         | PERCENTAGE 0                       |                         | 300 at 0 = 0
all of it                   | paid         | PERCENTAGE 1                       |                         | 300 at 1 = 300
a third                     | paid         | PERCENTAGE 0.333333333333          |                         | 300 at 0.333333333333 = 99.9999999999
exactly a tier              | paid         | TIERED_PERCENTAGE 0.1 for 300, 0.5 |                         | 300 at 0.1 = 30
over a tier                 | paid         | TIERED_PERCENTAGE 0.1 for 200, 0.5 |                         | 200 at 0.1 = 20; 100 at 0.5 = 50
nothing up to a tier        | paid         | TIERED_PERCENTAGE 0 for 200, 0.5   |                         | 200 at 0 = 0; 100 at 0.5 = 50
of the last price alone     | paid         | PERCENTAGE 0.1 then PERCENTAGE 0.5 |                         | 300 at 0.5 = 150
without what was free       | paid         | PERCENTAGE 0.1                     | exclude_free_usage      | 300 at 0.1 = 30
of shares too               | paid, shares | PERCENTAGE 0.1                     | include_composite_spend | 330 at 0.1 = 33
of shares, which are not in | paid, shares | PERCENTAGE 0.1                     |                         | 300 at 0.1 = 30
"""  # noqa: E501


def test_shares_of_what_others_come_to(shop):
    """Calls come to 200, on two days; transfer in tiers to 100, 50 of them free; and a tenth of both is a share."""
    rows = table(SHARES)
    shop.product("Calls", tags=["paid"])
    shop.product("Transfer", tags=["paid"])
    shop.product("Tenth", type="COMPOSITE", composite_tags=["paid"], tags=["shares"])
    rates = [
        *shop.price("Calls", "FLAT 2"),
        *shop.price("Transfer", "TIERED 0 for 50, 2"),
        *shop.price("Tenth", "PERCENTAGE 0.1"),
    ]
    for name, of, price, switches, _ in rows:
        shop.product(name, type="COMPOSITE", composite_tags=of.split(", "), **dict.fromkeys(switches.split(), True))
        rates += shop.price(name, price)
    shop.prices(*rates)
    shop.uses("Calls", "50 on 5, 50 on 20")
    shop.uses("Transfer", "100")
    shop.contract()
    assert shop.lines() == {
        "Calls": "100 at 2 = 200",
        "Transfer": "50 at 0 = 0; 50 at 2 = 100",
        "Tenth": "300 at 0.1 = 30",
        **{name: lines for name, *_, lines in rows},
    }


def test_a_share_is_of_what_had_the_tag_when_it_was_used(shop):
    shop.product("Calls", tags=["paid"])
    shop.product("Share", type="COMPOSITE", composite_tags=["paid"])
    shop.prices(*shop.price("Calls", "FLAT 2"), *shop.price("Share", "PERCENTAGE 0.1"))
    shop.changes("Calls", tags=[])
    shop.uses("Calls", "100 on 5, 100 on 20")
    shop.contract()
    assert shop.lines() == {"Calls": "200 at 2 = 400", "Share": "200 at 0.1 = 20"}


def test_a_share_follows_what_a_contract_pays(shop):
    calls = shop.product("Calls", tags=["paid"])
    share = shop.product("Share", type="COMPOSITE", composite_product_ids=[calls])
    shop.prices(*shop.price("Calls", "FLAT 2"), *shop.price("Share", "PERCENTAGE 0.1"))
    shop.uses("Calls", "100 on 5, 100 on 20")
    half = {"type": "MULTIPLIER", "multiplier": 0.5, "starting_at": at(MIDDLE)}
    shop.contract(
        overrides=[
            half | {"applicable_product_tags": ["paid"]},
            half | {"override_specifiers": [{"product_id": share}]},
        ]
    )
    assert shop.lines() == {"Calls": "100 at 2 = 200; 100 at 1 = 100", "Share": "300 at 0.05 = 15"}


def test_a_contract_counts_its_own_part_of_the_month(shop):
    shop.product()
    shop.product("Files")
    shop.prices(*shop.price("Units", "TIERED 10 for 100, 8"), *shop.price("Files", "VOLUME 10 for 100, 8"))
    for name in ("Units", "Files"):
        shop.uses(name, "60 on 9, 60 on 10, 60 on 20, 60 on 25")
    shop.contract(starting_at=at("2025-10-10"), ending_before=at("2025-10-25"))
    assert shop.lines() == {"Units": "100 at 10 = 1000; 20 at 8 = 160", "Files": "120 at 8 = 960"}


def test_each_billing_period_counts_anew(shop):
    shop.product()
    shop.product("Files")
    shop.prices(*shop.price("Units", "TIERED 10 for 100, 8"), *shop.price("Files", "PACKAGE 12 per 100"))
    for name in ("Units", "Files"):
        shop.uses(name, "60 on 2, 60 on 7, 60 on 8, 60 on 14")
    shop.contract(usage_statement_schedule={"frequency": "WEEKLY"}, ending_before=at("2025-10-15"))
    drafts = shop.v1.customers.invoices.list(customer_id=str(shop.customer.pk), status="DRAFT").data
    weeks = sorted((draft.start_timestamp.day, draft.end_timestamp.day, draft.total) for draft in drafts)
    assert weeks == [(1, 8, 1160 + 24), (8, 15, 1160 + 24)]


def test_custom_units_are_converted_in_one_line(client):
    unit = client.v1.pricing_units.create(name="credits").data.id
    shop = Shop(client, credit_type_conversions=[{"custom_credit_type_id": unit, "fiat_per_custom_credit": 0.3}])
    for name, price in (("Calls", "TIERED 2 for 10 (5), 1"), ("Files", "PACKAGE 7 per 3")):
        shop.product(name)
        shop.prices(*shop.price(name, price, credit_type_id=unit))
    shop.uses("Calls", "12")
    shop.uses("Files", "4")
    shop.contract()
    assert shop.lines() == {
        "Calls": "10 at 2 = 25; 2 at 1 = 2",
        "Files": "2 at 7 = 14",
        "credits in USD (cents)": "41 at 0.3 = 12.3",
    }
