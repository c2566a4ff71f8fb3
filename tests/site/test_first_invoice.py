"""From one pasted event to the line that bills it: what is proposed, looked at and made, by whom, what is refused."""

import json
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from billing_site.first_invoice.forms import USED_ID, PasteForm
from billing_site.foundation.models import ApiToken, Job, TestClock
from billing_site.navigation import sidebar
from billing_site.roles import Role
from contracts.models import Contract, Customer, LegalEntity
from ledger.models import EventKey
from pricing.models import BillableMetric, Product, Rate, RateCard
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.pages import words

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 10, 20, 12, tzinfo=UTC)
PAGE, EVENT = reverse("first_invoice"), reverse("first_invoice_event")


@pytest.fixture(autouse=True)
def _sandbox(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)


def signed_in(role=None):
    client = Client()
    if role is None:
        client.force_login(User.objects.create_superuser("grace"))
    else:
        user = User.objects.create_user("ed", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
    return client


@pytest.fixture
def grace():
    return signed_in()


def calls(**changes):
    return event("e-1", event_type="api_calls", properties={"calls": 10, "region": "eu"}, **changes)


def pasted(client, one):
    return client.post(EVENT, {"body": one if isinstance(one, str) else json.dumps(one)})


def filled_in(page, **changes):
    """The form as a browser sends it."""
    form, sent = page.context["form"], {}
    for field in form:
        value = field.value()
        widgets = getattr(field.field.widget, "widgets", None)
        if widgets:
            shown = value if isinstance(value, list) else field.field.widget.decompress(value)
            sent |= {f"{field.name}_{number}": str(part) for number, part in enumerate(shown)}
        elif isinstance(value, list):
            sent[field.name] = value
        elif value not in (None, False):
            sent[field.name] = "on" if value is True else str(value)
    sent |= {name: str(value) if not isinstance(value, list) else value for name, value in changes.items()}
    return {name: value for name, value in sent.items() if value != ""}


def looked_at(client, one, **changes):
    return client.post(EVENT, filled_in(pasted(client, one), **changes) | {"preview": "1"})


def made(client, one, **changes):
    """What follows a save, or the page that says why there was none."""
    preview = looked_at(client, one, **changes)
    previewed = {"save": "1", "previewed": preview.context["previewed"]}
    return client.post(EVENT, filled_in(preview, **changes) | previewed, follow=True)


def there():
    models = (BillableMetric, Product, RateCard, Rate, Customer, Contract, EventKey, Job)
    return [model.objects.count() for model in models]


def test_an_event_says_in_words_what_is_in_it(grace):
    page = words(pasted(grace, calls() | {"properties": {"calls": "10", "deep": {"a": 1}, "ok": True, "x": None}}))
    assert "Type api_calls Time 1 October 2025, 12:00 UTC Customer id acme" in page
    assert "calls a number, as text &#x27;10&#x27; deep an object of 1 property" in page
    assert "ok yes or no yes x nothing null" in page
    assert "Lists and objects are kept as they are, and metrics do not look into them" in page


def test_from_a_paste_to_the_line_and_why(grace):
    page = looked_at(grace, calls(), price="0.002")
    assert "API" not in page.context["form"].initial["product_name"]
    assert "Api calls 10 × $0.002 $0.02 Total $0.02" in words(page)
    assert there() == [0] * 8
    page = made(grace, calls(), price="0.002")
    assert "Api calls 10 × $0.002 $0.02 why? Total $0.02" in words(page)
    assert there() == [1, 1, 1, 1, 1, 1, 1, 1]
    metric = BillableMetric.objects.get()
    assert (metric.aggregation_type, metric.aggregation_key) == ("SUM", "calls")
    assert metric.event_type_filter == {"in_values": ["api_calls"]}
    assert Contract.objects.get().starting_at == datetime(2025, 10, 1, tzinfo=UTC)
    assert Contract.history.get().history_change_reason == "First invoice"
    [line] = page.context["drafts"][0].lines
    assert "10" in words(grace.get(line.why_url))


def test_what_is_there_is_used_again(grace):
    made(grace, calls(), price="0.002")
    before = there()
    page = pasted(grace, calls() | {"transaction_id": "e-2"})
    form = page.context["form"]
    assert not {"customer", "customer_name", "contract_from"} & form.fields.keys()
    assert "acme sends as acme , and has a contract at the time of this event" in words(page)
    page = made(grace, calls() | {"transaction_id": "e-2"})
    assert "Api calls 20 × $0.002 $0.04" in words(page)
    assert [now - then for now, then in zip(there(), before, strict=True)] == [0, 0, 0, 0, 0, 0, 1, 0]


def test_an_event_that_was_sent_before_there_was_a_metric_is_previewed_too(grace):
    post(calls())
    page = looked_at(grace, calls(), price="1")
    assert "send" not in page.context["form"].fields
    assert "Api calls 10 × $1.00 $10.00" in words(page)
    assert EventKey.objects.count() == 1


def test_lines_are_split_and_priced_by_what_looks_like_a_label(grace):
    page = looked_at(grace, calls(), price="2", measure="COUNT:", priced_by=["region"])
    assert "1 × $2.00 $2.00" in words(page)
    made(grace, calls(), price="2", measure="COUNT:", priced_by=["region"])
    assert Rate.objects.get().pricing_group_values == {"region": "eu"}
    both = looked_at(grace, calls(customer_id="b"), price="2", sold="new", priced_by=["region"], split_by=["region"])
    assert both.context["form"].errors["priced_by"] == ["region cannot do both: split lines by it, or price by it."]


def test_a_new_product_of_a_metric_that_is_there_and_a_customer_that_sends_by_a_new_name(grace):
    metric = MetricFactory(name="Calls", event_type_filter={"in_values": ["api_calls"]})
    customer = CustomerFactory(name="Globex")
    page = made(grace, calls(), price="3", sold=f"metric:{metric.pk}", customer=customer.pk)
    assert "Api calls 1 × $3.00 $3.00" in words(page)
    assert Customer.objects.count() == BillableMetric.objects.count() == 1


def test_a_new_product_is_priced_by_what_the_metric_that_is_there_is_measured_by(grace):
    metric = MetricFactory(name="Calls", event_type_filter={"in_values": ["api_calls"]}, group_keys=[["region"]])
    chosen = {"price": "3", "sold": f"metric:{metric.pk}"}
    says = "Calls can be split and priced by region."
    other = calls() | {"properties": {"calls": 10, "region": "eu", "team": "a"}}
    refused = looked_at(grace, other, **chosen, split_by=["team"])
    assert says in words(pasted(grace, calls()))
    assert refused.context["form"].errors["split_by"] == [f"{says} Choose that, or a new metric."]
    made(grace, calls(), **chosen, priced_by=["region"])
    assert Rate.objects.get().pricing_group_values == {"region": "eu"}


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({}, "price", "Is required: List prices has none for it at the time of the event."),
        ({"price": "dear"}, "price", "Write a number, such as 30 or 0.0025."),
        ({"price": "-1"}, "price", "Must not be negative."),
        ({"price": "1", "product_name": " "}, "product_name", "This is needed."),
        ({"price": "1", "contract_from_0": "2025-10-02"}, "contract_from", "Must not be after the event, which is of"),
        ({"price": "1", "price_from_0": "2025-10-02"}, "price_from", "Must not be after the event, which is of"),
        ({"price": "1", "measure": "SUM:other"}, "measure", "Select a valid choice."),
    ],
)
def test_what_is_refused_stands_beside_its_field(grace, changes, field, rule):
    page = looked_at(grace, calls(), **changes)
    [error] = page.context["form"].errors[field]
    assert error.startswith(rule) or rule in error
    assert there() == [0] * 8


def test_the_customers_contract_says_by_which_card(grace):
    contract = ContractFactory(
        customer=CustomerFactory(name="Acme", aliases=["acme"]),
        rate_card=RateCardFactory(name="Special"),
        starting_at=datetime(2025, 10, 1, tzinfo=UTC),
    )
    page = looked_at(grace, calls(), price="1", rate_card="new", rate_card_name="Mine")
    assert page.context["form"].errors["rate_card"] == [
        "Must be Special: the customer has a contract on it at the time of the event."
    ]
    page = made(grace, calls(), price="1")
    assert "10 × $1.00 $10.00" in words(page)
    assert Contract.objects.get() == contract


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Paste an event, as your service would send it."),
        ("curl http://", "Must be JSON: an event, or an array of them."),
        ("[]", "Must hold one event."),
        (json.dumps([calls(), calls()]), "Must hold one event."),
        ('{"customer_id": "acme"}', "is required"),
        (json.dumps(calls(timestamp="yesterday")), "timestamp: must be"),
        (json.dumps(calls(timestamp="2026-01-01T00:00:00Z")), "timestamp: must not lie more than 24 hours"),
        (json.dumps(calls(customer_id="x" * 129)), "customer_id: must"),
        (json.dumps(calls() | {"properties": {"n": "\0"}}), "properties.n: must not contain"),
        (json.dumps(calls() | {"properties": {"n": "x" * 65_000}}), "properties: must"),
        ("[" * 50_000, "Must be JSON"),
        ("x" * 70_000, "This has 70,000 characters. Paste one event alone"),
        ('{"a":' * 10 + "1" + "}" * 10, "is required"),
    ],
)
def test_a_bad_paste_gets_what_ingest_would_say(body, said):
    paste = PasteForm({"body": body})
    assert paste.read(at=NOW) is None
    assert any(said in error for error in paste.errors["body"]), paste.errors["body"]


def test_what_cannot_be_read_is_shown_again(grace):
    page = pasted(grace, "<xss>")
    assert "Must be JSON: an event, or an array of them. JSON, as it is posted" in words(page)
    assert page.context["paste"]["body"].value() == "<xss>"
    assert b"<xss" not in page.content


def test_an_id_that_was_used_for_another_content_is_told():
    post(calls())
    paste = PasteForm({"body": json.dumps(calls() | {"properties": {"calls": 11}})})
    assert paste.read(at=NOW) is None
    assert paste.errors["body"] == [USED_ID]


HOSTILE = "\"'></script><xss onxss=1>{{7*7}}"


def test_hostile_texts_stay_texts(grace):
    one = event(
        HOSTILE, customer_id=HOSTILE, event_type=HOSTILE, properties={HOSTILE: 10, f"{HOSTILE}s": HOSTILE, "": 1}
    )
    for page in (pasted(grace, one), looked_at(grace, one, price="1"), made(grace, one, price="1")):
        assert page.status_code == 200
        assert b"<xss" not in page.content
        assert escape(HOSTILE) in page.content.decode()
    assert Customer.objects.get().name == HOSTILE


def test_no_number_proposes_a_count_and_an_old_month_is_warned_of(grace):
    page = pasted(grace, event("e-1", timestamp="2025-07-03T00:00:00Z", properties={"who": "ada"}))
    assert page.context["form"]["measure"].value() == "COUNT:"
    said = words(page)
    assert "None of its properties is a number" in said
    assert "It is of July 2025, which is over." in said


def test_who_may_not_send_may_set_up_and_is_told_whom_to_ask():
    editor = signed_in(Role.EDITOR)
    page = words(editor.get(PAGE))
    assert "Ask someone with the role Finance." in page
    assert "Ask someone with the role Operator." in page
    shown = pasted(editor, calls())
    assert "You cannot send this event from here. Ask someone with the role Operator. Or send it by the API." in words(
        shown
    )
    page = made(editor, calls(), price="0.002", send="on")
    assert "Nothing is on it yet." in words(page)
    assert EventKey.objects.count() == 0
    post(calls())
    [contract] = Contract.objects.all()
    assert "10 × $0.002 $0.02" in words(editor.get(PAGE, {"contract": contract.pk}))


def test_the_company_is_told_on_the_way(grace):
    sent = {"name": "Seller Ltd", "address": "1 Row\nDublin", "country": "ie"}
    page = grace.post(reverse("first_invoice_company"), sent)
    assert page.context["company"].errors["country"] == ["Must be two capital letters, as in DE, or empty."]
    page = grace.post(reverse("first_invoice_company"), sent | {"country": "IE"}, follow=True)
    assert "Invoices say Seller Ltd from now on." in words(page)
    assert LegalEntity.objects.get().address == "1 Row\nDublin"


@pytest.mark.parametrize(("role", "is_led"), [(Role.OPERATOR, True), (Role.AUDITOR, False)])
def test_the_list_of_tokens_leads_whoever_may_to_making_one(role, is_led):
    listed = signed_in(role).get(reverse("admin:foundation_apitoken_changelist"))
    assert (f'href="{PAGE}#token"' in listed.content.decode()) == is_led


def test_a_token_is_shown_once_with_what_to_send(grace):
    form = grace.get(PAGE).context["token"]
    sent = {"name": "Gateway", "key": form["key"].value()}
    page = grace.post(reverse("first_invoice_token"), sent)
    secret = page.context["secret"]
    assert page.content.decode().count(secret) == 3
    assert "curl http://testserver/v1/ingest" in page.content.decode()
    again = grace.post(reverse("first_invoice_token"), sent)
    assert again.context["token"].errors["name"][0].startswith("Is that of a token that was made already")
    assert ApiToken.objects.get().scope == "INGEST"
    told = {"HTTP_AUTHORIZATION": f"Bearer {secret}", "content_type": "application/json"}
    assert Client().post("/v1/ingest", json.dumps([calls()]), **told).status_code == 200


def test_home_leads_there_as_long_as_something_is_missing(grace):
    assert "Your first real invoice" in words(grace.get(reverse("admin:index")))
    grace.post(reverse("hide_start"), {"first_invoice": "hidden"})
    assert not grace.get(reverse("admin:index")).context["first_invoice"]
    assert "Your first invoice" in words(grace.get(PAGE))  # in the sidebar


def test_the_page_costs_the_same_whatever_there_is(grace):
    def queries(url, data):
        with CaptureQueriesContext(connection) as found:
            assert (grace.post(url, data) if data else grace.get(url)).status_code == 200
        return len(found)

    RateFactory(product=ProductFactory(version__billable_metric=MetricFactory()))
    asked = ((PAGE, None), (EVENT, {"body": json.dumps(calls())}))
    few = [queries(*each) for each in asked]
    for _ in range(3):
        product = ProductFactory(version__billable_metric=MetricFactory())
        ContractFactory(rate_card=RateFactory(product=product).rate_card)
    assert [queries(*each) for each in asked] == few


def test_one_place_of_the_sidebar_is_lit(grace):
    for page in ("ledger_unmatched", "ledger_ingestcall_changelist", "index", "contracts_contract_add"):
        request = grace.get(reverse(f"admin:{page}")).wsgi_request
        lit = [item["title"] for group in sidebar(request) for item in group["items"] if item["active"]]
        assert len(lit) == 1, (page, lit)
