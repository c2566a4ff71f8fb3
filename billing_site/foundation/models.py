"""What every room stands on, as tables: the test clock, its moves and who follows it, API tokens, their keys, jobs,
signals, keys of custom fields."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import XidField, one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7


class TestClock(models.Model):
    """The frozen clock of a sandbox: one row at the most."""

    __test__ = False  # not a test case, whatever its name makes pytest think

    id = models.BooleanField(primary_key=True, default=True)
    instant = models.DateTimeField()
    history = history()

    class Meta:
        constraints = [models.CheckConstraint(name="there_is_one_test_clock", condition=Q(id=True))]

    def __str__(self) -> str:
        return f"Test clock at {self.instant:%Y-%m-%d %H:%M:%S} UTC"


class ClockMove(models.Model):
    """The wish that the test clock shall go somewhere, carried out in the background.

    How far it is, the clock itself says; what happened on the way, the documents.
    """

    class State(models.TextChoices):
        UNDER_WAY = "UNDER_WAY"
        ARRIVED = "ARRIVED"
        STOPPED = "STOPPED"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    began_at = models.DateTimeField(help_text="Where the clock stood when it was asked.")
    goal_at = models.DateTimeField()
    waits_for_usage = models.BooleanField(default=True, help_text="Whether it waits for those who follow the clock.")
    state = models.CharField(max_length=16, choices=State, default=State.UNDER_WAY)
    chunk = models.PositiveIntegerField(default=1, help_text="The job that is at it: a long way takes several.")
    reason = models.TextField(blank=True, default="", help_text="Why it stopped.")
    actor = models.JSONField(default=dict, help_text="Who asked.")
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            one_of("state", ["UNDER_WAY", "ARRIVED", "STOPPED"]),
            models.UniqueConstraint(
                name="the_clock_goes_one_way_at_a_time", fields=["state"], condition=Q(state="UNDER_WAY")
            ),
        ]

    def __str__(self) -> str:
        return f"Test clock to {self.goal_at:%Y-%m-%d %H:%M} UTC"


class ClockFollower(models.Model):
    """Somebody who posts usage under the test clock, and whom it waits for. See `followers`."""

    name = models.CharField(primary_key=True, max_length=160)
    asked_until = models.DateTimeField(null=True, help_text="Where the clock goes next.")
    fed_until = models.DateTimeField(help_text="All usage before this is in.")
    seen_at = models.DateTimeField(help_text="When it was last heard of, by the wall clock.")

    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """A key for machines. The secret itself is not here."""

    class Scope(models.TextChoices):
        ADMIN = "ADMIN", "admin: everything"
        INGEST = "INGEST", "ingest: post events, read nothing"
        READ = "READ", "read: look, change nothing"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    scope = models.CharField(max_length=16, choices=Scope)
    source = models.CharField(max_length=160, help_text="The system that sends with this token.")
    customer_id = models.UUIDField(null=True, blank=True, help_text="A read token bound to this customer alone.")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=160, blank=True, default="")
    history = history()

    class Meta:
        verbose_name = "API token"
        constraints = [
            one_of("scope", ["ADMIN", "INGEST", "READ"]),
            models.CheckConstraint(
                name="only_read_tokens_are_bound_to_a_customer",
                condition=Q(customer_id__isnull=True) | Q(scope="READ"),
                violation_error_message="Only a read token may be bound to one customer.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.scope.lower()})"


class IdempotencyKey(models.Model):
    """A key that a caller gave to one POST, and the reply, once there is one. See `idempotency`."""

    pk = models.CompositePrimaryKey("owner", "key")
    owner = models.UUIDField(help_text="The token, or whoever else called: each has keys of its own.")
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of address and body.")
    claim = models.UUIDField(default=uuid7, help_text="Who answers it: only that one may write under the key.")
    leased_until = models.DateTimeField(help_text="Without a reply by then, whoever answered it is gone.")
    is_carried_out = models.BooleanField(default=False, help_text="Set by the very transaction that wrote.")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    kept_until = models.DateTimeField(help_text="Swept after this, by the wall clock.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_kept_reply_is_whole",
                condition=Q(status__isnull=True, body__isnull=True) | Q(status__isnull=False, body__isnull=False),
            )
        ]
        indexes = [models.Index(name="keys_by_age", fields=["kept_until"])]

    def __str__(self) -> str:
        return f"{self.key} of {self.owner}"


class Job(models.Model):
    """One piece of background work, known by its key, so that a second delivery finds it done or running.

    The queue's own row is only a hint; this row is the truth.
    """

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        DONE = "DONE"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)  # how often it was taken
    losses = models.PositiveIntegerField(default=0)  # of these, how often its process was gone before it ended
    progress = models.CharField(max_length=160, blank=True, default="")  # how far it is, in words; kept when it ends
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_job_is_known_by_its_key", fields=["kind", "key"]),
            one_of("state", ["QUEUED", "RUNNING", "DONE", "FAILED"]),
        ]
        indexes = [models.Index(name="jobs_by_state", fields=["state", "created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Touched(models.Model):
    """A signal: a transaction has changed something, and whoever keeps what is derived from it has not looked yet.

    See `foundation.touched`. Rows are only inserted and taken, and the table is not logged: what a crash loses of it,
    whoever consumes it finds in time by looking.
    """

    class Kind(models.TextChoices):
        SUBJECT = "SUBJECT", "usage of a subject"
        CUSTOMER = "CUSTOMER", "terms or money of a customer"
        PUBLICATION = "PUBLICATION", "prices and products"

    pk = models.CompositePrimaryKey("kind", "key", "transaction")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.TextField(db_collation="C")  # a subject, the id of a customer, the number of a publication
    transaction = XidField()

    class Meta:
        verbose_name_plural = "touched"
        constraints = [one_of("kind", ["SUBJECT", "CUSTOMER", "PUBLICATION"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class CustomFieldKey(models.Model):
    """A key that custom fields of one kind of entity may have. See `custom_fields`."""

    class Entity(models.TextChoices):
        """As the API calls them; those whose custom fields are kept here."""

        BILLABLE_METRIC = "billable_metric", "billable metrics"
        COMMIT = "commit", "commits"
        CONTRACT = "contract", "contracts"
        CONTRACT_CREDIT = "contract_credit", "credits"
        CONTRACT_PRODUCT = "contract_product", "products"
        CUSTOMER = "customer", "customers"
        DISCOUNT = "discount", "discounts"
        PROFESSIONAL_SERVICE = "professional_service", "professional services"
        RATE_CARD = "rate_card", "rate cards"
        SCHEDULED_CHARGE = "scheduled_charge", "scheduled charges"
        SUBSCRIPTION = "subscription", "subscriptions"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entity = models.CharField("of", max_length=32, choices=Entity)
    key = models.CharField(max_length=256)
    enforce_uniqueness = models.BooleanField("values are unique", default=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    removed_at = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        verbose_name = "custom field key"
        constraints = [
            one_of("entity", [
                "billable_metric", "commit", "contract", "contract_credit", "contract_product", "customer", "discount",
                "professional_service", "rate_card", "scheduled_charge", "subscription",
            ]),
            models.UniqueConstraint(
                name="a_key_of_an_entity_stands_once", fields=["entity", "key"], condition=Q(removed_at__isnull=True)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"Key {self.key} of {self.get_entity_display()}"


class CustomFieldEntity(models.Model):
    """What whoever declares or removes keys of an entity takes alone, and whoever sets values of one takes with
    others: nobody sets a value by keys that are no longer, or not yet, those of the entity."""

    name = models.CharField(primary_key=True, max_length=32)
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "custom field entities"

    def __str__(self) -> str:
        return self.name


class CustomFieldClaim(models.Model):
    """Derived: whose the value of a unique key is. A trigger keeps it as custom fields are written."""

    pk = models.CompositePrimaryKey("entity", "key", "value")
    entity = models.CharField(max_length=32)
    key = models.CharField(max_length=256)
    value = models.TextField()
    entity_id = models.UUIDField()

    class Meta:
        indexes = [models.Index(name="claims_by_entity", fields=["entity_id"])]

    def __str__(self) -> str:
        return f"{self.key} {self.value}"
