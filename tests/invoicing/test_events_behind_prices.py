"""The events behind lines of every type of price, payer and product: their parts add up, line by line."""

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation import tokens
from billing_site.foundation.money import exact_sum
from contracts.services import set_ingest_aliases
from invoicing.queries.behind import events_behind
from invoicing.queries.documents import document, drafts_of
from invoicing.services import finalize_due, regenerate_invoice, void_invoice
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk, use
from tests.invoicing.shop import MIDDLE, Shop
from tests.invoicing.test_events_behind_lines import told

pytestmark = pytest.mark.django_db

NOW = at("2025-10-31T23")
USED = "60 on 5, 7.5 on 12, 55 on 20"


@pytest.fixture
def shop(clock_at):
    clock_at("2025-10-31T23")
    return Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))


def october(shop):
    (shown,) = (each for each in drafts_of(shop.customer.pk, at=NOW) if each.period)
    return shown


def lines(shop):
    """What was metered for each line, and the parts of events."""
    return [(total, [part for _, part in events]) for _, total, events in told(shop.customer, october(shop))]


def grants(shop, amount, **terms):
    schedule = {"schedule_items": [{"amount": amount, "starting_at": OCTOBER, "ending_before": NOVEMBER}]}
    return {"product_id": shop.product("Credit", type="FIXED"), "access_schedule": schedule, **terms}


@pytest.mark.parametrize(
    ("price", "credit", "parts"),
    [
        ("FLAT 2", 0, [(D("122.5"), [60, D("7.5"), 55])]),
        ("FLAT 2 then FLAT 3", 0, [(D("67.5"), [60, D("7.5")]), (55, [55])]),
        ("FLAT 2", 130, [(65, [60, 5]), (D("57.5"), [D("2.5"), 55])]),
        ("TIERED 10 for 50, 8 for 50, 6", 0, [(50, [50]), (50, [10, D("7.5"), D("32.5")]), (D("22.5"), [D("22.5")])]),
        ("VOLUME 10 for 100, 8", 0, [(D("122.5"), [60, D("7.5"), 55])]),
        ("PACKAGE 12 per 50", 0, [(D("122.5"), [60, D("7.5"), 55])]),
        ("FLAT 0", 100, [(D("122.5"), [60, D("7.5"), 55])]),
    ],
)
def test_each_type_of_price(shop, price, credit, parts):
    shop.product("Units")
    shop.prices(*shop.price("Units", price))
    shop.contract(**({"credits": [grants(shop, credit)]} if credit else {}))
    shop.uses("Units", USED)
    assert lines(shop) == parts


@pytest.mark.parametrize("price", ["PACKAGE 12 per 50", "TIERED 10 for 50 (5), 8", "VOLUME 10 for 100, 8"])
def test_what_payers_share_adds_up(shop, price):
    shop.product("Units")
    shop.prices(*shop.price("Units", price))
    shop.contract(credits=[grants(shop, 17)])
    shop.uses("Units", USED)
    found = lines(shop)
    assert exact_sum([total for total, _ in found]) == D("122.5")
    assert exact_sum([part for _, parts in found for part in parts]) == D("122.5")


def test_what_is_converted_and_rounded_lists_what_was_metered(shop):
    shop.product(
        "Fifties",
        quantity_conversion={"conversion_factor": 50, "operation": "DIVIDE"},
        quantity_rounding={"decimal_places": 0, "rounding_method": "ROUND_UP"},
    )
    shop.prices(*shop.price("Fifties", "FLAT 100"))
    shop.contract()
    shop.uses("Fifties", USED)
    (line,) = (line for line in october(shop).lines if line.parts)
    assert (line.quantity, lines(shop)) == (3, [(D("122.5"), [60, D("7.5"), 55])])


def test_each_combination_of_dimensions_has_its_own_events(shop):
    shop.product("Tokens", pricing_group_key=["model"], presentation_group_key=["team"])
    for model, price in (("xl", "FLAT 5"), ("small", "FLAT 1")):
        shop.prices(*shop.price("Tokens", price, pricing_group_values={"model": model}))
    shop.contract()
    for place, (model, team) in enumerate([("xl", "a"), ("small", "a"), ("xl", "b"), ("xl", "a")]):
        shop.uses("Tokens", f"{10**place} on {place + 3}", model=model, team=team)
    assert sorted(lines(shop)) == [(10, [10]), (100, [100]), (1001, [1, 1000])]


def test_a_product_that_is_measured_otherwise_from_some_day_on_has_the_events_of_each(shop):
    shop.product("Units")
    counted = shop.metric("Counted", "COUNT")
    shop.prices(*shop.price("Units", "FLAT 2"))
    shop.changes("Units", MIDDLE, billable_metric_id=counted)
    shop.contract()
    shop.uses("Units", "60 on 5, 40 on 20")
    shop.uses("Counted", "3 on 4, 2 on 21")
    assert lines(shop) == [(60, [60]), (2, [1, 1])]


def test_only_usage_that_a_contract_takes_and_a_customer_owns_is_behind_its_lines(shop):
    shop.product("Units", presentation_group_key=["region"])
    shop.prices(*shop.price("Units", "FLAT 2"))
    shop.contract(usage_filter={"group_key": "region", "group_values": ["eu"], "starting_at": OCTOBER})
    shop.uses("Units", "60 on 5", region="eu")
    shop.uses("Units", "7 on 6", region="us")
    use(shop.metrics["Units"], "2025-10-07T05", 5, {"region": "eu"}, subject="acme-2")
    assert lines(shop) == [(60, [60])]
    set_ingest_aliases(shop.customer.pk, ["acme", "acme-2"], at=NOW, by=ADA)
    assert lines(shop) == [(65, [60, 5])]


@pytest.mark.django_db(transaction=True)
def test_behind_a_document_that_was_made_anew_is_what_that_one_saw(shop):
    shop.product("Units")
    shop.prices(*shop.price("Units", "FLAT 2"))
    shop.contract()
    shop.uses("Units", "60 on 5")
    [first] = finalize_due(shop.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    use(shop.metrics["Units"], "2025-10-07T05", 5, {}, received_at=at("2025-11-03"))
    later = {"at": at("2025-11-04"), "by": ADA}
    void_invoice(shop.customer, first.pk, reason="Not delivered", **later)
    second = regenerate_invoice(shop.customer, first.pk, **later)

    def behind(invoice):
        shown = document(shop.customer.pk, invoice.pk, at=later["at"])
        return [[part for _, part in events] for _, _, events in told(shop.customer, shown, at=later["at"])]

    assert (behind(first), behind(second)) == ([[60]], [[60, 5]])


def test_a_page_of_quiet_months_costs_no_query_for_each_of_their_days(shop):
    shop.product("Units")
    shop.prices(*shop.price("Units", "FLAT 2"))
    shop.contract(usage_statement_schedule={"frequency": "ANNUAL", "day": "CONTRACT_START"})
    shop.uses("Units", "60 on 5")
    use(shop.metrics["Units"], "2025-12-31T05", 5, {}, received_at=NOW)
    later = at("2026-01-01")
    (year,) = (each for each in drafts_of(shop.customer.pk, at=later) if each.period.starting_at == OCTOBER)

    with CaptureQueriesContext(connection) as captured:
        page = events_behind(shop.customer.pk, year.id, 0, at=later, limit=100)
    assert [each.quantity for each in page.events] == [60, 5]
    assert 0 < len([query for query in captured if "ledger_eventbody" in query["sql"]]) < 20
