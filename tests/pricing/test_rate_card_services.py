from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Conflict, NotFound, Refusal
from pricing import queries, services
from pricing.models import PricingUnit, Publication, RateCard
from tests.factories.pricing import NOW, PricingUnitFactory, RateCardFactory

pytestmark = pytest.mark.django_db

MARCH = datetime(2025, 3, 1, tzinfo=UTC)
MAY = datetime(2025, 5, 1, tzinfo=UTC)
JULY = datetime(2025, 7, 1, tzinfo=UTC)


def euros():
    return PricingUnit.objects.get(code="EUR")


def test_a_rate_card_is_in_dollars_unless_told_otherwise(told):
    assert services.create_rate_card("List prices", **told).fiat_unit == queries.default_unit()
    assert services.create_rate_card("Listenpreise", fiat_credit_type_id=euros().id, **told).fiat_unit == euros()
    assert not Publication.objects.exists()  # nothing that a price depends on


def test_a_name_means_the_card_that_got_it_last(told):
    first = services.create_rate_card("First", aliases=[services.Alias("standard")], **told)
    second = services.create_rate_card("Second", aliases=[services.Alias("standard", MARCH, JULY)], **told)
    third = services.create_rate_card("Third", **told)
    services.add_aliases(third.id, [services.Alias("standard", MAY)], reason="New list", **told)
    holders = [queries.rate_card_of_alias("standard", at=at) for at in (NOW.replace(year=2024), MARCH, MAY, JULY)]
    assert holders == [first, second, third, third]
    assert queries.rate_card_of_alias("unheard-of", at=MAY) is None
    segment = queries.AliasSegment
    assert queries.alias_segments([first.id, second.id, third.id]) == {
        first.id: [segment("standard", None, MARCH)],
        second.id: [segment("standard", MARCH, MAY)],
        third.id: [segment("standard", MAY, None)],
    }


def test_a_name_goes_back_where_the_later_holder_ends(told):
    first = services.create_rate_card("First", aliases=[services.Alias("standard")], **told)
    services.create_rate_card("Second", aliases=[services.Alias("standard", MARCH, MAY)], **told)
    assert [(s.starting_at, s.ending_before) for s in queries.alias_segments([first.id])[first.id]] == [
        (None, MARCH),
        (MAY, None),
    ]
    assert queries.rate_card_of_alias("standard", at=MAY) == first


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"name": ""}, ["name"], id="no name"),
        pytest.param({"description": "a\0b"}, ["description"], id="a description that cannot be stored"),
        pytest.param({"fiat_credit_type_id": uuid7()}, ["fiat_credit_type_id"], id="an unknown unit"),
        pytest.param(
            {"aliases": [services.Alias("", MAY.replace(minute=30), MARCH)]},
            ["aliases[0].name", "aliases[0].starting_at", "aliases[0].ending_before"],
            id="three mistakes in an alias",
        ),
        pytest.param(
            {"aliases": [services.Alias("a", MARCH, JULY), services.Alias("a", MAY)]},
            ["aliases[1].name"],
            id="a name that overlaps itself",
        ),
    ],
)
def test_a_rate_card_is_refused_with_every_field_that_breaks_a_rule(told, changes, fields):
    with pytest.raises(Refusal) as refusal:
        services.create_rate_card(**{"name": "List prices"} | changes, **told)
    assert [error.field for error in refusal.value.errors] == fields
    assert not RateCard.objects.exists()


def test_a_name_may_come_back_after_a_pause(told):
    aliases = [services.Alias("a", MARCH, MAY), services.Alias("a", JULY), services.Alias("b", MARCH, MAY)]
    assert services.create_rate_card("List prices", aliases=aliases, **told).aliases.count() == 3


def test_a_custom_unit_is_no_currency_of_a_rate_card(told):
    with pytest.raises(Refusal, match="Tokens is not a currency"):
        services.create_rate_card("List prices", fiat_credit_type_id=PricingUnitFactory().id, **told)


def test_a_rate_card_is_renamed_once(told):
    card = RateCardFactory(name="Prices", description="For all")
    for _ in range(2):
        services.update_rate_card(card.id, name="List prices", reason="Clearer", **told)
    card.refresh_from_db()
    assert (card.name, card.description, card.history.count()) == ("List prices", "For all", 2)
    assert card.history.first().history_change_reason == "Clearer"
    with pytest.raises(Refusal):
        services.update_rate_card(card.id, name=" ", **told)


def test_a_name_that_the_card_holds_is_not_published_again(told):
    card = services.create_rate_card("List prices", aliases=[services.Alias("standard", MARCH)], **told)
    services.update_rate_card(card.id, aliases=[services.Alias("standard", MARCH)], **told)
    assert card.aliases.count() == 1
    services.update_rate_card(card.id, aliases=[services.Alias("standard")], **told)
    assert queries.rate_card_of_alias("standard", at=MARCH.replace(year=2024)) == card


def test_a_name_does_not_end_by_being_given_again(told):
    card = services.create_rate_card("List prices", aliases=[services.Alias("standard", MARCH)], **told)
    with pytest.raises(Refusal, match="with no end; it ends where another card"):
        services.update_rate_card(card.id, name="Prices", aliases=[services.Alias("standard", MARCH, MAY)], **told)
    card.refresh_from_db()
    assert (card.name, card.aliases.count()) == ("List prices", 1)
    other = services.create_rate_card("Other", aliases=[services.Alias("standard", MAY)], **told)
    assert queries.rate_card_of_alias("standard", at=JULY) == other


def worth(unit, fiat):
    return services.CreditTypeConversion(unit.id, D(fiat))


def test_conversions_are_added_once_and_never_changed(told):
    tokens, seats = PricingUnitFactory(), PricingUnitFactory(name="Seats")
    card = services.create_rate_card("List prices", credit_type_conversions=[worth(tokens, "0.5")], **told)
    for _ in range(2):
        services.update_rate_card(
            card.id, add_credit_type_conversions=[worth(tokens, "0.50"), worth(seats, 200)], **told
        )
    assert [(one.unit, one.fiat_per_unit) for one in queries.conversions_of_cards([card.id])[card.id]] == [
        (tokens, D("0.5")),
        (seats, D(200)),
    ]
    compiled = queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id]
    assert compiled.fiat_per_custom_unit == {tokens.id: D("0.5"), seats.id: D(200)}
    assert Publication.objects.count() == 2
    with pytest.raises(Conflict, match=r"converts this unit at 0\.5 already, which never changes"):
        services.update_rate_card(
            card.id, name="Prices", add_credit_type_conversions=[worth(seats, 200), worth(tokens, 1)], **told
        )
    card.refresh_from_db()
    assert (card.name, card.conversions.count()) == ("List prices", 2)


@pytest.mark.parametrize(
    ("make", "field", "rule"),
    [
        pytest.param(lambda unit: [worth(unit, 0)], "[0].fiat_per_custom_credit", "greater than 0", id="worth nothing"),
        pytest.param(lambda unit: [worth(unit, -1)], "[0].fiat_per_custom_credit", "greater than 0", id="a debt"),
        pytest.param(
            lambda unit: [worth(unit, "NaN")], "[0].fiat_per_custom_credit", "must be a finite number", id="no number"
        ),
        pytest.param(
            lambda unit: [worth(unit, "1e-13")], "[0].fiat_per_custom_credit", "12 decimals", id="too many decimals"
        ),
        pytest.param(lambda unit: [worth(unit, 1)] * 2, "[1].custom_credit_type_id", "only once", id="a unit twice"),
        pytest.param(
            lambda unit: [worth(euros(), 1)], "[0].custom_credit_type_id", "EUR is a currency", id="a currency"
        ),
        pytest.param(
            lambda unit: [worth(PricingUnitFactory(name="Old", archived_at=NOW), 1)],
            "[0].custom_credit_type_id",
            "Old is archived",
            id="an archived unit",
        ),
        pytest.param(
            lambda unit: [services.CreditTypeConversion(uuid7(), D(1))],
            "[0].custom_credit_type_id",
            "no such pricing unit",
            id="an unknown unit",
        ),
    ],
)
def test_a_conversion_is_refused_by_field(told, make, field, rule):
    card, conversions = RateCardFactory(), make(PricingUnitFactory())
    with pytest.raises(Refusal) as on_update:
        services.update_rate_card(card.id, name="Prices", add_credit_type_conversions=conversions, **told)
    with pytest.raises(Refusal) as on_create:
        services.create_rate_card("Prices", credit_type_conversions=conversions, **told)
    found = [(e.field, e.rule) for refused in (on_update, on_create) for e in refused.value.errors]
    assert [name for name, _ in found] == [f"add_credit_type_conversions{field}", f"credit_type_conversions{field}"]
    assert all(rule in said for _, said in found)
    assert [one.name for one in RateCard.objects.all()] == ["List prices"]
    assert not Publication.objects.exists()


def test_a_rate_card_is_archived_once(told):
    card = RateCardFactory()
    for _ in range(2):
        services.archive_rate_card(card.id, **told)
    assert (RateCard.objects.get().archived_at, card.history.count()) == (NOW, 2)
    with pytest.raises(NotFound):
        services.archive_rate_card(uuid7(), **told)


def test_a_pricing_unit_has_a_name_of_its_own(told):
    unit = services.create_pricing_unit("Tokens", **told)
    with pytest.raises(Conflict, match="of this name already"):
        services.create_pricing_unit(" Tokens ", **told)
    services.archive_pricing_unit(unit.id, **told)
    with pytest.raises(Refusal, match="Tokens is archived"):
        queries.unit(unit.id)


def test_the_currencies_keep_the_scale_of_the_compatible_api_and_their_own_minor_unit():
    scales = {
        unit.code: (unit.wire_exponent, unit.minor_exponent, str(unit.to_unit().minor_step))
        for unit in PricingUnit.objects.filter(code__in=["USD", "EUR", "JPY", "KWD"])
    }
    assert scales == {
        "USD": (2, 2, "1"),
        "EUR": (0, 2, "0.01"),
        "JPY": (0, 0, "1"),
        "KWD": (0, 3, "0.001"),
    }
