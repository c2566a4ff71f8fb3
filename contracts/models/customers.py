"""Who is billed, which subjects are theirs, and the edits in which all of that was agreed."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import on_the_hour, one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7


class Customer(models.Model):
    """Whoever is billed. `money_version` moves with every verb that touches the customer's money or terms."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    custom_fields = models.JSONField(default=dict, blank=True)
    salesforce_account_id = models.CharField(max_length=160, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)
    money_version = models.BigIntegerField(default=0, editable=False)
    last_edit_number = models.BigIntegerField(default=0, editable=False)
    history = history(excluded_fields=["money_version", "last_edit_number"])

    class Meta:
        indexes = [
            GinIndex(SearchVector("name", config="simple"), name="customers_by_words_of_names"),
            GinIndex(fields=["custom_fields"], name="customers_by_custom_fields"),
            models.Index(
                name="customers_by_account",
                fields=["salesforce_account_id"],
                opclasses=["text_pattern_ops"],
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ContractEdit(models.Model):
    """A fact: one atomic change of a customer's terms, with its number, author and reason.

    What it added and removed is found at the terms and claims that name it; what it asked for besides (a new end, what
    to remove) is in `changes`, under the names of the API.
    """

    class Kind(models.TextChoices):
        CLAIMS = "CLAIMS", "subjects claimed or released"
        CREATION = "CREATION", "contract created"
        EDIT = "EDIT", "contract edited"
        ARCHIVE = "ARCHIVE", "contract archived"
        NAMED_SCHEDULE = "NAMED_SCHEDULE", "named schedule written"
        BALANCE = "BALANCE", "commit or credit of the customer"
        SERVICES = "SERVICES", "professional services invoiced"
        PAYMENT = "PAYMENT", "payment for a commit recorded"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="edits")
    contract = models.ForeignKey("Contract", models.PROTECT, null=True, related_name="edits")
    number = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    changes = models.JSONField(default=dict)
    uniqueness_key = models.CharField(max_length=128, null=True)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    actor_id = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="edits_of_a_customer_are_numbered", fields=["customer", "number"]),
            models.UniqueConstraint(
                name="an_edit_key_is_used_once",
                fields=["customer", "uniqueness_key"],
                condition=Q(uniqueness_key__isnull=False),
            ),
            models.UniqueConstraint(
                name="a_contract_is_archived_once", fields=["contract"], condition=Q(kind="ARCHIVE")
            ),
            models.CheckConstraint(name="edit_numbers_start_at_one", condition=Q(number__gte=1)),
            one_of(
                "kind",
                ["CLAIMS", "CREATION", "EDIT", "ARCHIVE", "NAMED_SCHEDULE", "BALANCE", "SERVICES", "PAYMENT"],
            ),
            models.CheckConstraint(
                name="what_is_agreed_is_edited_in_a_contract",
                condition=Q(kind__in=["CLAIMS", "BALANCE"], contract__isnull=True)
                | Q(kind__in=["CREATION", "EDIT", "ARCHIVE", "SERVICES", "PAYMENT"], contract__isnull=False)
                | Q(kind="NAMED_SCHEDULE"),
            ),
        ]

    def __str__(self) -> str:
        return f"Edit {self.number} of {self.customer}"


class Claim(models.Model):
    """A fact: from this hour on (NULL: since ever) the events sent under `subject` belong to `customer`.

    Of the claims that cover an hour, the one with the greatest sequence holds. Without a customer it is a release:
    the subject belongs to nobody. `edit` is one of the customer that claims or releases.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.CharField(max_length=128)
    sequence = models.IntegerField()
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="claims")
    edit = models.ForeignKey(ContractEdit, models.PROTECT, related_name="claims")
    starting_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)

    class Meta:
        constraints = [
            *on_the_hour("starting_at"),
            models.UniqueConstraint(name="claims_of_a_subject_follow_each_other", fields=["subject", "sequence"]),
        ]
        indexes = [models.Index(name="claims_by_subject", fields=["subject"], opclasses=["text_pattern_ops"])]

    def __str__(self) -> str:
        return f"{self.subject} belongs to {self.customer or 'nobody'}"
