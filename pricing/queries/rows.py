"""One row of the price list by its id, and lists of them for paging."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Exists, Model, OuterRef, Prefetch, QuerySet

from billing_site.foundation.refusals import FieldError, NotFound, Refusal
from pricing.engine.timelines import Dated, in_force
from pricing.models import BillableMetric, PricingUnit, Product, ProductVersion, Rate, RateCard
from pricing.units import USD_ID

Row = TypeVar("Row", bound=Model)


def metric(metric_id: UUID | str, *, locked: bool = False, field: str = "id") -> BillableMetric:
    """Raises NotFound."""
    return _row(BillableMetric.objects.all(), metric_id, locked, field, "billable metric")


def product(
    product_id: UUID | str, *, locked: bool = False, field: str = "id", at_publication: int | None = None
) -> Product:
    """With its versions at hand, those known at a publication (default: all). Raises NotFound."""
    return _row(products_with_versions(at_publication=at_publication), product_id, locked, field, "product")


def rate_card(rate_card_id: UUID | str, *, locked: bool = False, field: str = "id") -> RateCard:
    """With its fiat unit at hand. Raises NotFound."""
    return _row(RateCard.objects.select_related("fiat_unit"), rate_card_id, locked, field, "rate card")


def pricing_unit(unit_id: UUID | str, *, locked: bool = False, field: str = "id") -> PricingUnit:
    """Raises NotFound."""
    return _row(PricingUnit.objects.all(), unit_id, locked, field, "pricing unit")


def unit(unit_id: UUID, *, field: str = "credit_type_id") -> PricingUnit:
    """The unit that a request refers to in `field`. Raises Refusal where there is none, or an archived one."""
    found = PricingUnit.objects.filter(pk=unit_id).first()
    if found is None:
        raise Refusal.of(field, unit_id, "there is no such pricing unit")
    if found.archived_at is not None:
        raise Refusal.of(field, unit_id, f"the pricing unit {found.name} is archived")
    return found


def default_unit() -> PricingUnit:
    """US dollars, in cents on the wire."""
    return PricingUnit.objects.get(pk=USD_ID)


def units_by_id(unit_ids: Iterable[UUID]) -> dict[UUID, PricingUnit]:
    """Those that there are, archived ones too. No query where none is named, else one."""
    wanted = set(unit_ids)
    return PricingUnit.objects.in_bulk(wanted) if wanted else {}


def metrics(*, include_archived: bool = False) -> QuerySet[BillableMetric]:
    found = BillableMetric.objects.all()
    return found if include_archived else found.filter(archived_at=None)


def products(*, archive_filter: str = "NOT_ARCHIVED", at_publication: int | None = None) -> QuerySet[Product]:
    """With their versions at hand, those known at a publication (default: all). `archive_filter` is NOT_ARCHIVED,
    ARCHIVED or ALL."""
    found = products_with_versions(at_publication=at_publication)
    return found if archive_filter == "ALL" else found.filter(archived_at__isnull=archive_filter == "NOT_ARCHIVED")


def products_by_id(product_ids: Iterable[UUID], *, at_publication: int | None = None) -> dict[UUID, Product]:
    """With their versions at hand, those known at a publication (default: all)."""
    found = products_with_versions(at_publication=at_publication).filter(pk__in=set(product_ids))
    return {product.id: product for product in found}


def products_with_versions(*related: str, at_publication: int | None = None) -> QuerySet[Product]:
    """Products with their versions at hand, and of each version its publication and what `related` names. Where
    `at_publication` is given, only the products and the versions that were known at it."""
    versions = ProductVersion.objects.select_related("publication", *related).order_by("publication", "starting_at")
    if at_publication is None:
        return Product.objects.prefetch_related(Prefetch("versions", versions))
    known = ProductVersion.objects.filter(publication_id__lte=at_publication)
    found = Product.objects.filter(Exists(known.filter(product=OuterRef("pk"))))
    return found.prefetch_related(Prefetch("versions", versions.filter(publication_id__lte=at_publication)))


def metered_products_tagged(tags: Collection[str]) -> list[Product]:
    """The products of usage that have all of these tags, now or some time, with their versions at hand; not the
    archived ones. Two queries."""
    versions = ProductVersion.objects.filter(product=OuterRef("pk"), tags__contains=list(tags))
    found = products_with_versions().filter(Exists(versions), type=Product.Type.USAGE, archived_at=None)
    return list(found.order_by("name", "id"))


def has_rate(rate_card_id: UUID, product_id: UUID, billing_frequency: str) -> bool:
    """Whether a card prices a product by a frequency, whenever."""
    rates = Rate.objects.filter(rate_card=rate_card_id, product=product_id, billing_frequency=billing_frequency)
    return bool(rates.filter(withdrawal=None).exists())


def unit_of_product(rate_card: RateCard | None, product_id: UUID) -> PricingUnit:
    """What a card prices a product in; the card's currency, as long as it has no price there. Without a card the
    default."""
    if rate_card is None:
        return default_unit()
    priced = Rate.objects.select_related("unit").filter(rate_card=rate_card, product=product_id, withdrawal=None)
    found = priced.first()
    return rate_card.fiat_unit if found is None else found.unit


def rate_cards() -> QuerySet[RateCard]:
    """Those that are not archived."""
    return RateCard.objects.select_related("fiat_unit").filter(archived_at=None)


def units() -> QuerySet[PricingUnit]:
    """Those that are not archived."""
    return PricingUnit.objects.filter(archived_at=None)


def version_in_force(found: Product, at: datetime) -> ProductVersion:
    """The definition at an instant of a product that has its versions at hand."""
    versions = found.versions.all()
    version = in_force(Dated(row, row.starting_at, None, row.publication_id) for row in versions).at(at)
    assert version is not None  # the initial one holds since ever
    return version


def pricing_keys_from(found: Product, at: datetime) -> list[tuple[datetime, tuple[str, ...]]]:
    """The pricing group key at an instant of a product that has its versions at hand, and each that follows it with
    the instant from which it holds."""
    later = {row.starting_at for row in found.versions.all() if row.starting_at is not None and row.starting_at > at}
    stages: list[tuple[datetime, tuple[str, ...]]] = []
    for start in sorted({at, *later}):
        key = tuple(version_in_force(found, start).pricing_group_key)
        if not stages or stages[-1][1] != key:
            stages.append((start, key))
    return stages


def _row(rows: QuerySet[Row], row_id: UUID | str, locked: bool, field: str, noun: str) -> Row:
    try:
        # Whoever inserts a fact that points at the row, while others wait for its publication, is not held up.
        return (rows.select_for_update(of=("self",), no_key=True) if locked else rows).get(pk=row_id)
    except (ObjectDoesNotExist, ValidationError) as error:  # not an id at all: a ValidationError
        raise NotFound(
            f"There is no {noun} {row_id}.", FieldError(field, row_id, f"there is no such {noun}")
        ) from error
