"""Named schedules of customers and contracts: by the official client, and what each call refuses."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from metronome import BadRequestError, NotFoundError

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotFound, Refusal
from contracts import queries, services
from contracts.models import ContractEdit, CustomerScheduleSegment
from contracts.wording import history_in_words
from pricing.queries import NamedValue
from tests.factories.contracts import ContractFactory, CustomerFactory

pytestmark = pytest.mark.django_db

MARCH = datetime(2025, 3, 1, tzinfo=UTC)
MAY = datetime(2025, 5, 1, tzinfo=UTC)
JULY = datetime(2025, 7, 1, tzinfo=UTC)


@pytest.fixture
def customer():
    return CustomerFactory()


@pytest.fixture
def write(customer, told):
    def write(value, starting_at=MARCH, ending_before=None, name="regions", **where):
        return services.update_named_schedule(
            customer.pk, name, value, starting_at=starting_at, ending_before=ending_before, **where, **told
        )

    return write


def test_schedules_of_a_customer_by_the_official_client(sdk, customer):
    schedules = sdk.v1.customers.named_schedules
    where = {"customer_id": str(customer.pk), "schedule_name": "regions"}
    assert schedules.retrieve(**where).data == []
    schedules.update(**where, starting_at=MARCH, value={"eu": 1.5})
    schedules.update(**where, starting_at=MAY, ending_before=JULY, value=["x", None])
    assert [(one.starting_at, one.ending_before, one.value) for one in schedules.retrieve(**where).data] == [
        (MARCH, MAY, {"eu": 1.5}),
        (MAY, JULY, ["x", None]),
        (JULY, None, {"eu": 1.5}),
    ]
    [holding] = schedules.retrieve(**where, covering_date=MAY).data
    assert holding.value == ["x", None]
    with pytest.raises(BadRequestError, match="on the hour"):
        schedules.update(**where, starting_at=MARCH.replace(minute=1), value=1)
    with pytest.raises(NotFoundError, match="customer"):
        schedules.retrieve(customer_id=str(uuid7()), schedule_name="regions")


def test_schedules_of_a_contract_by_the_official_client(sdk, customer):
    contract, other = ContractFactory(customer=customer), ContractFactory(customer=customer)
    schedules = sdk.v1.contracts.rate_cards.named_schedules
    where = {"customer_id": str(customer.pk), "contract_id": str(contract.pk), "schedule_name": "regions"}
    eu, us = {"region": "eu", "tier": "gold"}, {"region": "us"}
    schedules.update(**where, starting_at=MARCH, value=1)
    schedules.update(**where, starting_at=MARCH, value=2, properties=eu)
    schedules.update(**where, starting_at=MAY, value=3, properties=eu)
    schedules.update(**{**where, "contract_id": str(other.pk)}, starting_at=MARCH, value=4, properties=us)
    sdk.v1.customers.named_schedules.update(
        customer_id=str(customer.pk), schedule_name="regions", starting_at=MARCH, value="the customer's"
    )
    assert [one.value for one in schedules.retrieve(**where).data] == [1]
    assert [one.value for one in schedules.retrieve(**where, properties=dict(reversed(eu.items()))).data] == [2, 3]
    assert schedules.retrieve(**where, properties={"region": "eu"}).data == []

    def listed(**asked):
        return [
            (row.contract_id, row.schedule_name, row.properties, [one.value for one in row.segments])
            for row in schedules.list(customer_id=str(customer.pk), **asked)
        ]

    of_eu = (str(contract.pk), "regions", eu, [2, 3])
    plain = (str(contract.pk), "regions", {}, [1])
    of_us = (str(other.pk), "regions", us, [4])
    assert listed() == listed(limit=1) == [of_eu, plain, of_us]
    assert listed(contract_id=str(other.pk)) == listed(properties=us) == [of_us]
    assert listed(properties={"tier": "gold"}) == [of_eu]
    assert listed(schedule_name="zones") == []
    assert [values for *_, values in listed(covering_date=MARCH)] == [[2], [1], [4]]
    assert [values for *_, values in listed(covering_date=MARCH.replace(year=2024))] == [[], [], []]
    for call in (
        lambda: schedules.retrieve(**{**where, "contract_id": str(uuid7())}),
        lambda: schedules.update(**{**where, "contract_id": str(ContractFactory().pk)}, starting_at=MAY, value=1),
        lambda: listed(contract_id=str(uuid7())),
    ):
        with pytest.raises(NotFoundError, match="contract"):
            call()
    with pytest.raises(BadRequestError, match="cursor"):
        listed(next_page="bm8")


def test_what_is_written_is_an_edit_of_its_own(customer, write, told):
    first = write("a").edit
    write("b", MAY)
    assert [edit.kind for edit in customer.edits.order_by("number")] == ["CLAIMS", "NAMED_SCHEDULE", "NAMED_SCHEDULE"]
    assert (first.created_at, first.created_by, first.contract) == (told["at"], "Ada", None)
    assert queries.named_schedule(customer.pk, "regions", at_edit=first.number) == [NamedValue("a", MARCH, None)]
    assert queries.named_schedule(customer.pk, "regions", at_edit=first.number - 1) == []


def test_the_history_of_a_contract_says_it_in_words(customer, write, told):
    contract = ContractFactory(customer=customer)
    write({"eu": D("1.50")}, contract_id=contract.pk, properties={"region": "eu"}, reason="the annex")
    write("x" * 100, MAY, JULY, contract_id=contract.pk)
    write("the customer's")
    long, short, created = history_in_words(contract)
    assert short.changes == ('Named schedule “regions” (region: eu) says {"eu":1.50} from 1 March 2025.',)
    assert (short.number, short.created_by, short.reason) == (3, "Ada", "the annex")
    assert long.changes == (f'Named schedule “regions” says "{"x" * 78}… (1 May – 30 June 2025).',)
    assert created.number == 2


def test_what_was_written_last_is_not_written_again(customer, write):
    assert write({"eu": D("1.0")}) == write({"eu": D("1.0")})
    write("b")
    write({"eu": D("1.0")})
    assert CustomerScheduleSegment.objects.count() == 3
    assert queries.named_schedule(customer.pk, "regions") == [NamedValue({"eu": D("1.0")}, MARCH, None)]


def test_a_value_comes_back_digit_by_digit(api, customer, write):
    value = {"rate": D("0.1234567890123456789012345"), "count": 10**30}
    write(value)
    reply = api.post("/v1/customers/getNamedSchedule", {"customer_id": str(customer.pk), "schedule_name": "regions"})
    assert reply == {"data": [{"starting_at": "2025-03-01T00:00:00+00:00", "value": value}]}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"name": ""}, ["schedule_name"], id="no name"),
        pytest.param({"starting_at": MAY, "ending_before": MAY}, ["ending_before"], id="an empty range"),
        pytest.param({"value": "x" * 65_535}, ["value"], id="a value too long"),
        pytest.param({"properties": {"": "eu"}}, ["properties", "properties"], id="a property of the customer's"),
    ],
)
def test_a_schedule_is_refused_by_field(write, changes, fields):
    edits = ContractEdit.objects.count()
    with pytest.raises(Refusal) as refusal:
        write(**{"value": 1} | changes)
    assert [error.field for error in refusal.value.errors] == fields
    assert ContractEdit.objects.count() == edits


def test_a_schedule_is_of_a_customer_that_is_there(told):
    with pytest.raises(NotFound):
        services.update_named_schedule(uuid7(), "regions", 1, starting_at=MARCH, **told)


@pytest.mark.parametrize("path", ["/v1/customers/getNamedSchedule", "/v1/contracts/getNamedSchedule"])
def test_schedules_as_they_were_known(api, customer, told, path):
    contract = ContractFactory(customer=customer)
    where = {"contract_id": contract.pk} if "contracts" in path else {}
    body = {"customer_id": str(customer.pk), "schedule_name": "regions"} | {
        name: str(id_) for name, id_ in where.items()
    }
    for month, value in ((5, "a"), (7, "b")):
        at = datetime(2025, month, 1, 12, 30, tzinfo=UTC)
        services.update_named_schedule(customer.pk, "regions", value, starting_at=MARCH, at=at, by=told["by"], **where)

    def known(as_of):
        return [one["value"] for one in api.post(path, body | {"as_of": as_of})["data"]]

    assert (known("2025-05-01T12:29:59Z"), known("2025-05-01T12:30:00Z")) == ([], ["a"])
    assert (known("2025-07-01"), known("2025-07-02"), known(None)) == (["a"], ["b"], ["b"])
    reply = api.post(path, body | {"as_of": "2999-01-01"}, status=400)
    assert reply["errors"][0]["field"] == "as_of"


def test_a_list_costs_the_same_with_one_schedule_and_with_three(api, customer, write):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            api.post("/v1/contracts/listNamedSchedules", {"customer_id": str(customer.pk)})
        return len(captured)

    write(1, contract_id=ContractFactory(customer=customer).pk)
    cost()  # the token is looked up and then remembered
    one = cost()
    for region in ("eu", "us"):
        write(1, contract_id=ContractFactory(customer=customer).pk, properties={"region": region})
    assert cost() == one


def test_a_customers_own_token_reads_no_schedules(api_bound_to, customer):
    api_bound_to(customer.pk).post(
        "/v1/customers/getNamedSchedule", {"customer_id": str(customer.pk), "schedule_name": "regions"}, status=403
    )
