"""The events behind each line: whatever is measured and however it is priced, their parts add up to the line."""

import random
from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation import tokens
from billing_site.foundation.money import exact_sum
from invoicing.queries.behind import events_behind
from invoicing.queries.documents import document, drafts_of
from invoicing.services import finalize_due
from ledger.services.corrections import amend_event, void_event
from ledger.services.retention import drop_month
from tests.factories.contracts import AccessSegmentFactory, CommitFactory, CustomerFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import (
    CompositeProductFactory,
    CompositeRateFactory,
    MetricFactory,
    ProductFactory,
    RateCardFactory,
    RateFactory,
)
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, PriceList, at, contract_for, sdk

pytestmark = pytest.mark.django_db

NOW = at("2025-10-31T23")
GRACE_IS_OVER = at("2025-11-02")
LATE = at("2025-11-06")
TIERS = [{"price": "10", "size": "100"}, {"price": "8"}]


def behind(customer, document_id, place, *, at=NOW, limit=2):
    """All events behind a line, page by page."""
    found, after = [], None
    while True:
        page = events_behind(customer.pk, document_id, place, at=at, limit=limit, after=after)
        found += page.events
        after = page.last
        if after is None:
            return page, found


def told(customer, shown, *, at=NOW):
    """Each line of usage that something was metered for: name, quantity metered, and the events with their parts."""
    rows = []
    for place, line in enumerate(shown.lines):
        if line.parts and any(part.metric_id for part in line.parts):
            page, events = behind(customer, shown.id, place, at=at)
            assert exact_sum([each.quantity for each in events]) == page.metric_quantity
            assert page.metric_quantity == exact_sum([part.metric_quantity for part in line.parts])
            rows.append(
                (line.name, page.metric_quantity, [(each.event.transaction_id, each.quantity) for each in events])
            )
    return rows


def october(acme):
    (shown,) = (each for each in drafts_of(acme.customer.pk, at=NOW) if each.period)
    return shown


def calls(name, hour, **properties):
    post(event(name, customer_id="acme", timestamp=f"{hour}:30:00Z", properties=properties), at=NOW)


def of(metric, price=10, **rate):
    """A customer that is billed by one metric."""
    product, card = ProductFactory(name="Seen", version__billable_metric=metric), RateCardFactory()
    RateFactory(rate_card=card, product=product, price=price, **rate)
    customer = CustomerFactory(aliases=["acme"])
    contract_for(customer, PriceList(card, product, product, metric, metric))
    return customer


def seen(name, when, received=NOW, **properties):
    post(
        event(name, customer_id="acme", event_type="seen", timestamp=when, properties=properties),
        at=received,
    )


def test_each_call_is_listed_once_in_order_of_time(acme):
    for name, hour in (("c", "2025-10-20T05"), ("a", "2025-10-03T05"), ("b", "2025-10-03T05")):
        calls(name, hour)
    assert told(acme.customer, october(acme)) == [("API calls", D(3), [("a", D(1)), ("b", D(1)), ("c", D(1))])]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("aggregation", "parts", "late"),
    [
        ("COUNT", [("a", 1), ("b", 1), ("c", 1), ("d", 1)], {"late": 1}),
        ("SUM", [("a", 3), ("b", 7), ("c", 7), ("d", "2.5")], {"late": 9}),
        ("MAX", [("a", 3), ("b", 4)], {"late": 6, "b": -4}),
        ("UNIQUE", [("a", 1), ("b", 1), ("d", 1)], {"late": 1}),
        ("LATEST", [("d", "2.5")], {}),
        # hours up to November: 690 5/6 of the 3, 640 and 618 of a 7, 279 of the 2.5, 667 of the 9 that comes late
        ("WEIGHTED_SUM", [("a", "2072.5"), ("b", 4480), ("c", 4326), ("d", "697.5")], {"late": 9 * 667}),
    ],
)
def test_whatever_is_measured(aggregation, parts, late):
    metric = MetricFactory(
        name=aggregation,
        aggregation_type=aggregation,
        aggregation_key="" if aggregation == "COUNT" else "value",
        event_type_filter={"in_values": ["seen"]},
    )
    customer = of(metric)
    for name, when, value in (
        ("a", "2025-10-03T05:10:00Z", 3),
        ("b", "2025-10-05T08:00:00Z", 7),
        ("c", "2025-10-06T06:00:00Z", 7),
        ("d", "2025-10-20T09:00:00Z", D("2.5")),
    ):
        seen(name, when, value=str(value))
    [final] = finalize_due(customer.pk, at=GRACE_IS_OVER, by=ADA).finalized
    seen("late", "2025-10-04T05:00:00Z", received=at("2025-11-05"), value="9")
    shown = document(customer.pk, final.pk, at=GRACE_IS_OVER)
    [(_, total, found)] = told(customer, shown, at=LATE)
    assert found == [(name, D(part)) for name, part in parts]
    assert total == shown.lines[0].quantity
    adjusted = [
        row for draft in drafts_of(customer.pk, at=LATE) for row in told(customer, draft, at=LATE) if "adjust" in row[0]
    ]
    assert [(total, events) for _, total, events in adjusted] == (
        [(sum(late.values()), [*late.items()])] if late else []
    )


def test_an_event_that_crosses_a_tier_is_on_both_lines(acme):
    RateFactory(
        rate_card=acme.prices.card,
        product=acme.prices.tokens,
        pricing_group_values={"model": "tiered"},
        price=None,
        rate_type="TIERED",
        tiers=TIERS,
    )
    acme.uses_tokens("2025-10-10T05", 90, model="tiered")
    acme.uses_tokens("2025-10-20T05", 40, model="tiered")
    acme.uses_tokens("2025-10-20T05", 7, model="small")
    rows = told(acme.customer, october(acme))
    assert [(name, total, [part for _, part in events]) for name, total, events in rows] == [
        ("Tokens (model: small)", 7, [7]),
        ("Tokens (model: tiered)", 100, [90, 10]),
        ("Tokens (model: tiered)", 30, [30]),
    ]


def test_who_pays_parts_the_events_too_and_a_composite_has_those_of_what_it_is_on(acme):
    held = CommitFactory(contract=acme.contract, segment=None, invoice_item=None, type="CREDIT")
    AccessSegmentFactory(commit=held, amount=D(5), starting_at=OCTOBER, ending_before=NOVEMBER)
    support = CompositeProductFactory(name="Support", version__composite_product_ids=[str(acme.prices.calls.pk)])
    CompositeRateFactory(rate_card=acme.prices.card, product=support)
    for name in "abcd":
        calls(name, "2025-10-03T05")
    shown = october(acme)
    rows = told(acme.customer, shown)
    assert rows == [
        ("API calls", D("2.5"), [("a", 1), ("b", 1), ("c", D("0.5"))]),
        ("API calls", D("1.5"), [("c", D("0.5")), ("d", 1)]),
    ]
    places = [place for place, line in enumerate(shown.lines) if line.name in ("Support", held.name)]
    assert [behind(acme.customer, shown.id, place)[1] for place in places] == [[]] * len(places)


def test_what_was_taken_back_goes_back_on_the_counter(acme):
    acme.uses_tokens("2025-10-03T05", 10)
    acme.uses_tokens("2025-10-05T05", -4)
    acme.uses_tokens("2025-10-06T05", 1)
    [(_, total, events)] = told(acme.customer, october(acme))
    assert (total, [part for _, part in events]) == (D(7), [D(10), D(-4), D(1)])


@pytest.mark.django_db(transaction=True)
def test_a_late_event_a_voided_one_and_an_amended_one_are_behind_the_line_that_adjusts(acme):
    for name in ("stays", "voided", "amended"):
        calls(name, "2025-10-03T05")
    [final] = finalize_due(acme.customer.pk, at=GRACE_IS_OVER, by=ADA).finalized
    late = at("2025-11-05")
    post(
        event("late", customer_id="acme", timestamp="2025-10-07T05:30:00Z", properties={}),
        event("later", customer_id="acme", timestamp="2025-10-08T05:30:00Z", properties={}),
        event("november", customer_id="acme", timestamp="2025-11-03T05:30:00Z", properties={}),
        at=late,
    )
    void_event("voided", reason="Sent by mistake", at=late, by=ADA)
    amend_event("amended", timestamp="2025-10-09T05:30:00Z", reason="Another day", at=late, by=ADA)
    assert told(acme.customer, document(acme.customer.pk, final.pk, at=late), at=late) == [
        ("API calls", 3, [("amended", 1), ("stays", 1), ("voided", 1)])
    ]
    (draft,) = (each for each in drafts_of(acme.customer.pk, at=late) if each.period.starting_at == NOVEMBER)
    rows = told(acme.customer, draft, at=late)
    assert rows[0] == ("API calls", 1, [("november", 1)])
    moved = [("amended", -1), ("voided", -1), ("late", 1), ("later", 1), ("amended", 1)]
    assert [(total, events) for _, total, events in rows[1:]] == [(D(1), moved)]
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    post(event("too late", customer_id="acme", timestamp="2025-10-07T06:30:00Z", properties={}), at=at("2025-12-03"))
    assert told(acme.customer, document(acme.customer.pk, draft.id, at=late), at=at("2025-12-03")) == rows


@pytest.mark.django_db(transaction=True)
def test_of_dropped_bodies_the_months_are_named(acme):
    calls("a", "2025-10-03T05")
    [final] = finalize_due(acme.customer.pk, at=GRACE_IS_OVER, by=ADA).finalized
    drop_month(OCTOBER.date(), at=at("2026-05-01"), by=ADA)
    page, events = behind(acme.customer, final.pk, 0, at=at("2026-05-01"))
    assert (page.metric_quantity, events, [str(each) for each in page.dropped]) == (D(1), [], ["2025-10-01"])


def client(acme, **bound):
    return sdk(tokens.create_token("Portal", scope="read", at=OCTOBER, by=ADA, **bound)[1])


def test_by_the_api_page_by_page_for_the_customer_alone(acme, clock_at):
    clock_at("2025-10-31T23")
    for name in "abc":
        calls(name, "2025-10-03T05", region="eu")
    url = f"/v1/customers/{acme.customer.pk}/invoices/{october(acme).id}/explain/events"
    bound = client(acme, customer_id=acme.customer.pk)

    def page(**query):
        return bound.get(url, cast_to=object, options={"params": {"line_item": 0, "limit": 2, **query}})

    first = page()
    assert first["data"][0] == {
        "subject": "acme",
        "transaction_id": "a",
        "event_type": "api_call",
        "timestamp": "2025-10-03T05:30:00+00:00",
        "received_at": "2025-10-31T23:00:00+00:00",
        "properties": {"region": "eu"},
        "correction": 0,
        "quantity": 1,
        "metric_quantity": 1,
    }
    assert (first["metric_quantity"], first["dropped_months"]) == (3, [])
    second = page(next_page=first["next_page"])
    assert ([each["transaction_id"] for each in second["data"]], second["next_page"]) == (["c"], None)
    for wrong, rule in (({"line_item": 9}, "from 0 to"), ({"next_page": "WzFd"}, "cursor"), ({"limit": 0}, "limit")):
        with pytest.raises(metronome.BadRequestError, match=rule):
            page(**wrong)
    with pytest.raises(metronome.NotFoundError):
        client(acme, customer_id=CustomerFactory(name="Globex").pk).get(f"{url}?line_item=0", cast_to=object)


@pytest.mark.parametrize("seed", range(4))
def test_of_random_usage_the_events_of_every_line_add_up_to_it(acme, seed):
    """In tiers, in two stretches of time with prices of their own, paid in part, and some of it taken back."""
    chance = random.Random(seed)
    for start, tiers in ((OCTOBER, TIERS), (at("2025-10-16"), [{"price": "20", "size": "50"}, {"price": "5"}])):
        RateFactory(
            rate_card=acme.prices.card,
            product=acme.prices.tokens,
            pricing_group_values={"model": "tiered"},
            price=None,
            rate_type="TIERED",
            tiers=tiers,
            starting_at=start,
        )
    held = CommitFactory(contract=acme.contract, segment=None, invoice_item=None, type="CREDIT")
    AccessSegmentFactory(commit=held, amount=D(700), starting_at=OCTOBER, ending_before=NOVEMBER)
    used = D(0)
    for _ in range(14):
        hour = f"2025-10-{chance.randrange(1, 28):02}T{chance.randrange(24):02}"
        quantity = D(chance.randrange(1, 400)) / 10
        acme.uses_tokens(hour, quantity, model="tiered")
        used += quantity
        if chance.random() < 0.3:  # some of it comes back a little later
            back = quantity / 4
            acme.uses_tokens(f"2025-10-{chance.randrange(28, 31)}T05", -back, model="tiered")
            used -= back
    rows = told(acme.customer, october(acme))
    assert len(rows) > 2
    assert exact_sum([total for _, total, _ in rows]) == used
