"""The prices of a product as a grid: 36 cells typed at once, previewed, and published as one."""

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.models import TestClock
from contracts.forms.price_grid import cell_name
from ledger.admin.grid_layout import MOST_CELLS
from ledger.queries.combinations import combinations_seen
from pricing import services
from pricing.models import Publication, Rate
from tests.factories.ledger import event, post
from tests.factories.pricing import (
    ADA,
    MetricFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))
FROM_DECEMBER = {"starting_at_0": "2025-12-01", "starting_at_1": "00:00"}
MODELS, REGIONS, PLANS = ("l", "m", "s"), ("ap", "eu", "sa", "us"), ("basic", "plus", "pro")


@pytest.fixture(autouse=True)
def _end_of_october(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)


@pytest.fixture
def revops():
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture
def card():
    return RateCardFactory(name="List prices 2025")


def sold_by(*keys):
    metric = MetricFactory(event_type_filter={"in_values": ["completion"]}, group_keys=[list(keys)])
    return ProductFactory(name="Tokens", version__billable_metric=metric, version__pricing_group_key=list(keys))


@pytest.fixture
def tokens():
    return sold_by("model", "region")


def priced(card, product, price, /, rate=RateFactory, *, values, **changes):
    return rate(rate_card=card, product=product, pricing_group_values=values, price=D(price), **changes)


def page_of(card, product, **query):
    return reverse("price_grid", args=[card.pk, product.pk], query=query or None)


def cell(*values):
    return cell_name(values)


def cells(response):
    """The cells as they are on the page: {(values): text}."""
    return {
        tuple(json.loads(b64decode(each.name.removeprefix("price:"), "-_"))): each.words or each.text
        for block in response.context["blocks"]
        for row in block.rows
        for each in row.cells
    }


def sent(response, **changes):
    """The form as a browser sends it: hidden fields and all cells of the page, and what was typed."""
    form = response.context["form"]
    fields = {name: form[name].value() for name in ("known", "shown_at", "seen")}
    start = form["starting_at"].value()
    if isinstance(start, datetime):
        start = [f"{start:%Y-%m-%d}", f"{start:%H:%M}"]
    fields |= {"starting_at_0": start[0], "starting_at_1": start[1], "reason": form["reason"].value() or ""}
    fields |= {
        each.name: each.text
        for block in response.context["blocks"]
        for row in block.rows
        for each in row.cells
        if not each.words
    }
    for dimension in response.context["dimensions"]:
        fields[f"value-{dimension['index']}"] = dimension["added"]
    return {name: value for name, value in fields.items() if value is not None} | changes


def typed(client, page, shown, **changes):
    return client.post(page, sent(shown, **changes) | {"action": "show"})


def published(client, page, shown, reason="Cheaper chips"):
    return client.post(page, sent(shown, reason=reason) | {"action": "publish"}, follow=True)


def words(response):
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode().replace("&nbsp;", " ")).split())


def changes_of(response):
    return [(row.values, row.before, row.after, row.outcome) for row in response.context["plan"].rows]


def test_two_dimensions_are_rows_and_columns_in_the_major_unit(revops, card, tokens):
    priced(card, tokens, "25", values={"model": "xl", "region": "eu"})
    priced(card, tokens, "0.25", values={"model": "s", "region": "us"})
    shown = revops.get(page_of(card, tokens))
    [block] = shown.context["blocks"]
    assert (block.row_key, block.column_key, block.columns) == ("model", "region", ("eu", "us"))
    assert [row.title for row in block.rows] == ["s", "xl"]
    assert cells(shown) == {("s", "eu"): "", ("s", "us"): "0.0025", ("xl", "eu"): "0.25", ("xl", "us"): ""}


def test_one_dimension_is_a_column(revops, card):
    product = sold_by("model")
    priced(card, product, "100", values={"model": "xl"})
    [block] = revops.get(page_of(card, product)).context["blocks"]
    assert (block.columns, [row.title for row in block.rows]) == (("Price",), ["xl"])


def test_thirty_six_prices_are_typed_previewed_and_published_at_once(revops, card):
    product = sold_by("model", "region", "plan")
    page = page_of(card, product)
    named = {"value-0": MODELS, "value-1": REGIONS, "value-2": PLANS}
    shown = revops.get(page, named)
    blocks = shown.context["blocks"]
    assert [block.title for block in blocks] == ["model: l", "model: m", "model: s"]
    assert [(block.row_key, block.column_key, len(block.rows), block.columns) for block in blocks[:1]] == [
        ("region", "plan", 4, PLANS)
    ]
    prices = {(m, r, p): f"0.{number + 1:02}" for number, (m, r, p) in enumerate(cells(shown))}
    assert len(prices) == 36
    preview = typed(revops, page, shown, **{cell(*values): text for values, text in prices.items()}, **FROM_DECEMBER)
    assert preview.context["plan"].counts == "36 new, 0 changed, 0 unchanged"
    assert changes_of(preview)[0] == ("model: l, plan: basic, region: ap", "no price", "$0.01", "new")
    assert not Rate.objects.exists()
    answer = published(revops, page, preview)
    assert "Published: 36 new, 0 changed, of Tokens from 1 December 2025." in words(answer)
    assert cells(answer) == prices
    rates = Rate.objects.all()
    assert len(rates) == 36
    assert {(rate.starting_at, rate.publication_id, rate.entitled) for rate in rates} == {
        (DECEMBER, Publication.objects.latest("number").number, True)
    }
    assert rates[0].publication.price_change.reason == "Cheaper chips"


def test_only_what_was_typed_is_published(revops, card, tokens):
    for model in MODELS:
        for region in REGIONS:
            priced(card, tokens, "25", values={"model": model, "region": region})
    page = page_of(card, tokens)
    preview = typed(revops, page, revops.get(page), **{cell("m", "eu"): "$0.30", cell("s", "us"): "0.2500"})
    assert preview.context["plan"].counts == "0 new, 1 changed, 11 unchanged"
    assert changes_of(preview) == [("model: m, region: eu", "$0.25", "$0.30", "changed")]
    published(revops, page, preview)
    assert Rate.objects.count() == 13
    new = Rate.objects.get(price=30)
    assert (new.pricing_group_values, new.starting_at) == ({"model": "m", "region": "eu"}, NOVEMBER)


def test_a_price_keeps_its_entitlement_and_its_commit_rate(revops, card, tokens):
    commit_rate = {"rate_type": "FLAT", "price": "20"}
    priced(card, tokens, "25", values={"model": "m", "region": "eu"}, entitled=False, commit_rate=commit_rate)
    page = page_of(card, tokens)
    shown = revops.get(page)
    assert "not part of contracts" in words(shown)
    preview = typed(revops, page, shown, **{cell("m", "eu"): "0.30"})
    assert "The commit rate stays $0.20." in words(preview)
    published(revops, page, preview)
    new = Rate.objects.get(price=30)
    assert (new.entitled, new.commit_rate) == (False, commit_rate)


def test_combinations_of_usage_without_a_price_are_cells_to_fill(revops, card, tokens):
    priced(card, tokens, "25", values={"model": "xl", "region": "eu"})
    used = [("xl", "eu"), ("nano", "eu"), ("nano", None)]
    post(
        *(
            event(
                event_type="completion",
                properties={"model": model} | ({"region": region} if region else {}),
            )
            for model, region in used
        )
    )
    page = page_of(card, tokens)
    shown = revops.get(page)
    marked = [
        each.label for block in shown.context["blocks"] for row in block.rows for each in row.cells if each.is_used
    ]
    assert marked == ["model: nano, region: eu; used, without a price"]
    text = words(shown)
    assert "1 combination occurs in usage without a price from 1 November 2025 on: marked below." in text
    assert "Some usage came without a value for region." in text
    published(revops, page, typed(revops, page, shown, **{cell("nano", "eu"): "0.1"}))
    assert Rate.objects.get(price=10).pricing_group_values == {"model": "nano", "region": "eu"}
    assert "occurs in usage" not in words(revops.get(page))


def test_combinations_of_usage_are_found_by_keys_of_any_name():
    metric = MetricFactory(event_type_filter={"in_values": ["completion"]}, group_keys=[["0", "a b", "model"]])
    sent_in = [{"0": "x", "a b": "y", "model": model} for model in ("s", "xl", "s")]
    post(*(event(event_type="completion", properties=properties) for properties in [*sent_in, {"0": "z"}]))
    assert sorted(combinations_seen(metric.pk, ["a b", "0"], limit=9), key=str) == [("y", "x"), (None, "z")]
    assert len(combinations_seen(metric.pk, ["model"], limit=9)) == 3
    assert len(combinations_seen(metric.pk, ["model"], limit=2)) == 2


def test_the_prices_are_those_of_the_instant_asked_for(revops, card, tokens):
    values = {"model": "xl", "region": "eu"}
    priced(card, tokens, "25", values=values)
    priced(card, tokens, "30", values=values, starting_at=DECEMBER)
    page = page_of(card, tokens)
    assert cells(revops.get(page)) == {("xl", "eu"): "0.25"}
    assert cells(revops.get(page, {"from": "2025-12-01T00:00:00Z"})) == {("xl", "eu"): "0.30"}
    later = typed(revops, page, revops.get(page), **FROM_DECEMBER)
    assert (cells(later), later.context["plan"]) == ({("xl", "eu"): "0.30"}, None)


def test_another_instant_keeps_what_was_typed_and_compares_it_with_the_prices_then(revops, card, tokens):
    for region, price in (("eu", "25"), ("us", "50")):
        priced(card, tokens, price, values={"model": "xl", "region": region})
        priced(card, tokens, "30", values={"model": "xl", "region": region}, starting_at=DECEMBER)
    page = page_of(card, tokens)
    later = typed(revops, page, revops.get(page), **{cell("xl", "eu"): "0.4"}, **FROM_DECEMBER)
    assert changes_of(later) == [("model: xl, region: eu", "$0.30", "$0.40", "changed")]
    assert cells(later) == {("xl", "eu"): "0.4", ("xl", "us"): "0.30"}
    published(revops, page, later)
    assert list(Rate.objects.filter(price=40).values_list("starting_at", flat=True)) == [DECEMBER]
    assert Rate.objects.count() == 5


def test_a_later_price_is_named_as_what_takes_over(revops, card, tokens):
    priced(card, tokens, "30", values={"model": "xl", "region": "eu"}, starting_at=DECEMBER)
    page = page_of(card, tokens)
    preview = typed(revops, page, revops.get(page), **{cell("xl", "eu"): "0.4"})
    assert "Up to 1 December 2025; then $0.30." in words(preview)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("-1", "Must not be negative.", id="negative"),
        pytest.param("NaN", "Write a number, such as 30 or 0.0025.", id="not a number"),
        pytest.param("a lot", "Write a number, such as 30 or 0.0025.", id="words"),
        pytest.param("0.0000000000000001", "Must not have more than 12 decimals.", id="too fine"),
        pytest.param("1e30", "Must not have more than 16 digits before the point.", id="too large"),
        pytest.param("", "A price is not taken back by emptying its cell", id="emptied"),
    ],
)
def test_what_is_wrong_is_said_at_its_cell_and_nothing_is_published(revops, card, tokens, text, rule):
    for region in ("eu", "us"):
        priced(card, tokens, "25", values={"model": "xl", "region": region})
    page = page_of(card, tokens)
    changes = {cell("xl", "eu"): text, cell("xl", "us"): "0.3"}
    refused = typed(revops, page, revops.get(page), **changes)
    errors = {each.label: each.error for row in refused.context["blocks"][0].rows for each in row.cells}
    assert errors["model: xl, region: eu"].startswith(rule)
    assert errors["model: xl, region: us"] == ""
    assert refused.context["plan"] is None
    assert cells(refused) == {("xl", "eu"): text, ("xl", "us"): "0.3"}
    published(revops, page, refused)
    assert Rate.objects.count() == 2


def test_a_price_of_another_type_is_shown_in_words_and_left_alone(revops, card, tokens):
    tiers = [{"price": "300", "size": "10"}, {"price": "200"}]
    values = {"model": "xl", "region": "eu"}
    RateFactory(
        rate_card=card, product=tokens, pricing_group_values=values, rate_type="TIERED", price=None, tiers=tiers
    )
    page = page_of(card, tokens)
    shown = revops.get(page)
    assert cells(shown) == {("xl", "eu"): "$3.00 a unit for the first 10 units, then $2.00"}
    assert cell("xl", "eu") not in sent(shown)
    price_page = reverse("admin:pricing_ratecard_price", args=[card.pk, tokens.pk])
    assert f'href="{price_page}?model=xl&amp;region=eu"' in shown.content.decode()
    assert revops.post(page, sent(shown, **{cell("xl", "eu"): "1"})).status_code == 400


def test_what_was_typed_for_a_time_at_which_tiers_hold_is_said_to_be_left_out(revops, card, tokens):
    values = {"model": "xl", "region": "eu"}
    priced(card, tokens, "25", values=values)
    RateFactory(
        rate_card=card,
        product=tokens,
        pricing_group_values=values,
        starting_at=DECEMBER,
        rate_type="TIERED",
        price=None,
        tiers=[{"price": "200"}],
    )
    page = page_of(card, tokens)
    answer = typed(revops, page, revops.get(page), **{cell("xl", "eu"): "0.3"}, **FROM_DECEMBER)
    assert "model: xl, region: eu costs $2.00 a unit then: what was typed for it is left out." in words(answer)
    assert answer.context["plan"] is None


def test_nothing_is_published_that_was_not_looked_at(revops, card, tokens):
    priced(card, tokens, "25", values={"model": "xl", "region": "eu"})
    page = page_of(card, tokens)
    preview = typed(revops, page, revops.get(page), **{cell("xl", "eu"): "0.3"})
    other = sent(preview, reason="Other", **{cell("xl", "eu"): "3"}) | {"action": "publish"}
    answer = revops.post(page, other)
    assert "The form or the prices have changed since you looked" in words(answer)
    assert changes_of(answer) == [("model: xl, region: eu", "$0.25", "$3.00", "changed")]
    assert "Say why these prices change." in words(revops.post(page, sent(answer, reason="") | {"action": "publish"}))
    assert Rate.objects.count() == 1


def test_a_price_that_somebody_else_has_changed_is_not_set_back(revops, card, tokens):
    """Neither by a cell that was not touched, nor unseen by one that was."""
    eu, us = ({"model": "xl", "region": region} for region in ("eu", "us"))
    priced(card, tokens, "25", values=eu)
    priced(card, tokens, "25", values=us)
    page = page_of(card, tokens)
    shown = revops.get(page)
    new = services.NewRate(tokens.pk, NOVEMBER, True, "FLAT", price=D(99), pricing_group_values=eu)
    services.add_rate(card.pk, new, at=NOW, by=ADA)

    preview = typed(revops, page, shown, **{cell("xl", "us"): "0.3"})
    assert changes_of(preview) == [("model: xl, region: us", "$0.25", "$0.30", "changed")]

    both = typed(revops, page, shown, **{cell("xl", "us"): "0.3", cell("xl", "eu"): "0.2"})
    refused = published(revops, page, both)
    assert "Ada has changed one of these prices meanwhile" in words(refused)
    assert Rate.objects.count() == 3
    again = typed(revops, page, refused)
    assert changes_of(again)[0] == ("model: xl, region: eu", "$0.99", "$0.20", "changed")
    published(revops, page, again)
    assert Rate.objects.count() == 5


def test_values_are_added_by_name(revops, card, tokens):
    priced(card, tokens, "25", values={"model": "xl", "region": "eu"})
    page = page_of(card, tokens)
    wider = typed(revops, page, revops.get(page), **{"another-0": " nano ", "another-1": "us"})
    assert set(cells(wider)) == {("nano", "eu"), ("nano", "us"), ("xl", "eu"), ("xl", "us")}
    wider = typed(revops, page, wider, **{"another-1": "ap"})
    assert len(cells(wider)) == 6
    assert "region: must not be longer than 256 bytes." in words(typed(revops, page, wider, **{"another-1": "x" * 257}))


def test_values_are_text_whatever_they_say(revops, card, tokens):
    hostile = "\"'><script>alert(1)</script>"
    priced(card, tokens, "25", values={"model": hostile, "region": ""})
    page = page_of(card, tokens)
    shown = revops.get(page)
    assert "<script>alert(1)" not in shown.content.decode()
    assert "(empty)" in words(shown)
    published(revops, page, typed(revops, page, shown, **{cell(hostile, ""): "0.3"}))
    assert Rate.objects.get(price=30).pricing_group_values == {"model": hostile, "region": ""}


def test_a_custom_unit_is_typed_in_itself(revops, card, tokens):
    credits = PricingUnitFactory(name="Credits")
    RateCardConversionFactory(rate_card=card, unit=credits)
    priced(card, tokens, "25", values={"model": "xl", "region": "eu"}, unit=credits)
    page = page_of(card, tokens)
    shown = revops.get(page)
    assert cells(shown) == {("xl", "eu"): "25"}
    published(revops, page, typed(revops, page, shown, **{cell("xl", "eu"): "30"}))
    assert Rate.objects.get(price=30).unit == credits


def test_more_combinations_than_a_page_holds_are_listed_as_far_as_they_are_known(revops, card, tokens):
    for number in range(40):
        priced(card, tokens, "25", values={"model": f"m{number}", "region": f"r{number}"})
    assert MOST_CELLS < 40 * 40
    shown = revops.get(page_of(card, tokens))
    assert len(cells(shown)) == 40
    assert shown.context["blocks"][0].rows[0].title == "m0, r0"


def test_usage_pushes_no_price_off_the_page(revops, card, tokens):
    for model in ("y", "z"):
        priced(card, tokens, "25", values={"model": model, "region": "eu"})
    sent_in = [str(number) for number in range(MOST_CELLS)]
    post(*(event(event_type="completion", properties={"model": value, "region": value}) for value in sent_in))
    shown = revops.get(page_of(card, tokens))
    assert len(cells(shown)) == MOST_CELLS
    assert {("y", "eu"), ("z", "eu")} < set(cells(shown))
    assert "Another 2 combinations are not shown" in words(shown)


def test_a_start_within_an_hour_is_refused_at_its_field(revops, card, tokens):
    priced(card, tokens, "25", values={"model": "xl", "region": "eu"})
    page = page_of(card, tokens)
    half = {"starting_at_0": "2025-12-01", "starting_at_1": "00:30"}
    answer = typed(revops, page, revops.get(page), **{cell("xl", "eu"): "0.3"}, **half)
    assert answer.context["form"].errors == {"starting_at": ["Must be on the hour (UTC)."]}
    assert cells(answer) == {("xl", "eu"): "0.3"}


def test_the_longer_of_two_dimensions_goes_down_the_page(revops, card, tokens):
    for number in range(9):
        priced(card, tokens, number, values={"model": "xl", "region": f"r{number}"})
    shown = revops.get(page_of(card, tokens))
    [block] = shown.context["blocks"]
    assert (block.row_key, block.column_key, block.columns, len(block.rows)) == ("region", "model", ("xl",), 9)
    assert cells(shown)["xl", "r3"] == "0.03"


def test_a_grid_costs_the_same_queries_however_large(revops, card, tokens):
    def cost():
        with CaptureQueriesContext(connection) as made:
            revops.get(page_of(card, tokens))
        return len(made)

    priced(card, tokens, "25", values={"model": "xl", "region": "eu"})
    cost()
    first = cost()
    for number in range(20):
        priced(card, tokens, "25", values={"model": "xl", "region": f"r{number}"})
    assert cost() == first


def test_fields_that_no_page_has_are_refused(revops, card, tokens):
    page = page_of(card, tokens)
    form = sent(revops.get(page))
    assert revops.post(page, form | {cell("a"): "3"}).status_code == 400
    assert revops.post(page, form | {cell(1, 2): "3"}).status_code == 400
    assert revops.post(page, form | {"price:xl": "3"}).status_code == 400
    assert revops.post(page, form | {cell("\ud800", "eu"): "3"}).status_code == 400
    assert revops.post(page, form | {"known": str(2**70)}).status_code == 400
    assert revops.post(page, form | {"shown_at": "yesterday"}).status_code == 400


def test_who_may_not_price_does_not_see_it(card, tokens):
    client = Client()
    user = User.objects.create_user("ed", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    assert client.get(page_of(card, tokens)).status_code == 403


def test_products_without_dimensions_have_one_price_on_a_page_of_its_own(revops, card):
    calls = ProductFactory()
    price_page = reverse("admin:pricing_ratecard_price", args=[card.pk, calls.pk])
    answer = revops.get(page_of(card, calls), follow=True)
    assert answer.redirect_chain == [(price_page, 302)]
    assert answer.status_code == 200
