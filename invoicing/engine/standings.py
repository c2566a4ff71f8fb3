"""How each balance stands: what came in, what went out, and what of it is left.

    granted + by hand = drawn by final documents + pending in drafts + rolled over + left

What is left can be used from the start of its segment up to its end; from then on it is expired. What is left of an
obligation is still to be spent until it was billed. An instance of what recurs and what a renewal took over have
standings like all others. This is the one place that says so: readers of balances take it from here.

    100 from 1 October to 1 November, 30 of it used in October      usable    expired    to come
    30 September                                                    0         0          100
    1 October, and 31 October, 23:59:59                             100, 70   0          0
    1 November                                                      0         70         0
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from uuid import UUID

from invoicing.engine.balances import Balance
from invoicing.engine.calendar import TRUE_UP
from invoicing.engine.documents import Pending, Standing
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.inputs import Posted
from invoicing.engine.late.carry import Adjustment


def standings(
    balances: Sequence[Balance], drafts: Sequence[UsageDraft], posted: Posted, late: Sequence[Adjustment]
) -> Iterator[Standing]:
    """Of every balance, in the order of drawdown, once the walk is over."""
    zero = Decimal(0)
    pending: dict[UUID, list[Pending]] = {}
    for segment_id, taken in (pair for each in late for pair in each.pending):
        pending.setdefault(segment_id, []).append(taken)
    for draft in drafts:
        for balance, amount in draft.deductions.items():
            taken = Pending(draft.open.document_id, draft.open.contract.id, amount, draft.open.posted_at)
            pending.setdefault(balance.segment.id, []).append(taken)
    billed = {slot for _, kind, slot in posted.documents - posted.waiting if kind == TRUE_UP}
    for balance in balances:
        key = balance.segment.id
        yield Standing(
            commit=balance.commit,
            segment=balance.segment,
            granted=balance.granted,
            manual=posted.manual.get(key, zero),
            drawn=posted.drawn.get(key, zero),
            pending=tuple(each for each in pending.get(key, ()) if each.amount),
            rolled_over=balance.rolled_over,
            is_settled=str(balance.commit.id) in billed,
        )
