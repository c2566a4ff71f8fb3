"""Products and contracts to choose from."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q

from contracts.models import Commit, ScheduledCharge
from contracts.queries import Agreement
from pricing.models import Product

RATES = [("LIST_RATE", "List rates"), ("COMMIT_RATE", "Commit rates, where there are any")]
ROLLOVER, ROLLOVER_HELP = "Goes over to a renewal, in percent", "At the most; empty: nothing does."


class ProductChoice(forms.ModelChoiceField):
    """One product of these types by name; it has no price of its own where it is FIXED."""

    def __init__(self, *types: str, **options: Any) -> None:
        self.types = types
        super().__init__(_by_name(types), required=False, **options)

    def offer(self, named: Collection[UUID]) -> None:
        """Those of its types that stand already, too, though they were archived meanwhile."""
        self.queryset = _by_name(self.types, named)


class ProductsChoice(forms.ModelMultipleChoiceField):
    """Products by name: of usage, composites, and of other types where they are named; a discount on a subscription,
    which is priced by billing frequency too, is left to the API."""

    def __init__(self, *more_types: str) -> None:
        self.types = ("USAGE", "COMPOSITE", *more_types)
        super().__init__(
            _by_name(self.types),
            required=False,
            label="Products",
            help_text="None ticked: all products, those to come too.",
            widget=forms.CheckboxSelectMultiple,
        )

    def offer(self, named: Collection[UUID]) -> None:
        """Those of its types that stand already, too, though they were archived meanwhile."""
        self.queryset = _by_name(self.types, named)


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


def _by_name(types: Collection[str], named: Collection[UUID] = ()) -> Any:
    offered = Product.objects.filter(Q(archived_at=None) | Q(pk__in=named), type__in=types)
    return offered.order_by("name", "id")
