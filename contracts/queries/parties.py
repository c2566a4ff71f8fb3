from uuid import UUID

from contracts.models import BillingProfile, LegalEntity, ProductTaxCode, TaxRate


def legal_entity() -> LegalEntity | None:
    """Who sells, once that has been set up."""
    return LegalEntity.objects.first()


def billing_profile(customer_id: UUID) -> BillingProfile | None:
    return BillingProfile.objects.filter(customer_id=customer_id).first()


def tax_rates() -> list[TaxRate]:
    return list(TaxRate.objects.order_by("starting_at", "id"))


def tax_codes() -> dict[UUID, str]:
    """The tax codes of products that have one of their own."""
    return dict(ProductTaxCode.objects.values_list("product_id", "tax_code"))
