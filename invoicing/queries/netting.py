"""What other documents have billed for a period whose own document is void, and is made anew.

The new document bills all of the period's usage. Late usage that another document has billed meanwhile is among it, so
each line that did so is there once more, of the other sign, and what it drew on a balance is given back first:

    H costs 10. October was 3 H on INV-1; 2 H came late and are on INV-2, with November; INV-1 is void.

    INV-3, October anew
    5 H                                                        50
    2 H, adjustment of INV-1 (1 Oct to 31 Oct), on INV-2      -20

So INV-2 and INV-3 come to what was used: 50 for October.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period, parse_instant
from contracts.terms import SPEND
from invoicing.engine.calendar import USAGE, draft_id
from invoicing.engine.documents import Adjusted, Entry, Line
from invoicing.engine.inputs import Inputs
from invoicing.engine.items import LONGEST_NAME
from invoicing.engine.late.carry import Adjustment
from invoicing.frozen import TYPES_OF_PRODUCTS
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.finals import Finals, Slot
from ledger.models import LedgerEntry
from pricing.models import PricingUnit


def netted(inputs: Inputs, finals: Finals, reopened: Slot | None) -> Adjustment | None:
    """What the document of `reopened` gives back of it. Three queries; none where nothing of the slot was voided."""
    void = [each for each in finals.documents if each.occupied == reopened and each.pk in finals.voided]
    if reopened is None or reopened[1] != USAGE or not void:
        return None
    contract = next((each for each in inputs.terms.contracts if each.id == reopened[0]), None)
    billed = _billed(inputs.terms.customer_id, void, finals)
    if contract is None or not billed:
        return None
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    abouts = dict(_abouts(billed, {each.pk: each for each in finals.standing}))
    return Adjustment(
        contract=contract,
        carrier_id=draft_id(*reopened),
        issued_at=None,
        rerated=(),
        lines=tuple(_line(row, abouts[_key(row)], units) for row in billed),
        entries=tuple(_entries(inputs.terms.customer_id, abouts)),
    )


def _billed(customer_id: UUID, void: Iterable[Invoice], finals: Finals) -> list[InvoiceLine]:
    """The lines of standing documents that adjust void ones, document by document."""
    place = {each.pk: number for number, each in enumerate(finals.standing)}
    rows = InvoiceLine.objects.filter(
        customer_id=customer_id,
        invoice_id__in=place,
        details__adjustment__invoice_id__in=[str(each.pk) for each in void],
    )
    return sorted(rows, key=lambda row: (place[row.invoice_id], row.position))


def _key(row: InvoiceLine) -> tuple[UUID, UUID]:
    """Who has billed it, and which document it adjusts."""
    return row.invoice_id, UUID(row.details["adjustment"]["invoice_id"])


def _abouts(
    billed: Iterable[InvoiceLine], standing: Mapping[UUID, Invoice]
) -> Iterator[tuple[tuple[UUID, UUID], Adjusted]]:
    by_key: dict[tuple[UUID, UUID], list[InvoiceLine]] = {}
    for row in billed:
        by_key.setdefault(_key(row), []).append(row)
    for (carrier_id, adjusted_id), rows in by_key.items():
        about = rows[0].details["adjustment"]
        counted = [row for row in rows if row.counts_toward_total]
        yield (
            (carrier_id, adjusted_id),
            Adjusted(
                invoice_id=adjusted_id,
                number=about["invoice_number"],
                period=Period(parse_instant(about["starting_at"]), parse_instant(about["ending_before"])),
                unrounded=exact_sum([row.unrounded_total for row in counted]),
                printed=exact_sum([row.total for row in counted]),
                billed_on=(carrier_id, standing[carrier_id].number),
            ),
        )


def _line(row: InvoiceLine, about: Adjusted, units: Mapping[UUID, Unit]) -> Line:
    """The same of the other sign."""
    said = row.details
    applied = said.get("applied_commit_or_credit", {})
    converted = said.get("converted_credit_type_id")
    consumed = said.get("quantity_consumed")
    return Line(
        type=row.type,
        name=_on(row.name, about),
        total=-row.unrounded_total,
        unit=units[UUID(said["credit_type"]["id"])],
        counts=row.counts_toward_total,
        product_id=_id(said, "product_id"),
        product_type=TYPES_OF_PRODUCTS.get(said.get("product_type", ""), ""),
        quantity=None if row.quantity is None else -row.quantity,
        quantity_consumed=None if consumed is None else -Decimal(consumed),
        unit_price=row.unit_price,
        period=None if row.starting_at is None else Period(row.starting_at, row.ending_before),
        pricing_group_values=tuple(sorted(said.get("pricing_group_values", {}).items())),
        presentation_group_values=tuple(sorted(said.get("presentation_group_values", {}).items())),
        commit_id=_id(said, "commit_id"),
        commit_type=applied.get("type", ""),
        access_type=applied.get("access_type", SPEND),
        segment_id=_id(said, "commit_segment_id"),
        converted=None if converted is None else units[UUID(converted)],
        adjusts=about,
    )


def _on(name: str, about: Adjusted) -> str:
    """ "Tokens, adjustment of INV-1 (1 Oct to 31 Oct 2025), on INV-2"."""
    assert about.billed_on is not None, "it is netted"
    on = f", on {about.billed_on[1]}"
    room = LONGEST_NAME - len(on)
    return (name if len(name) <= room else f"{name[: room - 1]}…") + on


def _id(said: Mapping[str, Any], field: str) -> UUID | None:
    return UUID(said[field]) if field in said else None


def _entries(customer_id: UUID, abouts: Mapping[tuple[UUID, UUID], Adjusted]) -> Iterator[Entry]:
    """What the lines drew. The key of what an adjustment posts names the document that it adjusts."""
    posted = LedgerEntry.objects.filter(
        customer_id=customer_id, invoice_id__in={carrier_id for carrier_id, _ in abouts}, segment_id__isnull=False
    )
    for row in posted.order_by("created_at", "pk"):
        _, _, _, *adjusted = row.idempotency_key.split()
        about = abouts.get((row.invoice_id, UUID(adjusted[0]))) if row.invoice_id and adjusted else None
        if about is not None:
            yield Entry(row.type, row.commit_id, row.segment_id, -row.amount, row.timestamp, adjusts=about)
