"""Keys of custom fields: which ones an entity may have, and whose the value of a unique one is.

    keys of the entity     which keys are taken              values
    none declared          any                               up to 200 characters
    some declared          these, and no other               of a unique key: one entity's alone

The rule in full: `docs/custom_fields.md`. The database holds to it that values are unique: a trigger on every table
with custom fields (`guard`) keeps `CustomFieldClaim`, whose key takes a value once.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection, migrations
from django.db.models import Q, QuerySet

from billing_site.foundation.models import CustomFieldClaim, CustomFieldKey
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import NotSupported, Refusal

Entity = CustomFieldKey.Entity

# What the API knows besides, and why it has no custom fields of its own here.
ELSEWHERE: Mapping[str, str] = {
    "alert": "is not supported: alerts have no custom fields of their own here",
    "invoice": "is not supported: documents show the custom fields of their customer and contract",
    "product": "is a product of plans, which are not supported; what contracts sell is contract_product",
    **dict.fromkeys(("charge", "credit_grant", "customer_plan", "plan"), "is of plans, which are not supported"),
    **dict.fromkeys(
        ("package_commit", "package_credit", "package_scheduled_charge", "package_subscription"),
        "is not supported: terms of a package stay as they were given; set it on what a contract makes of them",
    ),
}


def declared_keys(entity: str) -> dict[str, bool]:
    """The keys of an entity, and of each whether its values are unique. Empty: any key is taken."""
    rows = CustomFieldKey.objects.filter(entity=entity, removed_at=None).order_by("created_at", "id")
    return dict(rows.values_list("key", "enforce_uniqueness"))


def listed_keys(entities: Sequence[str] | None) -> QuerySet[CustomFieldKey]:
    """The declared keys of these kinds of entities, or of all. Raises Refusal for a kind that the API does not know."""
    for index, entity in enumerate(entities or ()):
        if entity not in Entity.values and entity not in ELSEWHERE:
            rule = f"must be one of {', '.join((*Entity.values, *ELSEWHERE))}"
            raise Refusal.of(f"entities[{index}]", entity, rule)
    standing = CustomFieldKey.objects.filter(removed_at=None)
    return standing if entities is None else standing.filter(entity__in=entities)


def refuse_elsewhere(entity: str) -> None:
    """Raises NotSupported for a kind of entity without custom fields here, Refusal for one that there is not."""
    if entity in ELSEWHERE:
        raise NotSupported.of("entity", entity, ELSEWHERE[entity])
    if entity not in Entity.values:
        raise Refusal.of("entity", entity, f"must be one of {', '.join(Entity.values)}")


def check_custom_fields(problems: Problems, entity: str, values: Mapping[str, str], *, of: UUID | None = None) -> None:
    """Say what is wrong with custom fields that an entity is given; `of`: one that is there already."""
    problems.custom_fields(values)
    declared = declared_keys(entity) if values else {}
    if not declared:
        return
    words = Entity(entity).label
    for key, value in values.items():
        if key not in declared:
            rule = f"must be one of the keys declared for {words}: {', '.join(declared)}"
            problems.add(f"custom_fields.{key}", value, rule)
        elif declared[key] and isinstance(value, str) and "\0" not in value:
            if (entity, key, value) in problems.claimed:
                problems.add(f"custom_fields.{key}", value, f"must be unique among {words}, and is given twice")
            elif holder := _holder(entity, key, value, of):
                problems.add(f"custom_fields.{key}", value, f"must be unique among {words}, and is that of {holder}")
            problems.claimed.add((entity, key, value))


def copied_custom_fields(entity: str, values: Mapping[str, str]) -> dict[str, str]:
    """What of an entity's custom fields another one made like it may have: no value of a unique key, and no key that
    is not declared where some are."""
    declared = declared_keys(entity) if values else {}
    return {key: value for key, value in values.items() if not declared or declared.get(key) is False}


def take_alone(entity: str) -> None:
    """Wait for whoever writes custom fields of the entity, and let the others wait for the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO foundation_customfieldentity (name, version) VALUES (%s, 1) "
            "ON CONFLICT (name) DO UPDATE SET version = foundation_customfieldentity.version + 1",
            [entity],
        )


def guard(table: str, entity: str) -> migrations.RunSQL:
    """The operation that lets the database keep whose the unique values of a table's rows are. A migration that uses
    it depends on foundation's `custom_field_keys` migration."""
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_claims_values AFTER INSERT ON {table} FOR EACH ROW "
        f"WHEN (NEW.custom_fields <> '{{}}') EXECUTE FUNCTION claim_custom_field_values('{entity}'); "
        f"CREATE TRIGGER {table}_claims_other_values AFTER UPDATE OF custom_fields ON {table} FOR EACH ROW "
        f"WHEN (NEW.custom_fields <> OLD.custom_fields) EXECUTE FUNCTION claim_custom_field_values('{entity}')",
        f"DROP TRIGGER {table}_claims_values ON {table}; DROP TRIGGER {table}_claims_other_values ON {table}",
    )


def _holder(entity: str, key: str, value: str, of: UUID | None) -> UUID | None:
    held = CustomFieldClaim.objects.filter(entity=entity, key=key, value=value)
    holder: UUID | None = held.exclude(Q(entity_id=of)).values_list("entity_id", flat=True).first()
    return holder
