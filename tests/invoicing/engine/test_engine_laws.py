"""What holds for every bill, whatever the terms and the usage."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_site.foundation.money import QUANTUM, exact_sum
from billing_site.foundation.periods import Period
from contracts.terms import ClaimWindow, Contract
from invoicing.engine.documents import Document
from invoicing.engine.inputs import Inputs
from invoicing.engine.rounding import finalized
from ledger.used import Used
from pricing.engine.catalog import Conversion, Rounding
from pricing.engine.overrides import MultiplierTier
from pricing.engine.tariffs import Tariff, Tier, flat
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
    computed_from,
    contract,
    given,
    override,
    product,
    rate,
    settled,
    target,
    uid,
    usage_documents,
    used,
)
from tests.invoicing.engine.worlds import (
    AFTER,
    END,
    HOURS,
    PRODUCTS,
    START,
    hours,
    numbers,
    price_lists,
    tariffs,
    usage,
    weekly,
    windows,
    worlds,
)


def lines_by_payer(documents: list[Document]) -> dict[tuple[str, str | None], list[Decimal]]:
    names = {uid(f"commit {number}"): f"commit {number}" for number in range(9)}
    found: dict[tuple[str, str | None], list[Decimal]] = defaultdict(lambda: [D(0), D(0)])
    for line in (line for document in documents for line in document.lines):
        if line.type in ("usage", "cpu_conversion"):
            found[line.name, names.get(line.commit_id)][0] += line.total
            found[line.name, names.get(line.commit_id)][1] += line.quantity
    return found


@settings(max_examples=120)
@for_all(worlds(), usage())
def test_the_bill_is_that_of_a_slow_walk_written_apart(inputs, events):
    documents = usage_documents(computed(inputs, events))
    oracle = Oracle(inputs, inputs.terms.contracts[0]).walk(events)
    found = lines_by_payer(documents)
    close = 60 * Fraction(QUANTUM)
    for key in found.keys() | oracle.bill.keys():
        for number, expected in zip(found[key], oracle.bill[key], strict=True):
            assert abs(Fraction(number) - expected) < close, key
    unbilled = sum((finding.quantity for document in documents for finding in document.findings), D(0))
    assert unbilled == sum(oracle.unbilled.values(), Fraction(0))


class HourByHour(Ledger):
    """Says of everything that it may be below zero, so that every hour is looked at."""

    def _sums(self, events: Iterable[Event]) -> Used:
        used = super()._sums(events)
        return replace(used, has_negative=bool(used.quantities))


@settings(max_examples=80)
@for_all(worlds(), usage("-6"))
def test_the_short_cut_comes_to_what_the_hours_come_to(inputs, events):
    assert computed(inputs, events) == computed_from(inputs, HourByHour(events))


@settings(max_examples=80)
@for_all(worlds(), usage("-6"), st.lists(windows(), min_size=1, max_size=3))
def test_a_cut_that_no_usage_meets_changes_nothing(inputs, events, cuts):
    (agreed,), (prices_,) = inputs.terms.contracts, inputs.catalog.rate_cards.values()
    idle = product("idle", pricing_group_key=("model",))
    of_idle = [rate("idle", "1", values=(("model", "s"),), starting_at=start, ending_before=end) for start, end in cuts]
    more = [override("0.5", period=Period(*cut), targets=(target("idle"),), position=9, priority=D(1)) for cut in cuts]
    kept = [
        commit("PREPAID", "50", start, end, name=f"idle {start} {end}", targets=(target("idle"),), priority=D(-1))
        for start, end in cuts
    ]
    agreed = replace(agreed, overrides=(*agreed.overrides, *more), commits=(*agreed.commits, *kept))
    cut_world = given(
        AFTER,
        [agreed],
        [card(*prices_.rates, *of_idle, credits_at="1.5")],
        [*PRODUCTS, idle],
        claims=[ClaimWindow("another subject", *cut) for cut in cuts],
    )
    assert usage_documents(computed(cut_world, events)) == usage_documents(computed(inputs, events))


@settings(max_examples=50)
@for_all(worlds(), usage("-6"), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(inputs, events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert computed(inputs, shuffled) == computed(inputs, events)


@settings(max_examples=80)
@for_all(worlds(), usage("-6"))
def test_documents_add_up_and_no_balance_is_overdrawn(inputs, events):
    documents = usage_documents(computed(inputs, events))
    drawn: dict[object, Decimal] = defaultdict(Decimal)
    for document in documents:
        assert document.total == exact_sum([line.total for line in document.lines if line.counts])
        for entry in document.entries:
            applied = [line for line in document.lines if line.segment_id == entry.segment_id and not line.parts]
            units = [line.quantity_consumed for line in applied if line.quantity_consumed is not None]
            assert (-exact_sum(units) if units else exact_sum([line.total for line in applied])) == entry.amount < 0
            drawn[entry.segment_id] -= entry.amount
        for covered, applied in pairwise(document.lines):
            if applied.type == "applied_commit_or_credit":
                assert (applied.total, applied.unit, applied.commit_id) == (
                    -covered.total,
                    covered.unit,
                    covered.commit_id,
                )
        for line in (line for line in document.lines if line.parts):
            assert exact_sum([part.amount for part in line.parts]) == line.total >= 0
            assert exact_sum([part.quantity for part in line.parts]) == line.quantity >= 0
            for part in line.parts:
                assert line.period.overlap(part.period) == part.period
    amounts = {part.id: part.amount for each in inputs.terms.contracts[0].commits for part in each.segments}
    for segment_id, amount in drawn.items():
        assert amount <= amounts[segment_id]


@settings(max_examples=50)
@for_all(worlds(), usage())
def test_all_that_was_metered_is_on_a_line_or_in_a_finding(inputs, events):
    documents = usage_documents(computed(inputs, events))
    of_usage = [line for document in documents for line in document.lines if line.product_type == "USAGE"]
    billed = [part.metric_quantity for line in of_usage for part in line.parts]
    found = [finding.quantity for document in documents for finding in document.findings]
    assert exact_sum([*billed, *found]) == exact_sum([event.quantity for event in events])


@settings(max_examples=60)
@for_all(worlds(tariffs(("FLAT", "TIERED", "VOLUME"))), usage("-6"))
def test_each_unit_of_a_period_is_in_one_part_of_one_line(inputs, events):
    for document in usage_documents(computed(inputs, events)):
        by_item: dict[tuple[str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
        for line in (line for line in document.lines if line.product_id is not None):
            by_item[line.name, line.unit.name] += [(part.above, part.upto) for part in line.parts]
        for ranges in by_item.values():
            ranges = sorted(ranges)
            assert [above for above, _ in ranges] == [Decimal(0), *(upto for _, upto in ranges[:-1])][: len(ranges)]


@settings(max_examples=60)
@for_all(worlds(), usage("-6"))
def test_who_pays_at_list_price_changes_nothing_of_what_is_charged(inputs, events):
    """Balances that pay at the list price, in whatever order: the usage comes to the same with them and without."""
    (agreed,) = inputs.terms.contracts
    ordinary = tuple(override for override in agreed.overrides if not override.is_commit_specific)
    at_list = tuple(replace(each, rate_type="LIST_RATE") for each in agreed.commits)
    with_them, without = (
        computed(with_contract(inputs, replace(agreed, overrides=ordinary, commits=each)), events)
        for each in (at_list, ())
    )
    for one, other in zip(usage_documents(with_them), usage_documents(without), strict=True):
        assert usage_by_name(one) == usage_by_name(other)


def with_contract(inputs: Inputs, agreed: Contract) -> Inputs:
    return replace(inputs, terms=replace(inputs.terms, contracts=(agreed,)))


def usage_by_name(document: Document) -> dict[tuple[str, str], int]:
    """What usage comes to by line name and unit, to the millionth: rounded line by line it may differ beyond."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in document.lines:
        if line.type == "usage":
            found[line.name, line.unit.name] += line.total
    return {key: round(total * 1_000_000) for key, total in found.items()}


@settings(max_examples=60)
@for_all(worlds(), usage())
def test_making_a_document_final_does_not_change_the_next_draft(inputs, events):
    before = usage_documents(computed(inputs, events))
    if len(before) < 2:
        return
    posted = settled(NOTHING_POSTED, finalized(before[0]))
    assert usage_documents(computed(replace(inputs, posted=posted), events)) == before[1:]


@settings(max_examples=50)
@for_all(worlds(), usage(), numbers("0", "1", 2))
def test_without_balances_a_cheaper_price_never_raises_a_bill(inputs, events, factor):
    (prices_,) = inputs.catalog.rate_cards.values()
    alone = replace(inputs.terms.contracts[0], commits=())
    rates = [
        each if each.product_id in COMPOSITES else replace(each, tariff=times(each.tariff, factor))
        for each in prices_.rates
    ]
    dear, cheap = (
        computed(given(AFTER, [alone], [each], PRODUCTS), events) for each in (prices_, card(*rates, credits_at="1.5"))
    )
    assert sum(d.total for d in usage_documents(cheap)) <= sum(d.total for d in usage_documents(dear))


COMPOSITES = {each.product_id for each in PRODUCTS if each.type == "COMPOSITE"}


def times(tariff: Tariff, factor: Decimal) -> Tariff:
    cheaper = tuple(Tier(each.price * factor, each.size, each.flat_fee * factor) for each in tariff.tiers)
    return replace(tariff, price=None if tariff.price is None else tariff.price * factor, tiers=cheaper)


@settings(max_examples=40)
@for_all(worlds(), usage("-6"), price_lists())
def test_prices_that_are_withdrawn_leave_no_trace(inputs, events, others):
    """Rates that were published and taken back: every line, every part and every digit is what it was."""
    (prices_,) = inputs.catalog.rate_cards.values()
    published = card(*prices_.rates, *(replace(each, publication=99) for each in others.rates), credits_at="1.5")
    withdrawn = card(*(each for each in published.rates if each.publication != 99), credits_at="1.5")
    agreed = inputs.terms.contracts
    before = computed(inputs, events)
    computed(given(AFTER, agreed, [published], PRODUCTS), events)
    assert computed(given(AFTER, agreed, [withdrawn], PRODUCTS), events) == before


@settings(max_examples=60)
@for_all(tariffs(), st.lists(st.tuples(hours(last=HOURS - 1), numbers("0", "12", 1)), max_size=12), hours(1, HOURS - 1))
def test_a_price_that_is_published_again_changes_nothing(tariff, quantities, cut):
    """The same price from any hour on: the counter runs on, and the bill is the same."""
    first = rate("plain", "0", tariff=tariff)
    again = replace(first, id=uid("again"), starting_at=cut, publication=2)
    events = [used("plain", at, str(quantity)) for at, quantity in quantities]
    once, twice = (
        usage_documents(computed(given(AFTER, [weekly()], [card(*rates)], PRODUCTS[:1]), events))
        for rates in ([first], [first, again])
    )
    assert [usage_by_name(document) for document in twice] == [usage_by_name(document) for document in once]


@settings(max_examples=20)
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


def said_otherwise(price: Decimal, size: Decimal) -> dict[str, tuple[dict[str, object], dict[str, object]]]:
    """Pairs of products with rates that say the same: definition, tariff and override of each."""
    half = {"tiers": (MultiplierTier(D("0.5"), size),), "priority": D(1), "position": 0}
    return {
        "packages, or rounded up": (
            {"tariff": Tariff("PACKAGE", price, package_size=size)},
            {"tariff": flat(price), "conversion": Conversion(size, "DIVIDE"), "rounding": Rounding(0, "ROUND_UP")},
        ),
        "tiers at one price, or none": (
            {"tariff": Tariff("TIERED", tiers=(Tier(price, size), Tier(price)))},
            {"tariff": flat(price)},
        ),
        "volume of one tier, or none": (
            {"tariff": Tariff("VOLUME", tiers=(Tier(price),))},
            {"tariff": flat(price)},
        ),
        "a discount by quantity, or tiers": (
            {"tariff": flat(price), "override": override(**half)},
            {"tariff": Tariff("TIERED", tiers=(Tier(price * D("0.5"), size), Tier(price)))},
        ),
        "packages of one, or units rounded up": (
            {"tariff": Tariff("PACKAGE", price, package_size=D(1))},
            {"tariff": flat(price), "rounding": Rounding(0, "ROUND_UP")},
        ),
    }


@settings(max_examples=100)
@for_all(
    st.sampled_from(sorted(said_otherwise(D(1), D(1)))),
    numbers("0", "20", 2),
    numbers("0.5", "20", 1),
    usage("-6", names=("plain",)),
    st.lists(st.tuples(numbers("0.01", "200", 2), windows()), max_size=2),
)
def test_a_price_said_otherwise_costs_the_same(which, price, size, events, balances):
    totals = []
    for said in said_otherwise(price, size)[which]:
        definition = {key: said[key] for key in ("conversion", "rounding") if key in said}
        agreed = weekly(
            prioritization="EXPLICIT",
            overrides=(said["override"],) if "override" in said else (),
            commits=tuple(
                commit("PREPAID", str(amount), *window, name=f"commit {number}")
                for number, (amount, window) in enumerate(balances)
            ),
        )
        prices_ = card(rate("plain", "0", tariff=said["tariff"]))
        documents = usage_documents(
            computed(given(AFTER, [agreed], [prices_], [product("plain", **definition)]), events)
        )
        entries = [(entry.segment_id, round(entry.amount * 1_000_000)) for each in documents for entry in each.entries]
        totals.append(([round(each.total * 1_000_000) for each in documents], entries))
    assert totals[0] == totals[1]
