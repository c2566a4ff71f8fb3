"""The page of a rate card: prices as a function of time, changed and withdrawn by RevOps."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import Contract
from pricing import services
from pricing.models import Publication, Rate
from tests.contracts.rate_card_pages.typed_prices import FROM_DECEMBER, NOW, handed_over
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.pricing import ADA, ProductFactory, RateFactory, RateWithdrawalFactory
from tests.pages import words

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))


@pytest.fixture
def xl(card):
    """A million tokens of the model xl for $40.00, as the only price of the card."""
    product = ProductFactory(
        name="Tokens",
        version__pricing_group_key=["model"],
        version__conversion_factor=D(1_000_000),
        version__conversion_operation="DIVIDE",
        version__conversion_name="million tokens",
    )
    return RateFactory(rate_card=card, product=product, pricing_group_values={"model": "xl"}, price=D(4_000))


def page_of(card, **query):
    return reverse("admin:pricing_ratecard_change", args=[card.pk], query=query or None)


def price_page(rate):
    place = reverse("admin:pricing_ratecard_price", args=[rate.rate_card_id, rate.product_id])
    return f"{place}?model=xl"


def withdraw_page(rate):
    return reverse("admin:pricing_ratecard_withdraw", args=[rate.rate_card_id, rate.pk])


def filled(client, rate, **fields):
    """The form as a browser sends it after the page was opened and filled in."""
    shown = client.get(price_page(rate)).context["form"]
    return {
        "known": shown["known"].value(),
        "rate_type": "FLAT",
        "entitled": "on",
        "reason": "Cheaper chips",
        **FROM_DECEMBER,
        **fields,
    }


def published(client, rate, **fields):
    """What the site answers to: show what happens, then publish."""
    form = filled(client, rate, **fields)
    shown = client.post(price_page(rate), form | {"action": "show"})
    effect = shown.context["effect"]
    assert effect is not None, shown.context["form"].errors
    return client.post(price_page(rate), form | {"action": "publish", "seen": shown.context["seen"]}, follow=True)


def test_a_price_is_scheduled_in_the_major_unit(revops, xl):
    answer = published(revops, xl, price="30")
    assert "Published: Tokens from 1 December 2025." in words(answer)
    new = Rate.objects.exclude(pk=xl.pk).get()
    assert (new.price, new.starting_at, new.ending_before, new.entitled) == (D(3_000), DECEMBER, None, True)
    assert new.pricing_group_values == {"model": "xl"}
    assert (new.publication.published_by, new.publication.price_change.reason) == ("grace", "Cheaper chips")
    text = words(answer)
    assert "$40.00 per million tokens from 1 January 2025 up to 1 December 2025" in text
    assert "$30.00 from 1 December 2025" in text
    assert "“Cheaper chips”" in text


def test_nothing_is_published_before_its_effect_was_seen(revops, xl):
    form = filled(revops, xl, price="30")
    page = revops.post(price_page(xl), form | {"action": "publish"})
    assert "$40.00 → $30.00 per million tokens from 1 December 2025" in words(page)
    other = form | {"price": "3", "seen": page.context["seen"], "action": "publish"}
    assert "$40.00 → $3.00 per million tokens" in words(revops.post(price_page(xl), other))
    assert Rate.objects.count() == 1


@pytest.fixture
def later(card, xl):
    """$20 from January, and $10 from February."""
    key = {"rate_card": card, "product": xl.product, "pricing_group_values": {"model": "xl"}}
    return [
        RateFactory(**key, price=D(price), starting_at=datetime(2026, month, 1, tzinfo=UTC))
        for price, month in ((2_000, 1), (1_000, 2))
    ]


def test_it_is_asked_for_each_later_price_whether_it_stays_or_is_withdrawn_with_it(revops, card, xl, later):
    ContractFactory(rate_card=card)
    form = filled(revops, xl, price="30")

    def sent(action="publish", seen="", **answers):
        data = form | {"action": action, "seen": seen} | answers
        return revops.post(price_page(xl), data, follow=True)

    shown = sent("show")
    page = words(shown)
    assert "$40.00 → $30.00 per million tokens from 1 December 2025 up to 1 January 2026" in page
    assert "A later price replaces it on 1 January 2026: $20.00 per million tokens." in page
    assert "2 prices that are already published begin later and replace the new ones then: keep or withdraw" in page
    assert "1 contract is on this card." in page
    assert "Say of each later price whether it stays or is withdrawn." in words(sent(seen=shown.context["seen"]))
    january = {f"later_price:{later[0].pk}": "WITHDRAW", "later_prices": "EACH"}
    both = january | {f"later_price:{later[1].pk}": "KEEP"}
    again = sent(seen=shown.context["seen"], **both)
    assert "$40.00 → $30.00 per million tokens from 1 December 2025 up to 1 February 2026" in words(again)
    assert handed_over(again, card) == ({("xl",): 3_000}, {later[0].pk})
    assert not Rate.objects.filter(price=3_000).exists()  # what was looked at was another change
    assert "Say of each later price" in words(sent(seen=again.context["seen"], **january))
    assert "1 later price withdrawn with it." in words(sent(seen=again.context["seen"], **both))
    new = Rate.objects.get(price=3_000)
    assert [rate.withdrawal.publication for rate in Rate.objects.exclude(withdrawal=None)] == [new.publication]
    assert new.publication.price_change.reason == form["reason"]
    assert Rate.objects.get(withdrawal__publication=new.publication) == later[0]


def test_whoever_may_not_withdraw_publishes_beside_what_begins_later(card, xl, later):
    user = User.objects.create_user("paula", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_rate", "view_rate", "view_ratecard"]))
    client = Client()
    client.force_login(user)
    form = filled(client, xl, price="30") | {f"later_price:{rate.pk}": "WITHDRAW" for rate in later}
    shown = client.post(price_page(xl), form | {"action": "show"})
    assert "keep or withdraw" not in words(shown)
    client.post(price_page(xl), form | {"action": "publish", "seen": shown.context["seen"]})
    assert Rate.objects.filter(price=3_000).exists()
    assert not Rate.objects.exclude(withdrawal=None).exists()
    client.force_login(User.objects.create_superuser("grace"))
    assert client.post(price_page(xl), form | {"later_price:x": "KEEP"}).status_code == 400


def test_a_price_with_an_end_gives_way_to_the_one_before(revops, xl):
    end = {"ending_before_0": "2026-01-01", "ending_before_1": "00:00"}
    page = words(revops.post(price_page(xl), filled(revops, xl, price="30", action="show", **end)))
    assert "From 1 January 2026 on it is $40.00 per million tokens again." in page


def test_a_start_in_the_past_says_what_is_rated_again_and_what_stays(revops, card, xl):
    ContractFactory(rate_card=card)
    billed = ContractFactory(rate_card=card, customer=CustomerFactory(name="Globex"))
    Contract.objects.filter(pk=billed.pk).update(billed_through=datetime(2025, 10, 31, tzinfo=UTC))
    ended = ContractFactory(rate_card=card, terms__ending_before=datetime(2025, 9, 1, tzinfo=UTC))
    october = {"starting_at_0": "2025-10-15", "starting_at_1": "06:00"}
    page = words(revops.post(price_page(xl), filled(revops, xl, price="30", action="show", **october)))
    assert "from 15 October 2025, 06:00 UTC" in page
    assert "2 contracts have usage since then that is not billed yet: drafts are rated again at once." in page
    assert "1 contract has final invoices over that time: those stay as they are." in page
    assert "2 contracts are on this card." in page
    assert ended.terms.exists()


@pytest.mark.parametrize(
    ("changes", "field", "words_"),
    [
        pytest.param({"price": "-1"}, "price", "Must not be negative.", id="negative"),
        pytest.param({"price": "cheap"}, "price", "Write a number, such as 30 or 0.0025.", id="not a number"),
        pytest.param({"price": "NaN"}, "price", "Write a number, such as 30 or 0.0025.", id="NaN"),
        pytest.param({"price": ""}, "price", "Is required for the rate type FLAT.", id="no price"),
        pytest.param(
            {"price": "0.000000000000001"}, "price", "Must not have more than 12 decimals.", id="too fine to keep"
        ),
        pytest.param({"starting_at_1": "00:30"}, "starting_at", "Must be on the hour (UTC).", id="off the hour"),
        pytest.param({"starting_at_0": ""}, "starting_at", "A time needs its date.", id="no day"),
        pytest.param(
            {"ending_before_0": "2025-11-01", "ending_before_1": "00:00"},
            "ending_before",
            "Must be later than the start.",
            id="an end before the start",
        ),
        pytest.param({"reason": "", "action": "publish"}, "reason", "This field is required.", id="no reason"),
    ],
)
def test_what_cannot_be_published_is_said_beside_its_field(revops, xl, changes, field, words_):
    form = filled(revops, xl, **({"price": "30", "action": "show"} | changes))
    page = revops.post(price_page(xl), form)
    shown = page.context["form"]
    assert shown.errors | shown.tariff.errors == {field: [words_]}
    assert page.context["effect"] is None
    assert Publication.objects.count() == 2


def test_the_second_of_two_is_told_what_the_first_has_done(revops, xl):
    form = filled(revops, xl, price="30")
    seen = revops.post(price_page(xl), form | {"action": "show"}).context["seen"]
    services.add_rate(
        xl.rate_card_id,
        services.NewRate(xl.product_id, DECEMBER, True, "FLAT", D(3_500), pricing_group_values={"model": "xl"}),
        at=NOW,
        by=ADA,
    )
    page = revops.post(price_page(xl), form | {"seen": seen, "action": "publish"})
    assert "Ada has changed this price meanwhile" in words(page)
    assert 'value="30"' in page.content.decode()  # nothing that was typed is lost
    assert Rate.objects.count() == 2
    again = form | {"known": page.context["form"]["known"].value()}
    assert "$35.00 → $30.00" in words(revops.post(price_page(xl), again | {"action": "show"}))
    assert revops.post(price_page(xl), again | {"seen": seen, "action": "publish"}).status_code == 302
    assert Rate.objects.count() == 3


def test_another_price_published_meanwhile_is_in_nobodys_way(revops, xl):
    form = filled(revops, xl, price="30")
    RateFactory(rate_card=xl.rate_card)
    seen = revops.post(price_page(xl), form | {"action": "show"}).context["seen"]
    assert revops.post(price_page(xl), form | {"seen": seen, "action": "publish"}).status_code == 302


def test_a_future_price_is_withdrawn_with_a_reason(revops, card, xl):
    published(revops, xl, price="30")
    new = Rate.objects.exclude(pk=xl.pk).get()
    page = revops.get(withdraw_page(new))
    assert "Withdraw $30.00 per million tokens from 1 December 2025: then it is $40.00" in words(page)
    assert handed_over(page, card) == ({}, {new.pk})
    known = page.context["form"]["known"].value()
    refused = revops.post(withdraw_page(new), {"known": known, "reason": ""})
    assert dict(refused.context["form"].errors) == {"reason": ["This field is required."]}
    answer = revops.post(withdraw_page(new), {"known": known, "reason": "Too early"}, follow=True)
    assert "Withdrawn by publication" in words(answer)
    assert new.withdrawal.publication.price_change.reason == "Too early"
    assert "Withdrawn by grace, 31 October 2025, 23:00 UTC: Too early" in words(answer)
    assert "withdrawn already" in words(revops.get(withdraw_page(new)))
    twice = revops.post(withdraw_page(new), {"known": known, "reason": "Again"})
    assert "withdrawn already" in words(twice)


def test_withdrawing_the_only_price_is_warned_of(revops, xl):
    assert "Nothing holds then in its stead" in words(revops.get(withdraw_page(xl)))


def test_a_withdrawal_of_a_price_that_has_changed_meanwhile_is_told(revops, xl):
    known = revops.get(withdraw_page(xl)).context["form"]["known"].value()
    published(revops, xl, price="30")
    page = revops.post(withdraw_page(xl), {"known": known, "reason": "A mistake"})
    assert "grace has changed this price meanwhile" in words(page)
    assert not hasattr(Rate.objects.get(pk=xl.pk), "withdrawal")


def test_prices_of_all_standings_are_shown_to_the_last_digit(revops, card):
    calls = ProductFactory(name="API calls")
    RateFactory(rate_card=card, product=calls, price=D("0.00025"))
    RateFactory(rate_card=card, product=calls, price=D("0.1"), starting_at=OCTOBER)
    RateFactory(rate_card=card, product=calls, price=D("0.2"), starting_at=DECEMBER)
    RateFactory(rate_card=card, product=calls, price=D("0.3"), starting_at=DECEMBER, entitled=False)
    RateWithdrawalFactory(rate=RateFactory(rate_card=card, product=calls, price=D(7), starting_at=DECEMBER))
    page = words(revops.get(page_of(card)))
    assert "$0.0000025 each from 1 January 2025 up to 1 October 2025 past" in page
    assert "$0.001 each from 1 October 2025 up to 1 December 2025 now" in page
    assert "$0.003 from 1 December 2025, not part of contracts" in page
    assert "$0.002 each from 1 December 2025 replaced before it began" in page
    assert "$0.07 each from 1 December 2025 withdrawn" in page
    assert "Over time: 1 to come, 1 past, 1 replaced, 1 withdrawn" in page


def test_products_keep_their_order_and_rows_are_found(revops, card):
    for name in ("Zebra", "Aardvark"):
        RateFactory(rate_card=card, product=ProductFactory(name=name))
    assert [row.name for row in revops.get(page_of(card)).context["rows"]] == ["Zebra", "Aardvark"]
    assert [row.name for row in revops.get(page_of(card, q="aard")).context["rows"]] == ["Aardvark"]
    assert "Nothing on this card is like that: “bee”." in words(revops.get(page_of(card, q="bee")))


def test_an_empty_card_says_what_to_do(revops, card):
    page = words(revops.get(page_of(card)))
    assert "This card has no prices yet. Price a product" in page
    assert "No contract is on this card." in page


def test_the_page_costs_the_same_with_one_price_and_with_many(revops, card):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert revops.get(page_of(card)).status_code == 200
        return len(found)

    def add(number):
        product = ProductFactory(name=f"Product {number}")
        rate = RateFactory(rate_card=card, product=product)
        RateFactory(rate_card=card, product=product, starting_at=DECEMBER + timedelta(days=number))
        RateWithdrawalFactory(rate=RateFactory(rate_card=card, product=product, starting_at=NOVEMBER))
        ContractFactory(rate_card=card, customer=CustomerFactory(name=f"Customer {number}"))
        return rate

    add(0)
    one = queries()
    for number in range(1, 5):
        add(number)
    assert queries() == one
    assert one <= 26


def test_htmx_gets_the_form_alone_and_what_it_would_do(revops, xl):
    htmx = {"HX-Request": "true"}
    form = revops.get(price_page(xl), headers=htmx).content.decode()
    assert form.lstrip().startswith("<form")
    live = filled(revops, xl, price="30", reason="", part="effect")
    effect = revops.post(price_page(xl), live, headers=htmx)
    assert "$40.00 → $30.00" in words(effect)
    assert "<form" not in effect.content.decode()
    form = filled(revops, xl, price="30")
    seen = revops.post(price_page(xl), form | {"action": "show"}, headers=htmx).context["seen"]
    done = revops.post(price_page(xl), form | {"seen": seen, "action": "publish"}, headers=htmx)
    assert done.headers["HX-Redirect"] == page_of(xl.rate_card)


def test_whoever_may_only_look_changes_nothing(xl):
    client, user = Client(), User.objects.create_user("vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_ratecard", "view_rate"]))
    client.force_login(user)
    page = words(client.get(page_of(xl.rate_card)))
    assert "$40.00" in page
    assert "Change price" not in page
    assert "Withdraw" not in page
    assert client.get(price_page(xl)).status_code == 403
    assert client.post(withdraw_page(xl), {"reason": "x"}).status_code == 403


@pytest.mark.parametrize("place", ["?model=other&region=eu", "?region=eu", ""])
def test_a_row_that_the_product_cannot_have_is_not_there(revops, xl, place):
    assert revops.get(price_page(xl).split("?")[0] + place).status_code == 404


def test_a_value_without_a_price_can_be_priced(revops, xl):
    place = price_page(xl).replace("xl", "small")
    assert "It never had a price." in words(revops.get(place))


def test_an_archived_card_is_not_priced(revops, card, xl):
    services.archive_rate_card(card.pk, at=NOW, by=ADA)
    assert "Change price" not in words(revops.get(page_of(card)))
    page = revops.post(price_page(xl), filled(revops, xl, price="30", action="show"))
    assert "is archived" in words(page).lower()


def test_what_is_priced_by_dimensions_has_a_grid(revops, card, xl):
    RateFactory(rate_card=card)
    page = revops.get(page_of(card))
    assert "As a grid: Tokens 1 combination" in words(page)
    assert reverse("price_grid", args=[card.pk, xl.product_id]) in page.content.decode()
