"""Every route of the API, called with every token and by every session: the answer is the one declared for it."""

from typing import Any

import pytest
from django.test import Client

from billing_site import roles
from billing_site.foundation import tokens
from billing_site.policies.api import ROUTES, STAFF_READS, Route
from billing_site.roles import Role
from tests.invoicing.conftest import at
from tests.site.addresses import MISSING, Address, addresses
from tests.site.callers import EVERYBODY, STAFF, client_of, noted, undone
from tests.site.house import ADA, OCTOBER, House, plain

pytestmark = pytest.mark.django_db

TOKENS = ["admin", "ingest", "read", "read of one customer", "revoked"]
GRANTED = {
    "admin": {"admin", "ingest", "read"},
    "ingest": {"ingest"},
    "read": {"read"},
    "read of one customer": {"read"},
}
READ_BY_BODY = {  # what these ask for beside the customer
    "v1/contracts/getContractRateSchedule": {"at": OCTOBER},
    "v1/usage": {"starting_on": OCTOBER, "ending_before": "2025-10-02T00:00:00Z", "window_size": "NONE"},
    "v1/usage/groups": {
        "starting_on": OCTOBER,
        "ending_before": "2025-10-02T00:00:00Z",
        "window_size": "NONE",
        "group_by": {"key": "model"},
    },
    "v1/dashboards/getEmbeddableUrl": {"dashboard": "invoices"},
}
NAME_NO_CUSTOMER = {"v1/customers", "v1/events/search"}


@pytest.fixture
def house(settings):
    settings.SANDBOX = True
    return House(plain).build()


def caller(who: str, house: House) -> Client:
    if who not in TOKENS:
        return client_of(who, house)
    bound_to = house.customer if who == "read of one customer" else None
    scope = {"read of one customer": "read", "revoked": "admin"}.get(who, who)
    token, secret = tokens.create_token(who, scope=scope, customer_id=bound_to, at=at(OCTOBER), by=ADA)
    if who == "revoked":
        tokens.revoke_token(token, at=at(OCTOBER), by=ADA)
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


def served() -> list[tuple[str, Address]]:
    """Method and address of each route that is served."""
    found = [each for each in addresses() if each.pattern.startswith(("v1/", "v2/"))]
    verbs = ("get", "post", "put", "patch", "delete")
    return [(verb.upper(), each) for each in found for verb in verbs if hasattr(each.view.view_class, verb)]


def path_of(address: Address, house: House, customer: Any) -> str:
    """With a customer in it, and a document of that one."""
    documents = {house.customer: house.invoice.pk, house.other: house.other_invoice.pk}
    known = {
        "customer_id": customer,
        "invoice_id": documents.get(customer, MISSING),
        "billable_metric_id": house.metric,
    }
    path = f"/{address.pattern}"
    for kind in ("str", "uuid"):
        for name in address.arguments:
            path = path.replace(f"<{kind}:{name}>", str(known.get(name, MISSING)))
    return path


def body_of(address: Address, house: House, customer: Any) -> dict[str, Any]:
    contracts = {house.customer: house.contract, house.other: house.foreign}
    return {
        "customer_id": str(customer),
        "customer_ids": [str(customer)],
        "contract_id": str(contracts.get(customer, MISSING)),
        "subscription_id": str(house.subscription),
        "alert_id": str(house.alert),
        "billable_metric_id": house.metric,
        **READ_BY_BODY.get(address.pattern, {}),
    }


def declared(route: Route, address: Address, who: str) -> str:
    if who in ("customer", "nobody", "revoked"):
        return "unknown"
    if who in TOKENS:
        may = route.scope in GRANTED[who] and (route.is_for_bound_tokens or who != "read of one customer")
    else:
        room = address.view.view_class.__module__.partition(".")[0]
        held = roles.permissions_of(Role(who)) if who in STAFF else set()
        may = who == "superuser" or (route.scope == "read" and STAFF_READS[room] in held)
    return "let in" if may else "refused"


def test_every_route_has_a_policy():
    assert {(method, address.pattern) for method, address in served()} == set(ROUTES)


def test_every_route_answers_everybody_as_declared(house):
    differences = []
    for who in [*TOKENS, *EVERYBODY]:
        client = caller(who, house)
        for method, address in served():
            path, wanted = (
                path_of(address, house, house.customer),
                declared(ROUTES[method, address.pattern], address, who),
            )
            with undone(), noted() as written:
                answer = client.generic(method, path, "{}", content_type="application/json")
            found = {401: "unknown", 403: "refused"}.get(answer.status_code, "let in")
            if found != wanted or answer.status_code >= 500:
                differences.append((who, method, address.pattern, wanted, answer.status_code))
            if written and found != "let in":
                differences.append((who, method, address.pattern, "writes", written))
    assert differences == [], "\n".join(map(str, differences))


def test_a_token_of_one_customer_sees_that_one_and_another_is_as_one_that_is_not_there(house):
    """Own things are answered as to a token that reads everything; other customers' are not told from missing ones."""
    clients = {who: caller(who, house) for who in ("read", "read of one customer")}

    def ask(who, method, address, customer):
        path, body = path_of(address, house, customer), body_of(address, house, customer)
        sent = {} if method == "GET" else {"data": body, "content_type": "application/json"}
        with undone():
            answer = getattr(clients[who], method.lower())(path, **sent)
        return answer.status_code, answer.content.decode("latin-1").replace(str(customer), "IT")

    seen = {}
    for method, address in served():
        if not ROUTES[method, address.pattern].is_for_bound_tokens or address.pattern in NAME_NO_CUSTOMER:
            continue
        everything, own = (ask(who, method, address, house.customer) for who in clients)
        other, missing = (ask("read of one customer", method, address, one) for one in (house.other, MISSING))
        seen[address.pattern] = (everything[0], own[0], other[0], missing[0])
        assert "Globex" not in other[1]
    asking_more = ("/breakdowns", "/explain/events")  # in the query, and after they have looked whose it is
    for pattern, statuses in seen.items():
        wanted = (400, 400, 404, 404) if pattern.endswith(asking_more) else (200, 200, 404, 404)
        assert (pattern, statuses) == (pattern, wanted)


def test_what_names_no_customer_gives_a_token_of_one_that_one_alone(house):
    client = caller("read of one customer", house)
    assert [row["id"] for row in client.get("/v1/customers").json()["data"]] == [house.customer]
    sent = {"transactionIds": ["one", "globex", "third"]}
    found = client.post("/v1/events/search", sent, content_type="application/json").json()
    assert [event["transaction_id"] for event in found] == ["one"]
