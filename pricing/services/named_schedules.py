"""Named schedules of a rate card: written over a range, and superseded by what is written later."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.problems import Problems
from pricing.models import NamedScheduleSegment
from pricing.queries import last_segment, rate_card
from pricing.services.publishing import publish

VALUE_BYTES = 65_536
VALUE_DEPTH = 32

_json = msgspec.json.Encoder(decimal_format="number")


def update_named_schedule(
    rate_card_id: UUID,
    schedule_name: str,
    value: Any,
    *,
    starting_at: datetime,
    ending_before: datetime | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> NamedScheduleSegment:
    """Let the schedule say `value` over a range, whatever it said there before; None is open.

    `value` is any JSON value, its fractions decimals. What was written last is not written a second time. Raises
    NotFound, and Refusal with every field that breaks a rule.
    """
    problems = Problems()
    problems.name("schedule_name", schedule_name)
    problems.range(starting_at, ending_before)
    text = named_value_text(problems, value)
    problems.refuse()
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        last = last_segment(card, schedule_name)
        if last and (last.starting_at, last.ending_before, last.value) == (starting_at, ending_before, text):
            return last
        return NamedScheduleSegment.objects.create(
            rate_card=card,
            schedule_name=schedule_name,
            starting_at=starting_at,
            ending_before=ending_before,
            value=text,
            publication=publish(reason=reason, at=at, by=by),
        )


def named_value_text(problems: Problems, value: Any) -> str:
    """A value as it is kept: JSON with every digit. What is too long or nested too deeply goes to `problems`."""
    if _depth(value) > VALUE_DEPTH:
        problems.add("value", "…", f"must not be nested more than {VALUE_DEPTH} levels deep")
        return ""
    text = _json.encode(value).decode()
    if len(text.encode()) > VALUE_BYTES:
        problems.add("value", text, f"must not be longer than {VALUE_BYTES} bytes")
    return text


def _depth(value: Any) -> int:
    """How many objects and lists lie around what is innermost; walked level by level, so that none is too deep."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
