"""The worked tables in the docstring of `invoicing.engine.late`, each as it stands there."""

from datetime import timedelta
from decimal import Decimal

import pytest

from invoicing.engine.documents import Document
from invoicing.engine.findings import NEGATIVE_PERIOD
from pricing.engine.tariffs import flat
from tests.invoicing.engine.books import Books
from tests.invoicing.engine.world import (
    CREDITS,
    DECEMBER,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    D,
    card,
    composite,
    contract,
    credit,
    given,
    on,
    package,
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

H = product("H")
MIDDLE = on(10, 16)
PRICES = card(rate("H", "10"))
CLOSED, NOW = on(11, 2), on(11, 5)


def books(*commits, prices=PRICES, products=(H,), events=(), at=CLOSED, **terms) -> Books:
    """October is final."""
    agreed = contract(commits=commits, **terms)
    found = Books(given(at, [agreed], [prices], products), list(events))
    found.close(at)
    return found


def h(*days_and_quantities) -> list:
    return [used("H", on(10, day, 5), quantity) for day, quantity in days_and_quantities]


def adjustment(document: Document) -> list[tuple[str, Decimal | None, Decimal | None, Decimal]]:
    """Of each adjusting line that is no applied balance: who pays, how much, at which price, what it comes to."""
    return [
        (line.commit_type or "to pay", line.quantity, line.unit_price, line.total)
        for line in document.lines
        if line.adjusts is not None and line.type != "applied_commit_or_credit"
    ]


def adjusting(found: Books, *late, at=NOW):
    found.use(*late)
    return found.draft(at).documents


def adjusted(found: Books, *late, at=NOW):
    found.use(*late)
    return adjustment(the_usage(found.draft(at)))


CHANGING = card(rate("H", "10", ending_before=MIDDLE), rate("H", "20", starting_at=MIDDLE))


@pytest.mark.parametrize(
    ("late", "line"),
    [
        pytest.param((3, 2), ("to pay", 2, 10, 20), id="at the price of its hour"),
        pytest.param((20, 2), ("to pay", 2, 20, 40), id="at the later price"),
        pytest.param((20, -1), ("to pay", -1, 20, -20), id="less than there was"),
    ],
)
def test_late_usage_has_the_price_of_its_hour(late, line):
    found = books(prices=CHANGING, events=h((3, 3), (20, 3)))
    assert found.finals[0].total == 90
    assert adjusted(found, *h(late)) == [line]


def test_what_follows_moves_into_another_tier():
    early, later = tiers(("10", "10"), ("5",)), tiers(("20", "10"), ("10",))
    prices = card(rate("H", "1", tariff=early, ending_before=MIDDLE), rate("H", "2", tariff=later, starting_at=MIDDLE))
    found = books(prices=prices, events=h((3, 6), (20, 6)))
    assert found.finals[0].total == 160
    assert adjusted(found, *h((3, 4))) == [("to pay", 4, 10, 40), ("to pay", None, None, -40)]
    in_time = books(prices=prices, events=h((3, 10), (20, 6)))
    assert in_time.finals[0].total == 160


ENDS = {"start": OCTOBER, "end": NOVEMBER}


@pytest.mark.parametrize(
    ("late", "lines"),
    [
        pytest.param(-4, [("CREDIT", -1, 10, -10), ("to pay", -3, 10, -30)], id="given back, last first"),
        pytest.param(2, [("to pay", 2, 10, 20)], id="nothing is left"),
    ],
)
def test_one_payer_has_run_out(late, lines):
    found = books(credit("50", **ENDS), events=h((3, 8)))
    assert adjusted(found, *h((9, late))) == lines


def test_an_expired_remainder_is_reopened():
    found = books(prepaid("100", **ENDS), events=h((3, 6)))
    assert adjusted(found, *h((9, 3))) == [("PREPAID", 3, 10, 30)]
    assert adjusted(found, *h((9, 3))) == [("PREPAID", 4, 10, 40), ("to pay", 2, 10, 20)]
    (standing,) = found.draft(NOW).balances
    assert (standing.drawn, [taken.amount for taken in standing.pending], standing.left) == (60, [40], 0)
    found.close(on(12, 2))
    assert found.draft(on(12, 5)).balances[0].drawn == 100
    assert adjusted(found, *h((9, -3)), at=on(12, 5)) == [("PREPAID", -1, 10, -10), ("to pay", -2, 10, -20)]


@pytest.mark.parametrize(
    ("late", "lines", "missing"),
    [
        pytest.param(10, [("POSTPAID", 10, 10, 100), ("POSTPAID", 1, -100, -100)], 540, id="both"),
        pytest.param(
            90, [("POSTPAID", 64, 10, 640), ("to pay", 26, 10, 260), ("POSTPAID", 1, -640, -640)], 0, id="no further"
        ),
        pytest.param(-10, [("POSTPAID", -10, 10, -100), ("POSTPAID", 1, 100, 100)], 740, id="asked for again"),
    ],
)
def test_a_true_up_is_reversed_by_as_much(late, lines, missing):
    found = books(postpaid("1000", **ENDS), events=h((3, 36)))
    assert [final.total for final in found.finals] == [360, 640]
    draft = found.draft(NOW)
    assert adjustment(the_usage(draft)) == []
    assert adjusted(found, *h((9, late))) == lines
    found.close(on(12, 2))
    assert found.finals[-1].total == sum(total for *_, total in lines)
    posted = found.inputs.posted
    assert set(posted.trued_up.values()) == {D(missing)}
    assert sum(posted.billed.values()) + missing == 1000
    assert adjustment(the_usage(found.draft(on(12, 5)))) == []


def test_a_package_that_was_paid_for():
    prices = card(rate("H", "0", tariff=package("12", "10")))
    found = books(prices=prices, events=h((3, 8)))
    assert adjusted(found, *h((9, 2))) == [("to pay", 2, 0, 0)]
    assert adjusted(found, *h((9, 1))) == [("to pay", 3, 4, 12)]
    found.close(on(12, 2))
    assert adjusted(found, *h((9, 7)), at=on(12, 5)) == [("to pay", 7, 0, 0)]


@pytest.mark.parametrize(
    ("late", "lines"),
    [
        pytest.param([2], [("to pay", 2, 0, 0)], id="within the package"),
        pytest.param([-2], [("to pay", -2, 0, 0)], id="the package stays"),
        pytest.param([-8], [("CREDIT", None, None, -4), ("to pay", -8, D("0.9"), D("-7.2"))], id="it goes"),
        pytest.param([3], [("to pay", 3, 4, 12)], id="one more"),
        pytest.param([3, -3], [("to pay", -3, 4, -12)], id="one more, and none again"),
        pytest.param([-8, 8], [("CREDIT", None, None, 4), ("to pay", 8, D("0.9"), D("7.2"))], id="shared again"),
    ],
)
def test_a_package_stays_as_payers_share_it(late, lines):
    prices = card(rate("H", "0", tariff=package("12", "10"), commit_tariff=package("10", "10")))
    found = books(credit("4", rate_type="COMMIT_RATE", **ENDS), prices=prices, events=h((3, 8)))
    assert [(line.total, line.commit_type) for line in found.finals[0].document.lines if line.type == "usage"] == [
        (4, "CREDIT"),
        (D("7.2"), ""),
    ]
    *before, last = late
    for units in before:
        found.use(*h((9, units)))
        found.close(on(12, 2))
    assert adjusted(found, *h((9, last)), at=on(12, 5) if before else NOW) == lines


def test_a_volume_is_of_all_that_was_used():
    prices = card(rate("H", "0", tariff=volume(("10", "10"), ("8",))))
    found = books(prices=prices, events=h((3, 10)))
    assert adjusted(found, *h((9, 2))) == [("to pay", 2, None, -4)]


def test_a_composite_follows():
    products = (H, composite("Support", "H"))
    prices = card(rate("H", "10"), rate("Support", "0.2", tariff=percentage("0.2")))
    found = books(prices=prices, products=products, events=h((3, 10)))
    assert found.finals[0].total == 120
    assert adjusted(found, *h((9, 5))) == [("to pay", 5, 10, 50), ("to pay", 50, D("0.2"), 10)]
    found.close(on(12, 2))
    assert adjusted(found, *h((9, -15)), at=on(12, 5)) == [("to pay", -15, 10, -150), ("to pay", -150, D("0.2"), -30)]


def test_rounding_follows_the_sum():
    prices = card(rate("H", "0.2"))
    found = books(prices=prices, events=h((3, 52)))
    assert found.finals[0].total == 10
    found.use(*h((9, 1)))
    assert found.finalize(the_usage(found.draft(NOW))).total == 1
    assert found.finals[-1].unrounded_total == D("0.2")


def test_what_a_later_period_has_drawn_is_not_taken_twice():
    found = books(prepaid("100"), events=h((3, 6)))
    found.use(used("H", on(11, 9), 3))
    found.close(on(12, 2))
    assert adjusted(found, *h((9, 5)), at=on(12, 5)) == [("PREPAID", 1, 10, 10), ("to pay", 4, 10, 40)]


def test_late_usage_goes_before_what_is_open():
    found = books(prepaid("100"), events=h((3, 6)))
    found.use(used("H", on(11, 3), 3))
    assert adjusted(found, *h((9, 2))) == [("PREPAID", 2, 10, 20)]
    document = the_usage(found.draft(NOW))
    covered = [(line.quantity, line.total) for line in document.lines if line.type == "usage" and not line.adjusts]
    assert covered == [(2, 20), (1, 10)]


def test_several_closed_months_at_once_each_with_its_number():
    found = books(events=h((3, 6)))
    found.close(on(12, 2))
    found.use(*h((9, 1)), used("H", on(11, 9), 2))
    document = the_usage(found.draft(on(12, 5)))
    assert [(line.name, line.total) for line in document.lines if line.adjusts] == [
        ("H, adjustment of N-11 (1 Oct to 31 Oct 2025)", 10),
        ("H, adjustment of N-12 (1 Nov to 30 Nov 2025)", 20),
    ]
    assert document.entries == ()


def test_what_is_given_back_is_waited_for():
    shared = credit("50", contract_id=None, name="shared")
    products = (H, product("L"))
    mine, theirs = contract(rate_card_id=uid("Mine")), contract(name="Second", rate_card_id=uid("Theirs"))
    cards = [card(rate("H", "10"), name="Mine"), card(rate("L", "1"), name="Theirs")]
    found = Books(given(CLOSED, [mine, theirs], cards, products, commits=[shared]), h((3, 5)))
    found.close(CLOSED)
    found.use(*h((9, -3)), used("L", on(11, 3), 20))
    carrier, other = sorted(usage_documents(found.draft(NOW)), key=lambda each: each.contract_id != mine.id)
    assert [(entry.amount, entry.timestamp) for entry in carrier.entries] == [(30, NOVEMBER)]
    assert [entry.amount for entry in other.entries] == [-20]
    assert (carrier.waits_for, other.waits_for) == ((), (carrier.id,))


def test_an_event_that_moves_costs_nothing():
    found = books(prepaid("50", **ENDS), prices=CHANGING, events=h((3, 1), (20, 2)))
    assert adjusted(found, *h((9, 2), (20, -1))) == [("PREPAID", 2, 10, 20), ("PREPAID", -1, 20, -20)]


def test_credits_are_converted():
    prices = card(rate("H", "2", unit=CREDITS), credits_at="3")
    found = books(credit("8", name="credits", unit=CREDITS, **ENDS), prepaid("30", **ENDS), prices=prices,
                  events=h((3, 6)))  # fmt: skip
    assert found.finals[0].total == 0
    assert adjusted(found, *h((9, 4))) == [("to pay", 4, 2, 8), ("PREPAID", 6, 3, 18), ("to pay", 2, 3, 6)]
    assert the_usage(found.draft(NOW)).total == 6
    found.close(on(12, 2))
    assert adjusted(found, *h((9, -9)), at=on(12, 5)) == [
        ("CREDIT", -3, 2, -6), ("to pay", -6, 2, -12), ("PREPAID", -10, 3, -30), ("to pay", -2, 3, -6),
    ]  # fmt: skip


def test_a_balance_of_units_takes_units_whatever_they_cost():
    prices = card(rate("H", "0", tariff=tiers(("10", "10"), ("5",))))
    units = credit("8", name="units", access_type="QUANTITY", **ENDS)
    found = books(units, prices=prices, events=h((3, 6)))
    assert adjusted(found, *h((9, 6))) == [("CREDIT", 2, 10, 20), ("to pay", 4, D("7.5"), 30)]
    entries = the_usage(found.draft(NOW)).entries
    assert [entry.amount for entry in entries] == [-2]


def test_less_than_nothing_is_a_finding():
    found = books(events=h((3, 6)))
    found.use(*h((9, -7)))
    document = the_usage(found.draft(NOW))
    assert [(finding.kind, finding.blocking) for finding in document.findings] == [(NEGATIVE_PERIOD, False)]
    assert adjustment(document) == [("to pay", -6, 10, -60)]


def test_a_contract_that_is_over_has_a_document_of_its_own():
    found = books(events=h((3, 6)), end=NOVEMBER)
    assert found.draft(NOW).documents == ()
    found.use(*h((9, 2)))
    (document,) = found.draft(NOW).documents
    assert (document.kind, document.type, document.issued_at) == ("ADJUSTMENT", "USAGE", DECEMBER)
    assert (document.period.starting_at, document.period.ending_before) == (OCTOBER, NOVEMBER)
    assert (document.finalizes_at, document.total) == (on(12, 2), 20)
    assert found.close(on(12, 2)) == [document]
    assert found.draft(on(12, 5)).documents == ()
    found.use(*h((9, 1)))
    (document,) = found.draft(on(12, 5)).documents
    assert document.issued_at == NEW_YEAR
    (document,) = found.draft(on(3, 5, year=2026)).documents
    assert document.issued_at == on(3, 1, year=2026)
    assert usage_documents(found.draft(NOW)) == []


@pytest.mark.parametrize(
    ("seen", "issued"),
    [
        pytest.param(on(1, 20, year=2026), on(2, 1, year=2026), id="within the first period after its end"),
        pytest.param(on(2, 1, 12, year=2026), on(2, 1, year=2026), id="within the grace of that"),
        pytest.param(on(3, 1, 12, year=2026), on(2, 1, year=2026), id="within the grace of the next"),
        pytest.param(on(3, 3, year=2026), on(3, 1, year=2026), id="after it"),
    ],
)
def test_when_a_document_of_its_own_is_issued(seen, issued):
    found = books(events=h((3, 6)), at=on(1, 2, year=2026))
    (document,) = adjusting(found, *h((9, 2)), at=seen)
    assert document.issued_at == issued
    assert document.finalizes_at == issued + timedelta(days=1)


def test_a_grace_longer_than_a_period_comes_to_its_end():
    """October is billed by the week; what is seen on 5 November is issued on the 8th, and final ten days later."""
    weekly = {"frequency": "WEEKLY", "billing_anchor_at": OCTOBER, "grace_hours": 240, "end": NOVEMBER}
    found = books(events=h((3, 6)), at=on(11, 20), **weekly)
    found.use(*h((9, 2)))
    for seen in (on(11, 20), on(11, 30)):
        (document,) = found.draft(seen).documents
        assert document.issued_at <= seen
    (first,) = found.draft(on(11, 2)).documents
    assert (first.issued_at, first.finalizes_at) == (on(11, 5), on(11, 15))
    assert found.close(on(11, 15)) == [first]
    assert found.draft(on(11, 16)).documents == ()


def test_commit_rates_and_prices_stay_with_who_has_the_units():
    prices = card(rate("H", "10", commit_tariff=flat(D(8))))
    found = books(prepaid("80", rate_type="COMMIT_RATE", **ENDS), prices=prices, events=h((3, 6)))
    assert adjusted(found, *h((9, 6))) == [("PREPAID", 4, 8, 32), ("to pay", 2, 10, 20)]
