"""What a document prints beside what it bills: who sells, who buys, when it is due."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import Period
from contracts.models import BillingProfile, Contract, Customer, LegalEntity
from contracts.queries import billing_profile, legal_entity, tax_codes, tax_rates
from invoicing.engine.taxes import DatedRate, FixedRates, NoTaxes, TaxPort, TaxRate

NO_TAXES = NoTaxes()
INVOICE, STATEMENT = "Invoice", "Usage statement"


SYSTEM_IDS = ("salesforce_opportunity_id", "netsuite_sales_order_id")  # what other systems call the deal


@dataclass(frozen=True, slots=True)
class Addressee:
    """A customer as its documents name it. `contracts` are what documents say of its contracts, by id."""

    customer: Customer
    contracts: Mapping[UUID, Mapping[str, Any]]
    entity: LegalEntity | None = None
    profile: BillingProfile | None = None
    tax_port: TaxPort = NO_TAXES

    def of_contract(self, contract_id: UUID) -> dict[str, Any]:
        """What of a contract is on its documents, besides its terms."""
        said = self.contracts.get(contract_id, {})
        ids = {name: said[name] for name in SYSTEM_IDS if said.get(name)}
        return {"contract_custom_fields": said.get("custom_fields", {}), **ids}

    @property
    def is_taxed(self) -> bool:
        return self.tax_port is not NO_TAXES

    def fields(self, *, issued_at: datetime, net_payment_terms_days: int | None) -> dict[str, Any]:
        """What of it is on a document, for its fields on the wire.

        A document is an invoice once somebody is there who sends it. The days are the contract's; where it does not
        say, they are those of the legal entity, and where nobody says, the document has no due date.
        """
        days = net_payment_terms_days
        if days is None and self.entity is not None:
            days = self.entity.net_payment_terms_days
        printed: dict[str, Any] = {"title": STATEMENT if self.entity is None else INVOICE, "bill_to": self._bill_to()}
        if self.entity is not None:
            printed["issuer"] = _issuer(self.entity)
        if days is not None:
            printed |= {"net_payment_terms_days": days, "due_at": issued_at + timedelta(days=days)}
        return printed

    def _bill_to(self) -> dict[str, Any]:
        profile = self.profile
        if profile is None:
            return {"name": self.customer.name}
        given = {
            "address": profile.address.splitlines(),
            "country": profile.country,
            "tax_id": profile.tax_id,
            "purchase_order": profile.purchase_order,
            "contacts": profile.contacts.splitlines(),
            "tax_exemption": profile.tax_exemption,
        }
        return {"name": profile.legal_name or self.customer.name, **_present(given)}


def _issuer(entity: LegalEntity) -> dict[str, Any]:
    given = {
        "country": entity.country,
        "tax_id": entity.tax_id,
        "email": entity.email,
        "remittance": entity.remittance.splitlines(),
    }
    return {"name": entity.name, "address": entity.address.splitlines(), **_present(given)}


def addressee(customer: Customer) -> Addressee:
    """Three queries; two more where taxes are charged."""
    entity, profile = legal_entity(), billing_profile(customer.pk)
    return Addressee(
        customer,
        {
            each["id"]: each
            for each in Contract.objects.filter(customer=customer).values("id", "custom_fields", *SYSTEM_IDS)
        },
        entity,
        profile,
        tax_port(entity, profile),
    )


def untaxed(to: Addressee) -> Addressee:
    """As for a document on which no tax is charged."""
    return replace(to, tax_port=NO_TAXES)


def tax_port(entity: LegalEntity | None, profile: BillingProfile | None) -> TaxPort:
    """Where the rates come from by which somebody is taxed."""
    if entity is None or entity.taxes == LegalEntity.Taxes.NONE or (profile is not None and profile.tax_exemption):
        return NO_TAXES
    rates = [
        DatedRate(
            TaxRate(rate.name, rate.percent, rate.tax_code), rate.country, Period(rate.starting_at, rate.ending_before)
        )
        for rate in tax_rates()
    ]
    return FixedRates("" if profile is None else profile.country, tax_codes(), rates)


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}
