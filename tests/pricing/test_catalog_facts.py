"""What the database itself refuses, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal as D
from threading import Barrier, Event

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.db.models.expressions import RawSQL

from pricing.models import (
    BillableMetric,
    NamedScheduleSegment,
    PriceChange,
    PricingUnit,
    Product,
    ProductVersion,
    Publication,
    PublicationCounter,
    Rate,
    RateCard,
    RateCardAlias,
    RateCardConversion,
    RateCardPlace,
    RateWithdrawal,
)
from pricing.services import publish
from tests.factories.pricing import (
    ADA,
    NOW,
    CompositeProductFactory,
    CompositeRateFactory,
    FixedProductFactory,
    MetricFactory,
    NamedScheduleSegmentFactory,
    PricingUnitFactory,
    ProductFactory,
    ProductVersionFactory,
    PublicationFactory,
    RateCardAliasFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateCardPlaceFactory,
    RateFactory,
    RateWithdrawalFactory,
    SubscriptionRateFactory,
    dollars,
)

FACTS: list[type[Model]] = [
    Publication,
    ProductVersion,
    NamedScheduleSegment,
    RateCardAlias,
    RateCardConversion,
    RateCardPlace,
    Rate,
    RateWithdrawal,
    *(model.history.model for model in (PricingUnit, BillableMetric, PriceChange, Product, RateCard)),
]
OFF_THE_HOUR = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)


def one_of_everything():
    rate = RateFactory()
    RateWithdrawalFactory(rate=rate)
    RateCardAliasFactory(rate_card=rate.rate_card)
    RateCardConversionFactory(rate_card=rate.rate_card)
    RateCardPlaceFactory(rate_card=rate.rate_card, product=rate.product)
    NamedScheduleSegmentFactory(rate_card=rate.rate_card)


@pytest.mark.django_db
@pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_facts_are_only_inserted(model, statement):
    one_of_everything()
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at a commit; nothing is truncated before
    with pytest.raises(IntegrityError, match="is append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, key))
    assert model.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "constraint"),
    [
        pytest.param(lambda: RateFactory(price=D(-1)), "a_price_is_not_negative", id="a negative price"),
        pytest.param(
            lambda: RateFactory(price=RawSQL("'NaN'::numeric", [])), "rate_price_is_a_number", id="a price of NaN"
        ),
        pytest.param(
            lambda: RateFactory(rate_type="CUSTOM"), "a_rate_says_what_its_type_needs", id="a type nobody rates"
        ),
        pytest.param(lambda: RateFactory(rate_type="TIERED"), "a_rate_says_what_its_type_needs", id="a price in tiers"),
        pytest.param(
            lambda: RateFactory(rate_type="VOLUME", price=None), "a_rate_says_what_its_type_needs", id="no tiers"
        ),
        pytest.param(
            lambda: RateFactory(rate_type="TIERED", price=None, tiers=[{"price": 1.5}]),
            "rate_tiers_keep_numbers_as_text",
            id="a tier with a binary fraction",
        ),
        pytest.param(
            lambda: RateFactory(rate_type="PACKAGE", package_size=D(0)), "a_package_holds_something", id="no package"
        ),
        pytest.param(
            lambda: RateFactory(billing_frequency="DAILY"), "rate_billing_frequency_is_known", id="a frequency"
        ),
        pytest.param(lambda: RateFactory(commit_rate={"price": "1"}), "a_commit_rate_has_a_type", id="a commit rate"),
        pytest.param(lambda: RateFactory(starting_at=OFF_THE_HOUR), "rate_starting_at_is_on_the_hour", id="a start"),
        pytest.param(lambda: RateFactory(ending_before=OFF_THE_HOUR), "rate_ending_before_is_on_the_hour", id="an end"),
        pytest.param(
            lambda: RateFactory(ending_before=datetime(2025, 1, 1, tzinfo=UTC)),
            "rate_ends_after_it_starts",
            id="no time at all",
        ),
        pytest.param(
            lambda: RateCardAliasFactory(starting_at=OFF_THE_HOUR),
            "ratecardalias_starting_at_is_on_the_hour",
            id="an alias off the hour",
        ),
        pytest.param(
            lambda: MetricFactory(aggregation_type="SUM"),
            "every_aggregation_but_count_names_its_property",
            id="a sum of nothing",
        ),
        pytest.param(lambda: CompositeRateFactory(price=D("1.5")), "a_share_is_not_more_than_all", id="more than all"),
        pytest.param(
            lambda: SubscriptionRateFactory(rate_type="SUBSCRIPTION", quantity=D(-1), is_prorated=True),
            "a_quantity_is_not_negative",
            id="less than nothing",
        ),
        pytest.param(
            lambda: SubscriptionRateFactory(rate_type="SUBSCRIPTION", quantity=D(1), is_prorated=False),
            "a_subscription_is_prorated",
            id="a subscription that is not prorated",
        ),
        *(
            pytest.param(
                lambda commit_rate=commit_rate: RateFactory(commit_rate=commit_rate),
                "a_commit_rate_says_what_its_type_needs",
                id=name,
            )
            for name, commit_rate in {
                "a commit rate of nothing": {"rate_type": "FLAT"},
                "a commit rate that may be rounded": {"rate_type": "FLAT", "price": 0.1},
                "a commit rate below zero": {"rate_type": "FLAT", "price": "-1"},
                "a commit rate that is a share": {"rate_type": "PERCENTAGE", "price": "0.1"},
                "a commit rate in no tiers": {"rate_type": "TIERED", "tiers": []},
                "a commit rate in tiers that may be rounded": {
                    "rate_type": "TIERED",
                    "tiers": [{"price": "1", "size": 5}, {"price": "1"}],
                },
                "a commit rate for packages of no size": {"rate_type": "PACKAGE", "price": "1"},
                "a commit rate with more than it needs": {"rate_type": "FLAT", "price": "1", "tiers": [{"price": "1"}]},
            }.items()
        ),
        pytest.param(
            lambda: CompositeRateFactory(commit_rate={"rate_type": "FLAT", "price": "1"}),
            "only_usage_has_a_commit_rate",
            id="a commit rate of a share",
        ),
        pytest.param(
            lambda: CompositeRateFactory(billing_frequency="MONTHLY"),
            "only_subscriptions_are_billed_by_frequency",
            id="a share by the month",
        ),
        pytest.param(
            lambda: RateFactory(billing_frequency="MONTHLY"), "a_rate_suits_its_product", id="usage by the month"
        ),
        pytest.param(
            lambda: RateFactory(product=CompositeProductFactory()), "a_rate_suits_its_product", id="a flat composite"
        ),
        pytest.param(
            lambda: SubscriptionRateFactory(billing_frequency=""),
            "a_rate_suits_its_product",
            id="a subscription without a frequency",
        ),
        pytest.param(
            lambda: RateFactory(product=FixedProductFactory()), "a_rate_suits_its_product", id="a rate of a commitment"
        ),
        pytest.param(
            lambda: RateFactory(unit=PricingUnitFactory()), "a_rate_is_in_a_unit_of_its_card", id="an unconverted unit"
        ),
        pytest.param(
            lambda: RateCardConversionFactory(unit=dollars()), "only_custom_units_are_converted", id="dollars at a rate"
        ),
        pytest.param(
            lambda: ProductFactory(version__conversion_factor=D(0), version__conversion_operation="DIVIDE"),
            "a_conversion_factor_is_positive",
            id="a conversion by zero",
        ),
        pytest.param(
            lambda: ProductFactory(version__conversion_factor=D(2)),
            "a_conversion_has_a_factor_and_an_operation",
            id="a factor of nothing",
        ),
        pytest.param(
            lambda: ProductFactory(version__rounding_method="ROUND_UP"),
            "a_rounding_has_places_and_a_method",
            id="a rounding to nowhere",
        ),
        pytest.param(
            lambda: ProductVersionFactory(product=ProductFactory()),
            "a_product_has_one_initial_version",
            id="a second beginning",
        ),
        pytest.param(
            lambda: RateCardConversionFactory(fiat_per_unit=0), "a_custom_unit_is_worth_something", id="worth nothing"
        ),
        pytest.param(
            lambda: RateCardConversionFactory(fiat_per_unit=RawSQL("'NaN'::numeric", [])),
            "ratecardconversion_fiat_per_unit_is_a_number",
            id="a worth of NaN",
        ),
        pytest.param(
            lambda: [
                RateCardConversionFactory(rate_card=card, unit=unit)
                for card, unit in [(RateCardFactory(), PricingUnitFactory())] * 2
            ],
            "a_card_converts_a_unit_once",
            id="a unit converted twice",
        ),
        pytest.param(
            lambda: [
                RateCardPlaceFactory(rate_card=card, publication=publication)
                for card, publication in [(RateCardFactory(), PublicationFactory())] * 2
            ],
            "a_place_on_a_card_holds_one_product",
            id="two products at one place",
        ),
        pytest.param(
            lambda: [
                RateCardPlaceFactory(rate_card=card, publication=publication, product=product, position=position)
                for card, publication, product in [(RateCardFactory(), PublicationFactory(), ProductFactory())]
                for position in range(2)
            ],
            "a_product_has_one_place_on_a_card",
            id="a product at two places",
        ),
        pytest.param(
            lambda: NamedScheduleSegmentFactory(starting_at=OFF_THE_HOUR),
            "namedschedulesegment_starting_at_is_on_the_hour",
            id="a schedule off the hour",
        ),
        pytest.param(
            lambda: NamedScheduleSegmentFactory(value="{eu: 1}"),
            "namedschedulesegment_value_is_json",
            id="a value that is no JSON",
        ),
        pytest.param(
            lambda: [
                NamedScheduleSegmentFactory(rate_card=card, publication=publication)
                for card, publication in [(RateCardFactory(), PublicationFactory())] * 2
            ],
            "a_publication_writes_a_named_schedule_once",
            id="a schedule written twice at once",
        ),
        pytest.param(
            lambda: PublicationCounter.objects.create(id=False), "there_is_one_publication_counter", id="two counters"
        ),
        pytest.param(
            lambda: PricingUnitFactory(name="USD (cents)"), "pricing_pricingunit_name", id="a unit of the same name"
        ),
        pytest.param(
            lambda: [RateWithdrawalFactory(rate=rate) for rate in [RateFactory()] * 2],
            "pricing_ratewithdrawal_rate_id",
            id="a rate withdrawn twice",
        ),
    ],
)
def test_the_database_refuses(make, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make()


@pytest.mark.django_db
def test_a_publication_prices_a_key_once_from_an_instant():
    rate = RateFactory(pricing_group_values={"model": "xl", "region": "eu"})
    same = {"rate_card": rate.rate_card, "product": rate.product, "publication": rate.publication}
    RateFactory(**same, pricing_group_values={"model": "xl", "region": "us"})
    with pytest.raises(IntegrityError, match="a_publication_prices_a_key_once"), transaction.atomic():
        RateFactory(**same, pricing_group_values={"region": "eu", "model": "xl"}, price=D(2))


@pytest.mark.django_db
def test_a_product_keeps_its_pricing_unit_on_a_card():
    rate = RateFactory()
    custom = RateCardConversionFactory(rate_card=rate.rate_card).unit
    with pytest.raises(IntegrityError, match="a_product_has_one_pricing_unit_on_a_card"), transaction.atomic():
        RateFactory(rate_card=rate.rate_card, product=rate.product, unit=custom)
    RateFactory(rate_card=rate.rate_card, unit=custom)


@pytest.mark.django_db(transaction=True)
def test_publishers_wait_for_each_other_so_numbers_follow_commits():
    inside, seen = Event(), []

    def first():
        with transaction.atomic():
            publish(at=NOW, by=ADA)
            inside.set()
            connection.connection.execute("SELECT pg_sleep(0.2)")
            seen.append("first ends")
        connection.close()

    def second():
        inside.wait(5)
        with transaction.atomic():
            publish(at=NOW, by=ADA)
            seen.append("second begins")
        connection.close()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(first), threads.submit(second)]:
            done.result(10)
    assert seen == ["first ends", "second begins"]


@pytest.mark.django_db(transaction=True)
def test_many_publishers_leave_no_gap_and_give_no_number_twice():
    start = Barrier(4)

    def publish_five():
        start.wait(5)
        for _ in range(5):
            with transaction.atomic():
                publish(at=NOW, by=ADA)
        connection.close()

    PublicationFactory()
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(publish_five) for _ in range(4)]:
            done.result(30)
    numbers = sorted(Publication.objects.values_list("number", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + 21))


@pytest.mark.django_db
def test_a_refused_publication_gives_its_number_back():
    before = PublicationFactory().number
    with transaction.atomic():
        publish(at=NOW, by=ADA)
        transaction.set_rollback(True)
    assert publish(at=NOW, by=ADA).number == before + 1
