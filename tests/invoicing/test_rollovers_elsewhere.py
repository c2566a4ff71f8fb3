"""Rollovers that others document, as ours: what goes over, what expires, and when what went over is drawn on.

Ours happen where a contract is renewed. What others carry from month to month is a recurring balance that lasts longer
than its period (see `test_burn_downs_elsewhere.py`). The contract runs until 2026, its renewal until 2027; what was
rolled over has the name of what it comes from, and stands behind it. `deals` says how a balance is written.
"""

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, sdk
from tests.invoicing.deals import Deals, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def deals(clock_at) -> Deals:
    clock_at("2025-10-01")
    client = sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])
    return Deals(client, clock_at, {"minutes": "FLAT 1", "answers": "FLAT 1 in credits"})


@pytest.mark.parametrize(
    ("balances", "story"),
    [
        pytest.param(
            "Capacity PREPAID 25000 to 12-01 over 1",
            """
            11-25 | 22000 minutes on 11-20                            | Capacity 3000                          |
            12-01 | renewed 12-01 with Next PREPAID 25000 from 12-01 | Capacity 0, Capacity 3000, Next 25000 |
            12-10 | 4000 minutes on 12-05                             | Capacity 0, Capacity 0, Next 24000     |
            """,
            id="Snowflake: of 25 thousand 3 are left, 28 after a renewal for as much",
        ),
        pytest.param(
            "Grant CREDIT 100 over 0.2",
            """
            10-06 | 30 minutes on 5 | Grant 70          |
            12-01 | renewed 12-01   | Grant 0, Grant 20 |
            """,
            id="OpenMeter: at most 20 of 100 are left after a reset",
        ),
        pytest.param(
            "Grant CREDIT 100 over 0.2",
            """
            10-06 | 90 minutes on 5 | Grant 10          |
            12-01 | renewed 12-01   | Grant 0, Grant 10 |
            """,
            id="OpenMeter fills up to a minimum; ours takes over what is left",
        ),
        pytest.param(
            "Allowance CREDIT 5000 over 0.5",
            """
            10-06 | 1000 minutes on 5                                    | Allowance 4000                          |
            12-01 | renewed 12-01 with Allowed CREDIT 5000 from 12-01 | Allowance 0, Allowance 2500, Allowed 5000 |
            """,
            id="Mintlify: up to half of the allowance, 7,500 with the new one",
        ),
        pytest.param(
            "Pack PREPAID 100 over 1 first 9",
            """
            12-01 | renewed 12-01 with Own CREDIT 50 first 1 from 12-01 to 2026-01-01 | Own 50, Pack 0, Pack 100 |
            12-10 | 30 minutes on 12-05  | Own 50, Pack 0, Pack 70 |
            12-15 | 90 minutes on 12-12  | Own 30, Pack 0, Pack 0  |
            """,
            id="Metronome: what was rolled over comes before a free credit of priority 1 that ends sooner",
        ),
        pytest.param(
            "Pledge POSTPAID 100 over 1; Pack PREPAID 100 over 1 first 1",
            """
            12-01 | renewed 12-01       | Pack 0, Pack 100, Pledge 0, Pledge 100 | 1 Jan 100
            12-10 | 30 minutes on 12-05 | Pack 0, Pack 100, Pledge 0, Pledge 70  | Dec 30, 1 Jan 70
            12-12 | 90 minutes on 12-11 | Pack 0, Pack 80, Pledge 0, Pledge 0    | Dec 100
            """,
            id="Metronome: what was rolled over of a postpaid commit comes before that of a prepaid one",
        ),
        pytest.param(
            "Pack PREPAID 1000 over 0.9",
            """
            10-06 | 100 minutes on 5, Pack -200 | Pack 700         |
            12-01 | renewed 12-01               | Pack 0, Pack 700 |
            """,
            id="Metronome: the fraction is one of what was granted, whatever was taken by hand",
        ),
        pytest.param(
            "Fund PREPAID 1000 to 12-01 over 1",
            """
            11-06 | 800 minutes on 11-05 | Fund 200        |
            12-01 | renewed 12-01        | Fund 0, Fund 200 |
            2026-05-01 |                 | Fund 0, Fund 200 |
            2026-12-31 |                 | Fund 0, Fund 200 |
            2027-01-01 |                 | Fund 0, Fund 0   |
            """,
            id="Zuora ends a carried fund after months of its own; ours lasts as long as the renewal",
        ),
        pytest.param(
            "Pack PREPAID 100 over 1",
            """
            10-06 | 30 minutes on 5 | Pack 70                |
            11-01 | renewed 11-01   | Pack 0, Pack 70        |
            12-01 | renewed 12-01   | Pack 0, Pack 0         |
            """,
            id="Zuora with one rollover period: what was carried is not carried again",
        ),
        pytest.param(
            "Pack PREPAID 400+600 from 1+1 to 11-01+2026-01-01 over 1",
            """
            10-06 | 100 minutes on 5 | Pack 900         |
            11-01 |                  | Pack 600         |
            12-01 | renewed 12-01    | Pack 0, Pack 600 |
            """,
            id="Metronome: segments that are over are not part of it",
        ),
        pytest.param(
            "Pack PREPAID 100+100 from 1+12-15 to 2026-01-01+2026-01-01 over 1",
            """
            10-06 | 40 minutes on 5 | Pack 60         |
            12-01 | renewed 12-01   | Pack 0, Pack 60 |
            12-15 |                 | Pack 0, Pack 60 |
            """,
            id="Metronome: nor are those that have not begun",
        ),
        pytest.param(
            "Units QUANTITY 100 for minutes over 0.5",
            """
            10-06 | 30 minutes on 5     | Units 70          |
            12-01 | renewed 12-01       | Units 0, Units 50 |
            12-10 | 60 minutes on 12-05 | Units 0, Units 0  | Dec 10
            """,
            id="Maxio: prepaid units that remain are rolled over as units",
        ),
        pytest.param(
            "Credits CREDIT 10 in credits over 0.5",
            """
            10-06 | 3 answers on 5     | Credits 7            |
            12-01 | renewed 12-01      | Credits 0, Credits 5 |
            12-10 | 6 answers on 12-05 | Credits 0, Credits 0 | Dec 200
            """,
            id="Orb: credits in a unit of their own, and overage in dollars",
        ),
        pytest.param(
            "Pack PREPAID 100 paid 100",
            """
            10-06 | 30 minutes on 5 | Pack 70 | 1 Oct 100
            12-01 | renewed 12-01   | Pack 0  | 1 Oct 100
            """,
            id="Zuora without rollover: use it or lose it",
        ),
        pytest.param(
            "Pack PREPAID 100 paid 100 over 1",
            """
            10-14 | 30 minutes on 5  | Pack 70         | 1 Oct 100
            10-20 | renewed 15       | Pack 0, Pack 70 | 1 Oct 100
            10-21 | 80 minutes on 18 | Pack 0, Pack 0  | 1 Oct 100, Oct 10
            """,
            id="Snowflake: renewed early, within the month and after the fact",
        ),
        pytest.param(
            "Pack PREPAID 100 paid 100 over 1",
            """
            11-02 | 30 minutes on 5, final | Pack 70         | 1 Oct 100
            11-05 | renewed 11-01          | Pack 0, Pack 70 | 1 Oct 100
            11-10 | 50 minutes on 11-07    | Pack 0, Pack 20 | 1 Oct 100
            12-03 | final                  | Pack 0, Pack 20 | 1 Oct 100
            """,
            id="Snowflake: renewed when the last invoice was final already",
        ),
        pytest.param(
            "Pack PREPAID 100 over 0.333",
            """
            10-06 | 0.5 minutes on 5 | Pack 99.5         |
            12-01 | renewed 12-01    | Pack 0, Pack 33.3 |
            """,
            id="Metronome: a fraction is exact",
        ),
        pytest.param(
            "Credits CREDIT 100 every MONTHLY lasting 3",
            """
            10-06 | 30 minutes on 5      | Credits 70                         |
            11-01 |                      | Credits 70, Credits 100            |
            12-15 | 150 minutes on 12-10 | Credits 0, Credits 20, Credits 100 |
            """,
            id="Autumn: what is carried lives for two months more, the oldest first",
        ),
    ],
)  # fmt: skip
def test_what_goes_over(deals, balances, story):
    deals.agree(balances, ending_before=JANUARY)
    assert deals.told(story) == rows(story)


@pytest.mark.django_db(transaction=True)  # what a document has seen is told by the transactions before it
def test_late_usage_after_a_renewal_reopens_what_expired_and_nothing_that_went_over(deals):
    """Orb keeps expired credits for usage of their time; of 80 left, 50 went over and 30 expired."""
    story = """
        11-02 | 20 minutes on 5, final | Pack 80         | 1 Oct 100
        12-01 | renewed 12-01          | Pack 0, Pack 50 | 1 Oct 100
        12-02 | final                  | Pack 0, Pack 50 | 1 Oct 100
        12-05 | 25 minutes on 20       | Pack 0, Pack 50 | 1 Oct 100
        12-06 | 11 minutes on 21       | Pack 0, Pack 50 | 1 Oct 100, Oct 6
    """
    deals.agree("Pack PREPAID 100 paid 100 over 0.5", ending_before=JANUARY)
    assert deals.told(story) == rows(story)
