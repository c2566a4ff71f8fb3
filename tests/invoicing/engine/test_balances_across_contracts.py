"""Balances of the customer, those that were given, and what was posted by hand."""

from dataclasses import replace

import pytest

from invoicing.engine.rounding import finalized
from tests.invoicing.engine.world import (
    LATE_OCTOBER,
    NEW_YEAR,
    NOTHING_POSTED,
    NOVEMBER,
    OCTOBER,
    D,
    card,
    computed,
    contract,
    credit,
    given,
    on,
    postpaid,
    prepaid,
    product,
    rate,
    read,
    scheduled,
    settled,
    the_usage,
    uid,
    usage_documents,
    used,
)

NORTH, SOUTH, EAST = contracts = [contract(name=name, rate_card_id=uid(name)) for name in ("north", "south", "east")]
CARDS = [card(rate(name, "1"), name=name) for name in ("north", "south", "east")]
PRODUCTS = [product(name) for name in ("north", "south", "east")]
EACH_80 = [used(name, on(10, 2, hour), 10) for name in ("north", "south", "east") for hour in range(8)]


def drawn(result):
    return {document.contract_id: [entry.amount for entry in document.entries] for document in usage_documents(result)}


def shared(make=prepaid, amount: str = "100", *contract_names: str, **terms: object):
    named = frozenset(map(uid, contract_names))
    return make(amount, name="shared", contract_id=None, applicable_contract_ids=named, **terms)


def test_a_balance_of_the_customer_is_drawn_on_by_the_contracts_that_it_names():
    result = computed(
        given(LATE_OCTOBER, contracts, CARDS, PRODUCTS, commits=[shared(prepaid, "100", "north", "east")]), EACH_80
    )
    # 20 an hour by two contracts: five hours, half each.
    assert drawn(result) == {uid("north"): [-50], uid("south"): [], uid("east"): [-50]}


def test_where_it_names_none_all_of_them_draw():
    result = computed(given(LATE_OCTOBER, contracts, CARDS, PRODUCTS, commits=[shared(credit, "90")]), EACH_80)
    assert drawn(result) == {uid("north"): [-30], uid("south"): [-30], uid("east"): [-30]}


def test_it_is_billed_by_the_contract_that_is_named_for_it():
    items = (scheduled("60", on(10, 5)), scheduled("40", on(11, 5)))
    commit = shared(invoice_items=items, invoice_contract_id=uid("south"))
    documents = computed(given(LATE_OCTOBER, contracts, CARDS, PRODUCTS, commits=[commit])).documents
    billed = [(each.contract_id, each.issued_at, each.total) for each in documents if each.kind == "CHARGES"]
    assert billed == [(uid("south"), on(10, 5), 60), (uid("south"), on(11, 5), 40)]
    elsewhere = replace(commit, is_invoiced=False)
    documents = computed(given(LATE_OCTOBER, contracts, CARDS, PRODUCTS, commits=[elsewhere])).documents
    assert {each.kind for each in documents} == {"USAGE"}


def test_the_true_up_of_a_shared_commit_waits_for_all_who_count_toward_it():
    commit = shared(postpaid, "100", "north", "south", invoice_contract_id=uid("north"))
    result = computed(given(LATE_OCTOBER, contracts, CARDS, PRODUCTS, commits=[commit]), EACH_80[:12])
    (true_up,) = [document for document in result.documents if document.kind == "TRUE_UP"]
    assert (true_up.contract_id, true_up.issued_at, true_up.total) == (uid("north"), NEW_YEAR, 0)
    counting = [each for each in usage_documents(result) if each.contract_id != uid("east")]
    assert set(true_up.waits_for) == {document.id for document in counting}
    # Eight hours of north and four of south are 120: 100 of it count, all of it is to be paid.
    assert sum(document.total for document in counting) == 120


def test_a_credit_pays_and_is_posted_as_one():
    granted = credit("30", name="welcome")
    october = the_usage(
        computed(given(LATE_OCTOBER, [contract(commits=(granted,))], [card(rate("H", "10"))], [product("H")]),
                 [used("H", on(10, 2, 5), 5)])
    )  # fmt: skip
    assert read(october) == [
        ("H", "01 Oct - 01 Nov", "3", "10", "30", "CREDIT"),
        ("welcome", "01 Oct - 01 Nov", "", "", "-30", "CREDIT"),
        ("H", "01 Oct - 01 Nov", "2", "10", "20", ""),
    ]
    assert [(entry.type, entry.amount) for entry in october.entries] == [("CREDIT_AUTOMATED_INVOICE_DEDUCTION", -30)]
    assert october.total == 20


def test_what_a_credit_paid_is_rounded_with_the_balance_and_cancels():
    granted = credit("10.4", name="welcome")
    october = the_usage(
        computed(given(LATE_OCTOBER, [contract(commits=(granted,))], [card(rate("H", "1.3"))], [product("H")]),
                 [used("H", on(10, 2, 5), 10)])
    )  # fmt: skip
    assert finalized(october).totals == (10, -10, 3)


@pytest.mark.parametrize(("by_hand", "paid"), [("-60", 40), ("25", 80), ("-100", 0), ("-130", 0)])
def test_what_was_posted_by_hand_is_there_from_the_start(by_hand, paid):
    commit = prepaid("100")
    posted = replace(NOTHING_POSTED, manual={commit.segments[0].id: D(by_hand)})
    october = the_usage(
        computed(
            given(LATE_OCTOBER, [contract(commits=(commit,))], [card(rate("H", "10"))], [product("H")], posted=posted),
            [used("H", on(10, 2, 5), 8)],
        )
    )
    assert october.total == 80 - paid


def test_an_entry_by_hand_changes_what_is_missing_of_a_commitment():
    commit = postpaid("1000", name="promise")
    agreed = contract(commits=(commit,))
    events = [used("H", OCTOBER, "30.02"), used("H", NOVEMBER, "25.04")]
    at = on(11, 20)
    before = given(at, [agreed], [card(rate("H", "10"))], [product("H")])
    october, november = usage_documents(computed(before, events))
    assert (october.total, november.total) == (D("300.2"), D("250.4"))
    posted = settled(NOTHING_POSTED, finalized(october))
    assert posted.billed == {commit.id: 300}
    by_hand = replace(posted, manual={commit.segments[0].id: D(-100)})
    for known, missing in ((posted, "449.6"), (by_hand, "349.6")):
        documents = computed(replace(before, posted=known), events).documents
        assert [each.total for each in documents if each.kind == "TRUE_UP"] == [D(missing)]
