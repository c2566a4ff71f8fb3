"""Discounts: scheduled amounts that are taken off, with custom fields of a kind of their own."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField, RemoveConstraint

TABLE = "contracts_scheduledcharge"
KINDS = (("scheduled_charge", "NOT NEW.is_discount", ""), ("discount", "NEW.is_discount", "_of_discounts"))


def entities(known: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(("entity__in", known)),
        name="customfieldschange_entity_is_known",
        violation_error_message=f"entity must be one of {', '.join(known)}.",
    )


def claims(entity: str, condition: str, name: str) -> str:
    """What `foundation.custom_fields.guard` makes, of those rows alone."""
    return (
        f"CREATE TRIGGER {TABLE}_claims_values{name} AFTER INSERT ON {TABLE} FOR EACH ROW "
        f"WHEN (NEW.custom_fields <> '{{}}' AND {condition}) EXECUTE FUNCTION claim_custom_field_values('{entity}'); "
        f"CREATE TRIGGER {TABLE}_claims_other_values{name} AFTER UPDATE OF custom_fields ON {TABLE} FOR EACH ROW "
        f"WHEN (NEW.custom_fields <> OLD.custom_fields AND {condition}) "
        f"EXECUTE FUNCTION claim_custom_field_values('{entity}');"
    )


def gone(name: str) -> str:
    return (
        f"DROP TRIGGER {TABLE}_claims_values{name} ON {TABLE}; "
        f"DROP TRIGGER {TABLE}_claims_other_values{name} ON {TABLE};"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0009_custom_fields_of_discounts"),
        ("contracts", "0034_tax_codes_may_be_taken_back"),
    ]

    operations = [
        AddField("scheduledcharge", "is_discount", models.BooleanField(default=False)),
        RemoveConstraint("customfieldschange", "customfieldschange_entity_is_known"),
        AddConstraint(
            "customfieldschange",
            entities(["commit", "contract_credit", "discount", "scheduled_charge", "subscription"]),
        ),
        migrations.RunSQL(
            gone("") + "".join(claims(*kind) for kind in KINDS),
            "".join(gone(name) for *_, name in KINDS) + claims("scheduled_charge", "TRUE", ""),
        ),
    ]
