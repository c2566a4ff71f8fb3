"""Search over everything: by whatever people call a thing, for whoever may see it, and for whoever means harm."""

import html
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import Claim, Customer
from contracts.queries.found import customers_called, subjects_called
from tests.factories.contracts import CommitFactory, ContractFactory, CustomerFactory
from tests.factories.invoicing import InvoiceFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory

pytestmark = pytest.mark.django_db

SEARCH = reverse("admin:search")
SEEN = ("view_customer", "view_contract", "view_invoice", "view_commit", "view_product", "view_ratecard")


def found(client, text, **more):
    answer = client.get(SEARCH, {"extended": 1, "s": text, **more})
    assert answer.status_code == 200
    pairs = re.findall(r'data-title="([^"]*)"\s+data-description="([^"]*)"', answer.content.decode())
    return [tuple(map(html.unescape, pair)) for pair in pairs]


@pytest.fixture
def staff():
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture
def deal():
    """Acme Löwenbräu: an alias, an account, custom fields, a contract with an order, a commit and a document."""
    customer = CustomerFactory(
        name="Acme Löwenbräu AG",
        aliases=["acme-prod"],
        custom_fields={"crm": "C-4711", "odd": '"} ) || true'},
        salesforce_account_id="0015g00000",
    )
    contract = ContractFactory(
        customer=customer,
        rate_card=RateCardFactory(name="List prices"),
        terms__name="Enterprise 2025",
        salesforce_opportunity_id="0065g1",
        netsuite_sales_order_id="SO-88",
        custom_fields={"legal": "L-1"},
    )
    CommitFactory(contract=contract, name="Yearly minimum")
    InvoiceFactory(contract=contract, number="INV-000042")
    MetricFactory(name="Tokens used")
    ProductFactory(name="Tokens sold")
    post(event("Tx-9", customer_id="acme-prod"))
    return contract


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("acme", ("Acme Löwenbräu AG", "Customer")),
        ("LÖWEN", ("Acme Löwenbräu AG", "Customer")),
        ("ag ac", ("Acme Löwenbräu AG", "Customer")),
        ("acme-pr", ("acme-prod", "Ingest alias of Acme Löwenbräu AG")),
        ("0015g", ("Acme Löwenbräu AG", "Customer")),
        ("C-4711", ("Acme Löwenbräu AG", "Customer")),
        ('"} ) || true', ("Acme Löwenbräu AG", "Customer")),
        ("enterp", ("Enterprise 2025", "Contract of Acme Löwenbräu AG")),
        ("0065g1", ("Enterprise 2025", "Contract of Acme Löwenbräu AG")),
        ("SO-88", ("Enterprise 2025", "Contract of Acme Löwenbräu AG")),
        ("L-1", ("Enterprise 2025", "Contract of Acme Löwenbräu AG")),
        ("year mini", ("Postpaid commit “Yearly minimum”", "Of Acme Löwenbräu AG")),
        ("inv-00004", ("INV-000042", "Acme Löwenbräu AG, October 2025, $1.00")),
        ("tokens so", ("Tokens sold", "Product")),
        ("ens us", ("Tokens used", "Billable metric")),
        ("list pri", ("List prices", "Rate card")),
        ("Tx-9", ("Tx-9", "Usage event of acme-prod")),
        ("review", ("Review queue", "Page")),
    ],
)
def test_everything_is_found_by_what_it_is_called(staff, deal, text, result):
    assert result in found(staff, text)


def test_an_id_finds_whatever_has_it(staff, deal):
    assert ("Acme Löwenbräu AG", "Customer") in found(staff, str(deal.customer_id))
    assert (str(deal), "Contract") in found(staff, f" {deal.pk} ")


def test_what_nobody_has_finds_nothing(staff, deal):
    for text in ("nothing like this", "löwenbräux", "Tx-99", "tx-9", "l-1", "4711"):
        assert found(staff, text) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "__",
        "'; DROP TABLE x",
        "a'b:*",
        "\\",
        "$.* ? (1 == 1)",
        "\0\0\0",
        "<script>",
        "ab" * 5_000,
        '"' * 9,
        "&|!()",
    ],
)
def test_hostile_text_is_only_text(staff, deal, text):
    assert found(staff, text) == []
    assert Customer.objects.count() == 1


def test_hostile_names_are_shown_as_they_are(staff):
    CustomerFactory(name='<b onclick="x">alert(1)</b>')
    page = staff.get(SEARCH, {"extended": 1, "s": "alert"}).content.decode()
    assert "<b onclick" not in page
    assert "&lt;b onclick=&quot;x&quot;&gt;alert(1)&lt;/b&gt;" in page


def test_less_than_two_characters_find_nothing(staff, deal):
    assert found(staff, "a") == []


def test_each_sees_what_their_permissions_show(deal):
    user = User.objects.create_user("sam", is_staff=True)
    client = Client()
    client.force_login(user)
    for text in ("acme", "inv-", "Tx-9", "enterp", "tokens", str(deal.pk), "year"):
        assert found(client, text) == []
    user.user_permissions.set(Permission.objects.filter(codename="view_customer"))
    assert {title for title, _ in found(client, "acme")} == {"Acme Löwenbräu AG", "acme-prod"}
    assert found(client, "inv-") == found(client, str(deal.pk)) == []
    assert Client().get(SEARCH, {"s": "acme"}).status_code == 302


def test_an_archived_customer_is_not_found_by_name(staff, deal):
    Customer.objects.update(archived_at=deal.created_at)
    assert ("Acme Löwenbräu AG", "Customer") not in found(staff, "acme")


def test_it_costs_the_same_for_few_and_for_many(staff, deal):
    def queries(text):
        with CaptureQueriesContext(connection) as captured:
            found(staff, text)
        return len(captured)

    few = queries("acme"), queries(str(deal.pk))
    for number in range(12):
        contract = ContractFactory(
            customer__name=f"Acme {number}", customer__aliases=[f"acme-{number}"], terms__name=f"Acme {number}"
        )
        InvoiceFactory(contract=contract, number=f"ACME-{number}")
    assert (queries("acme"), queries(str(deal.pk))) == few
    assert len(found(staff, "acme")) <= 20


def test_indexes_answer_it(deal):
    """Of some thousand names nobody reads all: each part of a query has an index of its own."""
    told = {"created_at": deal.created_at, "created_by": "Ada", "updated_at": deal.created_at}
    many = [Customer(name=f"Customer {n}", salesforce_account_id=f"sf-{n}", **told) for n in range(4_000)]
    Customer.objects.bulk_create(many)
    edit = deal.customer.edits.first()
    Claim.objects.bulk_create(
        Claim(
            subject=f"subject-{n}", sequence=1, customer=each, edit=edit, created_at=deal.created_at, created_by="Ada"
        )
        for n, each in enumerate(many)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contracts_customer, contracts_claim")
    plan = customers_called("acme").explain()
    for index in ("customers_by_words_of_names", "customers_by_custom_fields", "customers_by_account"):
        assert index in plan
    assert "Seq Scan" not in plan + subjects_called("acme").explain()
    assert [each.name for each in customers_called("sf-399")] == sorted(
        f"Customer {n}" for n in (399, *range(3990, 4000))
    )
