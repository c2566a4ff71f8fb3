"""Holds and releases by people; what holds a draft, beside its summary.

The database knows of holds by hand: it takes no final document that one of them holds, and no hold of what is final.
"""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddField, AddIndex, CreateModel

DECISIONS = """
CREATE FUNCTION refuse_decisions_about_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM invoicing_invoice WHERE id = NEW.document_id) THEN
        RAISE EXCEPTION 'document % is final: it is neither held nor released', NEW.document_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.kind = 'HELD' AND is_held_by_hand(NEW.customer_id, NEW.document_id) THEN
        RAISE EXCEPTION 'document % is held by hand already', NEW.document_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.releases_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM invoicing_holddecision held
        WHERE held.id = NEW.releases_id AND held.kind = 'HELD'
          AND held.customer_id = NEW.customer_id AND held.document_id = NEW.document_id
    ) THEN
        RAISE EXCEPTION 'a release ends a hold of its own document'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decisions_are_about_drafts BEFORE INSERT ON invoicing_holddecision
    FOR EACH ROW EXECUTE FUNCTION refuse_decisions_about_nothing()
"""
IS_HELD = """
CREATE FUNCTION is_held_by_hand(customer uuid, document uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM invoicing_holddecision held
        WHERE held.customer_id = customer AND held.document_id = document AND held.kind = 'HELD'
          AND NOT EXISTS (
              SELECT FROM invoicing_holddecision release
              WHERE release.customer_id = customer AND release.releases_id = held.id
          )
    )
$$
"""
DOCUMENTS = """
CREATE FUNCTION refuse_documents_held_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF is_held_by_hand(NEW.customer_id, NEW.id) THEN
        RAISE EXCEPTION 'document % is held by hand', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER held_documents_stay_drafts BEFORE INSERT ON invoicing_invoice
    FOR EACH ROW EXECUTE FUNCTION refuse_documents_held_by_hand()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0017_numbers_over_all_customers"),
        ("invoicing", "0011_notes"),
    ]

    operations = [
        CreateModel(
            name="HoldDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("document_id", models.UUIDField()),
                ("document_name", models.CharField(max_length=160)),
                ("kind", models.CharField(choices=[("HELD", "held"), ("RELEASED", "released")], max_length=16)),
                ("reviewed", models.JSONField(default=list)),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("actor_id", models.CharField(blank=True, default="", max_length=64)),
                ("money_version", models.BigIntegerField()),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.contract"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "releases",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing.holddecision",
                    ),
                ),
            ],
            options={
                "verbose_name": "hold or release",
                "verbose_name_plural": "holds and releases",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["HELD", "RELEASED"])),
                        name="holddecision_kind_is_known",
                        violation_error_message="kind must be one of HELD, RELEASED.",
                    ),
                    models.UniqueConstraint(fields=("customer", "money_version"), name="decisions_have_an_order"),
                    models.UniqueConstraint(
                        condition=models.Q(("releases__isnull", False)),
                        fields=("customer", "releases"),
                        name="a_hold_is_released_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="who_holds_or_releases_says_why"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "HELD"), ("releases", None), ("reviewed", [])),
                            models.Q(
                                ("kind", "RELEASED"),
                                models.Q(
                                    ("releases__isnull", False),
                                    models.Q(("reviewed", []), _negated=True),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="a_release_names_what_was_seen",
                    ),
                ],
                "indexes": [models.Index(fields=["customer", "document_id"], name="decisions_of_a_document")],
            },
        ),
        AddField(model_name="draftsummary", name="holds", field=models.JSONField(default=list)),
        AddIndex(
            model_name="draftsummary",
            index=models.Index(
                condition=models.Q(("holds", []), _negated=True),
                fields=["finalizes_at", "id"],
                name="held_drafts_by_urgency",
            ),
        ),
        *append_only("invoicing_holddecision"),
        migrations.RunSQL(IS_HELD, "DROP FUNCTION is_held_by_hand(uuid, uuid)"),
        migrations.RunSQL(
            DECISIONS,
            "DROP TRIGGER decisions_are_about_drafts ON invoicing_holddecision; "
            "DROP FUNCTION refuse_decisions_about_nothing()",
        ),
        migrations.RunSQL(
            DOCUMENTS,
            "DROP TRIGGER held_documents_stay_drafts ON invoicing_invoice; "
            "DROP FUNCTION refuse_documents_held_by_hand()",
        ),
    ]
