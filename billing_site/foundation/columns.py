"""Columns and constraints that several rooms share, each with its rule."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact


def amount_field(**options: Any) -> models.DecimalField:
    """Money in wire units of its pricing unit, exact to 12 places."""
    return models.DecimalField(max_digits=38, decimal_places=12, **options)


def price_field(**options: Any) -> models.DecimalField:
    """Wire units for one unit of quantity, exact to 12 places."""
    return models.DecimalField(max_digits=28, decimal_places=12, **options)


def quantity_field(**options: Any) -> models.DecimalField:
    """A metered or sold quantity, exact to 12 places."""
    return models.DecimalField(max_digits=38, decimal_places=12, **options)


class XidField(models.BigIntegerField):
    """PostgreSQL's 64-bit transaction id (xid8)."""

    def db_type(self, connection: Any) -> str:
        return "xid8"


class _IsNotNaN(Func):
    template = "(%(expressions)s <> 'NaN'::numeric)"
    output_field = models.BooleanField()
    conditional = True


def is_a_number(*fields: str) -> models.CheckConstraint:
    """NaN passes every comparison that PostgreSQL makes with it, so it is refused by name."""
    return models.CheckConstraint(
        name=f"%(class)s_{'_'.join(fields)}_is_a_number"[:63],
        condition=Q(*[Q(_IsNotNaN(F(field))) for field in fields]),
        violation_error_message=f"{', '.join(fields)} must be a number.",
    )


class _EpochHour(Func):
    """Whether an instant is on the hour, whatever the session's time zone."""

    template = "MOD(EXTRACT(EPOCH FROM %(expressions)s), 3600)"
    output_field = models.DecimalField(max_digits=20, decimal_places=6)


def on_the_hour(*fields: str) -> list[models.CheckConstraint]:
    """Starts and ends of terms and prices lie on the hour. One constraint a field; NULL passes."""
    return [
        models.CheckConstraint(
            name=f"%(class)s_{field}_is_on_the_hour"[:63],
            condition=Q(**{f"{field}__isnull": True}) | Q(Exact(_EpochHour(F(field)), Value(0))),
            violation_error_message=f"{field} must be on the hour (UTC).",
        )
        for field in fields
    ]


def ends_after_it_starts(start: str = "starting_at", end: str = "ending_before") -> models.CheckConstraint:
    return models.CheckConstraint(
        name="%(class)s_ends_after_it_starts",
        condition=Q(**{f"{end}__isnull": True}) | Q(**{f"{start}__isnull": True}) | Q(**{f"{end}__gt": F(start)}),
        violation_error_message=f"{end} must be later than {start}.",
    )


def one_of(field: str, choices: Sequence[str]) -> models.CheckConstraint:
    """`field` holds one of its declared codes."""
    return models.CheckConstraint(
        name=f"%(class)s_{field}_is_known"[:63],
        condition=Q(**{f"{field}__in": list(choices)}),
        violation_error_message=f"{field} must be one of {', '.join(choices)}.",
    )


class _IsJson(Func):
    template = "(%(expressions)s IS JSON)"
    output_field = models.BooleanField()
    conditional = True


def is_json(field: str) -> models.CheckConstraint:
    """`field` is a text that spells a JSON value, for numbers whose every digit counts."""
    return models.CheckConstraint(name=f"%(class)s_{field}_is_json"[:63], condition=Q(_IsJson(F(field))))


class _NumbersAreText(Func):
    """Whether what the objects of a JSON list have under `key` is digits as text and nothing else."""

    template = (
        "(jsonb_typeof(%(expressions)s) = 'array' AND NOT jsonb_path_exists(%(expressions)s, "
        """'$[*].%(key)s ? (@.type() != "string" || !(@ like_regex "^[0-9]+([.][0-9]+)?$"))'))"""
    )
    output_field = models.BooleanField()
    conditional = True


def keeps_numbers_as_text(field: str, *keys: str) -> models.CheckConstraint:
    """A JSON list of objects whose numbers, under `keys`, are not negative and spelled out: none was rounded."""
    return models.CheckConstraint(
        name=f"%(class)s_{field}_keep_numbers_as_text"[:63],
        condition=Q(*[Q(_NumbersAreText(F(field), key=key)) for key in keys]),
        violation_error_message=f"{field} must be a list with its numbers as text.",
    )
