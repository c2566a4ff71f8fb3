"""What the database adds up of documents is what their lines say, however they were written, voided, added up anew."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal as D
from io import StringIO
from random import Random

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import Period, add_months
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid, SoldInMonth
from invoicing.queries.sold import sold_on_final
from invoicing.queries.sold_sums import customers_whose_sums_differ
from invoicing.services.sold import add_up_anew
from tests.factories.contracts import ContractFactory
from tests.factories.invoicing import InvoiceFactory
from tests.invoicing.conftest import OCTOBER

pytestmark = pytest.mark.django_db

TYPES = (
    *("usage", "subscription", "scheduled", "cpu_conversion"),
    *("commit_purchase", "applied_commit_or_credit", "seat"),
)
YEAR = Period(OCTOBER, add_months(OCTOBER, 12))


def line_of(invoice, position, chance, products, units):
    details = {"credit_type": {"id": str(chance.choice(units))}}
    product = chance.choice([*products, None])
    if product is not None:
        details["product_id"] = str(product)
    kind = chance.choice(TYPES)
    if kind == "commit_purchase":
        details["commit_type"] = chance.choice(["PostpaidCommit", "PrepaidCommit"])
    if kind == "applied_commit_or_credit":
        details["applied_commit_or_credit"] = {"type": chance.choice(["CREDIT", "PREPAID"])}
    amount = D(chance.randrange(-(10**6), 10**9)).scaleb(-chance.randrange(12))
    return InvoiceLine(
        customer=invoice.customer,
        invoice=invoice,
        position=position,
        type=kind,
        name="A line",
        total=amount,
        unrounded_total=amount,
        counts_toward_total=True,
        quantity=chance.choice([None, D(chance.randrange(10**8)).scaleb(-chance.randrange(6))]),
        details=details,
        trace=[],
    )


def random_books(seed):
    """Documents of three customers over fourteen months, some of the instant of their issue, some void."""
    chance = Random(seed)
    products = [uuid7() for _ in range(3)]
    contracts = [ContractFactory(customer__custom_fields={"segment": each}) for each in ("a", "b", "")]
    units = [contract.rate_card.fiat_unit_id for contract in contracts]
    for number in range(40):
        contract, begins = chance.choice(contracts), OCTOBER + timedelta(days=chance.randrange(-30, 400))
        invoice, dated = Invoice(pk=uuid7(), customer=contract.customer), chance.random() < 0.7
        lines = [line_of(invoice, place, chance, products, units) for place in range(1, chance.randrange(2, 9))]
        before, after = chance.randrange(len(lines) + 1), chance.randrange(len(lines) + 1)
        InvoiceLine.objects.bulk_create(lines[:before])
        invoice = InvoiceFactory(
            pk=invoice.pk,
            contract=contract,
            number=f"INV-{number}",
            slot=str(number),
            **({} if dated else {"kind": "CHARGES", "type": "SCHEDULED"}),
            starting_at=begins if dated else None,
            ending_before=begins + timedelta(days=7) if dated else None,
            issued_at=begins + timedelta(days=8),
            amounts=[line.total for line in lines],
            lines=[],
        )
        InvoiceLine.objects.bulk_create(lines[before : max(before, after)])
        InvoiceLine.objects.bulk_create(lines[max(before, after) :])
        if chance.random() < 0.2:
            InvoiceVoid.objects.create(
                customer=contract.customer,
                invoice=invoice,
                reason="Not theirs",
                voided_at=invoice.issued_at,
                voided_by="Ada",
                money_version=number,
            )


def sold_by_lines():
    """By (unit, product, customer), and by (unit, product, month, segment): [amount, by credits, quantity or None].
    Read from the lines, in Python, and from nothing that the database adds up."""
    sums = defaultdict(lambda: [D(0), D(0), None])
    for line in InvoiceLine.objects.filter(invoice__void=None).select_related("invoice__customer"):
        begins = line.invoice.starting_at or line.invoice.issued_at
        month = begins.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if not YEAR.starting_at <= month < YEAR.ending_before:
            continue
        applied = line.details.get("applied_commit_or_credit", {}).get("type")
        is_given = line.type == "applied_commit_or_credit" and applied == "CREDIT"
        is_sold = line.type in TYPES[:4] or (
            line.type == "commit_purchase" and line.details["commit_type"] == "PostpaidCommit"
        )
        if not is_given and not is_sold:
            continue
        what = line.details["credit_type"]["id"], line.details.get("product_id", "")
        segment = line.invoice.customer.custom_fields["segment"]
        for key in ((*what, str(line.customer_id)), (*what, month, segment)):
            sums[key][is_given] += -line.total if is_given else line.total
            if is_sold and line.quantity is not None:
                sums[key][2] = (sums[key][2] or D(0)) + line.quantity
    return dict(sums)


def sold_as_added_up():
    found = {}
    for each in sold_on_final(YEAR, segment="segment"):
        rest = (str(each.customer_id),) if each.customer_id else (each.month, each.segment)
        found[(str(each.unit_id), str(each.product_id or ""), *rest)] = [each.amount, each.by_credits, each.quantity]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_what_is_added_up_is_what_the_lines_say(seed):
    random_books(seed)
    said = sold_by_lines()
    assert len(said) > 50
    assert sold_as_added_up() == said
    assert customers_whose_sums_differ() == []
    kept = list(SoldInMonth.objects.order_by("customer", "month", "unit", "product_id").values_list())
    for customer_id in Invoice.objects.values_list("customer", flat=True).distinct():
        add_up_anew(customer_id)
    anew = SoldInMonth.objects.order_by("customer", "month", "unit", "product_id").values_list()
    assert [row[1:] for row in anew] == [row[1:] for row in kept]


def test_a_sum_that_was_altered_is_named_and_made_anew():
    random_books(7)
    altered = SoldInMonth.objects.filter(line_count__gt=1).order_by("pk").first()
    SoldInMonth.objects.filter(pk=altered.pk).update(amount=altered.amount + D("0.000000000001"))
    gone = SoldInMonth.objects.exclude(customer=altered.customer_id).order_by("pk").first()
    gone.delete()
    assert customers_whose_sums_differ() == sorted([altered.customer_id, gone.customer_id])
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_sold", stdout=said)
    assert str(gone.customer_id) in said.getvalue()
    call_command("check_sold", anew=True, stdout=StringIO())
    assert customers_whose_sums_differ() == []


def test_the_database_keeps_one_row_for_what_is_of_no_product_and_none_below_zero_lines():
    random_books(1)
    row = SoldInMonth.objects.filter(product_id=None).first()
    row.pk = uuid7()
    with pytest.raises(IntegrityError, match="sold_once_a_month"), transaction.atomic():
        row.save(force_insert=True)
    with pytest.raises(IntegrityError, match="what_is_sold_is_made_of_lines"), transaction.atomic():
        SoldInMonth.objects.update(line_count=-1)
