"""What the grid refuses, leaves out, cuts, and says of prices that it does not hold."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.admin.grid_layout import MOST_CELLS
from pricing import services
from pricing.models import Rate
from tests.factories.ledger import event, post
from tests.factories.pricing import (
    ADA,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateFactory,
)
from tests.ledger.price_grid.grid import (
    DECEMBER,
    FROM_DECEMBER,
    NOVEMBER,
    NOW,
    cell,
    cells,
    changes_of,
    page_of,
    priced,
    published,
    sent,
    typed,
)
from tests.pages import words

pytestmark = pytest.mark.django_db


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
