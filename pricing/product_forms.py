"""Admin forms of products: made with a definition, and given another one from an instant on."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Model, Q

from billing_site.foundation.refusals import Refusal
from pricing import services
from pricing.forms import LinesField, ServiceForm
from pricing.models import BillableMetric, Product, ProductVersion
from pricing.queries import product, version_in_force
from pricing.serializers.products import ProductCreate, ProductUpdate

CONVERSION = {"conversion_factor": "conversion_factor", "operation": "conversion_operation", "name": "conversion_name"}
ROUNDING = {"decimal_places": "rounding_decimal_places", "rounding_method": "rounding_method"}
# The form's fields that belong to products of one type.
FIELDS_OF = {
    Product.Type.USAGE: (
        "billable_metric",
        "pricing_group_key",
        "presentation_group_key",
        *CONVERSION.values(),
        *ROUNDING.values(),
    ),
    Product.Type.COMPOSITE: (
        "composite_products",
        "composite_tags",
        "exclude_free_usage",
        "include_composite_spend",
    ),
}


class DefinitionForm(ServiceForm):
    """What a product is."""

    billable_metric = forms.ModelChoiceField(
        BillableMetric.objects.filter(archived_at=None), required=False, help_text="USAGE products need one."
    )
    pricing_group_key = LinesField(help_text="The properties whose values choose the price, one a line.")
    presentation_group_key = LinesField(help_text="The properties whose values split invoice lines, one a line.")
    conversion_operation = forms.ChoiceField(choices=[("", "---"), *ProductVersion.Operation.choices], required=False)
    conversion_factor = forms.DecimalField(
        required=False, help_text="DIVIDE by 1000000 to sell millions of what is measured."
    )
    conversion_name = forms.CharField(required=False)
    rounding_method = forms.ChoiceField(choices=[("", "---"), *ProductVersion.Rounding.choices], required=False)
    rounding_decimal_places = forms.IntegerField(required=False)
    tags = LinesField(help_text="One a line.")
    composite_products = forms.ModelMultipleChoiceField(
        Product.objects.filter(archived_at=None), required=False, help_text="COMPOSITE products take a share of these."
    )
    composite_tags = LinesField(help_text="Or of all products with any of these tags, one a line.")
    exclude_free_usage = forms.BooleanField(required=False, help_text="Leave what costs nothing out of the share.")
    include_composite_spend = forms.BooleanField(required=False, help_text="Take other composites into the share.")
    shown_as = {
        "composite_product_ids": "composite_products",
        "billable_metric_id": "billable_metric",
        **{f"quantity_conversion.{name}": field for name, field in CONVERSION.items()},
        "quantity_conversion": "conversion_factor",
        **{f"quantity_rounding.{name}": field for name, field in ROUNDING.items()},
        "quantity_rounding": "rounding_decimal_places",
    }

    def sent(self, values: dict[str, Any]) -> dict[str, Any]:
        """The form's values in the shape of the API."""
        conversion = {name: values.pop(field) for name, field in CONVERSION.items()}
        rounding = {name: values.pop(field) for name, field in ROUNDING.items()}
        metric, parts = values.pop("billable_metric"), values.pop("composite_products")
        return {
            **values,
            "billable_metric_id": str(metric.pk) if metric else None,
            "composite_product_ids": [str(part.pk) for part in parts],
            "quantity_conversion": conversion if any(conversion.values()) else None,
            "quantity_rounding": rounding if any(each not in (None, "") for each in rounding.values()) else None,
        }


class ProductForm(DefinitionForm):
    type = forms.ChoiceField(choices=Product.Type.choices)

    class Meta:
        model = Product
        fields = ["name", "type"]

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        request = self.checked(ProductCreate(data=self.sent(values)))
        return services.create_product(**request.arguments(), **told)


class ProductChangeForm(DefinitionForm):
    """Shows the definition that holds now; what is typed otherwise holds from `starting_at` on."""

    starting_at = forms.SplitDateTimeField(
        widget=forms.SplitDateTimeWidget(
            time_format="%H:%M",
            date_attrs={"type": "date", "aria-label": "date"},
            time_attrs={"placeholder": "00:00", "aria-label": "time, UTC", "autocomplete": "off"},
        ),
        help_text="UTC, on the hour, past or future. What you change here holds from then on, until a change that "
        "starts later changes it again; the rest stays as it is.",
    )

    class Meta:
        model = Product
        fields = ["name"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        now = version_in_force(product(self.instance.pk), self.at)
        self.initial.update(_initial(now))
        for choices, chosen in (
            (self.fields["billable_metric"], [now.billable_metric_id]),
            (self.fields["composite_products"], now.composite_product_ids),
        ):
            model = choices.queryset.model  # type: ignore[attr-defined]  # what is archived stays where it is
            choices.queryset = model.objects.filter(Q(archived_at=None) | Q(pk__in=chosen))  # type: ignore[attr-defined]
        self.fields["billable_metric"].required = self.instance.type == Product.Type.USAGE
        for name in fields_of_others(self.instance.type):
            self.fields[name].disabled = True

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        starting_at = values.pop("starting_at")
        calls = {field: name.partition(".")[0] for name, field in self.shown_as.items()}
        changed = {calls.get(field, field) for field in self.changed_data}
        chosen = {name: value for name, value in self.sent(values).items() if name in changed}
        if not chosen:
            raise Refusal("Nothing is changed: type what is to be otherwise from then on.")
        data = {"product_id": str(self.instance.pk), "starting_at": starting_at.isoformat(), **chosen}
        sent = self.checked(ProductUpdate(data=data)).definition()
        return services.update_product(
            sent.pop("product_id"), starting_at=sent.pop("starting_at"), changes=sent, **told
        )


def fields_of_others(type: str) -> Iterable[str]:
    """The form's fields that products of this type do not have."""
    return [name for owner, fields in FIELDS_OF.items() if owner != type for name in fields]


def _initial(version: ProductVersion) -> dict[str, Any]:
    lines = ("pricing_group_key", "presentation_group_key", "tags", "composite_tags")
    factor = version.conversion_factor
    return {
        "name": version.name,
        "billable_metric": version.billable_metric_id,
        **{name: "\n".join(getattr(version, name)) for name in lines},
        "conversion_operation": version.conversion_operation,
        "conversion_factor": None if factor is None else Decimal(f"{factor.normalize():f}"),
        "conversion_name": version.conversion_name,
        "rounding_method": version.rounding_method,
        "rounding_decimal_places": version.rounding_decimal_places,
        "composite_products": version.composite_product_ids,
        "exclude_free_usage": version.exclude_free_usage,
        "include_composite_spend": version.include_composite_spend,
    }
