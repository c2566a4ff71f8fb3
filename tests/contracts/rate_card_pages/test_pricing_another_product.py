"""A product that is not on the card yet: chosen, asked for its values, and priced."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from contracts.admin.price_shown import change_url
from pricing import services
from pricing.queries import Key
from tests.contracts.rate_card_pages.typed_prices import NOW, Typing
from tests.factories.pricing import ADA, ProductFactory, RateFactory, SubscriptionProductFactory
from tests.pages import words

pytestmark = pytest.mark.django_db


class TestAnotherProduct:
    def choose(self, client, card, **query):
        return client.get(reverse("admin:pricing_ratecard_more", args=[card.pk], query=query))

    def test_one_with_a_single_price_leads_to_it(self, revops, card):
        product = ProductFactory(name="API calls")
        page = self.choose(revops, card)
        assert "API calls" in words(page)
        answer = self.choose(revops, card, product=product.pk, next="1")
        assert answer.url == change_url(card, Key(product.pk))
        assert "It never had a price." in words(revops.get(answer.url))

    def test_its_values_are_asked_for(self, revops, card):
        product = ProductFactory(version__pricing_group_key=["model", "region"])
        asked = self.choose(revops, card, product=product.pk, next="1").context["asked"]
        assert [field.label for field in asked] == ["model", "region"]
        assert not asked.errors
        half = {"product": product.pk, "next": "1", "value-0": "xl"}
        assert self.choose(revops, card, **half).context["asked"].errors == {"value-1": ["This field is required."]}
        answer = self.choose(revops, card, **half, **{"value-1": "eu west & more"})
        assert answer.url == change_url(card, Key(product.pk, {"model": "xl", "region": "eu west & more"}))
        _, rate = Typing(revops, answer.url).publish(rate_type="FLAT", price="1")
        assert rate.pricing_group_values == {"model": "xl", "region": "eu west & more"}

    def test_one_with_dimensions_may_be_priced_as_a_grid(self, revops, card):
        product = ProductFactory(version__pricing_group_key=["model"])
        grid = reverse("price_grid", args=[card.pk, product.pk])
        assert f'href="{grid}"' in self.choose(revops, card, product=product.pk).content.decode()
        assert "as a grid" not in words(self.choose(revops, card, product=ProductFactory().pk))

    def test_keys_to_come_are_priced_before_they_come(self, revops, card):
        january = datetime(2026, 1, 1, tzinfo=UTC)
        product = ProductFactory(version__billable_metric__group_keys=[["model"]])
        RateFactory(rate_card=card, product=product)
        changes = {"pricing_group_key": ("model",)}
        services.update_product(product.pk, starting_at=january, changes=changes, at=NOW, by=ADA)
        asked = self.choose(revops, card, product=product.pk, next="1").context["asked"]
        assert [label for _, label in asked.fields["sold"].choices] == [
            "Now: priced by nothing else",
            "From 1 January 2026 on: priced by model",
        ]
        query = {"product": product.pk, "next": "1", "sold": january.isoformat()}
        assert [field.label for field in self.choose(revops, card, **query).context["asked"]] == [
            "As it is sold",
            "model",
        ]
        answer = self.choose(revops, card, **query, **{"value-0": "xl"})
        assert answer.url == change_url(card, Key(product.pk, {"model": "xl"}))
        form = Typing(revops, answer.url)
        assert form.form["starting_at"].value() == january
        _, rate = form.publish(price="3", starting_at_0="2026-01-01")
        assert (rate.pricing_group_values, rate.starting_at) == ({"model": "xl"}, january)

    def test_a_subscription_has_a_billing_frequency(self, revops, card):
        product = SubscriptionProductFactory()
        query = {"product": product.pk, "next": "1", "billing_frequency": "QUARTERLY"}
        assert self.choose(revops, card, **query).url == change_url(card, Key(product.pk, {}, "QUARTERLY"))
        wrong = self.choose(revops, card, **query | {"billing_frequency": "DAILY"})
        assert list(wrong.context["asked"].errors) == ["billing_frequency"]

    def test_what_has_no_price_of_its_own_is_not_offered(self, revops, card):
        fixed, archived = ProductFactory(type="FIXED"), ProductFactory(archived_at=NOW)
        for product in (fixed, archived):
            page = self.choose(revops, card, product=product.pk, next="1")
            assert list(page.context["form"].errors) == ["product"]
        assert revops.get(change_url(card, Key(fixed.pk))).status_code == 404

    def test_it_takes_the_permission_to_add_prices(self, card):
        client, user = Client(), User.objects.create_user("vera", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
        client.force_login(user)
        assert self.choose(client, card).status_code == 403
