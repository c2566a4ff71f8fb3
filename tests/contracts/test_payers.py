"""The names by which an override may say who has to pay."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.problems import Problems
from contracts.inputs import OverrideInput, TargetInput
from contracts.services.payers import named_payers, standing_payers, with_added
from tests.factories.contracts import CommitFactory, ContractFactory, OverrideFactory, commit_input
from tests.factories.pricing import FixedProductFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)


def paid_by(*names, key="commit_ids"):
    return TargetInput(product_tags=("ai",), **{key: names})


def resolved(contract, target, added=()):
    """What is stored of a specifier's lists, where the request also adds commits."""
    problems = Problems()
    payers = standing_payers(contract, [OverrideInput(OCTOBER, override_specifiers=(target,))])
    given, rows = [given for given, _ in added], [row for _, row in added]
    payers = with_added(payers, given, rows, "add_commits", problems, lists=("commit_ids", "any_commit_or_credit_ids"))
    stored = named_payers(problems, target, payers)
    assert problems.errors == []
    return stored


@pytest.mark.parametrize("key", ["commit_ids", "any_commit_or_credit_ids"])
def test_a_commit_that_stands_is_named_by_its_id_in_any_spelling(key):
    commit = CommitFactory()

    for name in (str(commit.pk), str(commit.pk).upper(), commit.pk.hex):
        assert resolved(commit.contract, paid_by(name, key=key)) == {key: [str(commit.pk)]}


def test_a_commit_of_the_same_request_is_named_by_its_temporary_id():
    contract, product = ContractFactory(), FixedProductFactory()
    rows = [CommitFactory.build(contract=contract, product=product) for _ in range(2)]
    given = [commit_input(product=product, temporary_id=name) for name in ("first", "")]
    standing = CommitFactory(contract=contract)

    found = resolved(contract, paid_by("first", str(standing.pk)), added=list(zip(given, rows, strict=True)))

    assert found == {"commit_ids": [str(rows[0].pk), str(standing.pk)]}


def test_a_list_that_is_not_given_is_not_stored():
    assert resolved(ContractFactory(), TargetInput(product_tags=("ai",))) == {}


def test_commits_are_looked_up_once_and_only_where_some_are_named():
    commit = CommitFactory()
    naming = OverrideInput(OCTOBER, override_specifiers=(paid_by("a"), paid_by("b")))

    for overrides, queries in (([OverrideInput(OCTOBER)], 0), ([naming, naming, naming], 2)):
        with CaptureQueriesContext(connection) as captured:
            standing_payers(commit.contract, overrides)
        assert len(captured) == queries


def test_what_is_stored_compiles_to_the_balances_that_may_pay():
    first, second = CommitFactory(), CommitFactory()
    lists = {"commit_ids": [str(first.pk)], "recurring_commit_ids": [str(second.pk)]}
    override = OverrideFactory(is_commit_specific=True, specifiers=[{"product_tags": ["ai"], **lists}])

    (target,) = override.to_override().targets

    assert target.commit_ids == {first.pk, second.pk}
    assert override.to_override().is_commit_specific
