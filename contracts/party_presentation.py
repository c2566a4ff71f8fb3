"""Who sells, who is billed and what is taxed, in the shapes of the API."""

from uuid import UUID

from billing_site.foundation.periods import format_instant
from contracts.commit_presentation import Fields
from contracts.models import BillingProfile, LegalEntity, ProductTaxCode, TaxRate


def legal_entity_json(entity: LegalEntity) -> Fields:
    return {
        "name": entity.name,
        "address": entity.address.splitlines(),
        "country": entity.country,
        "tax_id": entity.tax_id,
        "email": entity.email,
        "remittance": entity.remittance.splitlines(),
        "net_payment_terms_days": entity.net_payment_terms_days,
        "taxes": entity.taxes,
        "numbering": entity.numbering,
        "number_prefix": entity.number_prefix,
    }


def billing_profile_json(customer_id: UUID, profile: BillingProfile | None) -> Fields:
    """Of a customer of whom nothing was said, everything is empty."""
    told = profile or BillingProfile()
    return {
        "customer_id": str(customer_id),
        "legal_name": told.legal_name,
        "address": told.address.splitlines(),
        "country": told.country,
        "tax_id": told.tax_id,
        "purchase_order": told.purchase_order,
        "contacts": told.contacts.splitlines(),
        "tax_exemption": told.tax_exemption,
    }


def tax_rate_json(rate: TaxRate) -> Fields:
    return {
        "id": str(rate.pk),
        "name": rate.name,
        "percent": rate.percent,
        "tax_code": rate.tax_code,
        "country": rate.country,
        "starting_at": format_instant(rate.starting_at),
        "ending_before": format_instant(rate.ending_before) if rate.ending_before else None,
    }


def tax_code_json(code: ProductTaxCode) -> Fields:
    return {"product_id": str(code.product_id), "tax_code": code.tax_code}
