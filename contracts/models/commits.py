"""Promises to spend, balances to draw on, and amounts billed on dates."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
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
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from contracts import terms
from contracts.models.commit_attributes import CommitAttributes, CommitVersion
from contracts.models.contracts import Contract
from contracts.models.term import Term, digits, range_text, targets
from pricing.models import PricingUnit, Product


class Commit(CommitAttributes, Term):
    """A promise to spend: prepaid (a balance) or postpaid (an obligation that ends in a true-up). Or a credit: a
    balance that nobody has paid for.

    Without a contract it is the customer's: shared by the contracts that it names, or by all, and billed by one. Its
    attributes are those that it was added with; queries give it those of the version that stands (`take`).
    """

    class Type(models.TextChoices):
        PREPAID = "PREPAID"
        POSTPAID = "POSTPAID"
        CREDIT = "CREDIT"

    contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="commits")
    type = models.CharField(max_length=16, choices=Type)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")  # of access type QUANTITY: of its invoices
    access_type = models.CharField(max_length=16, default="SPEND")
    is_invoiced = models.BooleanField(default=True)  # False: its invoice items say what was paid for it elsewhere
    invoice_unit = models.ForeignKey(PricingUnit, models.PROTECT, null=True, related_name="+")  # where it is not `unit`
    custom_fields = models.JSONField(default=dict)
    uniqueness_key = models.CharField(max_length=128, null=True)
    salesforce_opportunity_id = models.CharField(max_length=160, blank=True, default="")  # of one of the customer

    class Meta(CommitAttributes.Meta):
        constraints = [
            *CommitAttributes.Meta.constraints,
            one_of("type", ["PREPAID", "POSTPAID", "CREDIT"]),
            one_of("access_type", ["SPEND", "QUANTITY"]),
            models.CheckConstraint(
                name="what_is_postpaid_is_counted_and_billed_in_one_money",
                condition=~Q(type="POSTPAID") | Q(access_type="SPEND", is_invoiced=True, invoice_unit=None),
            ),
            models.CheckConstraint(
                name="only_what_is_the_customers_names_contracts",
                condition=Q(contract=None) | Q(applicable_contract_ids=[], invoice_contract=None, uniqueness_key=None),
            ),
            models.CheckConstraint(
                name="what_is_a_contracts_belongs_to_its_opportunity",
                condition=Q(contract=None) | Q(salesforce_opportunity_id=""),
            ),
            models.CheckConstraint(
                name="what_is_the_customers_stays_and_does_not_roll_over",
                condition=Q(contract__isnull=False) | Q(rollover_fraction=None),
            ),
            models.CheckConstraint(
                name="what_is_postpaid_has_a_contract_that_bills_it",
                condition=~Q(type="POSTPAID") | Q(contract__isnull=False) | Q(invoice_contract__isnull=False),
            ),
            models.UniqueConstraint(
                name="a_balance_key_is_used_once",
                fields=["customer", "uniqueness_key"],
                condition=Q(uniqueness_key__isnull=False),
            ),
        ]
        indexes = [
            GinIndex(SearchVector("name", config="simple"), name="commits_by_words_of_names"),
            models.Index(
                name="commits_by_sales_order",
                fields=["netsuite_sales_order_id"],
                opclasses=["text_pattern_ops"],
            ),
        ]

    def __str__(self) -> str:
        noun = "Credit" if self.is_credit else f"{self.type.capitalize()} commit"
        return f"{noun} “{self.name}”" if self.name else noun

    @property
    def held_in(self) -> Unit:
        """What its segments are amounts of; needs its unit."""
        return terms.UNITS if self.access_type == terms.QUANTITY else self.unit.to_unit()

    @property
    def is_credit(self) -> bool:
        return self.type == self.Type.CREDIT

    def take(self, version: CommitVersion) -> None:
        """Be what an edit has made of it; never to be saved. Needs the version's product."""
        for column, value in version.attributes().items():
            setattr(self, column, value)
        self.product = version.product

    def to_commit(
        self, segments: "Sequence[AccessSegment]", invoice_items: "Sequence[InvoiceScheduleItem]"
    ) -> terms.Commit:
        """As the engines take it; needs its units."""
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
            rate_type=self.rate_type,
            access_type=self.access_type,
            is_invoiced=self.is_invoiced,
            invoice_unit=self.invoice_unit.to_unit() if self.invoice_unit else None,
            applicable_contract_ids=frozenset(map(UUID, self.applicable_contract_ids)),
            invoice_contract_id=self.invoice_contract_id,
            rollover_fraction=self.rollover_fraction,
            netsuite_sales_order_id=self.netsuite_sales_order_id,
        )


class AccessSegment(Term):
    """A part of a commit: how much can be drawn (or is owed) over which hours.

    An edit that changes one removes the row and adds another that says what it stands in for: what was posted on the
    segment was posted under the id of its first row.
    """

    commit = models.ForeignKey(Commit, models.PROTECT, related_name="segments")
    first_row = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")  # NULL: this is the first
    amount = amount_field()
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField()

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_number("amount"),
            models.CheckConstraint(name="a_segment_holds_something", condition=Q(amount__gt=0)),
            models.UniqueConstraint(
                name="a_segment_stands_once",
                fields=["first_row"],
                condition=Q(first_row__isnull=False, removed_by_edit=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{digits(self.amount)} {range_text(self.starting_at, self.ending_before)}"

    @property
    def segment_id(self) -> UUID:
        """What it is called by readers and in the ledger, however often it was changed."""
        return self.first_row_id or self.pk

    @property
    def period(self) -> Period:
        return Period(self.starting_at, self.ending_before)

    def to_segment(self) -> terms.AccessSegment:
        """As the engines take it; needs its first row."""
        agreed = self.first_row.period if self.first_row else None
        return terms.AccessSegment(self.segment_id, self.amount, self.period, agreed)


class ScheduledItem(Term):
    """A date, and what is billed on it. An edit that changes one does it as with a segment."""

    issued_at = models.DateTimeField()
    amount = amount_field()
    unit_price = amount_field()
    quantity = quantity_field()

    class Meta:
        abstract = True
        constraints = [is_a_number("amount"), is_a_number("unit_price"), is_a_number("quantity")]

    def __str__(self) -> str:
        return f"{digits(self.amount)} on {self.issued_at:%Y-%m-%d %H:%M} UTC"

    @property
    def item_id(self) -> UUID:
        """What it is called by readers, however often it was changed."""
        raise NotImplementedError

    def to_amount(self) -> terms.ScheduledAmount:
        return terms.ScheduledAmount(self.item_id, self.issued_at, self.amount, self.unit_price, self.quantity)


class InvoiceScheduleItem(ScheduledItem):
    """When money of a commit is billed. For a postpaid commit: when its true-up is."""

    commit = models.ForeignKey(Commit, models.PROTECT, related_name="invoice_items")
    first_row = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")  # NULL: this is the first

    class Meta(ScheduledItem.Meta):
        constraints = [
            *ScheduledItem.Meta.constraints,
            models.UniqueConstraint(
                name="an_invoice_item_stands_once",
                fields=["first_row"],
                condition=Q(first_row__isnull=False, removed_by_edit=None),
            ),
        ]

    @property
    def item_id(self) -> UUID:
        return self.first_row_id or self.pk


class ScheduledCharge(Term):
    """Amounts billed on their dates, whatever the usage; of a discount: taken off on them."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="scheduled_charges")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    name = models.CharField(max_length=160, blank=True, default="")
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    custom_fields = models.JSONField(default=dict)
    netsuite_sales_order_id = models.CharField(max_length=160, blank=True, default="")
    is_discount = models.BooleanField(default=False)  # its items are kept as they are agreed, above zero

    def __str__(self) -> str:
        noun = "Discount" if self.is_discount else "Scheduled charge"
        return f"{noun} “{self.name}”" if self.name else noun

    def to_charge(self, items: "Sequence[ScheduledChargeItem]") -> terms.ScheduledCharge:
        """As the engines take it, with the sign that it is billed with; needs its unit."""
        amounts = (item.to_amount() for item in items)
        return terms.ScheduledCharge(
            self.pk,
            self.product_id,
            self.name,
            self.unit.to_unit(),
            tuple(amount.taken_off() if self.is_discount else amount for amount in amounts),
            self.is_discount,
        )


class ChargeVersion(Term):
    """By which order a scheduled charge is sold since an edit, in place of that which it was added with."""

    charge = models.ForeignKey(ScheduledCharge, models.PROTECT, related_name="versions")
    netsuite_sales_order_id = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_charge_has_one_version_at_a_time",
                fields=["charge"],
                condition=Q(removed_by_edit=None),
            ),
        ]

    def __str__(self) -> str:
        return self.netsuite_sales_order_id or "No order"


class ScheduledChargeItem(ScheduledItem):
    """One date and amount of a scheduled charge."""

    charge = models.ForeignKey(ScheduledCharge, models.PROTECT, related_name="items")
    first_row = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")  # NULL: this is the first

    class Meta(ScheduledItem.Meta):
        constraints = [
            *ScheduledItem.Meta.constraints,
            models.UniqueConstraint(
                name="a_charge_item_stands_once",
                fields=["first_row"],
                condition=Q(first_row__isnull=False, removed_by_edit=None),
            ),
        ]

    @property
    def item_id(self) -> UUID:
        return self.first_row_id or self.pk
