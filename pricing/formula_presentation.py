"""Formulas in the shapes of the API. What is not there is left out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from billing_site.foundation.money import exact_decimal
from billing_site.foundation.periods import format_instant
from pricing.engine.formulas import Node
from pricing.engine.restating import Move
from pricing.models import Formula, Rate
from pricing.presentation import tariff_json, unit_ref
from pricing.queries import StatedPrice
from pricing.services import Stated


def stated_json(stated: Stated) -> dict[str, Any]:
    """What a statement did to prices, or would do."""
    published = {} if stated.publication is None else {"publication": stated.publication.number}
    return {
        "id": str(stated.card.pk),
        **published,
        "changes": [_move(move) for move in stated.moves.moved],
        "exceptions": [_move(move) for move in stated.moves.kept],
        "left": [dict(values) for values in stated.moves.left],
        "unchanged": stated.moves.unmoved,
    }


def formula_json(formula: Formula, prices: Iterable[StatedPrice], statements: Sequence[Formula]) -> dict[str, Any]:
    return {
        "rate_card_id": str(formula.rate_card_id),
        "product_id": str(formula.product_id),
        "starting_at": format_instant(formula.starting_at),
        "publication": formula.publication_id,
        "entitled": formula.entitled,
        "credit_type": unit_ref(formula.unit),
        "nodes": [node_json(node) for node in formula.to_statement().nodes],
        "prices": [_price(price) for price in prices],
        "statements": [_statement(each) for each in statements],
    }


def node_json(node: Node) -> dict[str, Any]:
    return {"name": node.name, "values": dict(node.values), "number": node.number}


def made_of_json(rate: Rate) -> dict[str, Any] | None:
    """The formula behind a rate; None where somebody typed it."""
    formula = rate.formula
    if formula is None:
        return None
    nodes = formula.nodes_of(rate.pricing_group_values)
    return {"id": str(formula.pk), "publication": formula.publication_id, "nodes": [node_json(node) for node in nodes]}


def _move(move: Move) -> dict[str, Any]:
    return {
        "pricing_group_values": dict(move.values),
        "starting_at": format_instant(move.starting_at),
        **_ending(move.ending_before),
        "price": exact_decimal(move.price),
        **({"rate_before": tariff_json(move.held.tariff, move.held.unit)} if move.held else {}),
    }


def _price(stated: StatedPrice) -> dict[str, Any]:
    rate = stated.rate
    return {
        "pricing_group_values": dict(stated.values),
        "price": stated.price,
        "is_exception": stated.is_exception,
        **({"rate_id": str(rate.id), "rate": tariff_json(rate.tariff, rate.unit)} if rate else {}),
    }


def _statement(formula: Formula) -> dict[str, Any]:
    statement, publication = formula.to_statement(), formula.publication
    return {
        "starting_at": format_instant(formula.starting_at),
        "publication": publication.number,
        "published_at": format_instant(publication.published_at),
        "published_by": publication.published_by,
        "reason": publication.price_change.reason,
        "changed_nodes": [node_json(node) for node in statement.nodes if node.key in statement.changed],
    }


def _ending(instant: datetime | None) -> dict[str, str]:
    return {"ending_before": format_instant(instant)} if instant else {}
