"""What of a commit is neither an amount nor a date. An edit changes it by a version, which stands in for all of it."""

from typing import Any

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import is_a_number, one_of, price_field
from contracts.models.contracts import Contract
from contracts.models.term import Term
from pricing.models import Product


class BalanceAttributes(models.Model):
    """What commits and credits are called and drawn on for, those that recur among them."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="+")  # names the bill line
    name = models.CharField(max_length=160, blank=True, default="")
    description = models.TextField(blank=True, default="")
    priority = price_field(default=100)
    rate_type = models.CharField(max_length=16, default="LIST_RATE")
    rollover_fraction = price_field(null=True)  # how much of it at the most a renewal takes over; NULL: nothing
    applicable_product_ids = models.JSONField(default=list)
    applicable_product_tags = models.JSONField(default=list)
    specifiers = models.JSONField(default=list)
    netsuite_sales_order_id = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        abstract = True
        constraints = [
            one_of("rate_type", ["LIST_RATE", "COMMIT_RATE"]),
            is_a_number("priority"),
            is_a_number("rollover_fraction"),
            models.CheckConstraint(
                name="no_more_than_all_of_a_%(class)s_rolls_over",
                condition=Q(rollover_fraction=None) | Q(rollover_fraction__gte=0, rollover_fraction__lte=1),
            ),
        ]


class CommitAttributes(BalanceAttributes):
    applicable_contract_ids = models.JSONField(default=list)
    invoice_contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="+")

    class Meta(BalanceAttributes.Meta):
        abstract = True

    def attributes(self) -> dict[str, Any]:
        """Their values by column."""
        return {field.attname: getattr(self, field.attname) for field in CommitAttributes._meta.fields}


class CommitVersion(CommitAttributes, Term):
    """The attributes of a commit since an edit, in place of those it was added with."""

    commit = models.ForeignKey("Commit", models.PROTECT, related_name="versions")

    class Meta(CommitAttributes.Meta):
        constraints = [
            *CommitAttributes.Meta.constraints,
            models.UniqueConstraint(
                name="a_commit_has_one_version_at_a_time",
                fields=["commit"],
                condition=Q(removed_by_edit=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'No name'}, priority {self.priority.normalize():f}"
