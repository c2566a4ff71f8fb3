"""What a deal is worth and what other systems call it: kept and shown, of a contract and of each amendment. Nothing is
billed by it. A contract that is made like another one is another deal: it has its own.

Commits, credits, what recurs and scheduled charges may each have been sold by an order of their own, which NetSuite
knows; those of the customer belong to an opportunity of their own, too. What a recurring one grants, and what a renewal
takes over, is of the order of what it comes from. An edit of the contract changes the order of a commit or credit; that
of a charge and of what recurs stays as it was agreed.
"""

from decimal import Decimal
from typing import Any

from billing_site.foundation.problems import Problems
from contracts.inputs import ContractInput, EditInput
from contracts.models.term import digits
from contracts.services.checks import short_text

SYSTEM_IDS = ("salesforce_opportunity_id", "netsuite_sales_order_id")
VALUE = "total_contract_value"


def commercial_columns(given: ContractInput, problems: Problems) -> dict[str, Any]:
    """The columns of a contract. What is wrong goes to `problems`."""
    _check(given, problems)
    return {name: getattr(given, name) for name in (VALUE, *SYSTEM_IDS)}


def commercial_changes(given: EditInput, problems: Problems) -> dict[str, str]:
    """What an amendment says, as it is kept on the edit, the number as text. What is wrong goes to `problems`."""
    _check(given, problems)
    value: Decimal | None = given.total_contract_value
    told = {name: getattr(given, name) for name in SYSTEM_IDS if getattr(given, name)}
    return told if value is None else {VALUE: digits(value), **told}


def says_commercial(given: EditInput) -> bool:
    return given.total_contract_value is not None or any(getattr(given, name) for name in SYSTEM_IDS)


def _check(given: ContractInput | EditInput, problems: Problems) -> None:
    value: Decimal | None = given.total_contract_value
    if value is not None and problems.number(VALUE, value) and value < 0:
        problems.add(VALUE, value, "must not be negative")
    for name in SYSTEM_IDS:
        short_text(problems, name, getattr(given, name))
