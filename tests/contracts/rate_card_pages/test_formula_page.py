"""The page of a formula: numbers changed, previewed as moves of prices, and published as one; or the whole stated."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation.refusals import Refusal
from contracts.forms.formulas import line_of_node, node_of_line
from pricing import services
from pricing.engine.formulas import Node
from pricing.models import Formula, Publication, Rate
from pricing.services import ChangedNumbers, NewNode, WholeFormula
from tests.contracts.rate_card_pages.typed_prices import FROM_DECEMBER, NOW, handed_over
from tests.factories.pricing import (
    ADA,
    CompositeProductFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateFactory,
)
from tests.pages import words

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, DECEMBER = (datetime(2025, month, 1, tzinfo=UTC) for month in (10, 11, 12))
LINES = """\
base; ; 100
model; model=small; 0.5
model; model=medium; 1
model; model=xl; 4
region; region=eu; 1.1
region; region=us; 1
region; region=asia; 1.2
region; region=africa; 0.9
tier; tier=basic; 1
tier; tier=plus; 1.25
tier; tier=pro; 1.5"""
XL = 3  # the place of model xl among the nodes
SMALL = [NewNode("cost", D(30), {"model": "xl"}), NewNode("cost", D(2), {"model": "s"}), NewNode("markup", D(2))]


@pytest.fixture
def tokens():
    return ProductFactory(name="Tokens", version__pricing_group_key=["model", "region", "tier"])


@pytest.fixture
def chat():
    return ProductFactory(name="Chat", version__pricing_group_key=["model"])


@pytest.fixture
def state(card):
    def state(product, nodes, starting_at=OCTOBER, **options):
        said = WholeFormula(nodes, True)
        return services.state_formula(card.pk, product.pk, said, starting_at=starting_at, at=NOW, by=ADA, **options)

    return state


def nodes_of(lines):
    return [node_of_line(line) for line in lines.splitlines()]


def page_of(card, product, **query):
    return reverse("admin:pricing_ratecard_formula", args=[card.pk, product.pk], query=query or None)


def sent(response, **changes):
    """The form as a browser sends it: what the page has, and what was typed."""
    form = response.context["form"]
    fields = {name: form[name].value() for name in form.fields if name not in ("starting_at", "entitled")}
    start = form["starting_at"].value()
    if isinstance(start, datetime):
        start = [f"{start:%Y-%m-%d}", f"{start:%H:%M}"]
    fields |= {"starting_at_0": start[0], "starting_at_1": start[1]}
    fields |= {node.field: node.text for node in response.context["nodes"]}
    if response.context["is_whole"]:
        fields["whole"] = "1"
        fields |= {"entitled": "on"} if form["entitled"].value() else {}
    return {name: value for name, value in fields.items() if value is not None} | changes


def previewed(client, page, shown, **changes):
    return client.post(page, sent(shown, **changes) | {"action": "show"})


def published(client, page, shown, **changes):
    return client.post(page, sent(shown, **{"reason": "Cheaper chips"} | changes) | {"action": "publish"}, follow=True)


def moves_of(response):
    return [(row.values, row.when, row.before, row.after, row.outcome) for row in response.context["plan"].rows]


def numbers(response):
    return [node.text for node in response.context["nodes"]]


def prices(response):
    return {price.values: (price.price, price.in_force) for price in response.context["prices"]}


def test_a_formula_is_shown_by_its_numbers_and_the_prices_that_they_make(revops, card, tokens, state):
    state(tokens, nodes_of(LINES), reason="Launch")
    shown = revops.get(page_of(card, tokens))
    assert numbers(shown) == ["100", "0.5", "1", "4", "1.1", "1", "1.2", "0.9", "1", "1.25", "1.5"]
    [price] = [each for each in shown.context["prices"] if each.values == "model: xl, region: eu, tier: pro"]
    assert (price.price, price.made_of) == ("$6.60", "base 100 × model xl 4 × region eu 1.1 × tier pro 1.5")
    assert len(prices(shown)) == 36
    text = words(shown)
    assert "A price is what its numbers multiply to, in USD (cents) : 100 is $1.00 each." in text
    assert "“Launch”" in text


def test_12_of_36_prices_move_first_looked_at_and_then_published(revops, card, tokens, state):
    state(tokens, nodes_of(LINES))
    page = page_of(card, tokens)
    preview = previewed(revops, page, revops.get(page), **{f"number-{XL}": "3"}, **FROM_DECEMBER)
    assert preview.context["plan"].counts == "12 of 36 prices move"
    assert len(moves_of(preview)) == 12
    first = ("model: xl, region: eu, tier: basic", "1 December 2025", "$4.40", "$3.30", "moves")
    assert moves_of(preview)[0] == first
    assert Rate.objects.count() == 36
    answer = published(revops, page, preview)
    assert "Published: 12 of 36 prices move, of Tokens from 1 December 2025." in words(answer)
    assert numbers(answer)[XL] == "3"
    assert prices(answer)["model: xl, region: eu, tier: pro"] == ("$4.95", "")
    new = Rate.objects.filter(starting_at=DECEMBER)
    assert new.count() == 12
    publication = Publication.objects.latest("number")
    assert {rate.publication_id for rate in new} == {publication.number}
    assert (publication.published_by, publication.price_change.reason) == ("grace", "Cheaper chips")


def test_the_formula_is_that_of_the_instant_asked_for(revops, card, chat, state):
    state(chat, SMALL)
    later = ChangedNumbers([NewNode("markup", D(3))])
    services.state_formula(card.pk, chat.pk, later, starting_at=DECEMBER, at=NOW, by=ADA)
    page = page_of(card, chat)
    now = revops.get(page)
    assert numbers(now) == ["30", "2", "2"]
    assert prices(revops.get(page, {"from": "2025-12-01T00:00:00Z"})) == {
        "model: s": ("$0.06", ""),
        "model: xl": ("$0.90", ""),
    }
    typed = previewed(revops, page, now, **{"number-0": "20"}, **FROM_DECEMBER)
    assert numbers(typed) == ["20", "2", "3"]
    assert moves_of(typed) == [("model: xl", "1 December 2025", "$0.90", "$0.60", "moves")]


def test_a_change_before_one_that_is_scheduled_shows_both_moves(revops, card, chat, state):
    state(chat, SMALL)
    later = ChangedNumbers([NewNode("markup", D(3))])
    services.state_formula(card.pk, chat.pk, later, starting_at=DECEMBER, at=NOW, by=ADA)
    page = page_of(card, chat)
    typed = previewed(revops, page, revops.get(page), **{"number-0": "20"})
    assert typed.context["plan"].counts == "1 of 2 prices move"
    assert moves_of(typed) == [
        ("model: xl", "1 November 2025", "$0.60", "$0.40", "moves"),
        ("model: xl", "1 December 2025", "$0.40", "$0.60", "moves"),
    ]
    assert "What is stated already from 1 December 2025 on is stated anew upon it." in words(typed)


@pytest.mark.parametrize("answer", ["WITHDRAW", "KEEP"])
def test_a_price_typed_for_later_is_asked_for_and_stays_or_goes(revops, card, chat, state, answer):
    state(chat, SMALL)
    january = datetime(2026, 1, 1, tzinfo=UTC)
    typed = RateFactory(
        rate_card=card, product=chat, pricing_group_values={"model": "xl"}, starting_at=january, price=D(7)
    )
    page = page_of(card, chat)
    preview = previewed(revops, page, revops.get(page), **{"number-0": "20"}, **FROM_DECEMBER)
    assert "A price that is already published begins later and replaces the new one then: keep or" in words(preview)
    assert "Say of each later price whether it stays or is withdrawn." in words(published(revops, page, preview))
    decided = {f"later_price:{typed.pk}": answer}
    again = previewed(revops, page, preview, **decided)
    assert handed_over(again, card) == ({("xl",): 40}, {typed.pk} if answer == "WITHDRAW" else set())
    assert "Published: 1 of 2 prices move" in words(published(revops, page, again, **decided))
    assert hasattr(Rate.objects.get(pk=typed.pk), "withdrawal") is (answer == "WITHDRAW")
    new = Publication.objects.latest("number")
    assert [rate.price for rate in new.rates.all()] == [D(40)]
    unknown = ChangedNumbers([NewNode("markup", D(3))])
    with pytest.raises(Refusal, match="no price that begins while those of the formula hold"):
        services.state_formula(
            card.pk, chat.pk, unknown, starting_at=january, withdrawing=[typed.pk], exceptions="KEEP", at=NOW, by=ADA
        )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("-1", "Must not be negative.", id="negative"),
        pytest.param("a lot", "Write a number, such as 30 or 0.0025.", id="words"),
        pytest.param("", "Every node has a number; 1 leaves prices as they are.", id="emptied"),
        pytest.param("0.0000000000001", "Must not have more than 12 decimals.", id="too fine"),
    ],
)
def test_what_is_wrong_is_said_at_its_node_and_nothing_is_published(revops, card, chat, state, text, rule):
    state(chat, SMALL)
    page = page_of(card, chat)
    refused = previewed(revops, page, revops.get(page), **{"number-0": "20", "number-1": text})
    assert [node.error for node in refused.context["nodes"]] == ["", rule, ""]
    assert numbers(refused) == ["20", text, "2"]
    assert refused.context["plan"] is None
    published(revops, page, refused)
    assert Formula.objects.count() == 1


def test_a_price_that_could_not_be_kept_is_refused_by_its_combination(revops, card, chat, state):
    state(chat, SMALL)
    page = page_of(card, chat)
    refused = previewed(revops, page, revops.get(page), **{"number-1": "0.0000001", "number-2": "0.0000001"})
    assert "the price of model: s must not have more than 12 decimals: a price is not rounded." in words(refused)


def test_nothing_is_published_that_was_not_looked_at_or_has_no_reason(revops, card, chat, state):
    state(chat, SMALL)
    page = page_of(card, chat)
    assert "No number was changed." in words(previewed(revops, page, revops.get(page)))
    preview = previewed(revops, page, revops.get(page), **{"number-0": "20"})
    other = published(revops, page, preview, **{"number-0": "25"})
    assert "The form or the prices have changed since you looked" in words(other)
    assert moves_of(other) == [("model: xl", "1 November 2025", "$0.60", "$0.50", "moves")]
    assert "Say why these prices change." in words(published(revops, page, other, reason=""))
    assert Formula.objects.count() == 1


def test_a_formula_that_somebody_else_has_changed_is_looked_at_again(revops, card, chat, state):
    state(chat, SMALL)
    page = page_of(card, chat)
    shown = revops.get(page)
    services.state_formula(
        card.pk, chat.pk, ChangedNumbers([NewNode("cost", D(4), {"model": "s"})]), starting_at=NOVEMBER, at=NOW, by=ADA
    )
    preview = previewed(revops, page, shown, **{"number-0": "20"})
    refused = published(revops, page, preview)
    assert "Ada has changed prices of this product meanwhile" in words(refused)
    assert numbers(refused) == ["20", "4", "2"]
    assert Formula.objects.count() == 2
    published(revops, page, previewed(revops, page, refused))
    assert prices(revops.get(page)) == {"model: s": ("$0.08", ""), "model: xl": ("$0.40", "")}


def test_prices_that_are_not_the_formulas_are_named_and_kept_or_replaced_as_asked(revops, card, chat, state):
    state(chat, SMALL)
    typed = services.NewRate(chat.pk, NOVEMBER, True, "FLAT", D(55), pricing_group_values={"model": "xl"})
    services.add_rate(card.pk, typed, at=NOW, by=ADA)
    page = page_of(card, chat)
    shown = revops.get(page)
    assert prices(shown)["model: xl"] == ("$0.60", "$0.55")
    assert not shown.context["form"].asks_exceptions
    preview = previewed(revops, page, shown, **{"number-2": "3"})
    assert moves_of(preview) == [
        ("model: xl", "1 November 2025", "$0.55", "$0.55", "kept"),
        ("model: s", "1 November 2025", "$0.04", "$0.06", "moves"),
    ]
    unsaid = published(revops, page, preview)
    assert unsaid.context["form"].errors["exceptions"]
    replaced = previewed(revops, page, unsaid, exceptions="REPLACE")
    assert replaced.context["plan"].counts == "2 of 2 prices move"
    published(revops, page, unsaid, exceptions="KEEP")
    assert prices(revops.get(page)) == {"model: s": ("$0.06", ""), "model: xl": ("$0.90", "$0.55")}


def test_a_formula_is_stated_as_lines(revops, card, tokens):
    page = page_of(card, tokens)
    shown = revops.get(page)
    assert "The product has no formula on this card on 1 November 2025." in words(shown)
    preview = previewed(revops, page, shown, lines=LINES)
    assert preview.context["plan"].counts == "36 of 36 prices move"
    assert moves_of(preview)[0][2:] == ("no price", "$0.55", "new")
    answer = published(revops, page, preview, reason="Launch")
    assert len(numbers(answer)) == 11
    assert Rate.objects.filter(starting_at=NOVEMBER, entitled=True).count() == 36
    anew = revops.get(page, {"whole": "1"})
    assert anew.context["form"]["lines"].value() == LINES
    assert "there is nothing to publish" in words(previewed(revops, page, anew))
    wider = previewed(revops, page, anew, lines=f"{LINES}\nmodel; model=nano; 0.1")
    assert wider.context["plan"].counts == "12 of 48 prices move"


def test_a_custom_unit_is_chosen_where_the_card_converts_one(revops, card, chat):
    credits = PricingUnitFactory(name="Credits")
    RateCardConversionFactory(rate_card=card, unit=credits)
    page = page_of(card, chat)
    lines = {"lines": "cost; model=s; 3", "unit": str(credits.pk)}
    preview = previewed(revops, page, revops.get(page), **lines)
    assert moves_of(preview)[0][2:] == ("no price", "3 Credits", "new")
    published(revops, page, preview)
    assert Formula.objects.get().unit == credits
    assert "multiply to, in Credits : 100 is 100 Credits each." in words(revops.get(page))


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        pytest.param("cost; 3", "Line 1: A line is a name, values and a number", id="no values"),
        pytest.param("\ncost; model; 3", "Line 2: Values are written key=value", id="a key alone"),
        pytest.param("cost; region=eu; 3", "Line 1: The product has no dimension region. It has model.", id="a key"),
        pytest.param("cost; model=s, model=m; 3", "Line 1: It has two values of model.", id="a key twice"),
        pytest.param("cost; model=s; ", "Line 1: Every node has a number", id="no number"),
        pytest.param("cost; model=s; x", "Line 1: Write a number", id="no such number"),
        pytest.param('cost; model="s; 3', "Line 1: A line is a name", id="an open quote"),
        pytest.param('cost; model="\\ud800"; 3', "Line 1: It is not a text", id="half a character"),
        pytest.param('cost; model=a "s"; 3', "Line 1: It is not written as JSON", id="a quote inside"),
        pytest.param(f'cost; model={"[" * 100_000}""; 3', "Line 1: It is not written as JSON", id="nested"),
        pytest.param("cost; model=s; -3", "Line 1, number: Must not be negative.", id="negative"),
        pytest.param("; model=s; 3", "Line 1, name: Must not be empty.", id="no name"),
        pytest.param(
            "a; model=s; 3\n\na; model=s; 4",
            "Line 3, name: Is there already, as line 1 with the same",
            id="a node twice",
        ),
        pytest.param(
            "a; model=s; 3\nb; model=m; 1",
            "a (model: m): is missing: each factor needs a number for each combination.",
            id="not whole",
        ),
        pytest.param("base; ; 3", "Must have values of just model", id="no dimension"),
        pytest.param(" \n", "Must not be empty.", id="empty"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_by_its_number(revops, card, chat, lines, error):
    page = page_of(card, chat)
    refused = previewed(revops, page, revops.get(page), lines=lines)
    assert error in " ".join(refused.context["form"].errors["lines"])
    assert refused.context["plan"] is None


@pytest.mark.parametrize("text", ["a, b", "a=b;c", '"', " x ", "", "two\nlines", "ü\u2028"])
def test_lines_are_read_as_they_are_written(text):
    node = Node("n; m", (("model", text),), D("0.50"))
    assert node_of_line(line_of_node(node)).to_node() == node


def test_a_line_is_not_taken_for_another():
    with pytest.raises(ValidationError):
        node_of_line('"a"b; ; 3')


def test_the_card_leads_to_it(revops, card, chat, state):
    RateFactory(rate_card=card, product=chat, pricing_group_values={"model": "xl"})
    card_page = reverse("admin:pricing_ratecard_change", args=[card.pk])
    before = revops.get(card_page)
    assert f'href="{page_of(card, chat)}"' in before.content.decode()
    assert "state a formula" in words(before)
    state(chat, SMALL, exceptions="REPLACE")
    assert "made by a formula" in words(revops.get(card_page))


def test_no_price_of_an_archived_card_moves(revops, card, chat, state):
    state(chat, SMALL)
    services.archive_rate_card(card.pk, at=NOW, by=ADA)
    page = page_of(card, chat)
    refused = previewed(revops, page, revops.get(page), **{"number-0": "20"})
    assert "archived" in " ".join(refused.context["form"].non_field_errors())
    assert refused.context["plan"] is None


def test_it_costs_the_same_queries_however_many_prices(revops, card, state):
    def cost(size):
        product = ProductFactory(version__pricing_group_key=["model"])
        state(product, [NewNode("cost", D(3), {"model": f"m{number}"}) for number in range(size)])
        page = page_of(card, product)
        with CaptureQueriesContext(connection) as got:
            shown = revops.get(page)
        with CaptureQueriesContext(connection) as planned:
            previewed(revops, page, shown, **{f"number-{number}": "4" for number in range(size)})
        return len(got), len(planned)

    cost(1)
    assert cost(2) == cost(40)


def test_who_may_not_price_does_not_see_it(card, chat):
    client = Client()
    user = User.objects.create_user("ed", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    assert client.get(page_of(card, chat)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_rate"))
    assert client.get(page_of(card, chat)).status_code == 200


def test_what_no_page_sends_is_refused(revops, card, chat, state):
    page = page_of(card, chat)
    whole = sent(revops.get(page))
    assert revops.post(page, {name: value for name, value in whole.items() if name != "whole"}).status_code == 400
    assert revops.post(page, whole | {"shown_at": "yesterday"}).status_code == 400
    assert revops.get(page_of(card, CompositeProductFactory())).status_code == 404
