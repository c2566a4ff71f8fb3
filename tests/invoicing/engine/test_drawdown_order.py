"""The table in the docstring of the balances: which is drawn on before which, and by what."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from contracts.terms import Commit
from invoicing.engine.balances import RULES, balances, rule_between
from invoicing.engine.commits import all_commits
from invoicing.engine.inputs import Inputs
from pricing.engine.targets import Target
from tests.invoicing.engine.world import (
    CREDITS,
    DECEMBER,
    LATE_OCTOBER,
    NOVEMBER,
    OCTOBER,
    D,
    card,
    commit,
    computed,
    contract,
    given,
    on,
    product,
    rate,
    scheduled,
    target,
    the_usage,
    uid,
    used,
)

EU = (("region", "eu"),)
PAID = (scheduled("10", OCTOBER),)
H_AND_L = (target("H"), target("L"))


def balance(name: str, type_: str = "PREPAID", **terms: object) -> Commit:
    """Ten cents: the customer's, for everything, paid for, of priority 2, from 1 October to December."""
    window = (terms.pop("start", OCTOBER), terms.pop("end", DECEMBER))
    plain = {"contract_id": None, "priority": D(2), "invoice_items": () if type_ == "CREDIT" else PAID}
    return commit(type_, "10", *window, name=name, **{**plain, **terms})


OF_THE_RENEWED = {"contract_id": uid("old"), "rollover_fraction": D(1), "start": on(9, 1), "end": OCTOBER}
FROM_THE_SECOND = {"start": on(10, 2)}
A_DAY_LATER = {**FROM_THE_SECOND, "created_at": on(9, 2)}

IN_ORDER = [
    balance("in credits", "POSTPAID", unit=CREDITS, priority=D(9)),
    balance("rolled over of a postpaid commit", "POSTPAID", **OF_THE_RENEWED, priority=D(9)),
    balance("rolled over of a credit", "CREDIT", **OF_THE_RENEWED, priority=D(8)),
    balance("priority 1", priority=D(1)),
    balance("the contract's", contract_id=uid("Acme")),
    balance("a credit", "CREDIT"),
    balance("H and L", targets=H_AND_L),
    balance("H and L in one region", targets=tuple(replace(each, presentation_group_values=EU) for each in H_AND_L)),
    balance("until November", end=NOVEMBER),
    balance("plain"),
    balance("for one contract", applicable_contract_ids=frozenset([uid("Acme")]), **FROM_THE_SECOND),
    balance("from 2 October", **FROM_THE_SECOND),
    *sorted((balance(name, **A_DAY_LATER) for name in ("twin", "other twin")), key=lambda twin: twin.id),
    balance("postpaid", "POSTPAID", priority=D(0)),
]
PRODUCTS = (product("H", presentation_group_key=("region",)), product("L", presentation_group_key=("region",)))


def told(balances: list[Commit]) -> Inputs:
    own, old = (tuple(each for each in balances if each.contract_id == uid(name)) for name in ("Acme", "old"))
    shared = [each for each in balances if each.contract_id is None]
    prices = card(rate("H", "10", unit=CREDITS), rate("L", "1"), credits_at="1")
    renewed = contract(on(9, 1), OCTOBER, name="old", rate_card_id=None, commits=old)
    agreed = [renewed, contract(commits=own, renews=renewed.id)]
    return given(LATE_OCTOBER, agreed, [prices], PRODUCTS, commits=shared)


def drawn_on(balances: list[Commit]) -> list[str]:
    """Who pays the units of an hour, one each, in the order of the counter."""
    result = computed(told(balances), [used("H", on(10, 3, 5), len(balances), region="eu")])
    names = {each.segment.id: each.commit.name for each in result.balances}
    lines = the_usage(result).lines
    paid = {(part.above, names[part.segment_id]) for line in lines for part in line.parts if part.segment_id}
    return [name for _, name in sorted(paid)]


@pytest.mark.parametrize("seed", range(4))
def test_every_balance_is_drawn_on_in_its_place(seed):
    balances = list(IN_ORDER)
    Random(seed).shuffle(balances)
    assert drawn_on(balances) == [each.name for each in IN_ORDER]


@pytest.mark.parametrize(("first", "second"), list(pairwise(IN_ORDER)), ids=[each.name for each in IN_ORDER[:-1]])
def test_each_row_of_the_table_goes_before_the_next(first, second):
    assert drawn_on([second, first]) == [first.name, second.name]


def test_what_puts_each_row_of_the_table_before_the_next():
    inputs = told(IN_ORDER)
    all_of_them = balances(all_commits(inputs), inputs.catalog, inputs.posted)
    october = [each for each in all_of_them if on(10, 3) in each.period]
    assert [each.commit.name for each in october] == [each.name for each in IN_ORDER]
    assert [rule_between(one, other, inputs.catalog) for one, other in pairwise(october)] == [
        "unit", "class", "class", "priority", "contract", "cost", "values", "products", "end", "start", "contracts",
        "created", "id", "class",
    ]  # fmt: skip
    assert set(RULES) == {rule_between(one, other, inputs.catalog) for one, other in pairwise(october)}


def test_a_balance_for_tagged_products_applies_to_as_many_as_have_the_tag():
    products = tuple(replace(each, tags=("new",)) if each.name == "H" else each for each in PRODUCTS)
    tagged = balance("tagged", targets=(Target(product_tags=("new",)),), priority=D(2))
    both = balance("both", targets=H_AND_L, created_at=on(8, 1))
    prices = card(rate("H", "10"), rate("L", "1"))
    october = the_usage(
        computed(
            given(LATE_OCTOBER, [contract()], [prices], products, commits=[both, tagged]),
            [used("H", on(10, 3, 5), 1, region="eu")],
        )
    )
    assert [entry.commit_id for entry in october.entries] == [tagged.id]
