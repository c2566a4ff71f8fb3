"""What the documents of a customer said with what was known at an instant of the past, by the official client.

Acme makes 100 calls on 3 October and 100 on 20 October, at 2 cents each, and 50 on 5 November:

    October                                   known on the 18th    known on the 20th    known on the 25th
    1-14 October                   100 × 2          200                  200                  200
    15-31 October   published on the 20th           200                  500 (100 × 5)        250
    half off from the 15th, agreed on the 25th
    total                                           400                  700                  450
"""

from datetime import UTC, datetime
from decimal import Decimal as D

import metronome
import pytest

from invoicing.queries.compute import computation
from invoicing.services import finalize_due
from tests.factories.contracts import EditFactory, OverrideFactory
from tests.factories.pricing import PublicationFactory, RateFactory
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at, commit_of

pytestmark = pytest.mark.django_db

MIDDLE = at("2025-10-15")


@pytest.fixture
def story(acme, clock_at):
    commit_of(acme, D(10_000))
    acme.calls("2025-10-03T07", 100)
    acme.calls("2025-10-20T07", 100)
    acme.calls("2025-11-05T07", 50)
    RateFactory(
        rate_card=acme.prices.card,
        product=acme.prices.calls,
        starting_at=MIDDLE,
        price=D(5),
        publication=PublicationFactory(published_at=datetime(2025, 10, 20, 12, 30, tzinfo=UTC)),
    )
    edit = EditFactory(customer=acme.customer, contract=acme.contract, created_at=at("2025-10-25"))
    OverrideFactory(contract=acme.contract, added_by_edit=edit, starting_at=MIDDLE)
    clock_at("2025-11-20")
    return acme


@pytest.fixture
def ask(client, story):
    """A call of the invoices of Acme, with what was known at an instant."""

    def ask(verb, as_of=None, **given):
        more = {"extra_query": {"as_of": as_of}} if as_of else {}
        return getattr(client.v1.customers.invoices, verb)(customer_id=str(story.customer.pk), **given, **more)

    return ask


TOTALS = [
    pytest.param("2025-10-18", [400, 100], id="before the price was published"),
    pytest.param("2025-10-20T12:29:59Z", [400, 100], id="a second before it was"),
    pytest.param("2025-10-20T12:30:00Z", [700, 250], id="as it was published"),
    pytest.param("2025-10-25", [450, 125], id="as the override was agreed"),
    pytest.param(None, [450, 125], id="now"),
    pytest.param("2024-12-31", [], id="before anything was agreed"),
]


@pytest.mark.parametrize(("as_of", "totals"), TOTALS)
def test_drafts_as_they_were_known(ask, as_of, totals):
    drafts = list(ask("list", as_of, type="USAGE"))
    assert [draft.total for draft in drafts] == totals
    for draft in drafts:
        assert ask("retrieve", as_of, invoice_id=draft.id).data == draft
    if totals:
        pieces = ask("list_breakdowns", as_of, starting_on=OCTOBER, ending_before=NOVEMBER, window_size="DAY")
        assert sum(piece.total for piece in pieces) == totals[0]


def test_a_document_that_became_final_later_was_a_draft(ask, story):
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)

    def october(as_of):
        found = list(ask("list", as_of, type="USAGE", ending_before=NOVEMBER))
        assert [ask("retrieve", as_of, invoice_id=one.id).data for one in found] == found
        return [(one.status, one.total) for one in found]

    assert october("2025-10-18") == [("DRAFT", 400)]
    assert october("2025-11-01T23:59:59Z") == [("DRAFT", 450)]
    assert october("2025-11-02") == october(None) == [("FINALIZED", 450)]
    assert [one.type for one in ask("list", "2025-10-18", status="DRAFT")] == ["USAGE", "USAGE", "SCHEDULED"]
    assert list(ask("list", "2025-10-18", status="FINALIZED")) == []
    [piece] = ask("list_breakdowns", "2025-10-18", starting_on=at("2025-10-20"), ending_before=at("2025-10-21"))
    assert (piece.status, piece.total) == ("DRAFT", 200)


def test_what_a_document_posted_later_was_still_to_be_posted(client, story):
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)
    drawn = {
        as_of: computation(story.customer.pk, at=at("2025-11-20"), as_of=as_of and at(as_of)).inputs.posted.drawn
        for as_of in ("2025-11-01", "2025-11-02", None)
    }
    assert [sum(each.values()) for each in drawn.values()] == [0, 450, 450]
    ids = {"customer_id": str(story.customer.pk), "contract_id": str(story.contract.pk)}
    for as_of, used in ((at("2025-10-18"), 200), (at("2025-11-02"), 450), (at("2999-01-01"), 575)):
        shown = client.v2.contracts.retrieve(**ids, as_of_date=as_of, include_balance=True).data
        assert shown.commits[0].balance == 10_000 - used


def test_balances_as_they_were_known(client, story):
    finalize_due(story.customer.pk, at=at("2025-11-02"), by=ADA)
    held = client.v1.contracts

    def known(as_of):
        more = {"customer_id": str(story.customer.pk), "extra_body": {"as_of": as_of}}
        left = held.get_net_balance(**more).data.balance
        page = held.list_balances(**more, include_contract_balances=True, include_balance=True)
        assert [each.balance for each in page] == ([left] if left else [])
        return left

    assert known("2024-12-31") == 0  # before it was agreed
    assert known("2025-10-03T06:59:59Z") == 10_000  # nothing had been used
    assert known("2025-10-03T07:00:00Z") == known("2025-10-18") == 10_000 - 200  # the later price was not known
    assert known("2025-10-20T07") == 10_000 - 400  # nor was it in the hour of the second 100 calls
    assert known("2025-10-21") == 10_000 - 700
    assert known("2025-10-25") == known("2025-11-02") == known("2025-11-05T06:59:59Z") == 10_000 - 450
    assert known("2025-11-05T08") == known(None) == 10_000 - 575
    with pytest.raises(metronome.BadRequestError, match="as_of: must not be later than now"):
        known("2999-01-01")


def test_an_explanation_says_what_was_known(client, ask, story):
    [october, _] = ask("list", "2025-10-18", type="USAGE")
    path = f"/v1/customers/{story.customer.pk}/invoices/{october.id}/explain"
    then, now = (client.get(path + query, cast_to=object)["data"] for query in ("?as_of=2025-10-18", ""))
    assert [(line["quantity"], line["unit_price"]) for line in then["line_items"][::2]] == [(200, 2)]
    assert [(line["quantity"], line["unit_price"]) for line in now["line_items"][::2]] == [(100, 2), (100, 2.5)]


def test_the_prices_of_a_contract_as_they_were_known(client, story):
    def prices(as_of, day="2025-10-20"):
        rows = client.v1.contracts.retrieve_rate_schedule(
            customer_id=str(story.customer.pk),
            contract_id=str(story.contract.pk),
            at=at(day),
            selectors=[{"product_id": str(story.prices.calls.pk)}],
            extra_body={"as_of": as_of},
        ).data
        return [(row.list_rate.price, row.override_rate and row.override_rate.price) for row in rows]

    assert prices("2025-10-18") == [(2, None)]
    assert prices("2025-10-21") == [(5, None)]
    assert prices("2025-10-25") == prices(None) == [(5, 2.5)]
    assert prices("2025-10-25", day="2025-10-10") == [(2, None)]
    with pytest.raises(metronome.NotFoundError, match="contract"):
        prices("2024-12-31")
    with pytest.raises(metronome.BadRequestError, match="as_of: must not be later than now"):
        prices("2025-11-20T00:00:01Z")


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("list", {}),
        ("list", {"status": "FINALIZED"}),
        ("retrieve", {"invoice_id": "00000000-0000-0000-0000-000000000001"}),
        ("list_breakdowns", {"starting_on": OCTOBER, "ending_before": NOVEMBER}),
    ],
)
def test_the_future_is_not_known(ask, verb, given):
    with pytest.raises(metronome.BadRequestError, match="as_of: must not be later than now"):
        ask(verb, "2025-11-20T00:00:01Z", **given)
