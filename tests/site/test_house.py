"""The house keeps its own rules: the direction of imports, the kinds of models, constraints, migrations."""

import re
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.urls import get_resolver
from importlinter.cli import lint_imports
from rest_framework import serializers

from billing_site.foundation.fields import Shape

ROOMS = ("foundation", "pricing", "contracts", "ledger", "invoicing")

# Every model: its kind, its primary key, and the column it would be sharded by (None: small, copied to every node).
# Configured rows are edited by people and have history; facts are only inserted; derived rows can be rebuilt.
MODELS = {
    "foundation.TestClock": ("configured", "id", None),
    "foundation.ClockMove": ("derived", "id", None),
    "foundation.ClockFollower": ("derived", "name", None),
    "foundation.ApiToken": ("configured", "id", None),
    "foundation.IdempotencyKey": ("derived", "owner, key", "owner"),
    "foundation.Job": ("derived", "id", None),
    "foundation.Touched": ("derived", "kind, key, transaction", None),
    "foundation.CustomFieldKey": ("configured", "id", None),
    "foundation.CustomFieldEntity": ("derived", "name", None),
    "foundation.CustomFieldClaim": ("derived", "entity, key, value", None),
    "pricing.PricingUnit": ("configured", "id", None),
    "pricing.BillableMetric": ("configured", "id", None),
    "pricing.PriceChange": ("configured", "id", None),
    "pricing.Publication": ("fact", "number", None),
    "pricing.PublicationCounter": ("derived", "id", None),
    "pricing.Product": ("configured", "id", None),
    "pricing.ProductVersion": ("fact", "id", None),
    "pricing.RateCard": ("configured", "id", None),
    "pricing.RateCardAlias": ("fact", "id", None),
    "pricing.RateCardConversion": ("fact", "id", None),
    "pricing.RateCardPlace": ("fact", "id", None),
    "pricing.NamedScheduleSegment": ("fact", "id", None),
    "pricing.Formula": ("fact", "id", None),
    "pricing.Rate": ("fact", "id", None),
    "pricing.RateWithdrawal": ("fact", "id", None),
    "contracts.Customer": ("configured", "id", "id"),
    "contracts.CustomerLogin": ("configured", "id", None),
    "contracts.LegalEntity": ("configured", "id", None),
    "contracts.BillingProfile": ("configured", "id", "customer"),
    "contracts.ProviderConfiguration": ("configured", "id", "customer"),
    "contracts.TaxRate": ("configured", "id", None),
    "contracts.ProductTaxCode": ("configured", "id", None),
    "contracts.ContractEdit": ("fact", "id", "customer"),
    "contracts.Claim": ("fact", "id", None),
    "contracts.Package": ("configured", "id", None),
    "contracts.PackageAlias": ("fact", "id", None),
    "contracts.Contract": ("configured", "id", "customer"),
    "contracts.CustomerScheduleSegment": ("fact", "id", "customer"),
    "contracts.ContractTerms": ("term", "id", "customer"),
    "contracts.Override": ("term", "id", "customer"),
    "contracts.Commit": ("term", "id", "customer"),
    "contracts.CommitVersion": ("term", "id", "customer"),
    "contracts.SegmentUse": ("derived", "segment_id", "customer"),
    "contracts.CustomFieldsChange": ("fact", "id", "customer"),
    "contracts.RecurringCommit": ("term", "id", "customer"),
    "contracts.Subscription": ("term", "id", "customer"),
    "contracts.SubscriptionTerms": ("term", "id", "customer"),
    "contracts.SubscriptionQuantity": ("term", "id", "customer"),
    "contracts.AccessSegment": ("term", "id", "customer"),
    "contracts.InvoiceScheduleItem": ("term", "id", "customer"),
    "contracts.ScheduledCharge": ("term", "id", "customer"),
    "contracts.ScheduledChargeItem": ("term", "id", "customer"),
    "contracts.ProfessionalService": ("term", "id", "customer"),
    "contracts.ServiceInvoice": ("term", "id", "customer"),
    "contracts.ServiceInvoiceLine": ("term", "id", "customer"),
    "contracts.ChargeVersion": ("term", "id", "customer"),
    "contracts.PaymentGate": ("term", "id", "customer"),
    "contracts.PaymentOutcome": ("term", "id", "customer"),
    "ledger.IngestCall": ("fact", "id", None),
    "ledger.SourceAuthority": ("configured", "id", None),
    "ledger.RefusedCall": ("fact", "id", None),
    "ledger.SourceActivity": ("derived", "source, event_type", None),
    "ledger.ActivityRead": ("derived", "id", None),
    "ledger.MetricSet": ("fact", "id", None),
    "ledger.EventKey": ("fact", "subject, transaction_id", "subject"),
    "ledger.EventBody": ("fact", "subject, transaction_id, received_at", "subject"),
    "ledger.Series": ("fact", "id", None),
    "ledger.EventCorrection": ("fact", "subject, transaction_id, number", "subject"),
    "ledger.DroppedMonth": ("fact", "month", None),
    "ledger.MetricBackfill": ("derived", "metric_id", None),
    "ledger.UnreadValue": ("derived", "subject, metric_id, hour, transaction_id", "subject"),
    "ledger.HourlyUsage": ("derived", "subject, series_id, hour", "subject"),
    "ledger.DailyUsage": ("derived", "subject, series_id, day", "subject"),
    "ledger.CarriedLevel": ("derived", "subject, series_id, month", "subject"),
    "ledger.UniqueValue": ("derived", "subject, series_id, hour, value", "subject"),
    "ledger.LateMark": ("derived", "subject, hour", "subject"),
    "ledger.LedgerEntry": ("fact", "id", "customer"),
    "invoicing.NumberSeries": ("derived", "id", "customer"),
    "invoicing.EntityNumber": ("fact", "id", None),
    "invoicing.Invoice": ("fact", "id", "customer"),
    "invoicing.InvoiceLine": ("fact", "id", "customer"),
    "invoicing.InvoiceVoid": ("fact", "id", "customer"),
    "invoicing.Note": ("fact", "invoice", "customer"),
    "invoicing.NoteDismissal": ("fact", "id", "customer"),
    "invoicing.EnteredNote": ("fact", "id", "customer"),
    "invoicing.EnteredNoteDecision": ("fact", "entered", "customer"),
    "invoicing.InvoicePdf": ("fact", "id", "customer"),
    "invoicing.HoldDecision": ("fact", "id", "customer"),
    "invoicing.CustomerSummary": ("derived", "customer", "customer"),
    "invoicing.DraftSummary": ("derived", "id", "customer"),
    "invoicing.NoteSummary": ("derived", "id", "customer"),
    "invoicing.CommitmentSummary": ("derived", "id", "customer"),
    "invoicing.SoldInMonth": ("derived", "id", "customer"),
    "invoicing.Alert": ("configured", "id", None),
    "invoicing.AlertState": ("derived", "id", "customer"),
    "invoicing.AlertTurn": ("fact", "id", "customer"),
}


def our_models() -> list[type[models.Model]]:
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models()]


def without_history() -> list[type[models.Model]]:
    return [m for m in our_models() if not m._meta.proxy and not m.__name__.startswith("Historical")]


def test_imports_run_one_way_and_the_engines_are_pure():
    assert lint_imports() == 0


def test_migrations_say_what_the_models_say(db):
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_lists_are_not_called_entrys_or_seriess():
    called = [str(model._meta.verbose_name_plural) for model in our_models()]
    assert [name for name in called if re.search(r"[^aeiou]ys$|ss$", name)] == []


def test_every_model_is_listed_with_its_kind_its_key_and_its_shard():
    found = {}
    for model in without_history():
        key = model._meta.pk
        names = ", ".join(getattr(key, "field_names", [key.name]))
        columns = {field.name for field in model._meta.fields}
        kind, _, shard = MODELS.get(model._meta.label, ("unlisted", "", None))
        found[model._meta.label] = (kind, names, shard if shard is None or shard in columns else "missing column")
    assert found == MODELS


def test_what_people_edit_has_history():
    lacking = [m._meta.label for m in without_history() if MODELS[m._meta.label][0] == "configured"]
    lacking = [label for label in lacking if not hasattr(apps.get_model(label), "history")]
    assert lacking == []


def test_the_database_refuses_to_change_facts_and_history(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE proname = 'refuse_change_of_a_fact' AND tgtype & 24 = 24"  # before UPDATE or DELETE
        )
        guarded = {name for (name,) in cursor.fetchall()}
    facts = {m._meta.db_table for m in without_history() if MODELS[m._meta.label][0] == "fact"}
    history = {m._meta.db_table for m in our_models() if m.__name__.startswith("Historical")}
    assert facts | history <= guarded


def test_no_unique_index_can_be_defeated_by_null(db):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT index.indexrelid::regclass::text, string_agg(attname, ', ')
            FROM pg_index AS index
            JOIN pg_class AS tables ON tables.oid = index.indrelid
            JOIN pg_attribute ON attrelid = index.indrelid AND attnum = ANY (index.indkey)
            WHERE index.indisunique AND NOT index.indnullsnotdistinct AND index.indpred IS NULL
              AND NOT attnotnull AND relname ~ %s
            GROUP BY 1
            """,
            [f"^({'|'.join(ROOMS)})_"],
        )
        assert cursor.fetchall() == []


def test_no_number_column_takes_nan():
    open_to_nan = [
        f"{model._meta.label}.{field.name}"
        for model in without_history()
        if model._meta.managed
        for field in model._meta.fields
        if isinstance(field, models.DecimalField)
        and not any(
            constraint.name.endswith("is_a_number") and field.name in constraint.name
            for constraint in model._meta.constraints
        )
    ]
    assert open_to_nan == []


@pytest.mark.parametrize("model", without_history(), ids=lambda model: model._meta.label)
def test_ids_are_made_here_and_not_drawn_from_a_sequence(model):
    assert not isinstance(model._meta.pk, models.AutoField)


def test_no_list_of_objects_in_a_request_takes_null_for_an_item():
    def subclasses(kind):
        for found in kind.__subclasses__():
            yield found
            yield from subclasses(found)

    get_resolver().url_patterns  # noqa: B018  every view is imported, and what it reads
    listed = {
        (shape.__name__, name): field.child
        for shape in subclasses(serializers.Serializer)
        for name, field in shape._declared_fields.items()
        if isinstance(field, serializers.ListSerializer) and field.allow_null
    }
    assert len(listed) > 10
    assert [place for place, child in listed.items() if not isinstance(child, Shape)] == []
