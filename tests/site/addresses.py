"""Every address that the site has, with real ids in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.site.house import House

MISSING = UUID("00000000-0000-4000-8000-000000000000")
ENDINGS = ("_simple_history", "_changelist", "_history", "_change", "_delete", "_add")


@dataclass(frozen=True, slots=True)
class Address:
    pattern: str
    name: str | None
    namespace: str
    arguments: tuple[str, ...]
    view: Any

    @property
    def model(self) -> type[Model] | None:
        """Of a page that each model has."""
        for ending in ENDINGS:
            if self.name and self.name.endswith(ending):
                room, _, model = self.name.removesuffix(ending).partition("_")
                if (room, model) in {(each._meta.app_label, each._meta.model_name) for each in apps.get_models()}:
                    return apps.get_model(room, model)
        return None


def addresses() -> Iterator[Address]:
    yield from _walk(get_resolver(), "", "")


def _walk(resolver: URLResolver, before: str, namespace: str) -> Iterator[Address]:
    for found in resolver.url_patterns:
        pattern = before + str(found.pattern)
        if isinstance(found, URLPattern):
            arguments = tuple(found.pattern.regex.groupindex) or ("object_id", "history_id") * ("([^/]+)" in pattern)
            yield Address(pattern, found.name, namespace, arguments, found.callback)
        else:
            yield from _walk(found, pattern, found.namespace or namespace)


class Ids:
    """What stands in an address for a customer's things. `theirs` are those of the other customer."""

    def __init__(self, house: House) -> None:
        self.of_house = {
            "card_id": house.card,
            "product_id": house.product,
            "contract_id": house.contract,
            "recurring_id": house.recurring,
            "subscription_id": house.subscription,
            "package_id": house.package,
            "commit_id": house.commit,
            "charge_id": house.charge,
            "customer_id": house.customer,
            "document_id": house.draft,
            "draft_id": house.draft,
            "invoice_id": house.invoice.pk,
            "billable_metric_id": house.metric,
            "rate_id": house.rate,
            "number": 1,
            "row": 0,
            "line": 0,
            "name": "open",
            "app_label": "contracts",
            "entity": "customer",
            "entity_id": house.customer,
            "content_type_id": 1,
        }

    def of(self, address: Address) -> list[Any]:
        """In the order of the address; for a row of a model that has none, an id that nothing has."""
        if address.name == "auth_user_password_change":
            return [User.objects.earliest("pk").pk]
        if not {"object_id", "history_id"}.isdisjoint(address.arguments) and (model := address.model):
            row = model._default_manager.first()
            versions = getattr(row, "history", None)
            version = versions.first() if versions is not None else None
            known = {"object_id": quote(row.pk if row else MISSING), "history_id": version.pk if version else 0}
            return [known[argument] for argument in address.arguments]
        return [self.of_house.get(argument, MISSING) for argument in address.arguments]

    def path(self, address: Address) -> str:
        """Raises NoReverseMatch."""
        name = f"{address.namespace}:{address.name}" if address.namespace else address.name
        return reverse(name, args=self.of(address))
