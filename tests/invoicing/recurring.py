"""What recurs, as it is sent and read with the official client. A unit costs 1 cent."""

from billing_site.foundation import tokens
from pricing.units import USD_ID
from tests.invoicing.conftest import ADA, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, shown

FEBRUARY = at("2026-02-01")


def allowance_shop(clock_at) -> Shop:
    clock_at("2025-10-01")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.prices(*shop.price("units", "FLAT 1"))
    shop.fixed = shop.v1.contracts.products.create(name="Allowance", type="FIXED").data.id
    shop.whose = {"customer_id": str(shop.customer.pk)}
    return shop


def monthly(shop, amount=310, start=OCTOBER, **terms):
    return {
        "product_id": shop.fixed,
        "name": "Monthly",
        "priority": 1,
        "starting_at": start,
        "access_amount": {"unit_price": amount, "quantity": 1},
        "commit_duration": {"value": 1},
    } | terms


def paid(unit_price, quantity=1):
    return {"unit_price": unit_price, "quantity": quantity, "credit_type_id": str(USD_ID)}


def agreed(shop, **terms):
    return shop.contract(ending_before=FEBRUARY, **terms)


def edited(shop, contract_id, **edit):
    return shop.v2.contracts.edit(contract_id=contract_id, **shop.whose, **edit).data.edit


def read(shop, contract_id):
    asked = {"include_balance": True, "include_ledgers": True}
    return shop.v2.contracts.retrieve(contract_id=contract_id, **shop.whose, **asked).data


def held(shop, **query):
    asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True} | query
    return list(shop.v1.contracts.list_balances(**shop.whose, **asked))


def windows(found):
    """From, until, amount, what is left."""
    return [
        (f"{item.starting_at:%-d %b}", f"{item.ending_before:%-d %b}", shown(item.amount), shown(each.balance))
        for each in found
        for item in each.access_schedule.schedule_items
    ]


def ledger(each):
    return [(entry.type.lower(), shown(entry.amount), f"{entry.timestamp:%-d %b}") for entry in each.ledger]


def invoices(shop, **query):
    found = shop.v1.customers.invoices.list(**shop.whose, **query)
    return sorted((f"{each.issued_at:%-d %b}", shown(each.total), each.status) for each in found)
