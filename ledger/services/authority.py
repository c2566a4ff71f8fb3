"""Declaring which source counts for an event type, and handing that over."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.periods import HOUR, floor_hour
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, NotFound
from ledger.models import SourceAuthority


def declare_authority(
    event_type: str, source: str, *, starting_at: datetime | None = None, reason: str, at: datetime, by: Actor
) -> SourceAuthority:
    """From `starting_at` on (default: the current hour) events of the type count from this source alone.

    Where another source is the authority then, it is until that hour. Declaring the same twice changes nothing.
    Raises Refusal; Conflict where an authority begins later.
    """
    start = floor_hour(at) if starting_at is None else starting_at
    problems = Problems()
    problems.name("source", source)
    problems.key("event_type", event_type)
    if floor_hour(start) != start:
        problems.add("starting_at", start, "must be on the hour")
    problems.refuse()
    with transaction.atomic(), acting(by):
        known = list(SourceAuthority.objects.select_for_update().filter(event_type=event_type).order_by("starting_at"))
        for one in known:
            if one.starting_at > start:
                raise Conflict.of(
                    "starting_at", start, f"must not be before {one.starting_at}, when {one.source} begins"
                )
            if one.ending_before is None or one.ending_before > start:
                if one.source == source:
                    return one
                if one.starting_at == start:
                    raise Conflict.of("starting_at", start, f"is when {one.source} begins; take the next hour")
                one.ending_before = start
                save(one, reason=reason)
        made = SourceAuthority(
            event_type=event_type, source=source, starting_at=start, created_at=at, created_by=by.label
        )
        save(made, reason=reason)
        return made


def end_authority(authority_id: UUID, *, reason: str, at: datetime, by: Actor) -> SourceAuthority:
    """From the next hour on any source may send the type again. Raises NotFound."""
    with transaction.atomic(), acting(by):
        found = SourceAuthority.objects.select_for_update().filter(pk=authority_id).first()
        if found is None:
            raise NotFound(f"There is no source authority {authority_id}.")
        if found.ending_before is None:
            found.ending_before = max(floor_hour(at), found.starting_at) + HOUR
            save(found, reason=reason)
        return found
