"""No page offers what its reader may not do: no link, and no form, leads to a refusal."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from billing_site import roles
from billing_site.policies import NOBODY, PAGES, page_named
from billing_site.policies.others import STAFF_SEE_CUSTOMERS
from billing_site.roles import Role
from tests.site.addresses import Ids, addresses
from tests.site.callers import client_of
from tests.site.house import House, plain

pytestmark = pytest.mark.django_db

# What people open most, beside the pages that have an entry of their own.
MODELS = (
    "contracts_customer contracts_contract contracts_package pricing_ratecard pricing_product pricing_billablemetric "
    "pricing_rate invoicing_invoice invoicing_note invoicing_alert contracts_billingprofile contracts_taxrate "
    "foundation_apitoken foundation_job ledger_ingestcall ledger_sourceauthority"
)
LOOKED_AT = {*PAGES, *(f"{model}_{page}" for model in MODELS.split() for page in ("changelist", "change"))}


class Offers(HTMLParser):
    """Addresses that a page links to, and that its forms send to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: set[tuple[str, str]] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        method = "POST" if tag == "form" and (given.get("method") or "").lower() == "post" else "GET"
        for name in ("href", "hx-get", "action"):
            if tag in ("a", "form", "div", "p", "button") and (found := given.get(name)):
                self.links.add((method, found))


def refused(link: str, method: str, held: frozenset[str]) -> bool:
    try:
        found = resolve(urlsplit(link).path)
    except Resolver404:
        return False
    if found.route.startswith("portal/<"):
        return not held.issuperset(STAFF_SEE_CUSTOMERS)
    page = page_named(found.url_name or "")
    asked: Any = page.asked(method) if page else ()
    return asked == NOBODY or not held.issuperset(asked)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.APPROVER, Role.FINANCE, Role.OPERATOR])
def test_no_link_leads_to_a_refusal(settings, role):
    settings.SANDBOX = True
    house = House(plain).build()
    client, ids, held = client_of(str(role), house), Ids(house), roles.permissions_of(role)
    dead, looked_at = set(), 0
    for page in addresses():
        if (
            page.name not in LOOKED_AT
            or page.name in ("logout", "view_on_site")
            or not page.pattern.startswith("admin")
        ):
            continue
        answer = client.get(ids.path(page))
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        looked_at += 1
        links = Offers(answer.content.decode()).links
        dead |= {(page.name, method, link) for method, link in links if link[0] == "/" and refused(link, method, held)}
    assert sorted(dead) == [], "\n".join(map(str, sorted(dead)))
    assert looked_at > 10
