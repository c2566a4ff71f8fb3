"""The queue of proposed notes: heads that the refresher keeps, so that a page costs the same whoever has how many."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from invoicing.models import CustomerSummary, NoteSummary
from invoicing.services.notes import approve_note, dismiss_note
from invoicing.services.summaries import refresh_summary, refresh_what_is_due
from tests.factories.contracts import CustomerFactory
from tests.invoicing.test_notes_table import BEA, LATER, Books

QUEUE = reverse("admin:invoicing_note_proposed")


@pytest.fixture
def books(acme):
    """October is final, 20 H at 10, and 8 are asked now."""
    books = Books(acme)
    books.price("10")
    books.uses(20, 5)
    books.close_october()
    books.price("8")
    return books


@pytest.fixture
def finance():
    browser = Client()
    browser.force_login(User.objects.create_superuser("bea"))
    return browser


def refresh(books):
    CustomerSummary.objects.get_or_create(customer=books.acme.customer)
    assert refresh_summary(books.acme.customer.pk, at=LATER)


@pytest.mark.django_db(transaction=True)
def test_the_refresher_keeps_what_is_proposed_and_by_what(books, finance):
    refresh(books)
    head = NoteSummary.objects.get()
    assert (head.about, head.total, head.findings) == (books.october, -40, 0)
    [because] = head.because
    assert because.startswith("Publication ")
    [row] = finance.get(QUEUE).context["rows"]
    assert (row.title, row.total) == (f"{books.october.number}, 1–31 October 2025", "-$0.40")
    assert row.because == head.because


@pytest.mark.django_db(transaction=True)
def test_usage_does_not_have_it_rated_again(books):
    refresh(books)
    NoteSummary.objects.all().delete()
    books.uses(1, 6, received=LATER)
    refresh(books)
    assert not NoteSummary.objects.exists()
    books.price("7")
    refresh(books)
    assert NoteSummary.objects.get().total == -60


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("decide", [approve_note, dismiss_note])
def test_what_is_decided_leaves_the_queue_at_once_and_stays_away(books, decide):
    refresh(books)
    [proposed] = books.proposed()
    customer = books.acme.customer
    decide(customer, proposed.about.pk, difference=proposed.difference, reason="agreed", at=LATER, by=BEA)
    assert not NoteSummary.objects.exists()
    refresh(books)
    assert not NoteSummary.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_price_that_reaches_back_is_a_signal(books, clock_at):
    clock_at("2025-11-05")
    while refresh_what_is_due():
        pass
    assert NoteSummary.objects.get().total == -40


@pytest.mark.django_db
@pytest.mark.parametrize("customers", [3, 30])
def test_a_page_costs_the_same_for_any_number_of_customers(acme, finance, customers, django_assert_num_queries):
    books = Books(acme)
    books.price("10")
    books.uses(1, 5)
    october = books.close_october()
    for _ in range(customers):
        NoteSummary.objects.create(
            id=uuid7(), customer=CustomerFactory(), about=october, total=-1, unit=october.unit, because=[], findings=1
        )
    with django_assert_num_queries(6):
        answer = finance.get(QUEUE)
    assert len(answer.context["rows"]) == customers
    assert "cannot be rated yet" in answer.content.decode()
