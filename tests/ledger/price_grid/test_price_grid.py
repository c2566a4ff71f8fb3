"""The prices of a product as a grid: 36 cells typed at once, previewed, and published as one."""

import pytest

from ledger.queries.combinations import combinations_seen
from pricing.models import Publication, Rate
from tests.contracts.rate_card_pages.typed_prices import handed_over
from tests.factories.ledger import event, post
from tests.factories.pricing import (
    MetricFactory,
)
from tests.ledger.price_grid.grid import (
    DECEMBER,
    FROM_DECEMBER,
    MODELS,
    NOVEMBER,
    PLANS,
    REGIONS,
    cell,
    cells,
    changes_of,
    page_of,
    priced,
    published,
    sold_by,
    typed,
)
from tests.pages import words

pytestmark = pytest.mark.django_db


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
    assert handed_over(later, card) == ({("xl", "eu"): 40}, set())
    published(revops, page, later)
    assert list(Rate.objects.filter(price=40).values_list("starting_at", flat=True)) == [DECEMBER]
    assert Rate.objects.count() == 5


def test_a_later_price_is_named_as_what_takes_over(revops, card, tokens):
    priced(card, tokens, "30", values={"model": "xl", "region": "eu"}, starting_at=DECEMBER)
    page = page_of(card, tokens)
    preview = typed(revops, page, revops.get(page), **{cell("xl", "eu"): "0.4"})
    assert "Up to 1 December 2025; then $0.30." in words(preview)
