"""Postpaid commits: one segment, one true-up, in the unit of the rate card."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from contracts import services
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    SegmentInput,
    TargetInput,
)
from contracts.models import Commit, InvoiceScheduleItem
from contracts.queries import customer_terms
from pricing.engine.targets import Target
from pricing.models import PricingUnit
from tests.factories.contracts import ContractFactory, commit_input
from tests.factories.pricing import FixedProductFactory, ProductFactory, RateCardFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        pytest.param(
            {"amount": D(0)},
            "access_schedule.schedule_items[0].amount",
            "must be greater than 0",
            id="nothing committed",
        ),
        pytest.param(
            {"start": OCTOBER.replace(minute=5)},
            "access_schedule.schedule_items[0].starting_at",
            "must be on the hour (UTC)",
            id="off the hour",
        ),
        pytest.param(
            {"invoiced": D(499)},
            "invoice_schedule.schedule_items[0].amount",
            "must equal the access amount, 500",
            id="another amount",
        ),
        pytest.param(
            {"due": DECEMBER},
            "invoice_schedule.schedule_items[0].timestamp",
            "must not be before the end of access, 2026-01-01T00:00:00+00:00",
            id="a true-up before the end",
        ),
        pytest.param({"type": "MAYBE"}, "type", "must be PREPAID or POSTPAID", id="an unknown type"),
        pytest.param({"name": "n" * 161}, "name", "must not be longer than 160 characters", id="a long name"),
        pytest.param(
            {"applicable_product_ids": (uuid7(),)},
            "applicable_product_ids[0]",
            "must be the id of a product",
            id="an unknown product",
        ),
        pytest.param(
            {"applicable_product_tags": ("a",), "specifiers": (TargetInput(product_tags=("a",)),)},
            "specifiers",
            "cannot be combined with applicable_product_ids or applicable_product_tags",
            id="two ways to target",
        ),
    ],
)
def test_a_commit_that_breaks_a_rule_is_refused(refused, given, field, rule):
    assert refused(add_commits=(commit_input(**given),)) == [(f"add_commits[0].{field}", rule)]


def test_its_true_up_may_be_at_any_time_after_its_access(edit):
    edit(add_commits=(commit_input(due=JANUARY.replace(minute=17)),))

    assert InvoiceScheduleItem.objects.get().issued_at == JANUARY.replace(minute=17)


def test_it_has_exactly_one_segment_and_one_true_up(refused):
    product = FixedProductFactory().pk
    segment = SegmentInput(D(1), OCTOBER, JANUARY)
    item = InvoiceItemInput(JANUARY, amount=D(1))
    twice = CommitInput(
        product, "POSTPAID", AccessScheduleInput((segment, segment)), InvoiceScheduleInput((item, item))
    )

    once = "must be exactly one for a postpaid commit"
    fields = ["add_commits[0].access_schedule.schedule_items", "add_commits[0].invoice_schedule.schedule_items"]
    assert refused(add_commits=(twice,)) == [(field, once) for field in fields]
    assert refused(add_commits=(CommitInput(product, "POSTPAID"),)) == [(field, once) for field in fields]
    unbilled = CommitInput(
        product, "POSTPAID", AccessScheduleInput((segment,)), InvoiceScheduleInput((item,), do_not_invoice=True)
    )
    assert refused(add_commits=(unbilled,))[0][0] == "add_commits[0].invoice_schedule.do_not_invoice"


def test_it_is_in_the_unit_of_the_rate_card(refused, told):
    euro = PricingUnit.objects.get(code="EUR")
    (segment, item) = (SegmentInput(D(1), OCTOBER, JANUARY), InvoiceItemInput(JANUARY, amount=D(1)))

    def in_euro():
        return CommitInput(
            FixedProductFactory().pk,
            "POSTPAID",
            AccessScheduleInput((segment,), euro.pk),
            InvoiceScheduleInput((item,), credit_type_id=euro.pk),
        )

    assert [field for field, _ in refused(add_commits=(in_euro(),))] == [
        "add_commits[0].access_schedule.credit_type_id",
        "add_commits[0].invoice_schedule.credit_type_id",
    ]
    european = ContractFactory(rate_card=RateCardFactory(fiat_unit=euro))
    given = EditInput(add_commits=(in_euro(), commit_input()))
    services.edit_contract(european.customer, european.pk, given, **told)
    assert {committed.unit for committed in Commit.objects.all()} == {euro}


def test_its_product_is_a_fixed_one(refused):
    usage = ProductFactory(name="Calls")

    assert refused(add_commits=(commit_input(product=usage),)) == [
        ("add_commits[0].product_id", "must be a FIXED product; Calls is USAGE")
    ]


def test_it_may_be_for_some_products_only(edit, contract):
    one, other = ProductFactory(), ProductFactory()

    edit(add_commits=(commit_input(applicable_product_ids=(one.pk, other.pk), applicable_product_tags=("ai",)),))

    (compiled,) = customer_terms(contract.customer.pk).contracts
    assert compiled.commits[0].targets == (
        Target(product_id=one.pk),
        Target(product_id=other.pk),
        Target(product_tags=("ai",)),
    )
    assert compiled.commits[0].priority == 100
