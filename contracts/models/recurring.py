"""Commits and credits that are granted anew each period."""

from datetime import datetime
from decimal import Context, Decimal
from uuid import UUID

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import (
    amount_field,
    ends_after_it_starts,
    is_a_number,
    on_the_hour,
    one_of,
    quantity_field,
)
from billing_site.foundation.money import PRECISION, Unit
from billing_site.foundation.periods import Period
from contracts import fee_terms, terms
from contracts.models.commit_attributes import BalanceAttributes
from contracts.models.contracts import Contract
from contracts.models.term import Term, digits, range_text, targets
from pricing.models import PricingUnit

ROUNDINGS = ["HALF_UP", "FLOOR", "CEILING"]


class RecurringCommit(BalanceAttributes, Term):
    """A prepaid commit or credit of a contract, of which each period has an instance (`contracts/recurring.py`).

    An edit that changes what is still to come adds a row that says what it takes over from. The rows before stand: what
    they have granted until then stays as it was granted.
    """

    class Type(models.TextChoices):
        PREPAID = "PREPAID"
        CREDIT = "CREDIT"

    class Frequency(models.TextChoices):
        DAILY = "DAILY"
        WEEKLY = "WEEKLY"
        MONTHLY = "MONTHLY"
        QUARTERLY = "QUARTERLY"
        ANNUAL = "ANNUAL"

    class Proration(models.TextChoices):
        NONE = terms.NONE
        FIRST = terms.FIRST
        LAST = terms.LAST
        FIRST_AND_LAST = terms.FIRST_AND_LAST

    class Allocation(models.TextChoices):
        POOLED = "POOLED"
        INDIVIDUAL = "INDIVIDUAL"

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="recurring")
    first_row = models.ForeignKey("self", models.PROTECT, null=True, related_name="later_rows")  # NULL: this is it
    contract_ended_at = models.DateTimeField(null=True)  # of a later row: the contract's end, as known until then
    type = models.CharField(max_length=16, choices=Type)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")  # of access type QUANTITY: of its invoices
    access_type = models.CharField(max_length=16, default="SPEND")
    access_unit_price = amount_field()
    access_quantity = quantity_field()
    invoice_unit = models.ForeignKey(PricingUnit, models.PROTECT, null=True, related_name="+")  # where it is not `unit`
    invoice_unit_price = amount_field(null=True)  # NULL: nobody pays for it
    invoice_quantity = quantity_field(null=True)
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    duration = models.PositiveIntegerField(default=1, help_text="For so many periods can each instance be drawn on.")
    frequency = models.CharField(
        max_length=16, choices=Frequency, blank=True, default="", help_text="Empty: with each usage document."
    )
    proration = models.CharField(max_length=16, choices=Proration, default=Proration.FIRST_AND_LAST)
    access_decimal_places = models.SmallIntegerField(null=True)
    access_rounding_method = models.CharField(max_length=16, blank=True, default="")
    invoice_decimal_places = models.SmallIntegerField(null=True)
    invoice_rounding_method = models.CharField(max_length=16, blank=True, default="")
    subscription = models.ForeignKey(  # NULL: it grants the same whatever is subscribed to
        "Subscription", models.PROTECT, null=True, related_name="allowances"
    )
    allocation = models.CharField(max_length=16, choices=Allocation, blank=True, default="")
    is_increase_prorated = models.BooleanField(null=True)

    class Meta(BalanceAttributes.Meta):
        constraints = [
            *BalanceAttributes.Meta.constraints,
            *on_the_hour("starting_at", "ending_before", "contract_ended_at"),
            ends_after_it_starts(),
            one_of("type", ["PREPAID", "CREDIT"]),
            one_of("access_type", ["SPEND", "QUANTITY"]),
            one_of("frequency", ["", "DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"]),
            one_of("proration", ["NONE", "FIRST", "LAST", "FIRST_AND_LAST"]),
            *(
                is_a_number(field)
                for field in (
                    "access_unit_price",
                    "access_quantity",
                    "invoice_unit_price",
                    "invoice_quantity",
                )
            ),
            models.CheckConstraint(
                name="what_recurs_grants_something", condition=Q(access_unit_price__gt=0, access_quantity__gt=0)
            ),
            models.CheckConstraint(
                name="what_is_paid_for_what_recurs_is_a_price_and_a_quantity",
                condition=Q(invoice_unit_price=None, invoice_quantity=None, invoice_unit=None)
                | Q(invoice_unit_price__isnull=False, invoice_quantity__isnull=False)
                & Q(type="PREPAID", invoice_unit_price__gte=0, invoice_quantity__gte=0),
            ),
            models.CheckConstraint(name="an_instance_lasts_for_a_period", condition=Q(duration__gte=1)),
            models.CheckConstraint(
                name="what_is_rounded_says_how_and_where_to",
                condition=(
                    Q(access_decimal_places=None, access_rounding_method="")
                    | Q(access_decimal_places__isnull=False, access_rounding_method__in=ROUNDINGS)
                )
                & (
                    Q(invoice_decimal_places=None, invoice_rounding_method="")
                    | Q(invoice_decimal_places__isnull=False, invoice_rounding_method__in=ROUNDINGS)
                ),
            ),
            models.CheckConstraint(
                name="an_allowance_by_the_seat_is_for_one_of_a_subscription",
                condition=Q(subscription=None, allocation="", is_increase_prorated=None)
                | Q(subscription__isnull=False, is_increase_prorated__isnull=False, access_quantity=1)
                & Q(allocation__in=["POOLED", "INDIVIDUAL"])
                & ~Q(frequency="DAILY"),
            ),
            models.CheckConstraint(
                name="what_a_seat_has_of_its_own_does_not_roll_over",
                condition=~Q(allocation="INDIVIDUAL") | Q(rollover_fraction=None),
            ),
            models.CheckConstraint(
                name="only_what_takes_over_knows_an_earlier_end",
                condition=Q(contract_ended_at=None) | Q(first_row__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        noun = "credit" if self.is_credit else "commit"
        how_often = (self.frequency or "each usage period").lower()
        amount = digits(self.access_amount)
        return f"Recurring {noun} {self.name}: {amount} {how_often} {range_text(self.starting_at, self.ending_before)}"

    @property
    def recurring_id(self) -> UUID:
        """What it is called by readers, however often it was changed."""
        return self.first_row_id or self.pk

    @property
    def held_in(self) -> Unit:
        """What it grants amounts of; needs its unit."""
        return terms.UNITS if self.access_type == terms.QUANTITY else self.unit.to_unit()

    @property
    def is_credit(self) -> bool:
        return self.type == self.Type.CREDIT

    @property
    def access_amount(self) -> Decimal:
        """Of a whole period, exact; of an allowance by the seat for each one of its subscription."""
        return Context(prec=PRECISION).multiply(self.access_unit_price, self.access_quantity)

    @property
    def invoice_amount(self) -> Decimal | None:
        """Of a whole period, exact; None where nobody pays for it."""
        if self.invoice_unit_price is None or self.invoice_quantity is None:
            return None
        return Context(prec=PRECISION).multiply(self.invoice_unit_price, self.invoice_quantity)

    def to_recurring(
        self, *, after: datetime | None, until: datetime | None, end: datetime | None, agreed_at: datetime
    ) -> terms.RecurringCommit:
        """As the engines take it; needs its units. `after`: it has taken over then; `until`: the next row does; `end`:
        nothing is granted from there on; `agreed_at`: the first row was."""
        seats = None
        if self.subscription_id is not None:
            is_individual = self.allocation == self.Allocation.INDIVIDUAL
            seats = terms.SeatLink(self.subscription_id, bool(self.is_increase_prorated), agreed_at, is_individual)
        return terms.RecurringCommit(
            id=self.recurring_id,
            type=self.type,
            contract_id=self.contract_id,
            product_id=self.product_id,
            name=self.name,
            priority=self.priority,
            unit=self.unit.to_unit(),
            access_amount=self.access_amount,
            period=Period(self.starting_at, end),
            duration=self.duration,
            frequency=self.frequency or None,
            invoice_amount=self.invoice_amount,
            invoice_unit_price=self.invoice_unit_price,
            invoice_quantity=self.invoice_quantity,
            proration=self.proration,
            access_rounding=_rounding(self.access_decimal_places, self.access_rounding_method),
            invoice_rounding=_rounding(self.invoice_decimal_places, self.invoice_rounding_method),
            targets=targets(self.applicable_product_ids, self.applicable_product_tags, self.specifiers),
            rate_type=self.rate_type,
            access_type=self.access_type,
            rollover_fraction=self.rollover_fraction,
            netsuite_sales_order_id=self.netsuite_sales_order_id,
            invoice_unit=self.invoice_unit.to_unit() if self.invoice_unit else None,
            holds_after=after,
            holds_until=until,
            seats=seats,
        )


def _rounding(decimal_places: int | None, method: str) -> fee_terms.AmountRounding | None:
    return None if decimal_places is None else fee_terms.AmountRounding(decimal_places, method)
