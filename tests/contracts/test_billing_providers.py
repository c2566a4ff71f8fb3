"""What customers are called at billing providers and in revenue systems: told, given back, archived."""

from uuid import uuid4

import metronome
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from contracts.models import Customer, ProviderConfiguration
from contracts.models.providers import delivery_method_id
from tests.factories.contracts import OCTOBER, CustomerFactory

STRIPE = {
    "billing_provider": "stripe",
    "delivery_method": "direct_to_billing_provider",
    "configuration": {"stripe_customer_id": "cus_1", "stripe_collection_method": "send_invoice"},
}
NETSUITE = {
    "provider": "netsuite",
    "delivery_method": "direct_to_billing_provider",
    "configuration": {"netsuite_customer_id": "42"},
}
SET = "/v1/setCustomerBillingProviderConfigurations"


@pytest.mark.django_db(transaction=True)
def test_configurations_from_the_first_to_their_archive(sdk):
    customers = sdk.v1.customers
    acme = customers.create(
        name="Acme",
        customer_billing_provider_configurations=[STRIPE],
        customer_revenue_system_configurations=[NETSUITE],
    ).data
    aws = {
        "customer_id": acme.id,
        "billing_provider": "aws_marketplace",
        "delivery_method_id": str(delivery_method_id("aws_marketplace", "aws_sqs")),
        "configuration": {"aws_customer_id": "aws-1", "aws_is_subscription_product": True},
    }

    (added, again) = customers.set_billing_configurations(data=[aws, aws]).data
    assert added == again
    assert (added.billing_provider, added.customer_id, added.tax_provider) == ("aws_marketplace", acme.id, None)
    first, second = customers.retrieve_billing_configurations(customer_id=acme.id).data
    assert first.to_dict() == {
        **STRIPE,
        "id": first.id,
        "customer_id": acme.id,
        "delivery_method_id": str(delivery_method_id("stripe", "direct_to_billing_provider")),
        "delivery_method_configuration": {},
    }
    assert (second.id, second.delivery_method, second.configuration) == (added.id, "aws_sqs", aws["configuration"])

    ids = [first.id]
    for _ in range(2):
        archived = customers.archive_billing_configurations(
            customer_id=acme.id, customer_billing_provider_configuration_ids=ids
        ).data
        assert (archived.customer_id, archived.customer_billing_provider_configuration_ids) == (acme.id, ids)
    assert [each.id for each in customers.retrieve_billing_configurations(customer_id=acme.id).data] == [added.id]
    shown = customers.retrieve_billing_configurations(customer_id=acme.id, include_archived=True).data
    assert [bool(each.archived_at) for each in shown] == [True, False]
    history = ProviderConfiguration.objects.get(pk=first.id).history
    assert history.count() == 2

    with pytest.raises(metronome.BadRequestError, match="must be the id of a billing-provider configuration"):
        customers.archive_billing_configurations(
            customer_id=acme.id, customer_billing_provider_configuration_ids=[added.id, str(uuid4())]
        )
    assert ProviderConfiguration.objects.get(pk=added.id).archived_at is None


@pytest.mark.django_db
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(api):
    acme = str(CustomerFactory().pk)
    good = {**STRIPE, "customer_id": acme}
    too_much = {"stripe_customer_id": "x" * 20_000}
    for said, field, rule in [
        ({"billing_provider": "paypal"}, "data[1].billing_provider", "must be one of aws_marketplace, "),
        ({"delivery_method": "by_mail"}, "data[1].delivery_method", "must be one of direct_to_billing_provider, "),
        ({"delivery_method": None}, "data[1].delivery_method", "is required, or delivery_method_id"),
        (
            {"delivery_method_id": str(uuid4())},
            "data[1].delivery_method_id",
            "must be that of a way to deliver to stripe",
        ),
        (
            {"delivery_method_id": str(delivery_method_id("stripe", "tackle"))},
            "data[1].delivery_method",
            "must be the one that delivery_method_id names",
        ),
        (
            {"configuration": {"stripe_collection_method": "by force"}},
            "data[1].configuration.stripe_collection_method",
            "must be one of charge_automatically, send_invoice",
        ),
        ({"configuration": too_much}, "data[1].configuration", "must not be longer than 16384 bytes as JSON"),
        ({"configuration": {"a": ["\0"]}}, "data[1].configuration.a[0]", "must not contain the character U+0000"),
        (
            {"configuration": {"a": 1.5}},
            "data[1].configuration",
            "must hold texts, truth values and whole numbers only",
        ),
        (
            {"billing_provider": "netsuite", "tax_provider": "anrok"},
            "data[1].tax_provider",
            "belongs to the provider stripe",
        ),
    ]:
        refused = api.post(SET, {"data": [good, {**good, **said}]}, status=400)["errors"]
        assert [(error["field"], error["rule"].startswith(rule)) for error in refused] == [(field, True)]
    assert api.post(SET, {"data": []}, status=400)["errors"][0]["field"].startswith("data")
    api.post(SET, {"data": [good, {**good, "customer_id": str(uuid4())}]}, status=404)
    CustomerFactory(name="Gone", archived_at=OCTOBER)
    gone = str(Customer.objects.get(name="Gone").pk)
    assert api.post(SET, {"data": [good, {**good, "customer_id": gone}]}, status=400)["errors"][0]["value"] == gone

    (error,) = api.post(
        "/v1/customers",
        {"name": "New", "customer_revenue_system_configurations": [{**NETSUITE, "configuration": {}}]},
        status=400,
    )["errors"]
    assert error["field"] == "customer_revenue_system_configurations[0].configuration.netsuite_customer_id"
    assert not ProviderConfiguration.objects.exists()
    assert not Customer.objects.filter(name="New").exists()


@pytest.mark.django_db
def test_the_database_refuses_what_no_provider_could_be_told():
    acme = CustomerFactory()
    told = {
        "customer": acme,
        "delivery_method": "direct_to_billing_provider",
        "created_at": OCTOBER,
        "created_by": "ada",
    }
    for wrong in (
        {"kind": "REVENUE_SYSTEM", "provider": "stripe"},
        {"kind": "BILLING_PROVIDER", "provider": "netsuite", "tax_provider": "anrok"},
        {"kind": "BILLING_PROVIDER", "provider": "paypal"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProviderConfiguration.objects.create(**told, **wrong)


@pytest.mark.django_db
def test_a_customers_page_shows_them_in_words_and_each_is_archived_by_click(admin_client):
    configuration = ProviderConfiguration.objects.create(
        customer=CustomerFactory(name="Acme"),
        kind="BILLING_PROVIDER",
        provider="aws_marketplace",
        delivery_method="aws_sqs",
        configuration={"aws_is_subscription_product": True, "aws_customer_id": "aws-1"},
        created_at=OCTOBER,
        created_by="ada",
    )
    customer = reverse("admin:contracts_customer_change", args=[configuration.customer_id])
    own = reverse("admin:contracts_providerconfiguration_change", args=[configuration.pk])
    page = admin_client.get(customer).content.decode()
    for words in ("Billing provider: AWS Marketplace, by Amazon SQS", own, "nothing is sent to a provider by it"):
        assert words in page
    for words in ("aws is subscription product: yes", "aws customer id: aws-1"):
        assert words in admin_client.get(own).content.decode()

    url = reverse("admin:contracts_providerconfiguration_changelist")
    for _ in range(2):
        admin_client.post(
            url, {"action": "archive", "_selected_action": [configuration.pk], "reason": "Moved to Stripe"}
        )
    configuration.refresh_from_db()
    assert configuration.archived_at is not None
    assert [each.history_change_reason for each in configuration.history.order_by("history_date", "history_id")] == [
        None,
        "Moved to Stripe",
    ]
    assert "providerconfiguration/add/?customer=" in admin_client.get(customer).content.decode()


@pytest.mark.django_db(transaction=True)
def test_every_way_to_deliver_that_a_configuration_may_name_is_listed(sdk):
    listed = sdk.v1.settings.billing_providers.list()

    assert listed.next_page is None
    found = {(each.billing_provider, each.delivery_method): each.delivery_method_id for each in listed.data}
    assert len(found) == len(listed.data) == 36
    named = found["aws_marketplace", "aws_sqs"]
    acme = sdk.v1.customers.create(name="Acme").data
    [told] = sdk.v1.customers.set_billing_configurations(
        data=[{"customer_id": acme.id, "billing_provider": "aws_marketplace", "delivery_method_id": named}]
    ).data
    assert told.delivery_method_id == named
    with pytest.raises(metronome.BadRequestError, match="all are on one page"):
        sdk.v1.settings.billing_providers.list(next_page="more")
