"""Prepaid commits and credits: what they grant and when, what is paid for them, and what is refused."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import IntegrityError, transaction

from billing_site.foundation.ids import uuid7
from contracts.inputs import (
    AccessScheduleInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    RecurringScheduleInput,
    SegmentInput,
    TargetInput,
)
from contracts.models import Contract, InvoiceScheduleItem
from contracts.queries import customer_terms
from pricing.engine.targets import Target
from pricing.models import PricingUnit
from tests.factories.contracts import (
    CommitFactory,
    InvoiceScheduleItemFactory,
    charge_input,
    credit_input,
    prepaid_input,
)
from tests.factories.pricing import PricingUnitFactory, ProductFactory

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
TWO_MONTHS = (SegmentInput(D(300), OCTOBER, NOVEMBER), SegmentInput(D(200), NOVEMBER, DECEMBER))


def in_units(*segments, unit=None):
    return AccessScheduleInput(segments or TWO_MONTHS, unit, "QUANTITY")


def agreed(contract):
    """The contract's commits and credits, as the engines take them."""
    [compiled] = customer_terms(contract.customer_id).contracts
    return compiled.commits


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        pytest.param({"access_schedule": None}, "access_schedule.schedule_items", "must have from 1 to 1000 items"),
        pytest.param(
            {"access_schedule": AccessScheduleInput(())},
            "access_schedule.schedule_items",
            "must have from 1 to 1000 items",
        ),
        pytest.param(
            {"access_schedule": AccessScheduleInput((TWO_MONTHS[0], SegmentInput(D(0), NOVEMBER, DECEMBER)))},
            "access_schedule.schedule_items[1].amount",
            "must be greater than 0",
        ),
        pytest.param(
            {"access_schedule": AccessScheduleInput((SegmentInput(D(1), NOVEMBER, NOVEMBER),))},
            "access_schedule.schedule_items[0].ending_before",
            "must be later than starting_at",
        ),
        pytest.param(
            {"access_schedule": AccessScheduleInput(TWO_MONTHS, None, "TIME")},
            "access_schedule.access_type",
            "must be one of SPEND, QUANTITY",
        ),
        pytest.param(
            {"access_schedule": AccessScheduleInput(TWO_MONTHS, uuid7())},
            "access_schedule.credit_type_id",
            "must be the id of a pricing unit that is not archived",
        ),
        pytest.param({"rate_type": "BEST"}, "rate_type", "must be one of LIST_RATE, COMMIT_RATE"),
        pytest.param(
            {"invoice_schedule": InvoiceScheduleInput(())},
            "invoice_schedule.schedule_items",
            "must have an item, unless there is a recurring_schedule",
        ),
        pytest.param(
            {"invoice_schedule": InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(-1)),))},
            "invoice_schedule.schedule_items[0].amount",
            "must not be negative",
        ),
    ],
)
def test_a_prepaid_commit_that_breaks_a_rule_is_refused(refused, given, field, rule):
    assert refused(add_commits=(prepaid_input(**given),)) == [(f"add_commits[0].{field}", rule)]


def test_a_credit_is_never_invoiced(refused):
    paid = InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(1)),))

    assert refused(add_credits=(credit_input(invoice_schedule=paid),)) == [
        ("add_credits[0].invoice_schedule", "must not be given for a credit, which is never invoiced")
    ]
    credit = CommitFactory(type="CREDIT", invoice_item=None)
    with pytest.raises(IntegrityError, match="a credit is never invoiced"), transaction.atomic():
        InvoiceScheduleItemFactory(commit=credit)


def test_money_of_another_kind_than_the_contracts_is_refused_and_credits_of_any_kind_taken(edit, contract, refused):
    euro, tokens = PricingUnit.objects.get(code="EUR"), PricingUnitFactory(name="tokens")
    dollar = contract.rate_card.fiat_unit

    assert refused(add_commits=(prepaid_input(access_schedule=AccessScheduleInput(TWO_MONTHS, euro.pk)),)) == [
        ("add_commits[0].access_schedule.credit_type_id", f"must be {dollar.pk} ({dollar}), or a custom unit")
    ]
    assert refused(add_credits=(credit_input(access_schedule=in_units(unit=tokens.pk)),)) == [
        (
            "add_credits[0].access_schedule.credit_type_id",
            "cannot be combined with QUANTITY, which counts no unit of pricing",
        )
    ]
    paid = InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(90)),))
    edit(
        add_commits=(
            prepaid_input(access_schedule=AccessScheduleInput(TWO_MONTHS, tokens.pk), invoice_schedule=paid),
            prepaid_input(access_schedule=in_units(), invoice_schedule=paid),
        )
    )
    in_tokens, in_sold_units = agreed(contract)
    assert (in_tokens.held_in, in_tokens.billed_in) == (tokens.to_unit(), dollar.to_unit())
    assert (in_sold_units.held_in.name, in_sold_units.billed_in) == ("units", dollar.to_unit())


def test_what_it_grants_and_what_is_paid_for_it_are_kept_apart(edit, contract):
    """Two segments, three instalments; of what is said to be paid elsewhere nothing is billed."""
    quarterly = InvoiceScheduleInput(
        recurring_schedule=RecurringScheduleInput(OCTOBER, JANUARY, "MONTHLY", "DIVIDED", amount=D(300))
    )
    paid_elsewhere = InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(400)),), do_not_invoice=True)
    segments = AccessScheduleInput(TWO_MONTHS)

    edit(
        add_commits=(
            prepaid_input(access_schedule=segments, invoice_schedule=quarterly, priority=D("1.5"), name="Instalments"),
            prepaid_input(invoice_schedule=paid_elsewhere, rate_type="COMMIT_RATE", name="Elsewhere"),
        ),
        add_credits=(credit_input(access_schedule=segments, name="Goodwill"),),
    )

    instalments, elsewhere, goodwill = agreed(contract)
    assert [(each.amount, each.period.starting_at, each.period.ending_before) for each in instalments.segments] == [
        (300, OCTOBER, NOVEMBER),
        (200, NOVEMBER, DECEMBER),
    ]
    assert [(each.issued_at, each.amount) for each in instalments.invoice_items] == [
        (OCTOBER, 100),
        (NOVEMBER, 100),
        (DECEMBER, 100),
    ]
    assert (instalments.type, instalments.priority, instalments.is_invoiced) == ("PREPAID", D("1.5"), True)
    assert (elsewhere.is_invoiced, elsewhere.rate_type) == (False, "COMMIT_RATE")
    assert (goodwill.type, goodwill.invoice_items, len(goodwill.segments)) == ("CREDIT", (), 2)


def test_it_may_be_for_some_products_only(edit, contract):
    calls = ProductFactory()
    edit(
        add_credits=(credit_input(specifiers=(TargetInput(product_id=calls.pk), TargetInput(product_tags=("a", "b")))),)
    )

    assert agreed(contract)[0].targets == (Target(product_id=calls.pk), Target(product_tags=("a", "b")))


def test_access_may_begin_before_what_is_billed(edit, contract):
    """Final documents stay as they are; what is still to be billed may draw on it."""
    Contract.objects.filter(pk=contract.pk).update(billed_through=NOVEMBER)

    edit(add_credits=(credit_input(),), add_commits=(prepaid_input(),))

    assert len(agreed(contract)) == 2


def test_a_date_that_has_fallen_due_takes_no_further_payment(edit, refused, contract):
    """One date has one document. It stays taken when the commit is archived, as it may be final."""
    edit(add_commits=(prepaid_input(D(1), OCTOBER, JANUARY, (OCTOBER, D(10))),))
    [first] = agreed(contract)
    rule = "must not be a date on which charges of this contract have fallen due; choose another instant"
    again = prepaid_input(D(1), OCTOBER, JANUARY, (OCTOBER, D(10)))

    assert refused(add_commits=(again,)) == [("add_commits[0].invoice_schedule.schedule_items", rule)]
    edit(archive_commits=(first.id,))
    assert refused(add_commits=(again,)) == [("add_commits[0].invoice_schedule.schedule_items", rule)]
    assert refused(add_scheduled_charges=(charge_input(OCTOBER),)) == [
        ("add_scheduled_charges[0].schedule.schedule_items", rule)
    ]
    edit(add_commits=(prepaid_input(D(1), OCTOBER, JANUARY, (OCTOBER.replace(minute=1), D(10))),))


def test_a_date_on_which_nothing_is_billed_stays_free(edit):
    edit(
        add_commits=(
            prepaid_input(
                invoice_schedule=InvoiceScheduleInput((InvoiceItemInput(OCTOBER, amount=D(1)),), do_not_invoice=True)
            ),
        )
    )

    edit(add_commits=(prepaid_input(D(1), OCTOBER, JANUARY, (OCTOBER, D(10))),))


def test_a_shorter_contract_drops_the_payments_that_would_come_after_it(edit, contract):
    payments = [(OCTOBER, D(1)), (NOVEMBER, D(2)), (DECEMBER, D(3))]
    elsewhere = InvoiceScheduleInput((InvoiceItemInput(DECEMBER, amount=D(4)),), do_not_invoice=True)
    edit(add_commits=(prepaid_input(D(9), OCTOBER, JANUARY, *payments), prepaid_input(invoice_schedule=elsewhere)))

    edit(update_contract_end_date=NOVEMBER)

    billed, unbilled = agreed(contract)
    assert [item.amount for item in billed.invoice_items] == [1, 2]
    assert [item.amount for item in unbilled.invoice_items] == [4]
    assert InvoiceScheduleItem.objects.count() == 4


def test_credits_and_commits_are_each_archived_by_their_own_name(edit, refused, contract):
    edit(add_commits=(prepaid_input(name="commit"),), add_credits=(credit_input(name="credit"),))
    commit, credit = agreed(contract)

    assert refused(archive_commits=(credit.id,), archive_credits=(commit.id,)) == [
        ("archive_commits[0].id", "must be the id of a commit of the contract"),
        ("archive_credits[0].id", "must be the id of a credit of the contract"),
    ]
    edit(archive_credits=(credit.id,))
    assert agreed(contract) == (commit,)


def test_an_override_names_a_credit_among_balances_of_any_kind_alone(edit, refused, contract):
    edit(add_credits=(credit_input(),))
    [credit] = agreed(contract)

    def while_it_pays(**names):
        paid = TargetInput(product_tags=("ai",), **names)
        return OverrideInput(
            NOVEMBER, type="MULTIPLIER", multiplier=D("0.5"), is_commit_specific=True, override_specifiers=(paid,)
        )

    [(field, _)] = refused(add_overrides=(while_it_pays(commit_ids=(str(credit.id),)),))
    assert field == "add_overrides[0].override_specifiers[0].commit_ids[0]"
    edit(add_overrides=(while_it_pays(any_commit_or_credit_ids=(str(credit.id),)),))


@pytest.mark.parametrize(
    "wrong",
    [{"access_type": "QUANTITY"}, {"is_invoiced": False}],
    ids=["counted in units", "not invoiced"],
)
def test_what_is_postpaid_is_counted_and_billed_in_one_money(wrong):
    with pytest.raises(IntegrityError, match="what_is_postpaid_is_counted_and_billed_in_one_money"):
        CommitFactory(**wrong)
