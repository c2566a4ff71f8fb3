"""What has custom fields, by kind of entity, and what they were."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from billing_site.foundation.custom_fields import Entity
from contracts.models import (
    Commit,
    Contract,
    Customer,
    CustomFieldsChange,
    ProfessionalService,
    ScheduledCharge,
    Subscription,
)
from pricing.models import BillableMetric, Product, RateCard

ROWS: Mapping[str, QuerySet[Any]] = {
    Entity.BILLABLE_METRIC: BillableMetric.objects.all(),
    Entity.COMMIT: Commit.objects.exclude(type=Commit.Type.CREDIT),
    Entity.CONTRACT: Contract.objects.all(),
    Entity.CONTRACT_CREDIT: Commit.objects.filter(type=Commit.Type.CREDIT),
    Entity.CONTRACT_PRODUCT: Product.objects.all(),
    Entity.CUSTOMER: Customer.objects.all(),
    Entity.DISCOUNT: ScheduledCharge.objects.filter(is_discount=True),
    Entity.PROFESSIONAL_SERVICE: ProfessionalService.objects.all(),
    Entity.RATE_CARD: RateCard.objects.all(),
    Entity.SCHEDULED_CHARGE: ScheduledCharge.objects.filter(is_discount=False),
    Entity.SUBSCRIPTION: Subscription.objects.all(),
}


def with_custom_fields(entity: str) -> QuerySet[Any]:
    """The rows of a kind of entity."""
    return ROWS[entity].all()


def custom_fields_changes(term_id: UUID) -> QuerySet[CustomFieldsChange]:
    """Of a commit, credit, charge or subscription: what its custom fields were, the last change first."""
    return CustomFieldsChange.objects.filter(term_id=term_id).order_by("-number")
