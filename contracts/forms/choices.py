"""Products and contracts to choose from."""

from typing import Any

from django import forms

from contracts.models import Commit, ScheduledCharge
from contracts.queries import Agreement
from pricing.models import Product

RATES = [("LIST_RATE", "List rates"), ("COMMIT_RATE", "Commit rates, where there are any")]


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


class ContractsChoice(forms.MultipleChoiceField):
    """Those of a customer that share a commit or credit; the form says which there are."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label="Contracts",
            help_text="None ticked: all contracts, those to come too.",
            widget=forms.CheckboxSelectMultiple,
        )


def contract_name(agreed: Agreement) -> str:
    """A contract among those of its customer."""
    return agreed.terms.name or str(agreed.contract)


def billed_as_last_time(model: type[Commit] | type[ScheduledCharge]) -> Product | None:
    """The product that named the last line of its kind, on whichever contract; else the only one that can."""
    fixed = Product.objects.filter(type="FIXED", archived_at=None)
    last = model.objects.filter(product__in=fixed).select_related("product").order_by("-created_at", "-id").first()
    if last is not None:
        return last.product
    only = list(fixed[:2])
    return only[0] if len(only) == 1 else None
