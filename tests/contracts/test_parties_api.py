"""Who sells, who is billed and what is taxed, told by machines: kept with its history, refused by field, once."""

from decimal import Decimal as D

import pytest

from contracts.models import BillingProfile, LegalEntity, ProductTaxCode, TaxRate
from tests.contracts.conftest import Api, token
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import ProductFactory

pytestmark = pytest.mark.django_db

ENTITY = {
    "name": "Countinghouse Ltd",
    "address": ["1 Abacus Row", "Dublin 2"],
    "country": "IE",
    "tax_id": "IE1234567T",
    "email": "billing@countinghouse.example",
    "remittance": ["Bank of Ireland", "IBAN IE29 AIBK 9311 5212 3456 78"],
    "net_payment_terms_days": 14,
    "taxes": "FIXED_RATES",
    "numbering": "PER_LEGAL_ENTITY",
    "number_prefix": "IE",
}
PROFILE = {
    "legal_name": "Acme GmbH",
    "address": ["Rechenstraße 12", "10115 Berlin"],
    "country": "DE",
    "tax_id": "DE123456789",
    "purchase_order": "PO-4711",
    "contacts": ["ap@acme.example", "cfo@acme.example"],
    "tax_exemption": "Reverse charge",
}
NOBODY = dict.fromkeys(PROFILE, "") | {"address": [], "contacts": []}
RATE = {"name": "VAT", "percent": D(19), "tax_code": "", "country": "DE", "starting_at": "2025-01-01T00:00:00+00:00"}


def sent(row):
    return {name: float(value) if isinstance(value, D) else value for name, value in row.items()}


def refused(answer):
    return {error["field"]: (error["value"], error["rule"]) for error in answer["errors"]}


def test_who_sells_is_said_read_and_changed_field_by_field(api):
    assert api.get("/v1/legal-entity") == {"data": None}
    assert api.post("/v1/legal-entity/set", ENTITY | {"reason": "We begin"}) == {"data": ENTITY}
    changed = api.post("/v1/legal-entity/set", {"net_payment_terms_days": None, "email": None, "reason": "On receipt"})
    assert changed["data"] == ENTITY | {"net_payment_terms_days": None, "email": ""}
    assert api.get("/v1/legal-entity") == changed
    assert api.post("/v1/legal-entity/set", sent(changed["data"])) == changed  # which is no news
    history = list(LegalEntity.objects.get().history.order_by("history_id"))
    assert [(row.history_change_reason, row.actor_label, row.source) for row in history] == [
        ("We begin", "Provisioning", "API"),
        ("On receipt", "Provisioning", "API"),
    ]


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"name": " "}, "name", "must not be empty"),
        ({"address": []}, "address", "must not be empty"),
        ({"address": list("abcdefg")}, "address", "must not have more than 6 lines"),
        ({"address": ["x" * 161]}, "address", "must not be longer than 160 characters"),
        ({"remittance": ["x"] * 21}, "remittance", "must not have more than 20 lines"),
        ({"country": "Ireland"}, "country", "must be two capital letters, as in DE, or empty"),
        ({"email": "nobody"}, "email", "must be an e-mail address"),
        ({"tax_id": "1" * 65}, "tax_id", "must not be longer than 64 characters"),
        ({"net_payment_terms_days": 366}, "net_payment_terms_days", "must be a whole number of days from 0 to 365"),
        ({"net_payment_terms_days": 0.5}, "net_payment_terms_days", "must be a whole number of days from 0 to 365"),
        ({"taxes": "SOME"}, "taxes", "must be one of NONE, FIXED_RATES"),
        ({"number_prefix": "d-e"}, "number_prefix", "must be 1 to 12 capital letters and digits"),
        ({"numbering": "PER_CUSTOMER"}, "number_prefix", "must be empty, as numbers for each customer have no prefix"),
    ],
)
def test_what_breaks_a_rule_of_who_sells_is_named_and_nothing_is_changed(api, given, field, rule):
    api.post("/v1/legal-entity/set", ENTITY)
    assert refused(api.post("/v1/legal-entity/set", given | {"tax_id": given.get("tax_id", "IE0")}, status=400))[field][
        1
    ].startswith(rule)
    assert api.get("/v1/legal-entity")["data"] == ENTITY


def test_all_that_is_wrong_is_named_at_once(api):
    assert refused(api.post("/v1/legal-entity/set", {"country": "ie", "email": "x"}, status=400)) == {
        "name": ("''", "must not be empty"),
        "address": ("''", "must not be empty"),
        "country": ("'ie'", "must be two capital letters, as in DE, or empty"),
        "email": ("'x'", "must be an e-mail address"),
    }
    assert not LegalEntity.objects.exists()


def test_how_a_customer_is_billed_is_said_read_and_changed(api):
    acme = CustomerFactory()
    url, told = f"/v1/customers/{acme.pk}", {"customer_id": str(acme.pk)}
    assert api.get(f"{url}/billingProfile")["data"] == told | NOBODY
    assert api.post(f"{url}/setBillingProfile", PROFILE | {"reason": "Onboarding"})["data"] == told | PROFILE
    changed = api.post(f"{url}/setBillingProfile", {"purchase_order": "PO-4712", "tax_exemption": None})["data"]
    assert changed == told | PROFILE | {"purchase_order": "PO-4712", "tax_exemption": ""}
    api.post(f"{url}/setBillingProfile", {"purchase_order": "PO-4712"})
    assert api.get(f"{url}/billingProfile")["data"] == changed
    profile = BillingProfile.objects.get()
    assert [row.history_change_reason for row in profile.history.order_by("history_id")] == ["Onboarding", None]
    wrong = {"contacts": ["ap@acme.example", "nobody"], "country": "de", "address": list("abcdefg")}
    assert refused(api.post(f"{url}/setBillingProfile", wrong, status=400)) == {
        "contacts": ("'nobody'", "must be e-mail addresses, and 'nobody' is none"),
        "country": ("'de'", "must be two capital letters, as in DE, or empty"),
        "address": ("'a\\nb\\nc\\nd\\ne\\nf\\ng'", "must not have more than 6 lines"),
    }
    nobody = "/v1/customers/00000000-0000-4000-8000-000000000000"
    assert api.get(f"{nobody}/billingProfile", status=404)["message"] == "There is no such customer."
    assert api.post(f"{nobody}/setBillingProfile", {}, status=404)["message"] == "There is no such customer."


def test_a_customers_token_reads_its_own_profile_and_nothing_else_of_this(api, api_bound_to):
    acme, globex = CustomerFactory(), CustomerFactory(name="Globex")
    api.post(f"/v1/customers/{acme.pk}/setBillingProfile", PROFILE)
    bound = api_bound_to(acme.pk)
    assert bound.get(f"/v1/customers/{acme.pk}/billingProfile")["data"]["tax_id"] == "DE123456789"
    bound.get(f"/v1/customers/{globex.pk}/billingProfile", status=404)
    bound.post(f"/v1/customers/{acme.pk}/setBillingProfile", {"tax_id": "DE1"}, status=403)
    for method, url in [("GET", "/v1/legal-entity"), ("POST", "/v1/tax-rates/list"), ("POST", "/v1/tax-codes/list")]:
        assert bound.client.generic(method, url).status_code == 403


@pytest.mark.parametrize("path", ["legal-entity/set", "tax-rates/create", "tax-rates/update", "tax-codes/set"])
def test_only_an_admin_token_says_any_of_it(db, path):
    assert "admin is needed here" in Api(token("read")).post(f"/v1/{path}", {}, status=403)["message"]


def test_rates_are_added_listed_changed_and_ended(api):
    first = api.post("/v1/tax-rates/create", sent(RATE) | {"reason": "Law"})["data"]
    assert first == RATE | {"id": first["id"], "ending_before": None, "final_documents_unchanged": 0}
    assert api.post("/v1/tax-rates/create", sent(RATE))["data"] == first  # once more, and there is one
    books = {"tax_code": "books", "percent": D(7), "starting_at": "2025-07-01T00:00:00+00:00"}
    second = api.post("/v1/tax-rates/create", sent(RATE | books))["data"]
    ended = api.post("/v1/tax-rates/update", {"id": first["id"], "ending_before": "2026-01-01"})["data"]
    assert ended == first | {"ending_before": "2026-01-01T00:00:00+00:00"}
    api.post("/v1/tax-rates/update", {"id": first["id"], "ending_before": "2026-01-01", "reason": "Said before"})
    api.post("/v1/tax-rates/update", {"id": second["id"], "percent": 9.5, "reason": "Typing error"})

    def listed(**asked):
        return [(row["tax_code"], row["percent"]) for row in api.post("/v1/tax-rates/list", asked)["data"]]

    assert listed() == [("", D(19)), ("books", D("9.5"))]
    assert listed(tax_code="") == [("", D(19))]
    assert listed(country="DE", tax_code="books") == [("books", D("9.5"))]
    assert listed(country="") == []
    page = api.post("/v1/tax-rates/list?limit=1")
    assert [row["id"] for row in page["data"]] == [first["id"]]
    assert [row["id"] for row in api.post(f"/v1/tax-rates/list?next_page={page['next_page']}")["data"]] == [
        second["id"]
    ]
    reasons = TaxRate.history.order_by("history_id").values_list("history_change_reason", flat=True)
    assert list(reasons) == ["Law", None, None, "Typing error"]


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"name": " "}, "name", "must not be empty"),
        ({"name": "V" * 81}, "name", "must not be longer than 80 characters"),
        ({"percent": 101}, "percent", "must be from 0 to 100"),
        ({"percent": -1}, "percent", "must be from 0 to 100"),
        ({"percent": "8.8750001"}, "percent", "must not have more than 6 decimals"),
        ({"percent": "much"}, "percent", "must be a number"),
        ({"tax_code": " books"}, "tax_code", "must not begin or end with a space"),
        ({"country": "D"}, "country", "must be two capital letters, as in DE, or empty"),
        ({"starting_at": "2025-01-01T00:30:00Z"}, "starting_at", "must be on the hour (UTC)"),
        ({"ending_before": "2025-01-01"}, "ending_before", "must be later than starting_at"),
    ],
)
def test_what_breaks_a_rule_of_a_rate_is_named_and_nothing_is_changed(api, given, field, rule):
    assert refused(api.post("/v1/tax-rates/create", sent(RATE) | given, status=400))[field][1] == rule
    assert not TaxRate.objects.exists()
    made = api.post("/v1/tax-rates/create", sent(RATE))["data"]
    assert refused(api.post("/v1/tax-rates/update", {"id": made["id"], **given}, status=400))[field][1] == rule
    assert TaxRate.history.count() == 1


def test_of_two_rates_that_begin_at_once_the_second_is_a_conflict(api):
    first = api.post("/v1/tax-rates/create", sent(RATE))["data"]
    rule = f"must not be when another rate for this code and country begins; change that one, {first['id']}"
    other = api.post("/v1/tax-rates/create", sent(RATE | {"percent": D(7)}), status=409)
    assert refused(other) == {"starting_at": (f"'{RATE['starting_at']}'", rule)}
    later = api.post("/v1/tax-rates/create", sent(RATE | {"starting_at": "2025-02-01T00:00:00+00:00"}))["data"]
    moved = api.post("/v1/tax-rates/update", {"id": later["id"], "starting_at": RATE["starting_at"]}, status=409)
    assert refused(moved) == refused(other)
    nowhere = {"id": "00000000-0000-4000-8000-000000000000", "percent": 1}
    assert refused(api.post("/v1/tax-rates/update", nowhere, status=404))["id"][1] == "must be the id of a tax rate"


def test_a_product_is_taxed_by_a_code_until_it_is_taken_back(api):
    product = ProductFactory()
    told = {"product_id": str(product.pk), "tax_code": "books"}
    assert api.post("/v1/tax-codes/set", told | {"reason": "It is a book"})["data"] == told
    api.post("/v1/tax-codes/set", told)
    assert api.post("/v1/tax-codes/list")["data"] == [told]
    assert api.post("/v1/tax-codes/set", told | {"tax_code": None, "reason": "No book"})["data"]["tax_code"] == ""
    assert api.post("/v1/tax-codes/list")["data"] == []
    history = ProductTaxCode.history.order_by("history_id").values_list("tax_code", "history_change_reason")
    assert list(history) == [("books", "It is a book"), ("", "No book")]
    wrong = api.post("/v1/tax-codes/set", told | {"tax_code": "x" * 65}, status=400)
    assert refused(wrong)["tax_code"][1] == "must not be longer than 64 characters"
    nowhere = told | {"product_id": "00000000-0000-4000-8000-000000000000"}
    assert refused(api.post("/v1/tax-codes/set", nowhere, status=404)) != {}
