"""Formulas as they are stated over time, and the prices that they make beside those in force."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_decimal
from billing_site.foundation.refusals import FieldError, NotFound
from pricing.engine import catalog as engine
from pricing.engine.catalog import GroupValues
from pricing.engine.formulas import Node, nodes_behind, prices
from pricing.engine.restating import says
from pricing.engine.timelines import Dated, Timeline, in_force
from pricing.models import Formula, Rate, RateCard
from pricing.queries.catalog import compiled, latest_publication, rates_known


@dataclass(frozen=True, slots=True)
class StatedPrice:
    """What a formula says of one combination, and what is in force."""

    values: GroupValues
    nodes: tuple[Node, ...]  # those behind the price
    price: Decimal
    rate: engine.Rate | None
    is_exception: bool  # what is in force is not what the formula says


@dataclass(frozen=True, slots=True)
class RatesOfProduct:
    """The rates of a usage product on a card over time, and which of them formulas made."""

    by_values: Mapping[GroupValues, Sequence[engine.Rate]]
    ours: frozenset[UUID]

    def over_time(self, *, without: Collection[UUID] = ()) -> dict[GroupValues, Timeline[engine.Rate]]:
        """What is in force when; or would be without some of the rates."""
        return {
            values: in_force(
                Dated(rate, rate.starting_at, rate.ending_before, rate.publication)
                for rate in rates
                if rate.id not in without
            )
            for values, rates in self.by_values.items()
        }


def formulas_of(card: RateCard, product_id: UUID, *, at_publication: int | None = None) -> list[Formula]:
    """Everything that was stated of a product on the card, in the order of publication. One query."""
    known = latest_publication() if at_publication is None else at_publication
    found = Formula.objects.filter(rate_card=card, product=product_id, publication_id__lte=known)
    related = ("rate_card", "unit", "product", "publication__price_change")
    return list(found.select_related(*related).order_by("publication", "id"))


def products_with_formula(card: RateCard) -> set[UUID]:
    """The products of which a formula was stated on the card, be it for later. One query."""
    return set(Formula.objects.filter(rate_card=card).order_by().values_list("product", flat=True).distinct())


def formula_in_force(stated: Iterable[Formula], product_id: UUID, *, at: datetime) -> Formula:
    """Of what was stated of a product, what holds at an instant. Raises NotFound."""
    found = stated_over_time(stated).at(at)
    if found is None:
        rule = "has no formula on the card then"
        raise NotFound(f"The product {product_id} {rule}.", FieldError("product_id", product_id, rule))
    return found


def stated_over_time(formulas: Iterable[Formula]) -> Timeline[Formula]:
    return in_force(Dated(each, each.starting_at, None, each.publication_id) for each in formulas)


def rates_of_product(card: RateCard, product_id: UUID, *, at_publication: int | None = None) -> RatesOfProduct:
    """Those not withdrawn. Five queries, whatever their number."""
    known = latest_publication() if at_publication is None else at_publication
    found = rates_known(known).filter(rate_card=card, product=product_id, billing_frequency="")
    by_values: dict[GroupValues, list[engine.Rate]] = {}
    for _, rate in compiled(found):
        by_values.setdefault(rate.values, []).append(rate)
    made = Rate.objects.filter(rate_card=card, product=product_id, formula__isnull=False).order_by()
    return RatesOfProduct(by_values, frozenset(made.values_list("pk", flat=True)))


def prices_of_formula(formula: Formula, *, at: datetime, at_publication: int | None = None) -> list[StatedPrice]:
    """Each combination of a formula that is in force at an instant, with its rate then."""
    rates = rates_of_product(formula.rate_card, formula.product_id, at_publication=at_publication)
    over_time = rates.over_time()
    nodes = formula.to_statement().nodes
    found = []
    for values, made in prices(nodes).items():
        price = exact_decimal(made)
        assert price is not None  # or the formula would not have been published
        rate = over_time[values].at(at) if values in over_time else None
        is_exception = rate is None or rate.id not in rates.ours or not says(rate, (made, formula.entitled))
        found.append(StatedPrice(values, nodes_behind(nodes, values), price, rate, is_exception))
    return found
