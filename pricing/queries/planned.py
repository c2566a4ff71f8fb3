"""The price list as it would be with prices that are planned and not published: values, nothing is written."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from pricing.engine import catalog as engine
from pricing.models import Rate
from pricing.queries.catalog import in_order

SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def with_prices(
    catalog: engine.Catalog, card_id: UUID, adding: Iterable[Rate], withdrawing: Collection[UUID], *, at: datetime
) -> engine.Catalog:
    """With `adding`, rates of the card that are not saved, as the next publication would bring them, and without those
    that it would withdraw."""
    added = [_planned(rate, catalog.publication + 1, at) for rate in adding]
    standing = [rate for rate in catalog.rate_cards[card_id].rates if rate.id not in withdrawing]
    return _with_rates(catalog, card_id, [*standing, *added])


def as_if_since_ever(catalog: engine.Catalog, card_id: UUID, planned: Iterable[Rate]) -> engine.Catalog:
    """As if of each key the first of the planned rates had held all along, and were to for good."""
    first: dict[engine.RateKey, engine.Rate] = {}
    for rate in sorted(planned, key=lambda each: each.starting_at):
        compiled = _planned(rate, catalog.publication + 1, SINCE_EVER)
        first.setdefault(_key(compiled), replace(compiled, starting_at=SINCE_EVER, ending_before=None))
    others = [rate for rate in catalog.rate_cards[card_id].rates if _key(rate) not in first]
    return _with_rates(catalog, card_id, [*others, *first.values()])


def _with_rates(catalog: engine.Catalog, card_id: UUID, rates: Collection[engine.Rate]) -> engine.Catalog:
    card = catalog.rate_cards[card_id]
    order = in_order(dict.fromkeys(rate.product_id for rate in rates), card.product_order)
    changed = replace(card, rates=tuple(rates), product_order=tuple(order))
    return replace(catalog, rate_cards={**catalog.rate_cards, card_id: changed})


def _key(rate: engine.Rate) -> engine.RateKey:
    return rate.product_id, rate.values, rate.billing_frequency


def _planned(rate: Rate, publication: int, at: datetime) -> engine.Rate:
    return engine.Rate(
        id=rate.pk,
        product_id=rate.product_id,
        values=tuple(sorted(rate.pricing_group_values.items())),
        starting_at=rate.starting_at,
        ending_before=rate.ending_before,
        entitled=rate.entitled,
        tariff=rate.to_tariff(),
        unit=rate.unit.to_unit(),
        publication=publication,
        published_at=at,
        published_by="",
        billing_frequency=rate.billing_frequency,
        commit_tariff=rate.to_commit_tariff(),
    )
