"""A balance that counts units is read in units wherever it stands, beside what it saves in money."""

import re
from decimal import Decimal as D
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from invoicing.explanation import part_sentences
from invoicing.queries.documents import drafts_of
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due
from tests.factories.contracts import AccessSegmentFactory, CommitFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(acme, clock_at):
    """15 calls at two cents, of which a balance of 12 units pays 12."""
    commit = CommitFactory(
        contract=acme.contract, type="PREPAID", access_type="QUANTITY", name="Calls", segment=None, invoice_item=None
    )
    AccessSegmentFactory(commit=commit, amount=D(12), starting_at=OCTOBER, ending_before=JANUARY)
    acme.calls("2025-10-05T10", 15)
    clock_at("2025-10-31T23")
    return acme


@pytest.fixture
def read():
    """What a reader sees of a page, on one line."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))

    def read(name, *args):
        page = browser.get(reverse(name, args=args)).content.decode()
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))

    return read


def test_pages_of_staff_and_of_the_customer(story, read):
    contract, customer = story.contract.pk, story.customer.pk
    assert "12 units of 12 units" in read("admin:contracts_contract_change", contract)
    assert "12 units of 12 units, 0 units left" in read("portal_of_customer", customer)
    assert "applied to the line before: 12 units" in read("admin:invoicing_draftsofcustomer_change", customer)
    assert " 12 units " in read("admin:contracts_accesssegment_changelist")


def test_the_explanation(story):
    (october,) = (draft for draft in drafts_of(story.customer.pk, at=at("2025-10-31T23")) if draft.period)
    told = explained_document(story.customer.pk, october.id, at=at("2025-10-31T23"))
    paid, rest = (line for line in told.document.lines if line.name == "API calls")
    balance = "the prepaid commit “Calls” of 12 units, 1 October – 31 December 2025."
    assert list(part_sentences(told, paid, paid.parts[0]))[-1] == f"Paid by {balance}"
    assert list(part_sentences(told, rest, rest.parts[0]))[-1] == f"Nothing was left for it of {balance}"


def test_what_was_drawn_is_posted_in_units(story, read):
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)
    assert "-12 units" in read("admin:ledger_ledgerentry_changelist")
