"""Scheduled charges on usage invoices (`docs/scheduled_charges.md`), from the deal to the documents; calls cost 2."""

from decimal import Decimal as D

import metronome
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.inputs import (
    ChargeChangeInput,
    CommitChangeInput,
    EditInput,
    InvoiceItemInput,
    InvoicesChangeInput,
    InvoiceScheduleInput,
    RecurringAmountInput,
    RecurringInput,
    ScheduledChargeInput,
)
from contracts.models import Contract
from contracts.queries import agreement
from invoicing.models import Invoice
from invoicing.queries import due_customers, next_due
from invoicing.queries.compute import computation
from invoicing.queries.holds import reasons_to_hold
from invoicing.services import finalize_due, regenerate_invoice, verify_invoice, void_invoice
from tests.factories.contracts import (
    AccessSegmentFactory,
    CommitFactory,
    CustomerFactory,
    InvoiceScheduleItemFactory,
)
from tests.factories.pricing import FixedProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, Acme, at, contract_for, sdk

pytestmark = pytest.mark.django_db

DATABASE = "what a contract is born with never changes"
ALL = "scheduled_charges_on_usage_invoices"


@pytest.fixture
def fixed(db):
    return FixedProductFactory(name="Platform")


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-10")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


def charge(fixed, *items, name="Support"):
    dated = tuple(InvoiceItemInput(date, amount=D(amount)) for date, amount in items)
    return EditInput(add_scheduled_charges=(ScheduledChargeInput(fixed.pk, InvoiceScheduleInput(dated), name=name),))


def edit(acme, given, when):
    return services.edit_contract(acme.customer, acme.contract.pk, given, at=when, by=ADA)


def lines(invoice):
    return [(line.name, line.total) for line in invoice.lines.order_by("position") if line.total]


def drafts(acme, when):
    found = computation(acme.customer.pk, at=when).result.documents
    return [(each.type, [int(line.total) for line in each.lines if line.total]) for each in found]


def consolidated(prices, **fields):
    customer = CustomerFactory(aliases=["acme"])
    return Acme(customer, contract_for(customer, prices, **{ALL: "ALL", **fields}), prices)


def test_it_is_agreed_when_a_contract_is_made_and_echoed_by_every_reply(client, price_list, fixed):
    customer_id = str(CustomerFactory().pk)
    item = {"schedule_items": [{"timestamp": NOVEMBER, "amount": 100}]}
    given = {
        "starting_at": OCTOBER,
        "ending_before": JANUARY,
        "rate_card_id": str(price_list.card.pk),
        "scheduled_charges": [{"product_id": str(fixed.pk), "name": "Support", "schedule": item}],
        "commits": [
            {
                "type": "PREPAID",
                "product_id": str(fixed.pk),
                "name": "Pack",
                "access_schedule": {
                    "schedule_items": [{"amount": 9, "starting_at": OCTOBER, "ending_before": JANUARY}]
                },
                "invoice_schedule": item,
            }
        ],
    }
    with pytest.raises(metronome.BadRequestError, match=ALL):
        client.v1.contracts.create(customer_id=customer_id, **given, **{ALL: "SOME"})
    contract_id = client.v1.contracts.create(customer_id=customer_id, **given, **{ALL: "ALL"}).data.id

    ids = {"customer_id": customer_id, "contract_id": contract_id}
    first = client.v1.contracts.retrieve(**ids).data
    told = client.v2.contracts.retrieve(**ids).data, first, first.initial, first.current
    assert [getattr(each, ALL) for each in told] == ["ALL"] * 4
    [draft] = client.v1.customers.invoices.list(customer_id=customer_id, status="DRAFT").data
    assert (draft.type, draft.total) == ("USAGE", 200)
    items = [line.to_dict().get("scheduled_item_id") for line in draft.line_items if line.total]
    assert None not in items
    days = client.v1.customers.invoices.list_breakdowns(
        customer_id=customer_id, starting_on=OCTOBER, ending_before=NOVEMBER
    ).data
    assert [(each.breakdown_end_timestamp, each.total) for each in days if each.total] == [(NOVEMBER, 200)]
    with (
        pytest.raises(IntegrityError, match=DATABASE),
        transaction.atomic(),
    ):
        Contract.objects.filter(pk=contract_id).update(**{ALL: "SOME"})

    User.objects.create_superuser("ada", password="secret")
    browser = Client()
    browser.login(username="ada", password="secret")
    page = browser.get(reverse("admin:contracts_contract_change", args=[contract_id])).content.decode()
    assert "What is charged on a date is on the usage invoice that ends on it, where one does." in page


def test_what_is_final_what_comes_later_and_what_is_made_anew(price_list, fixed):
    """What is paid for a commit that recurs is on it, too."""
    acme = consolidated(price_list)
    five, three = (RecurringAmountInput(D(amount), D(1)) for amount in (5, 3))
    pack = RecurringInput(fixed.pk, "PREPAID", five, D(1), NOVEMBER, D(1), invoice_amount=three, name="Pack")
    edit(acme, EditInput(add_recurring_commits=(pack,)), OCTOBER)
    edit(acme, charge(fixed, (at("2025-11-01T09"), 10), (at("2025-11-10"), 20), (DECEMBER, 40)), OCTOBER)
    assert [next_due(when, JANUARY) for when in (OCTOBER, at("2025-11-02"), at("2025-11-10"))] == [
        at("2025-11-02"), at("2025-11-10"), at("2025-12-02")
    ]  # fmt: skip

    [october] = finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    assert lines(october)[-2:] == [("Support", 10), ("Pack", 3)]
    assert due_customers(at=at("2025-11-03")) == []
    [line] = october.lines.filter(name="Support")
    assert set(line.details) >= {"scheduled_charge_id", "scheduled_item_id"}

    edit(acme, charge(fixed, (at("2025-11-01T10"), 7), name="More"), at("2025-11-03"))
    assert [due.instant for due in due_customers(at=at("2025-11-03"))] == [at("2025-11-03")]
    void_invoice(acme.customer, october.pk, reason="Wrong address", at=at("2025-11-03"), by=ADA)
    assert ("SCHEDULED", [7]) in drafts(acme, at("2025-11-03"))
    [more] = finalize_due(acme.customer.pk, at=at("2025-11-04"), by=ADA).finalized
    assert lines(more) == [("More", 7)]
    anew = regenerate_invoice(acme.customer, october.pk, at=at("2025-11-05"), by=ADA)
    assert lines(anew) == lines(october)

    assert due_customers(at=at("2025-11-05")) == []
    assert [verify_invoice(each).differences for each in Invoice.objects.all()] == [()] * 3
    assert finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA).finalized[-1].total == 43


def test_what_is_on_a_final_invoice_is_closed_before_its_hour(price_list, fixed):
    """Without grace October is final on 1 November, 00:00; November has no usage, and is made for what comes later."""
    card = RateCardFactory()
    RateFactory(rate_card=card, product=price_list.tokens, pricing_group_values={"model": "xl"}, price=D(2))
    acme = consolidated(price_list, rate_card=card, terms__grace_hours=0)
    edit(acme, charge(fixed, (at("2025-11-01T09"), 10)), OCTOBER)
    pack = CommitFactory(contract=acme.contract, type="PREPAID", name="Pack", segment=None, invoice_item=None)
    AccessSegmentFactory(commit=pack, amount=3, starting_at=NOVEMBER, ending_before=DECEMBER)
    paid = InvoiceScheduleItemFactory(commit=pack, amount=3, issued_at=at("2025-11-01T09"))
    [october] = finalize_due(acme.customer.pk, at=NOVEMBER, by=ADA).finalized
    assert lines(october) == [("Support", 10), ("Pack", 3)]
    [charged] = agreement(acme.customer.pk, acme.contract.pk).charges
    [item] = charged.items
    change = ChargeChangeInput(charged.charge.pk, InvoicesChangeInput(remove_schedule_items=(item.item_id,)))
    with pytest.raises(Refusal, match=r"usage invoices up to 2025-11-01T00:00:00\+00:00 are final"):
        edit(acme, EditInput(update_scheduled_charges=(change,)), at("2025-11-01T06"))
    payment = CommitChangeInput(pack.pk, invoice_schedule=InvoicesChangeInput(remove_schedule_items=(paid.pk,)))
    with pytest.raises(Refusal, match=r"usage invoices up to 2025-11-01T00:00:00\+00:00 are final"):
        edit(acme, EditInput(update_commits=(payment,)), at("2025-11-01T06"))

    acme.uses_tokens("2025-12-05T10", 1)
    assert [each.total for each in finalize_due(acme.customer.pk, at=JANUARY, by=ADA).finalized] == [2]
    edit(acme, charge(fixed, (DECEMBER, 4)), at("2026-01-05"))
    assert [due.instant for due in due_customers(at=at("2026-01-05"))] == [at("2026-01-05")]
    [november] = finalize_due(acme.customer.pk, at=at("2026-01-05"), by=ADA).finalized
    assert (november.kind, november.starting_at, lines(november)) == ("USAGE", NOVEMBER, [("Support", 4)])
    assert due_customers(at=at("2026-01-06")) == []


def test_what_is_charged_by_schedule_is_not_held_against_usual_usage(price_list, fixed):
    """Six months of $200 of calls, $900 charged on the last day of the fourth and the sixth."""
    acme = consolidated(price_list, starting_at=at("2025-04-01"))
    edit(acme, charge(fixed, (at("2025-08-01"), 90_000), (OCTOBER, 90_000)), at("2025-04-01"))
    for month in range(4, 10):
        acme.uses_tokens(f"2025-{month:02}-27T05", 500)
    finalize_due(acme.customer.pk, at=at("2025-09-02"), by=ADA)
    assert [invoice.total for invoice in Invoice.objects.order_by("issued_at")] == [20_000] * 3 + [110_000, 20_000]
    when = at("2025-10-02")
    assert reasons_to_hold(computation(acme.customer.pk, at=when), at=when) == {}

    acme.uses_tokens("2025-09-28T05", 5_000)
    [[reason]] = reasons_to_hold(computation(acme.customer.pk, at=when), at=when).values()
    assert reason.message.startswith("$2,200.00, without what is charged by schedule, is far above the $193.55 ")


def test_what_is_billed_before_its_hour_is_made_anew_whatever_is_archived_or_ended_meanwhile(price_list, fixed):
    """Without grace October is final on 1 November, 00:00, with what is charged at 09:00."""
    acme = consolidated(price_list, terms__grace_hours=0)
    edit(acme, charge(fixed, (at("2025-11-01T09"), 10), (at("2025-12-01T09"), 20)), OCTOBER)
    [october] = finalize_due(acme.customer.pk, at=NOVEMBER, by=ADA).finalized
    [charged] = agreement(acme.customer.pk, acme.contract.pk).charges
    archives = EditInput(archive_scheduled_charges=(charged.charge.pk,))
    with pytest.raises(Refusal, match=r"can be archived from 2025-11-01T09:00:00\+00:00 on"):
        edit(acme, archives, at("2025-11-01T06"))
    edit(acme, EditInput(update_contract_end_date=at("2025-11-01T07")), at("2025-11-01T06"))
    void_invoice(acme.customer, october.pk, reason="Wrong address", at=at("2025-11-01T07"), by=ADA)
    assert lines(regenerate_invoice(acme.customer, october.pk, at=at("2025-11-01T08"), by=ADA)) == [("Support", 10)]
    edit(acme, archives, at("2025-11-01T09"))
    [charged] = agreement(acme.customer.pk, acme.contract.pk).charges
    assert [item.issued_at for item in charged.items] == [at("2025-11-01T09")]
