"""Who agreed to which terms, from when to when: customers, the subjects they claim, contracts, edits and terms.

A term is never overwritten: the edit that adds it and the edit that removes it are facts with a number per customer,
so that a number names everything that was agreed when that edit was made.
"""

from contracts.models.commit_attributes import CommitVersion
from contracts.models.commits import (
    AccessSegment,
    ChargeVersion,
    Commit,
    InvoiceScheduleItem,
    ScheduledCharge,
    ScheduledChargeItem,
)
from contracts.models.contracts import Contract, ContractTerms, Override
from contracts.models.custom_fields import CustomFieldsChange
from contracts.models.customers import Claim, ContractEdit, Customer
from contracts.models.gates import PaymentGate, PaymentOutcome
from contracts.models.logins import CustomerLogin
from contracts.models.named_schedules import CustomerScheduleSegment
from contracts.models.packages import Package, PackageAlias
from contracts.models.parties import BillingProfile, LegalEntity
from contracts.models.professional_services import ProfessionalService, ServiceInvoice, ServiceInvoiceLine
from contracts.models.providers import ProviderConfiguration
from contracts.models.recurring import RecurringCommit
from contracts.models.segment_uses import SegmentUse
from contracts.models.subscriptions import Subscription, SubscriptionQuantity, SubscriptionTerms
from contracts.models.taxes import ProductTaxCode, TaxRate
from contracts.models.term import Term, TermQuerySet

__all__ = [
    "AccessSegment",
    "BillingProfile",
    "ChargeVersion",
    "Claim",
    "Commit",
    "CommitVersion",
    "Contract",
    "ContractEdit",
    "ContractTerms",
    "CustomFieldsChange",
    "Customer",
    "CustomerLogin",
    "CustomerScheduleSegment",
    "InvoiceScheduleItem",
    "LegalEntity",
    "Override",
    "Package",
    "PackageAlias",
    "PaymentGate",
    "PaymentOutcome",
    "ProductTaxCode",
    "ProfessionalService",
    "ProviderConfiguration",
    "RecurringCommit",
    "ScheduledCharge",
    "ScheduledChargeItem",
    "SegmentUse",
    "ServiceInvoice",
    "ServiceInvoiceLine",
    "Subscription",
    "SubscriptionQuantity",
    "SubscriptionTerms",
    "TaxRate",
    "Term",
    "TermQuerySet",
]
