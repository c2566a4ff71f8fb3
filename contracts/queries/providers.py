"""What customers are called at billing providers and in revenue systems, and which of it contracts are for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from billing_site.foundation.periods import parse_instant
from contracts.models import ContractTerms, ProviderConfiguration


@dataclass(frozen=True, slots=True)
class ContractProvider:
    """A configuration that a contract is for, from `effective_at` up to when the next one of its kind takes over."""

    configuration: ProviderConfiguration
    effective_at: datetime
    effective_until: datetime | None = None


def billing_configurations(customer_id: UUID, *, with_archived: bool = False) -> QuerySet[ProviderConfiguration]:
    """Of billing providers, in the order in which they were told."""
    found = ProviderConfiguration.objects.filter(
        customer=customer_id, kind=ProviderConfiguration.Kind.BILLING_PROVIDER
    ).order_by("created_at", "id")
    return found if with_archived else found.filter(archived_at__isnull=True)


def providers_by_contract(terms: Iterable[ContractTerms]) -> dict[UUID, tuple[ContractProvider, ...]]:
    """What contracts are for, as their terms say. One query where they say anything, otherwise none."""
    said = {held.contract_id: held.providers for held in terms if held.providers}
    if not said:
        return {}
    ids = {each["configuration_id"] for told in said.values() for each in told}
    found = {str(each.pk): each for each in ProviderConfiguration.objects.filter(pk__in=ids)}
    return {
        contract_id: tuple(
            ContractProvider(
                found[each["configuration_id"]],
                _start(each),
                next((_start(later) for later in told[index + 1 :] if later["kind"] == each["kind"]), None),
            )
            for index, each in enumerate(told)
        )
        for contract_id, told in said.items()
    }


def providers_of(providers: Iterable[ContractProvider], kind: str) -> list[ContractProvider]:
    """Those of one kind, in order of time."""
    return [each for each in providers if each.configuration.kind == kind]


def _start(told: Mapping[str, Any]) -> datetime:
    return parse_instant(told["effective_at"])
