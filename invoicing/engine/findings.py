"""Usage of a period that is not billed, and why. Nothing is dropped in silence."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.periods import Period
from invoicing.engine.documents import Finding
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.stretches import ELSEWHERE, NO_CONVERSION, TWO_CONTRACTS
from pricing.engine.prices import Unpriced

NEGATIVE_PERIOD = "NEGATIVE_PERIOD"
TOO_LARGE = "TOO_LARGE"
LEFT_OUT = "LEFT_OUT"
# A document keeps numbers of 26 digits before the point, and adds up many of these. Nobody means so much: a price or a
# conversion is off by some powers of ten.
LARGEST = 10**22  # units, or wire units

BLOCKING = {Unpriced.NO_RATE, NO_CONVERSION, TWO_CONTRACTS, NEGATIVE_PERIOD, TOO_LARGE}

SENTENCES = {
    Unpriced.NO_RATE: "{name}: {quantity}, and the rate card {card} has no rate for it.",
    NO_CONVERSION: "{name}: {quantity}, priced in a unit that the rate card {card} converts to no money.",
    Unpriced.NOT_ENTITLED: "{name}: {quantity}, and the contract does not entitle to it.",
    TWO_CONTRACTS: "{name}: {quantity}, and two contracts sell it at the same time; neither bills it.",
    LEFT_OUT: "{name}: {quantity}, and the contract's usage filter leaves it out; no other contract takes it.",
    NEGATIVE_PERIOD: "{name}: {quantity} in the period; less than nothing cannot be billed.",
    TOO_LARGE: "{name}: {quantity}, which comes to more than a document can keep; see its price and its conversion.",
}


def findings(draft: UsageDraft) -> tuple[Finding, ...]:
    """What was found in a draft's items, blocking ones first."""
    found = [finding for item in draft.all_items for finding in _of_item(draft, item)]
    return tuple(sorted(found, key=lambda finding: (not finding.blocking, finding.kind, finding.message)))


def _of_item(draft: UsageDraft, item: Item) -> Iterator[Finding]:
    kinds = dict.fromkeys(stretch.refusal for stretch in item.unbilled if stretch.refusal != ELSEWHERE)
    for kind in kinds:
        touched = [stretch for stretch in item.unbilled if stretch.refusal == kind]
        quantity = sum((item.unbilled[stretch] for stretch in touched), Decimal(0))
        if quantity:
            yield _finding(draft, item, kind, Period(touched[0].starting_at, touched[-1].ending_before), quantity)
    if item.left_out:
        yield _finding(draft, item, LEFT_OUT, draft.open.period, item.left_out)
    if item.metered < 0:
        yield _finding(draft, item, NEGATIVE_PERIOD, draft.open.period, item.metered)
    if any(_is_too_large(take.charge.quantity) or _is_too_large(take.charge.amount) for take in item.takes):
        yield _finding(draft, item, TOO_LARGE, draft.open.period, item.metered)


def _is_too_large(number: Fraction) -> bool:
    numerator, denominator = number.as_integer_ratio()
    return numerator >= LARGEST * denominator  # a ratio that is compared with a number asks first what it is


def _told(number: str, item: Item) -> str:
    if item.fee is not None:
        return f"{number} subscribed to"
    return f"a spend of {number}" if item.is_composite else f"{number} metered"


def _finding(draft: UsageDraft, item: Item, kind: str, period: Period, quantity: Decimal) -> Finding:
    number = f"{quantity.normalize():f}"
    return Finding(
        kind=str(kind),
        blocking=kind in BLOCKING,
        message=SENTENCES[kind].format(
            name=item.name,
            quantity=_told(number, item),
            card=draft.seller.card.name,
        ),
        period=period,
        contract_id=draft.open.contract.id,
        product_id=item.product_id,
        values=(*item.pricing_group_values, *item.presentation_group_values),
        quantity=quantity,
    )
