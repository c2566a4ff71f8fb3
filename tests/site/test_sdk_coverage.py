"""Which calls of the official SDK this server answers: each method is called, and its address looked up."""

import inspect
from collections.abc import Iterator
from typing import Any

import httpx
import metronome
import pytest
from django.urls import resolve
from metronome._resource import SyncAPIResource

from billing_site.api import errors
from billing_site.foundation.ids import uuid7

# The core of the compatible API, by resource.
CORE = """
v1.usage: ingest list list_with_groups search
v1.billable_metrics: create retrieve update list archive
v1.contracts.products: create retrieve update list archive
v1.contracts.rate_cards: create retrieve update list archive retrieve_rate_schedule
v1.contracts.rate_cards.rates: list add add_many
v1.contracts.rate_cards.named_schedules: retrieve update list
v1.contracts.named_schedules: retrieve update
v1.customers.named_schedules: retrieve update
v1.contracts: create retrieve list amend update_end_date archive set_usage_filter retrieve_rate_schedule
v1.contracts: list_balances get_net_balance add_manual_balance_entry list_seat_balances
v1.contracts: get_subscription_seats_history retrieve_subscription_quantity_history
v2.contracts: retrieve list edit edit_commit edit_credit get_edit_history
v1.customers.commits: create list update_end_date
v1.customers.credits: create list update_end_date
v1.customers.invoices: list retrieve list_breakdowns
v1.invoices: void regenerate
v1.customers: create retrieve list archive set_ingest_aliases set_name
v1.customers.alerts: retrieve list reset
v1.alerts: create archive
v1.dashboards: get_embeddable_url
v1.pricing_units: create list archive
v1.packages: create retrieve list archive list_contracts_on_package
"""

# What else is served.
BESIDES = """
v1.contracts: create_historical_invoices schedule_pro_services_invoice
v1.contracts.rate_cards.product_orders: set update
v1.customers: archive_billing_configurations retrieve_billing_configurations set_billing_configurations update_config
v1.customers.invoices: retrieve_pdf
v1.custom_fields: add_key delete_values list_keys remove_key set_values
v1.settings.billing_providers: list
"""


def names(told: str) -> Iterator[str]:
    for line in told.strip().splitlines():
        resource, methods = line.split(": ")
        yield from (f"{resource}.{method}" for method in methods.split())


class _Sent(Exception):
    """Stops a call once its request is known."""


def methods_of(resource: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every method of a resource and of those below it, by the name that a caller gives it."""
    for name, found in inspect.getmembers(type(resource)):
        if name.startswith(("_", "with_")):
            continue
        if inspect.isfunction(found):
            yield f"{path}.{name}", getattr(resource, name)
        elif isinstance(below := getattr(resource, name), SyncAPIResource):
            yield from methods_of(below, f"{path}.{name}")


def requests_of_the_sdk() -> dict[str, httpx.Request]:
    """What each method of the SDK asks for, told with as little as it takes."""
    sent: list[httpx.Request] = []

    def stop(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise _Sent

    with metronome.Metronome(
        bearer_token="x",
        base_url="http://server",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(stop)),
    ) as client:
        resources = [(version, getattr(client, version)) for version in ("v1", "v2")]
        found = {}
        for name, method in (each for path, resource in resources for each in methods_of(resource, path)):
            needed = [
                each.name
                for each in inspect.signature(method).parameters.values()
                if each.default is inspect.Parameter.empty and each.kind is not inspect.Parameter.VAR_KEYWORD
            ]
            with pytest.raises(metronome.APIConnectionError):
                method(**dict.fromkeys(needed, str(uuid7())))
            found[name] = sent.pop()
        return found


@pytest.fixture(scope="module")
def answered_by() -> dict[str, Any]:
    """By method: the view that its address leads to."""
    return {name: resolve(request.url.path).func for name, request in requests_of_the_sdk().items()}


def test_all_of_the_core_is_served(answered_by):
    core = set(names(CORE))
    missing = {name for name in core if answered_by[name] in (errors.not_supported, errors.not_found)}
    assert missing == set()
    assert len(core) == 81


def test_what_is_served_is_counted(answered_by):
    served = {name for name, view in answered_by.items() if view not in (errors.not_supported, errors.not_found)}
    assert served == set(names(CORE)) | set(names(BESIDES))
    assert len(served) == 96


def test_what_is_not_served_says_so(answered_by):
    """501 and not 404, so that nobody looks for a typing error."""
    assert [name for name, view in answered_by.items() if view is errors.not_found] == []


def test_the_sdk_is_the_one_that_was_counted(answered_by):
    assert len(answered_by) == 126
