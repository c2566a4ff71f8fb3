"""The page on which a contract gets a subscription: to what, how many, from when on, and when it is collected.

by the seat      quantity                   seats that somebody has
no property      so many                    none
a property       seats that nobody has      their ids
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Refusal
from contracts.forms.amounts import NumberField
from contracts.forms.choices import ProductChoice
from contracts.forms.instants import InstantField
from contracts.forms.overrides import GroupValuesField
from contracts.forms.roundings import RoundingMethodField, rounding_of
from contracts.forms.rows import NEEDED, RowsForm, Section
from contracts.inputs import EditInput, RoundingInput
from contracts.models import Subscription, SubscriptionTerms
from contracts.subscription_inputs import ProrationInput, SeatConfigInput, SubscriptionInput
from pricing.forms import LinesField
from pricing.models import Product, RateCard
from pricing.queries import unit_of_product

AT_ONCE, AT_THE_END = Subscription.Increases.BILL_IMMEDIATELY, Subscription.Increases.BILL_ON_NEXT_COLLECTION_DATE
ADVANCE, ARREARS = Subscription.Collection.ADVANCE, Subscription.Collection.ARREARS
# When a period is collected, and when what is added within it.
COLLECTED = {
    "at_once": ("In advance; what is added, at once", ADVANCE, AT_ONCE),
    "at_the_end": ("In advance; what is added, when the period is over", ADVANCE, AT_THE_END),
    "in_arrears": ("When the period is over", ARREARS, AT_THE_END),
}
FREQUENCIES = (
    (Subscription.Frequency.MONTHLY, "month"),
    (Subscription.Frequency.QUARTERLY, "quarter"),
    (Subscription.Frequency.ANNUAL, "year"),
    (Subscription.Frequency.WEEKLY, "week"),
)
PLACES = (
    (Subscription.Placement.ON_USAGE_INVOICE, "On usage invoices, where one ends then"),
    (Subscription.Placement.ON_SCHEDULED_INVOICE, "On invoices of its own"),
)
ADDED = re.compile(r"add_subscriptions\[0\]\.")
# What the service calls a field, and which one it is here.
SHOWN_AS = {
    "subscription_rate.product_id": "product",
    "subscription_rate.billing_frequency": "frequency",
    "initial_quantity": "quantity",
    "seat_config.initial_unassigned_seats": "quantity",
    "seat_config.seat_group_key": "seat_group_key",
    "seat_config": "seat_group_key",
    "billing_cycle_config.anchor_date": "anchor_date",
    "billing_cycle_config.invoice_placement": "placement",
    "proration.rounding.decimal_places": "decimals",
    "proration.rounding.rounding_method": "rounding",
}
OF_CUSTOM_FIELDS = '{"crm_id": "42"}: what other systems call it.'
ROUNDED_HELP = "2: whole cents of a dollar; empty: not."


class SubscriptionForm(Dressed, RowsForm):
    use_required_attribute = False  # what is missing is said beside its field

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)  # sent twice, it is agreed once
    product = ProductChoice("SUBSCRIPTION", label="Product", help_text="The rate card has its price.")
    frequency = forms.ChoiceField(choices=FREQUENCIES, label="For each")
    quantity = NumberField(label="Quantity", help_text="By the seat: of those that nobody has yet.")
    seat_group_key = forms.CharField(
        required=False, label="By the seat of each", help_text="A property of events, as user; empty: a number alone."
    )
    seat_ids = LinesField(label="Who has a seat from the start", help_text="One id a line.")
    name = forms.CharField(required=False, max_length=160, help_text="Of the line; empty: the product's.")
    starting_at = InstantField(label="From", help_text="Empty: the contract's start.")
    ending_before = InstantField(label="Up to (not including)", help_text="Empty: as long as the contract.")
    collected = forms.ChoiceField(choices=[(key, words) for key, (words, _, _) in COLLECTED.items()])
    placement = forms.ChoiceField(choices=PLACES, label="Where")
    anchor_date = InstantField(
        label="Its periods are counted from", help_text="In advance alone; on the hour, UTC. Empty: as the contract's."
    )
    is_prorated = forms.BooleanField(required=False, initial=True, label="Parts of periods by time")
    decimals = NumberField(label="Parts in decimals", help_text=ROUNDED_HELP)
    rounding = RoundingMethodField()
    description = forms.CharField(required=False, max_length=1_000, help_text="For you; on no invoice.")
    custom_fields = GroupValuesField(label="Custom fields")
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    def __init__(self, rate_card: RateCard | None, *args: Any, **kwargs: Any) -> None:
        """`rate_card` is the contract's, which has the prices."""
        self.rate_card = rate_card
        super().__init__(*args, **kwargs)
        self.fields["custom_fields"].help_text = OF_CUSTOM_FIELDS
        self.dress()

    def sections(self) -> Iterator[Section]:
        yield Section(
            "To what",
            [
                [self["product"], self["frequency"]],
                [self["quantity"], self["seat_group_key"], self["seat_ids"]],
                [self["starting_at"], self["ending_before"]],
            ],
        )
        yield Section(
            "How it is collected",
            [
                [self["collected"], self["placement"], self["anchor_date"]],
                [self["is_prorated"], self["decimals"], self["rounding"]],
            ],
        )
        yield Section("What it is called", [[self["name"], self["description"], self["custom_fields"]]])

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        seats = values.get("seat_ids")
        for name in ("product",) if seats else ("product", "quantity"):
            if values.get(name) is None and name not in self.errors:
                self.add_error(name, NEEDED)
        if seats and not values.get("seat_group_key") and "seat_group_key" not in self.errors:
            self.add_error("seat_group_key", "Needed: the property of events that says whose seat it is.")
        return values

    def to_input(self) -> EditInput:
        """The edit of the contract that a valid form asks for."""
        values = self.cleaned_data
        _, collection, increases = COLLECTED[values["collected"]]
        key, quantity = values["seat_group_key"], values["quantity"]
        product: Product = values["product"]
        seats = SeatConfigInput(key, tuple(values["seat_ids"]), quantity or Decimal(0)) if key else None
        given = SubscriptionInput(
            product_id=product.pk,
            billing_frequency=values["frequency"],
            collection_schedule=collection,
            proration=ProrationInput(values["is_prorated"], increases, self._rounding(product)),
            initial_quantity=None if key else quantity,
            quantity_management_mode=SubscriptionTerms.Mode.SEAT_BASED if key else SubscriptionTerms.Mode.QUANTITY_ONLY,
            seat_config=seats,
            starting_at=values["starting_at"],
            ending_before=values["ending_before"],
            anchor_date=values["anchor_date"],
            invoice_placement=values["placement"],
            name=values["name"],
            description=values["description"],
            custom_fields=values["custom_fields"],
        )
        return EditInput(add_subscriptions=(given,), reason=values["reason"], uniqueness_key=str(values["key"]))

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            own = ADDED.sub("", error.field)
            head = own.partition("[")[0].removeprefix("seat_config.initial_")
            field = SHOWN_AS.get(own, own if own in self.fields else head.partition(".")[0])
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _rounding(self, product: Product) -> RoundingInput | None:
        values, unit = self.cleaned_data, unit_of_product(self.rate_card, product.pk).to_unit()
        return rounding_of(values["decimals"], values["rounding"], unit)
