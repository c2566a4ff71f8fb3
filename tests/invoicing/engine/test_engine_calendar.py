"""Which periods are open, what they are called, and when their documents fall due."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_site.foundation.periods import Period
from contracts.terms import ClaimWindow
from invoicing.engine.calendar import draft_id, finalizes_at, open_periods
from invoicing.engine.inputs import Posted
from invoicing.engine.plan import plan
from tests.invoicing.engine.world import (
    HOUR,
    NEW_YEAR,
    NOTHING_POSTED,
    NOVEMBER,
    OCTOBER,
    card,
    computed,
    contract,
    given,
    on,
    override,
    postpaid,
    product,
    rate,
    uid,
    usage_documents,
)

PRODUCTS = [product("A")]
PRICES = [card(rate("A", "1"))]


@pytest.mark.parametrize(
    ("ends", "grace", "due"),
    [
        (NOVEMBER, 24, on(11, 2)),
        (NOVEMBER, 0, NOVEMBER),
        (on(11, 5, 10), 0, on(11, 5, 11)),
        (on(11, 5, 10), 1, on(11, 5, 11)),
    ],
)
def test_the_table_of_when_usage_falls_due(ends, grace, due):
    assert finalizes_at(ends, OCTOBER, grace) == due
    assert finalizes_at(ends, ends + 48 * HOUR, grace) == ends + (48 + grace) * HOUR  # agreed after it was over


def periods(at: datetime, posted: Posted = NOTHING_POSTED, **terms) -> list[str]:
    result = computed(given(at, [contract(**terms)], PRICES, PRODUCTS, posted=posted))
    return [f"{d.period.starting_at:%Y-%m-%d} {d.period.ending_before:%Y-%m-%d}" for d in usage_documents(result)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param(
            {"start": on(1, 31), "end": on(5, 1), "billing_anchor_at": on(1, 31)},
            ["2025-01-31 2025-02-28", "2025-02-28 2025-03-31", "2025-03-31 2025-04-30", "2025-04-30 2025-05-01"],
            id="an anchor on the 31st comes back to it",
        ),
        pytest.param(
            {"start": on(9, 15), "end": on(11, 20), "billing_anchor_at": on(1, 10)},
            ["2025-09-15 2025-10-10", "2025-10-10 2025-11-10", "2025-11-10 2025-11-20"],
            id="the first and the last period are short",
        ),
        pytest.param(
            {"start": on(9, 29), "end": on(10, 14), "billing_anchor_at": on(9, 29), "frequency": "WEEKLY"},
            ["2025-09-29 2025-10-06", "2025-10-06 2025-10-13", "2025-10-13 2025-10-14"],
            id="weekly",
        ),
        pytest.param(
            {
                "start": on(2, 29, year=2024),
                "end": on(3, 15),
                "billing_anchor_at": on(2, 29, year=2024),
                "frequency": "ANNUAL",
            },
            ["2024-02-29 2025-02-28", "2025-02-28 2025-03-15"],
            id="annual from a leap day",
        ),
        pytest.param(
            {"start": on(10, 20), "end": None, "frequency": "QUARTERLY"},
            ["2025-10-20 2026-01-01"],
            id="open-ended, a quarter",
        ),
    ],
)
def test_billing_periods(terms, expected):
    assert periods(on(12, 31), **terms) == expected


def test_a_period_is_open_from_its_first_instant():
    assert periods(NOVEMBER - HOUR) == ["2025-10-01 2025-11-01"]
    assert periods(NOVEMBER) == ["2025-10-01 2025-11-01", "2025-11-01 2025-12-01"]


def test_what_is_final_is_not_open():
    posted = Posted(frozenset({(uid("Acme"), "USAGE", "2025-10-01T00:00:00+00:00")}), {}, {})
    assert periods(on(11, 5), posted) == ["2025-11-01 2025-12-01"]


def test_an_id_depends_on_contract_kind_and_slot():
    (document,) = usage_documents(computed(given(OCTOBER, [contract()], PRICES, PRODUCTS)))
    assert document.slot == "2025-10-01T00:00:00+00:00"
    assert document.id == draft_id(uid("Acme"), "USAGE", document.slot)
    assert document.issued_at == NOVEMBER


def test_contracts_come_in_the_order_of_period_ends():
    contracts = [
        contract(name=name, billing_anchor_at=on(1, day), rate_card_id=uid(name))
        for name, day in (("b", 20), ("a", 10))
    ]
    cards = [card(rate(name, "1"), name=name) for name in "ab"]
    found = usage_documents(computed(given(on(10, 25), contracts, cards, [product("a"), product("b")])))
    assert [document.issued_at for document in found] == [on(10, 10), on(10, 20), on(11, 10), on(11, 20)]


def test_a_contract_without_a_rate_card_has_no_usage_documents():
    inputs = given(on(11, 5), [contract(rate_card_id=None)], [], PRODUCTS)
    assert (computed(inputs).documents, plan(inputs).slices, plan(inputs).metric_ids) == ((), (), ())


def test_the_plan_cuts_at_every_rule_within_the_open_periods_and_nowhere_else():
    rates = [
        rate("A", "1"),
        rate("A", "2", starting_at=on(10, 4), ending_before=on(10, 6)),
        rate("A", "3", starting_at=on(8, 1)),
    ]
    versions = [*PRODUCTS, product("A", starting_at=on(10, 8), publication=2)]
    terms = {
        "overrides": (override("0.5", period=Period(on(10, 10), on(12, 1))),),
        "commits": (postpaid("100", on(10, 12), NEW_YEAR),),
        "end": on(10, 25),
    }
    claims = [ClaimWindow("acme", None, on(10, 14)), ClaimWindow("acme", on(10, 16, 5), None)]
    inputs = given(on(10, 20), [contract(on(10, 2), **terms)], [card(*rates)], versions, claims=claims)
    cuts = [2, 4, 6, 8, 10, 12, 14]
    assert plan(inputs).slices == tuple(
        Period(start, end) for start, end in pairwise([*(on(10, day) for day in cuts), on(10, 16, 5), on(10, 25)])
    )
    assert plan(inputs).metric_ids == (uid("metric A"),)


def test_the_plan_leaves_out_what_lies_between_open_periods():
    contracts = [contract(on(10, 1), on(10, 3)), contract(on(10, 5), on(10, 7), name="other")]
    inputs = given(on(10, 20), contracts, PRICES, PRODUCTS)
    assert plan(inputs).slices == (Period(on(10, 1), on(10, 3)), Period(on(10, 5), on(10, 7)))


hours = st.integers(0, 24 * 365 * 3).map(lambda number: datetime(2024, 1, 1, tzinfo=UTC) + number * HOUR)


@settings(max_examples=60)
@for_all(hours, hours, st.integers(1, 24 * 400), st.sampled_from(["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"]))
def test_periods_and_slices_tile_the_term(anchor, start, length, frequency):
    end = start + timedelta(hours=length)
    agreed = contract(start, end, billing_anchor_at=anchor, frequency=frequency)
    inputs = given(end, [agreed], PRICES, PRODUCTS)
    found = open_periods(inputs)
    assert [found[0].starting_at, *(period.ending_before for period in found)] == [
        start,
        *(period.starting_at for period in found[1:]),
        end,
    ]
    slices = plan(inputs).slices
    assert (slices[0].starting_at, slices[-1].ending_before) == (start, end)
    assert all(one.ending_before == two.starting_at for one, two in pairwise(slices))
