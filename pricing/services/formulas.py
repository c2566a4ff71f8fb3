"""Prices stated as a formula (`pricing/engine/formulas.py`), and stated anew (`pricing/engine/restating.py`)."""

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import exact_decimal
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict, FieldError, Refusal
from billing_site.foundation.transactions import read_snapshot
from pricing.engine.catalog import GroupValues
from pricing.engine.restating import Move, Moves, Statement, UnknownNodes, changing, moves, over_time, restated
from pricing.engine.tariffs import FLAT
from pricing.engine.timelines import Timeline
from pricing.models import Formula, PricingUnit, Product, Publication, Rate, RateCard
from pricing.models.formulas import stored_key, stored_nodes
from pricing.queries import formulas_of, rate_card, rates_of_product, stated_over_time, version_in_force
from pricing.services.formula_checks import NewNode, check_nodes, check_prices, check_whole
from pricing.services.formula_later import asked, later_than
from pricing.services.planned_prices import LaterPrice, nothing_withdrawn
from pricing.services.publishing import publish
from pricing.services.rate_checks import NewRate, OnCard, refuse_archived
from pricing.services.rates import BATCH, PriceWasChanged, take_back
from pricing.wording import node_key_text, tariff_text, values_text

KEEP, REPLACE = "KEEP", "REPLACE"
EXCEPTIONS = (KEEP, REPLACE)


class Said(Protocol):
    """What is said of a formula: the whole of it, or other numbers for some of its nodes."""

    @property
    def nodes(self) -> Sequence[NewNode]: ...

    def unit_id(self, known: Timeline[Formula], starting_at: datetime) -> UUID | None: ...

    def statement(self, problems: Problems, known: Timeline[Statement], starting_at: datetime) -> Statement | None:
        """What then holds, not published yet; None where something was added to `problems`."""


@dataclass(frozen=True, slots=True)
class WholeFormula:
    """All nodes, whatever was stated before. In the card's currency, or a custom unit that it converts."""

    nodes: Sequence[NewNode]
    entitled: bool
    credit_type_id: UUID | None = None

    def unit_id(self, known: Timeline[Formula], starting_at: datetime) -> UUID | None:
        return self.credit_type_id

    def statement(self, problems: Problems, known: Timeline[Statement], starting_at: datetime) -> Statement | None:
        nodes = tuple(given.to_node() for given in self.nodes)
        return Statement(nodes, starting_at, sys.maxsize, self.entitled)


@dataclass(frozen=True, slots=True)
class ChangedNumbers:
    """Nodes of the formula that holds at the instant, with other numbers."""

    nodes: Sequence[NewNode]

    def unit_id(self, known: Timeline[Formula], starting_at: datetime) -> UUID | None:
        current = known.at(starting_at)
        return current.unit_id if current else None

    def statement(self, problems: Problems, known: Timeline[Statement], starting_at: datetime) -> Statement | None:
        current = known.at(starting_at)
        if current is None:
            rule = "there is no formula of this product on the card then: state it as a whole first"
            problems.add("starting_at", format_instant(starting_at), rule)
            return None
        held = {node.key for node in current.nodes}
        numbers = {}
        for index, given in enumerate(self.nodes):
            node = given.to_node()
            numbers[node.key] = node.number
            if node.key not in held:
                rule = "the formula that holds then has no such node"
                problems.add(f"nodes[{index}].name", node_key_text(node.key), rule)
        return changing(current, numbers, starting_at=starting_at, publication=sys.maxsize)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a statement does to the prices of a product; it is published where `publication` is there."""

    card: RateCard
    product: Product
    unit: PricingUnit
    statements: tuple[Statement, ...]  # what is stated, and what is restated after it
    moves: Moves
    is_news: bool  # it says something that was not said already
    later: tuple[tuple[GroupValues, LaterPrice], ...]  # typed prices that begin while those that it moves hold
    publication: Publication | None = None

    @property
    def withdrawn(self) -> list[UUID]:
        return [each.rate_id for _, each in self.later if each.is_withdrawn]


def state_formula(
    rate_card_id: UUID,
    product_id: UUID,
    said: WholeFormula | ChangedNumbers,
    *,
    starting_at: datetime,
    exceptions: str | None = None,
    withdrawing: Collection[UUID] = (),
    known_publication: int | None = None,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Stated:
    """Publish a formula of a usage product from an instant on, and a rate for each price that it moves, in one
    publication. What is said already is not said again.

    `exceptions` is what becomes of prices that it would move and that are not the formula's: KEEP or REPLACE; without
    it they are refused by name (Conflict). A price that was typed for later takes over from the formula's then, unless
    it is among those that are taken back by the same publication (`withdrawing`). `known_publication` is the last one
    that the author has seen: where prices of the product were changed later, nothing is published (PriceWasChanged).

    Raises NotFound, and Refusal with every field that breaks a rule.
    """
    _check_alone(said, starting_at, exceptions)
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        publication = publish(reason=reason, at=at, by=by)
        if known_publication is not None:
            _refuse_if_changed(card, product_id, known_publication)
        planned = _plan(card, product_id, said, starting_at, exceptions, lambda rate_id: rate_id in withdrawing)
        unknown = set(withdrawing).difference(planned.withdrawn)
        if unknown:
            raise Refusal.of("withdrawing", min(unknown), "is no price that begins while those of the formula hold")
        if not planned.is_news:
            transaction.set_rollback(True)  # no publication without a fact
            return planned
        if exceptions is None:
            _refuse_exceptions(planned.moves.kept)
        if planned.withdrawn:
            take_back(planned.withdrawn, publication, of_card=card, known_publication=known_publication)
        _insert(planned, publication)
        return replace(planned, publication=publication)


def planned_formula(
    rate_card_id: UUID,
    product_id: UUID,
    said: WholeFormula | ChangedNumbers,
    *,
    starting_at: datetime,
    exceptions: str | None = None,
    withdraws: Callable[[UUID], bool] = nothing_withdrawn,
) -> Stated:
    """What `state_formula` would do; exceptions that nothing is said of are kept here. `withdraws` says of a price that
    was typed for later whether it would be taken back. Raises what it would raise for anything else."""
    _check_alone(said, starting_at, exceptions)
    with read_snapshot():
        card = rate_card(rate_card_id, field="rate_card_id")
        return _plan(card, product_id, said, starting_at, exceptions, withdraws)


def rates_of_formula(planned: Stated) -> list[Rate]:
    """The rates that it would publish, not saved, without a publication and without what made them."""
    return [_rate(planned, move, uuid7()) for move in planned.moves.moved]


def _check_alone(said: Said, starting_at: datetime, exceptions: str | None) -> None:
    problems = Problems()
    check_nodes(problems, said.nodes)
    problems.hour("starting_at", starting_at)
    if exceptions is not None and exceptions not in EXCEPTIONS:
        problems.add("exceptions", exceptions, f"must be one of {', '.join(EXCEPTIONS)}")
    problems.refuse()


def _plan(
    card: RateCard,
    product_id: UUID,
    said: Said,
    starting_at: datetime,
    exceptions: str | None,
    withdraws: Callable[[UUID], bool],
) -> Stated:
    problems = Problems()
    refuse_archived(card)
    formulas = stated_over_time(formulas_of(card, product_id))
    known = over_time([formula.to_statement() for formula in formulas.values if formula is not None])
    probe = NewRate(product_id, starting_at, True, FLAT, credit_type_id=said.unit_id(formulas, starting_at))
    on_card = OnCard(card, [probe])
    product = on_card.products.get(product_id)
    if product is None:
        raise Refusal.of("product_id", product_id, "there is no such product")
    if product.type != Product.Type.USAGE:
        rule = f"must be a USAGE product; {product.name} is a {product.type} product"
        raise Refusal.of("product_id", product_id, rule)
    new = said.statement(problems, known, starting_at)
    problems.refuse()
    assert new is not None
    any_values = dict.fromkeys(version_in_force(product, starting_at).pricing_group_key, "")
    on_card.check(problems, replace(probe, pricing_group_values=any_values))
    problems.refuse()
    made = _restated(known, new)
    for statement in made:
        keys = version_in_force(product, statement.starting_at).pricing_group_key
        check_whole(problems, statement.nodes, keys)
        problems.refuse()
        check_prices(problems, statement.nodes)
        problems.refuse()
    rates = rates_of_product(card, product_id)
    after = over_time([*(each for each in known.values if each is not None), *made])
    unit, replacing = on_card.unit(probe), exceptions == REPLACE
    result = moves(known, after, starting_at, rates.over_time(), rates.ours, replacing=replacing)
    later = later_than(result, rates, withdraws)
    taken = {rate.id for each in later.values() for rate in each.withdrawn}
    over_time_then = rates.over_time(without=taken)
    if taken:
        result = moves(known, after, starting_at, over_time_then, rates.ours, replacing=replacing)
    current = known.at(starting_at)
    is_same = current is not None and (current.nodes, current.entitled) == (new.nodes, new.entitled)
    return Stated(
        card=card,
        product=product,
        unit=unit,
        statements=tuple(made),
        moves=result,
        is_news=not is_same or bool(result.moved),
        later=tuple(asked(later, over_time_then, unit)),
    )


def _restated(known: Timeline[Statement], new: Statement) -> list[Statement]:
    try:
        return restated(known, new)
    except UnknownNodes as error:
        start = format_instant(error.later.starting_at)
        rule = (
            f"is changed from {start} on already, and is not in this formula: state it from then on, or with the node"
        )
        problems = Problems()
        for key in error.keys:
            problems.add("nodes", node_key_text(key), rule)
        problems.refuse()
        raise AssertionError("unreachable") from error


def _insert(planned: Stated, publication: Publication) -> None:
    rows = {
        statement.starting_at: Formula(
            id=id_,
            rate_card=planned.card,
            product=planned.product,
            starting_at=statement.starting_at,
            nodes=stored_nodes(statement.nodes),
            changed_nodes=[stored_key(key) for key in sorted(statement.changed)],
            entitled=statement.entitled,
            unit=planned.unit,
            publication=publication,
        )
        for id_, statement in zip(sorted(uuid7() for _ in planned.statements), planned.statements, strict=True)
    }
    Formula.objects.bulk_create(rows.values(), batch_size=BATCH)
    standing = stated_over_time(formulas_of(planned.card, planned.product.pk))
    moved = planned.moves.moved
    ids = sorted(uuid7() for _ in moved)
    Rate.objects.bulk_create(
        [
            _rate(planned, move, id_, publication, standing.at(move.starting_at))
            for id_, move in zip(ids, moved, strict=True)
        ],
        batch_size=BATCH,
    )


def _rate(
    planned: Stated, move: Move, id_: UUID, publication: Publication | None = None, formula: Formula | None = None
) -> Rate:
    return Rate(
        id=id_,
        rate_card=planned.card,
        product=planned.product,
        pricing_group_values=dict(move.values),
        starting_at=move.starting_at,
        entitled=move.statement.entitled,
        rate_type=FLAT,
        price=exact_decimal(move.price),
        unit=planned.unit,
        publication=publication,
        formula=formula,
    )


def _refuse_exceptions(kept: Sequence[Move]) -> None:
    if not kept:
        return
    errors = [
        FieldError(
            "exceptions",
            values_text(dict(move.values)),
            f"{_held_text(move)}, which is not the formula's price: say {KEEP} or {REPLACE}",
        )
        for move in kept
    ]
    more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    raise Conflict(f"exceptions: {errors[0].value} {errors[0].rule}.{more}", *errors)


def _held_text(move: Move) -> str:
    if move.held is None:
        return "has no price then"
    return f"costs {tariff_text(move.held.tariff, move.held.unit)} then"


def _refuse_if_changed(card: RateCard, product_id: UUID, known_publication: int) -> None:
    """Asked once the publication is ours: nobody else can publish until it is committed."""
    of_product = Rate.objects.filter(rate_card=card, product=product_id)
    touching = (
        Q(rates__in=of_product)
        | Q(withdrawals__rate__in=of_product)
        | Q(formulas__rate_card=card, formulas__product=product_id)
    )
    change = Publication.objects.filter(touching, number__gt=known_publication).order_by("-number").first()
    if change is not None:
        raise PriceWasChanged(
            f"{change.published_by} has changed prices of this product meanwhile (publication {change.number}): "
            "look at them as they are now, and publish again if you still want to."
        )
