"""Professional services by click: agreed, invoiced after the effect was seen, taken back."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from contracts.models import ServiceInvoice
from contracts.queries import agreement
from contracts.wording import history_in_words
from tests.factories.contracts import ProfessionalServiceFactory
from tests.factories.pricing import ServiceProductFactory
from tests.invoicing.conftest import DECEMBER, OCTOBER
from tests.invoicing.contract_page.deal_form import Deal, page, split, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(acme):
    return ProfessionalServiceFactory(contract=acme.contract, description="Onboarding")


def sent(form, **typed):
    return {"based_on_edit": form["based_on_edit"].value(), "reason": "Week 48"} | typed


def test_a_service_is_agreed_in_the_deal_and_taken_out_again(revops, acme):
    typed = {"work_most": "2,500", "work_quantity": "10", "work_price": "200", "work_description": "Onboarding"}
    deal = Deal(revops, acme.contract)
    assert deal.preview(work_most="2,500").context["form"].errors == {
        name: ["Needed."] for name in ("work_quantity", "work_price", "work_product")
    }
    deal = Deal(revops, acme.contract)
    assert deal.save(**typed, work_product=ServiceProductFactory().pk).status_code == 302

    said = "Professional service “Onboarding”: 10 at $200.00, at the most $2,500.00 in all"
    assert f"{said}." in text_of(revops.get(page("change", acme.contract.pk)))
    [service] = agreement(acme.customer.pk, acme.contract.pk).services.services
    deal = Deal(revops, acme.contract)
    assert deal.save(archive_professional_services=[str(service.pk)]).status_code == 302
    assert [each.changes for each in history_in_words(acme.contract)][:2] == [
        ("Taken out: the professional service “Onboarding”.",), (f"{said}.",)
    ]  # fmt: skip


def test_work_is_invoiced_after_its_effect_was_seen(revops, acme, service):
    url = page("invoice_services", acme.contract.pk)
    assert url in revops.get(page("change", acme.contract.pk)).content.decode()
    form = revops.get(url).context["form"]
    assert "A unit is $20.00. $250.00 of it is left to invoice." in text_of(revops.get(url))

    typed = sent(form, line_0_quantity="3", line_0_metadata="Week 48", issued_at_0="2025-12-01")
    seen = revops.post(url, typed | {"preview": "1"})
    assert "$60.00" in text_of(seen)
    assert not ServiceInvoice.objects.exists()
    made = revops.post(url, typed | {"previewed": seen.context["previewed"], "save": "1"}, follow=True)
    assert "Professional services of 1 December 2025 are invoiced." in text_of(made)
    assert ServiceInvoice.objects.get().lines.get().amount == 6_000
    assert history_in_words(acme.contract)[0].changes == ("$60.00 of “Onboarding” is invoiced on 1 December 2025.",)


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"line_0_quantity": "13"}, "line_0_quantity", "That is more than is left of it, $250.00."),
        ({"line_0_unit_price": "5"}, "line_0_amount", "is required, or a quantity"),
        ({"line_0_amount": "5", "line_0_quantity": "1"}, "line_0_quantity", "cannot be combined with amount"),
        ({}, "__all__", "must be from 1 to 1000"),
        ({"issued_at_0": "", "issued_at_1": "", "line_0_amount": "5"}, "issued_at", "Needed."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(revops, acme, service, typed, field, rule):
    url = page("invoice_services", acme.contract.pk)
    form = revops.get(url).context["form"]
    answer = revops.post(url, sent(form, **split("issued_at", DECEMBER), preview="1") | typed)
    [(named, [said])] = answer.context["form"].errors.items()
    assert named == field
    assert rule in said
    assert not ServiceInvoice.objects.exists()


def test_an_invoice_is_taken_back_by_click_before_its_date(revops, acme, service, clock_at):
    url = page("invoice_services", acme.contract.pk)
    typed = sent(revops.get(url).context["form"], line_0_amount="50", **split("issued_at", DECEMBER))
    seen = revops.post(url, typed | {"preview": "1"}).context["previewed"]
    revops.post(url, typed | {"previewed": seen, "save": "1"})
    back = page("take_back_services", acme.contract.pk, ServiceInvoice.objects.get().pk)
    assert back in revops.get(page("change", acme.contract.pk)).content.decode()

    clock_at("2025-12-01T00")
    assert "It has fallen due: void the invoice instead." in text_of(revops.post(back, {"reason": "No"}))
    clock_at("2025-11-30T00")
    assert revops.post(back, {"reason": ""}).context["form"].errors == {"reason": ["This field is required."]}
    assert revops.post(back, {"reason": "Typed twice"}).status_code == 302
    said = history_in_words(acme.contract)[0]
    assert (said.reason, said.changes) == (
        "Typed twice", ("Taken back: $50.00 of “Onboarding” is invoiced on 1 December 2025.",)
    )  # fmt: skip


def test_who_may_not_change_contracts_invoices_nothing(acme, service, clock_at):
    clock_at(f"{OCTOBER:%Y-%m-%dT%H}")
    browser = Client()
    browser.force_login(User.objects.create_user("visitor", is_staff=True))
    assert browser.get(page("invoice_services", acme.contract.pk)).status_code == 403
