"""The version of a customer's page: it changes with whatever is shown, and stays otherwise."""

from decimal import Decimal as D

import pytest

from invoicing.portal import page_of
from invoicing.queries.account import account
from invoicing.queries.changes import version_of
from invoicing.services import finalize_due
from ledger.services.corrections import amend_event, void_event
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory, ProductFactory, RateFactory
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


def test_the_version_changes_with_whatever_is_shown_and_stays_otherwise(acme):
    when = at("2025-10-20T10:30")

    def version():
        return version_of(acme.customer.pk, at=when)

    seen = [version()]
    assert version() == seen[0]
    assert version_of(acme.customer.pk, at=at("2025-10-20T10:59:59")) == seen[0]
    assert version_of(acme.customer.pk, at=at("2025-10-20T11")) != seen[0]

    acme.calls("2025-10-07T00", 3, subject="globex")
    assert version() == seen[0]
    acme.calls("2025-10-07T00", 3)
    seen.append(version())
    acme.uses_tokens("2025-10-07T00", 0)  # an event of no quantity
    seen.append(version())
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, starting_at=NOVEMBER, price=D(3))
    seen.append(version())
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    seen.append(version())
    assert len(set(seen)) == 5

    before = version_of(acme.customer.pk, at=when, since=OCTOBER)  # for a page that shows what is billed already
    acme.calls("2025-10-08T00", 1)
    assert version_of(acme.customer.pk, at=when, since=OCTOBER) != before


@pytest.mark.parametrize("kind", ["COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM"])
def test_the_version_changes_with_an_event_of_every_kind_of_metric_and_with_its_correction(acme, kind):
    metric = MetricFactory(
        aggregation_type=kind,
        aggregation_key="" if kind == "COUNT" else "value",
        event_type_filter={"in_values": ["seen"]},
    )
    RateFactory(
        rate_card=acme.prices.card, product=ProductFactory(name="Seats", version__billable_metric=metric), price=D(5)
    )
    when = at("2025-10-20T10:30")

    def seen(transaction_id, value):
        post(
            event(
                transaction_id,
                event_type="seen",
                timestamp="2025-10-07T05:00:00Z",
                properties={"value": value},
            ),
            at=when,
        )
        return version_of(acme.customer.pk, at=when)

    told = {"subject": "acme", "reason": "Sent by mistake", "at": when, "by": ADA}
    found = [version_of(acme.customer.pk, at=when), seen("1", "7"), seen("2", "7")]
    amend_event("1", properties={"value": "8"}, **told)
    found.append(version_of(acme.customer.pk, at=when))
    void_event("2", **told)
    found.append(version_of(acme.customer.pk, at=when))
    assert len(set(found)) == len(found)


def test_a_page_with_a_level_changes_by_the_minute(acme):
    servers = MetricFactory(
        aggregation_type="WEIGHTED_SUM", aggregation_key="change", event_type_filter={"in_values": ["servers"]}
    )
    RateFactory(
        rate_card=acme.prices.card,
        product=ProductFactory(name="Servers", version__billable_metric=servers),
        price=D(60),
    )
    post(
        event(event_type="servers", timestamp="2025-10-20T10:00:00Z", properties={"change": "1"}),
        at=at("2025-10-20T10"),
    )
    versions = {version_of(acme.customer.pk, at=at(f"2025-10-20T10:{clock}")) for clock in ("30:00", "30:59", "31:00")}
    assert len(versions) == 2
    assert page_of(account(acme.customer.pk, at=at("2025-10-20T10:30"))).headlines[0].amount == "$0.30"
