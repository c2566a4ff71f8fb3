"""Home: what waits for somebody, at the cost of one look, whatever there is."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation import clock
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import Job, TestClock
from billing_site.home import SHOWN
from billing_site.roles import Role
from contracts import services
from contracts.inputs import EditInput, OverrideInput
from contracts.models import Contract, PaymentGate, PaymentOutcome
from invoicing.models import CommitmentSummary, DraftSummary
from invoicing.services import summaries
from ledger.models import SourceActivity
from ledger.queries.glance import strangers
from tests.factories.contracts import ClaimFactory, CommitFactory, ContractFactory, CustomerFactory, EditFactory
from tests.factories.invoicing import InvoiceFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import (
    ADA,
    CompositeProductFactory,
    CompositeRateFactory,
    MetricFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
)
from tests.pages import words

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 10, 20, 12, tzinfo=UTC)
HOME = reverse("admin:index")
MANY = 30


@pytest.fixture(autouse=True)
def _sandbox(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)


@pytest.fixture
def staff():
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def refreshed():
    while summaries.refresh_what_is_due():
        pass


@pytest.fixture
def card():
    """API calls at a cent; at two from December on."""
    product = ProductFactory(version__billable_metric=MetricFactory())
    rate = RateFactory(product=product, rate_card=RateCardFactory(name="List prices"))
    RateFactory(product=product, rate_card=rate.rate_card, price=D(2), starting_at=datetime(2025, 12, 1, tzinfo=UTC))
    return rate.rate_card


def customer_on(card, name, subject):
    october = datetime(2025, 10, 1, tzinfo=UTC)
    contract = ContractFactory(
        customer=CustomerFactory(name=name, aliases=[subject]), rate_card=card, starting_at=october
    )
    CommitFactory(contract=contract, name="$100,000 this year")
    post(event(customer_id=subject), event(customer_id=subject))
    return contract


def waiting(contract, amount=D(9_000), **of):
    """A gate, since the beginning of the year."""
    added = {"contract": contract, "type": "PREPAID", "segment__amount": amount, "invoice_item__amount": amount}
    commit = CommitFactory(**added, **of)
    told = {"customer": contract.customer, "added_by_edit": commit.added_by_edit, "created_at": commit.created_at}
    return PaymentGate.objects.create(commit=commit, type="EXTERNAL", **told)


def test_home_shows_drafts_commitments_and_prices_to_come(staff, card):
    customer_on(card, "Acme", "acme")
    refreshed()
    page = words(staff.get(HOME))
    assert "Acme October 2025 so far $0.02 2 November 2025" in page
    assert "$0.02 of usage, as of 20 October 2025, 12:00 UTC" in page
    assert "$0.02 of $100,000.00 , $99,999.98 left until 1 January 2026" in page
    assert "API calls $0.01 → $0.02 each from 1 December 2025 List prices" in page
    assert "The test clock stands at 20 October 2025, 12:00 UTC" in page


def test_home_costs_the_same_for_one_customer_and_for_many(staff, card):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert staff.get(HOME).status_code == 200
        return len(found)

    waiting(customer_on(card, "Acme", "acme"))
    post(event(customer_id="stranger"))
    refreshed()
    one = queries()
    for number in range(MANY):
        waiting(customer_on(card, f"Customer {number}", f"customer-{number}"))
        post(event(customer_id=f"stranger-{number}"))
        RateFactory(rate_card=RateCardFactory(), starting_at=datetime(2025, 11, 1, tzinfo=UTC))
    refreshed()
    assert queries() == one
    assert one <= 48
    page = words(staff.get(HOME))
    drafts = re.findall(r"All \d+ drafts", page)
    assert drafts == [f"All {3 * MANY + 3} drafts"]  # the month, the true-up and what waits for its payment, of each
    assert f"All {MANY + 1} commitments" in page


def test_payments_that_somebody_has_to_record_are_listed_for_who_may(staff):
    acme = ContractFactory()
    archived = ContractFactory(archived_at=NOW, customer__name="Gone", customer__aliases=["gone"])
    gate, paid = waiting(acme), waiting(acme, D(7_777))
    told = {"customer": acme.customer, "added_by_edit": EditFactory(customer=acme.customer), "created_at": NOW}
    PaymentOutcome.objects.create(gate=paid, outcome="PAID", **told)
    waiting(archived)
    page = staff.get(HOME)
    assert [row.customer for row in page.context["payments"]] == ["Acme"]
    assert "Acme $90.00 since 1 January 2025" in words(page)
    assert reverse("admin:contracts_commit_payment", args=[gate.commit_id]) in page.content.decode()
    for _ in range(SHOWN):
        waiting(acme)
    assert "And 1 more" in words(staff.get(HOME))

    client, user = Client(), User.objects.create_user("vera", is_staff=True)
    client.force_login(user)
    assert "payments" not in client.get(HOME).context


def test_held_drafts_stand_out(staff, card):
    contract = customer_on(card, "Acme", "acme")
    RateFactory(
        rate_card=card,
        product=ProductFactory(name="Models", version__pricing_group_key=["model"]),
        pricing_group_values={"model": "xl"},
    )
    post(event(customer_id="acme"))
    refreshed()
    page = words(staff.get(HOME))
    assert "held by 1 finding" in page
    listed = staff.get(reverse("admin:invoicing_draftsummary_changelist"), {"held": "yes"})
    assert "held, findings: 1" in words(listed)
    assert contract.pk


def test_what_cannot_be_computed_is_said(staff, card):
    """Composites that stand on each other, which no service lets anybody write."""
    customer_on(card, "Acme", "acme")
    one, other = uuid7(), uuid7()
    for name, own, listed in (("Support", one, other), ("Tax", other, one)):
        definition = {"version__composite_product_ids": [str(listed)], "version__include_composite_spend": True}
        product = CompositeProductFactory(id=own, name=name, **definition)
        CompositeRateFactory(rate_card=card, product=product)
    refreshed()
    assert "The drafts of Acme could not be computed: CompositeCycle: These composites stand" in words(staff.get(HOME))


def test_subjects_that_nobody_claims_are_counted():
    ClaimFactory(subject="acme")
    post(event(customer_id="acme"))
    post(*(event(customer_id="stranger") for _ in range(3)), event(customer_id="aardvark"))
    found = [(row.subject, row.event_count) for row in strangers(10)]
    assert found == [("aardvark", 1), ("stranger", 3)]
    assert len(strangers(1)) == 1


def test_unmatched_subjects_and_failed_jobs_are_shown(staff):
    MetricFactory()
    post(event(customer_id="<b>stranger</b>"))
    due = {"customer_id": str(CustomerFactory(name="Acme").pk), "due_at": "2025-11-02T00:00:00Z"}
    job = {"kind": "finalize_due", "key": "x", "payload": due, "state": "FAILED", "error": "It is held."}
    Job.objects.create(**job, created_at=clock.wall_time())
    page = staff.get(HOME)
    assert "&lt;b&gt;stranger&lt;/b&gt;" in page.content.decode()
    assert "1 Oct 2025" in words(page)
    assert "Finalize what is due Acme, due 2 November 2025 It is held." in words(page)


def test_unmatched_usage_is_valued_at_the_prices_that_most_contracts_have(staff, card):
    customer_on(card, "Acme", "acme")
    RateFactory(rate_card=RateCardFactory(name="Old list"))
    post(*(event(customer_id="stranger") for _ in range(7)))
    page = words(staff.get(HOME))
    assert "stranger 7 $0.07 1 Oct 2025" in page
    assert "Worth: the last 31 days at flat prices of List prices." in page


def test_commitments_off_their_pace_come_first_and_lead_to_the_list_of_them(staff):
    october, end = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 11, 9, tzinfo=UTC)  # half of it is over
    contract = ContractFactory()
    for used, name in ((5, "Slow"), (45, "Even"), (90, "Fast")):
        CommitmentSummary.objects.create(
            id=uuid7(),
            customer=contract.customer,
            contract=contract,
            name=name,
            type="POSTPAID",
            starting_at=october,
            ending_before=end,
            amount=D(100),
            used=D(used),
            unit=contract.rate_card.fiat_unit,
        )
    page = words(staff.get(HOME))
    assert re.findall(r"(Slow|Even|Fast)( \d+ points (?:behind|ahead))?", page) == [
        ("Slow", " 45 points behind"),
        ("Fast", " 40 points ahead"),
        ("Even", ""),
    ]
    assert "1 behind , 1 ahead of an even pace" in page
    for pace, name in (("behind", "Slow"), ("ahead", "Fast")):
        listed = staff.get(reverse("admin:invoicing_commitmentsummary_changelist"), {"pace": pace})
        assert [row.name for row in listed.context["cl"].result_list] == [name]


def test_this_months_usage_stands_beside_the_last_ones(staff, card):
    contract = customer_on(card, "Acme", "acme")
    refreshed()
    september = datetime(2025, 9, 1, tzinfo=UTC)
    InvoiceFactory(
        contract=contract,
        slot="2025-09-01T00:00:00+00:00",
        starting_at=september,
        ending_before=datetime(2025, 10, 1, tzinfo=UTC),
        issued_at=datetime(2025, 10, 1, tzinfo=UTC),
        total=D(8),
        lines=[D(8)],
    )
    page = words(staff.get(HOME))
    assert "October 2025 so far September 2025 So far, of that $0.02 $0.08 25 %" in page
    assert "63 % of October 2025 is over" in page


def test_sources_that_have_gone_quiet_are_named(staff):
    noon = NOW.replace(hour=12)
    for source, last, gap in (("meter", noon - timedelta(hours=5), 3_600), ("other", noon - timedelta(hours=2), 3_600)):
        SourceActivity.objects.create(
            source=source, event_type="<b>call", first_at=noon, last_at=last, calls=9, events=9, usual_gap_seconds=gap
        )
    page = staff.get(HOME)
    assert "meter &lt;b&gt;call silent for 5 hours , usually 1 hour apart" in words(page)
    assert [row.source for row in page.context["quiet"]] == ["meter"]


def test_what_waits_for_usage_that_cannot_be_billed_is_told(staff, card):
    customer_on(card, "Acme", "acme")
    refreshed()
    DraftSummary.objects.filter(kind="USAGE").update(blocking=1)
    assert "1 draft with usage that cannot be billed : $0.02 of other lines waits for it." in words(staff.get(HOME))


def test_an_empty_house_says_so(staff):
    page = words(staff.get(HOME))
    for text in (
        "No contract has an open billing period.",
        "Nobody has promised to spend.",
        "No price is scheduled to change.",
        "Every subject that sends events belongs to a customer.",
    ):
        assert text in page
    assert "Start here" not in page


def steps(client):
    return {step.name: step.is_done for step in client.get(HOME).context["steps"]}


def test_the_way_through_the_story_is_marked_as_it_happens(staff, card):
    contract = ContractFactory(rate_card=card)
    assert steps(staff) == dict.fromkeys(["open", "deal", "customer", "why", "clock"], False)
    answer = staff.get(reverse("start_step", args=["open"]))
    assert answer.headers["Location"] == reverse("admin:contracts_contract_change", args=[contract.pk])
    assert staff.get(reverse("start_step", args=["customer"])).headers["Location"].startswith("/portal/")
    override = OverrideInput(NOW.replace(hour=0), type="MULTIPLIER", multiplier=D("0.5"))
    services.edit_contract(contract.customer, contract.pk, EditInput(add_overrides=(override,)), at=NOW, by=ADA)
    assert steps(staff) == {"open": True, "deal": True, "customer": True, "why": False, "clock": False}
    assert staff.get(reverse("start_step", args=["nowhere"])).status_code == 404


def test_the_way_through_the_story_can_be_hidden_and_brought_back(staff, card):
    customer_on(card, "Acme", "acme")
    staff.post(reverse("hide_start"), {"hidden": "1"})
    page = words(staff.get(HOME))
    assert "Start here" not in page
    assert "Show the way through the story" in page
    staff.post(reverse("hide_start"), {})
    assert "Start here" in words(staff.get(HOME))
    assert staff.get(reverse("hide_start")).status_code == 405


@pytest.mark.parametrize(("role", "offered"), [(Role.OPERATOR, True), (Role.AUDITOR, False)])
def test_the_clock_is_offered_to_whoever_may_move_it(card, role, offered):
    ContractFactory(rate_card=card)
    client, user = Client(), User.objects.create_user("vera", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    assert ("clock" in steps(client)) == offered


def test_outside_a_sandbox_there_is_no_story(staff, card, settings):
    customer_on(card, "Acme", "acme")
    settings.SANDBOX = False
    page = words(staff.get(HOME))
    assert "Start here" not in page
    assert "test clock" not in page.lower()
    assert staff.get(reverse("start_step", args=["open"])).status_code == 404


def test_whoever_may_see_less_sees_less(card):
    customer_on(card, "Acme", "acme")
    refreshed()
    client, user = Client(), User.objects.create_user("vera", is_staff=True)
    client.force_login(user)
    page = words(client.get(HOME))
    assert "Open drafts" not in page
    assert "Commitments" not in page
    user.user_permissions.set(Permission.objects.filter(codename="view_draftsummary"))
    assert "October 2025 so far" in words(client.get(HOME))
    assert Client().get(reverse("start_step", args=["open"])).status_code == 302


@pytest.mark.parametrize("name", ["invoicing_draftsummary", "invoicing_commitmentsummary", "contracts_contract"])
def test_lists_cost_the_same_for_one_row_and_for_three(staff, card, name):
    place = reverse(f"admin:{name}_changelist")

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert "Customer" in words(staff.get(place))
        return len(found)

    customer_on(card, "Customer 0", "customer-0")
    refreshed()
    one = queries()
    for number in (1, 2):
        customer_on(card, f"Customer {number}", f"customer-{number}")
    refreshed()
    assert queries() == one


def test_a_row_of_a_list_leads_to_what_it_is_about(staff, card):
    contract = customer_on(card, "Acme", "acme")
    refreshed()
    commit = contract.commits.get()
    page = staff.get(reverse("admin:invoicing_commitmentsummary_change", args=[commit.pk]))
    assert page.headers["Location"] == reverse("admin:contracts_contract_change", args=[contract.pk])
    listed = staff.get(reverse("admin:contracts_contract_changelist"))
    assert '<span class="house-number">$0.02</span>' in listed.content.decode()


def test_contracts_that_end_soon_are_listed_with_what_will_happen(staff):
    shown = {"twelve": 12, "forty": 40, "eighty": 80, "far": 91, "over": -1}
    for name, days in shown.items():
        end = datetime(2025, 10, 20, tzinfo=UTC) + timedelta(days=days)
        policy = "RENEW" if name == "forty" else "STOP"
        ContractFactory(
            customer__name=f"Customer {name}",
            customer__aliases=[name],
            terms__ending_before=end,
            terms__end_policy=policy,
        )
    home = words(staff.get(HOME))
    assert "Customer twelve Contract in 12 days 1 November 2025: it stops" in home
    assert "Customer forty Contract in 40 days 29 November 2025: it renews" in home
    badges = re.findall(r'house-badge ([a-z]*)">in (\d+) days', staff.get(HOME).content.decode())
    assert badges == [("bad", "12"), ("warn", "40"), ("", "80")]
    assert "Customer far" not in home
    assert "Customer over" not in home

    listed = reverse("admin:contracts_contract_changelist")
    assert f"{listed}?ending=90" in staff.get(HOME).content.decode()
    within = words(staff.get(f"{listed}?ending=60"))
    assert [name for name in shown if f"Customer {name}" in within] == ["twelve", "forty"]
    assert staff.get(f"{listed}?ending=soon").status_code == 302, "back to all of them"
    nearest = Contract.objects.get(customer__name="Customer twelve")
    page = words(staff.get(reverse("admin:contracts_contract_change", args=[nearest.pk])))
    assert "It ends in 12 days, on 1 November 2025: it stops. Renew it" in page


def test_who_opens_the_login_itself_comes_home(client, admin_user):
    entered = client.post("/admin/login/", {"username": admin_user.username, "password": "password"})
    assert (entered.status_code, entered["Location"]) == (302, "/admin/")
