"""Who or what was spent on most."""

from dataclasses import dataclass
from decimal import Decimal

from billing_site.foundation.display import amount_text, quantity_text
from billing_site.foundation.money import exact_sum
from invoicing.portal.bars import percent_text
from invoicing.queries.spending import Spending

SHOWN = 25


@dataclass(frozen=True, slots=True)
class Rank:
    name: str
    amount: str
    percent: str  # of all, as SVG takes it
    share: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first of one unit, and what is left of it in words."""

    rows: tuple[Rank, ...]
    rest: str
    total: str


def ranking_of(spent: Spending) -> Ranking:
    """The most spent first, without what nothing was spent on."""
    unit = spent.unit
    sums = [(series.name, exact_sum(series.amounts)) for series in spent.series]
    sums = sorted(((name, amount) for name, amount in sums if amount), key=lambda each: (-each[1], each[0]))
    total, rest = exact_sum([amount for _, amount in sums]), sums[SHOWN:]
    return Ranking(
        rows=tuple(
            _rank(name, amount_text(amount, unit), percent_text(amount, total)) for name, amount in sums[:SHOWN]
        ),
        rest=f"{len(rest)} more: {amount_text(exact_sum([each for _, each in rest]), unit)}" if rest else "",
        total=amount_text(total, unit),
    )


def _rank(name: str, amount: str, percent: str) -> Rank:
    return Rank(name, amount, percent, f"{quantity_text(Decimal(percent).quantize(Decimal('0.1')))} %")
