"""Products: what is sold, by name, and its definition."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.problems import DECIMAL_PLACES, Problems, save
from pricing.models import BillableMetric, Product, ProductVersion
from pricing.queries import product, products_by_id, version_in_force
from pricing.queries.rows import products_with_versions
from pricing.services.publishing import publish


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


@dataclass(frozen=True, slots=True)
class Definition:
    """What a product is from some instant on. Which fields there may be depends on its type."""

    name: str
    billable_metric_id: UUID | None = None
    pricing_group_key: Sequence[str] = ()
    presentation_group_key: Sequence[str] = ()
    quantity_conversion: QuantityConversion | None = None
    quantity_rounding: QuantityRounding | None = None
    tags: Sequence[str] = ()
    composite_product_ids: Sequence[UUID] = ()
    composite_tags: Sequence[str] = ()
    exclude_free_usage: bool = False
    include_composite_spend: bool = False
    is_refundable: bool = True
    netsuite_internal_item_id: str = ""
    netsuite_overage_item_id: str = ""

    @classmethod
    def of(cls, version: ProductVersion) -> "Definition":
        conversion = rounding = None
        if version.conversion_factor is not None:
            conversion = QuantityConversion(
                version.conversion_factor, version.conversion_operation, version.conversion_name
            )
        if version.rounding_decimal_places is not None:
            rounding = QuantityRounding(version.rounding_decimal_places, version.rounding_method)
        return cls(
            name=version.name,
            billable_metric_id=version.billable_metric_id,
            pricing_group_key=version.pricing_group_key,
            presentation_group_key=version.presentation_group_key,
            quantity_conversion=conversion,
            quantity_rounding=rounding,
            tags=version.tags,
            composite_product_ids=[UUID(product_id) for product_id in version.composite_product_ids],
            composite_tags=version.composite_tags,
            exclude_free_usage=version.exclude_free_usage,
            include_composite_spend=version.include_composite_spend,
            is_refundable=version.is_refundable,
            netsuite_internal_item_id=version.netsuite_internal_item_id,
            netsuite_overage_item_id=version.netsuite_overage_item_id,
        )

    def to_version(self, of_product: Product) -> ProductVersion:
        """Not saved, without a publication and a start."""
        conversion, rounding = self.quantity_conversion, self.quantity_rounding
        return ProductVersion(
            product=of_product,
            name=self.name.strip(),
            billable_metric_id=self.billable_metric_id,
            pricing_group_key=list(self.pricing_group_key),
            presentation_group_key=list(self.presentation_group_key),
            conversion_factor=conversion.conversion_factor if conversion else None,
            conversion_operation=conversion.operation if conversion else "",
            conversion_name=conversion.name if conversion else "",
            rounding_decimal_places=rounding.decimal_places if rounding else None,
            rounding_method=rounding.rounding_method if rounding else "",
            tags=list(self.tags),
            composite_product_ids=[str(product_id) for product_id in self.composite_product_ids],
            composite_tags=list(self.composite_tags),
            exclude_free_usage=self.exclude_free_usage,
            include_composite_spend=self.include_composite_spend,
            is_refundable=self.is_refundable,
            netsuite_internal_item_id=self.netsuite_internal_item_id,
            netsuite_overage_item_id=self.netsuite_overage_item_id,
        )


# Fields that belong to products of one type.
BELONGS_TO = {
    "billable_metric_id": Product.Type.USAGE,
    "pricing_group_key": Product.Type.USAGE,
    "presentation_group_key": Product.Type.USAGE,
    "quantity_conversion": Product.Type.USAGE,
    "quantity_rounding": Product.Type.USAGE,
    "composite_product_ids": Product.Type.COMPOSITE,
    "composite_tags": Product.Type.COMPOSITE,
    "exclude_free_usage": Product.Type.COMPOSITE,
    "include_composite_spend": Product.Type.COMPOSITE,
}


def create_product(
    name: str,
    *,
    type: str,
    custom_fields: Mapping[str, str] | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
    **definition: Any,
) -> Product:
    """A product and its initial definition (the fields of `Definition`), which holds since ever; published at once.

    USAGE products measure with a metric; the pricing and the presentation group key together are one of the
    metric's group keys. COMPOSITE ones take a share of what other products come to. SUBSCRIPTION ones are priced by
    the period. FIXED ones carry commits, credits and scheduled charges, PRO_SERVICE ones work by people.

    Raises Refusal with every field that breaks a rule.
    """
    problems = Problems()
    defined = Definition(name=name, **definition)
    if type not in Product.Type.values:
        problems.add("type", type, f"must be one of {', '.join(Product.Type.values)}")
    problems.custom_fields(custom_fields or {})
    _check(problems, type, defined, None, at)
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
        version = defined.to_version(created)
        version.publication = publication
        version.save(force_insert=True)
        return created


def update_product(
    product_id: UUID, *, starting_at: datetime, changes: Mapping[str, Any], reason: str = "", at: datetime, by: Actor
) -> Product:
    """A new definition from `starting_at` on: the one in force then, with `changes` to fields of `Definition`.

    It holds until a definition that starts later, whenever that was published; the type never changes.

    Raises NotFound, and Refusal with every field that breaks a rule.
    """
    with transaction.atomic(), acting(by):
        publication = publish(reason=reason, at=at, by=by)
        found = product(product_id, locked=True, field="product_id")
        problems = Problems()
        problems.range(starting_at, None)
        if not changes:
            problems.add("product_id", product_id, "at least one field must be given to change")
        problems.refuse()
        before = version_in_force(found, starting_at)
        defined = replace(Definition.of(before), **changes)
        _check(problems, found.type, defined, found, starting_at)
        problems.refuse()
        version = defined.to_version(found)
        version.publication, version.starting_at, version.changed_fields = publication, starting_at, sorted(changes)
        version.save(force_insert=True)
        current = version_in_force(product(product_id), at)
        if current.name != found.name:
            found.name = current.name
            save(found, reason=reason)
        return found


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


def _check(problems: Problems, type: str, defined: Definition, found: Product | None, at: datetime) -> None:
    """`found` is the product that is redefined from `at` on, if any."""
    problems.name("name", defined.name)
    problems.keys("tags", defined.tags)
    for field, owner in BELONGS_TO.items():
        value = getattr(defined, field)
        if value and type != owner:
            problems.add(field, value, f"is for {owner} products only")
    if type == Product.Type.USAGE:
        _check_usage(problems, defined.billable_metric_id, defined.pricing_group_key, defined.presentation_group_key)
        _check_quantities(problems, defined.quantity_conversion, defined.quantity_rounding)
    elif type == Product.Type.COMPOSITE:
        _check_composite(problems, defined, found, at)


def _check_composite(problems: Problems, defined: Definition, found: Product | None, at: datetime) -> None:
    problems.keys("composite_tags", defined.composite_tags)
    if not defined.composite_product_ids and not defined.composite_tags:
        problems.add("composite_product_ids", None, "a COMPOSITE product needs these, or composite_tags")
    parts = products_by_id(defined.composite_product_ids)
    for index, part_id in enumerate(defined.composite_product_ids):
        field, part = f"composite_product_ids[{index}]", parts.get(part_id)
        if part is None:
            problems.add(field, part_id, "there is no such product")
        elif part_id in defined.composite_product_ids[:index]:
            problems.add(field, part_id, "is named twice")
        elif part.type == Product.Type.COMPOSITE and not defined.include_composite_spend:
            problems.add(field, part_id, f"{part.name} is a COMPOSITE product: that needs include_composite_spend")
        elif part.type not in (Product.Type.USAGE, Product.Type.SUBSCRIPTION, Product.Type.COMPOSITE):
            problems.add(field, part_id, f"{part.name} is a {part.type} product, of which there is no share")
    if defined.include_composite_spend:
        _check_cycles(problems, defined, found)


def _check_cycles(problems: Problems, defined: Definition, found: Product | None) -> None:
    """No composite may come to a share of itself, by any definition that a composite has ever had."""
    itself = found.pk if found is not None else None  # one to be made is known by its tags alone
    composites = {
        one.pk: one for one in products_with_versions().filter(type=Product.Type.COMPOSITE) if one.pk != itself
    }
    tags_of: dict[UUID | None, set[str]] = {
        one.pk: {tag for version in one.versions.all() for tag in version.tags} for one in composites.values()
    }
    earlier = found.versions.all() if found is not None else ()
    tags_of[itself] = {*defined.tags, *(tag for version in earlier for tag in version.tags)}

    def parts(named: Iterable[UUID], tags: Collection[str]) -> set[UUID | None]:
        return {*named, *(pk for pk, those in tags_of.items() if those & set(tags))}

    def parts_of(composite: Product) -> set[UUID | None]:
        including = [version for version in composite.versions.all() if version.include_composite_spend]
        return {
            part
            for version in including
            for part in parts(map(UUID, version.composite_product_ids), version.composite_tags)
        }

    reached: set[UUID | None] = set()
    waiting = parts(defined.composite_product_ids, defined.composite_tags)
    while waiting:
        part = waiting.pop()
        if part == itself:
            field = "composite_product_ids" if defined.composite_product_ids else "composite_tags"
            named = [str(each) for each in defined.composite_product_ids or defined.composite_tags]
            problems.add(field, named, f"{defined.name} would be a share of itself")
            return
        if part in composites and part not in reached:
            reached.add(part)
            waiting |= parts_of(composites[part])


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
