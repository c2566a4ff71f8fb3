"""One edit is one atomic, numbered fact; terms are added and removed, never overwritten."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, NotSupported, Refusal
from contracts import services
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    RateInput,
    ScheduledChargeInput,
    SegmentInput,
    TargetInput,
)
from contracts.models import AccessSegment, Commit, Contract, ContractEdit, InvoiceScheduleItem, Override
from contracts.queries import agreement, customer_terms, edit_history
from pricing.engine.targets import Target
from pricing.models import PricingUnit
from tests.factories.contracts import (
    CommitFactory,
    ContractFactory,
    CustomerFactory,
    OverrideFactory,
    ScheduledChargeFactory,
    ScheduledChargeItemFactory,
)
from tests.factories.pricing import FixedProductFactory, ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2025, 10, 15, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2025, 12, 1, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
HALF = OverrideInput(MID_OCTOBER, type="MULTIPLIER", multiplier=D("0.5"))


@pytest.fixture
def contract():
    return ContractFactory(starting_at=OCTOBER, terms__ending_before=JANUARY)


@pytest.fixture
def edit(contract, told):
    """Edit the contract; the words of `EditInput`."""
    return lambda **given: services.edit_contract(contract.customer, contract.pk, EditInput(**given), **told)


@pytest.fixture
def refused(edit, contract):
    """The (field, rule) of each refusal of an edit, which has left nothing behind."""

    def refusals(**given):
        before = ContractEdit.objects.count()
        with pytest.raises(Refusal) as refusal:
            edit(**given)
        assert ContractEdit.objects.count() == before
        return [(error.field, error.rule) for error in refusal.value.errors]

    return refusals


def commit(amount=D(500), start=OCTOBER, end=JANUARY, due=JANUARY, product=None, invoiced=None, **given):
    return CommitInput(
        (product or FixedProductFactory()).pk,
        given.pop("type", "POSTPAID"),
        AccessScheduleInput((SegmentInput(amount, start, end),)),
        InvoiceScheduleInput((InvoiceItemInput(due, amount=invoiced or amount),)),
        **given,
    )


def charge(*dates, amount=D(10)):
    return ScheduledChargeInput(
        FixedProductFactory().pk,
        InvoiceScheduleInput(tuple(InvoiceItemInput(date, amount=amount) for date in dates)),
    )


def test_a_commit_and_a_discount_in_one_edit(contract, edit, told):
    product = ProductFactory()

    made = edit(
        add_commits=(commit(name="Year end", priority=D(7)),),
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
        ("archive_scheduled_charges[0].id", "must be the id of a scheduled charge of the contract"),
    ]


class TestOverrides:
    @pytest.mark.parametrize(
        ("given", "field", "rule"),
        [
            pytest.param(
                {"starting_at": OCTOBER.replace(minute=30)},
                "starting_at",
                "must be on the hour (UTC)",
                id="off the hour",
            ),
            pytest.param(
                {"ending_before": MID_OCTOBER}, "ending_before", "must be later than starting_at", id="empty range"
            ),
            pytest.param({"multiplier": D(-1)}, "multiplier", "must not be negative", id="a negative multiplier"),
            pytest.param({"multiplier": D("NaN")}, "multiplier", "must be a finite number", id="not a number"),
            pytest.param({"multiplier": None}, "multiplier", "is required for the type MULTIPLIER", id="no multiplier"),
            pytest.param(
                {"type": "", "multiplier": None},
                "type",
                "is required, unless the override only says whether products are entitled",
                id="no type",
            ),
            pytest.param(
                {"type": "", "entitled": True}, "multiplier", "belongs to the type MULTIPLIER", id="a stray multiplier"
            ),
            pytest.param(
                {"overwrite_rate": RateInput("FLAT", D(1))},
                "overwrite_rate",
                "belongs to the type OVERWRITE",
                id="a stray price",
            ),
            pytest.param({"priority": D(0)}, "priority", "must be greater than 0", id="priority zero"),
            pytest.param({"type": "HALVE"}, "type", "must be MULTIPLIER or OVERWRITE", id="an unknown type"),
            pytest.param({"product_id": uuid7()}, "product_id", "must be the id of a product", id="an unknown product"),
            pytest.param(
                {"override_specifiers": (TargetInput(uuid7()),)},
                "override_specifiers[0].product_id",
                "must be the id of a product",
                id="an unknown product in a specifier",
            ),
            pytest.param(
                {"override_specifiers": (TargetInput(),)},
                "override_specifiers[0].product_id",
                "is required, or product_tags, or group values",
                id="an empty specifier",
            ),
            pytest.param(
                {"applicable_product_tags": ("a",), "override_specifiers": (TargetInput(product_tags=("a",)),)},
                "override_specifiers",
                "cannot be combined with applicable_product_tags",
                id="two ways to target",
            ),
            pytest.param(
                {"applicable_product_tags": ("a", "a")},
                "applicable_product_tags[1]",
                "must be there only once",
                id="a tag twice",
            ),
        ],
    )
    def test_an_override_that_breaks_a_rule_is_refused(self, refused, given, field, rule):
        whole = {"starting_at": MID_OCTOBER, "type": "MULTIPLIER", "multiplier": D("0.5")} | given
        found = refused(add_overrides=(HALF, OverrideInput(**whole)))

        assert (f"add_overrides[1].{field}", rule) in found
        assert all(path.startswith("add_overrides[1].") for path, _ in found)

    def test_only_products_with_rates_are_overridden(self, refused):
        fixed = FixedProductFactory(name="Setup")

        assert refused(add_overrides=(OverrideInput(OCTOBER, entitled=True, product_id=fixed.pk),)) == [
            ("add_overrides[0].product_id", "must be a product with rates; Setup is FIXED")
        ]

    def test_group_values_have_to_be_of_keys_that_the_product_declares(self, refused, edit, contract):
        product = ProductFactory(
            name="Tokens", version__pricing_group_key=["model"], version__presentation_group_key=["team"]
        )
        wrong = TargetInput(product.pk, pricing_group_values={"team": "a"}, presentation_group_values={"model": "xl"})
        right = TargetInput(product.pk, pricing_group_values={"model": "xl"}, presentation_group_values={"team": "a"})

        def on(target):
            return {
                "add_overrides": (
                    OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D(2), override_specifiers=(target,)),
                )
            }

        where = "add_overrides[0].override_specifiers[0]"
        assert refused(**on(wrong)) == [
            (f"{where}.pricing_group_values", "must be among the keys that Tokens declares (model)"),
            (f"{where}.presentation_group_values", "must be among the keys that Tokens declares (team)"),
        ]
        edit(**on(right))
        (compiled,) = customer_terms(contract.customer.pk).contracts
        assert compiled.overrides[0].targets == (Target(product.pk, (), (("model", "xl"),), (("team", "a"),)),)

    def test_an_overwritten_price_is_that_of_one_product_with_all_its_values(self, refused, edit):
        product = ProductFactory(version__pricing_group_key=["model", "region"])

        def overwrite(**target):
            return {
                "add_overrides": (
                    OverrideInput(OCTOBER, type="OVERWRITE", overwrite_rate=RateInput("FLAT", D(3)), **target),
                )
            }

        whole = TargetInput(product.pk, pricing_group_values={"model": "xl", "region": "eu"})
        edit(**overwrite(override_specifiers=(whole,)))
        edit(**overwrite(product_id=ProductFactory().pk))
        where = "add_overrides[0]"
        assert refused(**overwrite(product_id=product.pk)) == [
            (f"{where}.pricing_group_values", "must give all of model, region")
        ]
        partly = TargetInput(product.pk, ("cheap",), {"model": "xl"}, {})
        assert refused(**overwrite(override_specifiers=(partly,))) == [
            (f"{where}.override_specifiers[0].product_tags", "cannot be used to overwrite a price"),
            (f"{where}.override_specifiers[0].pricing_group_values", "must give all of model, region"),
        ]
        assert refused(**overwrite(applicable_product_tags=("cheap",))) == [
            (f"{where}.applicable_product_tags", "cannot be used to overwrite a price")
        ]
        assert refused(**overwrite()) == [(f"{where}.product_id", "is required to overwrite a price")]

    def test_an_overwritten_price_is_a_flat_one_in_the_cards_unit(self, refused, edit):
        product, euro = ProductFactory(), PricingUnit.objects.get(code="EUR")

        def with_rate(rate):
            override = OverrideInput(OCTOBER, type="OVERWRITE", overwrite_rate=rate, product_id=product.pk)
            return {"add_overrides": (override,)}

        assert refused(**with_rate(RateInput("FLAT")))[0] == ("add_overrides[0].overwrite_rate.price", "is required")
        assert refused(**with_rate(RateInput("FLAT", D(-1))))[0][1] == "must not be negative"
        assert refused(**with_rate(None)) == [("add_overrides[0].overwrite_rate", "is required for the type OVERWRITE")]
        (in_euro,) = refused(**with_rate(RateInput("FLAT", D(1), euro.pk)))
        assert in_euro[0] == "add_overrides[0].overwrite_rate.credit_type_id"
        assert "USD (cents)" in in_euro[1]
        with pytest.raises(NotSupported, match=r"add_overrides\[0\].overwrite_rate.rate_type"):
            edit(**with_rate(RateInput("TIERED", D(1))))

    def test_tiered_overrides_are_not_supported(self, edit):
        with pytest.raises(NotSupported, match=r"add_overrides\[0\].type"):
            edit(add_overrides=(OverrideInput(OCTOBER, type="TIERED"),))

    def test_multipliers_that_are_ranked_explicitly_need_a_priority(self, told):
        explicit = ContractFactory(multiplier_override_prioritization="EXPLICIT")

        def add(override):
            services.edit_contract(explicit.customer, explicit.pk, EditInput(add_overrides=(override,)), **told)

        with pytest.raises(Refusal, match="priority: is required"):
            add(HALF)
        add(OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D("0.5"), priority=D("1.5")))
        add(OverrideInput(OCTOBER, entitled=False))
        assert Override.objects.count() == 2

    def test_overrides_keep_the_order_in_which_they_were_given(self, edit, contract):
        edit(add_overrides=tuple(OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D(m)) for m in range(9)))

        (compiled,) = customer_terms(contract.customer.pk).contracts
        assert [(o.multiplier, o.position) for o in compiled.overrides] == [(D(m), m) for m in range(9)]


class TestCommits:
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
    def test_a_commit_that_breaks_a_rule_is_refused(self, refused, given, field, rule):
        assert refused(add_commits=(commit(**given),)) == [(f"add_commits[0].{field}", rule)]

    def test_its_true_up_may_be_at_any_time_after_its_access(self, edit):
        edit(add_commits=(commit(due=JANUARY.replace(minute=17)),))

        assert InvoiceScheduleItem.objects.get().issued_at == JANUARY.replace(minute=17)

    def test_it_has_exactly_one_segment_and_one_true_up(self, refused):
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

    def test_it_is_in_the_unit_of_the_rate_card(self, refused, told):
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
        given = EditInput(add_commits=(in_euro(), commit()))
        services.edit_contract(european.customer, european.pk, given, **told)
        assert {committed.unit for committed in Commit.objects.all()} == {euro}

    def test_its_product_is_a_fixed_one(self, refused):
        usage = ProductFactory(name="Calls")

        assert refused(add_commits=(commit(product=usage),)) == [
            ("add_commits[0].product_id", "must be a FIXED product; Calls is USAGE")
        ]

    def test_prepaid_commits_are_not_supported_yet(self, edit):
        with pytest.raises(NotSupported, match=r"add_commits\[0\].type: is not supported yet"):
            edit(add_commits=(commit(type="PREPAID"),))

    def test_it_may_be_for_some_products_only(self, edit, contract):
        one, other = ProductFactory(), ProductFactory()

        edit(add_commits=(commit(applicable_product_ids=(one.pk, other.pk), applicable_product_tags=("ai",)),))

        (compiled,) = customer_terms(contract.customer.pk).contracts
        assert compiled.commits[0].targets == (
            Target(product_id=one.pk),
            Target(product_id=other.pk),
            Target(product_tags=("ai",)),
        )
        assert compiled.commits[0].priority == 100


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

        ((field, rule),) = refused(add_scheduled_charges=(charge(MID_OCTOBER, OCTOBER),))
        assert field == "add_scheduled_charges[0].schedule.schedule_items"
        assert "have fallen due" in rule
        edit(add_scheduled_charges=(charge(MID_OCTOBER, DECEMBER),))

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
    """Whatever reaches back over `billed_through` is refused, with the date."""

    @pytest.fixture(autouse=True)
    def billed(self, contract):
        Contract.objects.filter(pk=contract.pk).update(billed_through=NOVEMBER)

    def refused_for(self, refusals):
        (field, rule) = refusals[0]
        assert "2025-11-01T00:00:00+00:00" in rule
        assert len(refusals) == 1
        return field

    def test_an_override_must_start_later(self, refused, edit):
        assert self.refused_for(refused(add_overrides=(HALF,))) == "add_overrides[0].starting_at"
        edit(add_overrides=(OverrideInput(NOVEMBER, type="MULTIPLIER", multiplier=D("0.5")),))

    def test_a_commit_must_open_later(self, refused, edit):
        field = self.refused_for(refused(add_commits=(commit(),)))
        assert field == "add_commits[0].access_schedule.schedule_items[0].starting_at"
        edit(add_commits=(commit(start=NOVEMBER),))

    def test_what_was_billed_is_not_removed(self, refused, edit, contract):
        old, new = (OverrideFactory(contract=contract, starting_at=start) for start in (OCTOBER, NOVEMBER))
        committed = CommitFactory(contract=contract)

        assert self.refused_for(refused(remove_overrides=(new.pk, old.pk))) == "remove_overrides[1].id"
        assert self.refused_for(refused(archive_commits=(committed.pk,))) == "archive_commits[0].id"
        edit(remove_overrides=(new.pk,))

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
        (before,) = customer_terms(contract.customer.pk, at_edit=made.number - 1).contracts
        assert {item.issued_at for each in before.commits for item in each.invoice_items} == {JANUARY}

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
