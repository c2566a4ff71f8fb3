"""Documents and drafts in the admin: looked at by whoever may, finalized by whoever may add documents."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from contracts.forms.price_grid import cell_name
from invoicing.models import Invoice, InvoiceVoid
from invoicing.services import finalize_due, void_invoice
from invoicing.services.summaries import look_around
from tests.factories.contracts import CustomerFactory
from tests.factories.invoicing import InvoiceFactory
from tests.factories.pricing import PublicationFactory, RateFactory
from tests.invoicing.conftest import ADA, at, commit_of, contract_for

pytestmark = pytest.mark.django_db


def member(client, *permissions, name="grace"):
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


@pytest.fixture
def finance(django_client):
    return member(django_client, "view_invoice", "view_invoiceline", "view_draftsofcustomer", "add_invoice")


@pytest.fixture
def django_client():
    return Client()


@pytest.fixture
def story(acme, clock_at):
    commit_of(acme, D(10_000))
    acme.uses_tokens("2025-10-03T05", D("100.5"))
    acme.calls("2025-10-07T00", 3)
    clock_at("2025-11-02")
    return acme


def drafts_page(acme):
    return reverse("admin:invoicing_draftsofcustomer_change", args=[acme.customer.pk])


def test_the_drafts_of_a_customer_show_lines_totals_and_when_they_are_final(finance, story):
    page = finance.get(drafts_page(story)).content.decode()
    for text in (
        "Drafts of Acme",
        "Usage, 1–31 October 2025",
        "$40.26",
        "True-up, 1 January 2026",
        "$59.74",
        "Falls due 2 November 2025, 00:00 UTC.",
        "Waits for the usage before it; not before 1 January 2026, 00:00 UTC.",
        "Tokens (model: xl)",
        "100.5",
        "not in the total",
        "Computed at 2 November 2025, 00:00:00 UTC",
    ):
        assert text in page
    assert page.count("Finalize now") == 1  # only October is due


def test_drafts_as_they_were_known_beside_what_they_are_now(finance, story):
    RateFactory(
        rate_card=story.prices.card,
        product=story.prices.calls,
        starting_at=at("2025-10-05"),
        price=D(500),
        publication=PublicationFactory(published_at=at("2025-10-20")),
    )
    asked = {"as_of_0": "2025-10-18", "as_of_1": ""}
    page = finance.get(drafts_page(story), asked).content.decode()
    for text in ("known on 18 October 2025, 00:00 UTC", "$40.26", "Now it is $55.20.", "$59.74", "Now it is $44.80."):
        assert text in page
    assert "Finalize now" not in page  # a draft of the past is not made final
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)
    page = finance.get(drafts_page(story), asked).content.decode()
    assert "It is final now, as INV-000001: $55.20." in page
    page = finance.get(drafts_page(story), {"as_of_0": "2025-11-03", "as_of_1": "12:30"}).content.decode()
    assert "Nothing is known yet of what comes after 2 November 2025, 00:00 UTC." in page
    assert "known on" not in page


def test_findings_are_shown_with_the_draft_that_they_hold(finance, story):
    story.uses_tokens("2025-10-03T05", 7, model="<huge>")
    page = finance.get(drafts_page(story)).content.decode()
    assert "Holds this document: Tokens (model: &lt;huge&gt;): 7 metered, and the rate card" in page
    answer = finance.post(drafts_page(story), {"draft_id": str(first_draft(finance, story))}, follow=True)
    assert "is held" in answer.content.decode()
    assert Invoice.objects.count() == 0


def test_usage_without_a_price_leads_to_the_grid_in_which_it_gets_one(finance, django_client, story):
    """From the hour on at which the price is missing, as the address says."""
    story.uses_tokens("2025-10-03T05", 7, model="huge")
    card, tokens = story.prices.card, story.prices.tokens
    grid = reverse("price_grid", args=[card.pk, tokens.pk])
    assert grid not in finance.get(drafts_page(story)).content.decode()  # who may not price is not sent there
    revops = member(Client(), "view_draftsofcustomer", "add_rate", name="rachel")
    [finding] = revops.get(drafts_page(story)).context["drafts"][0].findings
    assert finding.text.startswith("Holds this document: Tokens (model: huge): 7 metered")
    assert finding.price_url.startswith(grid)
    shown = revops.get(finding.price_url)
    cells = [cell for row in shown.context["blocks"][0].rows for cell in row.cells]
    assert [cell.label for cell in cells if cell.is_used] == ["model: huge; used, without a price"]
    form = {name: shown.context["form"][name].value() for name in ("known", "shown_at")}
    form |= {cell.name: cell.text for cell in cells} | {cell_name(("huge",)): "0.5", "reason": "It was missing"}
    form |= {"starting_at_0": "2025-10-01", "starting_at_1": "00:00"}
    preview = revops.post(finding.price_url, form | {"seen": "", "action": "show"})
    assert "It begins in the past. 1 contract has usage since then" in preview.content.decode()
    revops.post(finding.price_url, form | {"seen": preview.context["plan"].seen, "action": "publish"})
    draft, *_ = revops.get(drafts_page(story)).context["drafts"]
    assert draft.findings == []
    assert [line.amount for line in draft.lines if line.name == "Tokens (model: huge)"] == ["$3.50"]


def first_draft(finance, acme):
    return finance.get(drafts_page(acme)).context["drafts"][0].id


def test_a_due_draft_is_finalized_by_a_button(finance, story):
    answer = finance.post(drafts_page(story), {"draft_id": str(first_draft(finance, story))}, follow=True)
    assert "Finalized INV-000001." in answer.content.decode()
    invoice = Invoice.objects.get()
    assert (invoice.total, invoice.finalized_by) == (D(4_026), "grace")
    again = finance.post(drafts_page(story), {"draft_id": str(invoice.pk)}, follow=True)
    assert "is final already" in again.content.decode()
    nonsense = finance.post(drafts_page(story), {"draft_id": "7"}, follow=True)
    assert "not the id of a draft" in nonsense.content.decode()


@pytest.mark.parametrize(
    ("page", "action", "what"),
    [
        ("invoicing_draftsofcustomer_changelist", "finalize_due", "customers"),
        ("invoicing_invoice_changelist", "void", "documents"),
        ("invoicing_invoice_changelist", "regenerate", "documents"),
    ],
)
def test_more_than_a_request_can_do_is_refused_with_what_to_do(admin_client, story, monkeypatch, page, action, what):
    monkeypatch.setattr("billing_site.foundation.admin.AT_MOST", 0)
    InvoiceFactory()
    chosen = [str(story.customer.pk), *(str(invoice.pk) for invoice in Invoice.objects.all())]
    sent = {"action": action, "reason": "Sent to nobody", "confirmed": "1", "_selected_action": chosen}
    answer = admin_client.post(reverse(f"admin:{page}"), sent, follow=True).content.decode()
    assert f"1 {what} are chosen, and at most 0 are done at once: choose fewer, or filter the list." in answer
    assert not InvoiceVoid.objects.exists()
    assert Invoice.objects.count() == 1


def test_what_is_due_of_several_customers_is_finalized_by_an_action(finance, story):
    other = contract_for(CustomerFactory(name="Globex"), story.prices).customer
    look_around(at=at("2025-11-02"))
    listed = reverse("admin:invoicing_draftsofcustomer_changelist")
    sent = {"action": "finalize_due", "_selected_action": [str(story.customer.pk), str(other.pk)]}
    asked = finance.post(listed, sent).content.decode()
    assert "What is due of 2 customers becomes final" in asked
    assert "2 drafts" in asked
    assert "$40.26" in asked
    assert Invoice.objects.count() == 0
    page = finance.post(listed, sent | {"confirmed": "1"}, follow=True).content.decode()
    assert "Acme: INV-000001." in page
    assert "Globex: INV-000001." in page


def test_whoever_may_only_look_cannot_finalize(django_client, story):
    viewer = member(django_client, "view_draftsofcustomer", "view_invoice")
    page = viewer.get(drafts_page(story))
    assert "Finalize now" not in page.content.decode()
    assert viewer.post(drafts_page(story), {"draft_id": str(first_draft(viewer, story))}).status_code == 403
    listed = viewer.get(reverse("admin:invoicing_draftsofcustomer_changelist"))
    assert "Finalize what is due" not in listed.content.decode()
    assert Invoice.objects.count() == 0


def test_whoever_may_not_look_sees_nothing(django_client, story):
    nobody = member(django_client)
    assert nobody.get(drafts_page(story)).status_code == 403
    assert nobody.get(reverse("admin:invoicing_invoice_changelist")).status_code == 403


def test_a_final_document_is_shown_with_its_lines_and_cannot_be_changed(finance, story):
    [invoice] = finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    address = reverse("admin:invoicing_invoice_change", args=[invoice.pk])
    page = finance.get(address).content.decode()
    for words in (
        "INV-000001",
        "Final since 2 November 2025, 00:00 UTC, by Ada.",
        "Tokens (model: xl)",
        "1–31 October 2025",
        "100.5",
        "$0.40",
        "$40.20",
        "$40.26",
        bytes(invoice.document_hash).hex(),
    ):
        assert words in page
    assert finance.post(address, {"number": "INV-7"}).status_code == 403
    for name in ("add", "delete"):
        arguments = [invoice.pk] if name == "delete" else []
        assert finance.get(reverse(f"admin:invoicing_invoice_{name}", args=arguments)).status_code == 403


def test_a_void_document_says_who_took_it_back_and_why(finance, story):
    [invoice] = finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    void_invoice(story.customer, invoice.pk, reason="Not delivered", at=at("2025-11-03"), by=ADA)
    page = finance.get(reverse("admin:invoicing_invoice_change", args=[invoice.pk])).content.decode()
    assert "Void since 3 November 2025, 00:00 UTC, by Ada: Not delivered<br>Final since" in page
    assert ">void<" in finance.get(reverse("admin:invoicing_invoice_changelist")).content.decode()


def test_a_list_costs_the_same_for_one_document_and_for_three(finance, story, django_assert_num_queries):
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)
    address = reverse("admin:invoicing_invoice_changelist")
    with django_assert_num_queries(11) as one:
        finance.get(address)
    finalize_due(story.customer.pk, at=at("2026-01-02"), by=ADA)
    assert Invoice.objects.count() == 4
    with django_assert_num_queries(len(one)):
        listed = finance.get(address).content.decode()
    for words in ("October 2025", "True-up of 1 January 2026", "1 January 2026"):
        assert f">{words}<" in listed


def test_an_empty_list_says_what_will_stand_there_or_that_nothing_matches(finance, story):
    address = reverse("admin:invoicing_invoice_changelist")
    empty = finance.get(address).content.decode()
    assert "Invoices | Countinghouse" in empty
    assert "Nothing here yet" in empty
    assert "A draft becomes final when its grace period is over" in empty
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)
    for asked in ({"q": "Globex"}, {"kind__exact": "NOTE"}):
        found = finance.get(address, asked).content.decode()
        assert "Nothing matches" in found
        assert "Nothing here yet" not in found


@pytest.mark.parametrize("model", ["schedule", "success", "failure", "ormq", "task"])
def test_the_queues_own_pages_are_not_there(model):
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:django_q_{model}_changelist")
