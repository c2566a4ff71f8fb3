"""The price list in the words and shapes of the compatible API. What is not there is left out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import format_instant
from pricing.engine.tariffs import Tariff
from pricing.models import BillableMetric, PricingUnit, Product, ProductVersion, Rate, RateCard, RateCardConversion
from pricing.queries import AliasSegment, NamedValue, PriceSegment, version_in_force


def unit_ref(unit: Unit | PricingUnit) -> dict[str, str]:
    """A pricing unit where something refers to it."""
    return {"id": str(unit.id), "name": unit.name}


def tariff_json(
    tariff: Tariff, unit: Unit | PricingUnit, pricing_group_values: Iterable[tuple[str, str | None]] = ()
) -> dict[str, Any]:
    """A tariff as a rate by itself, whatever its type."""
    return {
        **commit_rate_json(tariff),
        **_given({"quantity": tariff.quantity, "is_prorated": tariff.is_prorated}),
        "credit_type": unit_ref(unit),
        **({"pricing_group_values": dict(pricing_group_values)} if pricing_group_values else {}),
    }


def commit_rate_json(tariff: Tariff) -> dict[str, Any]:
    """A tariff where its unit goes without saying."""
    tiers = [
        _given({"price": tier.price, "size": tier.size, "flat_fee": tier.flat_fee or None}) for tier in tariff.tiers
    ]
    numbers = {"price": tariff.price, "package_size": tariff.package_size}
    return _given({"rate_type": tariff.type, **numbers, "tiers": tiers or None})


def added_rate_json(rate: Rate) -> dict[str, Any]:
    """The reply to a rate that was added."""
    commit_tariff = rate.to_commit_tariff()
    return {
        **tariff_json(rate.to_tariff(), rate.unit, rate.pricing_group_values.items()),
        **({"commit_rate": commit_rate_json(commit_tariff)} if commit_tariff else {}),
        "rate_id": str(rate.pk),
    }


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def price_row(segment: PriceSegment) -> dict[str, Any]:
    """A row of a rate card's price list."""
    rate = segment.rate
    values = dict(rate.values)
    row = {
        "entitled": rate.entitled,
        "product_id": str(segment.product.id),
        "product_name": segment.version.name,
        "product_tags": segment.version.tags,
        "product_custom_fields": segment.product.custom_fields,
        "rate": tariff_json(rate.tariff, rate.unit, rate.values),
        "commit_rate": commit_rate_json(rate.commit_tariff) if rate.commit_tariff else None,
        "rate_id": str(rate.id),
        "publication": rate.publication,
        "starting_at": format_instant(segment.starting_at),
        "ending_before": format_instant(segment.ending_before) if segment.ending_before else None,
        "billing_frequency": rate.billing_frequency or None,
        "pricing_group_values": values or None,
    }
    return {name: value for name, value in row.items() if value is not None}


def metric_json(metric: BillableMetric) -> dict[str, Any]:
    shown = {
        "id": str(metric.id),
        "name": metric.name,
        "aggregation_type": metric.aggregation_type,
        "aggregation_key": metric.aggregation_key or None,
        "event_type_filter": metric.event_type_filter or None,
        "property_filters": metric.property_filters or None,
        "group_keys": metric.group_keys or None,
        "custom_fields": metric.custom_fields,
        "archived_at": format_instant(metric.archived_at) if metric.archived_at else None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def product_json(product: Product, *, at: datetime) -> dict[str, Any]:
    """A product with its definition at first, at `at`, and what updates named, in the order in which they were made.
    Its versions are at hand."""
    initial, *updates = sorted(product.versions.all(), key=lambda version: version.publication_id)
    shown = {
        "id": str(product.id),
        "type": product.type,
        "initial": _state(initial),
        "current": _state(version_in_force(product, at)),
        "updates": [_update(version) for version in updates if version.changed_fields],
        "custom_fields": product.custom_fields,
    }
    return shown | ({"archived_at": format_instant(product.archived_at)} if product.archived_at else {})


def rate_card_json(
    card: RateCard, aliases: Iterable[AliasSegment], conversions: Iterable[RateCardConversion]
) -> dict[str, Any]:
    """A rate card with the names that it holds and what it converts, the unit of each conversion at hand."""
    return {
        "id": str(card.id),
        "name": card.name,
        "description": card.description,
        "created_at": format_instant(card.created_at),
        "created_by": card.created_by,
        "fiat_credit_type": unit_ref(card.fiat_unit),
        "aliases": [_alias(alias) for alias in aliases],
        "credit_type_conversions": [
            {
                "custom_credit_type": unit_ref(conversion.unit),
                "fiat_per_custom_credit": f"{conversion.fiat_per_unit.normalize():f}",
            }
            for conversion in conversions
        ],
        "custom_fields": card.custom_fields,
    }


def named_value_json(value: NamedValue) -> dict[str, Any]:
    end = {"ending_before": format_instant(value.ending_before)} if value.ending_before else {}
    return {"starting_at": format_instant(value.starting_at), "value": value.value, **end}


def unit_json(unit: PricingUnit) -> dict[str, Any]:
    return {**unit_ref(unit), "is_currency": unit.is_currency}


def id_json(row_id: UUID) -> dict[str, Any]:
    """The reply to most calls that write."""
    return {"data": {"id": str(row_id)}}


def _alias(alias: AliasSegment) -> dict[str, Any]:
    start = {"starting_at": format_instant(alias.starting_at)} if alias.starting_at else {}
    end = {"ending_before": format_instant(alias.ending_before)} if alias.ending_before else {}
    return {"name": alias.name, **start, **end}


def _state(version: ProductVersion) -> dict[str, Any]:
    """A whole definition. What is empty is left out, but for tags."""
    return {
        name: value
        for name, value in _fields(version).items()
        if (value not in (None, "", []) and value is not False) or name in ("tags", "is_refundable")
    }


def _update(version: ProductVersion) -> dict[str, Any]:
    """What an update named, what it emptied as well, and when it was made."""
    named = {*version.changed_fields, "created_at", "created_by", "starting_at"}
    return {name: value for name, value in _fields(version).items() if name in named}


def _fields(version: ProductVersion) -> dict[str, Any]:
    return {
        "name": version.name,
        "created_at": format_instant(version.publication.published_at),
        "created_by": version.publication.published_by,
        "starting_at": format_instant(version.starting_at) if version.starting_at else None,
        "billable_metric_id": str(version.billable_metric_id) if version.billable_metric_id else None,
        "pricing_group_key": version.pricing_group_key,
        "presentation_group_key": version.presentation_group_key,
        "quantity_conversion": _conversion(version),
        "quantity_rounding": _rounding(version),
        "composite_product_ids": version.composite_product_ids,
        "composite_tags": version.composite_tags,
        "exclude_free_usage": version.exclude_free_usage,
        "include_composite_spend": version.include_composite_spend,
        "is_refundable": version.is_refundable,
        "netsuite_internal_item_id": version.netsuite_internal_item_id,
        "netsuite_overage_item_id": version.netsuite_overage_item_id,
        "tags": version.tags,
    }


def _conversion(version: ProductVersion) -> dict[str, Any] | None:
    if version.conversion_factor is None:
        return None
    conversion = {"conversion_factor": version.conversion_factor, "operation": version.conversion_operation}
    return conversion | ({"name": version.conversion_name} if version.conversion_name else {})


def _rounding(version: ProductVersion) -> dict[str, Any] | None:
    if version.rounding_decimal_places is None:
        return None
    return {"decimal_places": version.rounding_decimal_places, "rounding_method": version.rounding_method}
