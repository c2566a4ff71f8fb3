"""Usage filters of contracts, through the official SDK: docs/usage_filters.md with real events."""

from datetime import UTC, datetime

import metronome
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from contracts.models import ContractEdit
from contracts.wording import history_in_words
from invoicing.portal.why import WhyCard
from invoicing.queries.documents import drafts_of
from invoicing.queries.explained import explained_row
from invoicing.services import finalize_due
from ledger.queries.verdicts import explain
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

MID_NOVEMBER = datetime(2025, 11, 15, tzinfo=UTC)


@pytest.fixture
def admin(db):
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def calls(clock_at):
    """A price list of one product: calls at 2 cents, counted by region and team."""
    clock_at("2025-11-20")
    metric = MetricFactory(name="Calls", group_keys=[["region"], ["team"]])
    rate = RateFactory(product=ProductFactory(name="Calls", version__billable_metric=metric), price=2)
    return rate, metric


@pytest.fixture
def customer(db):
    return CustomerFactory(aliases=["acme"])


@pytest.fixture
def create(admin, customer, calls):
    """Create a contract on the price list; `regions` are those it takes from its start on."""

    def created(name, *regions, starting_at=OCTOBER, **given):
        if regions:
            given["usage_filter"] = {"group_key": "region", "group_values": regions}
        return admin.v1.contracts.create(
            customer_id=str(customer.pk),
            name=name,
            starting_at=starting_at,
            rate_card_id=str(calls[0].rate_card_id),
            **given,
        ).data.id

    return created


@pytest.fixture
def set_filter(admin, customer):
    def set_(contract_id, starting_at, *regions, key="region"):
        return admin.v1.contracts.set_usage_filter(
            customer_id=str(customer.pk),
            contract_id=contract_id,
            starting_at=starting_at,
            group_key=key,
            group_values=regions,
        )

    return set_


def of(customer, contract_id):
    return {"customer_id": str(customer.pk), "contract_id": contract_id}


def refused_with(call):
    """The (field, rule) of a refusal, which has left nothing behind."""
    edits = ContractEdit.objects.count()
    with pytest.raises(metronome.BadRequestError) as refused:
        call()
    assert ContractEdit.objects.count() == edits
    [error] = refused.value.body["errors"]
    return error["field"], error["rule"]


def used(calls, *hours, **more):
    for hour in hours:
        for region, number in (("eu", 10), ("us", 5), ("asia", 2)):
            use(calls[1], hour, number, {"region": region, "team": "ml"}, **more)


def test_two_contracts_bill_what_is_theirs(admin, customer, calls, create, set_filter):
    north, south = create("North", "eu"), create("South", "us")
    assert set_filter(south, MID_NOVEMBER, "us", "asia") is None
    used(calls, "2025-10-07T00", "2025-11-07T00", "2025-11-16T00")

    invoices = admin.v1.customers.invoices.list(customer_id=str(customer.pk)).data
    totals = {(each.contract_id, f"{each.start_timestamp:%b}"): each.total for each in invoices}
    assert totals == {(north, "Oct"): 20, (south, "Oct"): 10, (north, "Nov"): 40, (south, "Nov"): 24}

    [found] = [draft for draft in drafts_of(customer.pk, at=at("2025-11-20")) if draft.total == 24]
    assert WhyCard.of(explained_row(customer.pk, found.id, 0, at=at("2025-11-20"))).metered[1:] == (
        "Only usage whose region is us counts for this contract, from 1 October 2025, 00:00 UTC on.",
        "Only usage whose region is asia or us counts for this contract, from 15 November 2025, 00:00 UTC on.",
    )


def test_days_of_a_breakdown_are_those_of_what_is_let_in(admin, customer, calls, create):
    create("North", "eu")
    use(calls[1], "2025-11-07T00", 1, {"region": "eu", "team": "ml"})
    use(calls[1], "2025-11-07T00", 30, {"region": "us", "team": "ml"})
    use(calls[1], "2025-11-08T00", 3, {"region": "eu", "team": "ml"})
    days = admin.v1.customers.invoices.list_breakdowns(
        customer_id=str(customer.pk), starting_on=at("2025-11-07"), ending_before=at("2025-11-09")
    ).data
    assert [(f"{day.breakdown_start_timestamp:%d}", day.total) for day in days] == [("07", 2), ("08", 6)]


@pytest.mark.django_db(transaction=True)  # what is late is told from what the document saw
def test_late_usage_is_that_of_the_filter_of_its_time(admin, customer, calls, create, set_filter, clock_at):
    north = create("North", "eu")
    used(calls, "2025-10-07T00")
    clock_at("2025-11-22")  # a day after the contract was created
    finalize_due(customer.pk, at=at("2025-11-22"), by=ADA)
    set_filter(north, NOVEMBER, "us")
    used(calls, "2025-10-08T00", received_at=at("2025-11-22"))
    drafts = admin.v1.customers.invoices.list(customer_id=str(customer.pk), status="DRAFT").data
    assert [each.total for each in drafts if each.total] == [20]  # ten of eu in October, none of us


def test_filters_are_read_in_both_shapes_and_in_the_history(admin, customer, create, set_filter):
    north = create("North", "eu")
    set_filter(north, MID_NOVEMBER, "eu", "us")
    set_filter(north, DECEMBER, "us")
    set_filter(north, DECEMBER, "asia")

    newest = admin.v2.contracts.retrieve(**of(customer, north)).data
    assert [(each.group_values, each.starting_at, each.ending_before) for each in newest.usage_filter] == [
        (["eu"], OCTOBER, MID_NOVEMBER),
        (["eu", "us"], MID_NOVEMBER, DECEMBER),
        (["asia"], DECEMBER, None),
    ]
    oldest = admin.v1.contracts.retrieve(**of(customer, north)).data
    current, first = oldest.current.usage_filter, oldest.initial.usage_filter
    assert (first.initial.group_values, first.updates) == (["eu"], [])
    assert current.initial.group_values == ["eu"]
    assert [each.group_values for each in current.updates] == [["eu", "us"], ["asia"]]
    assert current.current.group_values == ["eu", "us"]  # on 20 November
    edits = admin.v2.contracts.get_edit_history(**of(customer, north)).data
    assert [edit.add_usage_filters[0].group_values for edit in edits] == [["eu", "us"], ["us"], ["asia"]]
    assert history_in_words(customer.contracts.get())[0].changes == (
        "From 1 December 2025, 00:00 UTC: only usage whose region is asia.",
    )


@pytest.mark.parametrize(
    ("regions", "since"),
    [
        pytest.param(("us", "eu"), NOVEMBER, id="one is in both"),
        pytest.param((), NOVEMBER, id="one takes everything"),
    ],
)
def test_contracts_that_are_not_kept_apart_do_not_overlap(create, regions, since):
    north = create("North", "eu")
    field, rule = refused_with(lambda: create("South", *regions, starting_at=NOVEMBER))
    assert field == "starting_at"
    assert rule.startswith(
        f"must not let the contract overlap with contract {north} (“North”): they are on the same rate card"
    )
    assert f"no usage filters keep them apart from {since:%Y-%m-%d}T00:00:00+00:00 on" in rule


def test_filters_of_two_keys_keep_nothing_apart(create):
    create("North", "eu")
    by_team = {"group_key": "team", "group_values": ["ml"]}
    field, _ = refused_with(lambda: create("South", usage_filter=by_team))
    assert field == "starting_at"


def test_a_filter_that_would_share_usage_is_refused_and_one_that_changes_places_is_not(create, set_filter):
    north, south = create("North", "eu"), create("South", "us", ending_before=JANUARY)
    field, rule = refused_with(lambda: set_filter(north, DECEMBER, "eu", "us"))
    assert field == "group_values"
    assert "keep them apart from 2025-12-01" in rule
    set_filter(south, DECEMBER, "asia")
    set_filter(north, DECEMBER, "eu", "us")
    set_filter(south, DECEMBER, "asia", "africa")
    # From January on South is over.
    set_filter(north, JANUARY, "asia")


def test_an_end_is_not_moved_into_a_time_in_which_both_take_the_same(admin, customer, create):
    north = create("North", "eu", ending_before=NOVEMBER)
    create("South", "eu", starting_at=NOVEMBER)
    field, rule = refused_with(
        lambda: admin.v1.contracts.update_end_date(**of(customer, north), ending_before=DECEMBER)
    )
    assert field == "ending_before"
    assert "keep them apart from 2025-11-01" in rule


@pytest.mark.parametrize(
    ("since", "key", "regions", "field", "rule"),
    [
        (MID_NOVEMBER, "zone", ("eu",), "group_key", "must be a group key of “Calls”, by which Calls is measured"),
        (MID_NOVEMBER, "region", (), "group_values", "must name at least one value"),
        (MID_NOVEMBER, "region", ("eu", "eu"), "group_values[1]", "must be there only once"),
        (at("2025-09-30"), "region", ("eu",), "starting_at", "must not be earlier than the contract's start"),
        (at("2025-11-15T00:30"), "region", ("eu",), "starting_at", "must be on the hour"),
        (at("2025-10-20"), "region", ("eu",), "starting_at", "must not change what holds before 2025-11-01"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    customer, calls, create, set_filter, clock_at, since, key, regions, field, rule
):
    north = create("North", "us")
    used(calls, "2025-10-07T00")
    clock_at("2025-11-22")  # a day after the contract was created
    finalize_due(customer.pk, at=at("2025-11-22"), by=ADA)
    found = refused_with(lambda: set_filter(north, since, *regions, key=key))
    assert (found[0], found[1].startswith(rule)) == (field, True), found


def test_what_is_not_additive_is_split_only_by_what_tells_its_products_apart(admin, customer, clock_at):
    clock_at("2025-11-20")
    metric = MetricFactory(
        name="Seats", aggregation_type="MAX", aggregation_key="seats", group_keys=[["region"], ["team"]]
    )
    product = ProductFactory(name="Seats", version__billable_metric=metric, version__pricing_group_key=["region"])
    rate = RateFactory(product=product, pricing_group_values={"region": "eu"}, price=2)
    given = {"customer_id": str(customer.pk), "starting_at": OCTOBER, "rate_card_id": str(rate.rate_card_id)}

    by_team = {"group_key": "team", "group_values": ["ml"]}
    field, rule = refused_with(lambda: admin.v1.contracts.create(**given, usage_filter=by_team))
    assert field == "usage_filter.group_key"
    assert rule == "must be a key by which Seats is priced or shown, as “Seats” is of type MAX"

    admin.v1.contracts.create(**given, usage_filter={"group_key": "region", "group_values": ["eu"]})
    for region, seats in (("eu", 7), ("us", 9)):
        use(metric, "2025-11-07T00", seats, {"region": region, "team": "ml"})
    [*_, november] = admin.v1.customers.invoices.list(customer_id=str(customer.pk)).data
    assert november.total == 14


def test_a_filter_needs_a_rate_card(admin, customer, set_filter):
    contract = ContractFactory(customer=customer, rate_card=None, starting_at=OCTOBER)
    assert refused_with(lambda: set_filter(str(contract.pk), NOVEMBER, "eu")) == (
        "group_key",
        "belongs to a contract with a rate card",
    )


def test_contracts_on_cards_that_share_no_product_need_no_filter(create, admin, customer):
    create("North", "eu")
    other = RateFactory(rate_card=RateCardFactory())
    admin.v1.contracts.create(customer_id=str(customer.pk), starting_at=OCTOBER, rate_card_id=str(other.rate_card_id))


def test_an_event_that_a_filter_leaves_out_says_so(customer, calls, create):
    create("North", "eu")
    [event_type] = calls[1].event_type_filter["in_values"]
    events = [explain("acme", event_type, NOVEMBER, {"region": region}) for region in ("eu", "us")]
    said = [price for event in events for verdict in event.verdicts for price in verdict.prices]
    assert said == ["North: Calls at 2 USD (cents) a unit, before overrides", "North: its usage filter leaves it out"]


# --- By clicks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def edit_page(customer, create):
    """Post the edit page of a contract that takes eu; it answers with the form, or the page it leads to."""
    contract_id = create("North", "eu")
    create("South", "us")
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    page = reverse("admin:contracts_contract_edit", args=[contract_id])

    def post(**typed):
        given = {"reason": "Asia, too", "filter_key": "region", "filter_starting_at_0": "2025-11-15", **typed}
        seen = browser.post(page, given)
        if not seen.context["previewed"]:
            return seen
        return browser.post(page, {**given, "previewed": seen.context["previewed"], "save": "1"}, follow=True)

    return post


def test_a_filter_is_set_in_the_form_of_the_deal(customer, edit_page):
    answer = edit_page(filter_values="eu\nasia").content.decode()
    assert "From 1 October 2025, 00:00 UTC: only usage whose region is eu" in answer
    assert "From 15 November 2025, 00:00 UTC: only usage whose region is eu or asia" in answer
    [north, _] = customer.contracts.order_by("id")
    assert [each["group_values"] for each in north.terms.get(removed_by_edit=None).usage_filters] == [
        ["eu"],
        ["eu", "asia"],
    ]


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"filter_values": "eu\nus"}, "filter_values", "must not let the contract overlap"),
        ({"filter_values": "eu", "filter_key": "zone"}, "filter_key", "must be a group key of"),
        ({"filter_values": "eu", "filter_key": ""}, "filter_key", "Needed, or leave the section empty"),
        ({"filter_values": "eu", "filter_starting_at_0": "2025-09-01"}, "filter_starting_at", "must not be earlier"),
        ({}, "filter_values", "must name at least one value"),
    ],
)
def test_what_is_refused_stands_beside_its_field(edit_page, typed, field, rule):
    edits = ContractEdit.objects.count()
    form = edit_page(**typed).context["form"]
    assert [error[: len(rule)] for error in form.errors[field]] == [rule]
    assert ContractEdit.objects.count() == edits
