"""Events taken back and amended: every aggregation is right afterwards, and every refusal has its name."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from ledger.models import EventCorrection, UnreadValue
from ledger.queries.checks import usage_differs
from ledger.queries.events import find_events
from ledger.queries.usage import Window
from ledger.queries.values import Question, values_of
from ledger.services.corrections import GoneBeyondTheHorizon, amend_event, void_event
from ledger.services.retention import drop_month
from tests.factories.ledger import NOON, event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=2)
TOLD = {"reason": "Sent by mistake", "at": LATER, "by": Actor.command("Ada")}
KINDS = ("COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM")


@pytest.fixture
def metrics():
    return [
        MetricFactory(
            aggregation_type=kind, aggregation_key="" if kind == "COUNT" else "value", group_keys=[["region"]]
        )
        for kind in KINDS
    ]


@pytest.fixture
def values(metrics):
    """Of the two hours from noon on, by aggregation."""

    def read(subject="acme"):
        window = Window((subject,), NOON, NOON + timedelta(hours=2))
        asked = [Question(metric, (window,)) for metric in metrics]
        answers = values_of(asked, until=LATER)
        return {kind: answer.get(()) for kind, answer in zip(KINDS, answers, strict=True)}

    return read


def used(transaction_id, value, minutes=0, **more):
    return event(
        transaction_id,
        timestamp=(NOON + timedelta(minutes=minutes)).isoformat(),
        properties={"value": value, "region": "eu"},
        **more,
    )


def test_a_void_event_counts_nothing_and_the_others_all_they_did(metrics, values):
    post(used("a", 3), used("b", 7, 10), used("c", "7.0", 70), used("d", 5, 20))
    made = void_event("b", **TOLD)
    assert (made.correction.kind, made.correction.number, made.is_repeat) == ("VOID", 1, False)
    assert values() == {"COUNT": 3, "SUM": 15, "MAX": 7, "LATEST": 7, "UNIQUE": 3, "WEIGHTED_SUM": D("20.166666666667")}
    void_event("c", subject="acme", **TOLD)
    assert values() == {"COUNT": 2, "SUM": 8, "MAX": 5, "LATEST": 5, "UNIQUE": 2, "WEIGHTED_SUM": D("14.333333333333")}
    assert usage_differs() == []
    for transaction_id in "ad":
        void_event(transaction_id, **TOLD)
    assert {kind: value for kind, value in values().items() if value} == {}
    assert usage_differs() == []


def test_voiding_again_and_sending_again_changes_nothing(metrics, values):
    post(used("a", 3), used("b", 4))
    void_event("a", **TOLD)
    before = values()
    assert void_event("a", **TOLD).is_repeat
    assert post(used("a", 3)).duplicates == 1
    assert values() == before
    assert EventCorrection.objects.count() == 1
    assert usage_differs() == []


def test_an_amended_event_counts_what_it_says_now(metrics, values):
    post(used("a", 3), used("b", 9, 10), used("c", 5, 20))
    made = amend_event("b", properties={"value": "4.5", "region": "us"}, **TOLD)
    assert (made.correction.number, made.correction.event_type) == (1, "api_call")
    assert values()["MAX"] == 5
    assert values()["SUM"] == D("12.5")
    amend_event("b", timestamp=(NOON + timedelta(minutes=90)).isoformat(), **TOLD)
    assert values() == {"COUNT": 3, "SUM": D("12.5"), "MAX": 5, "LATEST": D("4.5"), "UNIQUE": 3} | {
        "WEIGHTED_SUM": D("16.583333333333")
    }
    assert usage_differs() == []
    amend_event("b", event_type="other", **TOLD)
    assert values()["COUNT"] == 2
    [found] = find_events(["b"])
    assert (found.event_type, found.correction, found.metrics) == ("other", 3, ())
    assert usage_differs() == []
    amend_event("b", event_type="api_call", timestamp=NOON.isoformat(), properties={"value": 100}, **TOLD)
    void_event("b", **TOLD)
    assert values() == {"COUNT": 2, "SUM": 8, "MAX": 5, "LATEST": 5, "UNIQUE": 2} | {
        "WEIGHTED_SUM": D("14.333333333333")
    }
    assert usage_differs() == []


def test_saying_the_same_again_changes_nothing(metrics):
    post(used("a", 3))
    amend_event("a", properties={"value": 4}, **TOLD)
    assert amend_event("a", properties={"value": 4.0}, **TOLD).is_repeat
    assert EventCorrection.objects.count() == 1


def test_a_value_that_could_not_be_read_is_put_right(metrics, values):
    post(used("a", "many"))
    assert UnreadValue.objects.count() == 4
    amend_event("a", properties={"value": 3}, **TOLD)
    assert not UnreadValue.objects.exists()
    assert values()["SUM"] == 3
    assert usage_differs() == []


class TestRefusals:
    def test_an_id_of_several_subjects_needs_its_subject(self, metrics, values):
        post(used("a", 3), used("a", 3, customer_id="globex"))
        with pytest.raises(Conflict, match="ambiguous: name the customer_id, one of acme, globex"):
            void_event("a", **TOLD)
        void_event("a", subject="globex", **TOLD)
        assert values("acme")["SUM"] == 3
        assert not values("globex")["SUM"]
        assert usage_differs() == []

    def test_an_event_that_is_not_there(self, metrics):
        post(used("a", 3))
        for named in ({"transaction_id": "b"}, {"transaction_id": "a", "subject": "globex"}):
            with pytest.raises(NotFound):
                void_event(**named, **TOLD)

    def test_a_void_event_is_not_amended(self, metrics):
        post(used("a", 3))
        void_event("a", **TOLD)
        with pytest.raises(Conflict, match="was taken back"):
            amend_event("a", properties={}, **TOLD)

    @pytest.mark.parametrize(
        "changes",
        [
            {"reason": " "},
            {"timestamp": "soon"},
            {"timestamp": "2026-01-01T00:00:00Z"},
            {"properties": {"a": "\0"}},
            {},
        ],
    )
    def test_the_rules_of_events_hold(self, metrics, changes):
        post(used("a", 3))
        with pytest.raises(Refusal):
            amend_event("a", **TOLD | changes)
        assert not EventCorrection.objects.exists()

    def test_beyond_the_horizon(self, metrics):
        post(used("a", 3))
        november = LATER + timedelta(days=40)
        post(used("b", 4), at=november)
        drop_month(NOON.date().replace(day=1), at=november, by=Actor.command("Ada"))
        with pytest.raises(GoneBeyondTheHorizon, match="bodies from before 2025-11-01 are no longer kept"):
            void_event("a", **TOLD | {"at": november})
        with pytest.raises(GoneBeyondTheHorizon, match="hour whose other events may be gone"):
            void_event("b", **TOLD | {"at": november})

    def test_the_database_keeps_corrections(self, metrics):
        post(used("a", 3))
        void_event("a", **TOLD)
        with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
            cursor.execute("DELETE FROM ledger_eventcorrection")
