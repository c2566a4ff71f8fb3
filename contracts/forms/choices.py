"""Products to choose from."""

from typing import Any

from django import forms

from pricing.models import Product


class ProductChoice(forms.ModelChoiceField):
    """One product of these types by name; it has no price of its own where it is FIXED."""

    def __init__(self, *types: str, **options: Any) -> None:
        products = Product.objects.filter(type__in=types, archived_at=None).order_by("name", "id")
        super().__init__(products, required=False, **options)


class ProductsChoice(forms.ModelMultipleChoiceField):
    """Products by name; subscriptions, which are priced by billing frequency too, are left to the API."""

    def __init__(self) -> None:
        priced = Product.objects.filter(archived_at=None, type__in=["USAGE", "COMPOSITE"])
        super().__init__(
            priced.order_by("name", "id"),
            required=False,
            label="Products",
            help_text="None ticked: all products, those to come too.",
            widget=forms.CheckboxSelectMultiple,
        )
