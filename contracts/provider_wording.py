"""Billing providers, revenue systems and royalties in words, as terms and edits keep them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import count_text, instant_text
from billing_site.foundation.periods import parse_instant
from contracts.commit_wording import span
from contracts.models import ProviderConfiguration
from contracts.queries import ContractProvider
from pricing.wording import percent_text

RESELLERS = {
    "AWS": "AWS Marketplace",
    "AWS_PRO_SERVICE": "AWS Marketplace, for professional services,",
    "GCP": "Google Cloud Marketplace",
    "GCP_PRO_SERVICE": "Google Cloud Marketplace, for professional services,",
}
DEALS = {
    "aws_account_number": "AWS account",
    "aws_offer_id": "AWS offer",
    "aws_payer_reference_id": "AWS payer",
    "gcp_account_id": "Google Cloud account",
    "gcp_offer_id": "Google Cloud offer",
}


def provider_told_text(told: Mapping[str, Any]) -> str:
    """ "Billing provider from 1 November 2025, 00:00 UTC: Stripe, directly"; as an edit keeps it."""
    kind = ProviderConfiguration.Kind(told["kind"]).label
    provider = ProviderConfiguration.Provider(told["provider"]).label
    delivered = ProviderConfiguration.Delivery(told["delivery_method"]).label
    return f"{kind} from {instant_text(parse_instant(told['effective_at']))}: {provider}, {delivered}"


def provider_text(provider: ContractProvider) -> str:
    """As a contract has it now, with what has become of the configuration."""
    configuration = provider.configuration
    text = f"{configuration.get_kind_display()} from {instant_text(provider.effective_at)}: {configuration}"
    if configuration.archived_at is not None:
        text += f", archived on {instant_text(configuration.archived_at)}"
    return f"{text}. Nothing is sent there."


def package_provider_text(template: Mapping[str, Any]) -> str:
    """What a package asks for; empty where that is nothing."""
    if "billing_provider" not in template:
        return ""
    provider = ProviderConfiguration.Provider(template["billing_provider"]).label
    delivered = ProviderConfiguration.Delivery(template["delivery_method"]).label
    return f"Billing provider: the customer's one configuration of {provider}, {delivered}. Nothing is sent there."


def royalty_text(told: Mapping[str, Any]) -> str:
    """ "A reseller on AWS Marketplace, which NetSuite calls 42, has 10 % of 2 products from 1 October 2025"."""
    parts = []
    if ids := told.get("applicable_product_ids"):
        parts.append(count_text(len(ids), "product", "products"))
    if tags := told.get("applicable_product_tags"):
        parts.append(f"products tagged {', '.join(tags)}")
    end = told.get("ending_before")
    when = span(parse_instant(told["starting_at"]), parse_instant(end) if end else None)
    deals = [f"{words} {told[name]}" for name, words in DEALS.items() if told.get(name)]
    called = "; ".join(["", *deals])
    share = percent_text(Decimal(told["fraction"]))
    return (
        f"A reseller on {RESELLERS[told['reseller_type']]} which NetSuite calls {told['netsuite_reseller_id']} has"
        f" {share} of {' and '.join(parts)} {when}{called}. Nothing is billed by that"
    )
