"""A sheet of prices in the admin: taken out, looked at before it is published, and published as one."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from pricing import services
from pricing.models import Publication, Rate
from tests.contracts.rate_card_pages.typed_prices import FROM_DECEMBER, NOW, handed_over
from tests.factories.pricing import ADA, ProductFactory, RateFactory
from tests.pages import words

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (11, 12))


@pytest.fixture
def tokens(card):
    """Two models at a quarter."""
    product = ProductFactory(name="Tokens", version__pricing_group_key=["model"])
    for model in ("s", "xl"):
        RateFactory(rate_card=card, product=product, pricing_group_values={"model": model}, price=D(25))
    return product


def page_of(card, name="import"):
    return reverse(f"admin:pricing_ratecard_{name}", args=[card.pk])


def fields(response):
    """What a browser sends back of the page."""
    form = response.context["form"]
    hidden = {name: form[name].value() or "" for name in ("seen", "sheet")}
    return hidden | FROM_DECEMBER | {"reason": "Cheaper chips"}


def looked_at(client, card, text, **changes):
    shown = client.get(page_of(card))
    sent = fields(shown) | {"pasted": text, "action": "show"} | changes
    return client.post(page_of(card), sent)


def published(client, card, response, **changes):
    return client.post(page_of(card), fields(response) | {"action": "publish"} | changes, follow=True)


SHEET = "product,model,price\nTokens,s,0.25\nTokens,xl,0.30\nTokens,nano,0.1\n"


@pytest.mark.parametrize("is_file", [True, False])
def test_a_sheet_is_looked_at_and_then_published_as_one(revops, card, tokens, is_file):
    file = {"file": SimpleUploadedFile("prices.csv", b"\xef\xbb\xbf" + SHEET.encode()), "pasted": ""}
    preview = looked_at(revops, card, SHEET, **(file if is_file else {}))
    text = words(preview)
    assert "1 new, 1 changed, 1 unchanged" in text
    assert "line 3 Tokens model: xl 1 December 2025 $0.25 $0.30 changed" in text
    assert "line 4 Tokens model: nano 1 December 2025 no price $0.10 new" in text
    assert handed_over(preview, card) == ({("xl",): 30, ("nano",): 10}, set())
    assert Rate.objects.count() == 2
    answer = published(revops, card, preview)
    assert "Published: 1 new, 1 changed." in words(answer)
    new = Rate.objects.filter(starting_at=DECEMBER).order_by("price")
    assert [(rate.pricing_group_values, rate.price) for rate in new] == [({"model": "nano"}, 10), ({"model": "xl"}, 30)]
    assert {rate.publication for rate in new} == {Publication.objects.latest("number")}
    assert new[0].publication.price_change.reason == "Cheaper chips"


def test_what_is_wrong_is_a_table_and_nothing_is_published(revops, card, tokens):
    sheet = "product,model,price\nTokens,s,0.26\nTokens,xl,NaN\nOther,xl,-1\n"
    refused = looked_at(revops, card, sheet)
    text = words(refused)
    assert "2 places have to be put right" in text
    assert "3 price &#x27;NaN&#x27; must be a number such as 30 or 0.0025" in text
    assert "4 product &#x27;Other&#x27; there is no such product" in text
    assert refused.context["form"]["pasted"].value() == sheet  # to be edited where it is
    published(revops, card, refused, pasted=sheet)
    assert Rate.objects.count() == 2


def test_a_file_that_cannot_be_read_is_refused_at_its_field(revops, card, tokens):
    large = SimpleUploadedFile("prices.csv", b"x" * 1_500_001)
    assert "Must not be larger than 1,500,000 bytes" in words(looked_at(revops, card, "", file=large))
    file = SimpleUploadedFile("prices.csv", SHEET.encode("utf-16"))
    assert "Must be in UTF-8" in words(looked_at(revops, card, "", file=file))
    assert "Must have a header and rows." in words(looked_at(revops, card, ""))


def test_nothing_is_published_that_was_not_looked_at(revops, card, tokens):
    preview = looked_at(revops, card, SHEET)
    new_year = {"starting_at_0": "2026-01-01"}
    later = published(revops, card, preview, **new_year)
    assert "1 January 2026 $0.25 $0.30 changed" in words(later)
    without = published(revops, card, later, reason="", **new_year)
    assert without.context["form"].errors["reason"] == ["Say why these prices change."]
    assert Rate.objects.count() == 2


def test_a_price_that_somebody_else_has_changed_stops_the_sheet(revops, card, tokens):
    preview = looked_at(revops, card, SHEET)
    new = services.NewRate(tokens.pk, NOVEMBER, True, "FLAT", price=D(99), pricing_group_values={"model": "xl"})
    services.add_rate(card.pk, new, at=NOW, by=ADA)
    refused = published(revops, card, preview)
    assert "The form or the prices have changed since you looked: this is what it would do now." in words(refused)
    assert Rate.objects.count() == 3
    assert "$0.99 $0.30 changed" in words(refused)
    published(revops, card, refused)
    assert Rate.objects.count() == 5


def test_what_holds_already_is_not_published_again(revops, card, tokens):
    text = words(looked_at(revops, card, "product,model,price\nTokens,s,0.25\n"))
    assert "Every price of the sheet holds already: there is nothing to publish." in text


def test_the_prices_now_come_out_as_a_file_and_go_back_in_unchanged(revops, card, tokens):
    RateFactory(rate_card=card, product=ProductFactory(name="Calls"), price=D("0.2"))
    answer = revops.get(page_of(card, "export"))
    assert answer["Content-Disposition"] == 'attachment; filename="list-prices-2025-2025-10-31.csv"'
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "product_id,product,model,price,unit,rate_type,entitled"
    assert len(lines) == 4
    back = SimpleUploadedFile("prices.csv", answer.content)
    assert "0 new, 0 changed, 3 unchanged" in words(looked_at(revops, card, "", file=back))
    one = revops.get(page_of(card, "export"), {"product": str(tokens.pk)})
    assert len(one.content.decode().splitlines()) == 3


def test_five_thousand_prices_are_looked_at_and_published_as_one(revops, card, tokens):
    sheet = "product,model,price\n" + "".join(f"Tokens,m{number},0.{number + 1:04}\n" for number in range(5_000))
    preview = looked_at(revops, card, sheet)
    text = words(preview)
    assert "5,000 new, 0 changed, 0 unchanged" in text
    assert "And 4,500 more changes further down the sheet, counted above." in text
    published(revops, card, preview)
    assert Rate.objects.count() == 5_002
    assert Rate.objects.filter(publication=Publication.objects.latest("number")).count() == 5_000


@pytest.mark.parametrize(("name", "permission"), [("import", "add_rate"), ("export", "view_rate")])
def test_who_may_not_does_not(card, name, permission):
    client = Client()
    user = User.objects.create_user("ed", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename=permission))
    client.force_login(user)
    assert client.get(page_of(card, name)).status_code == 403
