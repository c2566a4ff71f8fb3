"""Custom pricing units: created, archived. Currencies are there from the first migration on."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, FieldError, Refusal
from pricing.models import PricingUnit
from pricing.queries import pricing_unit


def create_pricing_unit(name: str, *, at: datetime, by: Actor) -> PricingUnit:
    """A custom credit in whole units on the wire, payable to two decimals.

    Raises Refusal, and Conflict where the name is taken.
    """
    problems = Problems()
    problems.name("name", name)
    problems.refuse()
    with transaction.atomic(), acting(by):
        try:
            with transaction.atomic():
                return PricingUnit.objects.create(name=name.strip(), created_at=at, created_by=by.label)
        except IntegrityError as error:
            rule = "there is a pricing unit of this name already"
            raise Conflict(f"name: {rule} (got {name!r}).", FieldError("name", name, rule)) from error


def archive_pricing_unit(unit_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> PricingUnit:
    """Nothing new may be priced in the unit. Twice is as good as once. Raises NotFound, and Refusal for currencies."""
    with transaction.atomic(), acting(by):
        found = pricing_unit(unit_id, locked=True)
        if found.is_currency:
            raise Refusal.of("id", unit_id, f"{found.name} is a currency and cannot be archived")
        if found.archived_at is None:
            found.archived_at = at
            save(found, reason=reason)
        return found
