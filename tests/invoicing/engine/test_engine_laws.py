"""What holds for every bill, whatever the terms and the usage."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_site.foundation.money import QUANTUM, exact_sum
from billing_site.foundation.periods import Period
from contracts.terms import ClaimWindow
from invoicing.engine.assemble import usage_document
from invoicing.engine.documents import Document
from invoicing.engine.drafts import usage_drafts
from invoicing.engine.exact import EXACT
from invoicing.engine.findings import findings
from invoicing.engine.inputs import Inputs, Usage
from invoicing.engine.rounding import finalized
from invoicing.engine.walk import plan, walk
from pricing.engine.catalog import Conversion, Rounding
from pricing.engine.targets import Target
from pricing.engine.tariffs import flat
from tests.invoicing.engine.oracle import Oracle
from tests.invoicing.engine.world import (
    HOUR,
    NOTHING_POSTED,
    D,
    Event,
    Ledger,
    card,
    commit,
    computed,
    contract,
    given,
    on,
    override,
    product,
    rate,
    settled,
    target,
    uid,
    usage_documents,
    used,
)

START = on(10, 6)  # a Monday
HOURS = 10 * 24  # a week and three days: two billing periods
END = START + HOURS * HOUR
AFTER = END - HOUR

MODELS = ["s", "m", None]
PRODUCTS = [
    product("plain"),
    product("model", pricing_group_key=("model",), presentation_group_key=("region",)),
    product("thirds", conversion=Conversion(D(3), "DIVIDE")),
    product("boxes", conversion=Conversion(D("0.4"), "MULTIPLY"), rounding=Rounding(0, "ROUND_UP")),
]


@st.composite
def hours(draw, first: int = 0, last: int = HOURS) -> datetime:
    return START + draw(st.integers(first, last)) * HOUR


@st.composite
def windows(draw) -> tuple[datetime, datetime]:
    first = draw(st.integers(0, HOURS - 1))
    return START + first * HOUR, START + draw(st.integers(first + 1, HOURS)) * HOUR


def numbers(low: str, high: str, places: int):
    return st.decimals(D(low), D(high), places=places, allow_nan=False, allow_infinity=False)


prices = numbers("0", "20", 2)


@st.composite
def price_lists(draw):
    rates = [rate("plain", "7"), rate("thirds", "5"), rate("boxes", "3")]
    rates += [rate("model", "4", values=(("model", "s"),)), rate("model", "9", values=(("model", "m"),))]
    for publication in range(2, 2 + draw(st.integers(0, 4))):
        earlier = draw(st.sampled_from(rates))
        start, end = draw(windows())
        change = {"starting_at": start, "publication": publication, "tariff": flat(draw(prices))}
        change["ending_before"] = draw(st.sampled_from([None, end]))
        change["entitled"] = draw(st.sampled_from([True, True, True, False]))
        rates.append(replace(earlier, id=uid(f"rate {publication}"), **change))
    return card(*rates)


def targets():
    products = [target(name) for name in ("plain", "model", "thirds")]
    return st.sampled_from([Target(), *products, Target(pricing_group_values=(("model", "m"),))]).map(
        lambda one: (one,)
    )


@st.composite
def overrides(draw):
    found = []
    for position in range(draw(st.integers(0, 3))):
        kind = draw(
            st.sampled_from(
                [{"multiplier": "0.5"}, {"multiplier": "1.25"}, {"tariff": flat(D("2.5"))}, {"entitled": True}]
            )
        )
        found.append(override(**kind, period=Period(*draw(windows())), targets=draw(targets()), position=position))
    return tuple(found)


@st.composite
def commits(draw):
    found = []
    for priority in range(draw(st.integers(0, 3))):
        type_ = draw(st.sampled_from(["PREPAID", "POSTPAID"]))
        amount = str(draw(numbers("0.01", "400", 2)))
        terms = {"name": f"commit {priority}", "priority": D(priority), "targets": draw(st.just(()) | targets())}
        found.append(commit(type_, amount, *draw(windows()), **terms))
    return tuple(found)


@st.composite
def usage(draw, low: str = "0"):
    quantities = numbers(low, "12", 1)
    events = []
    for _ in range(draw(st.integers(0, 25))):
        name = draw(st.sampled_from(["plain", "model", "thirds"]))
        at = draw(hours(last=HOURS - 1))
        values = {}
        if name == "model":
            values = {"model": draw(st.sampled_from(MODELS)), "region": draw(st.sampled_from(["eu", "us"]))}
        events.append(used(name, at, str(draw(quantities)), **values))
    return events


@st.composite
def worlds(draw) -> Inputs:
    terms = {"overrides": draw(overrides()), "commits": draw(commits())}
    agreed = contract(START, END, frequency="WEEKLY", billing_anchor_at=START, **terms)
    return given(AFTER, [agreed], [draw(price_lists())], PRODUCTS)


def lines_by_payer(documents: list[Document]) -> dict[tuple[str, str | None], list[Decimal]]:
    names = {uid(f"commit {number}"): f"commit {number}" for number in range(9)}
    found: dict[tuple[str, str | None], list[Decimal]] = defaultdict(lambda: [D(0), D(0)])
    for line in (line for document in documents for line in document.lines if line.type == "usage" and line.quantity):
        found[line.name, names.get(line.commit_id)][0] += line.total
        found[line.name, names.get(line.commit_id)][1] += line.quantity
    return found


@settings(max_examples=120, deadline=None)
@for_all(worlds(), usage())
def test_the_bill_is_that_of_a_slow_walk_written_apart(inputs, events):
    documents = usage_documents(computed(inputs, events))
    oracle = Oracle(inputs, inputs.terms.contracts[0]).walk(events)
    found = lines_by_payer(documents)
    close = 20 * Fraction(QUANTUM)
    for key in found.keys() | oracle.bill.keys():
        for number, expected in zip(found[key], oracle.bill[key], strict=True):
            assert abs(Fraction(number) - expected) < close, key
    unbilled = sum((finding.quantity for document in documents for finding in document.findings), D(0))
    assert unbilled == sum(oracle.unbilled.values(), Fraction(0))


def walked(inputs: Inputs, events: list[Event], *, hour_by_hour: bool) -> list[Document | None]:
    planned, ledger = plan(inputs), Ledger(events)
    known = Usage(ledger.slices(planned), {slice_: ledger.hours(slice_) for slice_ in planned.slices})
    with localcontext(EXACT):
        drafts = usage_drafts(inputs)
        walk(drafts, planned.slices, known, hour_by_hour=hour_by_hour)
        return [usage_document(draft, inputs.catalog, findings(draft)) for draft in drafts]


@settings(max_examples=80, deadline=None)
@for_all(worlds(), usage(), st.lists(st.tuples(hours(last=HOURS - 1), numbers("0", "9", 1))))
def test_the_short_cut_comes_to_what_the_hours_come_to(inputs, events, boxes):
    events = events + [used("boxes", at, str(quantity)) for at, quantity in boxes]
    assert walked(inputs, events, hour_by_hour=False) == walked(inputs, events, hour_by_hour=True)


@settings(max_examples=80, deadline=None)
@for_all(worlds(), usage("-6"), st.lists(windows(), min_size=1, max_size=3))
def test_a_cut_that_no_usage_meets_changes_nothing(inputs, events, cuts):
    (agreed,), (prices_,) = inputs.terms.contracts, inputs.catalog.rate_cards.values()
    idle = product("idle", pricing_group_key=("model",))
    of_idle = [rate("idle", "1", values=(("model", "s"),), starting_at=start, ending_before=end) for start, end in cuts]
    more = [override("0.5", period=Period(*cut), targets=(target("idle"),), position=9) for cut in cuts]
    kept = [
        commit("PREPAID", "50", start, end, name=f"idle {start} {end}", targets=(target("idle"),), priority=D(-1))
        for start, end in cuts
    ]
    agreed = replace(agreed, overrides=(*agreed.overrides, *more), commits=(*agreed.commits, *kept))
    cut_world = given(
        AFTER,
        [agreed],
        [card(*prices_.rates, *of_idle)],
        [*PRODUCTS, idle],
        claims=[ClaimWindow("another subject", *cut) for cut in cuts],
    )
    assert usage_documents(computed(cut_world, events)) == usage_documents(computed(inputs, events))


@settings(max_examples=50, deadline=None)
@for_all(worlds(), usage("-6"), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(inputs, events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert computed(inputs, shuffled) == computed(inputs, events)


@settings(max_examples=80, deadline=None)
@for_all(worlds(), usage("-6"), st.lists(st.tuples(hours(last=HOURS - 1), numbers("-9", "9", 1))))
def test_documents_add_up_and_no_balance_is_overdrawn(inputs, events, boxes):
    events = events + [used("boxes", at, str(quantity)) for at, quantity in boxes]
    documents = usage_documents(computed(inputs, events))
    drawn: dict[object, Decimal] = defaultdict(Decimal)
    for document in documents:
        assert document.total == exact_sum([line.total for line in document.lines if line.counts])
        for entry in document.entries:
            covered = [line for line in document.lines if line.segment_id == entry.segment_id]
            assert exact_sum([line.total for line in covered if line.type == "usage"]) == -entry.amount > 0
            assert exact_sum([line.total for line in covered if line.type != "usage"]) == entry.amount
            drawn[entry.segment_id] -= entry.amount
        for line in (line for line in document.lines if line.parts):
            assert exact_sum([part.amount for part in line.parts]) == line.total >= 0
            assert exact_sum([part.quantity for part in line.parts]) == line.quantity > 0
            for part in line.parts:
                assert line.period.overlap(part.period) == part.period
    amounts = {part.id: part.amount for each in inputs.terms.contracts[0].commits for part in each.segments}
    for segment_id, amount in drawn.items():
        assert amount <= amounts[segment_id]


@settings(max_examples=50, deadline=None)
@for_all(worlds(), usage())
def test_all_that_was_metered_is_on_a_line_or_in_a_finding(inputs, events):
    documents = usage_documents(computed(inputs, events))
    billed = [part.metric_quantity for document in documents for line in document.lines for part in line.parts]
    found = [finding.quantity for document in documents for finding in document.findings]
    assert exact_sum([*billed, *found]) == exact_sum([event.quantity for event in events])


@settings(max_examples=60, deadline=None)
@for_all(worlds(), usage())
def test_making_a_document_final_does_not_change_the_next_draft(inputs, events):
    before = usage_documents(computed(inputs, events))
    if len(before) < 2:
        return
    posted = settled(NOTHING_POSTED, finalized(before[0]))
    assert usage_documents(computed(replace(inputs, posted=posted), events)) == before[1:]


@settings(max_examples=50, deadline=None)
@for_all(worlds(), usage(), numbers("0", "1", 2))
def test_without_balances_a_cheaper_price_never_raises_a_bill(inputs, events, factor):
    (prices_,) = inputs.catalog.rate_cards.values()
    alone = replace(inputs.terms.contracts[0], commits=())
    cheaper = card(*(replace(each, tariff=flat(each.tariff.price * factor)) for each in prices_.rates))
    dear, cheap = (computed(given(AFTER, [alone], [each], PRODUCTS), events) for each in (prices_, cheaper))
    assert sum(d.total for d in usage_documents(cheap)) <= sum(d.total for d in usage_documents(dear))


@settings(max_examples=20, deadline=None)
@for_all(st.integers(1, 23), st.integers(0, 30))
def test_any_hour_may_be_a_cut(hour, day):
    """A price change in any hour splits the usage exactly there."""
    cut = START + timedelta(days=day % 9, hours=hour)
    prices_ = card(rate("plain", "1"), rate("plain", "100", starting_at=cut, publication=2))
    agreed = contract(START, END, frequency="WEEKLY", billing_anchor_at=START)
    events = [used("plain", START + number * HOUR, 1) for number in range(HOURS)]
    documents = usage_documents(computed(given(AFTER, [agreed], [prices_], PRODUCTS[:1]), events))
    before = int((cut - START) / HOUR)
    assert sum(document.total for document in documents) == before + 100 * (HOURS - before)
