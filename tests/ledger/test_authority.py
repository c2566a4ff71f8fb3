"""A source may be the authority for an event type: others are refused and listed; and who is quiet is seen."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Conflict, Refusal
from ledger.models import EventKey, IngestCall, RefusedCall, SourceActivity, SourceAuthority
from ledger.services.activity import refresh_activity
from ledger.services.authority import declare_authority, end_authority
from ledger.services.ingest import NotTheAuthority
from tests.factories.ledger import NOON, event, post

LATER = NOON + timedelta(hours=1)
TOLD = {"reason": "The meter counts", "at": NOON, "by": Actor.command("Ada")}


@pytest.mark.django_db
class TestDeclaring:
    def test_any_other_source_is_refused_from_its_hour_on(self):
        declare_authority("api_call", "meter", starting_at=LATER, **TOLD)
        post(event("early"), at=NOON, source="billing")
        with pytest.raises(NotTheAuthority, match="count from meter alone, and this token's source is billing"):
            post(event("other", event_type="other"), event("a"), source="billing")
        assert [key.transaction_id for key in EventKey.objects.all()] == ["early"]
        post(event("a"), source="meter")
        post(event("b", event_type="other"), source="billing")
        assert IngestCall.objects.get(source="meter").event_types == {"api_call": 1}

    def test_it_is_handed_over_and_ended(self):
        first = declare_authority("api_call", "meter", **TOLD)
        assert declare_authority("api_call", "meter", **TOLD) == first
        declare_authority("api_call", "gateway", starting_at=LATER, **TOLD)
        assert SourceAuthority.objects.get(pk=first.pk).ending_before == LATER
        with pytest.raises(NotTheAuthority):
            post(event(), source="meter")
        post(event(), source="gateway")
        with pytest.raises(Conflict):
            declare_authority("api_call", "third", starting_at=NOON, **TOLD)
        second = SourceAuthority.objects.get(source="gateway")
        end_authority(second.pk, **TOLD)
        post(event(), at=LATER + timedelta(hours=1), source="meter")
        assert second.history.first().history_change_reason == "The meter counts"

    def test_the_hour_and_the_names_are_checked(self):
        with pytest.raises(Refusal):
            declare_authority("api_call", "meter", starting_at=NOON + timedelta(minutes=1), **TOLD)

    def test_the_database_knows_one_at_a_time(self):
        for start, end in ((NOON, LATER), (LATER, None)):
            SourceAuthority.objects.create(
                event_type="api_call", source="meter", starting_at=start, ending_before=end, created_at=NOON
            )
        with pytest.raises(IntegrityError), transaction.atomic():
            SourceAuthority.objects.create(
                event_type="api_call", source="other", starting_at=LATER + timedelta(days=9), created_at=NOON
            )


@pytest.mark.django_db(transaction=True)
def test_over_http_it_is_403_and_listed(client):
    declare_authority("api_call", "meter", **TOLD)
    _, secret = tokens.create_token("billing", scope="ingest", at=NOON, by=Actor.command("Ada"))
    headers = {"Authorization": f"Bearer {secret}"}
    sent = [event(), event(), event(event_type="other")]
    response = client.post("/v1/ingest", sent, content_type="application/json", headers=headers)
    assert (response.status_code, response.json()["errors"][0]["rule"]) == (403, "is sent by meter alone")
    assert not EventKey.objects.exists()
    [refused] = RefusedCall.objects.all()
    assert (refused.source, refused.event_type, refused.authority, refused.events) == (
        "billing",
        "api_call",
        "meter",
        2,
    )
    connection.close()


@pytest.mark.django_db
def test_activity_says_when_a_source_was_seen_and_how_far_apart_it_is():
    for minute in (0, 10, 20, 30):
        post(event(), event(), at=LATER + timedelta(minutes=minute), source="meter")
    post(event(event_type="other"), at=LATER, source="billing")
    for _ in range(2):
        refresh_activity(at=LATER + timedelta(minutes=31))
    post(event(), at=LATER + timedelta(minutes=40), source="meter")
    refresh_activity(at=LATER + timedelta(minutes=41))
    found = {(one.source, one.event_type): one for one in SourceActivity.objects.all()}
    meter, other = found["meter", "api_call"], found["billing", "other"]
    assert (meter.calls, meter.events, meter.last_at) == (5, 9, LATER + timedelta(minutes=40))
    assert meter.usual_gap_seconds == pytest.approx(600)
    assert (other.calls, other.usual_gap_seconds) == (1, None)
