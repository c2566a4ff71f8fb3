"""Somebody who deals with Acme through the official SDK."""

from billing_site.foundation import tokens
from invoicing.services import finalize_due
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, sdk


class Desk:
    """Somebody who deals with Acme through the SDK."""

    def __init__(self, acme, clock_at):
        _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
        client = sdk(secret)
        self.client, self.v1, self.v2, self.acme = client, client.v1, client.v2, acme
        self.whose = {"customer_id": str(acme.customer.pk)}
        self.ids = self.whose | {"contract_id": str(acme.contract.pk)}
        self.product = str(FixedProductFactory().pk)
        clock_at("2025-10-10")

    def add(self, *segments, **more):
        """A commit of the contract, or a credit where it says no type; 100 over October to December."""
        given = {
            "product_id": self.product,
            "access_schedule": access(*(segments or [(100, OCTOBER, JANUARY)])),
            **more,
        }
        kind = "add_commits" if "type" in more else "add_credits"
        [added] = getattr(self.v2.contracts.edit(**self.ids, **{kind: [given]}).data.edit, kind)
        return added

    def share(self, *segments, **more):
        """A credit of the customer, or a commit where it says a type."""
        given = {"product_id": self.product, "priority": 1, "access_schedule": access(*segments), **self.whose, **more}
        return (self.v1.customers.commits if "type" in more else self.v1.customers.credits).create(**given).data.id

    def held(self, balance_id, **asked):
        [found] = self.v1.contracts.list_balances(
            **self.whose,
            id=balance_id,
            include_contract_balances=True,
            include_balance=True,
            include_ledgers=True,
            **asked,
        ).data
        return found

    def totals(self, **query):
        return [invoice.total for invoice in self.v1.customers.invoices.list(**self.whose, **query)]

    def finalized(self, until="2025-11-02"):
        finalize_due(self.acme.customer.pk, at=at(until), by=ADA)


def access(*segments):
    return {"schedule_items": [{"amount": a, "starting_at": s, "ending_before": e} for a, s, e in segments]}


def invoiced(*payments):
    return {"schedule_items": [{"amount": amount, "timestamp": date} for amount, date in payments]}


def ids_of(schedule):
    return [item.id for item in schedule.schedule_items]
