"""Which usage is a contract's, by filters that hold from dates on. Rules and tables are in docs/usage_filters.md."""

from collections.abc import Iterable, Sequence
from typing import Any

from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import UsageFilterInput
from contracts.models import Contract
from contracts.services.checks import instant, reaches_back
from pricing.models import BillableMetric, Product, ProductVersion, Rate

# Metrics whose values of two groups do not add up: a key splits them only where products are told apart by it.
NOT_ADDITIVE = ("MAX", "LATEST", "UNIQUE")


def with_filters(
    standing: Sequence[dict[str, Any]], added: Sequence[tuple[Problems, UsageFilterInput]], contract: Contract
) -> list[dict[str, Any]]:
    """The contract's filters, as its terms keep them, once these are set: one takes the place of what started when it
    does. What is wrong goes to the problems beside it."""
    by_start = {each["starting_at"]: each for each in standing}
    for problems, given in added:
        _check(problems, given, contract)
        start = format_instant(given.starting_at or contract.starting_at)
        by_start[start] = {
            "starting_at": start,
            "group_key": given.group_key,
            "group_values": list(given.group_values),
        }
    return [by_start[start] for start in sorted(by_start)]


def _check(problems: Problems, given: UsageFilterInput, contract: Contract) -> None:
    problems.key("group_key", given.group_key)
    if not given.group_values:
        problems.add("group_values", [], "must name at least one value")
    problems.keys("group_values", given.group_values)
    if given.starting_at is not None:
        instant(problems, "starting_at", given.starting_at)
        problems.hour("starting_at", given.starting_at)
        if given.starting_at < contract.starting_at:
            rule = f"must not be earlier than the contract's start, {format_instant(contract.starting_at)}"
            problems.add("starting_at", given.starting_at.isoformat(), rule)
            return
    start = given.starting_at or contract.starting_at
    if contract.billed_through is not None and start < contract.billed_through:
        problems.add("starting_at", start.isoformat(), reaches_back(contract.billed_through))
    if contract.rate_card_id is None:
        problems.add("group_key", given.group_key, "belongs to a contract with a rate card")
        return
    for version in _measured(contract):
        metric = version.billable_metric
        if metric is not None and not _splits(given.group_key, metric, version):
            why = (
                f"a key by which {version.name} is priced or shown, as “{metric.name}” is of type"
                f" {metric.aggregation_type}"
                if given.group_key in _group_keys(metric)
                else f"a group key of “{metric.name}”, by which {version.name} is measured"
            )
            problems.add("group_key", given.group_key, f"must be {why}")
            return


def _measured(contract: Contract) -> Iterable[ProductVersion]:
    """The definitions of what the contract's rate card measures."""
    rates = Rate.objects.filter(rate_card_id=contract.rate_card_id, withdrawal__isnull=True)
    products = rates.filter(product__type=Product.Type.USAGE).values("product_id")
    versions = ProductVersion.objects.filter(product_id__in=products, billable_metric__isnull=False)
    return versions.select_related("billable_metric").order_by("name", "pk")


def _splits(key: str, metric: BillableMetric, version: ProductVersion) -> bool:
    if metric.aggregation_type in NOT_ADDITIVE:
        return key in (*version.pricing_group_key, *version.presentation_group_key)
    return key in _group_keys(metric)


def _group_keys(metric: BillableMetric) -> set[str]:
    return {key for keys in metric.group_keys for key in keys}


def filters_told(added: Iterable[UsageFilterInput], contract: Contract) -> list[dict[str, Any]]:
    """As an edit keeps and shows them."""
    return [
        {
            "group_key": each.group_key,
            "group_values": list(each.group_values),
            "starting_at": format_instant(each.starting_at or contract.starting_at),
        }
        for each in added
    ]
