"""The plainest valid rows of customers, contracts and terms. A test states everything that matters to it.

Reach into what comes along by its name: `ContractFactory(terms__ending_before=…)`,
`CommitFactory(segment__amount=…, invoice_item__issued_at=…)`, `ScheduledChargeFactory(item__amount=…)`.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory
from django.contrib.auth.models import User
from django.db.models import F
from factory.django import DjangoModelFactory

from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    ScheduledChargeInput,
    SegmentInput,
)
from contracts.models import (
    AccessSegment,
    BillingProfile,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    Customer,
    CustomerLogin,
    CustomerScheduleSegment,
    InvoiceScheduleItem,
    LegalEntity,
    Override,
    ProfessionalService,
    ScheduledCharge,
    ScheduledChargeItem,
    TaxRate,
)
from pricing.models import Product
from tests.factories.pricing import FixedProductFactory, RateCardFactory, ServiceProductFactory

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NEXT_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def next_edit_number(customer: Customer) -> int:
    Customer.objects.filter(pk=customer.pk).update(last_edit_number=F("last_edit_number") + 1)
    customer.refresh_from_db(fields=["last_edit_number"])
    return customer.last_edit_number


class EditFactory(DjangoModelFactory):
    """The next edit of its customer; of a contract where one is given."""

    class Meta:
        model = ContractEdit

    customer = factory.SubFactory("tests.factories.contracts.CustomerFactory")
    contract = None
    number = factory.LazyAttribute(lambda edit: next_edit_number(edit.customer))
    kind = factory.LazyAttribute(lambda edit: "EDIT" if edit.contract else "CLAIMS")
    created_at = NEW_YEAR
    created_by = "Ada"


class ClaimFactory(DjangoModelFactory):
    """The first claim of a subject: its whole history."""

    class Meta:
        model = Claim

    customer = factory.SubFactory("tests.factories.contracts.CustomerFactory")
    subject = "acme"
    sequence = 1
    edit = factory.SubFactory(EditFactory, customer=factory.SelfAttribute("..customer"))
    created_at = NEW_YEAR
    created_by = "Ada"


class CustomerFactory(DjangoModelFactory):
    """A customer that owns its id, and the aliases given: `CustomerFactory(aliases=["acme"])`."""

    class Meta:
        model = Customer
        skip_postgeneration_save = True

    name = "Acme"
    created_at = NEW_YEAR
    created_by = "Ada"
    updated_at = NEW_YEAR

    @factory.post_generation
    def aliases(customer, create: bool, aliases: list[str] | None, **_: object) -> None:  # noqa: N805
        edit = EditFactory(customer=customer)
        for subject in [str(customer.pk), *(aliases or [])]:
            ClaimFactory(customer=customer, subject=subject, edit=edit)


class UserFactory(DjangoModelFactory):
    """Somebody outside, who may sign in."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user{number}")
    password = factory.django.Password("x")


class CustomerLoginFactory(DjangoModelFactory):
    """Somebody of Acme's: `CustomerLoginFactory(user__username="dana")`."""

    class Meta:
        model = CustomerLogin

    customer = factory.SubFactory(CustomerFactory)
    user = factory.SubFactory(UserFactory)


class LegalEntityFactory(DjangoModelFactory):
    """Countinghouse itself sells, in Dublin, and charges no tax."""

    class Meta:
        model = LegalEntity

    name = "Countinghouse Ltd"
    address = "1 Abacus Row\nDublin 2"
    country = "IE"
    tax_id = "IE1234567T"
    email = "billing@countinghouse.example"
    remittance = "Bank of Ireland\nIBAN IE29 AIBK 9311 5212 3456 78"


class BillingProfileFactory(DjangoModelFactory):
    """Acme's purchasing department in Berlin."""

    class Meta:
        model = BillingProfile

    customer = factory.SubFactory(CustomerFactory)
    legal_name = "Acme GmbH"
    address = "Rechenstraße 12\n10115 Berlin"
    country = "DE"
    tax_id = "DE123456789"
    purchase_order = "PO-4711"
    contacts = "ap@acme.example"


class TaxRateFactory(DjangoModelFactory):
    """19 % for products without a code of their own and buyers of any country, since ever."""

    class Meta:
        model = TaxRate

    name = "VAT"
    percent = Decimal(19)
    starting_at = datetime(2020, 1, 1, tzinfo=UTC)


class CustomerScheduleSegmentFactory(DjangoModelFactory):
    """From 2025 on; of a contract where one is given."""

    class Meta:
        model = CustomerScheduleSegment

    customer = factory.SubFactory(CustomerFactory)
    contract = None
    schedule_name = "regions"
    starting_at = NEW_YEAR
    value = '{"eu": 1}'
    edit = factory.SubFactory(
        EditFactory,
        customer=factory.SelfAttribute("..customer"),
        contract=factory.SelfAttribute("..contract"),
        kind="NAMED_SCHEDULE",
    )


class ContractTermsFactory(DjangoModelFactory):
    """What a contract was created with; open-ended."""

    class Meta:
        model = ContractTerms

    contract = factory.SubFactory("tests.factories.contracts.ContractFactory", terms=None)
    customer = factory.SelfAttribute("contract.customer")
    added_by_edit = factory.SubFactory(
        EditFactory,
        customer=factory.SelfAttribute("..contract.customer"),
        contract=factory.SelfAttribute("..contract"),
        kind="CREATION",
    )
    created_at = factory.SelfAttribute("contract.created_at")


class ContractFactory(DjangoModelFactory):
    """A monthly contract from 2025 on, by the calendar month, on a rate card of its own, with its terms and edit."""

    class Meta:
        model = Contract
        skip_postgeneration_save = True

    customer = factory.SubFactory(CustomerFactory)
    starting_at = NEW_YEAR
    rate_card = factory.SubFactory(RateCardFactory)
    frequency = "MONTHLY"
    billing_anchor_at = factory.LazyAttribute(lambda contract: contract.starting_at.replace(day=1, hour=0))
    created_at = factory.SelfAttribute("starting_at")
    created_by = "Ada"
    terms = factory.RelatedFactory(ContractTermsFactory, factory_related_name="contract")


class _TermOfContract(DjangoModelFactory):
    class Meta:
        abstract = True

    contract = factory.SubFactory(ContractFactory)
    customer = factory.SelfAttribute("contract.customer")
    added_by_edit = factory.SubFactory(
        EditFactory,
        customer=factory.SelfAttribute("..contract.customer"),
        contract=factory.SelfAttribute("..contract"),
    )
    created_at = factory.SelfAttribute("added_by_edit.created_at")


class OverrideFactory(_TermOfContract):
    """Half price on everything, from 2025 on."""

    class Meta:
        model = Override

    starting_at = NEW_YEAR
    type = "MULTIPLIER"
    multiplier = factory.LazyAttribute(lambda override: Decimal("0.5") if override.type == "MULTIPLIER" else None)
    rate_type = factory.LazyAttribute(lambda override: "FLAT" if override.type == "OVERWRITE" else "")
    unit = factory.LazyAttribute(
        lambda override: override.contract.rate_card.fiat_unit if override.type == "OVERWRITE" else None
    )


class _PartOfCommit(DjangoModelFactory):
    class Meta:
        abstract = True

    commit = factory.SubFactory("tests.factories.contracts.CommitFactory", segment=None, invoice_item=None)
    customer = factory.SelfAttribute("commit.customer")
    added_by_edit = factory.SelfAttribute("commit.added_by_edit")
    created_at = factory.SelfAttribute("commit.created_at")


class AccessSegmentFactory(_PartOfCommit):
    """All of 2025."""

    class Meta:
        model = AccessSegment

    amount = Decimal(10_000_000)
    starting_at = NEW_YEAR
    ending_before = NEXT_YEAR


class InvoiceScheduleItemFactory(_PartOfCommit):
    """What the segment holds by default, on the first of 2026."""

    class Meta:
        model = InvoiceScheduleItem

    issued_at = NEXT_YEAR
    amount = Decimal(10_000_000)
    unit_price = factory.SelfAttribute("amount")
    quantity = Decimal(1)


class CommitFactory(_TermOfContract):
    """A postpaid commit of $100,000 in 2025, on everything, with a true-up on the first of 2026."""

    class Meta:
        model = Commit
        skip_postgeneration_save = True

    type = "POSTPAID"
    product = factory.SubFactory(FixedProductFactory)
    unit = factory.LazyAttribute(lambda commit: commit.contract.rate_card.fiat_unit)
    segment = factory.RelatedFactory(AccessSegmentFactory, factory_related_name="commit")
    invoice_item = factory.RelatedFactory(InvoiceScheduleItemFactory, factory_related_name="commit")


class ScheduledChargeItemFactory(DjangoModelFactory):
    class Meta:
        model = ScheduledChargeItem

    charge = factory.SubFactory("tests.factories.contracts.ScheduledChargeFactory", item=None)
    customer = factory.SelfAttribute("charge.customer")
    added_by_edit = factory.SelfAttribute("charge.added_by_edit")
    created_at = factory.SelfAttribute("charge.created_at")
    issued_at = NEW_YEAR
    amount = Decimal(1_000)
    unit_price = factory.SelfAttribute("amount")
    quantity = Decimal(1)


class ScheduledChargeFactory(_TermOfContract):
    """$10 on the first of 2025."""

    class Meta:
        model = ScheduledCharge
        skip_postgeneration_save = True

    product = factory.SubFactory(FixedProductFactory, name="Onboarding")
    unit = factory.LazyAttribute(lambda charge: charge.contract.rate_card.fiat_unit)
    item = factory.RelatedFactory(ScheduledChargeItemFactory, factory_related_name="charge")


class ProfessionalServiceFactory(_TermOfContract):
    """Ten days of $20, and no more than $250 of them."""

    class Meta:
        model = ProfessionalService

    product = factory.SubFactory(ServiceProductFactory)
    unit = factory.LazyAttribute(lambda service: service.contract.rate_card.fiat_unit)
    quantity = Decimal(10)
    unit_price = Decimal(2_000)
    max_amount = Decimal(25_000)


def commit_input(
    amount: Decimal = Decimal(500),
    start: datetime = OCTOBER,
    end: datetime = NEXT_YEAR,
    due: datetime = NEXT_YEAR,
    *,
    product: Product | None = None,
    invoiced: Decimal | None = None,
    **given: Any,
) -> CommitInput:
    """A postpaid commit as a service is told of it: $5 in the last quarter of 2025."""
    return CommitInput(
        **{
            "product_id": (product or FixedProductFactory()).pk,
            "type": "POSTPAID",
            "access_schedule": AccessScheduleInput((SegmentInput(amount, start, end),)),
            "invoice_schedule": InvoiceScheduleInput((InvoiceItemInput(due, amount=invoiced or amount),)),
            **given,
        }
    )


def prepaid_input(
    amount: Decimal = Decimal(500),
    start: datetime = OCTOBER,
    end: datetime = NEXT_YEAR,
    *payments: tuple[datetime, Decimal],
    **given: Any,
) -> CommitInput:
    """A prepaid commit as a service is told of it: $5 in the last quarter of 2025, complimentary unless paid for."""
    items = tuple(InvoiceItemInput(date, amount=paid) for date, paid in payments)
    schedule = InvoiceScheduleInput(items) if items else None
    return commit_input(amount, start, end, **{"type": "PREPAID", "invoice_schedule": schedule, **given})


def credit_input(amount: Decimal = Decimal(500), **given: Any) -> CommitInput:
    """A credit of $5 in the last quarter of 2025."""
    return prepaid_input(amount, **{"type": "CREDIT", **given})


def charge_input(*dates: datetime, amount: Decimal = Decimal(10)) -> ScheduledChargeInput:
    """A scheduled charge as a service is told of it: ten cents on each date."""
    return ScheduledChargeInput(
        FixedProductFactory().pk,
        InvoiceScheduleInput(tuple(InvoiceItemInput(date, amount=amount) for date in dates)),
    )
