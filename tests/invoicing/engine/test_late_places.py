"""Where late units come to stand, what that makes of those before and after them, and who is asked in which order.

H costs 10 where nothing else is said; October is final on 2 November, and what is late is seen on the 5th.
"""

import pytest

from invoicing.engine.documents import Document
from pricing.engine.catalog import Conversion
from tests.invoicing.engine.test_late_tables import CLOSED, ENDS, MIDDLE, NOW, Books, H, adjusted, adjustment, books, h
from tests.invoicing.engine.world import (
    CREDITS,
    DECEMBER,
    D,
    card,
    composite,
    contract,
    credit,
    given,
    on,
    percentage,
    postpaid,
    prepaid,
    product,
    rate,
    the_usage,
    tiers,
    uid,
    usage_documents,
    used,
    volume,
)


def drawn(document: Document) -> list:
    return [entry.amount for entry in document.entries]


@pytest.mark.parametrize(
    ("tariff", "in_time", "late", "line"),
    [
        pytest.param(tiers(("10", "10"), ("5",)), 12, -4, (-4, D("7.5"), -30), id="what is gone was in two tiers"),
        pytest.param(tiers(("10", "10"), ("5",)), 12, -2, (-2, 5, -10), id="what is gone was in the last tier"),
        pytest.param(volume(("10", "10"), ("8",)), 12, -3, (-3, 2, -6), id="9 at 10 are 6 less than 12 at 8"),
        pytest.param(volume(("10", "10"), ("8",)), 12, -2, (-2, None, 4), id="10 at 10 are 4 more than 12 at 8"),
    ],
)
def test_what_is_gone_goes_at_the_price_that_it_was_billed_at(tariff, in_time, late, line):
    found = books(prices=card(rate("H", "0", tariff=tariff)), events=h((3, in_time)))
    assert adjusted(found, *h((9, late))) == [("to pay", *line)]


def test_units_that_follow_stand_after_all_that_came_before_them_by_now():
    """From the 16th on 20 up to the 17th unit, then 10. 6 H in each half; 4 late ones in the first, 2 in the second.

    The second half has the units 11 to 16 then, and the late ones are 17 and 18: 20 and 10.
    """
    later = tiers(("20", "17"), ("10",))
    prices = card(rate("H", "10", ending_before=MIDDLE), rate("H", "2", tariff=later, starting_at=MIDDLE))
    found = books(prices=prices, events=h((3, 6), (20, 6)))
    assert adjusted(found, *h((3, 4), (20, 2))) == [("to pay", 4, 10, 40), ("to pay", 2, 15, 30)]


def test_a_volume_at_commit_rate_is_told_of_slices_that_nothing_came_into():
    """At commit rate 8 up to 10 units, then 6 for every unit, up to the 16th; 20 for anyone from then on."""
    at_commit_rate = volume(("8", "10"), ("6",))
    prices = card(
        rate("H", "10", commit_tariff=at_commit_rate, ending_before=MIDDLE), rate("H", "20", starting_at=MIDDLE)
    )
    found = books(prepaid("1000", rate_type="COMMIT_RATE", **ENDS), prices=prices, events=h((3, 6), (20, 4)))
    assert drawn(found.finals[0].document) == [-128]
    assert adjusted(found, *h((20, 2))) == [("PREPAID", None, None, -12), ("PREPAID", 2, 20, 40)]


def test_what_stays_and_costs_more_in_credits_is_offered_to_money():
    """A credit is 3; 6 H in each half are 6 and 8 credits, so 42 of 60.

    4 late ones are 4 credits, 12; they put 4 of the second half into the tier that costs a credit more: 2 of these 4
    credits are paid with the 6 that are left.
    """
    early, later = tiers(("1", "10"), ("1",)), tiers(("1", "10"), ("2",))
    prices = card(
        rate("H", "1", unit=CREDITS, tariff=early, ending_before=MIDDLE),
        rate("H", "2", unit=CREDITS, tariff=later, starting_at=MIDDLE),
        credits_at="3",
    )
    found = books(prepaid("60", **ENDS), prices=prices, events=h((3, 6), (20, 6)))
    assert drawn(found.finals[0].document) == [-42]
    assert adjusted(found, *h((9, 4))) == [
        ("to pay", 4, 1, 4),
        ("to pay", None, None, 4),
        ("PREPAID", 6, 3, 18),
        ("to pay", 2, 3, 6),
    ]
    found.close(on(12, 2))
    assert adjusted(found, *h((9, -4)), at=on(12, 5)) == [
        ("to pay", -4, 1, -4),
        ("to pay", None, None, -4),
        ("PREPAID", -6, 3, -18),
        ("to pay", -2, 3, -6),
    ]
    assert drawn(the_usage(found.draft(on(12, 5)))) == [18]


def test_what_costs_less_is_given_back_in_money_and_never_to_a_balance_of_units():
    """By volume, 10 up to 10 units, then 8. A credit of 50 paid for 5 H, one of 8 units for 5 more.

    2 late ones make every unit cost 8, so the credit gets 10 back. These pay for 1.25 of the late ones, and 0.75 are
    taken from the units.
    """
    money, units = (
        credit("50", name="money", priority=D(1), **ENDS),
        credit("8", name="units", access_type="QUANTITY", **ENDS),
    )
    prices = card(rate("H", "0", tariff=volume(("10", "10"), ("8",))))
    found = books(money, units, prices=prices, events=h((3, 10)))
    assert drawn(found.finals[0].document) == [-50, -5]
    found.use(*h((9, 2)))
    assert drawn(the_usage(found.draft(NOW))) == [D("-0.75")]


def test_every_closed_period_gives_back_before_any_asks():
    """100 until the year ends: 60 for October, 40 for November. 3 H more in October, 2 less in November."""
    found = books(prepaid("100"), events=h((3, 6)))
    found.use(used("H", on(11, 9), 4))
    found.close(on(12, 2))
    assert adjusted(found, *h((9, 3)), used("H", on(11, 9), -2), at=on(12, 5)) == [
        ("PREPAID", 2, 10, 20),
        ("to pay", 1, 10, 10),
        ("PREPAID", -2, 10, -20),
    ]


def test_late_usage_asks_in_the_order_of_its_time_whatever_was_used():
    """A credit of 30: 2 H of the 3rd, which cost 10, go before 2 A of the 20th, which cost 20."""
    prices = card(
        *(rate(name, "10", ending_before=MIDDLE) for name in ("A", "H")),
        *(rate(name, "20", starting_at=MIDDLE) for name in ("A", "H")),
    )
    found = books(credit("30", **ENDS), prices=prices, products=(product("A"), H))
    assert adjusted(found, *h((3, 2)), used("A", on(10, 20, 5), 2)) == [
        ("CREDIT", D("0.5"), 20, 10),
        ("to pay", D("1.5"), 20, 30),
        ("CREDIT", 2, 10, 20),
    ]


def test_late_usage_that_nothing_prices_is_a_finding_and_no_line():
    found = books(prices=card(rate("H", "10", ending_before=MIDDLE)), events=h((3, 1)))
    found.use(*h((20, 2)))
    draft = found.draft(NOW)
    assert [(each.kind, each.blocking, each.quantity) for each in draft.findings] == [("NO_RATE", False, 2)]
    assert draft.documents == ()


def test_a_document_that_draws_on_what_it_gives_back_itself_waits_for_none():
    """50 in October, all drawn; 3 H of it are gone, and 2 H in November draw on what comes back."""
    agreed = contract(commits=(prepaid("50"),))
    found = Books(given(CLOSED, [agreed], [card(rate("H", "10"))], (H,)), h((3, 5)))
    found.close(CLOSED)
    found.use(*h((9, -3)), used("H", on(11, 3), 2))
    document = the_usage(found.draft(NOW))
    assert (sorted(drawn(document)), document.waits_for) == ([-20, 30], ())


@pytest.mark.parametrize(
    ("units", "waits"),
    [
        pytest.param(20, False, id="what was posted leaves exactly that"),
        pytest.param(21, True, id="it needs one of the 10 that come back"),
    ],
)
def test_who_finds_enough_without_what_is_given_back_waits_for_nobody(units, waits):
    """50 for two contracts: mine drew 30 and gives 10 back; theirs draws on what is left."""
    shared = credit("50", contract_id=None, name="shared")
    mine, theirs = contract(rate_card_id=uid("Mine")), contract(name="Second", rate_card_id=uid("Theirs"))
    cards = [card(rate("H", "10"), name="Mine"), card(rate("L", "1"), name="Theirs")]
    found = Books(given(CLOSED, [mine, theirs], cards, (H, product("L")), commits=[shared]), h((3, 3)))
    found.close(CLOSED)
    found.use(*h((9, -1)), used("L", on(11, 3), units))
    carrier, other = sorted(usage_documents(found.draft(NOW)), key=lambda each: each.contract_id != mine.id)
    assert drawn(other) == [-units]
    assert other.waits_for == ((carrier.id,) if waits else ())


def test_of_two_who_give_back_and_draw_the_later_waits_for_the_earlier():
    """50 for two contracts, all drawn in October. Mine gives 10 back and theirs 5; in November each draws as much."""
    shared = credit("50", contract_id=None, name="shared")
    agreed = contract(rate_card_id=uid("Mine")), contract(name="Second", rate_card_id=uid("Theirs"))
    cards = [card(rate("H", "10"), name="Mine"), card(rate("L", "1"), name="Theirs")]
    october = [*h((3, 3)), used("L", on(10, 3), 20)]
    found = Books(given(CLOSED, agreed, cards, (H, product("L")), commits=[shared]), october)
    found.close(CLOSED)
    found.use(*h((9, -1)), used("L", on(10, 9), -5), used("H", on(11, 3), 1), used("L", on(11, 3), 5))
    earlier, later = sorted(usage_documents(found.draft(NOW)), key=lambda each: each.contract_id)
    assert {tuple(sorted(drawn(each))) for each in (earlier, later)} == {(-10, 10), (-5, 5)}
    assert (earlier.waits_for, later.waits_for) == ((), (earlier.id,))


def test_what_a_balance_was_raised_by_since_changes_nothing_of_what_is_given_back():
    """20, all drawn by 2 H of October, and 35 from then on. One of the two is gone."""
    found = books(prepaid("20", **ENDS), events=h((3, 2)))
    found.edit(commits=(prepaid("35", **ENDS),))
    assert adjusted(found, *h((9, -1))) == [("PREPAID", -1, 10, -10)]


def test_what_came_late_draws_no_more_than_comes_back_to_the_last_decimal():
    """Three units of the meter are sold as one, at 0.1. November and December have drawn for two each. One of them is
    gone from each, which gives back 0.333333333334 at 0.1, to 12 decimals 0.033333333333. October, which is settled
    first, draws all of that: 0.0666666666668, but not 0.066666666667."""
    thirds = product("H", conversion=Conversion(D(3), "DIVIDE"))
    events = [used("H", on(11, 3), 2), used("H", on(12, 3), 2)]
    found = books(credit("0.133333333334"), prices=card(rate("H", "0.1")), products=(thirds,), events=events)
    for month, year in ((12, 2025), (1, 2026)):
        found.close(on(month, 2, year=year))
    found.use(used("H", on(10, 3), 30), used("H", on(11, 9), -1), used("H", on(12, 9), -1))
    (held,) = found.draft(on(1, 5, year=2026)).balances
    assert (held.drawn, held.left) == (D("0.133333333334"), 0)
    assert [taken.amount for taken in held.pending] == [
        D("0.066666666666"),
        D("-0.033333333333"),
        D("-0.033333333333"),
    ]


def test_a_month_whose_usage_is_all_gone_is_given_back():
    """Nothing is left in the ledger that tells of it: what was billed does."""
    found = books(credit("20", **ENDS), events=h((3, 6)))
    found.events.clear()
    assert adjusted(found) == [("CREDIT", -2, 10, -20), ("to pay", -4, 10, -40)]


def test_late_usage_that_a_contract_does_not_entitle_to_is_left_out_by_decision():
    found = books(prices=card(rate("H", "10"), rate("L", "1", entitled=False)), products=(H, product("L")))
    found.use(used("L", on(10, 9, 5), 2))
    draft = found.draft(NOW)
    assert (adjustment(the_usage(draft)), draft.findings) == ([], ())


def test_shares_in_two_units_are_given_back_each_in_its_own():
    """Support is a fifth of 100 cents and of 10 credits. 5 H less are 10 cents of it less, and no credit."""
    prices = card(
        rate("H", "10"),
        rate("L", "1", unit=CREDITS),
        rate("Support", "0.2", tariff=percentage("0.2")),
        credits_at="3",
    )
    products = (H, product("L"), composite("Support", "H", "L"))
    found = books(prices=prices, products=products, events=[*h((3, 10)), used("L", on(10, 3, 5), 10)])
    assert found.finals[0].total == 100 + 20 + 3 * 12
    assert adjusted(found, *h((9, -5))) == [("to pay", -5, 10, -50), ("to pay", -50, D("0.2"), -10)]


def test_a_true_up_is_reversed_month_by_month():
    """A commitment of 1,000 up to December: 360 were billed and 640 trued up. 100 more in October, 200 in November."""
    found = books(postpaid("1000", end=DECEMBER), events=h((3, 36)))
    found.close(on(12, 2))
    assert [final.total for final in found.finals] == [360, 0, 640]
    assert adjusted(found, *h((9, 10)), used("H", on(11, 9), 20), at=on(12, 5)) == [
        ("POSTPAID", 10, 10, 100),
        ("POSTPAID", 1, -100, -100),
        ("POSTPAID", 20, 10, 200),
        ("POSTPAID", 1, -200, -200),
    ]


def test_what_is_billed_of_a_balance_is_told_month_by_month():
    """100 until the year ends: 1 H late in October, 2 H in November, both on December's document."""
    found = books(prepaid("100"), events=h((3, 3)))
    found.close(on(12, 2))
    found.use(*h((9, 1)), used("H", on(11, 9), 2))
    entries = found.finalize(the_usage(found.draft(on(12, 5)))).entries
    assert [(each.entry.amount, each.billed) for each in entries] == [(-10, -10), (-20, -20)]
