"""Formulas, and which one a rate was made by; facts, and only inserted.

The new column of rates is empty, so that no row is rewritten or looked through. A trigger looks at all rows of one
INSERT together, and holds that a rate which names a formula is one that it can have made.
"""

import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
import pricing.models.formulas
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddField, CreateModel

MADE_BY = """
CREATE FUNCTION refuse_rates_that_are_not_of_their_formula() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added JOIN pricing_formula AS formula ON formula.id = added.formula_id
        WHERE (added.rate_card_id, added.product_id, added.starting_at, added.entitled, added.unit_id)
                <> (formula.rate_card_id, formula.product_id, formula.starting_at, formula.entitled, formula.unit_id)
            OR added.publication_id < formula.publication_id
            OR added.rate_type <> 'FLAT' OR added.commit_rate IS NOT NULL OR added.ending_before IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'a_rate_is_of_its_formula: it is for something else than the formula that it names'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pricing_rate_is_of_its_formula AFTER INSERT ON pricing_rate REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rates_that_are_not_of_their_formula()
"""

NOT_MADE_BY = (
    "DROP TRIGGER pricing_rate_is_of_its_formula ON pricing_rate; "
    "DROP FUNCTION refuse_rates_that_are_not_of_their_formula()"
)


def to(model: str, name: str, **options: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=name, to=f"pricing.{model}", **options
    )


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0011_what_a_price_stands_on_stays"),
        ("foundation", "0002_append_only_facts"),
    ]

    operations = [
        CreateModel(
            name="Formula",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starting_at", models.DateTimeField()),
                ("nodes", models.JSONField()),
                ("changed_nodes", models.JSONField(default=list)),
                ("entitled", models.BooleanField()),
                ("product", to("product", "formulas")),
                ("publication", to("publication", "formulas")),
                ("rate_card", to("ratecard", "formulas")),
                ("unit", to("pricingunit", "formulas")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starting_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="formula_starting_at_is_on_the_hour",
                        violation_error_message="starting_at must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._NumbersAreText(models.F("nodes"), key="number"))
                        ),
                        name="formula_nodes_keep_numbers_as_text",
                        violation_error_message="nodes must be a list with its numbers as text.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(pricing.models.formulas._AreNodes(models.F("nodes"))),
                        name="a_formula_has_nodes",
                    ),
                    models.UniqueConstraint(
                        fields=("rate_card", "product", "starting_at", "publication"),
                        name="a_publication_states_a_formula_once_from_an_instant",
                    ),
                ],
            },
        ),
        *append_only("pricing_formula"),
        AddField(
            model_name="rate",
            name="formula",
            field=to("formula", "rates", blank=True, null=True, db_index=False, editable=False),
        ),
        migrations.RunSQL(MADE_BY, NOT_MADE_BY),
    ]
