"""Packages by the official client: what is made from one is a contract like any other (`docs/packages.md`)."""

from datetime import timedelta

import metronome
import pytest
from django.db import IntegrityError, transaction

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from contracts.models import Contract, Package
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.pricing import FixedProductFactory, RateCardAliasFactory, RateCardFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at, sdk, use

pytestmark = pytest.mark.django_db

NONE = {"unit": "DAYS", "value": 0}
START = at("2025-10-31T05:00")


def months(value):
    return {"unit": "MONTHS", "value": value}


@pytest.fixture
def api(db):
    return sdk(tokens.create_token("tests", scope="admin", at=OCTOBER, by=ADA)[1])


@pytest.fixture
def fixed(db):
    return str(FixedProductFactory(name="Platform").pk)


@pytest.fixture
def terms(price_list, fixed):
    """Everything that a package may say, but for custom fields."""
    return {
        "contract_name": "Starter",
        "duration": {"unit": "YEARS", "value": 1},
        "rate_card_id": str(price_list.card.pk),
        "net_payment_terms_days": 14,
        "usage_statement_schedule": {"frequency": "MONTHLY", "day": "CONTRACT_START"},
        "multiplier_override_prioritization": "EXPLICIT",
        "scheduled_charges_on_usage_invoices": "ALL",
        "commits": [
            {
                "type": "PREPAID",
                "product_id": fixed,
                "name": "Start",
                "temporary_id": "start",
                "access_schedule": {
                    "schedule_items": [
                        {"amount": 300.5, "starting_at_offset": NONE, "duration": months(1)},
                        {"amount": 200, "starting_at_offset": months(1), "duration": months(1)},
                    ]
                },
                "invoice_schedule": {"schedule_items": [{"date_offset": NONE, "unit_price": 400, "quantity": 1}]},
                "custom_fields": {"duration": "of no term"},
            },
            {
                "type": "POSTPAID",
                "product_id": fixed,
                "access_schedule": {
                    "schedule_items": [{"amount": 5000, "starting_at_offset": NONE, "duration": months(12)}]
                },
                "invoice_schedule": {
                    "schedule_items": [{"date_offset": months(12), "unit_price": 5000, "quantity": 1}]
                },
            },
        ],
        "credits": [
            {
                "product_id": fixed,
                "priority": 1,
                "access_schedule": {
                    "schedule_items": [
                        {"amount": 50, "starting_at_offset": NONE, "duration": {"unit": "DAYS", "value": 14}}
                    ]
                },
            }
        ],
        "recurring_credits": [
            {
                "product_id": fixed,
                "access_amount": {"unit_price": 10, "quantity": 1},
                "commit_duration": {"value": 1},
                "starting_at_offset": months(1),
                "duration": months(3),
                "priority": 2,
                "proration_rounding": {"access": {"decimal_places": 0, "rounding_method": "FLOOR"}},
            }
        ],
        "scheduled_charges": [
            {
                "product_id": fixed,
                "name": "Setup",
                "schedule": {"schedule_items": [{"date_offset": months(1), "unit_price": 70, "quantity": 2}]},
            }
        ],
        "overrides": [
            {
                "type": "MULTIPLIER",
                "multiplier": 0.5,
                "priority": 1,
                "starting_at_offset": months(1),
                "duration": months(1),
                "override_specifiers": [{"product_id": str(price_list.tokens.pk)}],
            },
            {
                "type": "MULTIPLIER",
                "multiplier": 0.25,
                "priority": 2,
                "is_commit_specific": True,
                "starting_at_offset": NONE,
                "override_specifiers": [{"product_id": str(price_list.calls.pk), "commit_ids": ["start"]}],
            },
        ],
    }


def with_dates(terms):
    """The same terms for a contract from 31 October 2025, 05:00, each date looked up in a calendar."""
    [start, pledge], [gift], [monthly], [setup] = (
        terms[name] for name in ("commits", "credits", "recurring_credits", "scheduled_charges")
    )
    [half, cheaper] = terms["overrides"]

    def items(*ranges):
        return {
            "schedule_items": [
                {"amount": amount, "starting_at": f"{begin}T05:00Z", "ending_before": f"{end}T05:00Z"}
                for amount, begin, end in ranges
            ]
        }

    def billed(day, unit_price, quantity):
        return {"schedule_items": [{"timestamp": f"{day}T05:00Z", "unit_price": unit_price, "quantity": quantity}]}

    def without(term, *names):
        return {name: value for name, value in term.items() if name not in (*names, "starting_at_offset", "duration")}

    return {
        **without(terms, "contract_name"),
        "name": "Starter",
        "ending_before": "2026-10-31T05:00Z",
        "commits": [
            {
                **start,
                "access_schedule": items((300.5, "2025-10-31", "2025-11-30"), (200, "2025-11-30", "2025-12-31")),
                "invoice_schedule": billed("2025-10-31", 400, 1),
            },
            {
                **pledge,
                "access_schedule": items((5000, "2025-10-31", "2026-10-31")),
                "invoice_schedule": billed("2026-10-31", 5000, 1),
            },
        ],
        "credits": [{**gift, "access_schedule": items((50, "2025-10-31", "2025-11-14"))}],
        "recurring_credits": [
            {**without(monthly), "starting_at": "2025-11-30T05:00Z", "ending_before": "2026-02-28T05:00Z"}
        ],
        "scheduled_charges": [{**setup, "schedule": billed("2025-11-30", 70, 2)}],
        "overrides": [
            {**without(half), "starting_at": "2025-11-30T05:00Z", "ending_before": "2025-12-31T05:00Z"},
            {**without(cheaper), "starting_at": "2025-10-31T05:00Z"},
        ],
    }


def without_ids(shown):
    """What two contracts of the same terms have in common."""
    if isinstance(shown, dict):
        own = ("id", "ids", "created_at", "created_by", "contract", "package_id", "customer_custom_fields")
        return {
            name: without_ids(each)
            for name, each in shown.items()
            if name not in own and not (name.endswith(("_id", "_ids")) and "product" not in name)
        }
    return [without_ids(each) for each in shown] if isinstance(shown, list) else shown


def drafts_of(api, customer):
    """Without ids, which decide the order of documents and lines of one time."""
    found = [without_ids(each.to_dict()) for each in api.v1.customers.invoices.list(customer_id=str(customer.pk))]
    return sorted(({**draft, "line_items": sorted(draft["line_items"], key=repr)} for draft in found), key=repr)


def test_a_contract_from_a_package_owes_what_one_of_the_same_terms_owes(api, terms, price_list, clock_at):
    clock_at("2025-12-15")
    package_id = api.v1.packages.create(name="Starter", **terms).data.id
    one, other = CustomerFactory(aliases=["one"]), CustomerFactory(aliases=["other"])
    start = "2025-10-31T05:00:00Z"

    made = api.v1.contracts.create(customer_id=str(one.pk), starting_at=start, package_id=package_id).data.contract
    typed = api.v1.contracts.create(customer_id=str(other.pk), starting_at=start, **with_dates(terms)).data.contract
    for subject in ("one", "other"):
        use(price_list.tokens_used, "2025-11-03T07", 20, {"model": "xl", "region": "eu"}, subject=subject)
        use(price_list.tokens_used, "2025-12-03T07", 30, {"model": "xl", "region": "eu"}, subject=subject)
        use(price_list.calls_made, "2025-11-04T07", 40, {}, subject=subject)

    assert (made.package_id, typed.to_dict().get("package_id")) == (package_id, None)
    assert without_ids(made.to_dict()) == without_ids(typed.to_dict())
    drafts = [drafts_of(api, each) for each in (one, other)]
    assert drafts[0] == drafts[1]
    assert len(drafts[0]) >= 4
    assert sum(len(draft["line_items"]) for draft in drafts[0]) > 6
    read = api.v1.contracts.retrieve(customer_id=str(one.pk), contract_id=made.id).data
    assert read.package_id == package_id


def test_a_package_is_read_as_it_was_made(api, terms):
    package_id = api.v1.packages.create(
        name="Starter 2025", uniqueness_key="starter", aliases=[{"name": "starter"}], **terms
    ).data.id

    shown = api.v1.packages.retrieve(package_id=package_id).data.to_dict(mode="json")

    assert (shown["name"], shown["contract_name"], shown["uniqueness_key"]) == ("Starter 2025", "Starter", "starter")
    assert shown["aliases"] == [{"name": "starter"}]
    assert (shown["duration"], shown["net_payment_terms_days"]) == (terms["duration"], 14)
    start, pledge = shown["commits"]
    assert (start["product"]["name"], start["name"], pledge["type"]) == ("Platform", "Start", "POSTPAID")
    first, second = start["access_schedule"]["schedule_items"]
    assert (first["amount"], second["starting_at_offset"], second["duration"]) == (300.5, months(1), months(1))
    [paid] = start["invoice_schedule"]["schedule_items"]
    assert (paid["date_offset"], paid["unit_price"], paid["quantity"]) == (NONE, 400, 1)
    assert start["custom_fields"] == {"duration": "of no term"}
    half, cheaper = shown["overrides"]
    assert (half["multiplier"], half["duration"], "duration" in cheaper) == (0.5, months(1), False)
    assert cheaper["override_specifiers"][0]["commit_template_ids"] == [start["id"]]
    [monthly] = shown["recurring_credits"]
    assert (monthly["access_amount"]["unit_price"], monthly["commit_duration"]["value"]) == (10, 1)
    assert monthly["proration_rounding"] == {"access": {"decimal_places": 0, "rounding_method": "FLOOR"}}
    [setup] = shown["scheduled_charges"]
    assert (setup["name"], setup["schedule"]["schedule_items"][0]["quantity"]) == ("Setup", 2)
    [listed] = api.v1.packages.list()
    assert listed.to_dict(mode="json") == shown


def test_an_alias_means_the_package_made_last_and_an_archived_one_is_not_used(api, price_list, clock_at):
    clock_at("2025-12-15")
    card = {"rate_card_id": str(price_list.card.pk)}
    old = api.v1.packages.create(name="Old", aliases=[{"name": "plan"}], **card).data.id
    clock_at("2025-12-16")
    until = "2026-01-01T00:00:00Z"
    new = api.v1.packages.create(name="New", aliases=[{"name": "plan", "ending_before": until}], **card).data.id

    def made(start):
        customer = str(CustomerFactory(aliases=[str(uuid7())]).pk)
        created = api.v1.contracts.create(customer_id=customer, starting_at=start, package_alias="plan")
        return created.data.contract.package_id

    assert (made("2025-11-01T00:00:00Z"), made("2026-01-01T00:00:00Z")) == (new, old)
    assert api.v1.packages.archive(package_id=new).data.id == new == api.v1.packages.archive(package_id=new).data.id
    with pytest.raises(metronome.BadRequestError, match="package_alias: must not be that of an archived package"):
        made("2025-11-01T00:00:00Z")
    lists = {kind: [each.id for each in api.v1.packages.list(archive_filter=kind)] for kind in ("ARCHIVED", "ALL")}
    assert ([each.id for each in api.v1.packages.list()], lists) == ([old], {"ARCHIVED": [new], "ALL": [old, new]})


def test_contracts_are_listed_by_their_package(api, price_list):
    package_id = api.v1.packages.create(name="Plan", rate_card_id=str(price_list.card.pk)).data.id
    found = Package.objects.get()
    rows = [
        ContractFactory(customer__aliases=[name], starting_at=start, terms__ending_before=end, package=found, **more)
        for name, start, end, more in (
            ("a", OCTOBER, NOVEMBER, {}),
            ("b", NOVEMBER, None, {}),
            ("c", OCTOBER, JANUARY, {"archived_at": JANUARY}),
        )
    ]
    ContractFactory(customer__aliases=["d"])

    def listed(**asked):
        page = api.v1.packages.list_contracts_on_package(package_id=package_id, **asked)
        return sorted("abc"[[str(row.pk) for row in rows].index(each.contract_id)] for each in page)

    assert (listed(), listed(include_archived=True), listed(limit=1)) == (["a", "b"], ["a", "b", "c"], ["a", "b"])
    assert (listed(covering_date=OCTOBER), listed(covering_date=NOVEMBER)) == (["a"], ["b"])
    assert (listed(starting_at=NOVEMBER), listed(starting_at=OCTOBER + timedelta(hours=1))) == (["b"], ["b"])
    [first] = list(api.v1.packages.list_contracts_on_package(package_id=package_id, covering_date=OCTOBER))
    assert (first.customer_id, first.starting_at, first.ending_before) == (str(rows[0].customer_id), OCTOBER, NOVEMBER)
    with pytest.raises(metronome.BadRequestError, match="cannot be combined with starting_at"):
        listed(starting_at=OCTOBER, covering_date=OCTOBER)
    with pytest.raises(metronome.NotFoundError):
        api.v1.packages.list_contracts_on_package(package_id=str(uuid7()))


def refusals(call, kind=metronome.BadRequestError):
    """Fields and rules of what is refused, which leaves nothing behind."""
    before = Package.objects.count(), Contract.objects.count()
    with pytest.raises(kind) as refused:
        call()
    assert (Package.objects.count(), Contract.objects.count()) == before
    return [(each["field"], each["rule"]) for each in refused.value.body.get("errors", [])]


def test_what_breaks_a_rule_is_named_as_the_package_names_it(api, terms):
    unknown = str(uuid7())

    def made(**more):
        return refusals(lambda: api.v1.packages.create(**{"name": "Plan", **terms, **more}))

    assert made(name="") == [("name", "This field may not be blank")]
    assert made(duration=months(0)) == [
        ("duration.value", "must be a whole number from 1 to 1200 where the unit is MONTHS")
    ]
    charge = terms["scheduled_charges"][0]
    [(field, rule)] = made(scheduled_charges=[{**charge, "product_id": unknown}])
    assert (field, rule) == ("scheduled_charges[0].product_id", "must be the id of a product")
    by_amount = {"schedule_items": [{"date_offset": NONE, "amount": 5}]}
    assert [field for field, _ in made(scheduled_charges=[{**charge, "schedule": by_amount}])] == [
        "scheduled_charges[0].schedule.schedule_items[0].unit_price",
        "scheduled_charges[0].schedule.schedule_items[0].quantity",
    ]
    monthly = terms["recurring_credits"][0]
    late = {**monthly, "starting_at_offset": months(12)}
    assert [field for field, _ in made(recurring_credits=[late])] == ["recurring_credits[0].starting_at_offset"]
    assert made(contract_name="x" * 161) == [("contract_name", "must not be longer than 160 characters")]
    assert made(rate_card_id=unknown) == [("rate_card_id", "must be the id of a rate card")]
    override = {**terms["overrides"][0], "override_specifiers": [{"commit_ids": ["nobody"]}]}
    assert "overrides[0].override_specifiers[0].commit_ids[0]" in [field for field, _ in made(overrides=[override])]
    assert made(aliases=[{"name": "a"}, {"name": "a"}]) == [
        ("aliases[1].name", "must not overlap the same name in this request")
    ]


@pytest.mark.parametrize("field", ["spend_trackers", "spend_threshold_configuration"])
def test_what_is_not_supported_in_a_contract_is_not_in_a_package(api, field):
    [(named, _)] = refusals(
        lambda: api.v1.packages.create(name="Plan", **{field: {"some": "thing"}}), metronome.InternalServerError
    )
    assert named == field


def test_the_database_keeps_what_a_package_says(api, price_list):
    api.v1.packages.create(name="Plan", rate_card_id=str(price_list.card.pk))
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Package.objects.update(template={})
    assert Package.objects.update(name="Plan 2025") == 1


def test_a_key_makes_one_package(api, price_list):
    card = {"rate_card_id": str(price_list.card.pk)}
    api.v1.packages.create(name="Plan", uniqueness_key="plan", **card)
    [(field, _)] = refusals(
        lambda: api.v1.packages.create(name="Plan", uniqueness_key="plan", **card), metronome.ConflictError
    )
    assert field == "uniqueness_key"


def test_beside_a_package_nothing_is_said_that_it_says(api, price_list):
    package_id = api.v1.packages.create(name="Plan", rate_card_id=str(price_list.card.pk)).data.id
    customer = str(CustomerFactory(aliases=["acme"]).pk)

    def made(**more):
        told = {"customer_id": customer, "starting_at": START, **more}
        return refusals(lambda: api.v1.contracts.create(**told))

    assert made(package_id=package_id, package_alias="plan") == [
        ("package_alias", "cannot be combined with package_id")
    ]
    said = "must not be given beside a package, which says it"
    assert made(package_id=package_id, name="Mine", ending_before=JANUARY) == [("ending_before", said), ("name", said)]
    assert made(package_alias="nobody") == [("package_alias", "must be an alias of a package at the contract's start")]
    created = api.v1.contracts.create(
        customer_id=customer,
        starting_at=OCTOBER,
        package_id=package_id,
        uniqueness_key="once",
        custom_fields={"deal": "7"},
    ).data.contract
    assert (created.uniqueness_key, created.custom_fields) == ("once", {"deal": "7"})


def test_the_rate_card_of_an_alias_is_the_one_at_the_contracts_start(api):
    first, second = RateCardFactory(name="2025"), RateCardFactory(name="2026")
    RateCardAliasFactory(rate_card=first, name="list")
    RateCardAliasFactory(rate_card=second, name="list", starting_at=JANUARY)
    package_id = api.v1.packages.create(name="Plan", rate_card_alias="list").data.id

    def card_from(start):
        customer = str(CustomerFactory(aliases=[str(uuid7())]).pk)
        made = api.v1.contracts.create(customer_id=customer, starting_at=start, package_id=package_id)
        return made.data.contract.rate_card_id

    assert (card_from(OCTOBER), card_from(JANUARY)) == (str(first.pk), str(second.pk))
