"""Formulas: from what numbers the prices of a product on a card are made."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Func, Q

from billing_site.foundation.columns import keeps_numbers_as_text, on_the_hour
from billing_site.foundation.ids import uuid7
from pricing.engine.formulas import Node, NodeKey, nodes_behind
from pricing.engine.restating import Statement
from pricing.models.products import Product
from pricing.models.publications import Publication
from pricing.models.rate_cards import RateCard
from pricing.models.units import PricingUnit


class _AreNodes(Func):
    """Whether a JSON list has nodes and nothing else: objects with a name, values and a number."""

    template = (
        "(jsonb_array_length(%(expressions)s) > 0 AND NOT jsonb_path_exists(%(expressions)s, "
        "'$[*] ? (!exists(@.name) || !exists(@.values) || !exists(@.number))'))"
    )
    output_field = models.BooleanField()
    conditional = True


class Formula(models.Model):
    """All nodes of a formula from `starting_at` on. Of those that have begun, the one with the greatest (starting_at,
    publication) is in force; what one publication brings is stated anew by a later one, and stays on record."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="formulas")
    product = models.ForeignKey(Product, models.PROTECT, related_name="formulas")
    starting_at = models.DateTimeField()
    nodes = models.JSONField()  # [{"name": "cost", "values": {"model": "xl"}, "number": "30"}, …]
    changed_nodes = models.JSONField(default=list)  # name and values of those it changes; none: it says the whole
    entitled = models.BooleanField()
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="formulas")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="formulas")

    class Meta:
        constraints = [
            *on_the_hour("starting_at"),
            keeps_numbers_as_text("nodes", "number"),
            models.CheckConstraint(name="a_formula_has_nodes", condition=Q(_AreNodes(F("nodes")))),
            # Of two, neither would be the later one.
            models.UniqueConstraint(
                name="a_publication_states_a_formula_once_from_an_instant",
                fields=["rate_card", "product", "starting_at", "publication"],
            ),
        ]

    def __str__(self) -> str:
        return f"Formula of {self.product} from {self.starting_at:%Y-%m-%d %H:%M} UTC"

    def to_statement(self) -> Statement:
        return Statement(
            nodes=read_nodes(self.nodes),
            starting_at=self.starting_at,
            publication=self.publication_id,
            entitled=self.entitled,
            changed=frozenset((each["name"], _values(each)) for each in self.changed_nodes),
        )

    def nodes_of(self, pricing_group_values: Mapping[str, str]) -> tuple[Node, ...]:
        """Those that make the price of one combination."""
        return nodes_behind(read_nodes(self.nodes), tuple(sorted(pricing_group_values.items())))


def read_nodes(stored: Iterable[Mapping[str, Any]]) -> tuple[Node, ...]:
    return tuple(Node(each["name"], _values(each), Decimal(each["number"])) for each in stored)


def stored_nodes(nodes: Iterable[Node]) -> list[dict[str, Any]]:
    return [{**stored_key(node.key), "number": f"{node.number.copy_abs():f}"} for node in nodes]


def stored_key(key: NodeKey) -> dict[str, Any]:
    name, values = key
    return {"name": name, "values": dict(values)}


def _values(stored: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(stored["values"].items()))
