"""Numbers of documents: for each customer, or for all customers of the legal entity; without gaps in either."""

import threading
from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from contracts.models import Contract, LegalEntity
from invoicing.engine.calendar import draft_id
from invoicing.models import EntityNumber, Invoice, NumberSeries
from invoicing.queries.documents import altered
from invoicing.services import finalize_due, finalize_invoice
from invoicing.services.numbering import next_number
from tests.factories.contracts import CustomerFactory, LegalEntityFactory, ScheduledChargeFactory, UserFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, contract_for

pytestmark = pytest.mark.django_db
DUE = at("2025-10-10")
OF_ALL = {"numbering": "PER_LEGAL_ENTITY", "number_prefix": "DE"}


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def charged(price_list, *, documents=1, **fields):
    """A customer with so many documents due."""
    customer = CustomerFactory(**fields)
    contract = contract_for(customer, price_list)
    for day in range(1, documents + 1):
        ScheduledChargeFactory(contract=contract, item__issued_at=at(f"2025-10-0{day}"), item__amount=D(100))
    return customer


def close(customer):
    return [invoice.number for invoice in finalize_due(customer.pk, at=DUE, by=ADA).finalized]


def count(**fields):
    """Change how the legal entity counts."""
    entity = LegalEntity.objects.get()
    for name, value in fields.items():
        setattr(entity, name, value)
    entity.full_clean()
    entity.save()


def test_the_legal_entity_counts_over_all_customers(price_list):
    LegalEntityFactory(**OF_ALL)
    assert close(charged(price_list, documents=2)) == ["DE-INV-000001", "DE-INV-000002"]
    assert close(charged(price_list)) == ["DE-INV-000003"]
    assert [str(given) for given in EntityNumber.objects.order_by("number")] == [
        f"DE-INV-00000{number}" for number in (1, 2, 3)
    ]
    assert NumberSeries.objects.count() == 0


def test_a_legal_entity_that_says_nothing_counts_for_each_customer(price_list):
    LegalEntityFactory()
    assert [close(charged(price_list)) for _ in range(2)] == [["INV-000001"]] * 2


def test_each_kind_of_document_has_a_series_of_its_own(price_list):
    entity, customer = LegalEntityFactory(**OF_ALL), CustomerFactory()
    given = [next_number(customer.pk, entity, series) for series in ("INV", "CN", "CN")]
    assert given == ["DE-INV-000001", "DE-CN-000001", "DE-CN-000002"]


def test_numbers_that_were_given_stay_when_the_counting_changes(price_list):
    LegalEntityFactory()
    customer = charged(price_list)
    close(customer)
    contract = Contract.objects.get(customer=customer)

    def another(day):
        ScheduledChargeFactory(contract=contract, item__issued_at=at(f"2025-10-{day}"), item__amount=D(100))
        close(customer)

    count(**OF_ALL)
    another("02")
    count(number_prefix="DE26")
    another("03")
    count(number_prefix="DE")
    another("04")
    count(numbering="PER_CUSTOMER", number_prefix="")
    another("05")
    invoices = list(Invoice.objects.order_by("issued_at"))
    assert [invoice.number for invoice in invoices] == [
        *("INV-000001", "DE-INV-000001", "DE26-INV-000001", "DE-INV-000002", "INV-000002")
    ]
    assert altered(invoices) == []


@pytest.mark.parametrize(
    ("numbering", "prefix"),
    [
        ("PER_LEGAL_ENTITY", ""),
        ("PER_LEGAL_ENTITY", "de"),
        ("PER_LEGAL_ENTITY", "D-E"),
        ("PER_LEGAL_ENTITY", "D" * 13),
        ("PER_CUSTOMER", "DE"),
    ],
)
def test_a_prefix_stands_before_numbers_over_all_customers_and_no_others(numbering, prefix):
    LegalEntityFactory()
    with pytest.raises(ValidationError, match=r"need a prefix of 1 to 12 capital letters|at most 12 characters"):
        count(numbering=numbering, number_prefix=prefix)
    if len(prefix) <= 12:
        with pytest.raises(IntegrityError), transaction.atomic():
            LegalEntity.objects.update(numbering=numbering, number_prefix=prefix)


def test_the_counting_is_set_in_the_admin_and_the_numbers_are_listed(staff, price_list):
    page = staff.get(reverse("admin:contracts_legalentity_add")).content.decode()
    assert "How documents are counted from now on, without gaps" in page
    entity = {"name": "Countinghouse Ltd", "address": "1 Abacus Row", "taxes": "NONE", **OF_ALL}
    refused = staff.post(reverse("admin:contracts_legalentity_add"), entity | {"number_prefix": ""})
    assert "as numbers over all customers need a prefix" in refused.content.decode()
    assert staff.post(reverse("admin:contracts_legalentity_add"), entity).status_code == 302
    close(charged(price_list, name="Globex"))
    listed = staff.get(reverse("admin:invoicing_entitynumber_changelist")).content.decode()
    assert "DE-INV-000001" in listed
    assert "Globex" in listed


def test_the_database_gives_no_number_twice_and_takes_none_back():
    customer = CustomerFactory()
    one = {"prefix": "DE", "series": "INV", "number": 1, "customer": customer}
    EntityNumber.objects.create(**one)
    with pytest.raises(IntegrityError), transaction.atomic():
        EntityNumber.objects.create(**one)
    for change in (lambda: EntityNumber.objects.update(number=2), lambda: EntityNumber.objects.all().delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


# --- At once -------------------------------------------------------------------------------------------------------


class Pause:
    """Stops a transaction of another thread before its commit, or before it asks for its number."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def wait(self):
        self.reached.set()
        assert self.go_on.wait(30)


def in_a_thread(work):
    done = []

    def run():
        try:
            done.append(work())
        except Exception as error:
            done.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, done


def finalize_first(customer):
    contract = Contract.objects.get(customer=customer)
    draft = draft_id(contract.pk, "CHARGES", OCTOBER.isoformat())
    return finalize_invoice(customer.pk, draft, at=DUE, by=ADA).number


def is_numbering(sql):
    return "give_entity_number" in sql


def is_waiting_for_another():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'"
        )
        return cursor.fetchone()[0] == 1


@pytest.mark.django_db(transaction=True)
def test_who_computes_longer_takes_the_number_after_and_computes_only_once(price_list):
    """The slower one began before the faster one committed, and so does not see its number."""
    LegalEntityFactory(**OF_ALL)
    slow, fast = charged(price_list), charged(price_list)
    pause, computed = Pause(), []

    def before_the_number(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "money_version" in sql:
            computed.append(sql)
        if is_numbering(sql):
            pause.wait()
        return execute(sql, params, many, context)

    def work():
        with connection.execute_wrapper(before_the_number):
            return finalize_first(slow)

    thread, done = in_a_thread(work)
    assert pause.reached.wait(30)
    assert close(fast) == ["DE-INV-000001"]
    pause.go_on.set()
    thread.join(30)
    assert done == ["DE-INV-000002"]
    assert len(computed) == 1


@pytest.mark.parametrize(("fails", "number"), [(False, "DE-INV-000002"), (True, "DE-INV-000001")])
@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_number_takes_the_next_or_the_one_given_back(price_list, fails, number):
    LegalEntityFactory(**OF_ALL)
    first, second = charged(price_list), charged(price_list)
    pause = Pause()

    def with_the_number(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if is_numbering(sql):
            pause.wait()
            if fails:
                raise ZeroDivisionError
        return answer

    def work():
        with connection.execute_wrapper(with_the_number):
            return finalize_first(first)

    holding, held = in_a_thread(work)
    assert pause.reached.wait(30)
    waiting, waited = in_a_thread(lambda: finalize_first(second))
    for _ in range(300):
        if is_waiting_for_another():
            break
        waiting.join(0.1)
    else:
        raise AssertionError(f"It does not wait: {waited}")
    pause.go_on.set()
    holding.join(30)
    waiting.join(30)
    assert waited == [number]
    assert ([type(error) for error in held] == [ZeroDivisionError]) if fails else (held == ["DE-INV-000001"])
    assert sorted(EntityNumber.objects.values_list("number", flat=True)) == ([1] if fails else [1, 2])


@pytest.mark.django_db(transaction=True)
def test_many_finalizers_at_once_leave_no_gap(price_list):
    LegalEntityFactory(**OF_ALL)
    customers = [charged(price_list, documents=3) for _ in range(4)]
    threads = [in_a_thread(lambda customer=customer: close(customer)) for customer in customers]
    for thread, _ in threads:
        thread.join(60)
    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    assert numbers == [f"DE-INV-{number:06d}" for number in range(1, 13)]
    assert [len(found[0]) for _, found in threads] == [3] * 4
