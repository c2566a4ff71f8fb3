"""Products: what is sold, by name, and its definition."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems, save
from pricing.models import Product, Publication
from pricing.queries import product, version_in_force
from pricing.services.definitions import Definition, carried
from pricing.services.product_checks import check_definition
from pricing.services.publishing import publish


def create_product(
    name: str,
    *,
    type: str,
    custom_fields: Mapping[str, str] | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
    **definition: Any,
) -> Product:
    """A product and its initial definition (the fields of `Definition`), which holds since ever; published at once.

    USAGE products measure with a metric; the pricing and the presentation group key together are one of the
    metric's group keys. COMPOSITE ones take a share of what other products come to. SUBSCRIPTION ones are priced by
    the period. FIXED ones carry commits, credits and scheduled charges, PRO_SERVICE ones work by people.

    Raises Refusal with every field that breaks a rule.
    """
    problems = Problems()
    defined = Definition(name=name, **definition)
    if type not in Product.Type.values:
        problems.add("type", type, f"must be one of {', '.join(Product.Type.values)}")
    check_custom_fields(problems, Entity.CONTRACT_PRODUCT, custom_fields or {})
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        check_definition(problems, type, defined)
        problems.refuse()
        created = Product.objects.create(
            name=name.strip(),
            type=type,
            custom_fields=dict(custom_fields or {}),
            created_at=at,
            created_by=by.label,
        )
        _publish(created, defined, publication)
        return created


def update_product(
    product_id: UUID, *, starting_at: datetime, changes: Mapping[str, Any], reason: str = "", at: datetime, by: Actor
) -> Product:
    """A new definition from `starting_at` on: the one in force then, with `changes` to fields of `Definition`.

    Each field that `changes` names holds until an update that starts later names it too, whenever that was published
    (`definitions`). The type never changes.

    Raises NotFound, and Refusal with every field that breaks a rule, there or in a later definition that it reaches.
    """
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        found = product(product_id, locked=True, field="product_id")
        problems = Problems()
        problems.range(starting_at, None)
        if not changes:
            problems.add("product_id", product_id, "at least one field must be given to change")
        problems.refuse()
        before = Definition.of(version_in_force(found, starting_at))
        defined = replace(before, **changes)
        check_definition(problems, found.type, defined, found=found, before=before)
        problems.refuse()
        later = list(carried(changes, starting_at, found.versions.all()))
        for start, without, reached in later:
            own = Problems()
            check_definition(own, found.type, reached, found=found, before=without)
            for error in own.errors:
                rule = f"{error.rule}; a later definition, of {format_instant(start)}, would come to this"
                problems.add(error.field, error.value, rule)
        problems.refuse()
        _publish(found, defined, publication, starting_at, sorted(changes))
        for start, _, reached in later:
            _publish(found, reached, publication, start)
        _name(product(product_id), found, at, reason)
        return found


def name_product(product_id: UUID, *, at: datetime, by: Actor) -> Product:
    """Let a product have the name of its definition, which may have begun since it was published. Raises NotFound."""
    with transaction.atomic(), acting(by):
        found = product(product_id, locked=True, field="product_id")
        _name(found, found, at, "The name of its definition")
        return found


def archive_product(product_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> Product:
    """No new rate may be added for the product; existing ones keep working. Twice is as good as once.

    Raises NotFound.
    """
    with transaction.atomic(), acting(by):
        found = product(product_id, locked=True, field="product_id")
        if found.archived_at is None:
            found.archived_at = at
            save(found, reason=reason)
        return found


def _publish(
    of_product: Product,
    defined: Definition,
    publication: Publication,
    starting_at: datetime | None = None,
    changed_fields: Sequence[str] = (),
) -> None:
    version = defined.to_version(of_product)
    version.publication, version.starting_at, version.changed_fields = publication, starting_at, list(changed_fields)
    version.save(force_insert=True)


def _name(as_defined: Product, found: Product, at: datetime, reason: str) -> None:
    called = version_in_force(as_defined, at).name
    if called != found.name:
        found.name = called
        save(found, reason=reason)
