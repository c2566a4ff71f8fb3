"""Who sends an invoice and to whom it goes, as it is printed: the legal entity that sells, the profile of a buyer."""

from typing import Any

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from contracts.models.customers import Customer

ADDRESS_LINES = 6
LONGEST_TERMS = 365  # days


def country_field(help_text: str = "ISO 3166 code of two letters: DE, JP, US.") -> Any:
    return models.CharField(max_length=2, blank=True, default="", help_text=help_text)


def is_a_country(field: str = "country") -> models.CheckConstraint:
    return models.CheckConstraint(
        name=f"%(class)s_{field}_is_a_code",
        condition=Q(**{field: ""}) | Q(**{f"{field}__regex": "^[A-Z]{2}$"}),
        violation_error_message="A country is two capital letters, as in DE.",
    )


class LegalEntity(models.Model):
    """Who sells: one row at the most. Without it documents are usage statements; with it they are invoices."""

    class Taxes(models.TextChoices):
        NONE = "NONE", "none are charged"
        FIXED_RATES = "FIXED_RATES", "by the rates under Tax rates"

    class Numbering(models.TextChoices):
        PER_CUSTOMER = "PER_CUSTOMER", "for each customer: INV-000001"
        PER_LEGAL_ENTITY = "PER_LEGAL_ENTITY", "for all customers, with a prefix: DE-INV-000001"

    id = models.BooleanField(primary_key=True, default=True, editable=False)
    name = models.CharField(max_length=160)
    address = models.TextField(help_text=f"As on an envelope, up to {ADDRESS_LINES} lines.")
    country = country_field()
    tax_id = models.CharField(
        "tax id", max_length=64, blank=True, default="", help_text="With its prefix: DE123456789."
    )
    email = models.EmailField(blank=True, default="", help_text="For questions about an invoice.")
    remittance = models.TextField(blank=True, default="", help_text="Where to pay: bank, account, reference.")
    net_payment_terms_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="For contracts that do not say when an invoice is due."
    )
    taxes = models.CharField(max_length=16, choices=Taxes, default=Taxes.NONE)
    numbering = models.CharField(
        max_length=16,
        choices=Numbering,
        default=Numbering.PER_CUSTOMER,
        help_text="How documents are counted from now on, without gaps. Numbers that were given stay as they are.",
    )
    number_prefix = models.CharField(
        max_length=12,
        blank=True,
        default="",
        help_text="For numbers over all customers: 1 to 12 capital letters and digits, as DE in DE-INV-000001. Each "
        "prefix counts from 1, and one that is taken again goes on where it was left.",
    )
    history = history()

    class Meta:
        verbose_name_plural = "legal entity"
        constraints = [
            models.CheckConstraint(name="there_is_one_legal_entity", condition=Q(id=True)),
            models.CheckConstraint(
                name="a_legal_entity_has_a_name_and_an_address", condition=~Q(name="") & ~Q(address="")
            ),
            models.CheckConstraint(
                name="payment_is_due_within_a_year",
                condition=Q(net_payment_terms_days__isnull=True) | Q(net_payment_terms_days__lte=LONGEST_TERMS),
                violation_error_message=f"Payment is due within {LONGEST_TERMS} days.",
            ),
            is_a_country(),
            one_of("taxes", ["NONE", "FIXED_RATES"]),
            models.CheckConstraint(
                name="numbers_over_all_customers_have_a_prefix",
                condition=Q(numbering="PER_CUSTOMER", number_prefix="")
                | Q(numbering="PER_LEGAL_ENTITY", number_prefix__regex="^[A-Z0-9]{1,12}$"),
                violation_error_message="Numbers over all customers need a prefix of 1 to 12 capital letters and "
                "digits; numbers for each customer have none.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BillingProfile(models.Model):
    """How one customer is named on its invoices, and what its purchasing department wants to read there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.OneToOneField(Customer, models.PROTECT, related_name="billing_profile")
    legal_name = models.CharField(max_length=160, blank=True, default="", help_text="If it is not the customer's name.")
    address = models.TextField(blank=True, default="", help_text=f"As on an envelope, up to {ADDRESS_LINES} lines.")
    country = country_field()
    tax_id = models.CharField(
        "tax id", max_length=64, blank=True, default="", help_text="With its prefix: FR12345678901."
    )
    purchase_order = models.CharField(max_length=80, blank=True, default="")
    contacts = models.TextField(blank=True, default="", help_text="E-mail addresses, one a line.")
    tax_exemption = models.CharField(
        max_length=160,
        blank=True,
        default="",
        help_text="Why no tax is charged, as printed: Reverse charge.",
    )
    history = history()

    class Meta:
        constraints = [is_a_country()]

    def __str__(self) -> str:
        return f"Billing profile of {self.customer}"
