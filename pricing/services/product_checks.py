"""What the definition of a product may say, given its type and the other products."""

from collections.abc import Collection, Iterable
from uuid import UUID

from billing_site.foundation.problems import DECIMAL_PLACES, Problems
from pricing.models import BillableMetric, Product, ProductVersion
from pricing.queries import products_by_id
from pricing.queries.rows import products_with_versions
from pricing.services.definitions import Definition, QuantityConversion, QuantityRounding

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
NETSUITE_FIELDS = ("netsuite_internal_item_id", "netsuite_overage_item_id")
NETSUITE_LENGTH = 200

# What a composite may come to a share of itself by.
CLOSES_A_CIRCLE = ("composite_product_ids", "composite_tags", "include_composite_spend", "tags")


def check_definition(
    problems: Problems,
    type: str,
    defined: Definition,
    *,
    found: Product | None = None,
    before: Definition | None = None,
) -> None:
    """Adds every rule that `defined` breaks. `found` is the product that is redefined, `before` what it was.

    Ask it once the publication is taken: whoever else defines composites waits until this one is seen.
    """
    problems.name("name", defined.name)
    problems.keys("tags", defined.tags)
    for field in NETSUITE_FIELDS:
        if len(getattr(defined, field)) > NETSUITE_LENGTH:
            problems.add(field, getattr(defined, field), f"must not be longer than {NETSUITE_LENGTH} characters")
    for field, owner in BELONGS_TO.items():
        value = getattr(defined, field)
        if value and type != owner:
            problems.add(field, value, f"is for {owner} products only")
    if type == Product.Type.USAGE:
        _check_group_keys(problems, defined)
        _check_metric(problems, defined, before)
        _check_quantities(problems, defined.quantity_conversion, defined.quantity_rounding)
    elif type == Product.Type.COMPOSITE:
        _check_composite(problems, defined)
        changed = [field for field in CLOSES_A_CIRCLE if _differs(field, defined, before)]
        if defined.include_composite_spend and changed:
            _check_cycles(problems, defined, found, changed[0])


def _check_composite(problems: Problems, defined: Definition) -> None:
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


def _check_cycles(problems: Problems, defined: Definition, found: Product | None, field: str) -> None:
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
            problems.add(field, getattr(defined, field), f"{defined.name} would be a share of itself")
            return
        if part in composites and part not in reached:
            reached.add(part)
            waiting |= parts_of(composites[part])


def _differs(field: str, defined: Definition, before: Definition | None) -> bool:
    one, other = getattr(defined, field), getattr(before or Definition(defined.name), field)
    return one is not other if isinstance(one, bool) else set(one) != set(other)


def _check_group_keys(problems: Problems, defined: Definition) -> None:
    problems.keys("pricing_group_key", defined.pricing_group_key)
    problems.keys("presentation_group_key", defined.presentation_group_key)
    for index, key in enumerate(defined.presentation_group_key):
        if key in defined.pricing_group_key:
            problems.add(f"presentation_group_key[{index}]", key, "is in pricing_group_key already")


def _check_metric(problems: Problems, defined: Definition, before: Definition | None) -> None:
    metric_id = defined.billable_metric_id
    if metric_id is None:
        problems.add("billable_metric_id", None, "a USAGE product needs a billable metric")
        return
    metric = BillableMetric.objects.filter(pk=metric_id).first()
    if metric is None:
        problems.add("billable_metric_id", metric_id, "there is no such billable metric")
        return
    if metric.archived_at is not None and (before is None or before.billable_metric_id != metric_id):
        problems.add("billable_metric_id", metric_id, f"the billable metric {metric.name} is archived")
    together = {*defined.pricing_group_key, *defined.presentation_group_key}
    if together and together not in [set(key) for key in metric.group_keys]:
        field = "pricing_group_key" if defined.pricing_group_key else "presentation_group_key"
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
