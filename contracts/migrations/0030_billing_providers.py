"""What customers are called at billing providers and in revenue systems."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0029_allowances_by_the_seat"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="HistoricalProviderConfiguration",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("BILLING_PROVIDER", "Billing provider"), ("REVENUE_SYSTEM", "Revenue system")],
                        max_length=24,
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("aws_marketplace", "AWS Marketplace"),
                            ("azure_marketplace", "Azure Marketplace"),
                            ("custom", "a system of their own"),
                            ("gcp_marketplace", "Google Cloud Marketplace"),
                            ("metronome", "Metronome"),
                            ("netsuite", "NetSuite"),
                            ("quickbooks_online", "QuickBooks Online"),
                            ("stripe", "Stripe"),
                            ("workday", "Workday"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "delivery_method",
                    models.CharField(
                        choices=[
                            ("direct_to_billing_provider", "directly"),
                            ("aws_sns", "by Amazon SNS"),
                            ("aws_sqs", "by Amazon SQS"),
                            ("tackle", "by Tackle"),
                        ],
                        max_length=32,
                        verbose_name="delivered",
                    ),
                ),
                ("configuration", models.JSONField(blank=True, default=dict)),
                (
                    "tax_provider",
                    models.CharField(
                        blank=True,
                        choices=[("anrok", "Anrok"), ("avalara", "Avalara"), ("stripe", "Stripe")],
                        default="",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="contracts.customer",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical provider configuration",
                "verbose_name_plural": "historical provider configurations",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_389272_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        CreateModel(
            name="ProviderConfiguration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("BILLING_PROVIDER", "Billing provider"), ("REVENUE_SYSTEM", "Revenue system")],
                        max_length=24,
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("aws_marketplace", "AWS Marketplace"),
                            ("azure_marketplace", "Azure Marketplace"),
                            ("custom", "a system of their own"),
                            ("gcp_marketplace", "Google Cloud Marketplace"),
                            ("metronome", "Metronome"),
                            ("netsuite", "NetSuite"),
                            ("quickbooks_online", "QuickBooks Online"),
                            ("stripe", "Stripe"),
                            ("workday", "Workday"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "delivery_method",
                    models.CharField(
                        choices=[
                            ("direct_to_billing_provider", "directly"),
                            ("aws_sns", "by Amazon SNS"),
                            ("aws_sqs", "by Amazon SQS"),
                            ("tackle", "by Tackle"),
                        ],
                        max_length=32,
                        verbose_name="delivered",
                    ),
                ),
                ("configuration", models.JSONField(blank=True, default=dict)),
                (
                    "tax_provider",
                    models.CharField(
                        blank=True,
                        choices=[("anrok", "Anrok"), ("avalara", "Avalara"), ("stripe", "Stripe")],
                        default="",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="provider_configurations",
                        to="contracts.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["BILLING_PROVIDER", "REVENUE_SYSTEM"])),
                        name="providerconfiguration_kind_is_known",
                        violation_error_message="kind must be one of BILLING_PROVIDER, REVENUE_SYSTEM.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "provider__in",
                                [
                                    "aws_marketplace",
                                    "azure_marketplace",
                                    "custom",
                                    "gcp_marketplace",
                                    "metronome",
                                    "netsuite",
                                    "quickbooks_online",
                                    "stripe",
                                    "workday",
                                ],
                            )
                        ),
                        name="providerconfiguration_provider_is_known",
                        violation_error_message="provider must be one of aws_marketplace, azure_marketplace, custom, "
                        "gcp_marketplace, metronome, netsuite, quickbooks_online, stripe, workday.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("delivery_method__in", ["direct_to_billing_provider", "aws_sns", "aws_sqs", "tackle"])
                        ),
                        name="providerconfiguration_delivery_method_is_known",
                        violation_error_message="delivery_method must be one of direct_to_billing_provider, aws_sns, "
                        "aws_sqs, tackle.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tax_provider__in", ["", "anrok", "avalara", "stripe"])),
                        name="providerconfiguration_tax_provider_is_known",
                        violation_error_message="tax_provider must be one of , anrok, avalara, stripe.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "BILLING_PROVIDER"),
                            models.Q(
                                ("delivery_method", "direct_to_billing_provider"),
                                ("provider", "netsuite"),
                                ("tax_provider", ""),
                            ),
                            _connector="OR",
                        ),
                        name="revenue_is_booked_in_netsuite_directly",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tax_provider", ""), ("provider", "stripe"), _connector="OR"),
                        name="only_stripe_has_taxes_computed_by_others",
                    ),
                ],
            },
        ),
        *append_only("contracts_historicalproviderconfiguration"),
    ]
