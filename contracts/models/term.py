"""What all terms are: added by one edit, removed by another, never changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from billing_site.foundation.ids import uuid7
from contracts import terms
from contracts.models.customers import ContractEdit, Customer

# Under these a specifier names the balances that have to pay: any of all of them.
PAYER_KEYS = ("commit_ids", "recurring_commit_ids", "any_commit_or_credit_ids")


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
                billing_frequency=specifier.get("billing_frequency", ""),
                commit_ids=frozenset(_uuid(named) for key in PAYER_KEYS for named in specifier.get(key, ())),
            )
            for specifier in specifiers
        ),
    )


def digits(number: Decimal | None) -> str:
    """Every digit, and no zeros behind the last."""
    text = "" if number is None else f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def range_text(starting_at: datetime, ending_before: datetime | None) -> str:
    end = f" up to {ending_before:%Y-%m-%d %H:%M}" if ending_before else ""
    return f"from {starting_at:%Y-%m-%d %H:%M}{end} UTC"


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
