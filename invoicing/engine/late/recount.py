"""What a closed period has used as of now: its usage is walked as ever, past balances that pay for nothing.

So usage below zero, what a volume comes to, conversions and rounding are what they were in the first walk; who pays is
no question of counting.
"""

from invoicing.engine.balances import Balance, balances
from invoicing.engine.calendar import BillingPeriod
from invoicing.engine.commits import all_commits
from invoicing.engine.drafts import UsageDraft, usage_draft
from invoicing.engine.exact import exactly
from invoicing.engine.inputs import Inputs
from invoicing.engine.plan import Plan
from invoicing.engine.sellers import sellers
from invoicing.engine.walk import Asking, Usage, walk


def recount(known: Inputs, closed: BillingPeriod, plan: Plan, usage: Usage) -> Asking[UsageDraft]:
    """The period's items with what was used by slice. `known` are the terms and prices that were known for it, `plan`
    is the plan of this period. It asks for finer usage as `walk.compute` does."""
    return (yield from exactly(_recount(known, closed, plan, usage)))


def _recount(known: Inputs, closed: BillingPeriod, plan: Plan, usage: Usage) -> Asking[UsageDraft]:
    spent = tuple(map(_spent, balances(all_commits(known), known.catalog, known.posted)))
    draft = usage_draft(closed, sellers(known.terms, known.catalog), known.catalog, spent)
    yield from walk([draft], plan.slices, usage)
    draft.composite_items.clear()  # their base is what was posted and the difference
    return draft


def _spent(balance: Balance) -> Balance:
    balance.pay(balance.left)
    return balance
