"""The order of the products on a rate card, which is the order of the lines on invoices.

It is set as a whole, or by moving some products. A move names where the product stands once all moves are done, so
the others keep their order among themselves and the order of the moves does not matter:

    on the card     moves             afterwards
    A B C D         D to 0            D A B C
    A B C D         A to 1, B to 0    B A C D
    A B C D         A to 3, C to 0    C B D A
    A B C D         B to 1            A B C D, and nothing is published

A product that is priced later stands after those that were ordered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.ids import uuid7
from billing_site.foundation.problems import Problems
from pricing.models import RateCard, RateCardPlace
from pricing.queries import product_order, rate_card
from pricing.services.publishing import publish


@dataclass(frozen=True, slots=True)
class ProductMove:
    """The product stands at `position`, counted from 0, when all is done."""

    product_id: UUID
    position: Decimal


def set_product_order(
    rate_card_id: UUID, order: Sequence[UUID], *, reason: str = "", at: datetime, by: Actor
) -> RateCard:
    """Put the products of a card in `order`, which names each of them once.

    Raises NotFound, and Refusal with every product that is too many or missing.
    """
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        present = product_order(card)
        problems = Problems()
        for index, product_id in enumerate(order):
            _check_product(problems, f"product_order[{index}]", product_id, present, order[:index])
        missing = [product_id for product_id in present if product_id not in set(order)]
        if missing:
            named = ", ".join(str(product_id) for product_id in missing)
            problems.add("product_order", [str(one) for one in order], f"must name each product of the card: {named}")
        problems.refuse()
        _publish(card, present, list(order), reason=reason, at=at, by=by)
        return card


def move_products(
    rate_card_id: UUID, moves: Sequence[ProductMove], *, reason: str = "", at: datetime, by: Actor
) -> RateCard:
    """Move some products of a card, and leave the others in their order. Raises NotFound, and Refusal with every
    field that breaks a rule."""
    with transaction.atomic(), acting(by):
        card = rate_card(rate_card_id, locked=True, field="rate_card_id")
        present = product_order(card)
        problems = Problems()
        for index, move in enumerate(moves):
            own, before = Problems(f"product_moves[{index}]."), moves[:index]
            _check_product(own, "product_id", move.product_id, present, [other.product_id for other in before])
            if not 0 <= move.position < max(len(present), 1) or move.position % 1:
                own.add("position", move.position, f"must be a whole number from 0 to {max(len(present), 1) - 1}")
            elif move.position in [other.position for other in before]:
                own.add("position", move.position, "another product of this request moves there")
            problems.errors.extend(own.errors)
        problems.refuse()
        moved = {move.product_id for move in moves}
        order = [product_id for product_id in present if product_id not in moved]
        for move in sorted(moves, key=lambda move: move.position):
            order.insert(int(move.position), move.product_id)
        _publish(card, present, order, reason=reason, at=at, by=by)
        return card


def _check_product(
    problems: Problems, field: str, product_id: UUID, present: Sequence[UUID], before: Sequence[UUID]
) -> None:
    if product_id not in present:
        problems.add(field, product_id, "there is no price of such a product on the card")
    elif product_id in before:
        problems.add(field, product_id, "must be there only once")


def _publish(
    card: RateCard, present: Sequence[UUID], order: Sequence[UUID], *, reason: str, at: datetime, by: Actor
) -> None:
    if list(order) == list(present):
        return
    publication = publish(reason=reason, at=at, by=by)
    RateCardPlace.objects.bulk_create(
        RateCardPlace(id=id_, rate_card=card, product_id=product_id, position=position, publication=publication)
        for position, (id_, product_id) in enumerate(zip(sorted(uuid7() for _ in order), order, strict=True))
    )
