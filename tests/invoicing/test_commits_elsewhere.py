"""Commitments that others document, as ours: instalments, minimums and what is missing of them, prices that depend on
who pays, units of their own, and contracts that share or end early.

`deals` says how a balance is written. Bills are usage by month, and charges by day: payments and true-ups.
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


@pytest.mark.parametrize(
    ("balances", "story"),
    [
        pytest.param(
            "Pre PREPAID 400 paid 400; Post POSTPAID 400 to 11-01",
            """
            10-06 | 500 minutes on 5 | Post 300, Pre 0 | 1 Oct 400, Oct 100, 1 Nov 300
            11-03 | final            | Post 0, Pre 0   | 1 Oct 400, Oct 100, 1 Nov 300
            """,
            id="Metronome: of 500 used 400 are prepaid, and 100 count toward the postpaid commit and are billed",
        ),
        pytest.param(
            "First POSTPAID 1000 first 1 to 11-01; Second POSTPAID 200 first 2 to 11-01",
            """
            10-06 | 900 minutes on 5 | First 100, Second 200 | Oct 900, 1 Nov 300
            10-08 | 200 minutes on 7 | First 0, Second 100   | Oct 1100, 1 Nov 100
            """,
            id="Zuora: of two commitments the second fills once the first is met",
        ),
        pytest.param(
            "October POSTPAID 100 to 11-01; November POSTPAID 100 from 11-01 to 12-01",
            """
            10-06 | 60 minutes on 5             | November 0, October 40  | Oct 60, 1 Nov 40, 1 Dec 100
            11-03 | final                       | November 100, October 0 | Oct 60, 1 Nov 40, 1 Dec 100
            11-20 | 130 minutes on 11-10        | November 0, October 0   | Oct 60, 1 Nov 40, Nov 130
            """,
            id="Lago: a minimum for each month, trued up where it is missed",
        ),
        pytest.param(
            "Agreement POSTPAID 300",
            """
            11-03 | 80 minutes on 5, final       | Agreement 220 | Oct 80, 1 Jan 220
            12-03 | 120 minutes on 11-05, final  | Agreement 100 | Oct 80, Nov 120, 1 Jan 100
            12-20 | 70 minutes on 12-10          | Agreement 30  | Oct 80, Nov 120, Dec 70, 1 Jan 30
            2026-01-03 | final                   | Agreement 0   | Oct 80, Nov 120, Dec 70, 1 Jan 30
            """,
            id="AWS: the shortfall of a private pricing agreement falls due at its end",
        ),
        pytest.param(
            "Agreement POSTPAID 100",
            """
            11-03 | 80 minutes on 5, final    | Agreement 20 | Oct 80, 1 Jan 20
            12-03 | 70 minutes on 11-05, final | Agreement 0 | Oct 80, Nov 70
            2026-01-03 | final                | Agreement 0  | Oct 80, Nov 70
            """,
            id="GCP: a commitment that is met costs nothing more",
        ),
        pytest.param(
            "Eligible POSTPAID 100 for calls",
            """
            10-06 | 50 minutes on 5, 20 calls on 5 | Eligible 60 | Oct 90, 1 Jan 60
            """,
            id="Azure: only what is eligible counts",
        ),
        pytest.param(
            "Pre PREPAID 400 paid 400; Post POSTPAID 600",
            """
            11-03 | 350 minutes on 5, final      | Post 600, Pre 50 | 1 Oct 400, 1 Jan 600
            12-03 | 350 minutes on 11-05, final  | Post 300, Pre 0  | 1 Oct 400, Nov 300, 1 Jan 300
            """,
            id="Zuora: a commitment of 1,000 of which 400 are prepaid, and 300 of the rest are used",
        ),
        pytest.param(
            "Pledge POSTPAID 300",
            """
            10-06 | 80 minutes on 5 | Pledge 220 | Oct 80, 1 Jan 220
            10-07 | Pledge -50      | Pledge 170 | Oct 80, 1 Jan 170
            """,
            id="m3ter: a part of a commitment is waived",
        ),
        pytest.param(
            "Plan PREPAID 1000 paid 300+350+350 on 1+11-01+12-01",
            """
            10-06 | 600 minutes on 5             | Plan 400 | 1 Oct 300, 1 Nov 350, 1 Dec 350
            11-20 | final, 500 minutes on 11-10  | Plan 0   | 1 Oct 300, 1 Nov 350, Nov 100, 1 Dec 350
            """,
            id="Flexprice: 300 up front and the rest by the month; all of it can be used at once",
        ),
        pytest.param(
            "Pack PREPAID 100 paid 80 of all",
            """
            10-06 | 90 minutes on 5                   | Pack 10        | 1 Oct 80
            10-08 | Top PREPAID 50 paid 50 on 8 of all, 30 minutes on 7 | Pack 0, Top 30 | 1 Oct 80, 8 Oct 50
            """,
            id="Zuora: a fund is topped up, and the older one goes first",
        ),
        pytest.param(
            "Pack PREPAID 100 paid 100",
            """
            11-10 | 30 minutes on 5        | Pack 70 | 1 Oct 100
            11-12 | ends 11-15             | Pack 70 | 1 Oct 100
            11-20 | 5 minutes on 11-14     | Pack 0  | 1 Oct 100
            11-21 | 5 minutes on 11-16     | Pack 0  | 1 Oct 100
            """,
            id="Chargebee: cancelled within the term: access ends, and nothing is paid back",
        ),
        pytest.param(
            "Pledge POSTPAID 300",
            """
            11-10 | 80 minutes on 5 | Pledge 220 | Oct 80, 1 Jan 220
            11-12 | ends 11-15      | Pledge 220 | Oct 80, 15 Nov 220
            11-20 | final           | Pledge 0   | Oct 80, 15 Nov 220
            """,
            id="AWS: an agreement that is terminated owes all of its shortfall",
        ),
        pytest.param(
            "Storage POSTPAID 1000 for minutes to 11-01",
            """
            10-20 | 900 minutes on 5, 50 calls on 6 | Storage 100 | Oct 1000, 1 Nov 100
            10-31 | 100 minutes on 21               | Storage 0   | Oct 1100
            11-03 | final                           | Storage 0   | Oct 1100
            """,
            id="MonetizeNow: a minimum for one product, and no fee once it is met",
        ),
        pytest.param(
            "Texts POSTPAID 100 for minutes to 11-01; Rest POSTPAID 50 to 11-01",
            """
            10-20 | 60 minutes on 5, 35 calls on 6 | Rest 0, Texts 40 | Oct 130, 1 Nov 40
            10-21 | 60 minutes on 20               | Rest 0, Texts 0  | Oct 190
            """,
            id="Zuora nests 100 of texts in 150 of everything; ours promises the difference beside it",
        ),
    ],
)  # fmt: skip
def test_what_was_committed_to(client, clock_at, balances, story):
    deals = Deals(client, clock_at)
    deals.agree(balances)
    assert deals.told(story) == rows(story)


@pytest.mark.parametrize(
    ("prices", "balances", "usage", "left", "bills"),
    [
        pytest.param(
            {"words": "TIERED 10 for 100, 8"}, "Pack PREPAID 1200 paid 1200", "150 words on 5", "Pack 0",
            "1 Oct 1200, Oct 200", id="Orb: graduated prices burn a balance; the tier goes on behind it",
        ),
        pytest.param(
            {"words": "FLAT 12 committed FLAT 10"}, "Pack PREPAID 1000 paid 1000 at COMMIT_RATE", "120 words on 5",
            "Pack 0", "1 Oct 1000, Oct 240", id="m3ter: a surcharge of a fifth on what exceeds the prepayment",
        ),
        pytest.param(
            {"words": "FLAT 12 committed FLAT 10"}, "Pack PREPAID 1000 paid 1000", "120 words on 5", "Pack 0",
            "1 Oct 1000, Oct 440", id="Metronome: a commit at list rates takes no commit rate",
        ),
        pytest.param(
            {"words": "FLAT 12"}, "Pack PREPAID 1000 paid 1000 at COMMIT_RATE", "120 words on 5", "Pack 0",
            "1 Oct 1000, Oct 440", id="Metronome: without a commit rate the list price holds",
        ),
        pytest.param(
            {"words": "TIERED 12 for 100, 11 committed TIERED 10 for 50, 9"},
            "Pack PREPAID 590 paid 590 at COMMIT_RATE", "120 words on 5", "Pack 0", "1 Oct 590, Oct 700",
            id="Metronome: tiers on both sides, one counter: 50 at 10, 10 at 9, 40 at 12, 20 at 11",
        ),
        pytest.param(
            {"words": "FLAT 10 committed FLAT 8"},
            "Free CREDIT 80; Pack PREPAID 80 paid 80 at COMMIT_RATE; Pledge POSTPAID 100", "30 words on 5",
            "Free 0, Pack 0, Pledge 0", "1 Oct 80, Oct 120",
            id="Metronome: a credit at list, a commit at its rate, the rest toward the pledge",
        ),
        pytest.param(
            {"answers": "FLAT 1 in credits"}, "Credits PREPAID 10 in credits paid 2000", "12 answers on 5",
            "Credits 0", "1 Oct 2000, Oct 400", id="Orb: ten credits bought at 2 dollars, two more as overage",
        ),
        pytest.param(
            {"answers": "FLAT 1 in credits"},
            "Credits CREDIT 10 in credits first 900; Pack PREPAID 300 paid 300 first 1", "12 answers on 5",
            "Credits 0, Pack 0", "1 Oct 300, Oct 100",
            id="Orb: credits before money whatever the priority; money pays for what is converted",
        ),
        pytest.param(
            {"answers": "FLAT 2 in credits", "minutes": "FLAT 1"}, "Credits CREDIT 3 in credits; Pack PREPAID 500",
            "2 answers on 5, 400 minutes on 6", "Credits 0, Pack 0", "Oct 100",
            id="Togai: a credit that pays for half an answer, then one pool of money for both",
        ),
        pytest.param(
            {"answers": "FLAT 1 in credits"}, "Pledge POSTPAID 1000", "3 answers on 5", "Pledge 400",
            "Oct 600, 1 Jan 400", id="Metronome: what is converted counts toward a pledge in money",
        ),
        pytest.param(
            {"calls": "FLAT 2", "minutes": "FLAT 1"}, "Units QUANTITY 10 first 1; Pledge POSTPAID 100",
            "15 calls on 5, 20 minutes on 5", "Pledge 70, Units 0", "Oct 30, 1 Jan 70",
            id="Maxio: units that are prepaid count toward no pledge",
        ),
        pytest.param(
            {"words": "FLAT 1.5 committed FLAT 1"}, "Pledge POSTPAID 1000 to 11-01 at COMMIT_RATE", "1200 words on 5",
            "Pledge 0", "Oct 1300", id="Flexprice: what exceeds the commitment costs half as much again",
        ),
        pytest.param(
            {"words": "FLAT 1.5 committed FLAT 1"}, "Pledge POSTPAID 1000 to 11-01 at COMMIT_RATE", "800 words on 5",
            "Pledge 200", "Oct 800, 1 Nov 200", id="Flexprice: a commitment that is missed is trued up",
        ),
        pytest.param(
            {"tokens": "FLAT 2 committed FLAT 1"}, "Pool PREPAID 1000 every MONTHLY at COMMIT_RATE",
            "1200 tokens on 5", "Pool 0", "Oct 400", id="Zuora: tokens beyond the month's pool cost twice as much",
        ),
        pytest.param(
            {"answers": "FLAT 1 in credits"}, "Paid PREPAID 20 in credits paid 3000; Granted CREDIT 10 in credits",
            "2 answers on 5", "Granted 8, Paid 20", "1 Oct 3000",
            id="Lago: 20 credits paid and 10 granted, 28 left after two; ours draws what was granted first",
        ),
        pytest.param(
            {"boxes": "PACKAGE 12 per 10"}, "Pack PREPAID 30", "25 boxes on 5", "Pack 0", "Oct 6",
            id="Zuora: packages that are begun burn a balance of money",
        ),
    ],
)  # fmt: skip
def test_prices_and_who_pays(client, clock_at, prices, balances, usage, left, bills):
    deals = Deals(client, clock_at, prices)
    deals.agree(balances)
    clock_at("2025-10-31T23")
    deals.used(usage)
    assert (deals.left(), deals.bills()) == (left, bills)


@pytest.mark.parametrize(
    ("balances", "usage", "left", "bills"),
    [
        pytest.param(
            "Pool PREPAID 100 paid 100 of all", "80 minutes on 5, 40 calls on 6", "Pool 0", "1 Oct 100, Oct 60",
            id="Snowflake: accounts of one organization draw on one capacity",
        ),
        pytest.param(
            "Pool PREPAID 100 of second", "80 minutes on 5, 40 calls on 6", "Pool 20", "Oct 80",
            id="m3ter: a balance that is for one of two contracts",
        ),
        pytest.param(
            "Pool PREPAID 100 of all; Own CREDIT 30", "80 minutes on 5, 40 calls on 6", "Own 0, Pool 0", "Oct 30",
            id="Metronome: each contract's own balance first, then what they share",
        ),
        pytest.param(
            "Pledge POSTPAID 200 of all", "80 minutes on 5, 40 calls on 6", "Pledge 40", "Oct 160, 1 Jan 40",
            id="Zuora: charges of several accounts count toward one commitment",
        ),
    ],
)  # fmt: skip
def test_contracts_that_share(client, clock_at, balances, usage, left, bills):
    """Minutes are sold by the first contract, calls by the second; the balances are agreed with the second."""
    deals = Deals(client, clock_at, {"minutes": "FLAT 1"})
    deals.agree("")
    deals.card = client.v1.contracts.rate_cards.create(name="Calls").data.id
    deals.sells("calls", "FLAT 2")
    deals.agree(balances, "second")
    clock_at("2025-10-31T23")
    deals.used(usage)
    assert (deals.left(), deals.bills()) == (left, bills)


def test_the_cost_basis_of_a_discounted_prepayment(client, clock_at):
    """Orb and Kong: 1,000 credits for 800; m3ter: for nothing."""
    deals = Deals(client, clock_at)
    deals.agree("Bought PREPAID 1000 paid 300+500 on 1+12-01; Given PREPAID 1000; Gift CREDIT 1000")
    basis = {each.name: getattr(each, "cost_basis", None) for each in deals.held()}
    assert basis == {"Bought": 0.8, "Given": 0, "Gift": None}
