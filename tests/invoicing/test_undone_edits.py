"""An edit is undone by a new one: by the API, and by a click in the contract's history."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from contracts import services
from contracts.inputs import EditInput, OverrideInput, RateInput, TargetInput
from contracts.models import ContractEdit
from contracts.provider_inputs import RoyaltyInput
from contracts.queries import agreement, customer_terms, edit_history
from contracts.wording import BY_HAND, OVERTAKEN, history_in_words
from invoicing.queries.documents import drafts_of
from invoicing.services import finalize_due
from tests.contracts.conftest import Api
from tests.factories.contracts import CommitFactory, OverrideFactory, ScheduledChargeFactory, charge_input, commit_input
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db

UNDO = "/v1/contracts/edits/undo"
HALF = OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D("0.5"))
NOW = at("2025-11-05")


@pytest.fixture
def api(acme, clock_at):
    clock_at("2025-11-05")
    return Api(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def edit(acme):
    return lambda **given: services.edit_contract(
        acme.customer, acme.contract.pk, EditInput(**given), at=at("2025-11-04"), by=ADA
    )


@pytest.fixture
def undo(api, acme):
    def undone(edit, *, status=200, **more):
        ids = {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk), "edit_id": str(edit.pk)}
        return api.post(UNDO, ids | more, status=status)

    return undone


def held(acme):
    """What stands, but for ids and when it was added."""
    [contract] = customer_terms(acme.customer.pk).contracts
    overrides = [(o.type, o.multiplier, o.tariff, o.tiers, o.targets, o.period, o.entitled) for o in contract.overrides]
    return contract.name, contract.term, contract.net_payment_terms_days, overrides, contract.commits, contract.charges


def test_everything_that_one_edit_added_and_renamed_is_taken_back(acme, edit, undo):
    before = held(acme)
    made = edit(
        add_overrides=(HALF,),
        add_commits=(commit_input(),),
        add_scheduled_charges=(charge_input(DECEMBER),),
        update_contract_name="Deal",
        update_net_payment_terms_days=D(30),
        reason="too early",
    )
    assert held(acme) != before

    shown = undo(made, reason="They have not signed")["data"]["edit"]

    assert held(acme) == before
    assert shown["undoes"] == {"id": str(made.pk), "number": made.number}
    assert [each["id"] for each in shown["remove_overrides"]] == [str(o.pk) for o in made.added_overrides.all()]
    told = history_in_words(acme.contract)[0]
    assert (told.changes[0], told.reason) == (f"Edit {made.number} is undone.", "They have not signed")
    # What was known in between stays known.
    [then] = customer_terms(acme.customer.pk, at_edit=made.number).contracts
    assert (then.name, len(then.commits)) == ("Deal", 1)


def test_the_money_is_what_it_was(acme, edit, undo):
    acme.calls("2025-10-07T00", 100)
    before = [draft.total for draft in drafts_of(acme.customer.pk, at=NOW)]
    made = edit(add_overrides=(HALF,))
    assert [draft.total for draft in drafts_of(acme.customer.pk, at=NOW)] != before
    undo(made)
    assert [draft.total for draft in drafts_of(acme.customer.pk, at=NOW)] == before


def test_overrides_of_every_kind_that_were_taken_out_are_agreed_again(acme, edit, undo):
    values = {"model": "xl"}
    kinds = (
        HALF,
        OverrideInput(
            NOVEMBER,
            DECEMBER,
            type="OVERWRITE",
            overwrite_rate=RateInput("FLAT", price=D(30)),
            override_specifiers=(TargetInput(acme.prices.tokens.pk, pricing_group_values=values),),
        ),
        OverrideInput(NOVEMBER, entitled=False, product_id=acme.prices.calls.pk),
    )
    added = edit(add_overrides=kinds)
    before = held(acme)
    made = edit(remove_overrides=tuple(each.pk for each in agreement(acme.customer.pk, acme.contract.pk).overrides))
    assert held(acme) != before
    undo(made)
    assert held(acme) == before
    assert added.added_overrides.count() == 3


def test_an_undoing_can_be_undone_and_each_edit_only_once(acme, edit, undo):
    made = edit(add_overrides=(HALF,), update_contract_end_date=None)
    after = held(acme)
    undo(made)
    [error] = undo(made, status=409)["errors"]
    assert (error["field"], error["rule"][:24]) == ("edit_id", "is undone already, by ed")
    undone = edit_history(acme.customer.pk, acme.contract.pk)[-1].edit
    undo(undone)
    assert held(acme) == after


@pytest.mark.parametrize(
    ("given", "later", "rule"),
    [
        pytest.param({"update_contract_name": "Deal"}, {"update_contract_name": "Other"}, "must be an", id="renamed"),
        pytest.param({"update_contract_end_date": NOVEMBER}, {}, "changes more", id="an end that cuts a balance"),
    ],
)
def test_what_cannot_be_undone_is_refused_and_stays(acme, edit, undo, given, later, rule):
    CommitFactory(contract=acme.contract, segment__starting_at=OCTOBER, segment__ending_before=DECEMBER)
    made = edit(**given)
    if later:
        edit(**later)
    before, edits = held(acme), ContractEdit.objects.count()
    [error] = undo(made, status=400)["errors"]
    assert (error["field"], error["rule"].startswith(rule)) == ("edit_id", True), error
    assert (held(acme), ContractEdit.objects.count()) == (before, edits)


def test_what_was_taken_out_by_hand_since_is_not_taken_out_again(acme, edit, undo):
    made = edit(add_overrides=(HALF,))
    edit(remove_overrides=(made.added_overrides.get().pk,))
    [error] = undo(made, status=400)["errors"]
    assert error["rule"].startswith("must be an edit that still holds")


def test_the_creation_and_edits_of_others_are_not_found(acme, undo):
    for edit in (acme.contract.edits.get(kind="CREATION"), ContractEdit(pk=uuid7())):
        assert undo(edit, status=404)["message"] == "There is no such edit of this contract."


def test_an_end_in_a_billed_month_is_not_brought_back(acme, edit, undo):
    acme.calls("2025-10-07T00", 100)
    made = edit(update_contract_end_date=NOVEMBER)
    finalize_due(acme.customer.pk, at=NOW, by=ADA)
    before = held(acme)
    undo(made)  # November goes on from there
    assert held(acme) != before


# --- By a click ----------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(api):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def test_the_history_leads_to_a_page_that_undoes(acme, edit, browser):
    acme.calls("2025-10-07T00", 100)
    made = edit(add_overrides=(HALF,), reason="half off")
    contract = reverse("admin:contracts_contract_change", args=[acme.contract.pk])
    page = reverse("admin:contracts_contract_undo", args=[acme.contract.pk, made.number])
    assert f'href="{page}"' in browser.get(contract).content.decode()

    asked = browser.get(page)
    assert "$1.00 → $2.00" in " ".join(asked.content.decode().split())
    based_on = asked.context["form"]["based_on_edit"].value()
    assert browser.post(page, {"reason": "", "based_on_edit": based_on}).status_code == 200  # a reason is needed
    answer = browser.post(page, {"reason": "a mistake", "based_on_edit": based_on}, follow=True)
    assert f"Edit {made.number} is undone by edit {made.number + 1}." in answer.content.decode()
    assert customer_terms(acme.customer.pk).contracts[0].overrides == ()
    assert f'href="{page}"' not in answer.content.decode()
    assert "is undone already, by edit" in browser.get(page).content.decode()


def test_undoing_is_not_offered_for_what_it_would_refuse(acme, edit, browser):
    made = edit(
        add_reseller_royalties=(RoyaltyInput("AWS", D("0.1"), "7", OCTOBER, applicable_product_tags=("usage",)),)
    )
    page = reverse("admin:contracts_contract_undo", args=[acme.contract.pk, made.number])
    shown = browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])).content.decode()
    assert page not in shown
    assert "what it changed is changed back by an edit by hand" in shown
    assert "changes more than can be undone at once" in browser.get(page).content.decode()


def test_undoing_is_not_offered_for_what_a_later_edit_changed(acme, edit):
    """The last one stands, and so does what nobody touched."""
    charge = ScheduledChargeFactory(contract=acme.contract)
    edit(add_overrides=(HALF,))
    added = edit(add_overrides=(replace(HALF, starting_at=NOVEMBER),))
    edit(update_contract_name="Deal")
    edit(update_contract_name="Other")
    edit(remove_overrides=(added.added_overrides.get().pk,))
    edit(archive_scheduled_charges=(charge.pk,))
    told = {each.number: each.not_undone for each in history_in_words(acme.contract)}
    numbers = sorted(told)[-6:]
    assert [told[number] for number in numbers] == ["", OVERTAKEN, OVERTAKEN, "", "", BY_HAND]


def test_who_was_overtaken_looks_again(acme, edit, browser):
    made = edit(add_overrides=(HALF,))
    page = reverse("admin:contracts_contract_undo", args=[acme.contract.pk, made.number])
    based_on = browser.get(page).context["form"]["based_on_edit"].value()
    edit(update_contract_name="Other")
    answer = browser.post(page, {"reason": "a mistake", "based_on_edit": based_on}, follow=True)
    assert "has edited this contract meanwhile" in answer.content.decode()
    assert len(customer_terms(acme.customer.pk).contracts[0].overrides) == 1


def test_what_is_not_there_or_not_allowed(acme, edit, browser):
    made = edit(add_overrides=(HALF,))
    OverrideFactory(contract=acme.contract)
    number = made.number + 90
    assert browser.get(reverse("admin:contracts_contract_undo", args=[acme.contract.pk, number])).status_code == 404
    reader = Client()
    reader.force_login(User.objects.create_user("reader", is_staff=True))
    page = reverse("admin:contracts_contract_undo", args=[acme.contract.pk, made.number])
    assert reader.get(page).status_code == 403
