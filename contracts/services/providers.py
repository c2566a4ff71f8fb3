"""Telling what customers are called at billing providers and in revenue systems, and archiving it."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import NotFound
from billing_site.foundation.transactions import repeatable_read
from contracts.models import Customer, ProviderConfiguration
from contracts.models.providers import delivery_method_id
from contracts.provider_inputs import ConfigurationInput
from contracts.services.contracts import refuse_archived
from contracts.transactions import lock_customers, money_transaction

MOST_BYTES = 16_384  # of a configuration, as JSON
COLLECTION_METHODS = ("charge_automatically", "send_invoice")
DELIVERIES = ProviderConfiguration.Delivery.values


@repeatable_read
def set_configurations(
    given: Sequence[tuple[UUID, ConfigurationInput]], *, reason: str = "", at: datetime, by: Actor
) -> list[ProviderConfiguration]:
    """Add configurations to customers, all of them or none; they come back in the order given.

    One that a customer has already, word for word and not archived, is not added again. Nothing is sent anywhere.
    Raises NotFound where there is no such customer, and Refusal naming every field that breaks a rule.
    """
    customers = lock_customers(customer_id for customer_id, _ in given)
    for customer in customers.values():
        refuse_archived(customer)
    problems = Problems()
    checked = check_configurations(problems, "data", [each for _, each in given])
    problems.refuse()
    return [
        add_configuration(customers[customer_id], each, delivery, reason=reason, at=at, by=by)
        for (customer_id, each), delivery in zip(given, checked, strict=True)
    ]


@money_transaction
def archive_configurations(
    customer: Customer, configuration_ids: Sequence[UUID], *, reason: str = "", at: datetime, by: Actor
) -> list[ProviderConfiguration]:
    """Archive billing-provider configurations of a customer: no contract can name them any more, and those that did
    have none from now on. One that is archived already stays as it is.

    Raises NotFound, and Refusal where an id is not that of a configuration of the customer; then none is archived.
    """
    found = {
        each.pk: each
        for each in ProviderConfiguration.objects.filter(
            customer=customer, kind=ProviderConfiguration.Kind.BILLING_PROVIDER, pk__in=configuration_ids
        )
    }
    problems = Problems()
    for index, named in enumerate(configuration_ids):
        if named not in found:
            problems.add(
                f"customer_billing_provider_configuration_ids[{index}]",
                str(named),
                "must be the id of a billing-provider configuration of this customer",
            )
    problems.refuse()
    for each in found.values():
        _archive(each, reason=reason, at=at)
    return [found[named] for named in configuration_ids]


def archive_configuration(
    configuration_id: UUID, *, reason: str = "", at: datetime, by: Actor
) -> ProviderConfiguration:
    """Archive one configuration, of a billing provider or a revenue system. Archiving twice changes nothing.

    Raises NotFound.
    """
    found = ProviderConfiguration.objects.filter(pk=configuration_id).first()
    if found is None:
        raise NotFound.of("id", str(configuration_id), "must be the id of a configuration")
    return _archive_one(found.customer_id, configuration_id, reason=reason, at=at)


@money_transaction
def _archive_one(customer: Customer, configuration_id: UUID, *, reason: str, at: datetime) -> ProviderConfiguration:
    found = ProviderConfiguration.objects.get(customer=customer, pk=configuration_id)
    _archive(found, reason=reason, at=at)
    return found


def _archive(configuration: ProviderConfiguration, *, reason: str, at: datetime) -> None:
    if configuration.archived_at is None:
        configuration.archived_at = at
        save(configuration, reason=reason)


def add_configuration(
    customer: Customer, given: ConfigurationInput, delivery_method: str, *, reason: str, at: datetime, by: Actor
) -> ProviderConfiguration:
    """A checked configuration, unless the customer, which is locked, has it already."""
    told = {
        "kind": given.kind,
        "provider": given.provider,
        "delivery_method": delivery_method,
        "configuration": dict(given.configuration),
        "tax_provider": given.tax_provider,
    }
    same = ProviderConfiguration.objects.filter(customer=customer, archived_at__isnull=True, **told)
    if (existing := same.order_by("created_at", "id").first()) is not None:
        return existing
    added = ProviderConfiguration(customer=customer, created_at=at, created_by=by.label, **told)
    save(added, reason=reason)
    return added


def check_configurations(problems: Problems, path: str, given: Sequence[ConfigurationInput]) -> list[str]:
    """The delivery method of each configuration in the list at `path`. What is wrong goes to `problems`."""
    return [_checked(problems.within(f"{path}[{index}]"), each) for index, each in enumerate(given)]


def _checked(problems: Problems, given: ConfigurationInput) -> str:
    delivery = _delivery_method(problems, given)
    _check_content(problems, given)
    if given.tax_provider and given.provider != ProviderConfiguration.Provider.STRIPE:
        problems.add("tax_provider", given.tax_provider, "belongs to the provider stripe")
    if given.kind == ProviderConfiguration.Kind.REVENUE_SYSTEM and delivery not in ("", DELIVERIES[0]):
        problems.add("delivery_method", delivery, f"must be {DELIVERIES[0]} for a revenue system")
    return delivery


def _delivery_method(problems: Problems, given: ConfigurationInput) -> str:
    if given.delivery_method_id is None:
        if not given.delivery_method:
            problems.add("delivery_method", None, "is required, or delivery_method_id")
        return given.delivery_method
    named = [each for each in DELIVERIES if delivery_method_id(given.provider, each) == given.delivery_method_id]
    if not named:
        problems.add(
            "delivery_method_id", str(given.delivery_method_id), f"must be that of a way to deliver to {given.provider}"
        )
        return ""
    if given.delivery_method not in ("", named[0]):
        problems.add("delivery_method", given.delivery_method, "must be the one that delivery_method_id names")
    return named[0]


def _check_content(problems: Problems, given: ConfigurationInput) -> None:
    try:
        text = json.dumps(given.configuration)
    except TypeError:  # a Decimal: numbers with decimals are read as such, and no JSON keeps them exactly
        problems.add("configuration", given.configuration, "must hold texts, truth values and whole numbers only")
        return
    if len(text) > MOST_BYTES:
        problems.add("configuration", f"{len(text)} bytes", f"must not be longer than {MOST_BYTES} bytes as JSON")
    elif "\\u0000" in text:
        problems.add("configuration", text, "must not contain the character U+0000")
    collected = given.configuration.get("stripe_collection_method")
    if given.provider == "stripe" and collected is not None and collected not in COLLECTION_METHODS:
        rule = f"must be one of {', '.join(COLLECTION_METHODS)}"
        problems.add("configuration.stripe_collection_method", collected, rule)
    if given.kind == ProviderConfiguration.Kind.REVENUE_SYSTEM:
        called = given.configuration.get("netsuite_customer_id")
        if not isinstance(called, str) or not called.strip():
            problems.add("configuration.netsuite_customer_id", called, "must say what NetSuite calls the customer")
