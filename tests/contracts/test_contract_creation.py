"""A contract is born with its terms, as one edit, or not at all."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from contracts import services
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    ContractInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    ScheduledChargeInput,
    SegmentInput,
    StatementScheduleInput,
)
from contracts.models import Contract, ContractEdit, Override
from contracts.queries import agreement, customer_terms, edit_history
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.pricing import (
    FixedProductFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardFactory,
    RateFactory,
    RateWithdrawalFactory,
    SubscriptionProductFactory,
    SubscriptionRateFactory,
)

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, 7, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


def errors(refused):
    return [(error.field, error.rule) for error in refused.value.errors]


def test_a_contract_is_made_with_all_its_terms_in_one_edit(told):
    customer, card, product = CustomerFactory(), RateCardFactory(), FixedProductFactory()
    amount = (InvoiceItemInput(JANUARY, amount=D(500)),)

    contract = services.create_contract(
        customer,
        ContractInput(
            starting_at=OCTOBER,
            ending_before=JANUARY,
            rate_card_id=card.pk,
            name="Deal",
            net_payment_terms_days=D("30.0"),
            uniqueness_key="deal-1",
            overrides=(OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D("0.5")),),
            commits=(
                CommitInput(
                    product.pk,
                    "POSTPAID",
                    AccessScheduleInput((SegmentInput(D(500), OCTOBER, JANUARY),)),
                    InvoiceScheduleInput(amount),
                ),
            ),
            scheduled_charges=(ScheduledChargeInput(product.pk, InvoiceScheduleInput(amount), name="Setup"),),
            custom_fields={"crm": "42"},
        ),
        **told,
    )

    agreed = agreement(customer.pk, contract.pk)
    assert (agreed.terms.name, agreed.terms.ending_before, agreed.terms.net_payment_terms_days) == ("Deal", JANUARY, 30)
    assert [override.multiplier for override in agreed.overrides] == [D("0.5")]
    assert [segment.amount for committed in agreed.commits for segment in committed.segments] == [D(500)]
    assert [item.issued_at for charged in agreed.charges for item in charged.items] == [JANUARY]
    edit = ContractEdit.objects.get(contract=contract)
    assert (edit.kind, edit.number, edit.created_at, edit.created_by) == ("CREATION", 2, told["at"], "Ada")
    assert edit_history(customer.pk, contract.pk) == []
    assert contract.history.count() == 1


@pytest.mark.parametrize(
    ("schedule", "anchor"),
    [
        pytest.param(StatementScheduleInput(), datetime(2025, 10, 1, tzinfo=UTC), id="the first of the month"),
        pytest.param(StatementScheduleInput(day="CONTRACT_START"), MID_OCTOBER, id="the contract's start"),
        pytest.param(
            StatementScheduleInput("QUARTERLY", "CUSTOM_DATE", datetime(2024, 9, 10, tzinfo=UTC)),
            datetime(2024, 9, 10, tzinfo=UTC),
            id="a date of its own, long before",
        ),
    ],
)
def test_billing_periods_are_counted_from_an_anchor(told, schedule, anchor):
    card = RateCardFactory()
    given = ContractInput(starting_at=MID_OCTOBER, rate_card_id=card.pk, usage_statement_schedule=schedule)

    contract = services.create_contract(CustomerFactory(), given, **told)

    assert (contract.billing_anchor_at, contract.frequency) == (anchor, schedule.frequency)


def test_an_alias_is_resolved_as_of_the_start_and_stays(told):
    old, new = RateCardFactory(name="2025"), RateCardFactory(name="2026")
    RateCardAliasFactory(rate_card=old, name="standard")
    RateCardAliasFactory(rate_card=new, name="standard", starting_at=JANUARY)

    def card_from(start):
        given = ContractInput(starting_at=start, rate_card_alias="standard")
        return services.create_contract(CustomerFactory(), given, **told).rate_card

    assert (card_from(OCTOBER), card_from(JANUARY)) == (old, new)


CHARGE = ScheduledChargeInput(uuid7(), InvoiceScheduleInput((InvoiceItemInput(JANUARY, amount=D(1)),)))


@pytest.mark.parametrize(
    ("wanted", "field", "rule"),
    [
        pytest.param(
            {"starting_at": OCTOBER.replace(minute=30)}, "starting_at", "must be on the hour (UTC)", id="off the hour"
        ),
        pytest.param(
            {"ending_before": OCTOBER}, "ending_before", "must be later than starting_at", id="over before it starts"
        ),
        pytest.param(
            {"starting_at": datetime(1, 1, 1, tzinfo=UTC)},
            "starting_at",
            "must lie between the years 1970 and 8999",
            id="antiquity",
        ),
        pytest.param(
            {"rate_card_id": None},
            "rate_card_id",
            "is required, or rate_card_alias, or terms with fixed amounts",
            id="nothing to bill",
        ),
        pytest.param({"rate_card_id": uuid7()}, "rate_card_id", "must be the id of a rate card", id="an unknown card"),
        pytest.param(
            {"rate_card_id": None, "rate_card_alias": "none"},
            "rate_card_alias",
            "must be an alias at the contract's start",
            id="an unknown alias",
        ),
        pytest.param(
            {"rate_card_alias": "standard"}, "rate_card_alias", "cannot be combined with rate_card_id", id="both"
        ),
        pytest.param({"name": "n" * 161}, "name", "must not be longer than 160 characters", id="a long name"),
        pytest.param(
            {"net_payment_terms_days": D("1.5")},
            "net_payment_terms_days",
            "must be a whole number of days from 0 to 36500",
            id="a day and a half",
        ),
        pytest.param(
            {"uniqueness_key": "k" * 129}, "uniqueness_key", "must not be longer than 128 characters", id="a long key"
        ),
        pytest.param(
            {"usage_statement_schedule": StatementScheduleInput(day="CUSTOM_DATE")},
            "usage_statement_schedule.billing_anchor_date",
            "is required for the day CUSTOM_DATE",
            id="no date of its own",
        ),
        pytest.param(
            {"usage_statement_schedule": StatementScheduleInput(billing_anchor_date=OCTOBER)},
            "usage_statement_schedule.billing_anchor_date",
            "belongs to the day CUSTOM_DATE",
            id="a date that would not be used",
        ),
        pytest.param(
            {"usage_statement_schedule": StatementScheduleInput(frequency="DAILY")},
            "usage_statement_schedule.frequency",
            "must be one of WEEKLY, MONTHLY, QUARTERLY, ANNUAL",
            id="an unknown frequency",
        ),
        pytest.param(
            {"multiplier_override_prioritization": "HIGHEST"},
            "multiplier_override_prioritization",
            "must be one of LOWEST_MULTIPLIER, EXPLICIT",
            id="an unknown scheme",
        ),
        pytest.param(
            {"scheduled_charges_on_usage_invoices": "SOME"},
            "scheduled_charges_on_usage_invoices",
            "must be ALL or absent",
            id="some charges on usage invoices",
        ),
        pytest.param(
            {"scheduled_charges": (CHARGE,)},
            "scheduled_charges[0].product_id",
            "must be the id of a product",
            id="a charge for an unknown product",
        ),
    ],
)
def test_a_contract_that_breaks_a_rule_is_not_created(told, wanted, field, rule):
    customer, card = CustomerFactory(), RateCardFactory()

    with pytest.raises(Refusal) as refused:
        services.create_contract(
            customer, ContractInput(**{"starting_at": OCTOBER, "rate_card_id": card.pk} | wanted), **told
        )

    assert errors(refused) == [(field, rule)]
    assert not Contract.objects.exists()
    assert ContractEdit.objects.count() == 1


def test_an_archived_rate_card_takes_no_new_contract(told):
    card = RateCardFactory(archived_at=OCTOBER)

    with pytest.raises(Refusal, match="rate_card_id: must not be that of an archived rate card"):
        services.create_contract(CustomerFactory(), ContractInput(OCTOBER, rate_card_id=card.pk), **told)


def test_everything_that_is_wrong_is_named_at_once(told):
    given = ContractInput(
        OCTOBER.replace(minute=1),
        rate_card_id=RateCardFactory().pk,
        overrides=(OverrideInput(OCTOBER), OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D(-1))),
    )

    with pytest.raises(Refusal) as refused:
        services.create_contract(CustomerFactory(), given, **told)

    assert [field for field, _ in errors(refused)] == ["starting_at", "overrides[0].type", "overrides[1].multiplier"]
    assert not Override.objects.exists()


def test_a_uniqueness_key_makes_one_contract_of_a_customer(told):
    customer, card = CustomerFactory(), RateCardFactory()
    given = ContractInput(OCTOBER, JANUARY, rate_card_id=card.pk, uniqueness_key="deal")
    services.create_contract(customer, given, **told)

    with pytest.raises(Conflict, match="uniqueness_key: was already used"):
        services.create_contract(customer, given, **told)
    services.create_contract(CustomerFactory(), given, **told)
    assert Contract.objects.count() == 2


def test_an_unknown_customer_gets_no_contract(told):
    with pytest.raises(NotFound, match="There is no such customer"):
        services.create_contract(uuid7(), ContractInput(OCTOBER, rate_card_id=RateCardFactory().pk), **told)


def test_an_archived_customer_gets_no_contract(told):
    customer = CustomerFactory(archived_at=OCTOBER)

    with pytest.raises(Refusal, match="customer that is not archived"):
        services.create_contract(customer, ContractInput(OCTOBER, rate_card_id=RateCardFactory().pk), **told)


class TestOverlaps:
    def create(self, customer, card, told, start=OCTOBER, end=None):
        return services.create_contract(customer, ContractInput(start, end, rate_card_id=card.pk), **told)

    def test_two_contracts_on_one_card_may_follow_each_other_but_not_overlap(self, told):
        first = ContractFactory(starting_at=OCTOBER, terms__ending_before=JANUARY)

        self.create(first.customer, first.rate_card, told, start=JANUARY)
        with pytest.raises(Refusal) as refused:
            self.create(first.customer, first.rate_card, told, start=JANUARY.replace(month=2))
        assert "are on the same rate card" in refused.value.message
        with pytest.raises(Refusal, match=str(first.pk)):
            self.create(first.customer, first.rate_card, told, start=MID_OCTOBER, end=JANUARY)
        assert Contract.objects.filter(customer=first.customer).count() == 2

    def test_cards_that_price_one_usage_product_may_not_run_side_by_side(self, told):
        product, first, second = ProductFactory(name="Calls"), RateCardFactory(), RateCardFactory()
        RateFactory(product=product, rate_card=first)
        RateFactory(product=product, rate_card=second)
        contract = ContractFactory(rate_card=first)

        with pytest.raises(Refusal, match="both price Calls"):
            self.create(contract.customer, second, told)

    def test_cards_without_a_common_usage_product_may(self, told):
        seats, first, second = SubscriptionProductFactory(), RateCardFactory(), RateCardFactory()
        withdrawn = ProductFactory()
        RateFactory(product=withdrawn, rate_card=first)
        RateWithdrawalFactory(rate=RateFactory(product=withdrawn, rate_card=second))
        for card in (first, second):
            SubscriptionRateFactory(product=seats, rate_card=card)
            RateFactory(rate_card=card)
        contract = ContractFactory(rate_card=first)

        self.create(contract.customer, second, told)
        self.create(CustomerFactory(), first, told)

    def test_looking_for_overlaps_takes_the_same_queries_beside_one_contract_and_beside_three(self, told):
        def queries(contracts, rates):
            customer, card = CustomerFactory(), RateCardFactory()
            for _ in range(contracts):
                other = ContractFactory(customer=customer)
                for _ in range(rates):
                    RateFactory(rate_card=other.rate_card)
            with CaptureQueriesContext(connection) as captured:
                self.create(customer, card, told)
            return len(captured)

        assert queries(1, 1) == queries(3, 3)


def test_the_engines_are_told_what_was_agreed(told):
    customer, card = CustomerFactory(), RateCardFactory()
    contract = services.create_contract(
        customer, ContractInput(MID_OCTOBER, JANUARY, rate_card_id=card.pk, name="Deal"), **told
    )

    (compiled,) = customer_terms(customer.pk).contracts
    assert (compiled.id, compiled.name, compiled.rate_card_id) == (contract.pk, "Deal", card.pk)
    assert (compiled.term.starting_at, compiled.term.ending_before) == (MID_OCTOBER, JANUARY)
    assert (compiled.frequency, compiled.billing_anchor_at, compiled.grace_hours) == ("MONTHLY", OCTOBER, 24)
