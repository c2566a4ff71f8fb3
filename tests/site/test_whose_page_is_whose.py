"""The pages of customers, asked for by everybody, of one's own customer, of another and of none."""

import pytest

from billing_site import roles
from billing_site.policies import PAGES, ROUTES, page_named
from billing_site.policies.others import FOR_EVERYBODY, OF_CUSTOMERS, REFERENCE, SIGNED, STAFF_SEE_CUSTOMERS
from billing_site.roles import Role
from tests.site.addresses import MISSING, Address, Ids, addresses
from tests.site.callers import EVERYBODY, STAFF, client_of
from tests.site.house import House, plain

pytestmark = pytest.mark.django_db

MADE_BY_POST = {"portal_revoke_token"}
OF_WHOEVER_ASKS = {"portal"}  # leads on to one's own
NOT_FOR_STAFF = {"portal_tokens"}  # whoever looks on makes no token in a customer's name


@pytest.fixture
def house(settings):
    settings.SANDBOX = True
    return House(plain).build()


def of_customers() -> list[Address]:
    found = [each for each in addresses() if each.pattern.startswith(OF_CUSTOMERS)]
    return [each for each in found if each.name not in MADE_BY_POST | OF_WHOEVER_ASKS]


def test_every_address_is_in_a_table():
    routes = {pattern for _, pattern in ROUTES}
    unknown = []
    for each in addresses():
        leads_on = each.name is None and each.pattern.startswith("admin/")  # to a page that has a name, or to none
        not_served = each.pattern.startswith("^v")
        told = each.pattern in routes or each.pattern in FOR_EVERYBODY + REFERENCE or leads_on or not_served
        if not told and not each.pattern.startswith((OF_CUSTOMERS, SIGNED)) and page_named(each.name or "") is None:
            unknown.append(each.pattern)
    assert unknown == []
    assert [name for name in PAGES if name not in {each.name for each in addresses()}] == []


def test_every_page_of_a_customer_answers_everybody_as_declared(house):
    for who in EVERYBODY:
        client = client_of(who, house)
        held = roles.permissions_of(Role(who)) if who in STAFF else set()
        sees_all = who == "superuser" or held.issuperset(STAFF_SEE_CUSTOMERS)
        for page in of_customers():
            statuses = []
            for customer, document in (
                (house.customer, house.invoice.pk),
                (house.other, house.other_invoice.pk),
                (MISSING, MISSING),
            ):
                ids = Ids(house)
                ids.of_house |= {"customer_id": customer, "invoice_id": document}
                statuses.append(client.get(ids.path(page)).status_code)
            seen = 200 if sees_all and page.name not in NOT_FOR_STAFF else 404
            wanted = {"nobody": [302] * 3, "customer": [200, 404, 404]}.get(who, [seen, seen, 404])
            assert (who, page.name, statuses) == (who, page.name, wanted)
