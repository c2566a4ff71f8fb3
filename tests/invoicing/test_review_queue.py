"""The review queue in the back office, and the page on which a person holds a draft or releases it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.models import Job
from invoicing.models import HoldDecision, Invoice
from invoicing.services import do_due_work, queue_due_work, void_invoice
from invoicing.services.finalization import finalize_invoice
from invoicing.services.summaries import look_around, refresh_summary
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory, LegalEntityFactory, TaxRateFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, Acme, at, contract_for
from tests.invoicing.test_holds import JULY, after, bills, draft_of

pytestmark = pytest.mark.django_db

DUE = at("2025-11-02")


@pytest.fixture
def acme(price_list):
    customer = CustomerFactory(aliases=["acme"])
    return Acme(customer, contract_for(customer, price_list, starting_at=JULY), price_list)


@pytest.fixture
def held(acme, clock_at):
    """October comes to 18 times what is usual, and is due."""
    draft, due = bills(acme, m07=500, m08=500, m09=500, m10=9000)
    clock_at("2025-11-02")
    refresh_summary_of(acme, due)
    return draft


def refresh_summary_of(acme, when):
    look_around(at=when)
    refresh_summary(acme.customer.pk, at=when)


def member(*permissions):
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def finance():
    return member("view_draftsummary", "view_draftsofcustomer", "add_holddecision", "view_holddecision")


QUEUE = "/admin/invoicing/holddecision/queue/"


def page(client, path=QUEUE, **asked):
    return client.get(path, asked).content.decode()


def decide_page(acme, draft):
    return reverse("admin:invoicing_decide", args=[acme.customer.pk, draft])


def test_the_queue_says_what_is_held_why_and_who_must_act(finance, acme, held):
    text = page(finance)
    for words in ("Acme", "October 2025", "$3,600.00", "is far above the $20", "Finance", "since 2 November 2025"):
        assert words in text
    assert decide_page(acme, held) in text
    assert f"#draft-{held}" in text


def test_everybody_finds_their_own(finance, acme, held):
    assert "October 2025" in page(finance, who="Finance")
    assert "Nothing is held for RevOps" in page(finance, who="RevOps")
    acme.uses_tokens("2025-10-28T05", 3, model="huge")
    refresh_summary_of(acme, DUE)
    assert "has no rate for it" in page(finance, who="RevOps")


def test_an_empty_queue_says_so(finance, acme):
    assert "Nothing is held: every draft becomes final when it falls due." in page(finance)


def test_a_void_document_waits_on_the_queue_until_it_is_made_anew(finance, acme):
    bills(acme, m07=500, m08=500)
    void_invoice(acme.customer, draft_of(acme, "m07"), reason="Not delivered", at=DUE, by=ADA)
    text = page(finance)
    assert "INV-000001" in text
    assert "Voided by Ada: Not delivered" in text


def test_the_queue_costs_the_same_for_one_and_for_two(finance, acme, held, price_list, django_assert_num_queries):
    with django_assert_num_queries(9):
        page(finance)
    other = CustomerFactory(name="Globex", aliases=["globex"])
    globex = Acme(other, contract_for(other, price_list), price_list)
    globex.uses_tokens("2025-10-03T05", 1, model="huge", subject="globex")
    refresh_summary_of(globex, DUE)
    with django_assert_num_queries(9):
        assert "Globex" in page(finance)


def test_a_release_by_clicks_lets_the_job_finish(finance, acme, held):
    [job] = do_due_work(at=DUE)
    assert job.state == Job.State.FAILED
    shown = page(finance, decide_page(acme, held))
    assert "becomes final at the next run" in shown
    seen = [part.split('"')[0] for part in shown.split('name="seen" value="')[1:]]
    sent = {"verb": "release", "seen": seen, "reason": "A big launch"}
    answer = finance.post(decide_page(acme, held), sent, follow=True).content.decode()
    assert "The usage invoice of 1 Oct to 31 Oct 2025 is released." in answer
    assert "Nothing is held" in answer
    assert HoldDecision.objects.get().created_by == "grace"
    do_due_work(at=DUE)
    assert Invoice.objects.filter(pk=held).exists()
    refresh_summary_of(acme, DUE)
    assert "Nothing is held" in page(finance)


def test_a_release_of_what_was_not_shown_is_refused_on_the_page(finance, acme, held):
    answer = finance.post(decide_page(acme, held), {"verb": "release", "seen": ["ABOVE  1"], "reason": "Seen"})
    assert "is not what you saw" in answer.content.decode()
    assert not HoldDecision.objects.exists()


def test_a_draft_is_held_by_clicks_and_says_so(finance, acme, clock_at):
    draft, _ = bills(acme, m07=500)
    clock_at("2025-07-20")
    finance.post(decide_page(acme, draft), {"verb": "hold", "reason": "Disputed"})
    refresh_summary_of(acme, at("2025-07-20"))
    drafts = reverse("admin:invoicing_draftsofcustomer_change", args=[acme.customer.pk])
    assert "Held by grace: Disputed" in page(finance, drafts)
    assert "Held by grace: Disputed" in page(finance)
    assert "Hold by hand" not in page(finance, decide_page(acme, draft))


def test_whoever_may_not_sees_and_decides_nothing(acme, held):
    nobody = member("view_draftsofcustomer")
    assert nobody.get(QUEUE).status_code == 403
    assert nobody.get(decide_page(acme, held)).status_code == 403
    assert nobody.post(decide_page(acme, held), {"verb": "hold", "reason": "x"}).status_code == 403


def test_what_is_not_there_leads_back(finance, acme, held):
    gone = finance.get(decide_page(acme, acme.contract.pk), follow=True).content.decode()
    assert "There is no such draft" in gone
    missing = reverse("admin:invoicing_decide", args=[acme.contract.pk, held])
    assert finance.get(missing).status_code == 404


def test_the_pages_of_the_contract_and_of_the_document_say_that_it_is_held(acme, held):
    staff = member("view_contract", "view_customer", "view_invoice", "add_holddecision")
    text = page(staff, reverse("admin:contracts_contract_change", args=[acme.contract.pk]))
    for words in ("Held: October 2025.", "Finance, since 2 November 2025", "is far above the $20"):
        assert words in text
    assert decide_page(acme, held) in text
    document = reverse("portal_invoice", args=[acme.customer.pk, held])
    assert "Held for review" in page(staff, document)
    browser = Client()
    browser.force_login(CustomerLoginFactory(customer=acme.customer).user)
    assert "Held for review" not in page(browser, document)


def test_lists_show_drafts_with_their_tax(acme, held):
    LegalEntityFactory(taxes="FIXED_RATES")
    TaxRateFactory()
    refresh_summary_of(acme, DUE)
    staff = member("view_draftsummary", "view_draftsofcustomer")
    assert "$4,284.00" in page(staff, reverse("admin:invoicing_draftsummary_changelist"))  # 3,600 and 19 %
    drafts = page(staff, reverse("admin:invoicing_draftsofcustomer_change", args=[acme.customer.pk]))
    for words in ("Subtotal", "$3,600.00", "VAT 19% of $3,600.00", "$684.00", "$4,284.00"):
        assert words in drafts


def test_a_parked_job_is_tried_again_once_what_held_it_is_mended(acme, clock_at):
    acme.uses_tokens("2025-07-27T05", 100, model="huge")
    due = after("m07")
    [job] = do_due_work(at=due)
    refresh_summary_of(acme, due)
    queue_due_work(at=due)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    price = {"rate_card": acme.prices.card, "product": acme.prices.tokens, "starting_at": JULY}
    RateFactory(**price, pricing_group_values={"model": "huge"}, price=1)
    refresh_summary_of(acme, due)
    queue_due_work(at=due)
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert finalize_invoice(acme.customer, draft_of(acme, "m07"), at=due, by=ADA).total == 100
