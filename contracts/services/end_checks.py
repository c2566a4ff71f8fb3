"""Which end policies a contract may have: `docs/end_policies.md`."""

from datetime import datetime

from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import UNCHANGED, EditInput, Unchanged
from contracts.models import Contract, ContractTerms

Policy = ContractTerms.EndPolicy
FIELD = "update_end_policy"


def check_policy(
    problems: Problems, field: str, policy: str, *, contract: Contract, ending_before: datetime | None
) -> None:
    if policy not in Policy.values:
        problems.add(field, policy, f"must be one of {', '.join(Policy.values)}")
    elif policy != Policy.STOP and ending_before is None:
        problems.add(field, policy, f"must be {Policy.STOP}: the contract has no end")
    elif policy == Policy.LIST_PRICE and contract.rate_card_id is None:
        problems.add(field, policy, "needs a rate card, whose list prices would hold")


def policy_after(
    given: EditInput, held: ContractTerms, ending_before: datetime | None, problems: Problems, *, at: datetime
) -> str:
    """The policy that an edit leaves, which lets the contract end at `ending_before`. What is wrong goes to
    `problems`."""
    told: str | Unchanged = given.update_end_policy
    if told is UNCHANGED:
        return Policy.STOP if _is_cut_short(held.ending_before, ending_before) else held.end_policy
    if ending_before is not None and ending_before <= at and told != held.end_policy:
        rule = f"must be told before the contract ends, which it did at {format_instant(ending_before)}"
        problems.add(FIELD, told, rule)
    check_policy(problems, FIELD, told, contract=held.contract, ending_before=ending_before)
    return told


def _is_cut_short(was: datetime | None, ending_before: datetime | None) -> bool:
    """Whether it ends earlier than was agreed, or never."""
    return ending_before is None or (was is not None and ending_before < was)
