"""Metrics that are not additive in time, on a bill: no cut charges a peak, a user or a level twice."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from invoicing.queries import compute
from tests.factories.contracts import CustomerFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import DECEMBER, JANUARY, NOVEMBER, OCTOBER, PriceList, contract_for

pytestmark = pytest.mark.django_db
MIDNIGHT = OCTOBER + timedelta(days=1)

EVENTS = [
    ("2025-10-01T08:10:00Z", 3, "ann"),
    ("2025-10-01T09:00:00Z", 7, "bob"),
    ("2025-10-01T09:30:00Z", 5, "ann"),
    ("2025-10-02T00:15:00Z", 9, "cat"),
    ("2025-10-02T00:45:00Z", 4, "bob"),
]


def sold(aggregation, *, keys=(), aliases=("acme", "acme-eu"), **fields):
    """A product of that metric: 10 cents until 2 October, 20 from then on."""
    metric = MetricFactory(
        name=aggregation,
        aggregation_type=aggregation,
        aggregation_key="user" if aggregation == "UNIQUE" else "value",
        event_type_filter={"in_values": ["seen"]},
        group_keys=[["region"]],
    )
    product = ProductFactory(name=aggregation, version__billable_metric=metric, version__pricing_group_key=list(keys))
    card = RateCardFactory()
    values = [dict.fromkeys(keys, region) for region in ("eu", "us")] if keys else [{}]
    for of_group in values:
        told = {"rate_card": card, "product": product, "pricing_group_values": of_group}
        RateFactory(price=D(10), ending_before=MIDNIGHT, **told)
        RateFactory(price=D(20), starting_at=MIDNIGHT, **told)
    customer = CustomerFactory(aliases=aliases)
    contract_for(customer, PriceList(card, product, product, metric, metric), **fields)
    return customer


def send(*events, subject="acme", region="eu"):
    for when, value, user in events:
        properties = {"value": value, "user": user, "region": region}
        post(event(customer_id=subject, event_type="seen", timestamp=when, properties=properties), at=JANUARY)


def lines(customer, at=NOVEMBER):
    """[[(start, quantity, unit price, total)]] of each usage draft."""
    documents = [document for document in compute(customer.pk, at=at).documents if document.kind == "USAGE"]
    return [
        [(f"{line.period.starting_at:%d.%m.}", line.quantity, line.unit_price, line.total) for line in document.lines]
        for document in documents
    ]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("MAX", [("01.10.", 7, 10, 70), ("02.10.", 2, 20, 40)]),
        ("LATEST", [("02.10.", 4, 20, 80)]),
        ("UNIQUE", [("01.10.", 2, 10, 20), ("02.10.", 1, 20, 20)]),
        ("WEIGHTED_SUM", [("01.10.", 225, 10, 2250), ("02.10.", D("50.75"), 20, 1015)]),
    ],
)
def test_a_price_change_between_the_parts(aggregation, expected):
    customer = sold(aggregation)
    send(*EVENTS)
    assert lines(customer, at=MIDNIGHT + timedelta(hours=2)) == [expected]


def test_what_a_period_begins_with():
    events = [*EVENTS, ("2025-11-03T00:00:00Z", 2, "ann")]
    found = {}
    for aggregation in ("MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM"):
        found[aggregation] = sold(aggregation, aliases=())
    for customer in found.values():
        for when, value, user in events:
            properties = {"value": value, "user": user}
            sent = event(customer_id=str(customer.pk), event_type="seen", timestamp=when, properties=properties)
            post(sent, at=JANUARY)
    november = {aggregation: lines(customer, at=DECEMBER)[1] for aggregation, customer in found.items()}
    assert november == {
        "MAX": [("01.11.", 2, 20, 40)],
        "LATEST": [("01.11.", 2, 20, 40)],
        "UNIQUE": [("01.11.", 1, 20, 20)],
        "WEIGHTED_SUM": [("01.11.", 28 * 720 + 2 * 28 * 24, 20, 20 * (28 * 720 + 2 * 28 * 24))],
    }


def test_a_level_that_was_up_before_the_contract_counts_from_its_start_on():
    customer = sold("WEIGHTED_SUM", starting_at=OCTOBER + timedelta(days=10))
    send(("2025-08-01T00:00:00Z", 2, None))
    assert lines(customer) == [[("11.10.", 2 * 21 * 24, 20, 40 * 21 * 24)], [("01.11.", 0, 20, 0)]]
    assert lines(customer, at=JANUARY)[2] == [("01.12.", 2 * 31 * 24, 20, 40 * 31 * 24)]


def test_a_maximum_by_price_group_is_over_all_subjects_of_the_customer():
    customer = sold("MAX", keys=("region",))
    send(("2025-10-01T08:00:00Z", 3, None), ("2025-10-03T08:00:00Z", 4, None))
    send(("2025-10-01T09:00:00Z", 5, None), subject="acme-eu")
    send(("2025-10-05T09:00:00Z", 2, None), region="us")
    assert sorted(lines(customer)[0]) == [("01.10.", 5, 10, 50), ("02.10.", 2, 20, 40)]
