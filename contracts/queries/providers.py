"""What customers are called at billing providers and in revenue systems."""

from uuid import UUID

from django.db.models import QuerySet

from contracts.models import ProviderConfiguration


def billing_configurations(customer_id: UUID, *, with_archived: bool = False) -> QuerySet[ProviderConfiguration]:
    """Of billing providers, in the order in which they were told."""
    found = ProviderConfiguration.objects.filter(
        customer=customer_id, kind=ProviderConfiguration.Kind.BILLING_PROVIDER
    ).order_by("created_at", "id")
    return found if with_archived else found.filter(archived_at__isnull=True)
