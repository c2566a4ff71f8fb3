"""Products: what is sold, by name, and its definition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.problems import DECIMAL_PLACES, Problems, save
from billing_site.foundation.refusals import NotSupported
from pricing.models import BillableMetric, Product, ProductVersion
from pricing.queries import product
from pricing.services.publishing import publish

SUPPORTED = (Product.Type.USAGE, Product.Type.FIXED)


@dataclass(frozen=True, slots=True)
class QuantityConversion:
    """One metric unit becomes `conversion_factor` sold units (MULTIPLY), or so many metric units one (DIVIDE)."""

    conversion_factor: Decimal
    operation: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class QuantityRounding:
    decimal_places: int
    rounding_method: str  # ROUND_UP, ROUND_DOWN, ROUND_HALF_UP


def create_product(
    name: str,
    *,
    type: str,
    billable_metric_id: UUID | None = None,
    pricing_group_key: Sequence[str] = (),
    presentation_group_key: Sequence[str] = (),
    quantity_conversion: QuantityConversion | None = None,
    quantity_rounding: QuantityRounding | None = None,
    tags: Sequence[str] = (),
    custom_fields: Mapping[str, str] | None = None,
    unsupported: Mapping[str, object] | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Product:
    """A product and its initial definition, which holds since ever; published at once.

    USAGE products measure with a metric; the pricing and the presentation group key together are one of the
    metric's group keys. FIXED ones carry commits, credits and scheduled charges. `unsupported` holds what the
    caller asked for beyond that.

    Raises Refusal with every field that breaks a rule, and NotSupported for other types and for `unsupported`.
    """
    problems = Problems()
    if type not in Product.Type.values:
        problems.add("type", type, "must be USAGE or FIXED")
    elif type not in SUPPORTED:
        raise NotSupported.of("type", type, "only USAGE and FIXED products are supported so far")
    for field, value in (unsupported or {}).items():
        raise NotSupported.of(field, value, "is not supported so far")
    problems.name("name", name)
    problems.custom_fields(custom_fields or {})
    problems.keys("tags", tags)
    if type == Product.Type.USAGE:
        _check_usage(problems, billable_metric_id, pricing_group_key, presentation_group_key)
        _check_quantities(problems, quantity_conversion, quantity_rounding)
    else:
        usage_only = {
            "billable_metric_id": billable_metric_id,
            "pricing_group_key": pricing_group_key,
            "presentation_group_key": presentation_group_key,
            "quantity_conversion": quantity_conversion,
            "quantity_rounding": quantity_rounding,
        }
        for field, given in usage_only.items():
            if given:
                problems.add(field, given, "is for USAGE products only")
    problems.refuse()
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        created = Product.objects.create(
            name=name.strip(),
            type=type,
            custom_fields=dict(custom_fields or {}),
            created_at=at,
            created_by=by.label,
        )
        ProductVersion.objects.create(
            product=created,
            publication=publication,
            name=created.name,
            billable_metric_id=billable_metric_id,
            pricing_group_key=list(pricing_group_key),
            presentation_group_key=list(presentation_group_key),
            conversion_factor=quantity_conversion.conversion_factor if quantity_conversion else None,
            conversion_operation=quantity_conversion.operation if quantity_conversion else "",
            conversion_name=quantity_conversion.name if quantity_conversion else "",
            rounding_decimal_places=quantity_rounding.decimal_places if quantity_rounding else None,
            rounding_method=quantity_rounding.rounding_method if quantity_rounding else "",
            tags=list(tags),
        )
        return created


def archive_product(product_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> Product:
    """No new rate may be added for the product; existing ones keep working. Twice is as good as once.

    Raises NotFound.
    """
    with transaction.atomic(), acting(by):
        found = product(product_id, locked=True, field="product_id")
        if found.archived_at is None:
            found.archived_at = at
            save(found, reason=reason)
        return found


def _check_usage(
    problems: Problems, metric_id: UUID | None, pricing_group_key: Sequence[str], presentation_group_key: Sequence[str]
) -> None:
    problems.keys("pricing_group_key", pricing_group_key)
    problems.keys("presentation_group_key", presentation_group_key)
    for index, key in enumerate(presentation_group_key):
        if key in pricing_group_key:
            problems.add(f"presentation_group_key[{index}]", key, "is in pricing_group_key already")
    if metric_id is None:
        problems.add("billable_metric_id", None, "a USAGE product needs a billable metric")
        return
    metric = BillableMetric.objects.filter(pk=metric_id).first()
    if metric is None:
        problems.add("billable_metric_id", metric_id, "there is no such billable metric")
        return
    if metric.archived_at is not None:
        problems.add("billable_metric_id", metric_id, f"the billable metric {metric.name} is archived")
    together = {*pricing_group_key, *presentation_group_key}
    if together and together not in [set(key) for key in metric.group_keys]:
        field = "pricing_group_key" if pricing_group_key else "presentation_group_key"
        rule = (
            "pricing_group_key and presentation_group_key together must be one of the metric's group keys: "
            f"{metric.group_keys}"
        )
        problems.add(field, sorted(together), rule)


def _check_quantities(
    problems: Problems, conversion: QuantityConversion | None, rounding: QuantityRounding | None
) -> None:
    if conversion is not None:
        field = "quantity_conversion.conversion_factor"
        if problems.number(field, conversion.conversion_factor) and conversion.conversion_factor <= 0:
            problems.add(field, conversion.conversion_factor, "must be greater than 0")
        if conversion.operation not in ProductVersion.Operation.values:
            problems.add("quantity_conversion.operation", conversion.operation, "must be MULTIPLY or DIVIDE")
        if conversion.name:
            problems.name("quantity_conversion.name", conversion.name)
    if rounding is not None:
        if not 0 <= rounding.decimal_places <= DECIMAL_PLACES:
            problems.add(
                "quantity_rounding.decimal_places", rounding.decimal_places, f"must be from 0 to {DECIMAL_PLACES}"
            )
        if rounding.rounding_method not in ProductVersion.Rounding.values:
            problems.add(
                "quantity_rounding.rounding_method",
                rounding.rounding_method,
                f"must be one of {', '.join(ProductVersion.Rounding.values)}",
            )
