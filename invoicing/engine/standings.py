"""How each balance stands: what came in, what went out, and what of it is left.

    granted + by hand = drawn by final documents + pending in drafts + rolled over + left

What is left can be used from the start of its segment up to its end; from then on it is expired. An instance of what
recurs and what a renewal took over have standings like all others.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from invoicing.engine.balances import Balance
from invoicing.engine.documents import Pending, Standing
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.inputs import Posted


def standings(balances: Sequence[Balance], drafts: Sequence[UsageDraft], posted: Posted) -> Iterator[Standing]:
    """Of every balance, in the order of drawdown, once the walk is over."""
    zero = Decimal(0)
    pending: dict[Balance, list[Pending]] = {}
    for draft in drafts:
        for balance, amount in draft.deductions.items():
            taken = Pending(draft.open.document_id, draft.open.contract.id, amount, draft.open.ending_before)
            pending.setdefault(balance, []).append(taken)
    for balance in balances:
        key = balance.segment.id
        yield Standing(
            commit=balance.commit,
            segment=balance.segment,
            granted=balance.granted,
            manual=posted.manual.get(key, zero),
            drawn=posted.drawn.get(key, zero),
            pending=tuple(each for each in pending.get(balance, ()) if each.amount),
            rolled_over=balance.rolled_over,
        )
