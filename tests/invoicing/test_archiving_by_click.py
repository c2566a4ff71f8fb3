"""Archiving in the back office, behind a page that says what will happen. API calls cost 2 cents."""

import re
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts import services
from contracts.inputs import ContractInput, EditInput, SharedCommitInput, TransitionInput
from contracts.models import Commit, ContractEdit
from contracts.queries import agreement, archived_commits, customer_terms, shared_commits
from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries.balances import balances
from invoicing.services import finalize_due
from tests.factories.contracts import commit_input, credit_input, prepaid_input
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, contract_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(clock_at):
    clock_at("2025-10-20")
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    return browser


def shared(acme, given, **more):
    return services.create_shared_commit(acme.customer, SharedCommitInput(given, **more), at=OCTOBER, by=ADA)


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def page_of(commit):
    return reverse("admin:contracts_commit_archive", args=[commit.pk])


def archived(browser, url, **sent):
    """Look, then archive as a browser would."""
    form = browser.get(url).context["form"]
    return browser.post(url, {"based_on_edit": form["based_on_edit"].value(), "reason": "Never paid", **sent})


def test_a_credit_of_the_customer_is_archived_after_its_effect_was_seen(browser, acme):
    """80 cents of calls, paid by the credit until it is gone."""
    acme.calls("2025-10-05T10", 40)
    credit = shared(acme, credit_input(D(100), name="Welcome"))
    shown = browser.get(page_of(credit))
    text = text_of(shown)
    assert "Credit “Welcome”: $1.00 (1 October – 31 December 2025)." in text
    assert "It can no longer be drawn on." in text
    assert "+$0.80" in text
    assert not archived_commits(acme.customer.pk)

    assert browser.post(page_of(credit), {"reason": ""}).context["form"].errors["reason"]
    saved = archived(browser, page_of(credit))
    assert saved["Location"] == reverse("admin:contracts_customer_balances", args=[acme.customer.pk])
    assert shared_commits(acme.customer.pk) == []
    assert [each.commit.pk for each in archived_commits(acme.customer.pk)] == [credit.pk]
    listed = browser.get(saved["Location"])
    assert not listed.context["rows"]
    newest, oldest = listed.context["history"]
    assert newest.changes == ("Archived: the credit “Welcome”.",)
    assert (newest.reason, newest.created_by) == ("Never paid", "ada")
    assert oldest.changes == ("Credit “Welcome”: $1.00 (1 October – 31 December 2025); shared by all contracts.",)
    customer_page = reverse("admin:contracts_customer_change", args=[acme.customer.pk])
    assert "Archived: the credit “Welcome”. “Never paid”" in text_of(browser.get(customer_page))
    assert browser.get(page_of(credit)).status_code == 404
    [held] = balances(acme.customer.pk, at=at("2025-10-20"), as_of=at("2025-10-19"))
    assert (held.is_archived, held.statement.left) == (False, 20)
    [held] = balances(acme.customer.pk, at=at("2025-10-20"))
    assert (held.is_archived, held.statement.left, held.statement.expired) == (True, 0, 100)


def test_a_commit_of_a_contract_is_archived_by_an_edit_of_it(browser, acme):
    payments = ((NOVEMBER, D(50)), (DECEMBER, D(40)))
    edit = EditInput(add_commits=(prepaid_input(D(100), OCTOBER, JANUARY, *payments, name="Pack"),))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    text = text_of(browser.get(page_of(committed.commit)))
    assert "2 payments still to come, $0.90 in all: not billed any more." in text
    contract_page = reverse("admin:contracts_contract_change", args=[acme.contract.pk])
    assert page_of(committed.commit) in browser.get(contract_page).content.decode()
    assert archived(browser, page_of(committed.commit))["Location"] == contract_page
    assert agreement(acme.customer.pk, acme.contract.pk).commits == ()
    last = ContractEdit.objects.order_by("number").last()
    assert (last.kind, last.changes, last.reason) == (
        "EDIT", {"archive_commits": [str(committed.commit.pk)]}, "Never paid"
    )  # fmt: skip


def test_what_is_owed_by_a_postpaid_commit_of_the_customer_goes_with_it(browser, acme):
    commit = shared(acme, commit_input(D(100), due=JANUARY), invoice_contract_id=acme.contract.pk)
    text = text_of(browser.get(page_of(commit)))
    assert "Nothing counts toward it any more, and nothing that is missing is billed." in text
    assert "No longer there" in text
    archived(browser, page_of(commit))
    assert customer_terms(acme.customer.pk).commits == ()


def test_what_has_moved_anything_is_not_archived_and_the_page_says_why(browser, acme, clock_at):
    acme.calls("2025-10-05T10", 10)
    credit = shared(acme, credit_input(D(100), name="Welcome"))
    clock_at("2025-11-03")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    shown = browser.get(page_of(credit))
    assert "must not be archived: something has been taken from it" in text_of(shown)
    assert "Archive it" not in text_of(shown)
    refused = browser.post(page_of(credit), {"reason": "All the same"})
    assert "must not be archived" in text_of(refused)
    assert len(shared_commits(acme.customer.pk)) == 1


def test_whoever_archives_what_was_edited_meanwhile_looks_again(browser, acme):
    credit = shared(acme, credit_input(D(100)))
    seen = browser.get(page_of(credit)).context["form"]["based_on_edit"].value()
    shared(acme, credit_input(D(5)))
    again = browser.post(page_of(credit), {"based_on_edit": seen, "reason": "Late"}, follow=True)
    assert "edited the customer&#x27;s balances meanwhile" in again.content.decode()
    assert not Commit.objects.filter(removed_by_edit__isnull=False).exists()


def test_a_contract_is_archived_after_a_page_that_says_what_goes_with_it(browser, acme):
    acme.calls("2025-10-05T10", 40)
    edit = EditInput(add_credits=(credit_input(D(100), name="Welcome"),))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    contract_page = reverse("admin:contracts_contract_change", args=[acme.contract.pk])
    assert url in browser.get(contract_page).content.decode()
    text = text_of(browser.get(url))
    assert "Nothing more is billed under it" in text
    assert "is archived with it: $0.20 left expires." in text
    assert "No longer there" in text
    saved = archived(browser, url)
    assert saved["Location"] == contract_page
    acme.contract.refresh_from_db()
    assert acme.contract.archived_at == at("2025-10-20")
    assert ContractEdit.objects.get(kind="ARCHIVE").reason == "Never paid"
    shown = browser.get(contract_page)
    assert shown.status_code == 200
    assert url not in shown.content.decode()
    assert browser.get(url)["Location"] == contract_page  # there is nothing left to ask


def test_a_contract_that_was_edited_meanwhile_is_looked_at_again(browser, acme):
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    sent = {"based_on_edit": browser.get(url).context["form"]["based_on_edit"].value(), "reason": "Never paid"}
    renamed = EditInput(update_contract_name="Renamed", reason="A better name")
    services.edit_contract(acme.customer, acme.contract.pk, renamed, at=OCTOBER, by=ADA)
    again = browser.post(url, sent, follow=True)
    assert "Ada has edited this contract meanwhile" in text_of(again)
    acme.contract.refresh_from_db()
    assert acme.contract.archived_at is None
    archived(browser, url)
    acme.contract.refresh_from_db()
    assert acme.contract.archived_at is not None


def test_a_contract_that_still_bills_a_commit_of_the_customer_stays(browser, acme):
    paid = prepaid_input(D(100), OCTOBER, JANUARY, (DECEMBER, D(50)), name="Shared")
    commit = shared(acme, paid, invoice_contract_id=acme.contract.pk)
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    shown = browser.get(url)
    assert "still bills the customer’s Prepaid commit “Shared”: let another contract do so first." in text_of(shown)
    assert reverse("admin:contracts_commit_edit", args=[commit.pk]) in shown.content.decode()
    browser.post(url, {"reason": "All the same"})
    acme.contract.refresh_from_db()
    assert acme.contract.archived_at is None


def test_who_may_not_change_contracts_archives_none(acme, clock_at):
    clock_at("2025-10-20")
    credit = shared(acme, credit_input(D(100)))
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    for url in (page_of(credit), reverse("admin:contracts_contract_archive", args=[acme.contract.pk])):
        assert stranger.post(url, {"reason": "Mine"}).status_code == 403
    assert shared_commits(acme.customer.pk)


def test_the_contracts_that_share_one_and_the_one_that_bills_it_are_changed_by_form(browser, acme):
    other = contract_for(acme.customer, acme.prices, terms__name="Second")
    gone = contract_for(acme.customer, acme.prices, terms__name="Gone")
    services.archive_contract(acme.customer, gone.pk, at=OCTOBER, by=ADA)
    paid = prepaid_input(D(100), OCTOBER, JANUARY, (DECEMBER, D(50)), name="Shared")
    commit = shared(acme, paid, invoice_contract_id=acme.contract.pk)
    url = reverse("admin:contracts_commit_edit", args=[commit.pk])
    form = browser.get(url).context["form"]
    assert {label for _, label in form.fields["contracts"].choices} == {"Second", str(acme.contract)}
    start, end = ({f"{name}_0": f"{day:%Y-%m-%d}", f"{name}_1": "00:00"} for name, day in
                  (("segment_0_starting_at", OCTOBER), ("segment_0_ending_before", JANUARY)))  # fmt: skip
    sent = {
        "based_on_edit": form["based_on_edit"].value(),
        "reason": "They moved",
        "name": "Shared",
        "product": form["product"].value(),
        "priority": "100",
        "rate_type": "COMMIT_RATE",
        "contracts": [str(other.pk)],
        "biller": str(other.pk),
        "segment_0_amount": "1",
        **start,
        **end,
        "item_0_amount": "0.50",
        "item_0_timestamp_0": "2025-12-01",
        "item_0_timestamp_1": "00:00",
    }
    seen = browser.post(url, {**sent, "preview": "1"})
    assert seen.context["preview"], seen.context["form"].errors
    assert 'form="change"' in seen.content.decode()
    saved = browser.post(url, {**sent, "previewed": seen.context["previewed"], "save": "1"})
    assert saved["Location"] == reverse("admin:contracts_customer_balances", args=[acme.customer.pk])
    [committed] = shared_commits(acme.customer.pk)
    assert committed.commit.applicable_contract_ids == [str(other.pk)]
    assert (committed.commit.invoice_contract_id, committed.commit.rate_type) == (other.pk, "COMMIT_RATE")
    newest = browser.get(saved["Location"]).context["history"][0]
    assert newest.reason == "They moved"
    assert newest.changes == ("Prepaid commit “Shared”: charged at commit rates; shared by Second; billed by Second.",)


def test_one_computation_serves_a_balance_and_its_chart(browser, acme):
    credit = shared(acme, credit_input(D(100), name="Welcome"))
    acme.calls("2025-10-05T10", 10)
    url = reverse("admin:contracts_customer_balance", args=[acme.customer.pk, credit.pk])
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(url).context["screen"].chart is not None
    read_finals = 'ORDER BY "invoicing_invoice"."finalized_at"'
    assert sum(read_finals in each["sql"] for each in asked.captured_queries) == 1


def test_final_invoices_are_voided_with_the_contract_where_that_is_ticked(browser, acme, clock_at):
    """October used 80 cents of a credit of $1.00."""
    acme.calls("2025-10-05T10", 40)
    edit = EditInput(add_credits=(credit_input(D(100), name="Welcome"),))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    assert "void_invoices" not in browser.get(url).context["form"].fields  # there is none
    clock_at("2025-11-03")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    [invoice] = Invoice.objects.all()
    text = text_of(browser.get(url))
    assert f"{invoice.number} , $0.00: voided, it gives back $0.80 to Welcome." in text
    assert "unless they are voided with it" in text

    done = browser.post(url, {"reason": "Never delivered", "void_invoices": "on"}, follow=True)
    assert "Its final invoices are void." in text_of(done)
    void = InvoiceVoid.objects.get(invoice=invoice)
    assert (void.reason, void.voided_by) == ("Never delivered", "ada")
    acme.contract.refresh_from_db()
    assert acme.contract.archived_at == at("2025-11-03")


def test_final_invoices_stay_where_it_is_not_ticked(browser, acme, clock_at):
    acme.calls("2025-10-05T10", 40)
    clock_at("2025-11-03")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    archived(browser, reverse("admin:contracts_contract_archive", args=[acme.contract.pk]))
    assert ContractEdit.objects.filter(kind="ARCHIVE").exists()
    assert not InvoiceVoid.objects.exists()


def test_where_an_invoice_cannot_be_voided_nothing_is_archived_and_the_box_says_why(browser, acme, clock_at):
    """A commitment that all contracts share, billed by another one: its true-up has counted October of this one."""
    other = contract_for(acme.customer, acme.prices, starting_at=JANUARY, terms__ending_before=None)
    shared(acme, commit_input(D(1_000), end=JANUARY, due=JANUARY), invoice_contract_id=other.pk)
    acme.calls("2025-10-05T10", 30)
    clock_at("2026-01-10")
    finalize_due(acme.customer.pk, at=at("2026-01-10"), by=ADA)
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    refused = browser.post(url, {"reason": "Never delivered", "void_invoices": "on"})
    [said] = refused.context["form"].errors["void_invoices"]
    assert said.startswith("Nothing was archived or voided. The true-up ")
    assert "void that first" in said
    assert refused.context["form"]["reason"].value() == "Never delivered"
    acme.contract.refresh_from_db()
    assert acme.contract.archived_at is None
    assert not InvoiceVoid.objects.exists()


def test_who_may_void_no_invoice_is_not_asked_to(acme, clock_at):
    acme.calls("2025-10-05T10", 40)
    clock_at("2025-11-03")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    seller = User.objects.create_user("seller", is_staff=True)
    named = Permission.objects.filter(codename__in=["view_contract", "change_contract"])
    seller.user_permissions.set(named)
    browser = Client()
    browser.force_login(seller)
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    assert "void_invoices" not in browser.get(url).context["form"].fields
    browser.post(url, {"reason": "Mine", "void_invoices": "on"})
    assert ContractEdit.objects.filter(kind="ARCHIVE").exists()
    assert not InvoiceVoid.objects.exists()


def test_a_renewed_contract_stays_and_so_does_what_its_renewal_took_over(browser, acme, clock_at):
    given = credit_input(D(100), name="Rest", rollover_fraction=D("0.5"))
    services.edit_contract(acme.customer, acme.contract.pk, EditInput(add_credits=(given,)), at=OCTOBER, by=ADA)
    renewal = ContractInput(
        starting_at=NOVEMBER,
        ending_before=JANUARY,
        rate_card_id=acme.contract.rate_card_id,
        transition=TransitionInput(acme.contract.pk),
    )
    services.create_contract(acme.customer, renewal, at=at("2025-10-20"), by=ADA)
    acme.calls("2025-10-05T10", 10)
    clock_at("2025-11-03")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    url = reverse("admin:contracts_contract_archive", args=[acme.contract.pk])
    text = text_of(browser.get(url))
    assert "was renewed, and its renewal has taken over what was left: it stays." in text
    assert "Archive it" not in text
    [invoice] = Invoice.objects.all()
    sent = {"action": "void", "_selected_action": str(invoice.pk), "reason": "Never delivered"}
    refused = browser.post(reverse("admin:invoicing_invoice_changelist"), sent, follow=True)
    assert f"A renewal has taken over what {invoice} left of a balance; correct it by a credit note." in text_of(
        refused
    )
    assert not InvoiceVoid.objects.exists()
