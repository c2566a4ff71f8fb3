"""Events, and the rules that every one of them keeps.

- `customer_id` and `transaction_id` have 1 to 128 bytes, `event_type` has 1 to 256.
- `timestamp` is an ISO 8601 instant; without an offset it is UTC. Digits beyond the microsecond are cut off. It may
  lie as far back as you like, and at most 24 hours ahead.
- `properties` is an object of at most 64 properties, 8 levels and 16 KiB as sent. Numbers have at most 38 digits on
  either side of the point and are read exactly: 1, 1.0 and 1e0 are the same number, and the same content.
- Text has no U+0000 and no lone surrogate: PostgreSQL cannot store them.
- Where an object names a key twice, the last one counts, as in JavaScript, Python and PostgreSQL. Fields that an event
  does not have are left aside.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Annotated, Any

import msgspec

from billing_site.foundation.refusals import FieldError
from ledger.metering import encode, plain

MAX_ID_BYTES = 128
MAX_TYPE_BYTES = 256
MAX_PROPERTIES = 64
MAX_LEVELS = 8
MAX_PROPERTIES_BYTES = 16 * 1024
MAX_DIGITS = 38
FUTURE = timedelta(hours=24)

ID_RULE = f"must be text of 1 to {MAX_ID_BYTES} bytes"
TYPE_RULE = f"must be text of 1 to {MAX_TYPE_BYTES} bytes"
INSTANT_RULE = "must be an ISO 8601 instant"
FUTURE_RULE = "must not lie more than 24 hours in the future"
COUNT_RULE = f"must have at most {MAX_PROPERTIES} properties"
LEVEL_RULE = f"must be nested at most {MAX_LEVELS} levels deep"
SIZE_RULE = f"must have at most {MAX_PROPERTIES_BYTES} bytes"
DIGIT_RULE = f"must have at most {MAX_DIGITS} digits on either side of the point"
NUL_RULE = "must not contain the character U+0000"

_TOO_LARGE = 10**MAX_DIGITS
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Properties = Annotated[dict[str, Any], msgspec.Meta(max_length=MAX_PROPERTIES)] | None


class SentEvent(msgspec.Struct, gc=False):
    """An event on the wire. Lengths are in characters here; bytes are looked at by `checked`."""

    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_BYTES)]
    transaction_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_BYTES)]
    event_type: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TYPE_BYTES)]
    timestamp: str
    properties: msgspec.Raw = msgspec.Raw()  # read once its size is known to be small


class Event(msgspec.Struct, gc=False):
    """An event that keeps every rule."""

    subject: str
    transaction_id: str
    event_type: str
    timestamp: datetime  # aware, in UTC
    microseconds: int  # the same, counted from the year 2000 as PostgreSQL does
    properties: dict[str, Any]  # text, int, Decimal (never a whole number), bool, None, lists and dicts of these
    json: bytes  # the properties in canonical form: sorted keys, shortest numbers
    content_hash: bytes  # of type, time and properties: 16 bytes


class BrokenRule(Exception):
    """`field` is a path within the event."""

    def __init__(self, field: str, value: object, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.value = value
        self.rule = rule

    def of_event(self, index: int) -> FieldError:
        return FieldError(f"[{index}].{self.field}", self.value, self.rule)


def microseconds_of(instant: datetime) -> int:
    """An aware instant as microseconds since the year 2000."""
    return (instant - _EPOCH) // _MICROSECOND


def number(text: str) -> int | Decimal:
    """A JSON number with a point or an exponent, exact, in its canonical form. Raises ValueError."""
    try:
        value = Decimal(text)
    except ArithmeticError:  # an exponent beyond all bounds
        raise ValueError(DIGIT_RULE) from None
    if not value:
        return 0
    exponent = value.as_tuple().exponent
    # The second comparison keeps the spelling short; the third one is the rule.
    if not isinstance(exponent, int) or value.adjusted() >= MAX_DIGITS or exponent < -MAX_DIGITS - len(text):
        raise ValueError(DIGIT_RULE)
    whole, _, part = plain(value).partition(".")
    if len(part) > MAX_DIGITS:
        raise ValueError(DIGIT_RULE)
    return Decimal(f"{whole}.{part}") if part else int(whole)


_decode_properties = msgspec.json.Decoder(_Properties, float_hook=number).decode


def checked(
    sent: Sequence[SentEvent], *, at: datetime, simple: bool = False, first_index: int = 0
) -> tuple[list[Event], list[FieldError]]:
    """The events that keep the rules, and what is wrong with the others.

    `simple` says that all text is ASCII, without characters written as codes: it has as many bytes as characters
    and no U+0000.

    Raises msgspec.DecodeError and UnicodeDecodeError where properties are not what they should be.
    """
    events: list[Event] = []
    errors: list[FieldError] = []
    # This loop is the price of an event; names that are local are found faster.
    latest, instant, utc, to_json, blake = at + FUTURE, datetime.fromisoformat, UTC, encode, blake2b
    decode_properties = _decode_properties
    for index, one in enumerate(sent, first_index):
        try:
            try:
                timestamp = instant(one.timestamp)
                zone = timestamp.tzinfo
                if zone is not utc:
                    timestamp = timestamp.replace(tzinfo=utc) if zone is None else timestamp.astimezone(utc)
            except (ValueError, OverflowError):
                raise BrokenRule("timestamp", one.timestamp, INSTANT_RULE) from None
            if timestamp > latest:
                raise BrokenRule("timestamp", one.timestamp, FUTURE_RULE)
            raw = one.properties
            if len(raw) > MAX_PROPERTIES_BYTES:
                raise BrokenRule("properties", f"{len(raw)} bytes", SIZE_RULE)
            properties = (decode_properties(raw) if raw else None) or {}
            for name, value in properties.items():
                kind = type(value)
                if kind is str:
                    continue
                if kind is int:
                    if not -_TOO_LARGE < value < _TOO_LARGE:
                        raise BrokenRule(f"properties.{name}", value, DIGIT_RULE)
                elif kind is dict or kind is list:
                    _check_nested(f"properties.{name}", value, 2)
            json = to_json(properties)
            if not simple:
                _check_text(one, properties, json)
        except BrokenRule as problem:
            errors.append(problem.of_event(index))
            continue
        microseconds = (timestamp - _EPOCH) // _MICROSECOND
        content = b"%b\0%d\0%b" % (one.event_type.encode(), microseconds, json)
        content_hash = blake(content, digest_size=16).digest()
        events.append(
            Event(
                one.customer_id,
                one.transaction_id,
                one.event_type,
                timestamp,
                microseconds,
                properties,
                json,
                content_hash,
            )
        )
    return events, errors


def _check_text(one: SentEvent, properties: dict[str, Any], json: bytes) -> None:
    for name, text, limit, rule in (
        ("customer_id", one.customer_id, MAX_ID_BYTES, ID_RULE),
        ("transaction_id", one.transaction_id, MAX_ID_BYTES, ID_RULE),
        ("event_type", one.event_type, MAX_TYPE_BYTES, TYPE_RULE),
    ):
        if len(text.encode()) > limit:
            raise BrokenRule(name, text, rule)
        if "\0" in text:
            raise BrokenRule(name, text, NUL_RULE)
    if b"\\u0000" in json:  # it may also be those six characters, spelled out
        _refuse_nul("properties", properties)


def _refuse_nul(path: str, value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise BrokenRule(path, value, NUL_RULE)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_nul(f"{path}.(name)", name)
            _refuse_nul(f"{path}.{name}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(f"{path}[{index}]", item)


def _check_nested(path: str, value: Any, level: int) -> None:
    if isinstance(value, dict):
        items = [(f"{path}.{name}", item) for name, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        if type(value) is int and not -_TOO_LARGE < value < _TOO_LARGE:
            raise BrokenRule(path, value, DIGIT_RULE)
        return
    if level > MAX_LEVELS:
        raise BrokenRule(path, "…", LEVEL_RULE)
    for inner_path, item in items:
        _check_nested(inner_path, item, level + 1)
