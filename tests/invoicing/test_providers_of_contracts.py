"""Which billing provider and revenue system a contract is for, and what resellers get: kept, echoed and told."""

import metronome
import pytest
from django.urls import reverse

from billing_site.foundation import tokens
from contracts.models import Contract, ContractEdit
from contracts.queries import agreement
from contracts.services import go_on, undo_edit
from contracts.term_lines import term_lines
from contracts.wording import history_in_words
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import RateCardFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, sdk

pytestmark = pytest.mark.django_db

BILLING, REVENUE = "add_billing_provider_configuration_update", "add_revenue_system_configuration_update"
DIRECT = "direct_to_billing_provider"


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-10")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def acme(client):
    """A customer at Stripe, twice, at AWS, and in NetSuite."""
    stripe = {"billing_provider": "stripe", "delivery_method": DIRECT}
    acme = client.v1.customers.create(
        name="Acme",
        customer_billing_provider_configurations=[
            {**stripe, "configuration": {"stripe_customer_id": "cus_1"}},
            {**stripe, "configuration": {"stripe_customer_id": "cus_2"}},
            {"billing_provider": "aws_marketplace", "delivery_method": "aws_sqs"},
        ],
        customer_revenue_system_configurations=[
            {"provider": "netsuite", "delivery_method": DIRECT, "configuration": {"netsuite_customer_id": "42"}}
        ],
    ).data
    return acme.id


def of(client, customer_id):
    return [each.id for each in client.v1.customers.retrieve_billing_configurations(customer_id=customer_id).data]


def refused(call, **given):
    """The fields and rules named in the refusal; nothing was written."""
    count = ContractEdit.objects.count()
    with pytest.raises(metronome.BadRequestError) as refusal:
        call(**given)
    assert ContractEdit.objects.count() == count
    return [(error["field"], error["rule"]) for error in refusal.value.body["errors"]]


def texts(contract):
    return [line.text for line in term_lines(agreement(contract.customer_id, contract.pk))]


def test_a_contract_has_a_billing_provider_until_it_is_archived_and_then_may_have_another(client, acme, clock_at):
    contracts, (first, _, aws) = client.v2.contracts, of(client, acme)
    made = client.v1.contracts.create(
        customer_id=acme,
        starting_at=OCTOBER,
        ending_before=JANUARY,
        rate_card_id=str(RateCardFactory().pk),
        billing_provider_configuration={"billing_provider_configuration_id": first},
        revenue_system_configuration={"provider": "netsuite", "delivery_method": DIRECT},
    ).data
    ids = {"customer_id": acme, "contract_id": made.id}
    contract = Contract.objects.get()
    assert made.contract.customer_billing_provider_configuration.id == first
    assert not hasattr(made.contract, "billing_provider_configuration_schedule")
    shown = contracts.retrieve(**ids).data
    [entry] = shown.billing_provider_configuration_schedule
    assert (entry.billing_provider_configuration.id, entry.effective_at, entry.effective_until) == (
        first,
        OCTOBER,
        None,
    )
    assert entry.billing_provider_configuration.configuration == {"stripe_customer_id": "cus_1"}
    [revenue] = shown.revenue_system_configuration_schedule
    assert revenue.revenue_system_configuration.configuration == {"netsuite_customer_id": "42"}
    assert client.v1.contracts.retrieve(**ids).data.customer_billing_provider_configuration.id == first
    assert texts(contract) == [
        "Billing provider from 1 October 2025, 00:00 UTC: Stripe, directly. Nothing is sent there.",
        "Revenue system from 1 October 2025, 00:00 UTC: NetSuite, directly. Nothing is sent there.",
    ]

    update = {
        "billing_provider_configuration": {"billing_provider": "aws_marketplace", "delivery_method": "aws_sqs"},
        "schedule": {"effective_at": "START_OF_NEXT_PERIOD"},
    }
    assert refused(contracts.edit, **ids, **{BILLING: update}) == [
        (
            f"{BILLING}.billing_provider_configuration",
            "must not be given while the contract has one; archive that configuration before",
        )
    ]
    client.v1.customers.archive_billing_configurations(
        customer_id=acme, customer_billing_provider_configuration_ids=[first]
    )
    edited = contracts.edit(**ids, **{BILLING: update}).data.edit
    assert not hasattr(edited, BILLING)  # the shape of an edit does not know it

    shown = contracts.retrieve(**ids).data
    schedule = [
        (each.billing_provider_configuration.id, each.effective_at, each.effective_until)
        for each in shown.billing_provider_configuration_schedule
    ]
    assert schedule == [(first, OCTOBER, NOVEMBER), (aws, NOVEMBER, None)]
    assert shown.customer_billing_provider_configuration.archived_at
    clock_at("2025-11-10")
    assert contracts.retrieve(**ids).data.customer_billing_provider_configuration.id == aws
    told = "Billing provider from 1 November 2025, 00:00 UTC: AWS Marketplace, by Amazon SQS."
    assert history_in_words(contract)[0].changes == (told,)
    with pytest.raises(Exception, match="make the opposite edit by hand"):
        undo_edit(contract.customer_id, contract.pk, ContractEdit.objects.last().pk, at=NOVEMBER, by=ADA)

    contracts.edit(**ids, update_contract_name="Deal", extra_body={"update_end_policy": "RENEW"})
    renewed = go_on(contract.customer_id, contract.pk, at=JANUARY, by=ADA)
    [kept, revenue] = agreement(contract.customer_id, renewed.pk).providers
    assert (str(kept.configuration.pk), kept.effective_at, revenue.configuration.provider) == (aws, JANUARY, "netsuite")
    assert len(contracts.retrieve(**ids).data.billing_provider_configuration_schedule) == 2


def test_a_provider_is_added_from_the_start_of_a_billing_period(client, acme):
    contracts, (first, *_) = client.v2.contracts, of(client, acme)
    weekly = {"frequency": "WEEKLY", "day": "CONTRACT_START"}
    for name, start, end, schedule, expected in (
        ("START_OF_CURRENT_PERIOD", OCTOBER, None, {"frequency": "MONTHLY"}, "2025-10-01"),
        ("START_OF_CURRENT_PERIOD", OCTOBER, None, weekly, "2025-10-08"),
        ("START_OF_NEXT_PERIOD", OCTOBER, None, weekly, "2025-10-15"),
        ("START_OF_CURRENT_PERIOD", NOVEMBER, None, {"frequency": "MONTHLY"}, "2025-11-01"),  # not begun yet
        ("START_OF_NEXT_PERIOD", NOVEMBER, None, {"frequency": "MONTHLY"}, "2025-12-01"),
        ("START_OF_NEXT_PERIOD", OCTOBER, NOVEMBER, {"frequency": "MONTHLY"}, None),
    ):
        customer = {"customer_id": acme}
        made = client.v1.contracts.create(
            **customer,
            starting_at=start,
            ending_before=end or start.replace(year=2026),
            usage_statement_schedule=schedule,
            scheduled_charges=[],
            rate_card_id=str(RateCardFactory().pk),
        ).data
        ids = {**customer, "contract_id": made.id}
        update = {
            "billing_provider_configuration": {"billing_provider_configuration_id": first},
            "schedule": {"effective_at": name},
        }
        if expected is None:
            rule = "must be the start of a billing period of the contract"
            assert refused(contracts.edit, **ids, **{BILLING: update}) == [(f"{BILLING}.schedule.effective_at", rule)]
        else:
            contracts.edit(**ids, **{BILLING: update})
            [entry] = contracts.retrieve(**ids).data.billing_provider_configuration_schedule
            assert f"{entry.effective_at:%Y-%m-%d}" == expected
        client.v1.contracts.archive(**ids, void_invoices=False)


def test_a_configuration_must_be_the_customers_own_and_the_only_one_meant(client, acme):
    (first, *_) = of(client, acme)
    other = str(CustomerFactory().pk)
    card = str(RateCardFactory().pk)

    def create(customer_id=acme, **given):
        return client.v1.contracts.create(customer_id=customer_id, starting_at=OCTOBER, rate_card_id=card, **given)

    at, by = "billing_provider_configuration", "billing_provider_configuration_id"
    rule = "must name exactly one configuration of the customer, which has {}; say which by " + by
    for given, expected in (
        (({by: first}, other), (f"{at}.{by}", "must be the id of a configuration of this customer")),
        (
            ({by: first, "billing_provider": "stripe"}, acme),
            (f"{at}.billing_provider", f"cannot be combined with {by}"),
        ),
        (({}, acme), (f"{at}.billing_provider", f"is required, or {by}")),
        (({"billing_provider": "stripe"}, acme), (f"{at}.delivery_method", f"is required, or {by}")),
        (
            ({"billing_provider": "stripe", "delivery_method": DIRECT}, acme),
            (f"{at}.billing_provider", rule.format("several")),
        ),
        (
            ({"billing_provider": "netsuite", "delivery_method": DIRECT}, acme),
            (f"{at}.billing_provider", rule.format("none")),
        ),
    ):
        lookup, customer_id = given
        assert refused(create, customer_id=customer_id, **{at: lookup}) == [expected]
    client.v1.customers.archive_billing_configurations(
        customer_id=acme, customer_billing_provider_configuration_ids=[first]
    )
    archived = "must be the id of a configuration that is not archived"
    assert refused(create, **{at: {by: first}}) == [(f"{at}.{by}", archived)]
    assert create(**{at: {"billing_provider": "stripe", "delivery_method": DIRECT}}).data.id  # the only one left


def test_royalties_are_kept_by_type_and_an_edit_carries_on_what_it_does_not_say(client, acme):
    royalty = {
        "reseller_type": "AWS",
        "fraction": 0.1,
        "netsuite_reseller_id": "R-1",
        "starting_at": OCTOBER,
        "applicable_product_tags": ["compute"],
        "aws_options": {"aws_offer_id": "offer-1"},
    }
    made = client.v1.contracts.create(
        customer_id=acme, starting_at=OCTOBER, rate_card_id=str(RateCardFactory().pk), reseller_royalties=[royalty]
    ).data
    ids = {"customer_id": acme, "contract_id": made.id}
    contract = Contract.objects.get()
    assert texts(contract) == [
        "A reseller on AWS Marketplace which NetSuite calls R-1 has 10 % of products tagged compute from"
        " 1 October 2025; AWS offer offer-1. Nothing is billed by that."
    ]

    edit = client.v2.contracts.edit(
        **ids, add_reseller_royalties=[{"reseller_type": "AWS", "fraction": 0.2, "starting_at": NOVEMBER}]
    ).data.edit
    [added] = edit.add_reseller_royalties
    assert (added.fraction, added.netsuite_reseller_id, added.aws_offer_id) == (0.2, "R-1", "offer-1")
    client.v1.contracts.amend(
        **ids,
        starting_at=NOVEMBER,
        reseller_royalties=[
            {k: v for k, v in royalty.items() if k != "aws_options"} | {"reseller_type": "GCP", "starting_at": DECEMBER}
        ],
    )

    by_type = client.v2.contracts.retrieve(**ids).data.reseller_royalties
    assert [
        (each.reseller_type, [(part.fraction, part.starting_at, part.ending_before) for part in each.segments])
        for each in by_type
    ] == [("AWS", [(0.1, OCTOBER, NOVEMBER), (0.2, NOVEMBER, None)]), ("GCP", [(0.1, DECEMBER, None)])]
    first = client.v1.contracts.retrieve(**ids).data
    assert [each.fraction for each in first.initial.reseller_royalties] == [0.1]
    assert [each.reseller_type for each in first.current.reseller_royalties] == ["AWS", "AWS", "GCP"]
    assert [each.reseller_type for each in first.amendments[0].reseller_royalties] == ["GCP"]
    assert "10 % of products tagged compute from 1 December 2025" in history_in_words(contract)[0].changes[-1]

    def edited(**said):
        return refused(client.v2.contracts.edit, **ids, add_reseller_royalties=[{"reseller_type": "AWS", **said}])

    at = "add_reseller_royalties[0]"
    assert edited(fraction=1.5) == [(f"{at}.fraction", "must lie between 0 and 1")]
    assert edited(applicable_product_tags=[]) == [
        (f"{at}.applicable_product_ids", "must name at least one product, or applicable_product_tags a tag")
    ]
    assert edited(applicable_product_ids=[acme]) == [(f"{at}.applicable_product_ids[0]", "must be the id of a product")]
    assert edited(ending_before=OCTOBER) == [(f"{at}.ending_before", "must be later than starting_at")]
    assert edited(starting_at=OCTOBER.replace(minute=30)) == [(f"{at}.starting_at", "must be on the hour (UTC)")]
    assert edited(gcp_options={"gcp_offer_id": "x"}) == [(f"{at}.gcp_options", "belongs to types that begin with GCP")]
    assert edited(reseller_contract_value=-1) == [(f"{at}.reseller_contract_value", "must not be negative")]
    assert [field for field, _ in edited(reseller_type="AWS_PRO_SERVICE")] == [
        f"{at}.{name}" for name in ("fraction", "netsuite_reseller_id", "starting_at", "applicable_product_ids")
    ]
    twice = refused(
        client.v1.contracts.create,
        customer_id=acme,
        starting_at=OCTOBER,
        rate_card_id=str(contract.rate_card_id),
        reseller_royalties=[royalty, royalty],
    )
    assert ("reseller_royalties[1].starting_at", "must not overlap another royalty of type AWS") in twice


def test_a_package_asks_for_the_one_configuration_that_a_customer_has(client, acme, admin_client):
    card = {"rate_card_id": str(RateCardFactory().pk)}

    def package(**said):
        return client.v1.packages.create(name="Plan", **card, **said).data.id

    def create(package_id):
        return client.v1.contracts.create(customer_id=acme, starting_at=OCTOBER, package_id=package_id)

    for name, other in (("billing_provider", "delivery_method"), ("delivery_method", "billing_provider")):
        said = {"billing_provider": "stripe", "delivery_method": DIRECT}[name]
        assert refused(package, **{name: said}) == [(other, f"is required beside {name}")]
    stripe = package(billing_provider="stripe", delivery_method=DIRECT)
    shown = client.v1.packages.retrieve(package_id=stripe).data
    assert (shown.billing_provider, shown.delivery_method) == ("stripe", DIRECT)
    rule = "must name exactly one configuration of the customer, which has {}, as the package asks for it"
    field = "billing_provider_configuration.billing_provider"
    assert refused(create, package_id=stripe) == [(field, rule.format("several"))]
    assert refused(create, package_id=package(billing_provider="netsuite", delivery_method=DIRECT)) == [
        (field, rule.format("none"))
    ]
    (first, second, _) = of(client, acme)
    client.v1.customers.archive_billing_configurations(
        customer_id=acme, customer_billing_provider_configuration_ids=[first]
    )
    assert create(stripe).data.contract.customer_billing_provider_configuration.id == second
    page = admin_client.get(reverse("admin:contracts_package_change", args=[stripe])).content.decode()
    assert "one configuration of Stripe, directly. Nothing is sent there." in page
