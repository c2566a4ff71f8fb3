"""Subscriptions of contracts: what was agreed once, what may be edited, and how many there are from when on."""

from collections.abc import Iterable
from operator import attrgetter

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import is_a_number, on_the_hour, one_of, quantity_field
from billing_site.foundation.periods import Period
from contracts import fee_terms
from contracts.models.contracts import Contract
from contracts.models.recurring import ROUNDINGS
from contracts.models.term import Term, digits
from pricing.models import Product


class Subscription(Term):
    """So many of a SUBSCRIPTION product for a fee a period (`docs/subscriptions.md`). A price is on the rate card."""

    class Frequency(models.TextChoices):
        WEEKLY = "WEEKLY"
        MONTHLY = "MONTHLY"
        QUARTERLY = "QUARTERLY"
        ANNUAL = "ANNUAL"

    class Collection(models.TextChoices):
        ADVANCE = "ADVANCE"
        ARREARS = "ARREARS"

    class Increases(models.TextChoices):
        BILL_IMMEDIATELY = "BILL_IMMEDIATELY"
        BILL_ON_NEXT_COLLECTION_DATE = "BILL_ON_NEXT_COLLECTION_DATE"

    class Placement(models.TextChoices):
        ON_USAGE_INVOICE = "ON_USAGE_INVOICE"
        ON_SCHEDULED_INVOICE = "ON_SCHEDULED_INVOICE"

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="subscriptions")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    frequency = models.CharField(max_length=16, choices=Frequency)
    collection_schedule = models.CharField(max_length=16, choices=Collection)
    is_prorated = models.BooleanField(default=True)
    invoice_behavior = models.CharField(max_length=32, choices=Increases)
    invoice_placement = models.CharField(max_length=24, choices=Placement, default=Placement.ON_USAGE_INVOICE)
    anchor_at = models.DateTimeField(null=True)  # NULL: the contract's
    starting_at = models.DateTimeField()
    description = models.TextField(blank=True, default="")
    custom_fields = models.JSONField(default=dict)

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "anchor_at"),
            one_of("frequency", ["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"]),
            one_of("collection_schedule", ["ADVANCE", "ARREARS"]),
            one_of("invoice_behavior", ["BILL_IMMEDIATELY", "BILL_ON_NEXT_COLLECTION_DATE"]),
            one_of("invoice_placement", ["ON_USAGE_INVOICE", "ON_SCHEDULED_INVOICE"]),
            models.CheckConstraint(
                name="only_in_advance_is_an_increase_billed_at_once",
                condition=Q(collection_schedule="ADVANCE") | Q(invoice_behavior="BILL_ON_NEXT_COLLECTION_DATE"),
            ),
            models.CheckConstraint(
                name="a_subscription_starts_after_its_own_anchor",
                condition=Q(anchor_at=None) | Q(collection_schedule="ADVANCE", anchor_at__lte=models.F("starting_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"Subscription to {self.product} from {self.starting_at:%Y-%m-%d %H:%M} UTC"

    @property
    def is_in_advance(self) -> bool:
        return self.collection_schedule == self.Collection.ADVANCE


class SubscriptionTerms(Term):
    """What of a subscription may be edited. Exactly one row stands at a time."""

    class Mode(models.TextChoices):
        QUANTITY_ONLY = "QUANTITY_ONLY"
        SEAT_BASED = "SEAT_BASED"

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="terms")
    name = models.CharField(max_length=160, blank=True, default="")
    ending_before = models.DateTimeField(null=True)  # NULL: with the contract
    is_ended_late = models.BooleanField(default=False)  # at an end of the contract up to which usage was billed
    decimal_places = models.SmallIntegerField(null=True)
    rounding_method = models.CharField(max_length=16, blank=True, default="")
    mode = models.CharField(max_length=16, choices=Mode, default=Mode.QUANTITY_ONLY)
    seat_group_key = models.CharField(max_length=256, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "terms of subscriptions"
        constraints = [
            *on_the_hour("ending_before"),
            one_of("mode", ["QUANTITY_ONLY", "SEAT_BASED"]),
            models.UniqueConstraint(
                name="one_set_of_terms_of_a_subscription_stands",
                fields=["customer", "subscription"],
                condition=Q(removed_by_edit__isnull=True),
            ),
            models.CheckConstraint(
                name="what_of_a_subscription_ended_late_ends",
                condition=Q(is_ended_late=False) | Q(ending_before__isnull=False),
            ),
            models.CheckConstraint(
                name="what_a_subscription_rounds_says_how_and_where_to",
                condition=Q(decimal_places=None, rounding_method="")
                | Q(decimal_places__isnull=False, rounding_method__in=ROUNDINGS),
            ),
            models.CheckConstraint(
                name="seats_are_told_apart_by_a_property",
                condition=Q(mode="QUANTITY_ONLY", seat_group_key="") | Q(mode="SEAT_BASED") & ~Q(seat_group_key=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name or "Terms of a subscription"

    @property
    def is_by_seat(self) -> bool:
        return self.mode == self.Mode.SEAT_BASED


class SubscriptionQuantity(Term):
    """How many there are from an instant on, and which seats of them have somebody. A later row of the same instant
    says what it changes to."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="quantities")
    starting_at = models.DateTimeField()
    quantity = quantity_field()
    assigned_seat_ids = models.JSONField(default=list)  # in the order in which they were assigned
    is_initial = models.BooleanField(default=False)  # agreed with the subscription
    billed_through = models.DateTimeField(null=True)  # the contract's then: usage documents up to it do not know this

    class Meta:
        verbose_name_plural = "quantities of subscriptions"
        constraints = [
            *on_the_hour("starting_at", "billed_through"),
            is_a_number("quantity"),
            models.CheckConstraint(name="a_subscription_is_not_to_less_than_nothing", condition=Q(quantity__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{digits(self.quantity)} from {self.starting_at:%Y-%m-%d %H:%M} UTC"

    @property
    def unassigned(self) -> int:
        """Of a subscription by the seat."""
        return int(self.quantity) - len(self.assigned_seat_ids)


def in_order_of_time(quantities: Iterable[SubscriptionQuantity]) -> list[SubscriptionQuantity]:
    """Rows in the order of adding by when they hold, of one instant as they were."""
    return sorted(quantities, key=attrgetter("starting_at"))


def to_subscription(
    row: Subscription, held: SubscriptionTerms, quantities: Iterable[SubscriptionQuantity], contract: Contract
) -> fee_terms.Subscription:
    """As the engines take it; `quantities` in order of time. One whose end is not after its start has no time."""
    rounding = None
    if held.decimal_places is not None:
        rounding = fee_terms.AmountRounding(held.decimal_places, held.rounding_method)
    return fee_terms.Subscription(
        id=row.pk,
        product_id=row.product_id,
        name=held.name,
        frequency=row.frequency,
        anchor_at=row.anchor_at or contract.billing_anchor_at,
        period=Period(row.starting_at, held.ending_before),
        quantities=tuple(
            fee_terms.SubscriptionQuantity(
                id=each.pk,
                starting_at=each.starting_at,
                quantity=each.quantity,
                agreed_at=None if each.is_initial else each.created_at,
                billed_through=each.billed_through,
                seats=tuple(each.assigned_seat_ids),
            )
            for each in quantities
        ),
        is_in_advance=row.is_in_advance,
        is_prorated=row.is_prorated,
        bills_immediately=row.invoice_behavior == Subscription.Increases.BILL_IMMEDIATELY,
        is_on_usage_invoice=row.invoice_placement == Subscription.Placement.ON_USAGE_INVOICE,
        rounding=rounding,
        is_ended_late=held.is_ended_late,
        seat_group_key=held.seat_group_key,
    )
