"""One edit is one atomic, numbered fact; terms are added and removed, never overwritten."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from contracts import services
from contracts.inputs import (
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    ScheduledChargeInput,
    TargetInput,
)
from contracts.models import AccessSegment, Commit, Contract, InvoiceScheduleItem, Override, SegmentUse
from contracts.queries import agreement, customer_terms, edit_history
from pricing.engine.targets import Target
from tests.factories.contracts import (
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    OverrideFactory,
    ScheduledChargeFactory,
    ScheduledChargeItemFactory,
    charge_input,
    commit_input,
)
from tests.factories.pricing import FixedProductFactory, ProductFactory, RateFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
HALF = OverrideInput(MID_OCTOBER, type="MULTIPLIER", multiplier=D("0.5"))


def test_a_commit_and_a_discount_in_one_edit(contract, edit, told):
    product = ProductFactory()

    made = edit(
        add_commits=(commit_input(name="Year end", priority=D(7)),),
        add_overrides=(
            OverrideInput(
                MID_OCTOBER, type="MULTIPLIER", multiplier=D("0.5"), override_specifiers=(TargetInput(product.pk),)
            ),
        ),
        uniqueness_key="deal",
        reason="the deal",
    )

    assert (made.number, made.kind, made.reason, made.created_at) == (3, "EDIT", "the deal", told["at"])
    (edited,) = edit_history(contract.customer.pk, contract.pk)
    assert (edited.edit, len(edited.overrides), len(edited.commits)) == (made, 1, 1)
    (compiled,) = customer_terms(contract.customer.pk).contracts
    (override,), (committed,) = compiled.overrides, compiled.commits
    assert (override.targets, override.multiplier) == ((Target(product_id=product.pk),), D("0.5"))
    assert (committed.name, committed.priority, committed.targets) == ("Year end", D(7), ())
    assert (committed.segments[0].amount, committed.invoice_items[0].issued_at) == (D(500), JANUARY)


def test_what_is_removed_is_gone_after_the_edit_and_there_before(contract, edit):
    override, committed = OverrideFactory(contract=contract, starting_at=OCTOBER), CommitFactory(contract=contract)

    made = edit(remove_overrides=(override.pk,), archive_commits=(committed.pk,))

    (before,) = customer_terms(contract.customer.pk, at_edit=made.number - 1).contracts
    (after,) = customer_terms(contract.customer.pk).contracts
    assert ([o.id for o in before.overrides], [c.id for c in before.commits]) == ([override.pk], [committed.pk])
    assert (after.overrides, after.commits) == ((), ())
    assert customer_terms(contract.customer.pk, at_edit=made.number).contracts == (after,)
    assert {
        model: model.objects.get().removed_by_edit for model in (Override, Commit, AccessSegment, InvoiceScheduleItem)
    } == dict.fromkeys((Override, Commit, AccessSegment, InvoiceScheduleItem), made)


def test_name_end_and_net_terms_are_replaced_or_cleared(contract, edit):
    edit(update_contract_name="Deal", update_net_payment_terms_days=D(30))
    named = agreement(contract.customer.pk, contract.pk).terms
    assert (named.name, named.net_payment_terms_days, named.ending_before) == ("Deal", 30, JANUARY)

    made = edit(update_contract_name=None, update_net_payment_terms_days=None, update_contract_end_date=None)
    cleared = agreement(contract.customer.pk, contract.pk).terms
    assert (cleared.name, cleared.net_payment_terms_days, cleared.ending_before) == ("", None, None)
    assert made.changes == {
        "update_contract_name": None,
        "update_net_payment_terms_days": None,
        "update_contract_end_date": None,
    }


def test_an_edit_that_changes_nothing_is_refused(edit, contract):
    with pytest.raises(Refusal, match="The edit changes nothing"):
        edit(uniqueness_key="deal", reason="because")
    assert edit_history(contract.customer.pk, contract.pk) == []


def test_a_used_key_is_a_conflict_and_nothing_happens_again(edit, contract):
    edit(add_overrides=(HALF,), uniqueness_key="deal")

    with pytest.raises(Conflict, match="uniqueness_key: was already used"):
        edit(add_overrides=(HALF,), uniqueness_key="deal")
    assert Override.objects.count() == 1


def test_a_contract_is_edited_only_as_its_customers_own(contract, told):
    given = EditInput(add_overrides=(HALF,))

    for customer, contract_id in ((CustomerFactory(), contract.pk), (contract.customer, uuid7())):
        with pytest.raises(NotFound, match="There is no such contract"):
            services.edit_contract(customer, contract_id, given, **told)
    with pytest.raises(NotFound, match="There is no such customer"):
        services.edit_contract(uuid7(), contract.pk, given, **told)


def test_terms_of_another_contract_are_not_found(contract, refused):
    other = ContractFactory(customer=contract.customer)

    assert refused(
        remove_overrides=(OverrideFactory(contract=other).pk,),
        archive_commits=(CommitFactory(contract=other).pk,),
        archive_scheduled_charges=(ScheduledChargeFactory(contract=other).pk,),
    ) == [
        ("remove_overrides[0].id", "must be the id of an override of the contract"),
        ("archive_commits[0].id", "must be the id of a commit of the contract"),
        ("archive_scheduled_charges[0].id", "must be the id of a scheduled charge or discount of the contract"),
    ]


class TestScheduledCharges:
    def test_archiving_one_keeps_the_dates_that_have_fallen_due(self, edit, contract, told):
        past, future = ScheduledChargeFactory(contract=contract, item__issued_at=OCTOBER), None
        ScheduledChargeItemFactory(charge=past, issued_at=told["at"])
        ScheduledChargeItemFactory(charge=past, issued_at=DECEMBER)
        future = ScheduledChargeFactory(contract=contract, item__issued_at=DECEMBER)

        edit(archive_scheduled_charges=(past.pk, future.pk))

        (left,) = agreement(contract.customer.pk, contract.pk).charges
        assert (left.charge, {item.issued_at for item in left.items}) == (past, {OCTOBER, told["at"]})

    def test_another_charge_on_a_date_that_has_fallen_due_would_never_be_billed(self, edit, refused, contract):
        ScheduledChargeFactory(contract=contract, item__issued_at=OCTOBER)
        ScheduledChargeFactory(contract=contract, item__issued_at=DECEMBER)

        ((field, rule),) = refused(add_scheduled_charges=(charge_input(MID_OCTOBER, OCTOBER),))
        assert field == "add_scheduled_charges[0].schedule.schedule_items"
        assert "have fallen due" in rule
        edit(add_scheduled_charges=(charge_input(MID_OCTOBER, DECEMBER),))

    def test_it_has_something_to_bill(self, refused):
        nothing = ScheduledChargeInput(FixedProductFactory().pk, InvoiceScheduleInput())
        unbilled = ScheduledChargeInput(
            FixedProductFactory().pk,
            InvoiceScheduleInput((InvoiceItemInput(DECEMBER, amount=D(1)),), do_not_invoice=True),
        )

        assert [field for field, _ in refused(add_scheduled_charges=(nothing, unbilled))] == [
            "add_scheduled_charges[0].schedule.schedule_items",
            "add_scheduled_charges[1].schedule.do_not_invoice",
        ]


class TestFinalPeriods:
    """What reaches back over `billed_through` is refused, with the date; but for overrides, which call for notes."""

    @pytest.fixture(autouse=True)
    def billed(self, contract):
        Contract.objects.filter(pk=contract.pk).update(billed_through=NOVEMBER)

    def refused_for(self, refusals):
        (field, rule) = refusals[0]
        assert "2025-11-01T00:00:00+00:00" in rule
        assert len(refusals) == 1
        return field

    def test_an_override_may_reach_back(self, edit, contract):
        edit(add_overrides=(HALF,))
        [override] = agreement(contract.customer.pk, contract.pk).overrides
        assert override.starting_at < NOVEMBER
        edit(remove_overrides=(override.pk,))
        assert not agreement(contract.customer.pk, contract.pk).overrides

    def test_a_commit_must_open_later(self, refused, edit):
        field = self.refused_for(refused(add_commits=(commit_input(),)))
        assert field == "add_commits[0].access_schedule.schedule_items[0].starting_at"
        edit(add_commits=(commit_input(start=NOVEMBER),))

    def test_what_was_billed_is_not_removed(self, refused, edit, contract):
        used, unused = CommitFactory(contract=contract), CommitFactory(contract=contract)
        SegmentUse.objects.create(
            segment_id=used.segments.get().pk, customer=contract.customer, posted=D(-1), drawn=D(1), rolled_over=D(0)
        )

        [(field, rule)] = refused(archive_commits=(unused.pk, used.pk))
        assert (field, "something has been taken from it" in rule) == ("archive_commits[1].id", True)
        edit(archive_commits=(unused.pk,))

    def test_the_end_stays_behind_what_was_billed(self, refused, edit):
        assert self.refused_for(refused(update_contract_end_date=MID_OCTOBER)) == "update_contract_end_date"
        edit(update_contract_end_date=NOVEMBER)

    def test_names_and_net_terms_may_change(self, edit):
        edit(update_contract_name="Deal", update_net_payment_terms_days=D(14))


class TestEnds:
    def test_an_earlier_end_drops_later_charges_and_brings_the_true_up_forward(self, edit, contract):
        kept = ScheduledChargeFactory(contract=contract, item__issued_at=DECEMBER)
        ScheduledChargeItemFactory(charge=kept, issued_at=DECEMBER.replace(day=2))
        ScheduledChargeFactory(contract=contract, item__issued_at=JANUARY)
        committed = CommitFactory(contract=contract)
        archived = CommitFactory(contract=contract)

        made = edit(update_contract_end_date=DECEMBER, archive_commits=(archived.pk,))

        agreed = agreement(contract.customer.pk, contract.pk)
        assert [[item.issued_at for item in charged.items] for charged in agreed.charges] == [[DECEMBER]]
        ((item,),) = [each.invoice_items for each in agreed.commits if each.commit == committed]
        assert (item.issued_at, item.amount) == (DECEMBER, D(10_000_000))
        assert [each.commit for each in agreed.commits] == [committed]
        assert InvoiceScheduleItem.objects.standing().count() == 1
        (before,) = customer_terms(contract.customer.pk, at_edit=made.number - 1).contracts
        assert {item.issued_at for each in before.commits for item in each.invoice_items} == {JANUARY}

    def test_charges_that_have_fallen_due_stay_whatever_the_new_end(self, edit, contract):
        due = ScheduledChargeFactory(contract=contract, item__issued_at=MID_OCTOBER.replace(day=20))

        edit(update_contract_end_date=MID_OCTOBER)

        assert [charged.charge for charged in agreement(contract.customer.pk, contract.pk).charges] == [due]

    def test_a_later_end_moves_nothing_else(self, edit, contract):
        CommitFactory(contract=contract)

        edit(update_contract_end_date=JANUARY.replace(month=3))

        (committed,) = agreement(contract.customer.pk, contract.pk).commits
        assert [item.issued_at for item in committed.invoice_items] == [JANUARY]

    @pytest.mark.parametrize(
        ("end", "rule"),
        [
            pytest.param(NOVEMBER.replace(second=1), "must be on the hour (UTC)", id="off the hour"),
            pytest.param(
                OCTOBER, "must be later than the contract's start, 2025-10-01T00:00:00+00:00", id="at its start"
            ),
        ],
    )
    def test_an_impossible_end_is_refused(self, refused, end, rule):
        assert refused(update_contract_end_date=end) == [("update_contract_end_date", rule)]

    def test_a_later_end_may_not_overlap_another_contract(self, refused, contract):
        ContractFactory(customer=contract.customer, rate_card=contract.rate_card, starting_at=JANUARY)

        ((field, rule),) = refused(update_contract_end_date=None)
        assert field == "update_contract_end_date"
        assert "same rate card" in rule

    def test_a_short_last_period_that_is_billed_is_not_made_longer(self, told):
        def ended(billed_through):
            contract = ContractFactory(
                starting_at=OCTOBER, billed_through=billed_through, terms__ending_before=billed_through
            )
            given = EditInput(update_contract_end_date=JANUARY)
            services.edit_contract(contract.customer, contract.pk, given, **told)

        ended(NOVEMBER)
        with pytest.raises(Refusal, match="create a contract that starts there"):
            ended(MID_OCTOBER)

    def test_rates_of_other_cards_do_not_matter_to_a_contract_without_one(self, told):
        bare = ContractFactory(rate_card=None, terms__ending_before=NOVEMBER)
        RateFactory(rate_card=ContractFactory(customer=bare.customer).rate_card)

        services.edit_contract(bare.customer, bare.pk, EditInput(update_contract_end_date=None), **told)
        assert agreement(bare.customer.pk, bare.pk).terms.ending_before is None


def test_an_archived_contract_is_not_edited(contract, edit):
    Contract.objects.filter(pk=contract.pk).update(archived_at=NOVEMBER)

    with pytest.raises(Refusal, match="contract that is not archived"):
        edit(add_overrides=(HALF,))
