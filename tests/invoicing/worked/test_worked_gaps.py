"""What October comes to where there is no price, less than nothing was used, or it is too much to keep.

As in `test_worked_prices.py`: set up through the API, read off the printed draft, worked out by hand, in cents.
"""

from uuid import UUID

import pytest

from invoicing.queries.documents import drafts_of
from invoicing.services import PeriodHasFindings, finalize_invoice
from tests.invoicing.conftest import ADA, OCTOBER, at
from tests.invoicing.shop import Shop

pytestmark = pytest.mark.django_db


def findings(shop: Shop) -> list[tuple[str, bool, str]]:
    drafts = drafts_of(shop.customer.pk, at=at("2025-10-31T23"))
    return [(found.kind, found.blocking, found.message) for draft in drafts for found in draft.findings]


@pytest.mark.parametrize(
    ("rates", "used", "lines", "found"),
    [
        pytest.param(
            [{"price": 2, "ending_before": at("2025-10-10")}, {"price": 4, "starting_at": at("2025-10-20")}],
            "10 on 5, 10 on 25", "10 at 2 = 20; 10 at 4 = 40", [], id="a gap that nobody used",
        ),
        pytest.param(
            [{"price": 2, "ending_before": at("2025-10-10")}, {"price": 4, "starting_at": at("2025-10-20")}],
            "10 on 5, 7 on 15, 10 on 25", "10 at 2 = 20; 10 at 4 = 40",
            [("NO_RATE", True, "Units: 7 metered, and the rate card List has no rate for it.")],
            id="a gap with usage",
        ),
        pytest.param(
            [{"price": 2}, {"price": 5, "starting_at": at("2025-10-10"), "ending_before": at("2025-10-20")}],
            "10 on 5, 10 on 15, 10 on 25", "10 at 2 = 20; 10 at 5 = 50; 10 at 2 = 20", [],
            id="what ends uncovers what it covered",
        ),
        pytest.param(
            [{"price": 2}, {"price": 5, "starting_at": at("2025-10-20")},
             {"price": 3, "starting_at": at("2025-10-10")}],
            "10 on 5, 10 on 15, 10 on 25", "10 at 2 = 20; 10 at 3 = 30; 10 at 5 = 50", [],
            id="a later start holds, whenever it was published",
        ),
        pytest.param(
            [{"price": 2}, {"price": 2, "entitled": False, "starting_at": at("2025-10-10")}],
            "10 on 5, 7 on 15", "10 at 2 = 20",
            [("NOT_ENTITLED", False, "Units: 7 metered, and the contract does not entitle to it.")],
            id="taken out of the list",
        ),
        pytest.param(
            [{"price": 2, "entitled": False}, {"price": 3, "starting_at": at("2025-10-10")}],
            "7 on 5, 10 on 15", "10 at 3 = 30",
            [("NOT_ENTITLED", False, "Units: 7 metered, and the contract does not entitle to it.")],
            id="taken into the list",
        ),
    ],
)  # fmt: skip
def test_where_there_is_a_price_and_where_not(shop, rates, used, lines, found):
    product = shop.product()
    plain = {"product_id": product, "rate_type": "FLAT", "starting_at": OCTOBER, "entitled": True}
    for rate in rates:
        shop.prices(plain | rate)
    shop.uses("Units", used)
    shop.contract()
    assert shop.lines() == {"Units": lines}
    assert findings(shop) == found


def test_a_net_usage_below_zero_is_nobodys_bill(shop):
    shop.product()
    shop.prices(*shop.price("Units", "FLAT 2"))
    shop.uses("Units", "5 on 5, -8 on 20")
    shop.contract()
    assert shop.lines() == {"Units": "0 at 2 = 0"}
    assert findings(shop) == [
        ("NEGATIVE_PERIOD", True, "Units: -3 metered in the period; less than nothing cannot be billed.")
    ]


def test_what_no_document_can_keep_waits_for_a_person(shop):
    """A conversion that multiplies where it was to divide."""
    shop.product(quantity_conversion={"conversion_factor": 10**12, "operation": "MULTIPLY"})
    shop.prices(*shop.price("Units", "FLAT 0.000000000001"))
    shop.uses("Units", "1000000000000000")
    shop.contract()
    [(kind, is_blocking, _)] = findings(shop)
    assert (kind, is_blocking) == ("TOO_LARGE", True)
    with pytest.raises(PeriodHasFindings, match="comes to more than a document can keep"):
        finalize_invoice(shop.customer.pk, UUID(shop.invoice().id), at=at("2025-11-03"), by=ADA)
