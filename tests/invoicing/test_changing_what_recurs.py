"""Changing in the back office what is granted anew each period: what has begun stays, what is still to come is
previewed, made and told in words. API calls cost 2 cents.
"""

import re
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from contracts import services
from contracts.inputs import EditInput, ProrationRoundingInput, RecurringAmountInput, RecurringInput, RoundingInput
from contracts.queries import agreement
from invoicing.queries.balances import balances
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.commit_page import Page
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(acme, clock_at):
    """Of a commit of $3.10 each usage period, for which $2.00 are paid; on 10 October."""
    clock_at("2025-10-10")
    return page_of(acme, "add_recurring_commits", type="PREPAID", invoice_amount=RecurringAmountInput(D(200), D(1)))


def page_of(acme, field, **given):
    anew = RecurringInput(
        product_id=FixedProductFactory(name="Monthly pack").pk,
        access_amount=RecurringAmountInput(D(310), D(1)),
        commit_duration=D(1),
        starting_at=OCTOBER,
        priority=D(1),
        name="Monthly",
        **given,
    )
    services.edit_contract(acme.customer, acme.contract.pk, EditInput(**{field: (anew,)}), at=OCTOBER, by=ADA)
    [agreed] = agreement(acme.customer.pk, acme.contract.pk).recurring
    found = Page(agreed.now)
    found.url = reverse("admin:contracts_contract_recurring_edit", args=[acme.contract.pk, agreed.now.pk])
    return found


def granted_by(acme, instant):
    held = balances(acme.customer.pk, at=instant)
    return [segment.amount for each in held for segment in each.committed.segments]


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_what_has_not_begun_is_lowered_and_what_has_begun_stays(acme, page):
    """On 10 October it becomes $1.50, of which $1.00 is paid; 100 calls, $2.00, in November."""
    acme.calls("2025-11-05T10", 100)
    typed = {"anew_amount": "$0.75", "anew_quantity": "2", "anew_billed": "1.00", "rate_type": "COMMIT_RATE"}
    _, seen = page.preview(**typed)
    assert seen.context["preview"].notes[-2:] == tuple(
        f"1 {month}: $1.50 (1–{days}), for which $1.00 is billed, paying at commit rates, in place of"
        f" $3.10 (1–{days}), for which $2.00 is billed."
        for month, days in (("November 2025", "30 November 2025"), ("December 2025", "31 December 2025"))
    )
    assert granted_by(acme, NOVEMBER) == [310, 310]
    assert page.save(**typed).url == reverse("admin:contracts_contract_change", args=[acme.contract.pk])

    assert granted_by(acme, DECEMBER) == [310, 150, 150]
    [agreed] = agreement(acme.customer.pk, acme.contract.pk).recurring
    assert (agreed.now.rate_type, agreed.now.invoice_amount) == ("COMMIT_RATE", 100)
    shown = text_of(page.browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])))
    assert (
        "Recurring commit “Monthly”: for whatever has not begun, $0.75 times 2 is granted for each, $1.00 is billed for"
        " each, it pays at commit rates." in shown
    )
    assert "As agreed by phone" in shown
    assert (
        page.url
        in page.browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])).content.decode()
    )
    of_october = balances(acme.customer.pk, at=NOVEMBER)[0].committed.commit
    of_it = reverse("admin:contracts_customer_balance", args=[acme.customer.pk, of_october.pk])
    assert page.url in page.browser.get(of_it).content.decode()


def test_it_is_ended_and_begins_no_more(acme, page):
    end = {"anew_ending_before_0": "2025-12-01", "anew_ending_before_1": "00:00"}
    _, seen = page.preview(**end)
    assert (
        seen.context["preview"].notes[-1].startswith("1 December 2025: nothing, in place of $3.10 (1–31 December 2025)")
    )
    page.save(**end)
    assert granted_by(acme, DECEMBER) == [310, 310]
    [agreed] = agreement(acme.customer.pk, acme.contract.pk).recurring
    assert agreed.now.ending_before == DECEMBER
    page.save(anew_ending_before_0="", anew_ending_before_1="")
    assert granted_by(acme, DECEMBER) == [310, 310, 310]
    shown = text_of(page.browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])))
    assert "it ends on 1 December 2025, 00:00 UTC." in shown
    assert "it ends with the contract." in shown


def test_a_part_of_a_period_is_rounded_as_it_is_said(acme, page):
    """$3.10 up to 15 December is 14 of 31 days, $1.40; in whole dollars and up it is $2.00."""
    page.save(
        anew_ending_before_0="2025-12-15",
        anew_ending_before_1="00:00",
        anew_decimals="0",
        anew_rounding="CEILING",
        anew_billed_decimals="1",
        anew_billed_rounding="FLOOR",
    )
    assert granted_by(acme, DECEMBER) == [310, 310, 200]
    [agreed] = agreement(acme.customer.pk, acme.contract.pk).recurring
    assert (agreed.now.access_decimal_places, agreed.now.invoice_decimal_places) == (-2, -1)
    assert (page.shown()["anew_decimals"], page.shown()["anew_billed_decimals"]) == (0, 1)
    shown = text_of(page.browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])))
    assert "what is granted by time is rounded to $1.00, up, what is billed by time is rounded to $0.10, down." in shown


def test_what_is_refused_stands_beside_its_field(page):
    assert not any(each.is_used for each in page.browser.get(page.url).context["form"].sections() if each.is_aside)
    for typed, field, rule in (
        ({}, "__all__", "changes nothing"),
        ({"anew_amount": "0"}, "anew_amount", "must be greater than 0"),
        ({"anew_amount": ""}, "anew_amount", "Needed"),
        ({"anew_quantity": "0"}, "anew_quantity", "must be greater than 0"),
        ({"anew_billed": ""}, "anew_billed", "Needed"),
        ({"anew_billed": "-1"}, "anew_billed", "must not be negative"),
        ({"anew_ending_before_0": "2025-10-01", "anew_ending_before_1": "00:00"}, "anew_ending_before", "later than"),
        ({"anew_ending_before_0": "2025-12-01", "anew_ending_before_1": "00:30"}, "anew_ending_before", "hour"),
        ({"anew_decimals": "0.5"}, "anew_decimals", "must be a whole number"),
    ):
        [(found, [said])] = page.errors(**typed).items()
        assert (found, rule in said) == (field, True), (typed, said)


def test_a_credit_asks_nothing_of_bills_and_keeps_its_rounding(acme, clock_at):
    clock_at("2025-10-10")
    rounding = ProrationRoundingInput(access=RoundingInput(D(0), "FLOOR"))
    page = page_of(acme, "add_recurring_credits", type="CREDIT", proration_rounding=rounding)
    shown = page.shown()
    assert not any(name.startswith("anew_billed") for name in shown)
    assert (shown["anew_decimals"], shown["anew_rounding"]) == (2, "FLOOR")
    [_, rounding_shown] = page.browser.get(page.url).context["form"].sections()
    assert rounding_shown.is_used
    page.save(anew_amount="1")
    assert granted_by(acme, NOVEMBER) == [310, 100]
    [agreed] = agreement(acme.customer.pk, acme.contract.pk).recurring
    assert (agreed.now.access_decimal_places, agreed.now.access_rounding_method) == (0, "FLOOR")


def test_who_saves_second_looks_again_and_strangers_have_no_page(acme, page):
    sent, seen = page.preview(anew_amount="1")
    edit = EditInput(update_contract_name="Deal")
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=at("2025-10-10"), by=ADA)
    answer = page.browser.post(page.url, {**sent, "previewed": seen.context["previewed"], "save": "1"})
    assert "has edited this contract meanwhile" in answer.content.decode()
    assert granted_by(acme, NOVEMBER) == [310, 310]

    unknown = reverse("admin:contracts_contract_recurring_edit", args=[acme.contract.pk, acme.contract.pk])
    assert page.browser.get(unknown).status_code == 404
    reader = User.objects.create_user("eve", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_contract"))
    browser = Client()
    browser.force_login(reader)
    assert browser.get(page.url).status_code == 403
