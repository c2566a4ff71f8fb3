"""Burn-downs that others document, as ours: who pays first, what is then left, and what is to pay.

The numbers are theirs or in their proportions; `deals` says how a balance is written. Where we decide otherwise on
purpose the name of the case says so; the order is that of `invoicing/engine/balances.py`.
"""

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, OCTOBER, sdk
from tests.invoicing.deals import Deals, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-01")
    return sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def deals(client, clock_at) -> Deals:
    return Deals(client, clock_at)


@pytest.mark.parametrize(
    ("balances", "usage", "left"),
    [
        pytest.param(
            "A CREDIT 30 first 50; B CREDIT 30 first 10", "20 minutes on 5", "A 30, B 10",
            id="Stripe: of two grants the lower number",
        ),
        pytest.param(
            "A CREDIT 30; B CREDIT 30 to 12-01", "20 minutes on 5", "A 30, B 10",
            id="Stripe: of one priority what expires sooner",
        ),
        pytest.param(
            "Paid PREPAID 30 paid 30; Promo CREDIT 30", "20 minutes on 5", "Paid 30, Promo 10",
            id="Stripe: promotional before paid that expires with it",
        ),
        pytest.param(
            "Paid PREPAID 30 paid 30 to 12-01; Promo CREDIT 30", "20 minutes on 5", "Paid 30, Promo 10",
            id="Orb and Stripe let expiry go before what was free; ours draws what was free first",
        ),
        pytest.param(
            "Half PREPAID 30 paid 15; Full PREPAID 30 paid 30 to 12-01", "20 minutes on 5", "Full 10, Half 30",
            id="Orb sorts by cost basis; ours asks only whether anything was paid",
        ),
        pytest.param(
            "Any CREDIT 30; Calls CREDIT 30 for calls", "10 calls on 5", "Any 30, Calls 10",
            id="Orb: of an item before of everything",
        ),
        pytest.param(
            "Two CREDIT 30 for minutes+calls; One CREDIT 30 for minutes", "20 minutes on 5", "One 10, Two 30",
            id="Metronome: for one product before for two",
        ),
        pytest.param(
            "Tagged CREDIT 30 tagged talk; Named CREDIT 30 for calls", "10 calls on 5", "Named 10, Tagged 30",
            id="Metronome: a tag that two products have counts as two",
        ),
        pytest.param(
            "Eu CREDIT 30 for calls where eu; Calls CREDIT 30 for calls", "10 calls:eu on 5", "Calls 10, Eu 30",
            id="Metronome: fewer group values first",
        ),
        pytest.param(
            "Tagged CREDIT 30 tagged talk to 12-01; Named CREDIT 30 for calls", "10 calls on 5", "Named 10, Tagged 30",
            id="Metronome: fewer products before the earlier end",
        ),
        pytest.param(
            "Later CREDIT 30 from 3; Sooner CREDIT 30", "20 minutes on 5", "Later 30, Sooner 10",
            id="Stripe: what took effect earlier",
        ),
        pytest.param(
            "Own CREDIT 30 to 12-01 of all; Deal CREDIT 30", "20 minutes on 5", "Deal 10, Own 30",
            id="Metronome: of one priority the contract's before the customer's",
        ),
        pytest.param(
            "Own CREDIT 30 first 1 of all; Deal CREDIT 30 first 2", "20 minutes on 5", "Deal 30, Own 10",
            id="Metronome: priority before whose it is",
        ),
        pytest.param(
            "All CREDIT 30 of all; One CREDIT 30 of first", "20 minutes on 5", "All 30, One 10",
            id="Metronome: for fewer contracts",
        ),
        pytest.param(
            "Pledge POSTPAID 30 first 1; Pack PREPAID 30 first 9 paid 30", "20 minutes on 5", "Pack 10, Pledge 30",
            id="Metronome: a postpaid commit comes last whatever its priority",
        ),
        pytest.param(
            "Early CREDIT 30 to 10; Late CREDIT 30 first 1 from 10", "40 minutes on 5, 40 minutes on 12",
            "Early 0, Late 0", id="OpenMeter: a grant counts only while it is in effect",
        ),
        pytest.param(
            "Annual PREPAID 1000 paid 900; Monthly CREDIT 100 every MONTHLY; Promo CREDIT 50 first 1 for calls",
            "40 calls on 5, 150 minutes on 6", "Annual 920, Monthly 0, Promo 0",
            id="Stigg and Kong: priority, then what is free and ends sooner, then what was bought",
        ),
        pytest.param(
            "Talk CREDIT 20 tagged voice; Any CREDIT 20", "30 minutes on 5, 10 calls on 5", "Any 0, Talk 0",
            id="Lago: a wallet for one metric beside one for all; in one hour the dearer unit is served first",
        ),
        pytest.param(
            "Units QUANTITY 100 for minutes paid 80", "130 minutes on 5", "Units 0",
            id="Maxio: prepaid units, then overage",
        ),
        pytest.param(
            "Units QUANTITY 15", "10 minutes on 5, 10 calls on 5", "Units 0",
            id="Zuora: units of two products come out of one fund, the dearer ones first",
        ),
        pytest.param(
            "A PREPAID 10 paid 1 from 1 to 11-01; B PREPAID 10 paid 2 from 3 to 15; C PREPAID 10 paid 1 from 5 to 15; "
            "D PREPAID 10 paid 3 from 2 to 11-05", "25 minutes on 6", "A 5, B 0, C 0, D 10",
            id="Orb: of four blocks the one that expires first, whenever each was bought and for how much",
        ),
    ],
)  # fmt: skip
def test_who_pays_first(deals, clock_at, balances, usage, left):
    deals.agree(balances)
    clock_at("2025-10-31T23")
    deals.used(usage)
    assert deals.left() == left


@pytest.mark.parametrize(
    ("balances", "story"),
    [
        pytest.param(
            "Pack PREPAID 1200 paid 1200 to 12-01",
            """
            10-06 | 300 minutes on 5            | Pack 900 | 1 Oct 1200
            11-15 | final, 500 minutes on 11-10 | Pack 400 | 1 Oct 1200
            12-01 |                             | Pack 0   | 1 Oct 1200
            12-05 | 70 minutes on 12-03         | Pack 0   | 1 Oct 1200, Dec 70
            """,
            id="Zuora: 800 of 1,200 consumed, 400 expire, nothing is billed for that",
        ),
        pytest.param(
            "Allowance CREDIT 10 every MONTHLY; Pack PREPAID 10 paid 20",
            """
            10-06 | 12 minutes on 5           | Allowance 0, Pack 8                           | 1 Oct 20
            11-03 | final, 4 minutes on 11-02 | Allowance 0, Allowance 6, Pack 8              | 1 Oct 20
            12-10 | 25 minutes on 12-09       | Allowance 0, Allowance 0, Allowance 0, Pack 0 | 1 Oct 20, Dec 7
            """,
            id="Orb: a monthly allocation without rollover, a block that was bought, then overage",
        ),
        pytest.param(
            "Fund PREPAID 1000 every MONTHLY lasting 2",
            """
            10-31 | 800 minutes on 20          | Fund 200                       |
            11-01 |                            | Fund 200, Fund 1000            |
            11-25 | 900 minutes on 11-20       | Fund 0, Fund 300               |
            12-01 | final                      | Fund 0, Fund 300, Fund 1000    |
            12-20 | 1500 minutes on 12-10      | Fund 0, Fund 0, Fund 0         | Dec 200
            """,
            id="Zuora: what is carried over is applied first, 1,200 in the second period",
        ),
        pytest.param(
            "Credits CREDIT 1000 every MONTHLY lasting 2",
            """
            10-31 | 600 minutes on 20 | Credits 400                          |
            11-01 |                   | Credits 400, Credits 1000             |
            12-01 |                   | Credits 0, Credits 1000, Credits 1000 |
            """,
            id="Autumn: 400 of 1,000 carry over for one cycle, 1,400 to use, then they are gone",
        ),
        pytest.param(
            "Tranche PREPAID 50+50 from 1+11-01 to 11-01+12-01 paid 50+50 on 1+11-01",
            """
            10-15 | 30 minutes on 5            | Tranche 20 | 1 Oct 50, 1 Nov 50
            11-01 |                            | Tranche 50 | 1 Oct 50, 1 Nov 50
            11-15 | 60 minutes on 11-10        | Tranche 0  | 1 Oct 50, 1 Nov 50, Nov 10
            """,
            id="Azure: tranches of a prepayment do not reach into the next",
        ),
        pytest.param(
            "Free CREDIT 400; Capacity PREPAID 1000 paid 1000",
            """
            10-06 | 300 minutes on 5          | Capacity 1000, Free 100 | 1 Oct 1000
            10-20 | 600 minutes on 15         | Capacity 500, Free 0    | 1 Oct 1000
            11-15 | final, 750 minutes on 11-10 | Capacity 0, Free 0    | 1 Oct 1000, Nov 250
            """,
            id="Snowflake: free usage, then capacity, then on demand",
        ),
        pytest.param(
            "Wallet PREPAID 50 paid 50",
            """
            10-06 | 10 minutes on 5 | Wallet 40                | 1 Oct 50
            10-07 | Wallet -15      | Wallet 25                | 1 Oct 50
            10-08 | Wallet +5       | Wallet 30                | 1 Oct 50
            11-02 | final           | Wallet 30                | 1 Oct 50
            11-15 | 40 minutes on 11-10 | Wallet 0             | 1 Oct 50, Nov 10
            """,
            id="Lago: credits are voided and granted by hand",
        ),
        pytest.param(
            "Trial CREDIT 50 to 15; Pack PREPAID 40 paid 40",
            """
            10-10 | 20 minutes on 5  | Pack 40, Trial 30 | 1 Oct 40
            10-15 |                  | Pack 40, Trial 0  | 1 Oct 40
            10-20 | 30 minutes on 18 | Pack 10, Trial 0  | 1 Oct 40
            10-25 | 30 minutes on 22 | Pack 0, Trial 0   | 1 Oct 40, Oct 20
            """,
            id="Chargebee: a trial grant ends within the month, then the pack, then the bill",
        ),
        pytest.param(
            "A CREDIT 30 of all",
            """
            10-02 | B CREDIT 30 of all                       | A 30, B 30 |
            10-06 | 20 minutes on 5                          | A 10, B 30 |
            10-08 | C CREDIT 30 from 7 to 20 of all, 20 minutes on 7 | A 10, B 30, C 10 |
            10-20 |                                          | A 10, B 30, C 0 |
            """,
            id="Kong: alike in everything else, in the order in which they were booked; a later one may end sooner",
        ),
        pytest.param(
            "Credits CREDIT 1000 every MONTHLY lasting 3",
            """
            12-01      |                       | Credits 1000, Credits 1000, Credits 1000       |
            12-06      | 2500 minutes on 12-05 | Credits 0, Credits 0, Credits 500              |
            2026-01-01 |                       | Credits 0, Credits 0, Credits 500, Credits 1000 |
            """,
            id="ElevenLabs: at most two months' worth is carried over, three times the allotment in all",
        ),
        pytest.param(
            "Eu CREDIT 30 for calls where eu; Any PREPAID 10.5 paid 10.5",
            """
            10-06 | 10 calls:eu on 5, 10 calls:us on 5 | Any 0, Eu 10 | 1 Oct 10.5, Oct 9.5
            10-08 | 6 calls:eu on 7                    | Any 0, Eu 0  | 1 Oct 10.5, Oct 11.5
            """,
            id="m3ter: a balance by segment, and half a cent",
        ),
    ],
)  # fmt: skip
def test_balances_burn_down(deals, balances, story):
    deals.agree(balances)
    assert deals.told(story) == rows(story)


@pytest.mark.django_db(transaction=True)  # what a document has seen is told by the transactions before it
@pytest.mark.parametrize(
    ("balances", "story"),
    [
        pytest.param(
            "Block PREPAID 50 to 11-01 paid 50",
            """
            11-02 | 30 minutes on 5, final | Block 0 | 1 Oct 50
            11-05 | 15 minutes on 20       | Block 0 | 1 Oct 50
            11-06 | 12 minutes on 21       | Block 0 | 1 Oct 50, Nov 7
            """,
            id="Orb: usage of before the expiry that comes in late still burns the block, the rest is overage",
        ),
        pytest.param(
            "Block PREPAID 50 paid 50",
            """
            11-02 | 30 minutes on 5, final  | Block 20 | 1 Oct 50
            11-05 | -10 minutes on 6        | Block 30 | 1 Oct 50
            11-10 | 35 minutes on 11-07     | Block 0  | 1 Oct 50, Nov 5
            """,
            id="Orb: a deduction that is taken back after its document goes back to its block",
        ),
    ],
)  # fmt: skip
def test_balances_and_what_comes_in_late(deals, balances, story):
    deals.agree(balances)
    assert deals.told(story) == rows(story)
