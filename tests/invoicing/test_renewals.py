"""Renewals with the official SDK: what goes over, what expires, what is owed, and what is not billed any more.

Acme's contract runs from October to the end of the year; API calls cost 2 cents. It is renewed on 1 December.
"""

from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation import tokens
from contracts.models import Contract
from invoicing.services import finalize_due
from ledger.models import LedgerEntry
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db

NEXT_YEAR = at("2027-01-01")


class Deal:
    """What RevOps and the customer's machine see of Acme's two contracts."""

    def __init__(self, client, acme):
        self.client, self.acme = client, acme
        self.whose = {"customer_id": str(acme.customer.pk)}
        self.old = str(acme.contract.pk)
        self.product = str(FixedProductFactory().pk)

    def grants(self, *terms, **more):
        lists = {"add_commits": [each for each in terms if "type" in each]}
        lists["add_credits"] = [each for each in terms if "type" not in each]
        self.client.v2.contracts.edit(**self.whose, contract_id=self.old, **lists, **more)

    def commit(self, amount, fraction, *, start=OCTOBER, end=JANUARY, **more):
        items = [{"amount": amount, "starting_at": start, "ending_before": end}]
        plain = {"product_id": self.product, "access_schedule": {"schedule_items": items}, "type": "PREPAID"}
        return plain | {"rollover_fraction": fraction} | more

    def credit(self, amount, fraction, **more):
        terms = self.commit(amount, fraction, **more)
        del terms["type"]
        return terms

    def renew(self, start=DECEMBER, end=NEXT_YEAR, trueup=None, **more):
        transition = {"type": "RENEWAL", "from_contract_id": self.old}
        if trueup:
            transition["future_invoice_behavior"] = {"trueup": trueup}
        terms = {"rate_card_id": str(self.acme.prices.card.pk), "starting_at": start, "ending_before": end}
        made = self.client.v1.contracts.create(**self.whose, **terms, transition=transition, **more)
        return made.data.id

    def balances(self, contract_id):
        """Of one contract, by name."""
        asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True}
        found = self.client.v1.contracts.list_balances(**self.whose, **asked)
        return {each.name: each for each in found if each.contract.id == contract_id}

    def ledger(self, contract_id, name):
        found = self.balances(contract_id)[name]
        prefix = "CREDIT_" if found.type == "CREDIT" else f"{found.type}_COMMIT_"
        entries = [
            (each.type.removeprefix(prefix).lower(), each.amount, f"{each.timestamp:%d %b}") for each in found.ledger
        ]
        return [entry for entry in entries if entry[0] != "segment_start"]

    def scheduled(self, status="DRAFT"):
        found = self.client.v1.customers.invoices.list(**self.whose, type="SCHEDULED", status=status)
        return sorted((each.contract_id, each.issued_at, each.total) for each in found if each.total)

    def final_through(self, *instants):
        for instant in instants:
            finalize_due(self.acme.customer.pk, at=at(instant), by=ADA)


@pytest.fixture
def deal(acme, clock_at):
    clock_at("2025-10-01")
    _, secret = tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)
    return Deal(sdk(secret), acme)


@pytest.mark.parametrize(
    ("fraction", "calls", "over", "expires"), [(0.5, 30, 50, 0), (0.5, 10, 50, 30), (1, 10, 80, 0), (0.3, 50, 0, 0)]
)
def test_what_is_left_goes_over_up_to_its_fraction_and_the_rest_expires(
    deal, acme, clock_at, fraction, calls, over, expires
):
    """100 from October on, 20 to 100 of it used by December."""
    deal.grants(deal.commit(100, fraction, name="Pack"))
    acme.calls("2025-10-05T10", calls)
    clock_at("2025-12-10")
    new = deal.renew()
    used = 2 * calls
    left = min(over, 100 - used)
    entries = [("automated_invoice_deduction", -used, "01 Nov")]
    if expires or 100 - used - left:
        entries.append(("expiration", -(100 - used - left), "01 Dec"))
    if left:
        entries.insert(1, ("rollover", -left, "01 Dec"))

    for _ in range(2):
        assert sorted(deal.ledger(deal.old, "Pack")) == sorted(entries)
        assert deal.balances(deal.old)["Pack"].balance == 0
        taken = deal.balances(new)
        assert {name: each.balance for name, each in taken.items()} == ({"Pack": left} if left else {})
        deal.final_through("2025-11-02", "2025-12-02")


def test_what_went_over_is_a_commit_of_the_renewal_drawn_on_before_its_own(deal, acme, clock_at):
    """40 of 100 go over on 1 December; 60 are used in December: 40 of what went over, 20 of the renewal's own 50."""
    deal.grants(deal.commit(100, 0.4, name="Pack", priority=9, custom_fields={"deal": "7"}))
    clock_at("2025-12-10")
    own = deal.commit(50, None, start=DECEMBER, end=NEXT_YEAR, name="Own", priority=1)
    new = deal.renew(commits=[own])
    acme.calls("2025-12-05T10", 30)

    taken, own = deal.balances(new)["Pack"], deal.balances(new)["Own"]
    assert (taken.balance, own.balance) == (0, 30)
    source = deal.balances(deal.old)["Pack"]
    assert (taken.rolled_over_from.commit_id, taken.rolled_over_from.contract_id) == (source.id, deal.old)
    [segment] = taken.access_schedule.schedule_items
    assert (segment.amount, segment.starting_at, segment.ending_before) == (40, DECEMBER, NEXT_YEAR)
    assert (taken.priority, taken.custom_fields, taken.rollover_fraction) == (9, {"deal": "7"}, None)
    assert [entry.new_contract_id for entry in source.ledger if entry.type.endswith("ROLLOVER")] == [new]
    assert source.rollover_fraction == 0.4


def test_reads_of_contracts_show_what_they_renew_and_have_taken_over(deal, acme, clock_at):
    deal.grants(deal.commit(100, 1, name="Pack"), deal.credit(30, 0.5, name="Goodwill"))
    clock_at("2025-12-10")
    new = deal.renew()
    old = deal.client.v2.contracts.retrieve(**deal.whose, contract_id=deal.old).data
    renewal = deal.client.v2.contracts.retrieve(**deal.whose, contract_id=new).data
    step = ("RENEWAL", deal.old, new)

    for contract in (old, renewal):
        assert [(each.type, each.from_contract_id, each.to_contract_id) for each in contract.transitions] == [step]
    assert [each.name for each in renewal.commits] == ["Pack"]
    assert [(each.name, each.rolled_over_from.credit_id) for each in renewal.credits] == [
        ("Goodwill", old.credits[0].id)
    ]
    assert (old.ending_before, old.commits[0].access_schedule.schedule_items[0].ending_before) == (DECEMBER, DECEMBER)
    listed = deal.client.v2.contracts.list(**deal.whose, include_balance=True).data
    assert {each.id: [commit.balance for commit in each.commits] for each in listed} == {deal.old: [0], new: [100]}
    before = deal.client.v2.contracts.retrieve(**deal.whose, contract_id=deal.old, as_of_date="2025-12-09").data
    assert (before.transitions, before.ending_before) == ([], JANUARY)
    [edit, *_] = [each for each in deal.client.v2.contracts.get_edit_history(**deal.whose, contract_id=deal.old).data
                  if each.update_contract_end_date]  # fmt: skip
    assert edit.update_contract_end_date == DECEMBER


def test_a_contract_that_ends_with_its_renewal_is_not_edited(deal, clock_at):
    clock_at("2025-12-10")
    deal.renew(start=JANUARY)
    assert deal.client.v2.contracts.get_edit_history(**deal.whose, contract_id=deal.old).data == []


def test_where_the_renewal_is_open_it_lasts_as_long_as_it_was_agreed(deal, clock_at):
    deal.grants(deal.commit(100, 1, name="Pack"))
    clock_at("2025-12-10")
    [segment] = deal.balances(deal.renew(end=None))["Pack"].access_schedule.schedule_items
    assert segment.ending_before - segment.starting_at == JANUARY - OCTOBER


@pytest.mark.parametrize(("trueup", "billed"), [(None, [700]), ("AS_IS", [700]), ("REMOVE", [])])
def test_true_ups_of_the_renewed_contract_stay_or_go(deal, acme, clock_at, trueup, billed):
    """1,000 promised until the year's end, 300 used by the renewal."""
    due = {"schedule_items": [{"amount": 1000, "timestamp": JANUARY}]}
    deal.grants(deal.commit(1000, None, type="POSTPAID", invoice_schedule=due, name="Promise"))
    acme.calls("2025-10-05T10", 150)
    clock_at("2025-12-10")
    deal.renew(trueup=trueup)
    acme.calls("2025-12-05T10", 10)
    assert deal.scheduled() == [(deal.old, JANUARY, amount) for amount in billed]
    deal.final_through("2025-11-02", "2025-12-02", "2026-01-02", "2026-01-03")
    clock_at("2026-01-03")
    assert deal.scheduled(status="FINALIZED") == [(deal.old, JANUARY, amount) for amount in billed]
    rest = ("trueup", -700, "01 Jan") if billed else ("expiration", -700, "01 Dec")
    assert rest in deal.ledger(deal.old, "Promise")
    assert deal.balances(deal.old)["Promise"].balance == 0


def test_an_obligation_goes_over_and_is_owed_at_the_end_of_the_renewal(deal, acme, clock_at):
    """1,000 promised, 300 used; half goes over: 200 are due at once, 500 less the 60 of December at its end."""
    due = {"schedule_items": [{"amount": 1000, "timestamp": JANUARY}]}
    deal.grants(deal.commit(1000, 0.5, type="POSTPAID", invoice_schedule=due, name="Promise"))
    acme.calls("2025-10-05T10", 150)
    clock_at("2025-12-10")
    new = deal.renew()
    acme.calls("2025-12-05T10", 30)
    assert deal.scheduled() == [(deal.old, JANUARY, 200), (new, NEXT_YEAR, 440)]
    assert deal.ledger(deal.old, "Promise") == [
        ("initial_balance", 1000, "01 Oct"),
        ("automated_invoice_deduction", -300, "01 Nov"),
        ("rollover", -500, "01 Dec"),
    ]
    assert deal.balances(new)["Promise"].balance == 440
    deal.final_through("2025-11-02", "2025-12-02", "2026-01-02", "2026-01-03")
    clock_at("2026-01-03")
    assert deal.scheduled(status="FINALIZED") == [(deal.old, JANUARY, 200)]
    assert deal.balances(deal.old)["Promise"].balance == 0
    assert list(LedgerEntry.objects.filter(type__endswith="ROLLOVER").values_list("amount", "new_contract_id")) == [
        (D(-500), Contract.objects.get(renews__isnull=False).pk)
    ]


def test_what_was_to_be_charged_after_the_renewal_is_not(deal, clock_at):
    monthly = {"schedule_items": [{"amount": 10, "timestamp": date} for date in (NOVEMBER, DECEMBER, at("2025-12-15"))]}
    deal.grants(
        deal.commit(100, 1, invoice_schedule=monthly, name="Pack"),
        add_scheduled_charges=[{"product_id": deal.product, "schedule": monthly, "name": "Support"}],
    )
    clock_at("2025-10-20")
    deal.renew()
    assert deal.scheduled() == [(deal.old, NOVEMBER, 20), (deal.old, DECEMBER, 20)]


@pytest.mark.parametrize(
    ("start", "terms", "rule"),
    [
        pytest.param(OCTOBER, {}, "must be a contract that starts before its renewal", id="at its start"),
        pytest.param(at("2026-01-02"), {}, "must be a contract that runs up to its renewal", id="after a gap"),
        pytest.param(at("2025-10-15"), {}, "usage up to then is on final invoices", id="over final invoices"),
        pytest.param(DECEMBER, {"transition": {"type": "SUPERSEDE"}}, "must be one of RENEWAL", id="another kind"),
    ],
)
def test_what_cannot_be_renewed_is_refused_by_name_and_nothing_changes(deal, acme, clock_at, start, terms, rule):
    acme.calls("2025-10-05T10", 1)
    deal.final_through("2025-11-02")
    clock_at("2025-12-10")
    plain = {"rate_card_id": str(acme.prices.card.pk), "starting_at": start}
    transition = {"type": "RENEWAL", "from_contract_id": deal.old} | terms.get("transition", {})
    with pytest.raises(metronome.BadRequestError) as refused:
        deal.client.v1.contracts.create(**deal.whose, **plain, transition=transition)
    assert rule in str(refused.value)
    assert Contract.objects.count() == 1


def test_a_contract_is_renewed_once_and_by_its_own_customer(deal, clock_at):
    clock_at("2025-12-10")
    new = deal.renew()
    with pytest.raises(metronome.BadRequestError, match=f"contract {new} renews it"):
        deal.renew(start=at("2025-12-05"))
    stranger = deal.client.v1.customers.create(name="Stranger").data.id
    with pytest.raises(metronome.BadRequestError, match="must be the id of a contract of this customer"):
        deal.client.v1.contracts.create(
            customer_id=stranger,
            rate_card_id=str(deal.acme.prices.card.pk),
            starting_at=DECEMBER,
            transition={"type": "RENEWAL", "from_contract_id": deal.old},
        )


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_a_rollover_fraction_is_a_fraction(deal, fraction):
    with pytest.raises(metronome.BadRequestError, match="must be a fraction from 0 to 1"):
        deal.grants(deal.commit(100, fraction))


def test_at_the_first_instant_of_the_renewal_everything_has_gone_over(deal, acme, clock_at):
    """Nothing runs: at 23:59:59 the pack is the old contract's, a second later what goes over is the new one's."""
    deal.grants(deal.commit(100, 0.5, name="Pack"))
    clock_at("2025-11-20")
    new = deal.renew()
    acme.calls("2025-11-30T23", 10)
    for instant, old, taken in [("2025-11-30T23:59:59", 80, {}), ("2025-12-01", 0, {"Pack": 50})]:
        clock_at(instant)
        assert deal.balances(deal.old)["Pack"].balance == old
        assert {name: each.balance for name, each in deal.balances(new).items()} == taken
        assert deal.client.v1.contracts.get_net_balance(**deal.whose).data.balance == old + sum(taken.values())


def test_an_earlier_end_of_a_contract_ends_access_too(deal, acme, clock_at):
    """100 until the year's end and 50 from 15 December on; the contract is ended on 1 December with 20 used."""
    late = [{"amount": 100, "starting_at": OCTOBER, "ending_before": JANUARY}]
    late.append({"amount": 50, "starting_at": at("2025-12-15"), "ending_before": JANUARY})
    deal.grants(deal.commit(1, None, name="Pack", access_schedule={"schedule_items": late}))
    acme.calls("2025-10-05T10", 10)
    clock_at("2025-12-20")
    deal.client.v2.contracts.edit(**deal.whose, contract_id=deal.old, update_contract_end_date=DECEMBER)
    assert deal.ledger(deal.old, "Pack") == [
        ("automated_invoice_deduction", -20, "01 Nov"),
        ("expiration", -80, "01 Dec"),
    ]
    [segment] = deal.balances(deal.old)["Pack"].access_schedule.schedule_items
    assert (segment.amount, segment.ending_before) == (100, DECEMBER)


def test_by_final_documents_alone_what_they_have_left_goes_over(deal, acme, clock_at):
    """100, all of which may go over; 30 used in November, whose document is not final on 2 December."""
    deal.grants(deal.commit(100, 1, name="Pack"))
    clock_at("2025-11-20")
    deal.renew()
    acme.calls("2025-11-25T10", 15)

    def net():
        return [
            deal.client.v1.contracts.get_net_balance(**deal.whose, invoice_inclusion_mode=mode).data.balance
            for mode in ("FINALIZED", "FINALIZED_AND_DRAFT")
        ]

    for instant, left in [("2025-11-30T23:59:59", [100, 70]), ("2025-12-01", [100, 70])]:
        clock_at(instant)
        assert net() == left, instant
    deal.final_through("2025-12-02")
    assert net() == [70, 70]


def test_what_an_archived_renewal_had_taken_over_is_told_and_has_expired(deal, acme, clock_at):
    """Of 100 40 go over on 1 December, with the old contract's last document; 10 are used in December, not final."""
    deal.grants(deal.commit(100, 0.4, name="Pack"))
    acme.calls("2025-10-05T10", 10)
    clock_at("2025-11-20")
    new = deal.renew()
    deal.final_through("2025-11-02", "2025-12-02")
    clock_at("2025-12-10")
    acme.calls("2025-12-05T10", 5)
    assert deal.balances(new)["Pack"].balance == 30
    deal.client.v1.contracts.archive(**deal.whose, contract_id=new, void_invoices=False)

    assert deal.balances(new) == {}
    asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True}
    listed = deal.client.v1.contracts.list_balances(**deal.whose, **asked, include_archived=True)
    [taken] = [each for each in listed if each.contract.id == new]
    assert (taken.balance, taken.rolled_over_from.contract_id) == (0, deal.old)
    assert [(each.type, each.amount, each.timestamp) for each in taken.ledger] == [
        ("PREPAID_COMMIT_SEGMENT_START", 40, DECEMBER),
        ("PREPAID_COMMIT_EXPIRATION", -40, at("2025-12-10")),
    ]
    assert deal.ledger(deal.old, "Pack")[1] == ("rollover", -40, "01 Dec")
    assert deal.client.v1.contracts.get_net_balance(**deal.whose).data.balance == 0
