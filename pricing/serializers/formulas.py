from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map
from pricing.serializers.common import OPTIONAL, InputShape, UnitRefReply, as_of_field
from pricing.serializers.rates import RateReply
from pricing.services.formula_checks import NewNode
from pricing.services.formulas import EXCEPTIONS


class NodeShape(InputShape):
    becomes = NewNode

    name = TextField(help_text="Nodes of one name are a factor.")
    values = text_map(
        help_text="Of pricing group keys, the same for all nodes of the name; absent: for all.", **OPTIONAL
    )
    number = NumberField(help_text="A price is what the numbers of its nodes multiply to.")


class FormulaChange(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    starting_at = InstantField(help_text="On the hour.")
    nodes = NodeShape(many=True, help_text="Nodes that the formula has then, with other numbers.")
    exceptions = CodeField(
        EXCEPTIONS,
        help_text="What becomes of prices that it would move and that are not the formula's; absent: refused by name.",
        **OPTIONAL,
    )
    dry_run = serializers.BooleanField(help_text="Say what would change, and publish nothing.", **OPTIONAL)
    reason = TextField(allow_blank=True, help_text="Kept with the price change.", **OPTIONAL)


class FormulaSet(FormulaChange):
    nodes = NodeShape(many=True, help_text="All of them: for each factor one for every combination of its values.")
    entitled = serializers.BooleanField(help_text="Whether a contract bills the product without saying so.")
    credit_type_id = serializers.UUIDField(
        help_text="By default the rate card's currency; a custom unit needs a conversion on the card.", **OPTIONAL
    )


class FormulaGet(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    at = InstantField(help_text="The formula in force then; by default now.", **OPTIONAL)
    as_of = as_of_field()


class NodeReply(serializers.Serializer):
    name = serializers.CharField()
    values = text_map()
    number = NumberField()


class MadeOfReply(serializers.Serializer):
    id = serializers.UUIDField()
    publication = serializers.IntegerField(help_text="By which the formula was stated.")
    nodes = NodeReply(many=True, help_text="Those that the price is made of: what their numbers multiply to.")


class StatedRateReply(serializers.Serializer):
    pricing_group_values = text_map()
    starting_at = InstantField()
    ending_before = InstantField(required=False, help_text="Where a later price takes over.")
    price = NumberField(help_text="What the formula says; USD in cents.")
    rate_before = RateReply(required=False, help_text="What is in force without it.")


class StatedReply(serializers.Serializer):
    id = serializers.UUIDField(help_text="Of the rate card.")
    publication = serializers.IntegerField(required=False, help_text="Absent where nothing was published.")
    changes = StatedRateReply(many=True, help_text="The rates that are published, each for a price that changes.")
    exceptions = StatedRateReply(many=True, help_text="Prices that are not the formula's and stay as they are.")
    left = serializers.ListField(
        child=text_map(), help_text="Combinations that the formula no longer has; their prices stay."
    )
    unchanged = serializers.IntegerField(help_text="How many prices of the formula stay at the start.")


class FormulaPriceReply(serializers.Serializer):
    pricing_group_values = text_map()
    price = NumberField(help_text="What the formula says; USD in cents.")
    is_exception = serializers.BooleanField(help_text="Whether what is in force is not what the formula says.")
    rate_id = serializers.UUIDField(required=False, help_text="Of what is in force.")
    rate = RateReply(required=False, help_text="What is in force.")


class StatementReply(serializers.Serializer):
    starting_at = InstantField()
    publication = serializers.IntegerField()
    published_at = InstantField()
    published_by = serializers.CharField()
    reason = serializers.CharField()
    changed_nodes = NodeReply(many=True, help_text="Empty where it says the whole.")


class FormulaReply(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    starting_at = InstantField()
    publication = serializers.IntegerField()
    entitled = serializers.BooleanField()
    credit_type = UnitRefReply()
    nodes = NodeReply(many=True)
    prices = FormulaPriceReply(many=True)
    statements = StatementReply(many=True, help_text="Everything that was stated, in the order of publication.")
