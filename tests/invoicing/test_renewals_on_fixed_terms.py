"""Renewals of a contract on fixed terms, which has no rate card and so no documents of usage: what goes over is told by
the ledger all the same, whether or not the renewal has a document that posts it. API calls cost 2 cents.
"""

from decimal import Decimal as D

import pytest

from billing_site.foundation import tokens
from contracts import services
from contracts.inputs import ContractInput, TransitionInput
from invoicing.queries.balances import balances
from invoicing.services import finalize_due
from tests.factories.contracts import charge_input, credit_input, prepaid_input
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db


def agreed(acme, start, end=JANUARY, card=None, renews=None, **more):
    given = ContractInput(
        starting_at=start,
        ending_before=end,
        rate_card_id=card,
        transition=None if renews is None else TransitionInput(renews),
        **more,
    )
    return services.create_contract(acme.customer, given, at=start, by=ADA)


def fixed_terms(acme):
    """From October on: a pack of $1.00, half of which may go over, and a credit of 30 cents, which may wholly."""
    product = FixedProductFactory()
    whole = prepaid_input(D(100), OCTOBER, JANUARY, name="Pack", product=product, rollover_fraction=D("0.5"))
    credit = credit_input(D(30), name="Goodwill", product=product, rollover_fraction=D(1))
    return agreed(acme, OCTOBER, commits=(whole,), credits=(credit,))


def ledgers(acme, instant, contract):
    """By name, without the grant: type, amount, and to which contract it went."""
    found = {}
    for each in balances(acme.customer.pk, at=at(instant)):
        if each.contract == contract:
            assert sum(moved.amount for moved in each.statement.movements) == each.statement.left
            found[each.committed.commit.name] = [
                (moved.type, moved.amount, moved.timestamp, moved.new_contract_id)
                for moved in each.statement.movements
                if not moved.is_start
            ]
    return found


def gone_over(renewal):
    return {
        "Pack": [
            ("PREPAID_COMMIT_ROLLOVER", -50, NOVEMBER, renewal.pk),
            ("PREPAID_COMMIT_EXPIRATION", -50, NOVEMBER, None),
        ],
        "Goodwill": [("CREDIT_ROLLOVER", -30, NOVEMBER, renewal.pk)],
    }


def test_neither_contract_has_documents_of_usage(acme, clock_at):
    """The SDK reads what the queries say: a rollover and an expiration."""
    old = fixed_terms(acme)
    renewal = agreed(acme, NOVEMBER, renews=old.pk, scheduled_charges=(charge_input(DECEMBER),))
    assert ledgers(acme, "2025-10-31T23", old) == {"Pack": [], "Goodwill": []}
    assert ledgers(acme, "2025-11-01", old) == gone_over(renewal)
    finalize_due(acme.customer.pk, at=DECEMBER, by=ADA)
    assert ledgers(acme, "2025-12-01", old) == gone_over(renewal)
    assert ledgers(acme, "2025-12-01", renewal) == {"Pack": [], "Goodwill": []}

    clock_at("2025-12-02")
    _, secret = tokens.create_token("RevOps", scope="read", at=OCTOBER, by=ADA)
    whose = {"customer_id": str(acme.customer.pk), "contract_id": str(old.pk)}
    read = sdk(secret).v2.contracts.retrieve(**whose, include_balance=True, include_ledgers=True).data
    [pack], [credit] = read.commits, read.credits
    assert [(each.type, each.amount) for each in pack.ledger] == [
        ("PREPAID_COMMIT_SEGMENT_START", 100),
        ("PREPAID_COMMIT_ROLLOVER", -50),
        ("PREPAID_COMMIT_EXPIRATION", -50),
    ]
    assert [each.new_contract_id for each in credit.ledger if each.type == "CREDIT_ROLLOVER"] == [str(renewal.pk)]
    assert (pack.balance, credit.balance) == (0, 0)


def test_the_renewal_posts_it_once_something_is_used_under_it(acme):
    """In November nothing is used, in December 20 cents of calls."""
    old = fixed_terms(acme)
    services.archive_contract(acme.customer, acme.contract.pk, at=OCTOBER, by=ADA)
    renewal = agreed(acme, NOVEMBER, card=acme.prices.card.pk, renews=old.pk)
    acme.calls("2025-12-05T10", 10)
    for instant in ("2025-11-01", "2025-11-20", "2025-12-03", "2025-12-20", "2026-01-02"):
        finalize_due(acme.customer.pk, at=at(instant), by=ADA)
        assert ledgers(acme, instant, old) == gone_over(renewal), instant
