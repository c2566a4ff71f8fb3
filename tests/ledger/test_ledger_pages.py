"""Pages of the admin about usage: events and why they count, a dry run, unmatched subjects, sources."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from contracts.queries import owner_of
from contracts.services import set_ingest_aliases
from ledger.models import EventCorrection, EventKey, SourceAuthority
from ledger.queries.checks import usage_differs
from ledger.queries.findings import repeated_ids, unused_metrics, unwanted_types
from ledger.queries.unmatched import unmatched_subjects
from ledger.queries.verdicts import explain
from ledger.services.activity import refresh_activity
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.ledger import NOON, event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sold():
    metric = MetricFactory(
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        property_filters=[{"name": "tier", "not_in_values": ["free"]}],
        group_keys=[["model"]],
    )
    product = ProductFactory(name="Tokens", version__billable_metric=metric, version__pricing_group_key=["model"])
    card = RateCardFactory()
    RateFactory(rate_card=card, product=product, pricing_group_values={"model": "xl"}, price=2)
    customer = CustomerFactory(name="Acme", aliases=["acme"])
    ContractFactory(customer=customer, rate_card=card, starting_at=NOON - timedelta(hours=12))
    return customer


def told(properties, subject="acme", event_type="api_call"):
    explanation = explain(subject, event_type, NOON, properties)
    [verdict] = explanation.verdicts
    return explanation, verdict


class TestWhy:
    def test_an_event_that_is_billed(self, sold):
        explanation, verdict = told({"tokens": "3.50", "model": "xl"})
        assert (explanation.summary, explanation.owner) == ("It is billed.", sold)
        assert (verdict.value, verdict.group) == ("3.500000000000", {"model": "xl"}) or verdict.value == "3.5"
        assert verdict.prices[0].endswith("Tokens at 2 USD (cents) a unit, before overrides")

    @pytest.mark.parametrize(
        ("properties", "event_type", "reason"),
        [
            ({"tokens": 1}, "other", "its type 'other' is not among 'api_call'"),
            ({"tokens": 1, "tier": "free"}, "api_call", "its property 'tier' is 'free', which the metric leaves out"),
            ({}, "api_call", "it has no property 'tokens', which the metric reads"),
            ({"tokens": "many"}, "api_call", "its property 'tokens' cannot be read: it must be a number"),
            ({"tokens": 1, "model": "x" * 300}, "api_call", "its property 'model' is longer than 256 bytes"),
        ],
    )
    def test_why_not(self, sold, properties, event_type, reason):
        explanation, verdict = told(properties, event_type=event_type)
        assert verdict.why_not.startswith(reason)
        assert explanation.summary.startswith("No metric counts it")

    def test_nobody_owns_it_or_nothing_sells_it(self, sold):
        assert told({"tokens": 1}, subject="nobody")[0].summary.startswith("Nobody owns the subject nobody")
        explanation, verdict = told({"tokens": 1, "model": "small"})
        assert "has no rate for model small" in verdict.prices[0]
        assert explanation.summary.startswith("Its owner's contracts sell nothing")


def test_a_dry_run_stores_nothing(client, sold):
    post(event("known", properties={"tokens": 1}))
    _, secret = tokens.create_token("tests", scope="read", at=NOON, by=Actor.command("Ada"))
    sent = [
        event("new", properties={"tokens": 1, "model": "xl"}),
        event("known", properties={"tokens": 1.0}),
        event("known", properties={"tokens": 2}),
        event("bad", timestamp="soon"),
        event("nan", properties={"tokens": "NaN"}),
    ]
    headers = {"Authorization": f"Bearer {secret}"}
    reply = client.post("/v1/usage/events/dry_run", sent, content_type="application/json", headers=headers)
    trials = reply.json()["data"]
    assert [one["outcome"] for one in trials] == ["ACCEPTED", "DUPLICATE", "CONFLICT", "REFUSED", "REFUSED"]
    assert (trials[0]["summary"], trials[0]["matched_customer"]["name"]) == ("It is billed.", "Acme")
    assert trials[3]["errors"][0]["field"] == "[3].timestamp"
    assert EventKey.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"1", b"[]", b"\xff", b"\xff\xfe[\x00]\x00", b"[" * 100_000],
)
def test_a_dry_run_of_what_is_no_events_is_refused(client, db, body):
    _, secret = tokens.create_token("tests", scope="read", at=NOON, by=Actor.command("Ada"))
    headers = {"Authorization": f"Bearer {secret}"}
    reply = client.post("/v1/usage/events/dry_run", body, content_type="application/json", headers=headers)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, "body")


def test_a_dry_run_looks_at_each_event_by_itself_whatever_it_is(client, db):
    _, secret = tokens.create_token("tests", scope="read", at=NOON, by=Actor.command("Ada"))
    headers = {"Authorization": f"Bearer {secret}"}
    sent = b'[{"transaction_id": "\\ud83d"}, {"n": NaN} , {"n": %s}, [], "}", NaN, {} ]' % (b"9" * 5_000)
    reply = client.post("/v1/usage/events/dry_run", sent, content_type="application/json", headers=headers)
    trials = reply.json()["data"]
    assert [one["outcome"] for one in trials] == ["REFUSED"] * 7
    assert trials[0]["transaction_id"] == "\\ud83d"


class TestUnmatched:
    def test_subjects_that_nobody_claims_with_their_value(self, sold):
        post(
            event("a", customer_id="lost", properties={"tokens": 10, "model": "xl"}),
            event("b", customer_id="lost", timestamp=(NOON - timedelta(days=1)).isoformat()),
            event("c", properties={"tokens": 1}),
            event("d", customer_id="strange"),
        )
        lost, strange = unmatched_subjects(limit=10)
        assert (lost.subject, lost.events, lost.first_at, lost.last_at) == ("lost", 2, NOON - timedelta(days=1), NOON)
        assert (lost.value, lost.unit.code, strange.value) == (20, "USD", None)
        assert [one.subject for one in unmatched_subjects(after="lost", limit=1)] == ["strange"]

    def test_claiming_one_from_the_page(self, admin_client, sold):
        post(event("a", customer_id="lost"))
        page = reverse("admin:ledger_unmatched")
        assert b"lost" in admin_client.get(page).content
        sent = {"subject": "lost", "customer": str(sold.pk), "reason": "Found"}
        reply = admin_client.post(page, sent, follow=True)
        assert b"belongs to Acme now" in reply.content
        assert owner_of(["lost", "acme"], NOON) == {"lost": sold.pk, "acme": sold.pk}


class TestPages:
    def test_events_are_found_explained_and_corrected(self, admin_client, sold):
        post(event("a", properties={"tokens": 1, "model": "xl"}), event("b<script>"))
        page = reverse("admin:ledger_events")
        assert b"It is billed." in admin_client.get(page, {"transaction_id": "a"}).content
        shown = admin_client.get(page, {"subject": "acme", "starting_at": "2025-10-01", "ending_before": "2025-10-02"})
        assert b"b&lt;script&gt;" in shown.content
        assert b"<script>&gt;" not in shown.content
        sent = {"subject": "acme", "transaction_id": "a", "reason": "Wrong", "properties": '{"tokens": 2}'}
        admin_client.post(page, sent)
        admin_client.post(page, sent | {"properties": ""})
        assert list(EventCorrection.objects.order_by("number").values_list("kind", flat=True)) == ["AMEND", "VOID"]
        assert b"taken back" in admin_client.get(page, {"transaction_id": "a"}).content
        assert b"No such event" in admin_client.get(page, {"transaction_id": "nowhere"}).content
        assert usage_differs() == []

    def test_a_dry_run_is_pasted(self, admin_client, sold):
        page = reverse("admin:ledger_dry_run")
        assert admin_client.get(page).status_code == 200
        shown = admin_client.post(page, {"body": json.dumps(event("a", properties={"tokens": 1, "model": "xl"}))})
        assert b"ACCEPTED" in shown.content
        assert b"must be JSON" in admin_client.post(page, {"body": "{"}).content

    def test_sources(self, admin_client, sold):
        for minute in range(3):
            post(event(), at=NOON + timedelta(minutes=minute), source="meter")
        refresh_activity(at=NOON + timedelta(hours=1))
        shown = admin_client.get(reverse("admin:ledger_activity")).content
        assert b"meter" in shown
        assert b"quiet" in shown
        assert b"Tokens" in shown

    def test_findings_that_hold_nobodys_bill(self, admin_client, sold):
        MetricFactory(name="Forgotten")
        set_ingest_aliases(sold.pk, ["acme", "acme-eu"], at=NOON, by=Actor.command("Ada"))
        post(event("twice"), event("twice", customer_id="acme-eu"), event("once", customer_id="acme-eu"))
        post(event("other", event_type="unheard"), source="meter")
        refresh_activity(at=NOON + timedelta(hours=2))
        assert [one.event_type for one in unwanted_types()] == ["unheard"]
        assert [metric.name for metric in unused_metrics()] == ["Forgotten"]
        assert [(one.transaction_id, one.subjects) for one in repeated_ids()] == [("twice", ("acme", "acme-eu"))]
        shown = admin_client.get(reverse("admin:ledger_findings")).content
        for text in (b"unheard", b"Forgotten", b"twice", b"acme, acme-eu"):
            assert text in shown

    def test_an_authority_is_declared_in_the_admin(self, admin_client):
        sent = {"event_type": "api_call", "source": "meter", "starting_at": "", "reason": "It counts"}
        reply = admin_client.post(reverse("admin:ledger_sourceauthority_add"), sent)
        assert reply.status_code == 302, reply.content
        assert SourceAuthority.objects.get().source == "meter"

    @pytest.mark.parametrize("name", ["events", "dry_run", "unmatched", "activity", "findings"])
    def test_they_are_for_people_who_may_see_usage(self, client, django_user_model, name):
        django_user_model.objects.create_user("nobody", password="x", is_staff=True)
        client.login(username="nobody", password="x")
        assert client.get(reverse(f"admin:ledger_{name}")).status_code == 403
