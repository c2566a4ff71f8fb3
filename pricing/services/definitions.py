"""What a product is from some instant on.

An update names some fields and an instant. From there on each of these fields is what the update says, until a later
update names the field again; what the update does not name stays as it was. A version row is a whole definition, so an
update dated before others is carried into theirs, by rows of the same publication that name no field themselves:

    initial    1 January       Tokens   tags: ai
    update 1   1 December      name: Model tokens
    update 2   1 November      name: Text tokens, tags: text       published after update 1

    in force from 1 November   Text tokens     tags: text
    in force from 1 December   Model tokens    tags: text          the tags are carried, the name is not
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pricing.models import Product, ProductVersion


@dataclass(frozen=True, slots=True)
class QuantityConversion:
    """One metric unit becomes `conversion_factor` sold units (MULTIPLY), or so many metric units one (DIVIDE)."""

    conversion_factor: Decimal
    operation: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.operation} by {self.conversion_factor}"


@dataclass(frozen=True, slots=True)
class QuantityRounding:
    decimal_places: int
    rounding_method: str  # ROUND_UP, ROUND_DOWN, ROUND_HALF_UP

    def __str__(self) -> str:
        return f"{self.rounding_method} to {self.decimal_places} decimals"


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


def carried(
    changes: Mapping[str, Any], starting_at: datetime, versions: Iterable[ProductVersion]
) -> Iterator[tuple[datetime, Definition, Definition]]:
    """Into which of the later ones among `versions` an update from `starting_at` on reaches.

    Each as its start, the definition from there on as it is without the update, and as it is with it.
    """
    later: dict[datetime, list[ProductVersion]] = defaultdict(list)
    for version in versions:
        if version.starting_at is not None and version.starting_at > starting_at:
            later[version.starting_at].append(version)
    left = dict(changes)
    for start, there in sorted(later.items()):
        named = {field for version in there for field in version.changed_fields}
        left = {field: value for field, value in left.items() if field not in named}
        if not left:
            return
        before = Definition.of(max(there, key=lambda version: version.publication_id))
        yield start, before, replace(before, **left)
