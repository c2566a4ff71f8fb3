"""Alerts as the official client makes, reads and archives them, and the figures that they watch."""

from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation import tokens
from invoicing.engine.alerts import KINDS
from invoicing.models import Alert
from invoicing.queries.alert_readings import readings
from invoicing.queries.compute import computation
from pricing.units import USD_ID
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, sdk
from tests.invoicing.deals import Deals, day
from tests.invoicing.shop import shown, table

pytestmark = pytest.mark.django_db

WORKED = """
    at         | used             | spend | commits | credits | both | percent | commit | credit
    1          |                  | 0     | 100     | 50      | 150  | 100     | 92     | 31
    10         | 30 minutes on 5  | 30    | 100     | 20      | 120  | 80      | 83     | 22
    20T12      | 60 minutes on 6  | 90    | 60      | 0       | 60   | 40      | 73     | 12
    11-02      | 10 minutes on 11-01 | 10 | 50      | 0       | 50   | 50      | 60     |
    2026-01-01 |                  | 0     | 0       | 0       | 0    | 0       |        |
"""
COLUMNS = [
    "spend_threshold_reached",
    "low_remaining_commit_balance_reached",
    "low_remaining_contract_credit_balance_reached",
    "low_remaining_contract_credit_and_commit_balance_reached",
    "low_remaining_contract_credit_and_commit_percentage_reached",
    "low_remaining_days_for_commit_segment_reached",
    "low_remaining_days_for_contract_credit_segment_reached",
]


@pytest.fixture
def deals(clock_at) -> Deals:
    clock_at("2025-10-01")
    return Deals(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]), clock_at)


def figures(deals, *types):
    """What alerts of these types see now, one text each."""
    now = deals.now
    alerts = {alert.type.lower(): alert for alert in Alert.objects.all()}
    found = readings(list(alerts.values()), computation(deals.customer.pk, at=now), at=now)
    return [", ".join(shown(each.figure) for each in found[alerts[type_].pk]) for type_ in types]


def test_the_worked_table(deals, clock_at):
    deals.agree("Pack PREPAID 100; Gift CREDIT 50 to 11-01")
    for type_ in COLUMNS:
        deals.v1.alerts.create(alert_type=type_, name=type_, threshold=1)
    for instant, used, *expected in table(WORKED):
        deals.now = day(instant)
        clock_at(deals.now.isoformat())
        deals.used(used)
        assert figures(deals, *COLUMNS) == expected, instant


def status(deals, alert_id, **more):
    return deals.v1.customers.alerts.retrieve(alert_id=alert_id, **deals.whose, **more).data


def test_an_alert_is_read_as_it_was_made_and_its_status_follows_usage_at_once(deals, clock_at):
    deals.agree("")
    clock_at("2025-10-20")
    made = deals.v1.alerts.create(
        alert_type="spend_threshold_reached",
        name="Spend",
        threshold=10,
        customer_id=deals.whose["customer_id"],
        group_values=[{"key": "region"}],
        custom_field_filters=[],
        uniqueness_key="spend",
    ).data.id
    deals.used("4 calls:eu on 5, 3 calls:us on 5, 50 minutes on 5")
    found = status(deals, made)
    assert (found.customer_status, found.triggered_by) == ("ok", None)
    assert (found.alert.type, found.alert.status, found.alert.threshold) == ("spend_threshold_reached", "enabled", 10)
    assert (found.alert.credit_type.id, found.alert.uniqueness_key) == (deals.usd, "spend")
    assert [(each.key, each.value) for each in found.alert.group_values] == [("region", None)]
    deals.used("1 calls:eu on 6")
    assert (status(deals, made).customer_status) == "in_alarm"
    assert status(deals, made).triggered_by == "region: eu: $0.10; in alarm at $0.10 or more"
    assert status(deals, made, group_values=[{"key": "region", "value": "us"}]).customer_status == "ok"
    assert status(deals, made, group_values=[{"key": "region", "value": "eu"}]).customer_status == "in_alarm"
    [listed] = deals.v1.customers.alerts.list(**deals.whose)
    assert (listed.alert.id, listed.customer_status) == (made, "in_alarm")


def test_groups_are_those_that_no_product_has(acme):
    """Tokens are split by model alone; an alert splits them by region, too."""
    acme.uses_tokens("2025-10-03T05", D(2))
    acme.uses_tokens("2025-10-03T06", D(10), model="small")
    acme.calls("2025-10-03T05", 3)
    asked = ([], [{"key": "region"}, {"key": "model"}], [{"key": "region", "value": "us"}])
    watched = [
        Alert(type="SPEND_THRESHOLD_REACHED", unit_id=USD_ID, group_values=groups)
        for groups in (*asked, [{"key": "model", "value": "xl"}])
    ]
    now = at("2025-10-20")
    found = readings(watched, computation(acme.customer.pk, at=now), at=now)
    told = [[(each.label, each.figure) for each in found[alert.pk]] for alert in watched]
    assert told == [
        [("", D(91))],
        [("region: eu, model: small", D(5)), ("region: eu, model: xl", D(80))],
        [("region: us", D(0))],
        [("model: xl", D(80))],
    ]


def test_usage_of_a_metric_and_totals_of_drafts(deals, clock_at):
    deals.agree("Pack PREPAID 60")
    clock_at("2025-10-20")
    deals.used("100 minutes on 5, 7 calls on 6")
    metric = str(deals.metrics["minutes"].pk)
    usage = deals.v1.alerts.create(
        alert_type="usage_threshold_reached", name="Minutes", threshold=100, billable_metric_id=metric
    ).data.id
    total = deals.v1.alerts.create(alert_type="invoice_total_reached", name="Draft", threshold=54).data.id
    scheduled = deals.v1.alerts.create(
        alert_type="invoice_total_reached", name="Charges", threshold=0, invoice_types_filter=["SCHEDULED"]
    ).data.id
    assert status(deals, usage).triggered_by == "100; in alarm at 100 or more"
    assert status(deals, total).triggered_by == "usage from 1 October 2025: $0.54; in alarm at $0.54 or more"
    assert status(deals, scheduled).customer_status == "ok"
    clock_at("2025-11-03")
    assert status(deals, usage).customer_status == "ok"
    assert status(deals, total).customer_status == "in_alarm"  # October is not final yet


def test_custom_fields_choose_balances(deals):
    pack = {"product_id": deals.fixed, "priority": 100, "name": "Pack", "type": "PREPAID"}
    span = {"starting_at": OCTOBER, "ending_before": NOVEMBER}
    items = [
        pack | {"access_schedule": {"schedule_items": [span | {"amount": amount}]}, "custom_fields": fields}
        for amount, fields in ((100, {"tier": "gold"}), (30, {"tier": "silver"}), (8, {"other": "x"}))
    ]
    deals.contract(commits=items, custom_fields={"region": "eu"})

    def left(*specifiers, **more):
        made = Alert(
            type="LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_BALANCE_REACHED",
            unit_id=USD_ID,
            specifiers=list(specifiers),
            **more,
        )
        [reading] = readings([made], computation(deals.customer.pk, at=OCTOBER), at=OCTOBER)[made.pk] or [None]
        return None if reading is None else reading.figure

    def has(key, value=None, entity="COMMIT"):
        return {"entity": entity, "key": key} | ({"value": value} if value else {})

    assert left() == 138
    assert left(custom_field_filters=[has("tier", "gold")]) == 100
    assert left({"custom_field_filters": [has("tier")]}) == 130
    silver = [{"custom_field_filters": [has("tier", "silver")]}]
    assert left({"custom_field_filters": [has("tier")], "exclude": silver}) == 100
    assert left({"custom_field_filters": [has("tier", "gold")]}, {"custom_field_filters": [has("other")]}) == 108
    assert left({"custom_field_filters": [has("region", "eu", "CONTRACT")]}) == 138
    assert left({"custom_field_filters": [has("region", "us", "CONTRACT")]}) is None
    assert left({"custom_field_filters": [has("tier", entity="CONTRACTCREDIT")]}) is None
    assert left({"custom_field_filters": [has("tier", entity="CONTRACTCREDITORCOMMIT")]}) == 130


def test_keys_are_used_once_until_they_are_released_and_archiving_twice_is_as_good_as_once(deals):
    given = {"alert_type": "spend_threshold_reached", "name": "Spend", "threshold": 5, "uniqueness_key": "once"}
    first = deals.v1.alerts.create(**given).data.id
    with pytest.raises(metronome.ConflictError, match="already used"):
        deals.v1.alerts.create(**given)
    assert status(deals, first).customer_status == "ok"
    assert deals.v1.alerts.archive(id=first).data.id == first
    assert deals.v1.alerts.archive(id=first).data.id == first
    with pytest.raises(metronome.ConflictError):
        deals.v1.alerts.create(**given)
    deals.v1.alerts.archive(id=first, release_uniqueness_key=True)
    second = deals.v1.alerts.create(**given).data.id
    assert (status(deals, first).customer_status, status(deals, first).alert.status) == (None, "archived")
    listed = deals.v1.customers.alerts.list

    def ids(*statuses):
        return [each.alert.id for each in listed(**deals.whose, alert_statuses=list(statuses))]

    assert [each.alert.id for each in listed(**deals.whose)] == ids("ENABLED") == [second]
    assert (ids("ARCHIVED"), ids("ENABLED", "ARCHIVED"), ids("DISABLED")) == ([first], [first, second], [])
    with pytest.raises(metronome.BadRequestError, match="not archived"):
        deals.v1.customers.alerts.reset(alert_id=first, **deals.whose)


REFUSED = """
    sent                                                                  | says
    spend_threshold_reached threshold=-1                                  | threshold: must not be below zero
    low_remaining_commit_percentage_reached threshold=101                 | must be a percentage from 0 to 100
    low_remaining_days_for_commit_segment_reached threshold=0.5           | threshold: must be a whole number of days
    usage_threshold_reached                                               | billable_metric_id: is required
    spend_threshold_reached access_type=SPEND                             | access_type: is only for alerts of balances
    spend_threshold_reached invoice_types_filter=USAGE                    | is only for invoice_total
    spend_threshold_reached plan_id=00000000-0000-0000-0000-000000000001  | plan_id: is only for alerts of plans
    spend_threshold_reached credit_type_id=00000000-0000-0000-0000-000000000001 | there is no such pricing unit
    low_remaining_commit_balance_reached access_type=QUANTITY credit_type_id=usd | cannot be combined with QUANTITY
    spend_threshold_reached name=                                         | name
"""


def test_what_breaks_a_rule_is_named_and_nothing_is_made(deals):
    for sent, says in table(REFUSED):
        type_, *fields = sent.split()
        given = {"name": "Alert", "threshold": 5} | dict(each.split("=") for each in fields)
        if given.get("credit_type_id") == "usd":
            given["credit_type_id"] = deals.usd
        if "invoice_types_filter" in given:
            given["invoice_types_filter"] = [given["invoice_types_filter"]]
        with pytest.raises(metronome.BadRequestError) as refused:
            deals.v1.alerts.create(alert_type=type_, **given)
        assert says in str(refused.value), sent
    product_field = [{"entity": "Commit", "key": "tier", "value": "gold"}]
    with pytest.raises(metronome.BadRequestError, match="must be Contract"):
        deals.v1.alerts.create(
            alert_type="spend_threshold_reached", name="A", threshold=1, custom_field_filters=product_field
        )
    with pytest.raises(metronome.NotFoundError):
        deals.v1.alerts.create(
            alert_type="spend_threshold_reached",
            name="A",
            threshold=1,
            customer_id="00000000-0000-0000-0000-000000000001",
        )
    assert Alert.objects.count() == 0


def test_every_type_is_read_and_those_of_plans_never_fire(deals):
    deals.agree("Pack PREPAID 100")
    metric = {"billable_metric_id": str(deals.metrics["minutes"].pk)}
    for code in KINDS:
        seats = {"seat_filter": {"seat_group_key": "user"}} if "SEAT" in code else {}
        more = metric if code.startswith("USAGE") else seats
        deals.v1.alerts.create(alert_type=code.lower(), name=code, threshold=100, **more)
    found = {each.alert.type: each.customer_status for each in deals.v1.customers.alerts.list(**deals.whose)}
    alarmed = {type_ for type_, status_ in found.items() if status_ == "in_alarm"}
    assert len(found) == len(KINDS) == 16
    assert alarmed == {
        "low_remaining_commit_balance_reached",
        "low_remaining_commit_percentage_reached",
        "low_remaining_contract_credit_and_commit_balance_reached",
        "low_remaining_contract_credit_and_commit_percentage_reached",
        "low_remaining_days_for_commit_segment_reached",
    }
    assert set(found.values()) == {"ok", "in_alarm"}


def test_a_list_costs_the_same_whatever_its_length(deals, django_assert_max_num_queries):
    deals.agree("Pack PREPAID 100")
    for index in range(3):
        for type_ in COLUMNS:
            deals.v1.alerts.create(alert_type=type_, name=f"{index}", threshold=index + 1)
    with django_assert_max_num_queries(45):
        assert len(deals.v1.customers.alerts.list(**deals.whose).data) == 21
