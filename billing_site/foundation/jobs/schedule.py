"""The one row that makes the cluster call `tick` every minute."""

from typing import Any

from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django_q.models import Schedule

from billing_site.foundation.jobs.queue import TICK

NAME = "countinghouse: every minute"


def ensure_schedule() -> None:
    """See that the row is there, once and right. Calling again changes nothing."""
    rows = list(Schedule.objects.filter(name=NAME).order_by("id"))
    row = rows[0] if rows else Schedule(name=NAME)
    right = {"func": TICK, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1, "args": None, "kwargs": None}
    if row.pk is None or any(getattr(row, field) != value for field, value in right.items()):
        for field, value in right.items():
            setattr(row, field, value)
        row.save()
    Schedule.objects.filter(pk__in=[extra.pk for extra in rows[1:]]).delete()


@receiver(post_migrate, dispatch_uid="countinghouse.schedule")
def after_migrating(sender: Any, **_: Any) -> None:
    if sender.name == "django_q":
        ensure_schedule()
