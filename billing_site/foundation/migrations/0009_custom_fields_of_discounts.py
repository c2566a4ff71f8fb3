"""Discounts have custom fields of their own."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AlterField, RemoveConstraint

ENTITIES = {
    "billable_metric": "billable metrics",
    "commit": "commits",
    "contract": "contracts",
    "contract_credit": "credits",
    "contract_product": "products",
    "customer": "customers",
    "discount": "discounts",
    "rate_card": "rate cards",
    "scheduled_charge": "scheduled charges",
    "subscription": "subscriptions",
}


class Migration(migrations.Migration):
    dependencies = [("foundation", "0008_custom_field_keys")]

    operations = [
        RemoveConstraint("customfieldkey", "customfieldkey_entity_is_known"),
        *(
            AlterField(
                model,
                "entity",
                models.CharField(choices=list(ENTITIES.items()), max_length=32, verbose_name="of"),
            )
            for model in ("customfieldkey", "historicalcustomfieldkey")
        ),
        AddConstraint(
            "customfieldkey",
            models.CheckConstraint(
                condition=models.Q(("entity__in", list(ENTITIES))),
                name="customfieldkey_entity_is_known",
                violation_error_message=f"entity must be one of {', '.join(ENTITIES)}.",
            ),
        ),
    ]
