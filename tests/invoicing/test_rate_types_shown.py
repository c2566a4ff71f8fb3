"""Tiers, packages, volume, shares and custom units as documents show them: on the wire, to the customer, and why."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import DAY, Period
from contracts.models import Customer
from invoicing.engine.documents import Result
from invoicing.models import Invoice
from invoicing.portal import page_of, row_of
from invoicing.portal.why import WhyCard
from invoicing.queries.account import account
from invoicing.queries.addressees import Addressee
from invoicing.queries.breakdowns import pieces_of
from invoicing.queries.compute import Computation
from invoicing.queries.documents import document, drafts_of
from invoicing.queries.explained import explained_row
from invoicing.queries.shown import of_draft, of_final
from invoicing.queries.spending import products_of, saving, spending
from invoicing.queries.spread import Asked, shares
from invoicing.services import finalize_invoice
from invoicing.wording import arithmetic_text, place_sentences, rate_text
from tests.factories.contracts import OverrideFactory
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at
from tests.invoicing.engine import world

pytestmark = pytest.mark.django_db

TIERS = [{"price": "10", "size": "100", "flat_fee": "5"}, {"price": "8", "flat_fee": "3"}]


def own_price(acme, **tariff):
    given = {"type": "OVERWRITE", "starting_at": OCTOBER, "product": acme.prices.calls, **tariff}
    return OverrideFactory(contract=acme.contract, **given)


def calls_of(acme, client):
    [draft] = client.v1.customers.invoices.list(customer_id=str(acme.customer.pk), status="DRAFT").data
    return [line for line in draft.line_items if line.name == "API calls"]


@pytest.fixture
def used(acme, clock_at):
    clock_at("2025-10-31T23")
    acme.calls("2025-10-10T05", 90)
    acme.calls("2025-10-20T05", 40)
    return acme


def test_tiers_on_the_wire(used, client):
    own_price(used, rate_type="TIERED", rate_tiers=TIERS)
    first, second = calls_of(used, client)
    assert (first.quantity, first.unit_price, first.total, first.flat_fee) == (100, 10, 1005, 5)
    assert (first.tier.level, first.tier.starting_at, first.tier.size) == (1, "0", "100")
    assert (second.quantity, second.unit_price, second.total, second.flat_fee) == (30, 8, 243, 3)
    assert (second.tier.level, second.tier.starting_at, second.tier.size) == (2, "100", None)


def test_packages_and_volume_on_the_wire(used, client):
    packages = own_price(used, rate_type="PACKAGE", price=D(12), package_size=D(50))
    (line,) = calls_of(used, client)
    assert (line.quantity, line.unit_price, line.total, line.package_size, line.tier) == (3, 12, 36, 50, None)
    own_price(used, rate_type="VOLUME", rate_tiers=TIERS, position=packages.position + 1)
    (line,) = calls_of(used, client)
    assert (line.quantity, line.unit_price, line.total, line.tier.level, line.flat_fee) == (130, 8, 1043, 2, 3)


def test_a_final_document_keeps_the_arithmetic(used, client):
    own_price(used, rate_type="TIERED", rate_tiers=TIERS)
    draft, _ = drafts_of(used.customer.pk, at=at("2025-11-03"))
    finalize_invoice(used.customer.pk, draft.id, at=at("2025-11-03"), by=ADA)
    final = document(used.customer.pk, draft.id, at=at("2025-11-04"))
    assert [line.parts for line in final.lines] == [line.parts for line in draft.lines]
    assert [line.fields for line in final.lines] == [line.fields for line in draft.lines]
    assert exact_sum([line.total for line in final.lines]) == draft.total


def test_what_was_frozen_while_every_price_was_flat_can_be_read(used):
    draft, _ = drafts_of(used.customer.pk, at=at("2025-11-03"))
    invoice = finalize_invoice(used.customer.pk, draft.id, at=at("2025-11-03"), by=ADA)
    lines = list(Invoice.objects.get(pk=invoice.pk).lines.order_by("position"))
    known_then = {
        "period", "metric_id", "group_values", "metric_quantity", "quantity", "amount", "unit_price", "list_price",
        "rate_id", "publication", "published_by", "override_id", "losing_overrides", "segment_id",
    }  # fmt: skip
    for line in lines:
        line.trace = [{key: part[key] for key in known_then} for part in line.trace]
    (part,) = next(line.parts for line in of_final(invoice, lines).lines if line.parts)
    assert (part.rate_type, part.charged, part.level, part.fee, part.list_amount) == (
        "FLAT",
        "LIST_RATE",
        None,
        0,
        None,
    )
    assert saving(of_final(invoice, lines), {part.rate_id: invoice.unit_id}) is None


def test_the_explanation_says_which_units_and_why(used, client):
    own_price(used, rate_type="TIERED", rate_tiers=TIERS)
    (draft,) = drafts_of(used.customer.pk, at=at("2025-10-31T23"))
    body = client.get(f"/v1/customers/{used.customer.pk}/invoices/{draft.id}/explain", cast_to=dict[str, object])
    first, second = (line for line in body["data"]["line_items"] if line["name"] == "API calls")
    (part,) = second["parts"]
    assert (part["units_above"], part["units_up_to"], part["flat_fee"], part["amount"]) == (100, 130, 3, 243)
    assert part["tier"] == {"level": 2, "starting_at": 100, "size": None}
    assert (part["rate_type"], part["rate_charged"], part["list_price"], part["list_amount"]) == (
        "TIERED",
        "LIST_RATE",
        2,
        60,
    )
    assert first["parts"][0]["tier"]["size"] == 100


def why(used) -> WhyCard:
    (draft,) = drafts_of(used.customer.pk, at=at("2025-10-31T23"))
    return WhyCard.of(explained_row(used.customer.pk, draft.id, 0, at=at("2025-10-31T23")))


def test_why_a_tier(used):
    own_price(used, rate_type="TIERED", rate_tiers=TIERS)
    first, second = why(used).parts
    assert (first.arithmetic, first.amount) == ("100 × $0.10 + $0.05 for entering the tier", "$10.05")
    assert first.reasons[0] == "From 0 to 100 of the period: in tier 1 (above 0, up to 100)."
    assert (second.arithmetic, second.amount) == ("30 × $0.08 + $0.03 for entering the tier", "$2.43")
    assert second.reasons[0] == "From 100 to 130 of the period: in tier 2 (above 100)."
    assert second.reasons[1].startswith("List price $0.02 of “")


def test_why_a_package(used):
    own_price(used, rate_type="PACKAGE", price=D(12), package_size=D(100))
    (part,) = why(used).parts
    assert (part.arithmetic, part.amount) == ("2 packages of 100 × $0.12", "$0.24")
    assert part.reasons[0] == "From 0 to 130 of the period: a package is charged with its first unit."
    assert part.reasons[1].startswith("List price of “"), "no price of a unit stands beside that of a package"


def test_why_a_volume(used):
    own_price(used, rate_type="VOLUME", rate_tiers=TIERS)
    (part,) = why(used).parts
    assert part.arithmetic == "130 × $0.08 + $0.03 for entering the tier"
    assert part.reasons[0] == "The period comes to 130, which is in tier 2 (above 100): all units have its price."


def shown(used, when="2025-10-31T23"):
    return page_of(account(used.customer.pk, at=at(when)))


def test_a_customer_reads_tiers_with_their_quantities(used):
    own_price(used, rate_type="TIERED", rate_tiers=TIERS)
    (row,) = (row for row in shown(used).tables[0].rows if row.name == "API calls")
    assert (row.prices, row.quantity_parts) == ("$0.10 for 100, $0.08 for 30", "100 + 30")
    assert (row.amount, row.amount_parts) == ("$12.48", "$10.05 + $2.43")


def test_a_customer_reads_what_a_package_costs(used):
    own_price(used, rate_type="PACKAGE", price=D(12), package_size=D(50))
    (row,) = (row for row in shown(used).tables[0].rows if row.name == "API calls")
    assert (row.prices, row.quantity, row.amount) == ("$0.12 a package of 50", "3", "$0.36")


def test_prices_to_come_in_words(used):
    own_price(used, rate_type="TIERED", rate_tiers=TIERS, starting_at=NOVEMBER, ending_before=DECEMBER)
    tiers = "$0.10 a unit for the first 100 units (and $0.05 once), then $0.08 (and $0.03 once)"
    assert [(row.name, row.change) for row in shown(used).prices] == [
        ("API calls", f"$0.02 → {tiers}"),
        ("API calls", f"{tiers} → $0.02"),
    ]


def test_the_same_price_from_elsewhere_is_no_price_to_come(used):
    own_price(used, rate_type="FLAT", price=D(2), starting_at=NOVEMBER, ending_before=None)
    assert shown(used).prices == ()


# --- custom units and shares, from values alone ------------------------------------------------------------------

A, B = world.product("A"), world.product("B")
SUPPORT = world.composite("Support", "A", "B")
RATES = [
    world.rate("A", "5", unit=world.CREDITS),
    world.rate("B", "10"),
    world.rate("Support", "0.1", tariff=world.percentage("0.1")),
]
UNITS = {unit.id: unit for unit in (world.USD, world.CREDITS)}


def in_credits(*commits):
    agreed = world.contract(commits=commits)
    card = world.card(*RATES, credits_at="2")
    inputs = world.given(world.LATE_OCTOBER, [agreed], [card], (A, B, SUPPORT))
    events = [world.used("A", world.on(10, 10, 5), 4), world.used("B", world.on(10, 20, 5), 3)]
    draft = world.the_usage(world.computed(inputs, events))
    return inputs, of_draft(draft, Computation(inputs, Result((draft,))), Addressee(Customer(name="Acme"), {}))


def test_products_are_read_in_their_own_unit():
    inputs, document_ = in_credits()
    found = products_of(document_, inputs.catalog, UNITS)
    assert [(each.name, each.amount, each.unit.name, each.is_share) for each in found] == [
        ("A", 20, "credits", False),
        ("B", 30, "USD (cents)", False),
        ("Support", 3, "USD (cents)", True),
        ("Support", 2, "credits", True),
        ("credits in USD (cents)", 44, "USD (cents)", False),
    ]
    support = row_of(found[2])
    assert (support.prices, support.quantity) == ("10 %", "30 USD (cents)")
    assert row_of(found[3]).amount == "2 credits"


def test_a_conversion_says_what_it_converts():
    _, document_ = in_credits(world.prepaid("10", name="cents"))
    paid, applied, rest = document_.lines[-3:]
    assert {line.fields.get("converted_credit_type_id") for line in (paid, rest)} == {str(world.CREDITS.id)}
    assert paid.fields["applied_commit_or_credit"]["type"] == "PREPAID"
    assert (applied.type, "converted_credit_type_id" in applied.fields) == ("applied_commit_or_credit", False)


def test_a_share_and_a_conversion_in_words():
    _, document_ = in_credits()
    texts = {
        (line.name, line.fields["credit_type"]["name"]): arithmetic_text(line.parts[0], UNITS[line.unit_id])
        for line in document_.lines
    }
    assert texts["Support", "USD (cents)"] == "10 % of 30 USD (cents)"
    assert texts["credits in USD (cents)", "USD (cents)"] == "20 × 2 USD (cents)"
    (part,) = next(line.parts for line in document_.lines if line.name == "Support")
    assert list(place_sentences(part)) == [
        "A share of what the products that it is on came to in the period, whoever pays for them."
    ]
    assert rate_text(part, world.USD) == "List price 10 %"
    assert rate_text(replace(part, charged="COMMIT_RATE"), world.USD) == "Commit rate"


def test_what_is_spent_in_money_adds_up_to_the_document():
    inputs, document_ = in_credits()
    (found,) = shares([Asked(document_.lines, (OCTOBER, NOVEMBER), document_.period)], inputs)
    spent = spending([(document_, found)], [Period(OCTOBER, NOVEMBER)], world.USD, {})
    assert {series.name: series.amounts for series in spent.series} == {
        "B": (30,),
        "Support": (3,),
        "credits in USD (cents)": (44,),
    }
    assert exact_sum([amount for series in spent.series for amount in series.amounts]) == document_.total
    assert saving(document_, {}) is None


def test_a_conversion_is_broken_down_as_its_usage_came(price_list):
    """No events are in the ledger, so all of a part is at its beginning: what counts is that windows add up."""
    inputs, document_ = in_credits(world.prepaid("10", name="cents"))
    days = [Period(OCTOBER, OCTOBER + 15 * DAY), Period(OCTOBER + 15 * DAY, NOVEMBER)]
    pieces = list(pieces_of(document_, days, inputs))
    assert exact_sum([piece.total for piece in pieces]) == document_.total
    by_type = [line.total for piece in pieces for line in piece.lines if line.type == "cpu_conversion"]
    assert exact_sum(by_type) == 44
