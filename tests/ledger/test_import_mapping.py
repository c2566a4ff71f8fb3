"""How the cells of a row become an event."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ledger.mapping import BadCell, Columns, EventParts, Part, timestamp_reader

NOON = datetime(2025, 10, 1, 12, tzinfo=UTC)
RFC = timestamp_reader("rfc3339")


def columns(**changes):
    plainest = {"customer": Part(value="acme"), "event_type": Part(value="call"), "timestamp": "at"}
    return Columns(**plainest | {"read_timestamp": RFC} | changes)


def test_every_part_from_a_column_of_its_own():
    mapping = columns(
        customer=Part("who"),
        event_type=Part("what"),
        transaction_id="id",
        properties={"tokens": "n", "model": "m", "region": "r"},
        constants={"source": "import"},
    )
    row = {"who": "acme", "what": "call", "at": "2025-10-01 12:00:00", "id": 7, "n": "1.50", "m": "", "x": "unused"}
    assert mapping.to_event(row, default_id="row-1") == EventParts(
        "7", "acme", "call", NOON, {"tokens": "1.50", "source": "import"}
    )
    assert mapping.named() == {"who", "what", "at", "id", "n", "m", "r"}


def test_by_default_whatever_is_not_used_otherwise_is_a_property():
    event = columns(customer=Part("who")).to_event(
        {"who": "acme", "at": "2025-10-01T12:00:00Z", "n": Decimal("0.10"), "m": None}, default_id="row-1"
    )
    assert event == EventParts("row-1", "acme", "call", NOON, {"n": Decimal("0.10")})


def test_an_object_of_properties_is_taken_as_it_is():
    event = columns(constants={"n": "2"}).to_event(
        {"at": "2025-10-01T12:00:00Z", "properties": {"n": 1, "flag": False}, "other": 1}, default_id="row-1"
    )
    assert event.properties == {"n": "2", "flag": False}


@pytest.mark.parametrize(
    ("format_name", "cell"),
    [
        ("rfc3339", "2025-10-01T14:00:00+02:00"),
        ("rfc3339", "2025-10-01 12:00:00.0000009"),
        ("epoch", "1759320000"),
        ("epoch", Decimal("1759320000.0")),
        ("epoch-ms", 1759320000000),
        ("%d/%m/%Y %H:%M", "01/10/2025 12:00"),
        ("%d/%m/%Y %H:%M %z", "01/10/2025 14:00 +0200"),
    ],
)
def test_instants_in_many_spellings(format_name, cell):
    assert timestamp_reader(format_name)(cell) == NOON


def test_fractions_of_a_second_are_exact():
    assert timestamp_reader("epoch")("1759320000.123456789") == NOON + timedelta(microseconds=123456)


@pytest.mark.parametrize(
    ("format_name", "cell"),
    [
        ("rfc3339", "yesterday"),
        ("rfc3339", ""),
        ("rfc3339", 1759320000),
        ("rfc3339", None),
        ("epoch", "soon"),
        ("epoch", "NaN"),
        ("epoch", "Infinity"),
        ("epoch", "1e999999"),
        ("epoch", None),
        ("%d/%m/%Y", "2025-10-01"),
        ("%d/%m/%Y", 5),
    ],
)
def test_a_cell_that_is_no_instant_is_named(format_name, cell):
    with pytest.raises(BadCell, match=r"^at: is not an instant"):
        columns(read_timestamp=timestamp_reader(format_name)).to_event({"at": cell}, default_id="row-1")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"who": "acme"}, "at: is not there"),
        ({"at": "2025-10-01"}, "who: is not there"),
        ({"at": "2025-10-01", "who": None}, "who: must be text"),
        ({"at": "2025-10-01", "who": True}, "who: must be text"),
        ({"at": "2025-10-01", "who": Decimal("1.5")}, "who: must be text"),
    ],
)
def test_a_part_that_is_missing_is_named(row, reason):
    with pytest.raises(BadCell, match=f"^{reason}"):
        columns(customer=Part("who")).to_event(row, default_id="row-1")
