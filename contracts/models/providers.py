"""Where a customer's invoices would be collected or booked elsewhere, as it was told to us."""

from uuid import UUID, uuid5

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from contracts.models.customers import Customer

DELIVERY_IDS = UUID("5a0c5d0e-3f0b-5a51-9d55-7b1f3f3d6a10")  # the names in it are a system and a way to deliver


class ProviderConfiguration(models.Model):
    """What a customer is called at a billing provider or in a revenue system, and how documents would get there.

    It is kept and shown; nothing is sent by it (`docs/billing_providers.md`). It is archived, never changed.
    """

    class Kind(models.TextChoices):
        BILLING_PROVIDER = "BILLING_PROVIDER", "Billing provider"
        REVENUE_SYSTEM = "REVENUE_SYSTEM", "Revenue system"

    class Provider(models.TextChoices):
        AWS_MARKETPLACE = "aws_marketplace", "AWS Marketplace"
        AZURE_MARKETPLACE = "azure_marketplace", "Azure Marketplace"
        CUSTOM = "custom", "a system of their own"
        GCP_MARKETPLACE = "gcp_marketplace", "Google Cloud Marketplace"
        METRONOME = "metronome", "Metronome"
        NETSUITE = "netsuite", "NetSuite"
        QUICKBOOKS_ONLINE = "quickbooks_online", "QuickBooks Online"
        STRIPE = "stripe", "Stripe"
        WORKDAY = "workday", "Workday"

    class Delivery(models.TextChoices):
        DIRECT = "direct_to_billing_provider", "directly"
        AWS_SNS = "aws_sns", "by Amazon SNS"
        AWS_SQS = "aws_sqs", "by Amazon SQS"
        TACKLE = "tackle", "by Tackle"

    class TaxProvider(models.TextChoices):
        ANROK = "anrok", "Anrok"
        AVALARA = "avalara", "Avalara"
        STRIPE = "stripe", "Stripe"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="provider_configurations")
    kind = models.CharField(max_length=24, choices=Kind)
    provider = models.CharField(max_length=24, choices=Provider)
    delivery_method = models.CharField("delivered", max_length=32, choices=Delivery)
    configuration = models.JSONField(default=dict, blank=True)
    tax_provider = models.CharField(max_length=16, choices=TaxProvider, blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        constraints = [
            one_of("kind", ["BILLING_PROVIDER", "REVENUE_SYSTEM"]),
            one_of(
                "provider",
                [
                    "aws_marketplace",
                    "azure_marketplace",
                    "custom",
                    "gcp_marketplace",
                    "metronome",
                    "netsuite",
                    "quickbooks_online",
                    "stripe",
                    "workday",
                ],
            ),
            one_of("delivery_method", ["direct_to_billing_provider", "aws_sns", "aws_sqs", "tackle"]),
            one_of("tax_provider", ["", "anrok", "avalara", "stripe"]),
            models.CheckConstraint(
                name="revenue_is_booked_in_netsuite_directly",
                condition=Q(kind="BILLING_PROVIDER")
                | Q(provider="netsuite", delivery_method="direct_to_billing_provider", tax_provider=""),
            ),
            models.CheckConstraint(
                name="only_stripe_has_taxes_computed_by_others",
                condition=Q(tax_provider="") | Q(provider="stripe"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}, {self.get_delivery_method_display()}"

    @property
    def delivery_method_id(self) -> UUID:
        return delivery_method_id(self.provider, self.delivery_method)


def delivery_method_id(provider: str, delivery_method: str) -> UUID:
    """The id of a way to deliver to a system: the same everywhere, as ways are not set up one by one."""
    return uuid5(DELIVERY_IDS, f"{provider}/{delivery_method}")
