"""The audit trail people read: every change of a configured row, with who, through which door, and why.

It rests on django-simple-history; computing never reads it. History rows take the business time and can be
neither changed nor deleted (`append_only`).
"""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from billing_site.foundation import actor, clock
from billing_site.foundation.ids import uuid7


class AuditedRow(models.Model):
    """What our history rows hold beyond django-simple-history's own columns."""

    actor_kind = models.CharField(max_length=16, default="")
    actor_label = models.CharField(max_length=160, default="")
    actor_id = models.CharField(max_length=64, default="")
    source = models.CharField(max_length=16, default="")
    request_id = models.CharField(max_length=64, default="")

    class Meta:
        abstract = True


def history(**options: Any) -> HistoricalRecords:
    """The `history` attribute of a configured model."""
    return HistoricalRecords(
        bases=[AuditedRow],
        history_id_field=models.UUIDField(default=uuid7),
        history_change_reason_field=models.TextField(null=True),
        user_db_constraint=False,
        get_user=_person,
        **options,
    )


def _person(request: Any = None, **_: Any) -> Any:
    """The member of staff behind a request. A token is no person; it is named in the actor's columns."""
    user = getattr(request, "user", None)
    return user if isinstance(user, AbstractBaseUser) else None


@receiver(pre_create_historical_record)
def fill_in_who_and_when(history_instance: Any, **_: Any) -> None:
    history_instance.history_date = clock.now()
    who = actor.current()
    if who is not None:
        history_instance.actor_kind = who.kind
        history_instance.actor_label = who.label
        history_instance.actor_id = who.id
        history_instance.source = who.source
        history_instance.request_id = who.request_id
