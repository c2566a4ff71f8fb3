"""What holds for every balance, whatever the terms and the usage: nothing is drawn that is not there."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_site.foundation.money import QUANTUM, exact_sum
from billing_site.foundation.periods import Period
from contracts.terms import QUANTITY, RecurringCommit
from invoicing.engine.documents import Result
from invoicing.engine.inputs import Inputs
from invoicing.engine.rounding import finalized
from tests.invoicing.engine.world import (
    HOUR,
    NOTHING_POSTED,
    USD,
    D,
    card,
    computed,
    credit,
    given,
    settled,
    uid,
    usage_documents,
)
from tests.invoicing.engine.worlds import (
    AFTER,
    END,
    HOURS,
    PRODUCTS,
    START,
    USAGE,
    numbers,
    usage,
    weekly,
    windows,
    worlds,
)

LATER = END + HOURS * HOUR


@st.composite
def shared_worlds(draw) -> Inputs:
    """A contract that is renewed half-way, with what recurs, what is shared, and entries by hand."""
    inputs = draw(worlds())
    (agreed,), (prices,) = inputs.terms.contracts, inputs.catalog.rate_cards.values()
    renewal_at = START + draw(st.integers(24, HOURS - 24)) * HOUR
    fractions = st.none() | numbers("0", "1", 2)
    commits = [replace(each, rollover_fraction=draw(fractions)) for each in agreed.commits]
    recurring = RecurringCommit(
        id=uid("recurring"),
        type=draw(st.sampled_from(["PREPAID", "CREDIT"])),
        contract_id=agreed.id,
        product_id=uid("Commitment"),
        name="recurring",
        priority=D(draw(st.integers(0, 3))),
        unit=USD,
        access_amount=draw(numbers("1", "60", 2)),
        period=Period(START + draw(st.integers(0, 48)) * HOUR),
        duration=draw(st.integers(1, 2)),
        frequency=draw(st.sampled_from([None, "DAILY"])),
        rollover_fraction=draw(fractions),
    )
    old = replace(agreed, term=Period(START, renewal_at), commits=tuple(commits), recurring=(recurring,))
    new = weekly(name="renewal", overrides=agreed.overrides, prioritization=agreed.prioritization, renews=old.id)
    new = replace(new, term=Period(renewal_at, LATER))
    of_all = credit("40", *draw(windows()), name="of all", contract_id=None, priority=D(draw(st.integers(0, 3))))
    by_hand = {part.id: draw(numbers("-30", "30", 2)) for each in (*commits, of_all) for part in each.segments}
    posted = replace(NOTHING_POSTED, manual=by_hand)
    return given(AFTER, [old, new], [prices], products_of(inputs), posted=posted, commits=[of_all])


def products_of(inputs: Inputs):
    of_commits = uid("Commitment")
    return [version for id_, found in inputs.catalog.products.items() if id_ != of_commits for version in found]


def check(result: Result) -> None:
    rolled = {each.commit.id: Decimal(0) for each in result.balances}
    for each in result.balances:
        taken = exact_sum([each.drawn, *(part.amount for part in each.pending)])
        assert each.granted + each.manual == taken + each.rolled_over + each.left
        end = each.segment.period.ending_before
        before, owed = each.segment.period.starting_at - HOUR, not each.commit.pays
        for at in (before, each.segment.period.starting_at, end - HOUR, end):
            assert each.usable(at) + each.expired(at) + each.to_come(at) == max(each.left, 0) or each.is_settled
        assert (each.usable(before), each.expired(end - HOUR)) == (0, 0)
        assert each.usable(end) == 0 or owed
        assert taken + each.rolled_over <= max(each.granted + each.manual, 0)
        rolled[each.commit.id] += each.rolled_over
    for each in result.balances:
        if each.commit.rolled_over_from is not None:
            assert each.granted == rolled[each.commit.rolled_over_from] <= each.segment.amount


@settings(max_examples=60)
@for_all(shared_worlds(), usage("-6"))
def test_what_came_in_went_out_or_is_left(inputs, events):
    result = computed(inputs, events)
    check(result)
    pending = [(part.document_id, part.amount) for each in result.balances for part in each.pending]
    posting = [
        (document.id, -entry.amount)
        for document in usage_documents(result)
        for entry in document.entries
        if entry.new_contract_id is None
    ]
    assert sorted(pending) == sorted(posting)


@settings(max_examples=40)
@for_all(shared_worlds(), usage("-6"), st.randoms(use_true_random=False))
def test_whichever_document_becomes_final_first_nothing_is_drawn_twice(inputs, events, random):
    """But for what the places after the twelfth buy.

    A draft posts what it draws on a balance in 12 decimals, a quantum or less off what it took. A later document that
    is final first has therefore left an earlier one up to a quantum less, or more, than that took when it was walked
    first. The earlier one passes this on: where the balance pays p for a unit, a quantum is quantum / p units, and the
    next payer, at p', is asked for p' / p quanta. Over a chain of payers this comes to last price / first price, as
    each price between is multiplied by once and divided by once. A fee, or a package, is shared in the same way.

        the balance pays    the next pays        of a quantum it becomes
        in units (p is 1)   60 a unit            60 quanta
        in credits          in money, at 1.5     1.5 quanta
        in money            in money             1 quantum; where the price depends on who pays: p' / p quanta

    A unit costs no more than 60 here: 20, twice that by a multiple, at 1.5 for a credit. Nor, where it costs anything,
    less than 0.001: a cent, a tenth of it by a multiple. What a composite is a share of moves with what usage comes
    to, and so does the composite: a unit of usage may cost three times more with it, and nine times with two. So
    much for each document and each balance that it has rounded.
    """
    before = standing(computed(inputs, events))
    posted, documents = inputs.posted, 0
    while drafts := usage_documents(computed(replace(inputs, posted=posted), events)):
        posted, documents = settled(posted, finalized(random.choice(drafts))), documents + 1
        result = computed(replace(inputs, posted=posted), events)
        check(result)
        assert standing(result).keys() == before.keys()
        for key, numbers_ in standing(result).items():
            for number, expected in zip(numbers_, before[key], strict=True):
                assert abs(number - expected) <= worth_of_a_quantum(inputs) * documents * len(before) * QUANTUM


def worth_of_a_quantum(inputs: Inputs) -> Decimal:
    """What a quantum that one payer is short of comes to at another, at the most, in quanta; see the law above."""
    dearest, cheapest, with_composites = D(60), D("0.001"), 9
    (prices,), contracts = inputs.catalog.rate_cards.values(), inputs.terms.contracts
    held = [*inputs.terms.commits, *(each for contract in contracts for each in contract.commits)]
    if any(rate.commit_tariff for rate in prices.rates) or any(
        override.is_commit_specific for contract in contracts for override in contract.overrides
    ):
        return dearest / cheapest * with_composites
    return dearest if any(each.access_type == QUANTITY for each in held) else D("1.5")


def standing(result: Result) -> dict[UUID, tuple[Decimal, Decimal, Decimal]]:
    return {each.segment.id: (each.granted, each.rolled_over, each.left) for each in result.balances}


@settings(max_examples=60)
@for_all(worlds(), usage(), windows(), numbers("0.01", "400", 2), st.integers(0, 3))
def test_a_credit_never_raises_a_bill(inputs, events, window, amount, priority):
    """Without composites, and at one price whoever pays: what a credit takes is at the most what it saves."""
    (agreed,), (prices,) = inputs.terms.contracts, inputs.catalog.rate_cards.values()
    plain = card(*(replace(rate, commit_tariff=None) for rate in prices.rates if is_usage(rate)), credits_at="1.5")
    agreed = replace(agreed, overrides=tuple(each for each in agreed.overrides if not each.is_commit_specific))
    gift = credit(str(amount), *window, name="gift", priority=D(priority))
    without, with_it = (
        sum(document.total for document in usage_documents(computed(given(AFTER, [each], [plain], PRODUCTS), events)))
        for each in (agreed, replace(agreed, commits=(*agreed.commits, gift)))
    )
    assert with_it <= without + 60 * QUANTUM  # each balance is drawn on in 12 decimals


def is_usage(rate) -> bool:
    return rate.product_id in {version.product_id for version in USAGE}
