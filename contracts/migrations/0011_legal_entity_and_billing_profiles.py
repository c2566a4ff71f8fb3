"""Who sells, as invoices print it, and how each customer wants to be billed."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0010_commits_of_customers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="LegalEntity",
            fields=[
                ("id", models.BooleanField(default=True, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=160)),
                ("address", models.TextField(help_text="As on an envelope, up to 6 lines.")),
                (
                    "country",
                    models.CharField(
                        blank=True, default="", help_text="ISO 3166 code of two letters: DE, JP, US.", max_length=2
                    ),
                ),
                (
                    "tax_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="With its prefix: DE123456789.",
                        max_length=64,
                        verbose_name="tax id",
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, default="", help_text="For questions about an invoice.", max_length=254
                    ),
                ),
                (
                    "remittance",
                    models.TextField(blank=True, default="", help_text="Where to pay: bank, account, reference."),
                ),
                (
                    "net_payment_terms_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="For contracts that do not say when an invoice is due.", null=True
                    ),
                ),
                (
                    "taxes",
                    models.CharField(
                        choices=[("NONE", "none are charged"), ("FIXED_RATES", "by the rates under Tax rates")],
                        default="NONE",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "legal entity",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", True)), name="there_is_one_legal_entity"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True), models.Q(("address", ""), _negated=True)
                        ),
                        name="a_legal_entity_has_a_name_and_an_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("net_payment_terms_days__isnull", True),
                            ("net_payment_terms_days__lte", 365),
                            _connector="OR",
                        ),
                        name="payment_is_due_within_a_year",
                        violation_error_message="Payment is due within 365 days.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="legalentity_country_is_a_code",
                        violation_error_message="A country is two capital letters, as in DE.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("taxes__in", ["NONE", "FIXED_RATES"])),
                        name="legalentity_taxes_is_known",
                        violation_error_message="taxes must be one of NONE, FIXED_RATES.",
                    ),
                ],
            },
        ),
        CreateModel(
            name="BillingProfile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "legal_name",
                    models.CharField(
                        blank=True, default="", help_text="If it is not the customer's name.", max_length=160
                    ),
                ),
                ("address", models.TextField(blank=True, default="", help_text="As on an envelope, up to 6 lines.")),
                (
                    "country",
                    models.CharField(
                        blank=True, default="", help_text="ISO 3166 code of two letters: DE, JP, US.", max_length=2
                    ),
                ),
                (
                    "tax_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="With its prefix: FR12345678901.",
                        max_length=64,
                        verbose_name="tax id",
                    ),
                ),
                ("purchase_order", models.CharField(blank=True, default="", max_length=80)),
                ("contacts", models.TextField(blank=True, default="", help_text="E-mail addresses, one a line.")),
                (
                    "tax_exemption",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why no tax is charged, as printed: Reverse charge.",
                        max_length=160,
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="billing_profile",
                        to="contracts.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="billingprofile_country_is_a_code",
                        violation_error_message="A country is two capital letters, as in DE.",
                    )
                ],
            },
        ),
        CreateModel(
            name="HistoricalBillingProfile",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                (
                    "legal_name",
                    models.CharField(
                        blank=True, default="", help_text="If it is not the customer's name.", max_length=160
                    ),
                ),
                ("address", models.TextField(blank=True, default="", help_text="As on an envelope, up to 6 lines.")),
                (
                    "country",
                    models.CharField(
                        blank=True, default="", help_text="ISO 3166 code of two letters: DE, JP, US.", max_length=2
                    ),
                ),
                (
                    "tax_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="With its prefix: FR12345678901.",
                        max_length=64,
                        verbose_name="tax id",
                    ),
                ),
                ("purchase_order", models.CharField(blank=True, default="", max_length=80)),
                ("contacts", models.TextField(blank=True, default="", help_text="E-mail addresses, one a line.")),
                (
                    "tax_exemption",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why no tax is charged, as printed: Reverse charge.",
                        max_length=160,
                    ),
                ),
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
                "verbose_name": "historical billing profile",
                "verbose_name_plural": "historical billing profiles",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_6a925d_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        CreateModel(
            name="HistoricalLegalEntity",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.BooleanField(db_index=True, default=True, editable=False)),
                ("name", models.CharField(max_length=160)),
                ("address", models.TextField(help_text="As on an envelope, up to 6 lines.")),
                (
                    "country",
                    models.CharField(
                        blank=True, default="", help_text="ISO 3166 code of two letters: DE, JP, US.", max_length=2
                    ),
                ),
                (
                    "tax_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="With its prefix: DE123456789.",
                        max_length=64,
                        verbose_name="tax id",
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True, default="", help_text="For questions about an invoice.", max_length=254
                    ),
                ),
                (
                    "remittance",
                    models.TextField(blank=True, default="", help_text="Where to pay: bank, account, reference."),
                ),
                (
                    "net_payment_terms_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="For contracts that do not say when an invoice is due.", null=True
                    ),
                ),
                (
                    "taxes",
                    models.CharField(
                        choices=[("NONE", "none are charged"), ("FIXED_RATES", "by the rates under Tax rates")],
                        default="NONE",
                        max_length=16,
                    ),
                ),
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
                "verbose_name": "historical legal entity",
                "verbose_name_plural": "historical legal entity",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_d38cc7_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        *append_only("contracts_historicallegalentity", "contracts_historicalbillingprofile"),
    ]
