"""Custom fields: keys declared and removed, values set and deleted. The rule is in `docs/custom_fields.md`.

Whoever writes takes the customer first, as every verb does (of products, metrics and rate cards: the row), and the kind
of entity after that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.custom_fields import (
    Entity,
    check_custom_fields,
    declared_keys,
    refuse_elsewhere,
    take_alone,
)
from billing_site.foundation.models import CustomFieldClaim, CustomFieldKey
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, FieldError, NotFound, Refusal, shown
from billing_site.foundation.transactions import ATTEMPTS, repeatable_read
from contracts.models import CustomFieldsChange
from contracts.queries import with_custom_fields
from contracts.services.meanwhile import EditedMeanwhile
from contracts.transactions import lock_customers

Values = dict[str, str]

OF_PRICING = (Entity.BILLABLE_METRIC, Entity.CONTRACT_PRODUCT, Entity.RATE_CARD)
TERMS = (
    Entity.COMMIT,
    Entity.CONTRACT_CREDIT,
    Entity.DISCOUNT,
    Entity.PROFESSIONAL_SERVICE,
    Entity.SCHEDULED_CHARGE,
    Entity.SUBSCRIPTION,
)


def declare_key(
    entity: str, key: str, *, enforce_uniqueness: bool, reason: str = "", at: datetime, by: Actor
) -> CustomFieldKey:
    """Let entities of a kind have a custom field of that key. Declaring it again as it is changes nothing.

    Raises Refusal, NotSupported; Conflict where it is declared otherwise, or where values are to be unique and are not.
    """
    refuse_elsewhere(entity)
    problems = Problems()
    problems.key("key", key)
    problems.refuse()
    with transaction.atomic(), acting(by):
        take_alone(entity)
        found = CustomFieldKey.objects.filter(entity=entity, key=key, removed_at=None).first()
        if found is not None:
            if found.enforce_uniqueness == enforce_uniqueness:
                return found
            rule = f"must be {str(found.enforce_uniqueness).lower()}, as {key} is declared already; remove it first"
            raise Conflict(
                f"enforce_uniqueness: {rule}.", FieldError("enforce_uniqueness", str(enforce_uniqueness).lower(), rule)
            )
        declared = CustomFieldKey(
            entity=entity, key=key, enforce_uniqueness=enforce_uniqueness, created_at=at, created_by=by.label
        )
        save(declared, reason=reason)
        if enforce_uniqueness:
            CustomFieldClaim.objects.bulk_create(_claims(entity, key))
        return declared


def remove_key(entity: str, key: str, *, reason: str = "", at: datetime, by: Actor) -> None:
    """Take a key from a kind of entity, and its values from all that have one; what they were stays on record.

    Raises NotSupported, and NotFound where it was never declared. Removing it again changes nothing.
    """
    refuse_elsewhere(entity)
    for _ in range(ATTEMPTS):
        with transaction.atomic(), acting(by):
            held = _locked(entity, _with_key(entity, key))
            take_alone(entity)
            if not set(_with_key(entity, key)) <= held.keys():
                transaction.set_rollback(True)  # somebody set one meanwhile: take that one's customer first, too
                continue
            standing = CustomFieldKey.objects.filter(entity=entity, key=key, removed_at=None).first()
            if standing is None:
                _refuse_never_declared(entity, key)
                return
            standing.removed_at = at
            save(standing, reason=reason)
            CustomFieldClaim.objects.filter(entity=entity, key=key).delete()
            for row in held.values():
                after = {name: value for name, value in row.custom_fields.items() if name != key}
                _write(entity, row, after, reason=reason, at=at, by=by)
            return
    raise Conflict(f"Values of {shown(key)} are being set just now; try again.")


def set_values(
    entity: str, entity_id: UUID, values: Mapping[str, str], *, reason: str = "", at: datetime, by: Actor
) -> None:
    """Give one entity these values and leave it the others. All are set or none; setting what it has changes nothing.

    Raises NotFound, NotSupported, and Refusal with every value that breaks a rule.
    """
    if not values:
        raise Refusal.of("custom_fields", "{}", "must name at least one key")

    def change(row: Any) -> Values:
        problems = Problems()
        check_custom_fields(problems, entity, values, of=row.pk)
        problems.refuse()
        return {**row.custom_fields, **values}

    _change(entity, entity_id, change, reason=reason, at=at, by=by)


def delete_values(
    entity: str, entity_id: UUID, keys: Sequence[str], *, reason: str = "", at: datetime, by: Actor
) -> None:
    """Take the values of these keys from one entity. Deleting what it has not changes nothing.

    Raises NotFound, NotSupported; Refusal for a key that it neither has nor may have.
    """
    if not keys:
        raise Refusal.of("keys", "[]", "must name at least one key")

    def change(row: Any) -> Values:
        problems, declared = Problems(), declared_keys(entity)
        for index, key in enumerate(keys):
            if declared and key not in declared and key not in row.custom_fields:
                rule = f"must be one of the keys declared for {Entity(entity).label}: {', '.join(declared)}"
                problems.add(f"keys[{index}]", key, rule)
        problems.refuse()
        return {key: value for key, value in row.custom_fields.items() if key not in keys}

    _change(entity, entity_id, change, reason=reason, at=at, by=by)


def change_values(
    entity: str,
    entity_id: UUID,
    values: Mapping[str, str],
    *,
    based_on: Mapping[str, str],
    reason: str = "",
    at: datetime,
    by: Actor,
) -> None:
    """Give one entity these values and no others; `based_on` are those that whoever asks has seen. What is left as it
    is, is not checked again.

    Raises NotFound, NotSupported, Refusal with every value that breaks a rule, and EditedMeanwhile.
    """

    def change(row: Any) -> Values:
        if row.custom_fields != dict(based_on):
            raise EditedMeanwhile("Somebody else has changed these custom fields meanwhile: look at what stands now.")
        new = {key: value for key, value in values.items() if row.custom_fields.get(key) != value}
        problems = Problems()
        check_custom_fields(problems, entity, new, of=row.pk)
        problems.refuse()
        return dict(values)

    _change(entity, entity_id, change, reason=reason, at=at, by=by)


@repeatable_read
def _change(
    entity: str, entity_id: UUID, change: Callable[[Any], Values], *, reason: str, at: datetime, by: Actor
) -> None:
    refuse_elsewhere(entity)
    with acting(by):
        row = _locked(entity, [entity_id]).get(entity_id)
        if row is None:
            raise NotFound.of("entity_id", entity_id, f"must be the id of one of the {Entity(entity).label}")
        _write(entity, row, change(row), reason=reason, at=at, by=by)


def _with_key(entity: str, key: str) -> list[UUID]:
    return list(
        with_custom_fields(entity).filter(custom_fields__has_key=key).order_by("pk").values_list("pk", flat=True)
    )


def _locked(entity: str, ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Those of the rows that there are, each alone in its transaction or, where it is a customer's, under the
    customer's lock."""
    found = with_custom_fields(entity).filter(pk__in=list(ids)).order_by("pk")
    if entity in OF_PRICING:
        return {row.pk: row for row in found.select_for_update(no_key=True)}
    if entity == Entity.CUSTOMER:
        return dict(lock_customers(found.values_list("pk", flat=True)))
    lock_customers(found.values_list("customer_id", flat=True))
    return {row.pk: row for row in found.all()}


def _write(entity: str, row: Any, after: Values, *, reason: str, at: datetime, by: Actor) -> None:
    before = row.custom_fields
    if after == before:
        return
    row.custom_fields = after
    if entity not in TERMS:
        if entity == Entity.CUSTOMER:
            row.updated_at = at
        save(row, reason=reason)
        return
    CustomFieldsChange.objects.create(
        customer_id=row.customer_id,
        entity=entity,
        term_id=row.pk,
        number=CustomFieldsChange.objects.filter(term_id=row.pk).count() + 1,
        before=before,
        after=after,
        changed_at=at,
        changed_by=by.label,
        reason=reason,
    )
    with_custom_fields(entity).filter(pk=row.pk).update(custom_fields=after)


def _claims(entity: str, key: str) -> list[CustomFieldClaim]:
    """Whose each value of a key is that becomes unique. Raises Conflict where two have one."""
    holders: dict[str, UUID] = {}
    rows = (
        with_custom_fields(entity).filter(custom_fields__has_key=key).order_by("pk").values_list("pk", "custom_fields")
    )
    for pk, fields in rows:
        first = holders.setdefault(fields[key], pk)
        if first != pk:
            rule = f"values must differ to be unique; {first} and {pk} both have {shown(fields[key])}"
            raise Conflict(f"enforce_uniqueness: {rule}.", FieldError("enforce_uniqueness", "true", rule))
    return [CustomFieldClaim(entity=entity, key=key, value=value, entity_id=pk) for value, pk in holders.items()]


def _refuse_never_declared(entity: str, key: str) -> None:
    if not CustomFieldKey.objects.filter(entity=entity, key=key).exists():
        raise NotFound.of("key", key, f"must be a key declared for {Entity(entity).label}")
