"""Late usage where terms have changed since, where a slice has no usage any more, and where nothing can be billed.

H costs 10 where nothing else is said; October is final on 2 November, and what is late is seen on the 5th.
"""

from dataclasses import replace

import pytest

from invoicing.engine.calendar import open_periods
from invoicing.engine.documents import Entry
from invoicing.engine.late.carry import Adjustment, adjustments
from invoicing.engine.late.slices import NotAsComputed
from invoicing.engine.plan import plan
from invoicing.engine.walk import answered, compute
from tests.invoicing.engine.books import Books
from tests.invoicing.engine.test_late_tables import (
    CHANGING,
    CLOSED,
    ENDS,
    MIDDLE,
    NOW,
    PRICES,
    H,
    adjusted,
    adjustment,
    books,
    h,
)
from tests.invoicing.engine.world import (
    NOTHING_POSTED,
    D,
    Ledger,
    card,
    composite,
    contract,
    credit,
    given,
    on,
    percentage,
    rate,
    the_usage,
    tiers,
    uid,
    used,
    volume,
)


def test_a_credit_that_was_taken_away_since_pays_for_nothing_late():
    """It had 50 when October was closed, and nobody drew on it; 3 H that come late are to be paid."""
    found = books(credit("50", start=on(10, 9), end=on(11, 1)), events=h((3, 2)))
    found.use(*h((10, 3)))
    assert adjustment(the_usage(found.draft(NOW))) == [("CREDIT", 3, 10, 30)]
    found.edit(commits=())
    assert adjustment(the_usage(found.draft(NOW))) == [("to pay", 3, 10, 30)]
    assert the_usage(found.draft(NOW)).entries == ()


def test_usage_of_one_definition_of_a_product_may_all_be_gone():
    """From the 16th on H is shown by region, so it is counted anew: each definition has its own units."""
    later = replace(H, starting_at=MIDDLE, publication=2, presentation_group_key=("region",))
    found = books(products=(H, later), events=h((3, 4), (20, 6)))
    assert found.finals[0].total == 100
    assert adjusted(found, *h((20, -6))) == [("to pay", -6, 10, -60)]
    assert adjusted(found, *h((3, -4))) == [("to pay", -4, 10, -40), ("to pay", -6, 10, -60)]


def test_a_share_of_late_usage_that_has_no_rate_is_told_and_holds_nothing():
    """Its rate ends in the middle of the month; nothing was used in time, so nobody missed it."""
    ending = rate("Support", "0.2", tariff=percentage("0.2"), ending_before=MIDDLE)
    found = books(products=(H, composite("Support", "H")), prices=card(rate("H", "10"), ending))
    found.use(*h((3, 5)))
    document = the_usage(found.draft(NOW))
    assert adjustment(document) == [("to pay", 5, 10, 50)]
    (finding,) = found.draft(NOW).findings
    assert (finding.kind, finding.blocking, finding.quantity) == ("NO_RATE", False, 50)
    assert finding.message == "Support: a spend of 50, and the rate card List has no rate for it."


@pytest.mark.parametrize(
    ("included", "late"),
    [
        pytest.param(False, [50, 10, D("5")], id="a tenth of H"),
        pytest.param(True, [50, 10, D("6")], id="a tenth of H and of what Support comes to"),
    ],
)
def test_a_composite_follows_a_composite_only_where_it_includes_what_those_come_to(included, late):
    products = (H, composite("Support", "H"), composite("Tax", "H", "Support", include_composite_spend=included))
    prices = card(
        rate("H", "10"),
        rate("Support", "0.2", tariff=percentage("0.2")),
        rate("Tax", "0.1", tariff=percentage("0.1")),
    )
    found = books(prices=prices, products=products, events=h((3, 10)))
    assert [total for *_, total in adjusted(found, *h((9, 5)))] == late


RISING = card(
    rate("H", "1", tariff=tiers(("10", "10"), ("10",)), ending_before=MIDDLE),
    rate("H", "2", tariff=tiers(("10", "10"), ("20",)), starting_at=MIDDLE),
)


@pytest.mark.parametrize(
    ("balance", "lines"),
    [
        pytest.param(
            "220", [("CREDIT", 4, 10, 40), ("CREDIT", None, None, 40)], id="all that they cost more is paid by it"
        ),
        pytest.param(
            "190",
            [("CREDIT", 4, 10, 40), ("CREDIT", None, None, 10), ("to pay", None, None, 30)],
            id="it has 10 left for them",
        ),
        pytest.param("140", [("to pay", 4, 10, 40), ("to pay", None, None, 40)], id="it has nothing left"),
    ],
)
def test_what_stays_and_costs_more_is_offered_to_the_balance_of_its_time(balance, lines):
    """6 H in each half came to 60 and 80; 4 late ones in the first put 4 of the second into the tier that costs 20."""
    found = books(credit(balance, **ENDS), prices=RISING, events=h((3, 6), (20, 6)))
    assert found.finals[0].total == 0
    assert adjusted(found, *h((9, 4))) == lines


def test_a_document_that_names_a_payer_without_such_terms_was_not_computed_from_them():
    found = books(credit("50", **ENDS), events=h((3, 8)))
    found.use(*h((9, -1)))
    (closed,) = found.closed(NOW)
    stranger = replace(closed, held=tuple(replace(each, segment_id=uid("of nobody")) for each in closed.held))
    with pytest.raises(NotAsComputed, match=r"^H: the segment .* does not pay at 2025-10-01"):
        adjustments(found.inputs, [stranger], (), ())


def test_what_is_counted_in_units_has_no_part_in_what_stays_and_costs_more():
    """8 units of a credit that counts them cover 8 H, whatever those come to cost."""
    units = credit("8", name="units", access_type="QUANTITY", start=MIDDLE, end=on(11, 1))
    found = books(units, prices=RISING, events=h((3, 6), (20, 9)))
    assert [entry.entry.amount for entry in found.finals[0].entries] == [-8]
    assert adjusted(found, *h((9, 1))) == [("to pay", 1, 10, 10), ("CREDIT", None, None, 10)]


def test_late_usage_at_two_prices_of_one_month_is_told_slice_by_slice():
    found = books(prices=CHANGING)
    assert adjusted(found, *h((3, 1), (20, 1))) == [("to pay", 1, 10, 10), ("to pay", 1, 20, 20)]


def test_a_closed_period_that_nobody_used_takes_late_usage():
    agreed = contract()
    found = Books(given(CLOSED, [agreed], [PRICES], (H,)))
    found.close(CLOSED)
    assert adjusted(found, used("H", on(10, 3, 5), 2)) == [("to pay", 2, 10, 20)]


def test_what_a_volume_comes_to_is_told_of_slices_that_nothing_came_into():
    """10 up to 10 units, then 8 for every unit; from the 16th on 20, then 18. 6 and 4 H were used; 2 more on the 20th.

    6 at 10 = 60 and 4 at 20 = 80 were billed; it comes to 6 at 8 = 48 and 6 at 18 = 108.
    """
    early, later = volume(("10", "10"), ("8",)), volume(("20", "10"), ("18",))
    prices = card(rate("H", "1", tariff=early, ending_before=MIDDLE), rate("H", "2", tariff=later, starting_at=MIDDLE))
    found = books(prices=prices, events=h((3, 6), (20, 4)))
    assert found.finals[0].total == 140
    assert adjusted(found, *h((20, 2))) == [("to pay", None, None, -12), ("to pay", 2, 14, 28)]


def test_what_a_void_document_had_drawn_can_be_drawn_on_again():
    """100 were drawn; 30 of them are taken off a draft in the place of a void document, whose 5 H have these 30. What
    was drawn on a commit that is not agreed any more is nobody's."""
    pack = credit("100")
    agreed = contract(commits=(pack,))
    drawn = replace(NOTHING_POSTED, drawn={pack.segments[0].id: D(100)})
    inputs = given(on(10, 31), [agreed], [PRICES], [H], posted=drawn)
    planned, ledger = plan(inputs), Ledger(h((3, 5)))
    (period,) = open_periods(inputs)
    entries = tuple(
        Entry("CREDIT_AUTOMATED_INVOICE_DEDUCTION", pack.id, segment_id, D(30), period.ending_before)
        for segment_id in (pack.segments[0].id, uid("gone"))
    )
    netted = Adjustment(agreed, period.document_id, None, (), (), entries)
    result = answered(compute(inputs, planned, ledger.usage(planned.slices), (), netted), ledger.finer)
    assert [(line.quantity, line.total, line.commit_type) for line in the_usage(result).lines] == [
        (3, 30, "CREDIT"),
        (None, -30, "CREDIT"),
        (2, 20, ""),
    ]
    (standing,) = result.balances
    assert ([taken.amount for taken in standing.pending], standing.left) == ([-30, 30], 0)
