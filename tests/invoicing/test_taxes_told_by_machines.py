"""What the API says of taxes and of both parties is on drafts, and in lists, at once; on final documents never."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection

from billing_site.foundation import tokens
from billing_site.foundation.models import Touched
from contracts import services
from contracts.models import LegalEntity, TaxRate
from contracts.services import add_tax_rate, set_legal_entity
from invoicing.models import DraftSummary, Invoice
from invoicing.queries.changes import version_of
from invoicing.services import do_due_work, finalize_due, queue_due_work, summaries
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db

ENTITY = {"name": "Countinghouse Ltd", "address": ["1 Abacus Row"], "taxes": "FIXED_RATES"}
VAT = {"name": "VAT", "percent": 19, "starting_at": "2025-01-01"}
NOON = at("2025-10-20T12")


@pytest.fixture
def tell(clock_at):
    """Posts to the API; what was touched by it is refreshed, as under `serve`."""
    clock_at("2025-10-20T12")
    _, secret = tokens.create_token("Provisioning", scope="admin", at=OCTOBER, by=ADA)
    machine = sdk(secret)
    return lambda path, body: machine.post(f"/v1/{path}", body=body, cast_to=dict[str, Any])["data"]


def settle():
    while summaries.refresh_what_is_due():
        pass


def listed(acme):
    return [(row.total, row.total_with_tax) for row in DraftSummary.objects.filter(customer=acme.customer)]


def test_taxes_reach_the_list_of_drafts_at_once(acme, tell):
    acme.calls("2025-10-05T07", 50)
    settle()
    assert listed(acme) == [(D(100), D(100))]
    seen = {version_of(acme.customer.pk, at=NOON)}
    expected = [
        ("tax-rates/create", VAT, 100),
        ("legal-entity/set", ENTITY, 119),
        ("tax-rates/create", VAT | {"percent": 25, "country": "DE"}, 119),
        (f"customers/{acme.customer.pk}/setBillingProfile", {"country": "DE"}, 125),
        ("tax-rates/create", VAT | {"percent": 7, "country": "DE", "tax_code": "calls"}, 125),
        ("tax-codes/set", {"product_id": str(acme.prices.calls.pk), "tax_code": "calls"}, 107),
        ("tax-rates/update", {"id": None, "percent": 8}, 108),
        ("tax-codes/set", {"product_id": str(acme.prices.calls.pk), "tax_code": ""}, 125),
        (f"customers/{acme.customer.pk}/setBillingProfile", {"tax_exemption": "Reverse charge"}, 100),
    ]
    for path, body, total in expected:
        if path == "tax-rates/update":
            body = body | {"id": str(TaxRate.objects.get(tax_code="calls").pk)}
        tell(path, body)
        seen.add(version_of(acme.customer.pk, at=NOON))
        settle()
        assert listed(acme) == [(D(100), D(total))], (path, body)
        tell(path, body)
    assert len(seen) == len(expected) + 1  # whoever looks at the customer's page is told of each


def test_saying_it_again_touches_nobody(acme, tell):
    for path, body in [("legal-entity/set", ENTITY), ("tax-rates/create", VAT)]:
        tell(path, body)
        settle()
        tell(path, body)
        assert not Touched.objects.exists(), path


def test_a_rate_that_reaches_back_says_how_many_documents_keep_their_tax(client, acme, tell, clock_at):
    tell("legal-entity/set", ENTITY)
    assert tell("tax-rates/create", VAT)["final_documents_unchanged"] == 0
    acme.calls("2025-10-05T07", 50)
    clock_at("2025-11-02")
    [final] = finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    told = tell("tax-rates/create", VAT | {"percent": 25, "starting_at": "2025-10-01"})
    assert told["final_documents_unchanged"] == 1
    assert tell("tax-rates/update", {"id": told["id"], "starting_at": "2025-11-01"})["final_documents_unchanged"] == 0
    tell("legal-entity/set", {"name": "Somebody Else Ltd"})
    printed = client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), ending_before=NOVEMBER).data[0]
    assert (printed.total, printed.issuer["name"], final.total) == (119, "Countinghouse Ltd", D(119))


def test_what_is_held_for_want_of_a_rate_goes_on_once_there_is_one(acme, tell, clock_at):
    tell("legal-entity/set", ENTITY)
    acme.calls("2025-10-05T07", 50)
    clock_at("2025-11-02")
    due = at("2025-11-02")
    [job] = do_due_work(at=due)
    settle()
    queue_due_work(at=due)
    job.refresh_from_db()
    assert (job.state, "There is no tax rate" in job.error) == ("FAILED", True)
    tell("tax-rates/create", VAT)
    settle()
    queue_due_work(at=due)
    job.refresh_from_db()
    assert job.state == "QUEUED"
    do_due_work(at=due)
    assert Invoice.objects.get().total == 119


@pytest.mark.django_db(transaction=True)
def test_said_by_two_at_once_it_is_said_once():
    customer = CustomerFactory()
    entity = {"name": "Countinghouse Ltd", "address": "1 Abacus Row"}
    rate = {"name": "VAT", "percent": D(19), "starting_at": OCTOBER}
    given = {"at": NOON, "by": ADA}
    verbs = [
        lambda: set_legal_entity(entity, **given),
        lambda: add_tax_rate(rate, **given),
        lambda: services.set_billing_profile(customer.pk, {"country": "DE"}, **given),
    ]
    connection.close()

    def run(verb):
        try:
            return verb()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(run, verbs * 2))
    assert answers[:3] == answers[3:]
    assert (LegalEntity.history.count(), TaxRate.history.count()) == (1, 1)
