"""Scheduled amounts on usage documents: the tables of `docs/scheduled_charges.md`."""

from dataclasses import replace

import pytest

from contracts.consolidation import usage_period_on
from contracts.terms import ScheduledCharge
from invoicing.engine.inputs import Posted
from tests.invoicing.engine.world import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    USD,
    card,
    computed,
    contract,
    fixed,
    given,
    on,
    prepaid,
    product,
    rate,
    scheduled,
    uid,
    used,
)

ENDS = on(12, 15, 10)
ITEMS = {
    amount: scheduled(amount, at)
    for amount, at in [
        ("500", on(10, 1, 9)), ("10", on(11, 1, 9)), ("20", on(11, 10, 9)), ("40", on(12, 1, 9)), ("80", on(12, 15, 9))
    ]
}  # fmt: skip
SEVEN = scheduled("7", on(11, 1, 10))
ACME = uid("Acme")
OCTOBERS = (ACME, "USAGE", OCTOBER.isoformat())


def documents(at, *more, posted=None, **terms):
    charge = ScheduledCharge(uid("support"), uid("Support"), "", USD, (*ITEMS.values(), *more))
    deal = contract(end=ENDS, charges=(charge,), charges_on_usage=True, **terms)
    told = {} if posted is None else {"posted": posted}
    inputs = given(at, [deal], [card(rate("Calls", "10"))], [product("Calls"), fixed("Support")], **told)
    found = computed(inputs, [used("Calls", on(10, 20), 3)]).documents
    return [(each.kind, each.issued_at, [int(line.total) for line in each.lines if line.total]) for each in found]


def settled(*slots, charged=()):
    return Posted(frozenset(slots), {}, {}, charged={ITEMS[amount].id: slot for amount, slot in charged})


def test_an_item_is_on_the_usage_document_that_ends_on_its_day():
    assert documents(on(12, 20)) == [
        ("CHARGES", on(10, 1, 9), [500]),
        ("USAGE", NOVEMBER, [30, 10]),
        ("CHARGES", on(11, 10, 9), [20]),
        ("USAGE", DECEMBER, [40]),
        ("USAGE", ENDS, [80]),
    ]


def test_until_that_period_has_begun_it_is_a_draft_of_its_own():
    assert documents(on(10, 5)) == [
        ("CHARGES", on(10, 1, 9), [500]),
        ("USAGE", NOVEMBER, [30, 10]),
        ("CHARGES", on(11, 10, 9), [20]),
        ("CHARGES", on(12, 1, 9), [40]),
        ("CHARGES", on(12, 15, 9), [80]),
    ]


@pytest.mark.parametrize(
    ("posted", "expected"),
    [
        pytest.param(None, [("USAGE", [30, 10, 7])], id="agreed while October is open"),
        pytest.param(
            settled(OCTOBERS, charged=[("10", OCTOBERS)]), [("CHARGES", [7])], id="agreed when October is final"
        ),
        pytest.param(
            settled((ACME, "CHARGES", "2025-11-01T10:00:00+00:00"), charged=[("10", OCTOBERS)]),
            [("USAGE", [30, 10])],
            id="October is made anew once the other is billed",
        ),
        pytest.param(
            settled(charged=[("10", (uid("Beta"), "USAGE", OCTOBER.isoformat()))]),
            [("USAGE", [30, 7])],
            id="billed by another contract, before an edit gave it to this one",
        ),
    ],
)
def test_what_was_billed_is_billed_nowhere_else(posted, expected):
    found = documents(on(11, 3), SEVEN, posted=posted)
    assert [(kind, lines) for kind, issued_at, lines in found if issued_at in (NOVEMBER, SEVEN.issued_at)] == expected


def test_an_end_that_is_moved_before_what_was_billed_bills_nothing_twice():
    november = (ACME, "USAGE", NOVEMBER.isoformat())
    posted = settled(OCTOBERS, november, charged=[("10", OCTOBERS), ("40", november)])
    deal = contract(
        end=on(11, 20),
        charges=(ScheduledCharge(uid("support"), uid("Support"), "", USD, (ITEMS["10"], ITEMS["40"])),),
        charges_on_usage=True,
    )
    catalog = [card(rate("Calls", "10"))], [product("Calls"), fixed("Support")]
    assert computed(given(on(12, 5), [deal], *catalog, posted=posted)).documents == ()


def test_a_payment_for_a_commit_is_on_it_too_and_says_what_it_is_of():
    bought = prepaid("1000", invoice_items=(ITEMS["10"],))
    deal = contract(commits=(bought,), charges_on_usage=True)
    (document,) = computed(given(on(10, 5), [deal], [card(rate("Calls", "10"))], [product("Calls")])).documents
    line = document.lines[-1]
    assert (line.type, line.commit_id, line.item_id) == ("commit_purchase", bought.id, ITEMS["10"].id)
    assert (document.total, document.total_of_usage) == (10, 0)


def test_a_payment_that_access_waits_for_is_on_a_document_of_its_own():
    bought = prepaid("1000", invoice_items=(replace(ITEMS["10"], is_alone=True),))
    deal = contract(commits=(bought,), charges_on_usage=True)
    usage, payment = computed(given(on(10, 5), [deal], [card(rate("Calls", "10"))], [product("Calls")])).documents
    assert (usage.kind, usage.total) == ("USAGE", 0)
    assert (payment.kind, payment.issued_at, payment.total) == ("CHARGES", on(11, 1, 9), 10)


@pytest.mark.parametrize(
    ("terms", "issued_at", "starts"),
    [
        ({}, on(11, 1), OCTOBER),
        ({}, on(11, 1, 23), OCTOBER),
        ({}, on(10, 31, 23), None),
        ({}, on(10, 1, 9), None),
        ({"end": ENDS}, on(12, 15), DECEMBER),
        ({"end": ENDS}, on(12, 16), None),
        ({"end": None}, on(1, 1, year=2030), on(12, 1, year=2029)),
        ({"end": on(11, 1, 10)}, on(11, 1, 12), OCTOBER),  # two end on that day
        ({"frequency": "WEEKLY", "billing_anchor_at": on(10, 3, 6)}, on(10, 10), on(10, 3, 6)),
        ({"invoicing_starts_at": on(11, 1)}, on(11, 1, 9), None),
        ({"invoicing_starts_at": on(11, 10)}, on(12, 1, 9), on(11, 10)),
        ({"rate_card_id": None}, on(11, 1), None),
        ({"charges_on_usage": False}, on(11, 1), None),
    ],
)
def test_which_period_ends_on_a_day(terms, issued_at, starts):
    deal = contract(**{"charges_on_usage": True, **terms})
    found = usage_period_on(deal, issued_at)
    assert (found.starting_at if found else None) == starts
    assert usage_period_on(replace(deal, charges_on_usage=False), issued_at) is None
