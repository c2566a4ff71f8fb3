"""What a renewal takes over: the table in the docstring of the rollovers, and what follows from it."""

from dataclasses import replace

import pytest

from invoicing.engine.documents import Result
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.rounding import finalized
from tests.invoicing.engine.subscribed import seats, subscription
from tests.invoicing.engine.world import (
    NOTHING_POSTED,
    D,
    card,
    commit,
    computed,
    contract,
    credit,
    given,
    on,
    postpaid,
    prepaid,
    product,
    rate,
    segment,
    settled,
    uid,
    usage_documents,
    used,
)

RENEWAL = on(11, 1)
OLD_START, NEW_END = on(9, 1), on(2, 1, year=2026)
AT = on(11, 10)
FOR_OLD = {"contract_id": uid("old"), "rollover_fraction": D(1)}


def world(*commits, posted: Posted = NOTHING_POSTED, end=NEW_END, of_new=(), at=AT) -> Inputs:
    """The old contract in September and October, the new one from November on; H costs 1."""
    old = contract(OLD_START, RENEWAL, name="old", commits=commits)
    new = contract(RENEWAL, end, name="new", renews=uid("old"), commits=of_new)
    return given(at, [new, old], [card(rate("H", "1"))], [product("H")], posted=posted)


def one(name: str, amount: str, *, fraction: str = "1", make=prepaid, **terms):
    window = (terms.pop("start", OLD_START), terms.pop("end", RENEWAL))
    return make(amount, *window, name=name, **{**FOR_OLD, "rollover_fraction": D(fraction), **terms})


def by_name(result: Result) -> dict[str, tuple[object, ...]]:
    """Of each balance of the old contract and of the new: granted, drawn in drafts, gone over, left, expired."""
    contracts = {uid("old"): "old", uid("new"): "new"}
    return {
        f"{contracts[each.commit.contract_id]} {each.commit.name} {each.segment.period.starting_at:%-d %b}": (
            each.granted,
            sum(taken.amount for taken in each.pending),
            each.rolled_over,
            each.left,
            each.expired(AT),
        )
        for each in result.balances
    }


def entries(document) -> list[tuple[object, ...]]:
    return [(entry.type, entry.amount, entry.timestamp) for entry in document.entries]


@pytest.mark.parametrize(
    ("fraction", "drawn", "over"), [("0.5", 300, 500), ("0.5", 700, 300), ("1", 0, 1000), ("0.5", 1200, 0)]
)
def test_up_to_its_fraction_goes_over_and_the_rest_expires(fraction, drawn, over):
    september, october, november = usage_documents(
        computed(world(one("paid", "1000", fraction=fraction)), [used("H", on(10, 3, 4), drawn)])
    )
    moved = [("PREPAID_COMMIT_ROLLOVER", -over, RENEWAL)] if over else []
    taken = [("PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -min(drawn, 1000), RENEWAL)] if drawn else []
    assert entries(october) == [*taken, *moved]
    assert (entries(september), entries(november)) == ([], [])
    result = computed(world(one("paid", "1000", fraction=fraction)), [used("H", on(10, 3, 4), drawn)])
    rest = 1000 - min(drawn, 1000) - over
    balances = by_name(result)
    assert balances["old paid 1 Sep"] == (1000, min(drawn, 1000), over, rest, rest)
    assert balances["new paid 1 Nov"] == (over, 0, 0, over, 0)


def test_segments_that_are_over_are_not_part_of_it():
    parts = (segment("paid", "400", OLD_START, on(10, 1)), segment("paid", "600", on(9, 2), RENEWAL))
    result = computed(world(one("paid", "1", segments=parts)))
    assert by_name(result) == {
        "new paid 1 Nov": (600, 0, 0, 600, 0),
        "old paid 1 Sep": (400, 0, 0, 400, 400),
        "old paid 2 Sep": (600, 0, 600, 0, 0),
    }


def test_what_was_taken_off_by_hand_does_not_go_over():
    paid = one("paid", "1000", fraction="0.9")
    posted = replace(NOTHING_POSTED, manual={paid.segments[0].id: D(-200)})
    result = computed(world(paid, posted=posted), [used("H", on(10, 3), 100)])
    assert by_name(result)["new paid 1 Nov"] == (700, 0, 0, 700, 0)


def test_what_goes_over_is_posted_and_on_no_line():
    _, october, _ = usage_documents(computed(world(one("paid", "1000")), [used("H", on(10, 3), 30)]))
    assert [(each.entry.type, each.billed) for each in finalized(october).entries] == [
        ("PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -30),
        ("PREPAID_COMMIT_ROLLOVER", 0),
    ]


def test_what_went_over_is_drawn_on_first_and_ends_with_the_new_contract():
    own = prepaid("50", RENEWAL, NEW_END, name="own", contract_id=uid("new"), priority=D(1))
    rest = one("paid", "100", fraction="0.4", priority=D(9))
    events = [used("H", on(10, 3), 10), used("H", on(11, 3), 60)]
    result = computed(world(rest, of_new=(own,)), events)
    _, _, november = usage_documents(result)
    assert [(entry.amount, entry.type) for entry in november.entries] == [
        (-40, "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"),
        (-20, "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"),
    ]
    (over,) = [each for each in result.balances if each.commit.rolled_over_from == rest.id]
    assert over.segment.period.ending_before == NEW_END
    assert (over.usable(AT), over.usable(on(10, 31)), over.usable(NEW_END)) == (0, 0, 0)


def test_where_the_new_contract_is_open_it_lasts_as_long_as_before():
    result = computed(world(one("paid", "100"), end=None))
    (over,) = [each for each in result.balances if each.commit.rolled_over_from]
    assert over.segment.period.ending_before == RENEWAL + (RENEWAL - OLD_START)


def test_before_the_renewal_nothing_goes_over():
    result = computed(world(one("paid", "100"), at=on(10, 31, 23)))
    assert by_name(result) == {"old paid 1 Sep": (100, 0, 0, 100, 100)}  # expired on 10 November, if nobody renews it
    (kept,) = result.balances
    assert (kept.usable(on(10, 31, 23)), kept.expired(on(10, 31, 23))) == (100, 0)


def test_without_a_fraction_nothing_goes_over():
    result = computed(world(one("none", "100", rollover_fraction=None), one("zero", "100", fraction="0")))
    assert sorted(by_name(result)) == ["old none 1 Sep", "old zero 1 Sep"]


@pytest.mark.parametrize("spent", [0, 30, 250])
def test_making_documents_final_moves_nothing(spent):
    """In whatever order: the new contract's November before the old one's October too."""
    events = [used("H", on(10, 3), 120), used("H", on(11, 3), spent)]
    kept = one("kept", "300", fraction="0.5")
    before = computed(world(kept, at=on(12, 3)), events)
    expected = {name: (each[0], each[2], each[3]) for name, each in by_name(before).items()}
    for order in ((0, 1, 2), (2, 0, 1), (0, 2, 1)):
        posted = NOTHING_POSTED
        for number in order:
            drafts = {each.slot: each for each in usage_documents(before)}
            slot = sorted(drafts)[number]
            now = computed(world(kept, posted=posted, at=on(12, 3)), events)
            (draft,) = [each for each in usage_documents(now) if each.slot == slot]
            posted = settled(posted, finalized(draft))
            found = by_name(computed(world(kept, posted=posted, at=on(12, 3)), events))
            assert {name: (each[0], each[2], each[3]) for name, each in found.items()} == expected


def test_usage_that_comes_late_to_the_old_contract_finds_what_the_new_one_has_not_drawn():
    kept = one("kept", "100")
    first = computed(world(kept), [used("H", on(11, 3), 70)])
    (november,) = [each for each in usage_documents(first) if each.period.starting_at == RENEWAL]
    posted = settled(NOTHING_POSTED, finalized(november))
    late = [used("H", on(10, 3), 80), used("H", on(11, 3), 70)]
    found = by_name(computed(world(kept, posted=posted), late))
    assert found["old kept 1 Sep"] == (100, 30, 70, 0, 0)
    assert found["new kept 1 Nov"] == (70, 0, 0, 0, 0)


def test_a_postpaid_rest_is_owed_under_the_new_contract():
    promise = one("promise", "1000", make=postpaid, fraction="0.6")
    events = [used("H", on(10, 3), 100), used("H", on(11, 3), 250)]
    result = computed(world(promise), events)
    true_ups = [(each.contract_id, each.issued_at, each.total) for each in result.documents if each.kind == "TRUE_UP"]
    # 900 are left: 600 go over, of which November counts 250, and 300 are due for the old contract.
    assert true_ups == [(uid("old"), RENEWAL, 300), (uid("new"), NEW_END, 350)]
    _, october, november = usage_documents(result)
    assert entries(october)[1:] == [("POSTPAID_COMMIT_ROLLOVER", -600, RENEWAL)]
    assert november.total == 250
    (_, new) = [each for each in result.documents if each.kind == "TRUE_UP"]
    assert set(new.waits_for) == {october.id, november.id}
    posted = settled(NOTHING_POSTED, finalized(october))
    assert posted.rolled_over == {promise.segments[0].id: 600}
    again = computed(world(promise, posted=posted), events)
    assert [each.total for each in again.documents if each.kind == "TRUE_UP"] == [300, 350]


def test_a_commitment_that_was_met_leaves_no_true_up_to_the_renewal():
    result = computed(world(one("promise", "100", make=postpaid)), [used("H", on(10, 3), 100)])
    assert [each.contract_id for each in result.documents if each.kind == "TRUE_UP"] == [uid("old")]


def test_rolled_over_postpaid_commits_come_before_what_is_paid():
    rest = [one("promise", "100", make=postpaid), one("paid", "50"), one("given", "20", make=credit, priority=D(1))]
    result = computed(world(*rest), [used("H", on(11, 3), 110)])
    assert [entry.type for entry in usage_documents(result)[2].entries] == [
        "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
        "CREDIT_AUTOMATED_INVOICE_DEDUCTION",
    ]


def test_a_contract_without_a_rate_card_hands_on_what_it_has():
    kept = commit("PREPAID", "100", OLD_START, RENEWAL, name="kept", **FOR_OLD)
    inputs = world(kept)
    new, old = inputs.terms.contracts
    terms = replace(inputs.terms, contracts=(new, replace(old, rate_card_id=None)))
    found = by_name(computed(replace(inputs, terms=terms), [used("H", on(11, 3), 30)]))
    assert found == {"old kept 1 Sep": (100, 0, 100, 0, 0), "new kept 1 Nov": (100, 30, 0, 70, 0)}


def final_before(**more):
    """Both periods of the old contract were final before it was renewed."""
    slots = {(uid("old"), "USAGE", f"2025-{month}-01T00:00:00+00:00") for month in ("09", "10")}
    return replace(NOTHING_POSTED, documents=frozenset(slots), **more)


def test_what_was_final_before_the_renewal_is_agreed_goes_over_with_its_first_document():
    kept = one("kept", "100")
    posted = final_before(drawn={kept.segments[0].id: D(30)})
    found = computed(world(kept, posted=posted), [used("H", on(10, 3), 30), used("H", on(11, 3), 50)])
    expected = {"old kept 1 Sep": (100, 0, 70, 0, 0), "new kept 1 Nov": (70, 50, 0, 20, 0)}
    assert by_name(found) == expected
    (november,) = usage_documents(found)
    assert entries(november) == [
        ("PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -50, on(12, 1)),
        ("PREPAID_COMMIT_ROLLOVER", -70, RENEWAL),
    ]
    posted = settled(posted, finalized(november))
    again = computed(world(kept, posted=posted, at=on(12, 3)), [used("H", on(12, 2), 5)])
    assert [each.rolled_over for each in again.balances] == [0, 70]
    assert [entry for each in usage_documents(again) for entry in entries(each) if "ROLLOVER" in entry[0]] == []


def test_a_commitment_whose_rest_was_billed_leaves_nothing_to_a_renewal_of_later():
    promise = one("promise", "100", make=postpaid)
    posted = final_before(drawn={promise.segments[0].id: D(30)}, trued_up={promise.id: D(70)})
    posted = replace(posted, documents=posted.documents | {(uid("old"), "TRUE_UP", str(promise.id))})
    found = computed(world(promise, posted=posted), [used("H", on(11, 3), 50)])
    (november,) = usage_documents(found)
    assert (november.total, november.entries) == (50, ())
    assert [each.rolled_over for each in found.balances] == [0, 0]


@pytest.mark.parametrize("month", ["09", "10"])
def test_while_a_document_of_the_old_contract_is_void_nothing_goes_over(month):
    kept = one("kept", "100")
    void = (uid("old"), "USAGE", f"2025-{month}-01T00:00:00+00:00")
    posted = replace(final_before(), waiting=frozenset({void}))
    found = computed(world(kept, posted=posted), [used("H", on(11, 3), 50)])
    (november,) = usage_documents(found)
    assert (november.total, november.entries) == (50, ())


def test_a_last_document_that_is_made_anew_leaves_what_the_renewal_has_taken_over():
    kept = one("kept", "100")
    (segment_,) = kept.segments
    posted = final_before(drawn={segment_.id: D(0)}, rolled_over={segment_.id: D(70)})
    october = (uid("old"), "USAGE", "2025-10-01T00:00:00+00:00")
    posted = replace(posted, documents=posted.documents - {october})
    found = computed(world(kept, posted=posted), [used("H", on(10, 3), 20), used("H", on(11, 3), 50)])
    assert by_name(found) == {"old kept 1 Sep": (100, 20, 80, 0, 0), "new kept 1 Nov": (80, 50, 0, 30, 0)}


def test_a_fee_up_to_the_renewal_is_not_the_last_document():
    """The fee of October has a document of its own, which ends where the contract does, and comes before October's."""
    seat = subscription(on(10, 1), (on(10, 1), 2))
    old = contract(OLD_START, RENEWAL, name="old", commits=[one("paid", "1000")], subscriptions=(seat,))
    new = contract(RENEWAL, NEW_END, name="new", renews=uid("old"))
    cards = [card(rate("H", "1"), rate("Seats", "20", billing_frequency="MONTHLY"))]
    documents = computed(given(AT, [new, old], cards, [product("H"), seats()])).documents
    moved = [(each.kind, each.slot, entries(each)[-1]) for each in documents if "ROLLOVER" in str(entries(each))]
    assert [each.slot for each in documents if each.kind == "CHARGES" and each.issued_at == on(10, 1)] != []
    assert moved == [("USAGE", "2025-10-01T00:00:00+00:00", ("PREPAID_COMMIT_ROLLOVER", -960, RENEWAL))]
