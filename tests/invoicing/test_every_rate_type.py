"""One month of usage at rates of every type, sold, used and invoiced through the API.

| product  | price                                | used     | comes to                    |
|----------|--------------------------------------|----------|-----------------------------|
| Calls    | 10 ¢ for 100 (fee 5 ¢), then 8 ¢     | 130      | 1,005 + 240                 |
| Storage  | 12 ¢ for each package of 10          | 25       | 3 packages, 36              |
| Search   | 5 ¢ each up to 50, 4 ¢ each above    | 60       | 240                         |
| Tokens   | 2 credits, at 5 ¢ a credit           | 30       | 60 credits, 300             |

1,821 ¢ in all. A balance of 100 at the commit rate of Tokens (1 credit, 5 ¢) pays for 20 of them and leaves 10 at
list price: 1,621 ¢.
"""

from decimal import Decimal as D
from uuid import UUID

import pytest

from billing_site.foundation import tokens
from invoicing.services import finalize_invoice
from pricing.models import BillableMetric, Product
from tests.factories.contracts import AccessSegmentFactory, CommitFactory, CustomerFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

USED = {"Calls": 130, "Storage": 25, "Search": 60, "Tokens": 30}


@pytest.fixture
def admin(db, clock_at):
    clock_at("2025-10-31T23")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


def metric(admin, name: str) -> str:
    return admin.v1.billable_metrics.create(
        name=name, aggregation_type="COUNT", event_type_filter={"in_values": [name]}
    ).data.id


@pytest.fixture
def story(admin):
    """The customer, with its contract and October's usage."""
    products = admin.v1.contracts.products
    sold = {
        name: products.create(name=name, type="USAGE", billable_metric_id=metric(admin, name)).data.id for name in USED
    }
    credits_ = admin.v1.pricing_units.create(name="credits").data.id
    card = admin.v1.contracts.rate_cards.create(
        name="List", credit_type_conversions=[{"custom_credit_type_id": credits_, "fiat_per_custom_credit": 5}]
    ).data.id

    def add(product_id: str, rate_type: str, **terms):
        extra = {key: terms.pop(key) for key in ("tiers", "package_size") if key in terms}
        admin.v1.contracts.rate_cards.rates.add(
            rate_card_id=card,
            product_id=product_id,
            rate_type=rate_type,
            entitled=True,
            starting_at=OCTOBER,
            extra_body=extra,
            **terms,
        )

    add(sold["Calls"], "TIERED", tiers=[{"price": 10, "size": 100, "flat_fee": 5}, {"price": 8}])
    add(sold["Storage"], "PACKAGE", price=12, package_size=10)
    add(sold["Search"], "VOLUME", tiers=[{"price": 5, "size": 50}, {"price": 4}])
    RateFactory(
        rate_card_id=card,
        product_id=sold["Tokens"],
        unit_id=credits_,
        price=D(2),
        commit_rate={"rate_type": "FLAT", "price": "1"},
        starting_at=OCTOBER,
    )
    customer = CustomerFactory(aliases=["acme"])
    admin.v1.contracts.create(
        customer_id=str(customer.pk), rate_card_id=card, starting_at=OCTOBER, ending_before=NOVEMBER
    )
    for name, quantity in USED.items():
        for hour, part in (("2025-10-10T05", quantity // 2), ("2025-10-20T05", quantity - quantity // 2)):
            use(BillableMetric.objects.get(name=name), hour, part, {})
    return customer


def lines(admin, customer, status: str) -> list[tuple[object, ...]]:
    (invoice,) = admin.v1.customers.invoices.list(customer_id=str(customer.pk), status=status).data
    return [
        (line.name, line.quantity, line.unit_price, line.total, line.credit_type.name) for line in invoice.line_items
    ] + [("total", invoice.total)]


USAGE = [
    ("Calls", 100, 10, 1005, "USD (cents)"),
    ("Calls", 30, 8, 240, "USD (cents)"),
    ("Storage", 3, 12, 36, "USD (cents)"),
    ("Search", 60, 4, 240, "USD (cents)"),
    ("Tokens", 30, 2, 60, "credits"),
]


def test_the_draft_and_the_final_document(admin, story):
    assert lines(admin, story, "DRAFT") == [
        *USAGE,
        ("credits in USD (cents)", 60, 5, 300, "USD (cents)"),
        ("total", 1821),
    ]
    (draft,) = admin.v1.customers.invoices.list(customer_id=str(story.pk), status="DRAFT").data
    finalize_invoice(story.pk, UUID(draft.id), at=at("2025-11-03"), by=ADA)
    assert lines(admin, story, "FINALIZED") == [
        *USAGE,
        ("credits in USD (cents)", 60, 5, 300, "USD (cents)"),
        ("total", 1821),
    ]


def test_days_add_up_to_the_month(admin, story):
    pieces = admin.v1.customers.invoices.list_breakdowns(
        customer_id=str(story.pk), starting_on=OCTOBER, ending_before=NOVEMBER, window_size="DAY", limit=100
    ).data
    assert round(sum(D(str(piece.total)) for piece in pieces), 9) == 1821
    converted = {
        piece.breakdown_start_timestamp.day: line.total
        for piece in pieces
        for line in piece.line_items
        if line.type == "cpu_conversion" and line.total
    }
    assert converted == {10: 150, 20: 150}


def test_a_balance_at_commit_rate_pays_in_money_for_credits(admin, story):
    contract = story.contracts.get()
    commit = CommitFactory(
        contract=contract,
        type="PREPAID",
        rate_type="COMMIT_RATE",
        applicable_product_ids=[str(Product.objects.get(name="Tokens").pk)],
        segment=None,
        invoice_item=None,
    )
    AccessSegmentFactory(commit=commit, amount=D(100), starting_at=OCTOBER, ending_before=NOVEMBER)
    found = lines(admin, story, "DRAFT")
    assert found[4:6] == [("Tokens", 20, 1, 20, "credits"), ("Tokens", 10, 2, 20, "credits")]
    assert [line[1:4] for line in found if line[0] == "credits in USD (cents)"] == [(20, 5, 100), (20, 5, 100)]
    assert found[-1] == ("total", 1621)
