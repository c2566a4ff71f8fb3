"""What one row says of a rate beyond its type, and what one row alone cannot say, which triggers hold.

Rates may be many: the constraints hold for new rows at once, and the next migration validates them, which keeps nobody
waiting. The trigger looks at all rows of one INSERT together, so that a thousand rates cost one look. Publishers wait
for each other, so nobody adds a rate beside the one that is looked at.
"""

from django.db import migrations, models

import pricing.models.rates
from billing_site.foundation.operations import AddConstraintNotValid

SUIT = """
CREATE FUNCTION refuse_rates_that_do_not_suit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added JOIN pricing_product AS product ON product.id = added.product_id
        WHERE NOT (
            product.type = 'USAGE' AND added.rate_type IN ('FLAT', 'TIERED', 'VOLUME', 'PACKAGE')
                AND added.billing_frequency = ''
            OR product.type = 'COMPOSITE' AND added.rate_type IN ('PERCENTAGE', 'TIERED_PERCENTAGE')
                AND added.pricing_group_values = '{}'
            OR product.type = 'SUBSCRIPTION' AND added.pricing_group_values = '{}' AND added.commit_rate IS NULL
                AND (added.rate_type = 'FLAT' AND added.billing_frequency <> '' OR added.rate_type = 'SUBSCRIPTION')
        )
    ) THEN
        RAISE EXCEPTION 'a_rate_suits_its_product: the type of the product does not take such a rate'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT rate_card_id, product_id, unit_id FROM added) AS priced
        JOIN pricing_rate AS other USING (rate_card_id, product_id)
        WHERE other.unit_id <> priced.unit_id
    ) THEN
        RAISE EXCEPTION 'a_product_has_one_pricing_unit_on_a_card: its other rates there are in another unit'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT rate_card_id, unit_id FROM added) AS priced
        JOIN pricing_ratecard AS card ON card.id = priced.rate_card_id
        LEFT JOIN pricing_ratecardconversion AS known
            ON known.rate_card_id = priced.rate_card_id AND known.unit_id = priced.unit_id
        WHERE priced.unit_id <> card.fiat_unit_id AND known.id IS NULL
    ) THEN
        RAISE EXCEPTION 'a_rate_is_in_a_unit_of_its_card: the card has no conversion of the unit'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pricing_rate_suits AFTER INSERT ON pricing_rate REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rates_that_do_not_suit()
"""

CUSTOM_UNITS_ONLY = """
CREATE FUNCTION refuse_conversion_of_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pricing_pricingunit WHERE id = NEW.unit_id AND is_currency) THEN
        RAISE EXCEPTION 'only_custom_units_are_converted: a card has one currency'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pricing_ratecardconversion_custom AFTER INSERT ON pricing_ratecardconversion
FOR EACH ROW EXECUTE FUNCTION refuse_conversion_of_money()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0007_product_types"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("rate_type", "PERCENTAGE"), _negated=True), ("price__lte", 1), _connector="OR"
                ),
                name="a_share_is_not_more_than_all",
            ),
        ),
        AddConstraintNotValid(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 0)), name="a_quantity_is_not_negative"
            ),
        ),
        AddConstraintNotValid(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_prorated", True)), name="a_subscription_is_prorated"
            ),
        ),
        AddConstraintNotValid(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("commit_rate__isnull", True),
                    pricing.models.rates._IsWholeTariff(models.F("commit_rate")),
                    _connector="OR",
                ),
                name="a_commit_rate_says_what_its_type_needs",
            ),
        ),
        AddConstraintNotValid(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("commit_rate__isnull", True),
                    ("rate_type__in", ["FLAT", "TIERED", "VOLUME", "PACKAGE"]),
                    _connector="OR",
                ),
                name="only_usage_has_a_commit_rate",
            ),
        ),
        AddConstraintNotValid(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("billing_frequency", ""), ("rate_type__in", ["FLAT", "SUBSCRIPTION"]), _connector="OR"
                ),
                name="only_subscriptions_are_billed_by_frequency",
            ),
        ),
        migrations.RunSQL(
            SUIT, "DROP TRIGGER pricing_rate_suits ON pricing_rate; DROP FUNCTION refuse_rates_that_do_not_suit()"
        ),
        migrations.RunSQL(
            CUSTOM_UNITS_ONLY,
            "DROP TRIGGER pricing_ratecardconversion_custom ON pricing_ratecardconversion; "
            "DROP FUNCTION refuse_conversion_of_money()",
        ),
    ]
