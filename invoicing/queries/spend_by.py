"""What a customer spent over some days, told apart by product or by the values of a group key, drafts included."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.periods import Period
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from invoicing.engine.calendar import USAGE
from invoicing.queries.compute import computation
from invoicing.queries.documents import final_heads, finals_by_id, shown_drafts
from invoicing.queries.shown import FINALIZED, ShownDocument, ShownLine
from invoicing.queries.spending import Spending, instants_of, spending, windows_between
from invoicing.queries.spread import Asked, shares
from pricing.models import PricingUnit

GROUP_VALUES = ("pricing_group_values", "presentation_group_values")


@dataclass(frozen=True, slots=True)
class SpendBy:
    """`keys` are the group keys that lines within the days have; `spending` is one for each unit."""

    customer_name: str
    keys: tuple[str, ...]
    spending: tuple[Spending, ...]


def spend_by(customer_id: UUID, days: Period, *, key: str = "", at: datetime) -> SpendBy:
    """Spend over closed UTC `days`, by product where no `key` is given. A fixed number of statements. Raises
    NotFound."""
    assert days.ending_before is not None
    windows = windows_between(days.starting_at, days.ending_before)
    with read_snapshot():
        computed = computation(customer_id, at=at)
        customer = Customer.objects.get(pk=customer_id)
        units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
        within = [
            head.id
            for head in final_heads(customer_id)
            if head.status == FINALIZED and head.period is not None and head.period.overlap(days) is not None
        ]
        finals = finals_by_id(customer_id, within).values()
        documents = [each for each in (*finals, *shown_drafts(computed, customer)) if _is_within(each, days)]
        documents.sort(key=lambda each: (each.issued_at, each.id))
        asked = [Asked.of(each, instants_of(windows), computed.inputs) for each in documents]
        shared = list(zip(documents, shares(asked, computed.inputs), strict=True))
    cards = computed.inputs.catalog.rate_cards.values()
    rate_units = {rate.id: rate.unit.id for card in cards for rate in card.rates}

    def called(line: ShownLine) -> str:
        return _value(line, key) if key else line.name

    return SpendBy(
        customer_name=customer.name,
        keys=_keys(documents),
        spending=tuple(
            spending(
                [(each, of_each) for each, of_each in shared if each.unit_id == unit_id],
                windows,
                units[unit_id],
                rate_units,
                called,
            )
            for unit_id in dict.fromkeys(each.unit_id for each in documents)
        ),
    )


def _is_within(document: ShownDocument, days: Period) -> bool:
    return document.kind == USAGE and document.period is not None and document.period.overlap(days) is not None


def _keys(documents: Sequence[ShownDocument]) -> tuple[str, ...]:
    lines = [line for document in documents for line in document.lines if line.type == "usage"]
    return tuple(sorted({key for line in lines for name in GROUP_VALUES for key in line.fields.get(name, {})}))


def _value(line: ShownLine, key: str) -> str:
    for name in GROUP_VALUES:
        values = line.fields.get(name, {})
        if key in values:
            return str(values[key]) if values[key] is not None else f"(no {key})"
    return f"(not by {key})"
