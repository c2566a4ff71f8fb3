"""What is set on a rate card beside its prices: what custom units are worth, and the order on invoices."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pricing import services
from pricing.models import Publication, RateCardConversion, RateCardPlace
from pricing.queries import product_order
from tests.contracts.rate_card_pages.typed_prices import NOW
from tests.factories.pricing import (
    ADA,
    PricingUnitFactory,
    ProductFactory,
    RateCardAliasFactory,
    RateCardConversionFactory,
    RateFactory,
)
from tests.pages import words

pytestmark = pytest.mark.django_db


def page_of(card, name="change"):
    return reverse(f"admin:pricing_ratecard_{name}", args=[card.pk])


class TestConversions:
    def test_a_unit_is_converted_in_the_major_unit(self, revops, card):
        credits = PricingUnitFactory(name="credits")
        form = {"unit": str(credits.pk), "worth": "$0.125", "reason": "Credits are sold from now on"}
        answer = revops.post(page_of(card, "convert"), form, follow=True)
        assert "The card converts credits." in words(answer)
        assert "credits grace, 31 October 2025, 23:00 UTC $0.125" in words(answer)
        conversion = RateCardConversion.objects.get()
        assert (conversion.rate_card, conversion.unit, conversion.fiat_per_unit) == (card, credits, D("12.5"))
        assert conversion.publication.price_change.reason == "Credits are sold from now on"

    @pytest.mark.parametrize(
        ("typed", "errors"),
        [
            pytest.param({"worth": "0"}, {"worth": ["Must be greater than 0."]}, id="nothing"),
            pytest.param({"worth": "much"}, {"worth": ["Write a number, such as 30 or 0.0025."]}, id="no number"),
            pytest.param({"unit": ""}, {"unit": ["This field is required."]}, id="no unit"),
            pytest.param({"reason": ""}, {"reason": ["This field is required."]}, id="no reason"),
        ],
    )
    def test_what_is_refused_stands_beside_its_field(self, revops, card, typed, errors):
        form = {"unit": str(PricingUnitFactory().pk), "worth": "1", "reason": "Launch"} | typed
        page = revops.post(page_of(card, "convert"), form)
        assert page.context["form"].errors == errors
        assert not RateCardConversion.objects.exists()

    def test_only_units_that_the_card_does_not_convert_yet_are_offered(self, revops, card):
        RateCardConversionFactory(rate_card=card, unit=PricingUnitFactory(name="credits"))
        PricingUnitFactory(name="old points", archived_at=NOW)
        PricingUnitFactory(name="points")
        form = revops.get(page_of(card, "convert")).context["form"]
        assert [unit.name for unit in form.fields["unit"].queryset] == ["points"]


class TestOrder:
    @pytest.fixture
    def abc(self, card):
        return [RateFactory(rate_card=card, product=ProductFactory(name=name)).product for name in "ABC"]

    def form(self, client, card, **typed):
        shown = client.get(page_of(card, "order")).context["form"]
        values = {field.html_name: field.value() for field in shown}
        return values | {"reason": "As on the old invoices"} | typed

    def test_a_product_moves_to_the_number_that_it_is_given(self, revops, card, abc):
        a, b, c = abc
        form = self.form(revops, card, **{str(c.pk): "1"})
        answer = revops.post(page_of(card, "order"), form, follow=True)
        assert "The products are in this order on invoices." in words(answer)
        assert product_order(card) == [c.pk, a.pk, b.pk]
        assert [row.name for row in answer.context["rows"]] == ["C", "A", "B"]
        place = RateCardPlace.objects.filter(product=c).get()
        assert place.publication.price_change.reason == "As on the old invoices"
        newest = answer.context["history"][0]
        assert newest.changes == ("The order on invoices: C, A, B.",)
        assert (newest.by, newest.reason) == ("grace", "As on the old invoices")

    def test_an_order_that_stays_is_not_published(self, revops, card, abc):
        published = Publication.objects.count()
        assert revops.post(page_of(card, "order"), self.form(revops, card)).status_code == 302
        assert Publication.objects.count() == published

    @pytest.mark.parametrize("number", ["0", "4", "1.5", "first", ""])
    def test_a_number_that_is_no_place_is_refused(self, revops, card, abc, number):
        page = revops.post(page_of(card, "order"), self.form(revops, card, **{str(abc[1].pk): number}))
        assert page.context["form"].errors == {str(abc[1].pk): ["Write a number from 1 to 3."]}
        assert not RateCardPlace.objects.exists()

    def test_two_that_move_to_one_place_are_told(self, revops, card, abc):
        both = {str(abc[0].pk): "2", str(abc[2].pk): "2"}
        page = revops.post(page_of(card, "order"), self.form(revops, card, **both))
        assert page.context["form"].errors == {str(abc[2].pk): ["Another product of this request moves there."]}

    def test_the_second_of_two_sees_the_order_of_the_first(self, revops, card, abc):
        a, b, c = abc
        form = self.form(revops, card, **{str(c.pk): "1"})
        services.set_product_order(card.pk, [b.pk, a.pk, c.pk], at=NOW, by=ADA)
        page = revops.post(page_of(card, "order"), form, follow=True)
        assert "Somebody has changed the order meanwhile" in words(page)
        assert product_order(card) == [b.pk, a.pk, c.pk]

    def test_it_costs_the_same_with_one_product_and_with_many(self, revops, card):
        def queries():
            with CaptureQueriesContext(connection) as found:
                assert revops.get(page_of(card, "order")).status_code == 200
            return len(found)

        RateFactory(rate_card=card)
        one = queries()
        for number in range(4):
            RateFactory(rate_card=card, product=ProductFactory(name=f"Product {number}"))
        assert queries() == one


def test_the_names_of_a_card_say_when_they_mean_it(revops, card):
    RateCardAliasFactory(rate_card=card, name="standard", ending_before=datetime(2026, 1, 1, tzinfo=UTC))
    RateCardAliasFactory(rate_card=card, name="partners", starting_at=datetime(2025, 6, 1, tzinfo=UTC))
    page = words(revops.get(page_of(card)))
    assert "also called partners, standard" in page
    assert "standard since ever up to 1 January 2026" in page
    assert "partners from 1 June 2025" in page


def test_an_archived_card_says_so_and_offers_no_change(revops, card):
    RateFactory(rate_card=card)
    services.archive_rate_card(card.pk, at=NOW, by=ADA)
    page = words(revops.get(page_of(card)))
    assert "This card is archived since 31 October 2025" in page
    for offer in ("Order of products", "Convert a unit", "Add a name", "Price another product"):
        assert offer not in page


@pytest.mark.parametrize("name", ["convert", "order"])
def test_whoever_may_only_look_changes_nothing(card, name):
    client, user = Client(), User.objects.create_user("vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    assert client.get(page_of(card, name)).status_code == 403
    assert client.post(page_of(card, name), {"reason": "x"}).status_code == 403
