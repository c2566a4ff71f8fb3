"""All prices of a card by percentage: looked at row by row, rounded as it is said, published as one."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Refusal
from pricing import services
from pricing.models import Publication, Rate
from pricing.queries import Key
from pricing.services import Raise, plan_raise
from tests.contracts.rate_card_pages.typed_prices import FROM_DECEMBER, handed_over
from tests.factories.contracts import ContractFactory
from tests.factories.pricing import (
    ADA,
    CompositeRateFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
)
from tests.pages import words

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (11, 12))
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def tokens(card):
    """Two models, $0.25 and $0.333."""
    product = ProductFactory(name="Tokens <b>", version__pricing_group_key=["model"], version__tags=["llm"])
    for model, price in (("s", D(25)), ("xl", D("33.3"))):
        RateFactory(rate_card=card, product=product, pricing_group_values={"model": model}, price=price)
    return product


def page_of(card):
    return reverse("admin:pricing_ratecard_raise", args=[card.pk])


ASKED = FROM_DECEMBER | {"percent": "5", "places": "3", "product": "", "later": "KEEP", "reason": "Costs", "seen": ""}


def looked_at(client, card, **changes):
    return client.post(page_of(card), ASKED | {"action": "show"} | changes)


def published(client, card, shown, **changes):
    seen = shown.context["form"]["seen"].value()
    return client.post(page_of(card), ASKED | {"seen": seen, "action": "publish"} | changes, follow=True)


def test_each_price_is_seen_before_and_after_and_all_are_published_as_one(revops, card, tokens):
    ContractFactory(rate_card=card)
    assert "All by percentage" in words(revops.get(reverse("admin:pricing_ratecard_change", args=[card.pk])))
    shown = looked_at(revops, card)
    page = words(shown)
    assert "0 new, 2 changed, 0 unchanged" in page
    assert "model: s 1 December 2025 $0.25 $0.263 changed" in page  # 0.2625, half away from zero
    assert "model: xl 1 December 2025 $0.333 $0.35 changed" in page  # 0.34965
    assert "1 contract is on this card." in page
    assert "Tokens <b>" not in shown.content.decode()
    assert handed_over(shown, card) == ({("s",): D("26.3"), ("xl",): 35}, set())
    assert Rate.objects.count() == 2
    assert "Published: 0 new, 2 changed." in words(published(revops, card, shown))
    new = Rate.objects.filter(starting_at=DECEMBER).order_by("price")
    assert [rate.price for rate in new] == [D("26.3"), D(35)]
    assert {rate.publication for rate in new} == {Publication.objects.latest("number")}
    assert new[0].publication.price_change.reason == "Costs"


def test_what_was_not_looked_at_is_looked_at_again(revops, card, tokens):
    shown = looked_at(revops, card)
    for changes in ({"percent": "6"}, {"places": "2"}, {"seen": "x"}, {"later": "RAISE", "percent": "7"}):
        assert "have changed since you looked" in words(published(revops, card, shown, **changes))
    services.add_rate(
        card.pk,
        services.NewRate(tokens.pk, DECEMBER, True, "FLAT", price=D(99), pricing_group_values={"model": "s"}),
        at=NOVEMBER,
        by=ADA,
    )
    assert "have changed since you looked" in words(published(revops, card, shown))
    assert Rate.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"percent": ""}, "Say by how many percent, or what they cost: one of the two."),
        ({"price": "3"}, "Say by how many percent, or what they cost: one of the two."),
        ({"percent": "", "price": "-3"}, "Must not be negative."),
        ({"percent": "0"}, "0 % changes nothing."),
        ({"percent": "-101"}, "From -100 to 1,000 percent."),
        ({"percent": "NaN"}, "Write a number, such as 30 or 0.0025."),
        ({"places": "5"}, "Select a valid choice. 5 is not one of the available choices."),
        ({"product": str(uuid7())}, "Select a valid choice."),
        ({"starting_at_1": "00:30"}, "On the hour"),
        ({"action": "publish", "reason": "", "seen": ""}, "have changed since you looked"),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_nothing_is_published(revops, card, tokens, changes, said):
    assert said in words(looked_at(revops, card, **changes))
    assert Rate.objects.count() == 2


def test_a_reason_is_asked_for_before_it_is_published(revops, card, tokens):
    shown = looked_at(revops, card)
    assert "Say why these prices change." in words(published(revops, card, shown, reason=""))
    assert Rate.objects.count() == 2


def test_what_begins_later_stays_or_is_raised_as_well(card, tokens):
    key = {"rate_card": card, "product": tokens, "pricing_group_values": {"model": "s"}}
    RateFactory(**key, starting_at=JANUARY, price=D(20))
    kept = plan_raise(card, Raise(D(10), 4), starting_at=DECEMBER)
    assert [(row.planned.after.tariff.price, row.planned.ends_at) for row in kept.rows] == [
        (D("27.5"), JANUARY),
        (D("36.63"), None),
    ]
    assert [(each.starting_at, each.is_withdrawn) for each in kept.rows[0].planned.later] == [(JANUARY, False)]
    assert kept.later == 0
    both = plan_raise(card, Raise(D(10), 4), starting_at=DECEMBER, is_of_later=True)
    starts = {(row.planned.wanted.starting_at, row.planned.after.tariff.price) for row in both.rows}
    assert starts == {(DECEMBER, D("27.5")), (JANUARY, D(22)), (DECEMBER, D("36.63"))}
    assert both.later == 0


def test_one_publication_raises_prices_and_takes_later_ones_back(revops, card, tokens):
    key = {"rate_card": card, "product": tokens, "pricing_group_values": {"model": "s"}}
    january, february = (RateFactory(**key, starting_at=start, price=D(20)) for start in (JANUARY, FEBRUARY))
    RateFactory(**key | {"pricing_group_values": {"model": "other"}}, starting_at=JANUARY, price=D(9))
    shown = looked_at(revops, card)
    assert "2 prices that are already published begin later" in words(shown)
    assert "Up to 1 January 2026; then $0.20." in words(shown)
    assert "Say of each later price whether it stays or is withdrawn." in words(published(revops, card, shown))
    one = {f"later_price:{january.pk}": "WITHDRAW", f"later_price:{february.pk}": "KEEP"}
    shown = looked_at(revops, card, **one)
    assert "Up to 1 February 2026; then $0.20." in words(shown)
    assert "have changed since you looked" in words(published(revops, card, shown, later_prices="WITHDRAW"))
    assert "Published: 0 new, 2 changed." in words(published(revops, card, shown, **one))
    publication = Publication.objects.latest("number")
    assert [rate.pk for rate in Rate.objects.filter(withdrawal__publication=publication)] == [january.pk]
    assert Rate.objects.filter(publication=publication).count() == 2


def test_a_price_that_appears_beneath_a_withdrawn_one_is_asked_for_or_goes_with_all(card, tokens):
    key = {"rate_card": card, "product": tokens, "pricing_group_values": {"model": "s"}}
    beneath, above = (RateFactory(**key, starting_at=JANUARY, price=D(price)) for price in (19, 20))

    def later(withdraws):
        plan = plan_raise(card, Raise(D(10), 4), starting_at=DECEMBER, withdraws=withdraws)
        return [(each.rate_id, each.is_withdrawn) for row in plan.rows for each in row.planned.later]

    assert later(lambda rate_id: False) == [(above.pk, False)]
    assert set(later(lambda rate_id: rate_id == above.pk)) == {(above.pk, True), (beneath.pk, False)}
    assert set(later(lambda rate_id: True)) == {(above.pk, True), (beneath.pk, True)}


def test_picked_prices_change_and_no_other(revops, card, tokens):
    RateFactory(rate_card=card, price=D(10))
    page = revops.get(reverse("admin:pricing_ratecard_change", args=[card.pk]))
    boxes = [row.picked for row in page.context["rows"]]
    assert all(escape(box) in page.content.decode() for box in boxes)
    assert "no box had a tick" in words(revops.get(page_of(card), {"of": "picked"}, follow=True))
    opened = revops.get(page_of(card), {"of": "picked", "picked": [boxes[1], boxes[2], boxes[1]]})
    assert "2 picked prices" in words(opened)
    asked = {"picked": boxes[1:], "percent": "", "price": "0.5"}
    shown = looked_at(revops, card, **asked)
    assert "0 new, 2 changed, 0 unchanged" in words(shown)
    assert "Published: 0 new, 2 changed." in words(published(revops, card, shown, **asked))
    assert Rate.objects.filter(starting_at=DECEMBER, price=D(50)).count() == 2
    for wrong in ("x", "[]", '["a", "", {}]', "[1, 2, 3]", "[" * 9_999):
        assert looked_at(revops, card, picked=[wrong]).status_code == 400


@pytest.mark.parametrize(
    ("chosen", "changed"),
    [
        ({"value": '["model", "xl"]'}, 1),
        ({"tag": "llm"}, 2),
        ({"tag": "llm", "q": "xl"}, 1),
        ({"q": "nothing"}, 0),
        ({"tag": "none"}, None),
    ],
)
def test_what_is_shown_is_what_changes(revops, card, tokens, chosen, changed):
    RateFactory(rate_card=card, price=D(10))
    page = revops.get(reverse("admin:pricing_ratecard_change", args=[card.pk]), chosen)
    assert len(page.context["rows"]) == (changed or 0)
    shown = looked_at(revops, card, **chosen)
    said = "Select a valid choice." if changed is None else f"0 new, {changed} changed, 0 unchanged"
    assert said in words(shown)


def test_one_price_for_several_units_is_refused(card, tokens):
    unit = PricingUnitFactory(name="Credits")
    RateCardConversionFactory(rate_card=card, unit=unit)
    RateFactory(rate_card=card, price=D("0.5"), unit=unit)
    with pytest.raises(Refusal, match="must be in one unit"):
        plan_raise(card, Raise(price=D(1)), starting_at=DECEMBER)


@pytest.mark.parametrize("is_of_later", [False, True])
def test_a_price_up_to_a_date_stays_and_the_one_that_comes_back_is_raised(card, tokens, is_of_later):
    key = {"rate_card": card, "product": tokens, "pricing_group_values": {"model": "s"}}
    RateFactory(**key, starting_at=NOVEMBER, ending_before=JANUARY, price=D(1))  # in force at the start
    RateFactory(**key, starting_at=FEBRUARY, ending_before=datetime(2026, 3, 1, tzinfo=UTC), price=D(2))
    plan = plan_raise(card, Raise(D(10), 4), starting_at=DECEMBER, is_of_later=is_of_later)
    of_s = [row.planned for row in plan.rows if row.planned.wanted.values == {"model": "s"}]
    assert [(each.wanted.starting_at, each.after.tariff.price) for each in of_s] == [(JANUARY, D("27.5"))]
    assert (plan.left_alone, plan.later) == (2, 0)


def test_only_flat_prices_of_the_product_that_is_chosen_change(card, tokens):
    other = RateFactory(rate_card=card, price=D(10))
    CompositeRateFactory(rate_card=card)
    unit = PricingUnitFactory(name="Credits")
    RateCardConversionFactory(rate_card=card, unit=unit)
    credits_ = RateFactory(rate_card=card, price=D("0.5"), unit=unit)
    plan = plan_raise(card, Raise(D(-50), 2), starting_at=DECEMBER)
    assert plan.left_alone == 1
    found = {row.planned.wanted.product_id: row.planned.after.tariff.price for row in plan.rows}
    assert found[other.product_id] == D(5)
    assert found[credits_.product_id] == D("0.25")
    one = plan_raise(card, Raise(D(-50), 2), starting_at=DECEMBER, keys=[Key(other.product_id)])
    assert [row.planned.wanted.product_id for row in one.rows] == [other.product_id]


def test_a_price_that_rounding_would_leave_nothing_of_is_refused(revops, card):
    product = ProductFactory(name="Embeddings")
    RateFactory(rate_card=card, product=product, price=D("0.00025"))
    page = words(looked_at(revops, card, places="4"))
    assert "Must leave something of every price: $0.0000025 for Embeddings would become 0." in page
    assert "$0.0000025 $0.00000263 changed" in words(looked_at(revops, card, places="8"))
    assert "$0.0000025 $0.00 changed" in words(looked_at(revops, card, percent="-100"))


def test_nothing_is_published_where_rounding_leaves_all_as_it_was(revops, card):
    RateFactory(rate_card=card, price=D(100))
    RateFactory(rate_card=card, starting_at=JANUARY)
    page = words(looked_at(revops, card, percent="0.1", places="2"))
    assert "Begins later, and is not changed: 1 price." in page
    assert "Every one of these prices stays what it is: there is nothing to publish." in page


def test_it_is_for_those_who_publish_prices(card, tokens):
    viewer = User.objects.create_user("vic", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_rate", "view_ratecard"]))
    client = Client()
    client.force_login(viewer)
    assert client.get(page_of(card)).status_code == client.post(page_of(card), ASKED).status_code == 403
    assert "All by percentage" not in words(client.get(reverse("admin:pricing_ratecard_change", args=[card.pk])))
    assert client.get(page_of(RateCardFactory.build())).status_code == 403


def test_it_costs_the_same_for_few_prices_and_for_many(revops, card, tokens):
    def queries():
        with CaptureQueriesContext(connection) as found:
            looked_at(revops, card)
        return len(found)

    looked_at(revops, card)
    few = queries()
    for number in range(20):
        RateFactory(rate_card=card, product=tokens, pricing_group_values={"model": f"m{number}"}, price=D(number))
    looked_at(revops, card)
    assert queries() == few
