"""The parts of an edit that price something: a discount, one by quantity, a price of its own, what is part of the
deal."""

from django import forms

from contracts.forms.choices import ProductChoice, ProductsChoice
from contracts.forms.instants import InstantField
from contracts.forms.overrides import PAYERS, GroupValuesField, StepsField
from pricing.forms import LinesField
from pricing.services.tariffs import RATE_TYPES_OF
from pricing.wording import EVERY_TEXTS

FREQUENCIES = [("", "---"), *((code, text.capitalize()) for code, text in EVERY_TEXTS.items())]
KINDS = ("discount", "tiered", "price", "entitled")  # of overrides, one a section
TARGETS = [("", "the list rate"), ("COMMIT_RATE", "the commit rate, where there is one")]
PRIORITY_HELP = "The contract ranks its discounts explicitly: the one with the lowest number holds."


class PayersChoice(forms.MultipleChoiceField):
    """Commits and credits that have to pay; the form says which there are."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label="Only while one of these pays",
            help_text="None ticked: always.",
            widget=forms.CheckboxSelectMultiple,
        )


def _off_what() -> forms.ChoiceField:
    return forms.ChoiceField(
        required=False,
        choices=TARGETS,
        label="While it pays, what it is of",
        help_text="Commit rates only while a commit or credit pays.",
    )


class OverrideFields(forms.Form):
    discount = forms.DecimalField(
        required=False, label="Off the list price, in percent", help_text="50 is half price; below zero is dearer."
    )
    discount_starting_at = InstantField(label="From")
    discount_ending_before = InstantField(label="Up to (not including)", help_text="On the hour, UTC; empty: for good.")
    discount_products = ProductsChoice()
    discount_tags = LinesField(label="Or products with a tag", help_text="One a line; any of them.")
    discount_group_values = GroupValuesField(label="Only for these pricing group values")
    discount_priority = forms.DecimalField(required=False, label="Priority", help_text=PRIORITY_HELP)
    discount_payers = PayersChoice()
    discount_target = _off_what()

    tiered = StepsField(label="Off the list price, by quantity")
    tiered_starting_at = InstantField(label="From")
    tiered_ending_before = InstantField(label="Up to (not including)", help_text="On the hour, UTC; empty: for good.")
    tiered_products = ProductsChoice()
    tiered_tags = LinesField(label="Or products with a tag", help_text="One a line; any of them.")
    tiered_group_values = GroupValuesField(label="Only for these pricing group values")
    tiered_priority = forms.DecimalField(required=False, label="Priority", help_text=PRIORITY_HELP)
    tiered_payers = PayersChoice()
    tiered_target = _off_what()

    # What it charges is typed in `tariff`.
    price_product = ProductChoice(*RATE_TYPES_OF, label="Product")
    price_starting_at = InstantField(label="From")
    price_ending_before = InstantField(label="Up to (not including)", help_text="On the hour, UTC; empty: for good.")
    price_group_values = GroupValuesField(label="For these pricing group values")
    price_billing_frequency = forms.ChoiceField(
        required=False, label="Billed", choices=FREQUENCIES, help_text="Of a subscription: which of its fees."
    )
    price_payers = PayersChoice()
    price_target = _off_what()

    entitled = forms.NullBooleanField(required=False, widget=forms.NullBooleanSelect, label="Is part of the deal")
    entitled_product = ProductChoice("USAGE", label="Product")
    entitled_starting_at = InstantField(label="From")
    entitled_ending_before = InstantField(label="Up to (not including)", help_text="On the hour, UTC; empty: for good.")

    DISCOUNT = (
        "A discount",
        (
            "discount",
            "discount_starting_at",
            "discount_ending_before",
            "discount_products",
            "discount_tags",
            "discount_group_values",
            "discount_priority",
            "discount_payers",
            "discount_target",
        ),
    )
    TIERED = (
        "A discount by quantity",
        (
            "tiered",
            "tiered_starting_at",
            "tiered_ending_before",
            "tiered_products",
            "tiered_tags",
            "tiered_group_values",
            "tiered_priority",
            "tiered_payers",
            "tiered_target",
        ),
    )
    PRICE = (
        "A price of its own",
        (
            "price_product",
            "price_starting_at",
            "price_ending_before",
            "price_group_values",
            "price_billing_frequency",
            "price_payers",
            "price_target",
        ),
    )
    ENTITLED = (
        "Put a product into the deal, or take it out",
        ("entitled", "entitled_product", "entitled_starting_at", "entitled_ending_before"),
    )

    def field_of_override(self, kind: str, name: str) -> str | None:
        """The field that stands for what a service calls `name` of an override of this kind."""
        if PAYERS in name:
            name = "payers"
        elif "pricing_group_values" in name:
            name = "group_values"
        elif "product_id" in name:
            name = "products" if f"{kind}_products" in self.fields else "product"
        elif "tags" in name:
            name = "tags"
        elif "billing_frequency" in name:
            name = "billing_frequency"
        return next((field for field in (f"{kind}_{name}", kind) if field in self.fields), None)
