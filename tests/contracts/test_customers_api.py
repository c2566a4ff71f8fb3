"""Customers through the official SDK, and which lists of them are refused."""

import metronome
import pytest

from billing_site.foundation.ids import uuid7
from contracts.models import Customer
from tests.factories.contracts import CustomerFactory


@pytest.mark.django_db(transaction=True)
class TestWithTheSdk:
    def test_a_customer_from_creation_to_archive(self, sdk):
        created = sdk.v1.customers.create(name="Acme", ingest_aliases=["acme"], custom_fields={"crm": "42"}).data
        other = sdk.v1.customers.create(name="Other", external_id="other").data

        assert (created.name, created.ingest_aliases, created.external_id) == ("Acme", ["acme"], "acme")
        assert (created.custom_fields, other.ingest_aliases) == ({"crm": "42"}, ["other"])
        assert sdk.v1.customers.set_ingest_aliases(customer_id=created.id, ingest_aliases=["a", "b"]) is None
        assert sdk.v1.customers.set_name(customer_id=created.id, name="Acme GmbH").data.name == "Acme GmbH"

        detail = sdk.v1.customers.retrieve(customer_id=created.id).data
        assert (detail.id, detail.name, detail.ingest_aliases) == (created.id, "Acme GmbH", ["a", "b"])
        assert detail.created_at <= detail.updated_at
        assert detail.to_dict().keys() == {
            "id",
            "external_id",
            "ingest_aliases",
            "name",
            "custom_fields",
            "customer_config",
            "current_billable_status",
            "created_at",
            "updated_at",
        }
        assert detail.current_billable_status.value == "billable"
        assert sdk.v1.customers.archive(id=other.id).data.id == other.id
        assert sdk.v1.customers.retrieve(customer_id=other.id).data.archived_at

    def test_customers_are_listed_page_by_page_and_filtered(self, sdk):
        made = [CustomerFactory(name=name, aliases=[name.lower()]) for name in ("Ada", "Ben", "Cleo")]
        ids = [str(customer.pk) for customer in made]

        def listed(**options):
            return [(customer.id, customer.ingest_aliases) for customer in sdk.v1.customers.list(**options)]

        assert listed(limit=1) == listed() == [(str(c.pk), [c.name.lower()]) for c in sorted(made, key=lambda c: c.pk)]
        assert listed(customer_ids=ids[:2]) == [one for one in listed() if one[0] in ids[:2]]
        assert listed(ingest_alias="cleo") == [(ids[2], ["cleo"])]
        assert listed(only_archived=True) == []

    def test_a_used_alias_is_a_conflict_at_once(self, sdk):
        CustomerFactory(aliases=["acme"])

        with pytest.raises(metronome.ConflictError) as refused:
            sdk.with_options(max_retries=2).v1.customers.create(name="Twin", ingest_aliases=["acme"])
        assert refused.value.response.headers["x-should-retry"] == "false"
        assert refused.value.response.num_bytes_downloaded
        assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    "query", ["customer_ids=x", "limit=0", "next_page=!", "only_archived=maybe"], ids=lambda query: query
)
def test_a_list_of_customers_that_makes_no_sense_is_refused(api, query):
    (error, *_) = api.get(f"/v1/customers?{query}", status=400)["errors"]

    assert error["field"].startswith(query.partition("=")[0])


def test_at_most_a_hundred_customers_are_asked_for(api):
    ids = ",".join(str(uuid7()) for _ in range(101))

    assert api.get(f"/v1/customers?customer_ids={ids}", status=400)["errors"][0]["field"] == "customer_ids"


@pytest.mark.parametrize("customer_id", [str(uuid7()), "acme"], ids=["an id of nobody", "no id"])
def test_an_unknown_customer_is_not_found(api, customer_id):
    api.get(f"/v1/customers/{customer_id}", status=404)
    api.post(f"/v1/customers/{customer_id}/setName", {"name": "Acme"}, status=404)
    api.post(f"/v1/customers/{customer_id}/setIngestAliases", {"ingest_aliases": []}, status=404)
