"""What custom units are worth on a rate card, and the order of its products; facts, and only inserted."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0004_rate_types"),
        ("foundation", "0002_append_only_facts"),
    ]

    operations = [
        CreateModel(
            name="RateCardConversion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("fiat_per_unit", models.DecimalField(decimal_places=12, max_digits=28)),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rate_card_conversions",
                        to="pricing.publication",
                    ),
                ),
                (
                    "rate_card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="conversions", to="pricing.ratecard"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversions",
                        to="pricing.pricingunit",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._IsNotNaN(models.F("fiat_per_unit")))
                        ),
                        name="ratecardconversion_fiat_per_unit_is_a_number",
                        violation_error_message="fiat_per_unit must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fiat_per_unit__gt", 0)), name="a_custom_unit_is_worth_something"
                    ),
                    models.UniqueConstraint(fields=("rate_card", "unit"), name="a_card_converts_a_unit_once"),
                ],
            },
        ),
        CreateModel(
            name="RateCardPlace",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveIntegerField(help_text="From 0 on.")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="places", to="pricing.product"
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rate_card_places",
                        to="pricing.publication",
                    ),
                ),
                (
                    "rate_card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="places", to="pricing.ratecard"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rate_card", "publication", "product"), name="a_product_has_one_place_on_a_card"
                    ),
                    models.UniqueConstraint(
                        fields=("rate_card", "publication", "position"), name="a_place_on_a_card_holds_one_product"
                    ),
                ],
            },
        ),
        *append_only("pricing_ratecardconversion", "pricing_ratecardplace"),
    ]
