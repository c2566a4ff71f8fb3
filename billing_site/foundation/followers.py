"""Whoever posts usage under the test clock, and is waited for.

A test clock passes months in seconds, and finalizes what falls due on the way. So whoever plays the services of a
customer (a demo, a rehearsal) *follows* the clock: before it goes on, by a day at the most, it asks every follower for
the usage up to where it goes next, and waits until they say that it is in. By a day, because the API refuses events
that are more than 24 hours ahead.

    follow("Acme's services", fed_until=START)         once, and again after a restart: what is kept wins
    while True:
        if (stretch := asked("Acme's services")):      also says that we live; call it several times a second
            ...post the events of the stretch...
            fed("Acme's services", until=stretch.ending_before)

Without followers the clock waits for nobody. One that has not been heard of for `PATIENCE` is gone.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from billing_site.foundation import clock
from billing_site.foundation.models import ClockFollower
from billing_site.foundation.periods import Period

STRIDE = timedelta(days=1)
PATIENCE = timedelta(seconds=20)
BEAT = timedelta(seconds=4)


def follow(name: str, *, fed_until: datetime) -> ClockFollower:
    """Be waited for from now on. Whoever followed before goes on from the usage it had posted by then."""
    row, _ = ClockFollower.objects.get_or_create(
        name=name, defaults={"fed_until": fed_until, "seen_at": clock.wall_time()}
    )
    beat(name)
    return row


def asked(name: str) -> Period | None:
    """The stretch whose usage the clock waits for, if it waits."""
    row = ClockFollower.objects.get(name=name)
    if row.asked_until is not None and row.asked_until > row.fed_until:
        return Period(row.fed_until, row.asked_until)
    if row.seen_at < clock.wall_time() - BEAT:
        beat(name)  # only here: one that owes usage is heard of by posting it
    return None


def beat(name: str) -> None:
    """Say that we are at it, in the midst of a long stretch."""
    ClockFollower.objects.filter(name=name).update(seen_at=clock.wall_time())


def fed(name: str, *, until: datetime) -> None:
    """Say that all usage before `until` is in."""
    ClockFollower.objects.filter(name=name).update(
        fed_until=Greatest(F("fed_until"), Value(until)), seen_at=clock.wall_time()
    )


def ask(until: datetime) -> None:
    """Ask every follower for its usage before `until`."""
    ClockFollower.objects.filter(Q(asked_until=None) | Q(asked_until__lt=until)).update(asked_until=until)


def owing(until: datetime) -> list[ClockFollower]:
    """The followers whose usage before `until` is not in."""
    return list(ClockFollower.objects.filter(fed_until__lt=until).order_by("name"))


def exist() -> bool:
    """Whether anybody follows the clock."""
    return ClockFollower.objects.exists()
