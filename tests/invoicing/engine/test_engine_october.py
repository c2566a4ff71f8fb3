"""The story of the demo: five products, one edit, and what the documents say before and after it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine.documents import Document, Entry, Line
from invoicing.engine.inputs import Inputs
from invoicing.engine.rounding import finalized
from pricing.engine.catalog import Conversion
from tests.invoicing.engine.world import (
    HOUR,
    LATE_OCTOBER,
    NEW_YEAR,
    NOTHING_POSTED,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
    Event,
    card,
    computed,
    contract,
    given,
    on,
    override,
    plain,
    postpaid,
    product,
    rate,
    read,
    settled,
    target,
    the_usage,
    uid,
    usage_documents,
    used,
)

TOKENS = Conversion(D(1_000_000), "DIVIDE")
PRODUCTS = [product("API calls"), *(product(name, conversion=TOKENS) for name in ("small", "medium", "large", "xl"))]
PRICES = card(
    rate("API calls", "0.2"), rate("small", "50"), rate("medium", "300"), rate("large", "1500"), rate("xl", "4000")
)
MILLION = 1_000_000
QUANTITIES = {  # before the 15th, and from then on
    "API calls": (400_000, 600_000),
    "small": (1_600 * MILLION, 2_400 * MILLION),
    "medium": (1_200 * MILLION, 1_800 * MILLION),
    "large": (520 * MILLION, 680 * MILLION),
    "xl": (200 * MILLION, 300 * MILLION),
}
FIFTEENTH = on(10, 15)


def spread(name: str, quantity: int, start, end) -> list[Event]:
    """Over all hours, with the exact total."""
    hours = int((end - start) / HOUR)
    each, rest = divmod(quantity, hours)
    return [used(name, start + hour * HOUR, each + (hour < rest)) for hour in range(hours)]


OCTOBER_USAGE = [
    event
    for name, (before, after) in QUANTITIES.items()
    for event in spread(name, before, OCTOBER, FIFTEENTH) + spread(name, after, FIFTEENTH, NOVEMBER)
]

HALF_OFF = override(
    "0.5", period=Period(FIFTEENTH), targets=tuple(target(name) for name in QUANTITIES), added_by_edit=2
)
COMMITMENT = postpaid("10000000", name="Commitment until year end")


def story(at=LATE_OCTOBER, *, edited: bool = True, commitment=COMMITMENT, posted=NOTHING_POSTED) -> Inputs:
    terms = {"overrides": (HALF_OFF,), "commits": (commitment,)} if edited else {}
    return given(at, [contract(**terms)], [PRICES], PRODUCTS, posted=posted)


def test_before_the_edit():
    result = computed(story(edited=False), OCTOBER_USAGE)
    assert read(the_usage(result)) == [
        ("API calls", "01 Oct - 01 Nov", "1,000,000", "0.2", "200,000", ""),
        ("small", "01 Oct - 01 Nov", "4,000", "50", "200,000", ""),
        ("medium", "01 Oct - 01 Nov", "3,000", "300", "900,000", ""),
        ("large", "01 Oct - 01 Nov", "1,200", "1,500", "1,800,000", ""),
        ("xl", "01 Oct - 01 Nov", "500", "4,000", "2,000,000", ""),
    ]
    assert the_usage(result).total == 5_100_000
    assert len(result.documents) == 1


def test_after_the_edit_there_are_two_unit_prices_a_product_and_a_true_up():
    usage, true_up = computed(story(), OCTOBER_USAGE).documents
    assert read(usage) == [
        line
        for name, window, quantity, price, total in [
            ("API calls", "01 Oct - 15 Oct", "400,000", "0.2", "80,000"),
            ("API calls", "15 Oct - 01 Nov", "600,000", "0.1", "60,000"),
            ("small", "01 Oct - 15 Oct", "1,600", "50", "80,000"),
            ("small", "15 Oct - 01 Nov", "2,400", "25", "60,000"),
            ("medium", "01 Oct - 15 Oct", "1,200", "300", "360,000"),
            ("medium", "15 Oct - 01 Nov", "1,800", "150", "270,000"),
            ("large", "01 Oct - 15 Oct", "520", "1,500", "780,000"),
            ("large", "15 Oct - 01 Nov", "680", "750", "510,000"),
            ("xl", "01 Oct - 15 Oct", "200", "4,000", "800,000"),
            ("xl", "15 Oct - 01 Nov", "300", "2,000", "600,000"),
        ]
        for line in [
            (name, window, quantity, price, total, "POSTPAID"),
            ("Commitment until year end", window, "", "", f"-{total}", "POSTPAID, not added"),
        ]
    ]
    assert usage.total == 3_600_000
    assert [(entry.type, entry.amount, entry.timestamp) for entry in usage.entries] == [
        ("POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", -3_600_000, NOVEMBER)
    ]
    assert (true_up.kind, true_up.type, true_up.issued_at, true_up.total) == (
        "TRUE_UP",
        "SCHEDULED",
        NEW_YEAR,
        6_400_000,
    )
    assert read(true_up) == [("Commitment until year end: true-up", "", "1", "6,400,000", "6,400,000", "POSTPAID")]
    assert true_up.waits_for == (usage.id,)


def test_a_true_up_in_full():
    """Its id is known to whoever has read it, so it may not change."""
    usage, true_up = computed(story(), OCTOBER_USAGE).documents
    commitment = uid("Commitment until year end")
    line = Line(
        type="commit_purchase",
        name="Commitment until year end: true-up",
        total=D(6_400_000),
        unit=USD,
        product_id=uid("Commitment"),
        product_type="FIXED",
        quantity=D(1),
        unit_price=D(6_400_000),
        commit_id=commitment,
        commit_type="POSTPAID",
        postpaid_commit_id=commitment,
    )
    assert true_up == Document(
        id=UUID("95448856-3134-56ad-b5b0-d09a8e0a15f2"),
        contract_id=uid("Acme"),
        kind="TRUE_UP",
        slot=str(commitment),
        type="SCHEDULED",
        period=None,
        issued_at=NEW_YEAR,
        finalizes_at=NEW_YEAR,
        unit=USD,
        lines=(line,),
        total=D(6_400_000),
        entries=(Entry("POSTPAID_COMMIT_TRUEUP", commitment, None, D(-6_400_000), NEW_YEAR),),
        waits_for=(usage.id,),
    )


def test_a_true_up_of_a_commitment_without_a_name_has_that_of_its_product():
    nameless = replace(postpaid("10000000"), name="")
    _, true_up = computed(story(commitment=nameless), OCTOBER_USAGE).documents
    assert [line.name for line in true_up.lines] == ["Commitment: true-up"]


def test_with_access_from_the_15th_only_the_discounted_half_counts():
    from_15th = postpaid("10000000", FIFTEENTH, NEW_YEAR)
    usage, true_up = computed(story(commitment=from_15th), OCTOBER_USAGE).documents
    assert usage.total == 3_600_000
    assert true_up.total == 8_500_000


def test_the_line_knows_how_it_came_about():
    usage, _ = computed(story(), OCTOBER_USAGE).documents
    (part,) = usage.lines[10].parts
    assert (usage.lines[10].name, part.metric_quantity, part.quantity, part.amount) == (
        "medium",
        1_800 * MILLION,
        1_800,
        270_000,
    )
    assert (part.list_price, part.unit_price, part.override_id) == (300, 150, HALF_OFF.id)
    assert (part.rate_id, part.publication, part.published_by) == (PRICES.rates[2].id, 1, "the price team")
    assert (part.segment_id, part.losing_overrides) == (COMMITMENT.segments[0].id, ())


def test_the_draft_is_there_before_any_usage():
    usage, true_up = computed(story(at=OCTOBER)).documents
    assert read(usage) == [
        ("API calls", "01 Oct - 01 Nov", "0", "0.2", "0", ""),
        ("small", "01 Oct - 01 Nov", "0", "50", "0", ""),
        ("medium", "01 Oct - 01 Nov", "0", "300", "0", ""),
        ("large", "01 Oct - 01 Nov", "0", "1,500", "0", ""),
        ("xl", "01 Oct - 01 Nov", "0", "4,000", "0", ""),
    ]
    assert (usage.total, true_up.total) == (0, 10_000_000)
    assert usage.finalizes_at == on(11, 2)


def test_the_true_up_is_there_before_the_contract_begins():
    (true_up,) = computed(story(at=on(9, 20))).documents
    assert (true_up.kind, true_up.total, true_up.waits_for) == ("TRUE_UP", 10_000_000, ())


NOVEMBER_USAGE = spread("xl", 3_000 * MILLION, NOVEMBER, on(12, 1))


def test_october_in_grace_draws_before_november():
    """November would cost 6,000,000: of the commitment 6,400,000 are left for it."""
    october, november, true_up = computed(story(at=on(11, 1, 12)), OCTOBER_USAGE + NOVEMBER_USAGE).documents
    assert (october.total, november.total, true_up.total) == (3_600_000, 6_000_000, 400_000)
    assert true_up.waits_for == (october.id, november.id)


def test_final_october_is_gone_and_november_goes_on_from_what_it_drew():
    result = computed(story(at=on(11, 1, 12)), OCTOBER_USAGE + NOVEMBER_USAGE)
    october, november = usage_documents(result)
    posted = settled(NOTHING_POSTED, finalized(october))
    later = computed(story(at=on(11, 2), posted=posted), OCTOBER_USAGE + NOVEMBER_USAGE)
    assert later.documents == (november, replace(result.documents[-1], waits_for=(november.id,)))


def test_a_true_up_that_is_final_is_gone():
    posted = replace(NOTHING_POSTED, documents=frozenset({(uid("Acme"), "TRUE_UP", str(COMMITMENT.id))}))
    assert [document.kind for document in computed(story(posted=posted), OCTOBER_USAGE).documents] == ["USAGE"]


def test_an_overfulfilled_commitment_leaves_a_true_up_of_zero():
    small = postpaid("3000000")
    usage, true_up = computed(story(commitment=small), OCTOBER_USAGE).documents
    assert (usage.total, true_up.total) == (3_600_000, 0)
    covered = sum(line.total for line in usage.lines if line.type == "usage" and line.commit_id)
    assert plain(covered) == "3,000,000"


def test_ids_stay_the_same_whatever_is_known():
    before = the_usage(computed(story(edited=False)))
    after = the_usage(computed(story(), OCTOBER_USAGE))
    assert before.id == after.id


@pytest.mark.parametrize(("created", "due"), [(on(9, 1), on(11, 2)), (on(12, 24, 7), on(12, 25, 7))], ids=str)
def test_grace_runs_from_the_later_of_period_end_and_creation(created, due):
    late = contract(OCTOBER, NOVEMBER, created_at=created)
    assert the_usage(computed(given(on(12, 24, 8), [late], [PRICES], PRODUCTS))).finalizes_at == due


def test_the_true_up_is_due_when_what_it_waits_for_is():
    documents = computed(story(at=on(1, 1, 5, year=2026)), OCTOBER_USAGE).documents
    true_up = documents[-1]
    assert (true_up.kind, true_up.issued_at) == ("TRUE_UP", NEW_YEAR)
    assert true_up.finalizes_at == NEW_YEAR + timedelta(hours=24)
    assert len(true_up.waits_for) == 3


def test_the_true_up_does_not_outrun_the_grace_of_a_period_that_has_no_document_yet():
    """Nothing was used so far and nothing is listed at zero; an event of December may still come in."""
    by_model = product("Tokens", pricing_group_key=("model",))
    agreed = contract(commits=(COMMITMENT,))
    inputs = given(NEW_YEAR, [agreed], [card(rate("Tokens", "1", values=(("model", "xl"),)))], [by_model])
    (true_up,) = computed(inputs).documents
    assert (true_up.kind, true_up.waits_for) == ("TRUE_UP", ())
    assert true_up.finalizes_at == NEW_YEAR + timedelta(hours=24)
