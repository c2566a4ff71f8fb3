"""Subscriptions as they are sent."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, text_map, texts
from contracts import subscription_inputs as inputs
from contracts.models import Subscription, SubscriptionTerms
from contracts.serializers.recurring import RoundingShape
from contracts.serializers.terms import BLANK
from pricing.serializers.common import OPTIONAL, InputShape


class ProrationShape(InputShape):
    becomes = inputs.ProrationInput

    is_prorated = serializers.BooleanField(help_text="Charge parts of periods by time; true by default.", **OPTIONAL)
    invoice_behavior = CodeField(
        Subscription.Increases.values,
        help_text="When an increase within a period is billed; BILL_IMMEDIATELY is for ADVANCE, and its default.",
        **OPTIONAL,
    )
    rounding = RoundingShape(help_text="Of what is charged for a part of a period.", **OPTIONAL)


class SubscriptionRateShape(Shape):
    product_id = serializers.UUIDField(help_text="A SUBSCRIPTION product.")
    billing_frequency = CodeField(Subscription.Frequency.values, help_text="By which the rate card prices it.")


class BillingCycleShape(Shape):
    anchor_date = InstantField(help_text="On the hour; in ADVANCE alone. The contract's by default.", **OPTIONAL)
    invoice_placement = CodeField(Subscription.Placement.values, help_text="ON_USAGE_INVOICE by default.", **OPTIONAL)


class SeatConfigShape(InputShape):
    becomes: Any = inputs.SeatConfigInput

    seat_group_key = TextField(help_text="The property of events that tells whose seat it is.")
    initial_seat_ids = texts(help_text="Of the seats that have somebody.")
    initial_unassigned_seats = NumberField(help_text="Seats that nobody has yet; 0.", **OPTIONAL)


class SubscriptionShape(Shape):
    """Validates into the input of a service."""

    becomes: Any = inputs.SubscriptionInput

    subscription_rate = SubscriptionRateShape()
    collection_schedule = CodeField(Subscription.Collection.values)
    proration = ProrationShape()
    initial_quantity = NumberField(help_text="Required for the mode QUANTITY_ONLY.", **OPTIONAL)
    quantity_management_mode = CodeField(
        SubscriptionTerms.Mode.values, help_text="QUANTITY_ONLY by default.", **OPTIONAL
    )
    seat_config: Any = SeatConfigShape(help_text="Required for the mode SEAT_BASED.", **OPTIONAL)
    billing_cycle_config: Any = BillingCycleShape(**OPTIONAL)
    starting_at = InstantField(help_text="On the hour; the contract's start by default.", **OPTIONAL)
    ending_before = InstantField(help_text="On the hour; absent: as long as the contract runs.", **OPTIONAL)
    name = TextField(help_text="Of the line; the product's by default.", **BLANK)
    description = TextField(**BLANK)
    custom_fields = text_map(**OPTIONAL)
    temporary_id = TextField(help_text="What other terms of the same request may call it.", **BLANK)

    def to_internal_value(self, data: Any) -> Any:
        sent = {name: value for name, value in super().to_internal_value(data).items() if value is not None}
        cycle = sent.pop("billing_cycle_config", {})
        kept = {name: value for name, value in cycle.items() if value is not None}
        return self.becomes(**sent.pop("subscription_rate"), **kept, **sent)


class QuantityUpdateShape(InputShape):
    becomes = inputs.QuantityUpdateInput

    starting_at = InstantField(help_text="On the hour, while the subscription runs.")
    quantity = NumberField(help_text="So many from then on; or quantity_delta.", **OPTIONAL)
    quantity_delta = NumberField(help_text="So many more, or fewer where it is below zero.", **OPTIONAL)


class SeatIdsShape(InputShape):
    becomes = inputs.SeatIdsInput

    starting_at = InstantField(help_text="On the hour, while the subscription runs.")
    seat_ids = texts()


class UnassignedSeatsShape(InputShape):
    becomes = inputs.UnassignedSeatsInput

    starting_at = InstantField(help_text="On the hour, while the subscription runs.")
    quantity = NumberField()


class SeatUpdatesShape(Shape):
    add_seat_ids = SeatIdsShape(many=True, help_text="They take unassigned seats first.", **OPTIONAL)
    remove_seat_ids = SeatIdsShape(many=True, help_text="Ids that have no seat change nothing.", **OPTIONAL)
    add_unassigned_seats = UnassignedSeatsShape(many=True, **OPTIONAL)
    remove_unassigned_seats = UnassignedSeatsShape(many=True, **OPTIONAL)

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        return inputs.SeatUpdatesInput(**{name: tuple(each) for name, each in sent.items() if each is not None})


class SwitchedSeatConfigShape(Shape):
    seat_group_key = TextField()


class ModeUpdateShape(Shape):
    """Validates into the property that tells seats apart."""

    quantity_management_mode = CodeField(("SEAT_BASED",))
    seat_config = SwitchedSeatConfigShape()

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data)["seat_config"]["seat_group_key"]


class SubscriptionUpdateShape(Shape):
    """What is absent stays. Validates into the input of a service."""

    subscription_id = serializers.UUIDField()
    name = TextField(**BLANK)
    ending_before = InstantField(help_text="On the hour; not later than it ends already.", **OPTIONAL)
    proration_rounding = RoundingShape(help_text="Null clears it.", **OPTIONAL)
    quantity_management_mode_update = ModeUpdateShape(help_text="Its seats get ids from now on.", **OPTIONAL)
    quantity_updates = QuantityUpdateShape(many=True, help_text="Of the mode QUANTITY_ONLY.", **OPTIONAL)
    seat_updates = SeatUpdatesShape(help_text="Of the mode SEAT_BASED.", **OPTIONAL)

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        kept = {name: sent[name] for name in ("subscription_id", "ending_before") if name in sent}
        for name in ("name", "seat_updates"):
            if sent.get(name) is not None:
                kept[name] = sent[name]
        if "proration_rounding" in sent:
            kept["rounding"] = sent["proration_rounding"]
        if sent.get("quantity_updates"):
            kept["quantity_updates"] = tuple(sent["quantity_updates"])
        if sent.get("quantity_management_mode_update"):
            kept["by_seats_of"] = sent["quantity_management_mode_update"]
        return inputs.SubscriptionUpdateInput(**kept)


class SubscriptionRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    subscription_id = serializers.UUIDField()


class SeatsHistoryRequest(SubscriptionRequest):
    covering_date = InstantField(help_text="Only the seats of then; not with a range.", **OPTIONAL)
    starting_at = InstantField(help_text="Only what holds then or later.", **OPTIONAL)
    ending_before = InstantField(help_text="Only what holds before then.", **OPTIONAL)
    limit = serializers.IntegerField(min_value=1, max_value=10, help_text="So many a page; 10.", **OPTIONAL)
    cursor = serializers.CharField(help_text="The next_page of the answer before.", **OPTIONAL)
