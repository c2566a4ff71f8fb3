"""What a commit or credit pays for, as it is typed: products, or products with a tag, or rows of which each says which
usage of a product. Nothing is everything.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from contracts.forms.choices import ProductChoice, ProductsChoice
from contracts.forms.overrides import GroupValuesField
from contracts.forms.rows import RowsForm, Section
from contracts.inputs import TargetInput
from contracts.models.commit_attributes import BalanceAttributes
from contracts.services.targeting import read_specifier
from pricing.forms import LinesField

SPECIFIER = "specifier"
SPECIFIER_FIELDS = ("product", "tags", "group_values", "presentation")
# What the service calls a field of a specifier, and which one it is here.
OF_SPECIFIER = {
    "product_id": "product",
    "product_tags": "tags",
    "pricing_group_values": "group_values",
    "presentation_group_values": "presentation",
}


class TargetFields(RowsForm):
    products = ProductsChoice("SUBSCRIPTION")
    tags = LinesField(label="Or products with a tag", help_text="One a line; any of them.")

    def add_targets(self, standing: BalanceAttributes | None = None) -> None:
        """A row for each specifier that stands or is typed, and one to add. What stands is offered, archived or not."""
        self.told_specifiers: list[int] = []  # the places of the rows of which the service is told
        for index in self._specifier_places():
            start = f"{SPECIFIER}_{index}_"
            self.fields[f"{start}product"] = ProductChoice("USAGE", "COMPOSITE", "SUBSCRIPTION", label="Product")
            self.fields[f"{start}tags"] = LinesField(label="All of these tags", help_text="One a line.")
            self.fields[f"{start}group_values"] = GroupValuesField(label="Pricing group values")
            self.fields[f"{start}presentation"] = GroupValuesField(label="Presentation group values")
        if standing is not None:
            named = products_named(standing)
            for field in self.fields.values():
                if isinstance(field, ProductsChoice | ProductChoice):
                    field.offer(named)

    def target_sections(self) -> Iterator[Section]:
        yield Section("What it pays for", [[self["products"], self["tags"]]])
        yield Section(
            "Only some usage of a product",
            [[self[f"{SPECIFIER}_{index}_{name}"] for name in SPECIFIER_FIELDS] for index in self._specifier_places()],
            "In place of the products and tags above. Usage counts that meets all of any one row.",
            is_aside=True,
            is_used=bool(self.filled(SPECIFIER)),
        )

    def targets(self) -> dict[str, Any]:
        """What valid fields say, by the names of CommitInput."""
        values = self.cleaned_data
        self.told_specifiers = self.rows_of(SPECIFIER, SPECIFIER_FIELDS)
        return {
            "applicable_product_ids": tuple(product.pk for product in values["products"]),
            "applicable_product_tags": tuple(values["tags"]),
            "specifiers": tuple(map(self._specifier, self.told_specifiers)),
        }

    def changed_targets(self, standing: BalanceAttributes) -> dict[str, Any]:
        """Those of `targets` that are not as they stand. The order of products says nothing."""
        given, stands = self.targets(), targets_of(standing)
        if set(given["applicable_product_ids"]) == set(stands["applicable_product_ids"]):
            del given["applicable_product_ids"]
        return {name: value for name, value in given.items() if value != stands[name]}

    def field_of_target(self, path: str) -> str | None:
        """The field that stands for what a service calls `path`, where it is about what is paid for."""
        if path.startswith("specifiers["):
            place, _, name = path.removeprefix("specifiers[").partition("].")
            row = self.told_specifiers[int(place)]
            return f"{SPECIFIER}_{row}_{OF_SPECIFIER.get(name.partition('.')[0].partition('[')[0], 'product')}"
        head = path.partition("[")[0]
        return {
            "applicable_product_ids": "products",
            "applicable_product_tags": "tags",
            "specifiers": f"{SPECIFIER}_{self.told_specifiers[0] if self.told_specifiers else 0}_product",
        }.get(head)

    def _specifier_places(self) -> range:
        return self.places(SPECIFIER, spare=2 if self.filled(SPECIFIER) else 1)

    def _specifier(self, index: int) -> TargetInput:
        product, tags, group_values, presentation = self.values_of(f"{SPECIFIER}_{index}_", SPECIFIER_FIELDS)
        return TargetInput(
            product_id=None if product is None else product.pk,
            product_tags=tuple(tags),
            pricing_group_values=group_values,
            presentation_group_values=presentation,
        )


def targets_of(standing: BalanceAttributes) -> dict[str, Any]:
    """What is paid for as it stands, as `TargetFields.targets` says it."""
    return {
        "applicable_product_ids": tuple(map(UUID, standing.applicable_product_ids)),
        "applicable_product_tags": tuple(standing.applicable_product_tags),
        "specifiers": tuple(map(read_specifier, standing.specifiers)),
    }


def targets_shown(standing: BalanceAttributes) -> Mapping[str, Any]:
    """What stands, by the fields that show it."""
    stands = targets_of(standing)
    shown = {"products": list(stands["applicable_product_ids"]), "tags": list(stands["applicable_product_tags"])}
    for index, each in enumerate(stands["specifiers"]):
        values = (each.product_id, list(each.product_tags), each.pricing_group_values, each.presentation_group_values)
        shown |= {f"{SPECIFIER}_{index}_{name}": value for name, value in zip(SPECIFIER_FIELDS, values, strict=True)}
    return shown


def products_named(standing: BalanceAttributes) -> Collection[UUID]:
    stands = targets_of(standing)
    inside = {each.product_id for each in stands["specifiers"] if each.product_id is not None}
    return {standing.product_id, *stands["applicable_product_ids"], *inside}
