"""What finalizing asks of the database: as much for a long document as for a short one, and the books only once."""

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.compute import computation
from invoicing.services import finalize_due
from tests.factories.contracts import CustomerFactory, ScheduledChargeFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, at, contract_for, use

pytestmark = pytest.mark.django_db
GRACE_IS_OVER = at("2025-11-02")


def sold_to(name, price_list, models):
    customer = CustomerFactory(name=name, aliases=[name])
    contract = contract_for(customer, price_list)
    for model in models:
        use(price_list.tokens_used, "2025-10-07T00", 10, {"model": model, "region": "eu"}, subject=name)
    return customer, contract


def statements(work):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        work()
    return len(asked)


def close(customer):
    return statements(lambda: finalize_due(customer.pk, at=GRACE_IS_OVER, by=ADA))


def test_a_long_document_costs_as_many_statements_as_a_short_one(price_list):
    models = [f"model {number}" for number in range(40)]
    for model in models:
        RateFactory(
            rate_card=price_list.card, product=price_list.tokens, pricing_group_values={"model": model}, price=D(3)
        )
    short, _ = sold_to("short", price_list, models[:1])
    long, _ = sold_to("long", price_list, models)
    for number in range(3):
        sold_to(f"neighbour {number}", price_list, models[:3])
    close(sold_to("first", price_list, models[:1])[0])  # what a process asks once is known from here on
    assert close(short) == close(long)
    assert InvoiceLine.objects.filter(customer=long).count() > 10 * InvoiceLine.objects.filter(customer=short).count()


def test_the_books_are_computed_once_for_each_document(price_list):
    one, _ = sold_to("one", price_list, ["xl"])
    two, contract = sold_to("two", price_list, ["xl"])
    ScheduledChargeFactory(contract=contract, item__issued_at=at("2025-10-15"), item__amount=D(500))
    books = statements(lambda: computation(one.pk, at=GRACE_IS_OVER))
    of_one, of_two = close(one), close(two)
    assert Invoice.objects.filter(customer=two).count() == 2
    assert books < of_one < 2 * books
    assert of_two < 2 * of_one + books / 2


@pytest.mark.django_db(transaction=True)
def test_terms_and_prices_that_are_known_are_not_read_again(price_list):
    """Somebody has looked at the draft before, in this process."""
    sold_to("first", price_list, ["xl"])
    known, _ = sold_to("known", price_list, ["xl"])
    unknown, _ = sold_to("unknown", price_list, ["xl"])
    computation(known.pk, at=GRACE_IS_OVER)
    of_known, of_unknown = close(known), close(unknown)
    assert of_known < of_unknown <= 30


def test_nothing_due_moves_nothing(price_list):
    customer, _ = sold_to("early", price_list, ["xl"])
    before = type(customer).objects.get(pk=customer.pk).money_version
    assert finalize_due(customer.pk, at=at("2025-10-20"), by=ADA).finalized == ()
    assert type(customer).objects.get(pk=customer.pk).money_version == before
