"""Hours that changed late are marked, and a document's snapshot says which of the marks it has missed."""

import json
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from billing_site.foundation.actor import Actor
from ledger.models import LateMark
from ledger.queries.lateness import LateUsage, Seen, late_usage, marks_missing
from ledger.queries.usage import Window
from ledger.services.corrections import amend_event, void_event
from ledger.services.ingest import Call, Source, ingest_calls, read_events
from tests.factories.ledger import NOON, body, event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))
LATER = NOON + timedelta(days=40)
TOLD = {"reason": "Sent by mistake", "at": LATER, "by": Actor.command("Ada")}


def marked():
    return sorted((mark.subject, mark.hour) for mark in LateMark.objects.all())


def sent(transaction_id=None, instant=NOON, subject="acme", **properties):
    return event(transaction_id, customer_id=subject, timestamp=instant.isoformat(), properties=properties)


# --- Which hours are marked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "received", "hours"),
    [
        pytest.param("09:59:59", "10:59:59", [], id="exactly an hour"),
        pytest.param("09:59:59", "10:59:59.000001", ["09"], id="a microsecond more"),
        pytest.param("09:59:59", "11:00:00", ["09"], id="more than an hour"),
        pytest.param("10:30:00", "10:30:00", [], id="at once"),
        pytest.param("12:00:00", "11:00:00", [], id="sent ahead"),
        pytest.param("10:00:00", "23:00:00", ["10"], id="on the hour"),
    ],
)
def test_what_comes_more_than_an_hour_after_its_time_marks_its_hour(time, received, hours):
    at = datetime.fromisoformat(f"2025-10-01T{received}+00:00")
    post(sent(instant=datetime.fromisoformat(f"2025-10-01T{time}+00:00")), at=at)
    assert marked() == [("acme", datetime(2025, 10, 1, int(hour), tzinfo=UTC)) for hour in hours]


@pytest.mark.parametrize(
    ("received", "hours"),
    [
        pytest.param("2025-10-01T23:59:59.999999", [], id="on its day"),
        pytest.param("2025-10-02T00:00:00", [23], id="as soon as that is over"),
    ],
)
def test_what_comes_on_a_later_day_marks_its_hour_however_near_that_is(received, hours):
    """Its month may be over, and final at once."""
    post(sent(instant=datetime(2025, 10, 1, 23, 59, 59, tzinfo=UTC)), at=datetime.fromisoformat(f"{received}+00:00"))
    assert marked() == [("acme", datetime(2025, 10, 1, hour, tzinfo=UTC)) for hour in hours]


def test_a_mark_is_there_once_an_hour_and_subject_whatever_comes_and_counts():
    post(sent(), sent(instant=NOON + timedelta(minutes=59)), sent(subject="globex"), at=LATER)
    post(sent(instant=NOON + HOUR), sent(), at=LATER)
    assert marked() == [("acme", NOON), ("acme", NOON + HOUR), ("globex", NOON)]
    assert marks_missing() == []


def test_an_event_of_the_first_hour_of_all_can_be_late():
    first = datetime(1, 1, 1, 0, 30, tzinfo=UTC)
    post(sent(instant=first), at=LATER)
    assert marked() == [("acme", first.replace(minute=0))]
    assert marks_missing() == []


def test_each_call_of_a_joint_transaction_is_late_by_its_own_time():
    def call(subject, at):
        return Call.of(read_events(body([sent(subject=subject)]), at=at), at=at, source=Source("tests"))

    ingest_calls([call("in-time", NOON + HOUR), call("late", NOON + HOUR + HOUR)])
    assert marked() == [("late", NOON)]


def test_a_correction_marks_the_hour_that_an_event_leaves_and_the_one_it_comes_to():
    post(sent("moved"), sent("void", instant=NOON + 5 * HOUR))
    assert marked() == []
    amend_event("moved", timestamp=(NOON + 3 * HOUR).isoformat(), **TOLD)
    assert marked() == [("acme", NOON), ("acme", NOON + 3 * HOUR)]
    void_event("void", **TOLD)
    assert marked() == [("acme", NOON), ("acme", NOON + 3 * HOUR), ("acme", NOON + 5 * HOUR)]
    assert marks_missing() == []


def test_a_correction_within_the_hour_marks_nothing():
    post(sent("a"))
    void_event("a", **TOLD | {"at": NOON + HOUR})
    assert marked() == []


def test_a_mark_that_is_missing_is_found():
    post(sent(), at=LATER)
    post(sent("b", instant=NOON + HOUR))
    amend_event("b", timestamp=(NOON + 2 * HOUR).isoformat(), **TOLD)
    LateMark.objects.exclude(hour=NOON + HOUR).delete()
    assert marks_missing() == [("acme", NOON), ("acme", NOON + 2 * HOUR)]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_usage", stdout=out)
    assert json.loads(out.getvalue())["late_marks_missing"] == 2


def test_the_database_refuses_a_mark_within_an_hour():
    with pytest.raises(IntegrityError, match="latemark_hour_is_on_the_hour"), connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_latemark VALUES ('acme', '2025-10-01 12:00:01+00', pg_current_xact_id())")


# --- What a document has missed ------------------------------------------------------------------------------------


@pytest.fixture
def committed(transactional_db):
    """What is written stays until the end of the test. A metric of its own lets this process know no metric set."""
    return MetricFactory()


def snapshot():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return cursor.fetchone()[0]


def of(start, end, *subjects):
    return Seen((Window(subjects or ("acme",), start, end),), snapshot())


@pytest.mark.usefixtures("committed")
def test_a_document_has_missed_what_came_after_its_snapshot_into_its_hours():
    post(sent(), sent(subject="globex"), at=LATER)
    document = of(OCTOBER, NOVEMBER, "acme", "acme-eu")
    assert late_usage([document]) == [None]
    post(sent(instant=NOVEMBER), sent(instant=OCTOBER - HOUR), sent(subject="globex"), at=LATER)
    assert late_usage([document]) == [None]
    post(sent(instant=NOVEMBER - HOUR), sent(subject="acme-eu"), sent(), at=LATER)
    missed = LateUsage(3, NOON, NOVEMBER - HOUR, ("acme", "acme-eu"))
    assert late_usage([document, of(OCTOBER, NOVEMBER)]) == [missed, None]


@pytest.mark.usefixtures("committed")
def test_a_repeat_is_no_late_usage():
    post(sent("a"), at=LATER)
    document = of(OCTOBER, NOVEMBER)
    assert post(sent("a"), at=LATER).duplicates == 1
    assert late_usage([document]) == [None]


@pytest.mark.usefixtures("committed")
def test_what_was_corrected_after_the_snapshot_was_missed():
    post(sent("a"))
    document = of(OCTOBER, NOVEMBER)
    void_event("a", **TOLD)
    assert late_usage([document]) == [LateUsage(1, NOON, NOON, ("acme",))]


@pytest.mark.usefixtures("committed")
def test_a_document_has_missed_a_call_that_was_under_way_even_if_it_began_before_a_call_that_was_not():
    """The mark of the hour was written by the slow call last, whichever of the two has the greater number."""
    begun, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            begun.set()
            may_commit.wait(10)
            post(sent("slow"), at=LATER)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    begun.wait(10)
    post(sent("quick"), at=LATER)
    document = of(OCTOBER, NOVEMBER)
    assert late_usage([document]) == [None]
    may_commit.set()
    writer.join(10)
    assert late_usage([document]) == [LateUsage(1, NOON, NOON, ("acme",))]


@pytest.mark.usefixtures("committed")
def test_a_late_change_of_a_level_touches_every_document_that_ends_after_it():
    MetricFactory(aggregation_type="WEIGHTED_SUM", aggregation_key="servers")
    documents = [of(OCTOBER, NOVEMBER), of(NOVEMBER, DECEMBER)]
    post(sent(calls=1), at=LATER)
    assert late_usage(documents) == [LateUsage(1, NOON, NOON, ("acme",)), None]
    post(sent(instant=NOON + HOUR, servers=2), at=LATER)
    missed = LateUsage(2, NOON, NOON + HOUR, ("acme",))
    assert late_usage(documents) == [missed, missed]


@pytest.mark.usefixtures("committed")
def test_any_number_of_documents_is_one_query(django_assert_num_queries):
    post(sent(), at=LATER)
    documents = [of(OCTOBER, NOVEMBER) for _ in range(3)]
    post(sent(), at=LATER)
    for asked in (documents[:1], documents):
        with django_assert_num_queries(1):
            assert len(late_usage(asked)) == len(asked)
