"""The demo's usage: exact in its totals, however the days are cut, and the same every time."""

from collections import Counter
from datetime import timedelta

import pytest

from billing_site.demo import story, town
from billing_site.demo.town import day
from billing_site.foundation.periods import Period

NOVEMBER = Period(day(2025, 11), day(2025, 12))
MILLION = 1_000_000
SINCE_THE_SUMMER = Period(day(2025, 6), day(2026, 2))


def used(events):
    """Units by subject, event type and the values that name a price."""
    sums = Counter()
    for event in events:
        values = dict(event["properties"])
        units = int(values.pop("calls", None) or values.pop("tokens", None) or values.pop("minutes", None) or 1)
        sums[" ".join([event["customer_id"], event["event_type"], *values.values()])] += units
    return dict(sums)


@pytest.mark.parametrize(
    ("period", "calls", "small", "medium", "large", "xl"),
    [
        pytest.param(Period(day(2025, 10), day(2025, 10, 15)), 400_000, 1_600, 1_200, 520, 200, id="before the deal"),
        pytest.param(Period(day(2025, 10, 15), day(2025, 11)), 600_000, 2_400, 1_800, 680, 300, id="half price"),
        pytest.param(NOVEMBER, 1_100_000, 4_400, 3_400, 1_300, 547.5, id="November"),
        pytest.param(Period(day(2025, 12), day(2026, 1)), 1_000_000, 4_000, 3_000, 1_200, 525, id="December"),
    ],
)
def test_acme_uses_what_the_story_says(period, calls, small, medium, large, xl):
    models = {"small": small, "medium": medium, "large": large, "xl": xl}
    assert used(story.events(period)) == {"acme api_calls": calls} | {
        f"acme tokens {model}": int(millions * MILLION) for model, millions in models.items()
    }


def test_the_others_use_in_november_what_their_table_says():
    assert used(town.events(NOVEMBER)) == {
        "brindlecove tokens medium": 1_250 * MILLION,
        "brindlecove tokens large": 170 * MILLION,
        "calderwhistle tokens small": 2_100 * MILLION,
        "calderwhistle tokens large": 200 * MILLION,
        "calderwhistle transcriptions": 81_000,
        "dunmarrow inference small eu": 3_200 * MILLION,
        "dunmarrow inference small us": 1_000 * MILLION,
        "dunmarrow inference large eu": 420 * MILLION,
        "elverstrand api_calls": 520_000,
        "elverstrand tokens medium": 400 * MILLION,
        "fennhollow api_calls": 960_000,
        "fennhollow tokens small": 1_000 * MILLION,
        "gladwick api_calls": 61_000,
        "hexcombe embeddings": 40 * MILLION,
        "ilvesmark api_calls": 120_000,
        "ilvesmark tokens large": 65 * MILLION,
        "juniperfjord tokens medium": 153_297_299,  # until its contract ends on the 16th
        "kestrelbay api_calls": 205_000,
        "kestrelbay tokens small": 3_150 * MILLION,
        "kestrelbay tokens large": 310 * MILLION,
        "lumenquay embeddings": 2_520 * MILLION,
        "lumenquay transcriptions": 500_000,
        "lumenquay fine_tuning": 12,
        "nettlecombe tokens medium": 500 * MILLION,
        "nettlecombe tokens xl": 20 * MILLION,
        "acme-staging api_calls": 31_000,
        "acme-staging tokens small": 90 * MILLION,
        "fennhollow-beta api_calls": 12_000,
    }


@pytest.mark.parametrize("events", [story.events, town.events], ids=["Acme", "the others"])
def test_cut_in_any_way_the_events_are_the_same(events):
    period = Period(day(2025, 11, 3), day(2025, 11, 9))
    whole = {(event["customer_id"], event["transaction_id"]): event for event in events(period)}
    pieces, start = [], period.starting_at
    for hours in (1, 23, 24.5, 7, 0.25, 40):
        stop = start + timedelta(hours=hours)
        pieces += events(Period(start, stop))
        start = stop
    pieces += events(Period(start, period.ending_before))
    assert len(pieces) == len(whole)
    assert {(event["customer_id"], event["transaction_id"]): event for event in pieces} == whole


def test_a_transaction_id_is_used_once():
    sent = [(event["customer_id"], event["transaction_id"]) for event in town.events(SINCE_THE_SUMMER)]
    assert len(sent) == len(set(sent))


def test_usage_goes_on_after_the_year_end():
    february = used(town.events(Period(day(2026, 2), day(2026, 3))))
    assert february["lumenquay embeddings"] == (2_400 + 4 * 120) * MILLION


def test_an_account_is_never_asked_for_usage_before_it_began():
    assert min(event["timestamp"] for event in town.events(SINCE_THE_SUMMER)) >= "2025-06-01"
    assert used(town.events(Period(day(2025, 7), day(2025, 7, 3)))).keys() == {
        "gladwick api_calls",
        "hexcombe embeddings",
    }
