"""The plainest valid rows of the price list. A test states everything that matters to it.

`ProductFactory(version__pricing_group_key=["model"])` and the like reach into the product's initial version.
"""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from billing_site.foundation.actor import Actor
from pricing.models import (
    BillableMetric,
    Formula,
    NamedScheduleSegment,
    PriceChange,
    PricingUnit,
    Product,
    ProductVersion,
    Publication,
    Rate,
    RateCard,
    RateCardAlias,
    RateCardConversion,
    RateCardPlace,
    RateWithdrawal,
)
from pricing.services.publishing import next_number
from pricing.units import USD_ID

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2025, 10, 1, 9, 30, tzinfo=UTC)
ADA = Actor("USER", "Ada", "7", "ADMIN")


def dollars() -> PricingUnit:
    return PricingUnit.objects.get(pk=USD_ID)


class PricingUnitFactory(DjangoModelFactory):
    """A custom credit; the currencies are there from the first migration on."""

    class Meta:
        model = PricingUnit

    name = "Tokens"
    created_at = NEW_YEAR
    created_by = "Ada"


class MetricFactory(DjangoModelFactory):
    """Counts events of the type api_call."""

    class Meta:
        model = BillableMetric

    name = "API calls"
    aggregation_type = "COUNT"
    event_type_filter = factory.LazyFunction(lambda: {"in_values": ["api_call"]})
    created_at = NEW_YEAR
    created_by = "Ada"


class PriceChangeFactory(DjangoModelFactory):
    class Meta:
        model = PriceChange

    created_at = NEW_YEAR
    created_by = "Ada"


class PublicationFactory(DjangoModelFactory):
    class Meta:
        model = Publication

    number = factory.LazyFunction(next_number)
    price_change = factory.SubFactory(PriceChangeFactory)
    published_at = NEW_YEAR
    published_by = "Ada"


class ProductVersionFactory(DjangoModelFactory):
    """The initial version of a product."""

    class Meta:
        model = ProductVersion

    product = factory.SubFactory("tests.factories.pricing.ProductFactory", version=None)
    publication = factory.SubFactory(PublicationFactory)
    name = factory.SelfAttribute("product.name")
    billable_metric = factory.SubFactory(MetricFactory)


class ProductFactory(DjangoModelFactory):
    """A usage product with its initial version; `version__…` overrides the version's fields."""

    class Meta:
        model = Product
        skip_postgeneration_save = True

    name = "API calls"
    type = "USAGE"
    created_at = NEW_YEAR
    created_by = "Ada"
    version = factory.RelatedFactory(ProductVersionFactory, factory_related_name="product")


class FixedProductFactory(ProductFactory):
    """What commits, credits and scheduled charges are sold as."""

    name = "Commitment"
    type = "FIXED"
    version = factory.RelatedFactory(ProductVersionFactory, factory_related_name="product", billable_metric=None)


class ServiceProductFactory(FixedProductFactory):
    """What work by people is sold as."""

    name = "Consulting"
    type = "PRO_SERVICE"


class CompositeProductFactory(FixedProductFactory):
    """A share of what other products come to."""

    name = "Support"
    type = "COMPOSITE"


class SubscriptionProductFactory(FixedProductFactory):
    """What is due for a time, and not for use."""

    name = "Seats"
    type = "SUBSCRIPTION"


class RateCardFactory(DjangoModelFactory):
    """A rate card in US dollars (cents)."""

    class Meta:
        model = RateCard

    name = "List prices"
    fiat_unit = factory.LazyFunction(dollars)
    created_at = NEW_YEAR
    created_by = "Ada"


class RateCardAliasFactory(DjangoModelFactory):
    class Meta:
        model = RateCardAlias

    rate_card = factory.SubFactory(RateCardFactory)
    name = "standard"
    publication = factory.SubFactory(PublicationFactory)


class RateCardConversionFactory(DjangoModelFactory):
    """One custom credit is ten cents."""

    class Meta:
        model = RateCardConversion

    rate_card = factory.SubFactory(RateCardFactory)
    unit = factory.SubFactory(PricingUnitFactory)
    fiat_per_unit = Decimal(10)
    publication = factory.SubFactory(PublicationFactory)


class RateCardPlaceFactory(DjangoModelFactory):
    """The first place."""

    class Meta:
        model = RateCardPlace

    rate_card = factory.SubFactory(RateCardFactory)
    product = factory.SubFactory(ProductFactory)
    position = 0
    publication = factory.SubFactory(PublicationFactory)


class NamedScheduleSegmentFactory(DjangoModelFactory):
    """From 2025 on."""

    class Meta:
        model = NamedScheduleSegment

    rate_card = factory.SubFactory(RateCardFactory)
    schedule_name = "regions"
    starting_at = NEW_YEAR
    value = '{"eu": 1}'
    publication = factory.SubFactory(PublicationFactory)


class RateFactory(DjangoModelFactory):
    """One cent, entitled, from 2025 on."""

    class Meta:
        model = Rate

    rate_card = factory.SubFactory(RateCardFactory)
    product = factory.SubFactory(ProductFactory)
    starting_at = NEW_YEAR
    entitled = True
    rate_type = "FLAT"
    price = Decimal(1)
    unit = factory.SelfAttribute("rate_card.fiat_unit")
    publication = factory.SubFactory(PublicationFactory)


class FormulaFactory(DjangoModelFactory):
    """A base of one cent, from 2025 on."""

    class Meta:
        model = Formula

    rate_card = factory.SubFactory(RateCardFactory)
    product = factory.SubFactory(ProductFactory)
    starting_at = NEW_YEAR
    nodes = factory.LazyFunction(lambda: [{"name": "base", "values": {}, "number": "1"}])
    entitled = True
    unit = factory.SelfAttribute("rate_card.fiat_unit")
    publication = factory.SubFactory(PublicationFactory)


class CompositeRateFactory(RateFactory):
    """Ten percent."""

    product = factory.SubFactory(CompositeProductFactory)
    rate_type = "PERCENTAGE"
    price = Decimal("0.1")


class SubscriptionRateFactory(RateFactory):
    """A hundred dollars a month, for each."""

    product = factory.SubFactory(SubscriptionProductFactory)
    billing_frequency = "MONTHLY"
    price = Decimal(10_000)


class RateWithdrawalFactory(DjangoModelFactory):
    class Meta:
        model = RateWithdrawal

    rate = factory.SubFactory(RateFactory)
    publication = factory.SubFactory(PublicationFactory)
