"""Contracts, what holds for one as a whole, and prices of their own."""

from decimal import Decimal

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from billing_site.foundation.columns import (
    amount_field,
    ends_after_it_starts,
    is_a_number,
    keeps_numbers_as_text,
    on_the_hour,
    one_of,
    price_field,
    quantity_field,
)
from billing_site.foundation.display import day_text
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import Period, parse_instant
from contracts import terms
from contracts.models.customers import Customer
from contracts.models.packages import Package
from contracts.models.term import Term, digits, range_text, targets
from pricing.engine.overrides import MultiplierTier
from pricing.engine.tariffs import Tariff
from pricing.models import PricingUnit, Product, RateCard
from pricing.models.rates import has_tariff
from pricing.tiers import read_tiers


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

    class Charges(models.TextChoices):
        ALONE = "", "documents of their own"
        ALL = "ALL", "the usage invoice that ends on their date"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contracts")
    starting_at = models.DateTimeField()
    rate_card = models.ForeignKey(RateCard, models.PROTECT, null=True, related_name="contracts")
    frequency = models.CharField(max_length=16, choices=Frequency, default=Frequency.MONTHLY)
    billing_anchor_at = models.DateTimeField(help_text="Billing periods are counted from here.")
    invoicing_starts_at = models.DateTimeField(
        null=True, blank=True, help_text="Usage before this is on no document of ours."
    )
    multiplier_override_prioritization = models.CharField(
        max_length=24, choices=Prioritization, default=Prioritization.LOWEST_MULTIPLIER
    )
    scheduled_charges_on_usage_invoices = models.CharField(
        "scheduled charges are on", max_length=8, choices=Charges, blank=True, default=Charges.ALONE
    )
    uniqueness_key = models.CharField(max_length=128, null=True, blank=True)
    renews = models.ForeignKey("self", models.PROTECT, null=True, blank=True, editable=False, related_name="+")
    package = models.ForeignKey(Package, models.PROTECT, null=True, editable=False, related_name="contracts")
    custom_fields = models.JSONField(default=dict, blank=True)
    total_contract_value = amount_field(null=True, blank=True)  # in wire units of its money; nothing is billed by it
    salesforce_opportunity_id = models.CharField(max_length=160, blank=True, default="")
    netsuite_sales_order_id = models.CharField(max_length=160, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    billed_through = models.DateTimeField(
        null=True, editable=False, help_text="Usage before this is on final documents."
    )
    history = history(excluded_fields=["billed_through"])

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "billing_anchor_at", "billed_through", "invoicing_starts_at"),
            is_a_number("total_contract_value"),
            one_of("frequency", ["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"]),
            one_of("multiplier_override_prioritization", ["LOWEST_MULTIPLIER", "EXPLICIT"]),
            models.CheckConstraint(
                name="scheduled_charges_are_all_on_usage_invoices_or_none",
                condition=Q(scheduled_charges_on_usage_invoices__in=["", "ALL"]),
                violation_error_message="scheduled_charges_on_usage_invoices must be ALL or absent.",
            ),
            models.UniqueConstraint(
                name="a_contract_key_is_used_once",
                fields=["customer", "uniqueness_key"],
                condition=Q(uniqueness_key__isnull=False),
            ),
            models.UniqueConstraint(
                name="a_contract_is_renewed_once",
                fields=["customer", "renews"],
                condition=Q(renews__isnull=False),
            ),
            models.CheckConstraint(
                name="a_contract_is_not_invoiced_before_it_starts",
                condition=Q(invoicing_starts_at__isnull=True) | Q(invoicing_starts_at__gte=F("starting_at")),
            ),
            models.CheckConstraint(name="no_contract_renews_itself", condition=~Q(renews=F("id"))),
            models.CheckConstraint(
                name="a_contract_is_not_billed_before_it_starts",
                condition=Q(billed_through__isnull=True) | Q(billed_through__gt=F("starting_at")),
            ),
        ]
        indexes = [
            GinIndex(fields=["custom_fields"], name="contracts_by_custom_fields"),
            *(
                models.Index(name=f"contracts_by_{name}", fields=[column], opclasses=["text_pattern_ops"])
                for name, column in (
                    ("opportunity", "salesforce_opportunity_id"),
                    ("sales_order", "netsuite_sales_order_id"),
                )
            ),
        ]

    def __str__(self) -> str:
        return f"Contract of {self.customer} from {day_text(self.starting_at)}"

    @property
    def charges_on_usage(self) -> bool:
        return self.scheduled_charges_on_usage_invoices == self.Charges.ALL


class ContractTerms(Term):
    """What holds for a contract as a whole and may be edited. Exactly one row stands at a time."""

    class EndPolicy(models.TextChoices):
        STOP = "STOP", "it stops"
        LIST_PRICE = "LIST_PRICE", "it goes on at list prices"
        RENEW = "RENEW", "it renews"

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="terms")
    name = models.CharField(max_length=160, blank=True, default="")
    ending_before = models.DateTimeField(null=True)
    end_policy = models.CharField(max_length=16, choices=EndPolicy, default=EndPolicy.STOP)
    net_payment_terms_days = models.PositiveIntegerField(null=True)
    grace_hours = models.PositiveIntegerField(default=24)
    # [{"starting_at": …, "group_key": …, "group_values": […]}, …], in order of time
    usage_filters = models.JSONField(default=list)
    # [{"kind": …, "configuration_id": …, "provider": …, "delivery_method": …, "effective_at": …}, …], in order of time
    providers = models.JSONField(default=list)
    # [{"reseller_type": "AWS", "fraction": "0.1", "starting_at": …, …}, …], by type and in order of time
    royalties = models.JSONField(default=list)

    class Meta:
        verbose_name = verbose_name_plural = "terms of contracts"
        constraints = [
            keeps_numbers_as_text("royalties", "fraction", "reseller_contract_value"),
            *on_the_hour("ending_before"),
            one_of("end_policy", ["STOP", "LIST_PRICE", "RENEW"]),
            models.CheckConstraint(
                name="what_has_no_end_goes_on_by_itself",
                condition=Q(ending_before__isnull=False) | Q(end_policy="STOP"),
            ),
            models.UniqueConstraint(
                name="one_set_of_terms_stands",
                fields=["customer", "contract"],
                condition=Q(removed_by_edit__isnull=True),
            ),
        ]
        indexes = [GinIndex(SearchVector("name", config="simple"), name="terms_by_words_of_names")]

    def __str__(self) -> str:
        return self.name or "Terms without a name"

    def to_filters(self) -> tuple[terms.UsageFilter, ...]:
        """As the engines take them."""
        return tuple(
            terms.UsageFilter(parse_instant(each["starting_at"]), each["group_key"], frozenset(each["group_values"]))
            for each in self.usage_filters
        )


class Override(Term):
    """A price of its own for one contract over a range: multiples of the list price, or a tariff instead of it.

    The columns from `rate_type` to `unit` are the tariff of an OVERWRITE, whose type says which of them are there.
    """

    class Type(models.TextChoices):
        MULTIPLIER = "MULTIPLIER"
        OVERWRITE = "OVERWRITE"
        TIERED = "TIERED"

    class Target(models.TextChoices):
        LIST_RATE = "LIST_RATE"
        COMMIT_RATE = "COMMIT_RATE"

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="overrides")
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    type = models.CharField(max_length=16, choices=Type, blank=True, default="", help_text="Empty: entitlement only.")
    multiplier = price_field(null=True)
    tiers = models.JSONField(default=list)  # of type TIERED: [{"multiplier": "0.5", "size": "1000"}, …]
    rate_type = models.CharField(max_length=24, blank=True, default="")
    price = price_field(null=True)
    rate_tiers = models.JSONField(default=list)  # [{"price": "2", "size": "1000", "flat_fee": "5"}, …]
    package_size = quantity_field(null=True)
    quantity = quantity_field(null=True)
    is_prorated = models.BooleanField(null=True)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, null=True, related_name="+")
    priority = price_field(null=True)
    entitled = models.BooleanField(null=True)
    is_commit_specific = models.BooleanField(default=False, help_text="Holds only while a balance pays.")
    target = models.CharField(max_length=16, choices=Target, default=Target.LIST_RATE)
    product = models.ForeignKey(Product, models.PROTECT, null=True, related_name="+")
    applicable_product_tags = models.JSONField(default=list)
    specifiers = models.JSONField(default=list)  # [{product_id, product_tags, pricing_group_values, …}], any of them

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_number("multiplier"),
            is_a_number("priority"),
            is_a_number("price"),
            is_a_number("package_size"),
            is_a_number("quantity"),
            keeps_numbers_as_text("tiers", "multiplier", "size"),
            keeps_numbers_as_text("rate_tiers", "price", "size", "flat_fee"),
            one_of("type", ["", "MULTIPLIER", "OVERWRITE", "TIERED"]),
            one_of("target", ["LIST_RATE", "COMMIT_RATE"]),
            models.CheckConstraint(
                name="a_multiplier_is_not_negative", condition=Q(multiplier__isnull=True) | Q(multiplier__gte=0)
            ),
            models.CheckConstraint(
                name="an_overwritten_price_is_not_negative", condition=Q(price__isnull=True) | Q(price__gte=0)
            ),
            models.CheckConstraint(
                name="a_priority_is_above_zero", condition=Q(priority__isnull=True) | Q(priority__gt=0)
            ),
            models.CheckConstraint(
                name="an_override_says_what_its_type_needs",
                condition=Q(type="MULTIPLIER", multiplier__isnull=False, tiers=[], rate_type="")
                | (Q(type="TIERED", multiplier__isnull=True, priority__isnull=False, rate_type="") & ~Q(tiers=[]))
                | (Q(type="OVERWRITE", multiplier__isnull=True, tiers=[], unit__isnull=False) & ~Q(rate_type=""))
                | Q(type="", multiplier__isnull=True, tiers=[], rate_type="", entitled__isnull=False),
            ),
            models.CheckConstraint(
                name="an_overwritten_tariff_says_what_its_type_needs",
                condition=has_tariff("", "FLAT", "PERCENTAGE", "PACKAGE", "SUBSCRIPTION", rate_tiers=[])
                | has_tariff("TIERED", "VOLUME", "TIERED_PERCENTAGE") & ~Q(rate_tiers=[]),
            ),
            models.CheckConstraint(
                name="only_a_balance_that_pays_has_a_commit_rate",
                condition=Q(target="LIST_RATE") | Q(is_commit_specific=True),
            ),
            models.CheckConstraint(
                name="entitlement_does_not_depend_on_who_pays",
                condition=Q(is_commit_specific=False) | Q(entitled__isnull=True),
            ),
            models.CheckConstraint(
                name="only_commit_specific_overrides_name_balances",
                condition=Q(is_commit_specific=True)
                | ~(
                    Q(specifiers__contains=[{"commit_ids": []}])
                    | Q(specifiers__contains=[{"recurring_commit_ids": []}])
                    | Q(specifiers__contains=[{"any_commit_or_credit_ids": []}])
                ),
            ),
            models.CheckConstraint(
                name="prices_are_not_overwritten_by_tag",
                condition=~Q(type="OVERWRITE") | Q(applicable_product_tags=[]),
            ),
        ]

    def __str__(self) -> str:
        what = {
            "MULTIPLIER": f"{digits(self.multiplier)} × list price",
            "OVERWRITE": f"price {digits(self.price)}" if self.price is not None else f"{self.rate_type} price",
            "TIERED": " then ".join(f"{tier['multiplier']} × list price" for tier in self.tiers),
        }
        on = "part of the deal" if self.entitled else "not part of the deal"
        return f"{what.get(self.type, on)} {range_text(self.starting_at, self.ending_before)}"

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
            tiers=tuple(
                MultiplierTier(Decimal(tier["multiplier"]), Decimal(tier["size"]) if "size" in tier else None)
                for tier in self.tiers
            ),
            tariff=self.to_tariff(),
            unit=self.unit.to_unit() if self.unit else None,
            priority=self.priority,
            entitled=self.entitled,
            is_commit_specific=self.is_commit_specific,
            target=self.target,
        )

    def to_tariff(self) -> Tariff | None:
        """What an OVERWRITE charges instead of the list."""
        if not self.rate_type:
            return None
        return Tariff(
            type=self.rate_type,
            price=self.price,
            tiers=read_tiers(self.rate_tiers),
            package_size=self.package_size,
            quantity=self.quantity,
            is_prorated=self.is_prorated,
        )
