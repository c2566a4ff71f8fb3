"""Who agreed to which terms, from when to when: customers, the subjects they claim, contracts, edits and terms.

A term is never overwritten: the edit that adds it and the edit that removes it are facts with a number per customer,
so that a number names everything that was agreed when that edit was made.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from billing_site.foundation.columns import (
    amount_field,
    ends_after_it_starts,
    is_a_number,
    on_the_hour,
    one_of,
    price_field,
    quantity_field,
)
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import Period
from contracts import terms
from pricing.models import PricingUnit, Product, RateCard


class Customer(models.Model):
    """Whoever is billed. `money_version` moves with every verb that touches the customer's money or terms."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    custom_fields = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)
    money_version = models.BigIntegerField(default=0, editable=False)
    last_edit_number = models.BigIntegerField(default=0, editable=False)
    history = history(excluded_fields=["money_version", "last_edit_number"])

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
            models.CheckConstraint(name="edit_numbers_start_at_one", condition=Q(number__gte=1)),
            one_of("kind", ["CLAIMS", "CREATION", "EDIT"]),
            models.CheckConstraint(
                name="only_an_edit_of_claims_has_no_contract",
                condition=Q(kind="CLAIMS", contract__isnull=True)
                | Q(kind__in=["CREATION", "EDIT"], contract__isnull=False),
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

    def __str__(self) -> str:
        return f"{self.subject} belongs to {self.customer or 'nobody'}"


class TermQuerySet(models.QuerySet):
    def known_at(self, edit_number: int) -> Self:
        """The terms that stood after the edit with this number."""
        return self.filter(added_by_edit__number__lte=edit_number).filter(
            Q(removed_by_edit__isnull=True) | Q(removed_by_edit__number__gt=edit_number)
        )

    def standing(self) -> Self:
        """The terms that no edit has removed."""
        return self.filter(removed_by_edit__isnull=True)


class Term(models.Model):
    """Something agreed. Its fields never change; it is added by one edit and may be removed by another."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    added_by_edit = models.ForeignKey(ContractEdit, models.PROTECT, related_name="added_%(class)ss")
    removed_by_edit = models.ForeignKey(ContractEdit, models.PROTECT, null=True, related_name="removed_%(class)ss")
    position = models.IntegerField(default=0)  # its place among what its edit added
    created_at = models.DateTimeField()
    objects = TermQuerySet.as_manager()

    class Meta:
        abstract = True


class Contract(models.Model):
    """An agreement with a customer. What may be edited is in its terms; this is what it is born with."""

    class Frequency(models.TextChoices):
        WEEKLY = "WEEKLY"
        MONTHLY = "MONTHLY"
        QUARTERLY = "QUARTERLY"
        ANNUAL = "ANNUAL"

    class Prioritization(models.TextChoices):
        LOWEST_MULTIPLIER = "LOWEST_MULTIPLIER"
        EXPLICIT = "EXPLICIT"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contracts")
    starting_at = models.DateTimeField()
    rate_card = models.ForeignKey(RateCard, models.PROTECT, null=True, related_name="contracts")
    frequency = models.CharField(max_length=16, choices=Frequency, default=Frequency.MONTHLY)
    billing_anchor_at = models.DateTimeField(help_text="Billing periods are counted from here.")
    multiplier_override_prioritization = models.CharField(
        max_length=24, choices=Prioritization, default=Prioritization.LOWEST_MULTIPLIER
    )
    uniqueness_key = models.CharField(max_length=128, null=True, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    billed_through = models.DateTimeField(
        null=True, editable=False, help_text="Usage before this is on final documents."
    )
    history = history(excluded_fields=["billed_through"])

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "billing_anchor_at", "billed_through"),
            one_of("frequency", ["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"]),
            one_of("multiplier_override_prioritization", ["LOWEST_MULTIPLIER", "EXPLICIT"]),
            models.UniqueConstraint(
                name="a_contract_key_is_used_once",
                fields=["customer", "uniqueness_key"],
                condition=Q(uniqueness_key__isnull=False),
            ),
            models.CheckConstraint(
                name="a_contract_is_not_billed_before_it_starts",
                condition=Q(billed_through__isnull=True) | Q(billed_through__gt=F("starting_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"Contract {str(self.id)[-6:]} of {self.customer}"


class ContractTerms(Term):
    """What holds for a contract as a whole and may be edited. Exactly one row stands at a time."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="terms")
    name = models.CharField(max_length=160, blank=True, default="")
    ending_before = models.DateTimeField(null=True)
    net_payment_terms_days = models.PositiveIntegerField(null=True)
    grace_hours = models.PositiveIntegerField(default=24)

    class Meta:
        constraints = [
            *on_the_hour("ending_before"),
            models.UniqueConstraint(
                name="one_set_of_terms_stands",
                fields=["customer", "contract"],
                condition=Q(removed_by_edit__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name or "Terms without a name"


class Override(Term):
    """A price of its own for one contract over a range: a multiple of the list price, or another price."""

    class Type(models.TextChoices):
        MULTIPLIER = "MULTIPLIER"
        OVERWRITE = "OVERWRITE"

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="overrides")
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    type = models.CharField(max_length=16, choices=Type, blank=True, default="", help_text="Empty: entitlement only.")
    multiplier = price_field(null=True)
    price = price_field(null=True)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, null=True, related_name="+")
    priority = price_field(null=True)
    entitled = models.BooleanField(null=True)
    product = models.ForeignKey(Product, models.PROTECT, null=True, related_name="+")
    applicable_product_tags = models.JSONField(default=list)
    specifiers = models.JSONField(default=list)  # [{product_id, product_tags, pricing_group_values, …}], any of them

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_number("multiplier"),
            is_a_number("price"),
            one_of("type", ["", "MULTIPLIER", "OVERWRITE"]),
            models.CheckConstraint(
                name="a_multiplier_is_not_negative", condition=Q(multiplier__isnull=True) | Q(multiplier__gte=0)
            ),
            models.CheckConstraint(
                name="an_overwritten_price_is_not_negative", condition=Q(price__isnull=True) | Q(price__gte=0)
            ),
            models.CheckConstraint(
                name="an_override_says_what_its_type_needs",
                condition=Q(type="MULTIPLIER", multiplier__isnull=False, price__isnull=True)
                | Q(type="OVERWRITE", multiplier__isnull=True, price__isnull=False, unit__isnull=False)
                | Q(type="", multiplier__isnull=True, price__isnull=True, entitled__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        what = {"MULTIPLIER": f"{_digits(self.multiplier)} × list price", "OVERWRITE": f"price {_digits(self.price)}"}
        on = "part of the deal" if self.entitled else "not part of the deal"
        return f"{what.get(self.type, on)} {_range(self.starting_at, self.ending_before)}"

    def to_override(self) -> terms.Override:
        """As the engines take it; needs its unit and the edit that added it."""
        return terms.Override(
            id=self.pk,
            type=self.type,
            period=Period(self.starting_at, self.ending_before),
            targets=targets([self.product_id], self.applicable_product_tags, self.specifiers) or (terms.Target(),),
            added_by_edit=self.added_by_edit.number,
            position=self.position,
            multiplier=self.multiplier,
            price=self.price,
            unit=self.unit.to_unit() if self.unit else None,
            priority=self.priority,
            entitled=self.entitled,
        )


class Commit(Term):
    """A promise to spend: prepaid (a balance) or postpaid (an obligation that ends in a true-up)."""

    class Type(models.TextChoices):
        PREPAID = "PREPAID"
        POSTPAID = "POSTPAID"

    contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="commits")
    type = models.CharField(max_length=16, choices=Type)
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")  # names the bill line
    name = models.CharField(max_length=160, blank=True, default="")
    description = models.TextField(blank=True, default="")
    priority = price_field(default=100)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    rate_type = models.CharField(max_length=16, default="LIST_RATE")
    applicable_product_ids = models.JSONField(default=list)
    applicable_product_tags = models.JSONField(default=list)
    specifiers = models.JSONField(default=list)
    custom_fields = models.JSONField(default=dict)

    class Meta:
        constraints = [
            one_of("type", ["PREPAID", "POSTPAID"]),
            one_of("rate_type", ["LIST_RATE", "COMMIT_RATE"]),
            is_a_number("priority"),
        ]

    def __str__(self) -> str:
        return f"{self.type.capitalize()} commit {self.name}".rstrip()

    def to_commit(
        self, segments: "Sequence[AccessSegment]", invoice_items: "Sequence[InvoiceScheduleItem]"
    ) -> terms.Commit:
        """As the engines take it; needs its unit."""
        return terms.Commit(
            id=self.pk,
            type=self.type,
            contract_id=self.contract_id,
            product_id=self.product_id,
            name=self.name,
            priority=self.priority,
            unit=self.unit.to_unit(),
            segments=tuple(segment.to_segment() for segment in segments),
            invoice_items=tuple(item.to_amount() for item in invoice_items),
            targets=targets(self.applicable_product_ids, self.applicable_product_tags, self.specifiers),
            created_at=self.created_at,
        )


class AccessSegment(Term):
    """A part of a commit: how much can be drawn (or is owed) over which hours."""

    commit = models.ForeignKey(Commit, models.PROTECT, related_name="segments")
    amount = amount_field()
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField()

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_number("amount"),
            models.CheckConstraint(name="a_segment_holds_something", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{_digits(self.amount)} {_range(self.starting_at, self.ending_before)}"

    def to_segment(self) -> terms.AccessSegment:
        return terms.AccessSegment(self.pk, self.amount, Period(self.starting_at, self.ending_before))


class ScheduledItem(Term):
    """A date, and what is billed on it."""

    issued_at = models.DateTimeField()
    amount = amount_field()
    unit_price = amount_field()
    quantity = quantity_field()

    class Meta:
        abstract = True
        constraints = [is_a_number("amount"), is_a_number("unit_price"), is_a_number("quantity")]

    def __str__(self) -> str:
        return f"{_digits(self.amount)} on {self.issued_at:%Y-%m-%d %H:%M} UTC"

    def to_amount(self) -> terms.ScheduledAmount:
        return terms.ScheduledAmount(self.pk, self.issued_at, self.amount, self.unit_price, self.quantity)


class InvoiceScheduleItem(ScheduledItem):
    """When money of a commit is billed. For a postpaid commit: when its true-up is."""

    commit = models.ForeignKey(Commit, models.PROTECT, related_name="invoice_items")


class ScheduledCharge(Term):
    """Amounts billed on their dates, whatever the usage."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="scheduled_charges")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    name = models.CharField(max_length=160, blank=True, default="")
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    custom_fields = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Scheduled charge {self.name}".rstrip()

    def to_charge(self, items: "Sequence[ScheduledChargeItem]") -> terms.ScheduledCharge:
        """As the engines take it; needs its unit."""
        return terms.ScheduledCharge(
            self.pk, self.product_id, self.name, self.unit.to_unit(), tuple(item.to_amount() for item in items)
        )


class ScheduledChargeItem(ScheduledItem):
    """One date and amount of a scheduled charge."""

    charge = models.ForeignKey(ScheduledCharge, models.PROTECT, related_name="items")


def targets(
    product_ids: Sequence[UUID | str | None], tags: Sequence[str], specifiers: Sequence[Mapping[str, Any]]
) -> tuple[terms.Target, ...]:
    """The ways in which a term names what it applies to; none where it names nothing."""
    return (
        *(terms.Target(product_id=_uuid(product_id)) for product_id in product_ids if product_id),
        *(terms.Target(product_tags=(tag,)) for tag in tags),
        *(
            terms.Target(
                product_id=_uuid(specifier["product_id"]) if specifier.get("product_id") else None,
                product_tags=tuple(specifier.get("product_tags", ())),
                pricing_group_values=tuple(sorted(specifier.get("pricing_group_values", {}).items())),
                presentation_group_values=tuple(sorted(specifier.get("presentation_group_values", {}).items())),
            )
            for specifier in specifiers
        ),
    )


def _digits(number: Decimal | None) -> str:
    """Every digit, and no zeros behind the last."""
    text = "" if number is None else f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _range(starting_at: datetime, ending_before: datetime | None) -> str:
    end = f" up to {ending_before:%Y-%m-%d %H:%M}" if ending_before else ""
    return f"from {starting_at:%Y-%m-%d %H:%M}{end} UTC"


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
