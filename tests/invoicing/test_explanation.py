"""Why an amount is what it is, in words and as data: of every rate type, payer, and way of rounding."""

import re
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.display import exact_text
from invoicing.explanation import document_sentences, line_sentences, part_sentences
from invoicing.presentation import explanation_json
from invoicing.queries.documents import drafts_of
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due
from invoicing.wording import arithmetic_text
from tests.factories.contracts import (
    AccessSegmentFactory,
    CommitFactory,
    EditFactory,
    InvoiceScheduleItemFactory,
    OverrideFactory,
    ScheduledChargeFactory,
)
from tests.factories.pricing import (
    CompositeProductFactory,
    CompositeRateFactory,
    FormulaFactory,
    PricingUnitFactory,
    ProductFactory,
    PublicationFactory,
    RateCardConversionFactory,
    RateFactory,
)
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db

TIERS = [{"price": "10", "size": "100", "flat_fee": "5"}, {"price": "8", "flat_fee": "3"}]
NOW = at("2025-10-31T23")


@pytest.fixture
def used(acme, clock_at):
    """130 calls in October."""
    clock_at("2025-10-31T23")
    acme.calls("2025-10-10T05", 90)
    acme.calls("2025-10-20T05", 40)
    return acme


def listed(acme, **rate):
    """A list price of API calls that takes the place of the two cents, by a publication of its own."""
    given = {"rate_card": acme.prices.card, "product": acme.prices.calls, "price": None, "starting_at": OCTOBER}
    publication = PublicationFactory(published_at=datetime(2025, 9, 3, 9, tzinfo=UTC), price_change__reason="new list")
    return RateFactory(publication=publication, **given | rate)


def balance(acme, name, amount, **commit):
    """A prepaid commit of October, of so many cents."""
    edit = EditFactory(customer=acme.customer, contract=acme.contract, created_at=at("2025-09-20"))
    held = CommitFactory(
        **{"contract": acme.contract, "added_by_edit": edit, "type": "PREPAID", "name": name, **commit},
        segment=None,
        invoice_item=None,
    )
    AccessSegmentFactory(commit=held, amount=D(amount), starting_at=OCTOBER, ending_before=NOVEMBER)
    return held


def override(acme, **terms):
    edit = EditFactory(
        customer=acme.customer, contract=acme.contract, created_at=at("2025-09-30T08:15"), reason="the deal"
    )
    return OverrideFactory(contract=acme.contract, added_by_edit=edit, starting_at=OCTOBER, **terms)


def explained(acme, name="API calls"):
    """The words behind the lines of October that have this name, publications without their numbers."""
    (october,) = (each for each in drafts_of(acme.customer.pk, at=NOW) if each.period)
    told = explained_document(acme.customer.pk, october.id, at=NOW)
    lines = [line for line in told.document.lines if line.name == name]
    found = []
    for line in lines:
        found += line_sentences(told, line)
        for part in line.parts:
            found.append(f"{arithmetic_text(part, told.unit(line))} = {exact_text(part.amount, told.unit(line))}")
            found += [f"  {sentence}" for sentence in part_sentences(told, line, part)]
    return [re.sub(r"publication \d+", "publication N", sentence) for sentence in found]


MEASURED = "Measured by “API calls”: the number over this customer's events of type api_call. This is {} of it."
PUBLISHED = "publication N by Ada on 3 September 2025, 09:00 UTC (“new list”)"
LIST = "  List price {} of “List prices” from 1 October 2025: " + PUBLISHED + "."
PLAIN = "  The contract has no price or discount of its own for it then."


def agreed(text, number):
    return f"{text}, agreed in edit {number} by Ada on 30 September 2025, 08:15 UTC (“the deal”)."


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        pytest.param(
            {"rate_type": "FLAT", "price": D("0.25")},
            [MEASURED.format(130), "130 × $0.0025 = $0.325", LIST.format("$0.0025"), PLAIN],
            id="FLAT",
        ),
        pytest.param(
            {"rate_type": "TIERED", "tiers": TIERS},
            [
                MEASURED.format(100),
                "100 × $0.10 + $0.05 for entering the tier = $10.05",
                "  From 0 to 100 of the period: in tier 1 (above 0, up to 100).",
                LIST.format("$0.10"),
                PLAIN,
                MEASURED.format(30),
                "30 × $0.08 + $0.03 for entering the tier = $2.43",
                "  From 100 to 130 of the period: in tier 2 (above 100).",
                LIST.format("$0.08"),
                PLAIN,
            ],
            id="TIERED",
        ),
        pytest.param(
            {"rate_type": "VOLUME", "tiers": TIERS},
            [
                MEASURED.format(130),
                "130 × $0.08 + $0.03 for entering the tier = $10.43",
                "  The period comes to 130, which is in tier 2 (above 100): all units have its price.",
                LIST.format("$0.08"),
                PLAIN,
            ],
            id="VOLUME",
        ),
        pytest.param(
            {"rate_type": "PACKAGE", "price": D(12), "package_size": D(50)},
            [
                MEASURED.format(130),
                "3 packages of 50 × $0.12 = $0.36",
                "  From 0 to 130 of the period: a package is charged with its first unit.",
                LIST.format("$0.12"),
                PLAIN,
            ],
            id="PACKAGE",
        ),
    ],
)
def test_the_words_behind_each_rate_type_of_usage(used, rate, words):
    listed(used, **rate)
    assert explained(used) == words


def test_a_price_that_a_formula_made_says_what_it_is_made_of(used):
    nodes = [{"name": "cost", "values": {}, "number": "0.2"}, {"name": "markup", "values": {}, "number": "1.25"}]
    formula = FormulaFactory(rate_card=used.prices.card, product=used.prices.calls, starting_at=OCTOBER, nodes=nodes)
    publication = PublicationFactory(published_at=datetime(2025, 9, 3, 9, tzinfo=UTC), price_change__reason="new list")
    RateFactory(
        rate_card=used.prices.card,
        product=used.prices.calls,
        price=D("0.25"),
        starting_at=OCTOBER,
        formula=formula,
        publication=publication,
    )
    assert explained(used) == [
        MEASURED.format(130),
        "130 × $0.0025 = $0.325",
        LIST.format("$0.0025"),
        "  Its price is made by a formula: cost 0.2 × markup 1.25 = 0.25 USD (cents).",
        PLAIN,
    ]


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        pytest.param({}, ["10 % of $2.60 = $0.26"], id="PERCENTAGE"),
        pytest.param(
            {
                "rate_type": "TIERED_PERCENTAGE",
                "price": None,
                "tiers": [{"price": "0.1", "size": "200"}, {"price": "0.05"}],
            },
            ["10 % of $2.00 = $0.20", "5 % of $0.60 = $0.03"],
            id="TIERED_PERCENTAGE",
        ),
    ],
)
def test_a_composite_says_what_it_is_a_share_of(used, rate, words):
    used.uses_tokens("2025-10-11T05", 7)
    support = CompositeProductFactory(name="Support", version__composite_product_ids=[str(used.prices.calls.pk)])
    CompositeRateFactory(rate_card=used.prices.card, product=support, **rate)
    found = explained(used, "Support")
    assert [sentence for sentence in found if " = " in sentence] == words
    assert found.count("It is a share of API calls ($2.60).") == len(words)
    share = "  A share of what the products that it is on came to in the period, whoever pays for them."
    assert found.count(share) == len(words)
    assert not any(sentence.startswith("Measured") for sentence in found)


def test_the_override_that_holds_and_those_that_do_not(used):
    listed(used, price=D(10))
    override(used, multiplier=D("0.9"))
    override(used, multiplier=D("0.8"))
    assert explained(used)[1:] == [
        "130 × $0.08 = $10.40",
        LIST.format("$0.10"),
        "  The contract has its own: " + agreed("20 % off the list price of all products from 1 October 2025", 4),
        "  Not applied: "
        + agreed("10 % off the list price of all products from 1 October 2025", 3)
        + " A smaller multiplier holds.",
    ]


def test_a_price_of_its_own_stands_beside_that_of_the_list(used):
    override(used, type="OVERWRITE", rate_type="PACKAGE", price=D(12), package_size=D(50), product=used.prices.calls)
    _, arithmetic, place, rate, own = explained(used)
    assert arithmetic == "3 packages of 50 × $0.12 = $0.36"
    assert place == "  From 0 to 130 of the period: a package is charged with its first unit."
    assert rate.startswith("  List price of “List prices” from 1 January 2025: publication N by Ada")
    own_price = "$0.12 for each package of 50 units, whatever the list says, for API calls from 1 October 2025"
    assert own == "  The contract has its own: " + agreed(own_price, 3)


def test_how_a_quantity_is_sold(used):
    sold = ProductFactory(
        name="Thousands",
        version__billable_metric=used.prices.calls_made,
        version__conversion_factor=D(50),
        version__conversion_operation="DIVIDE",
        version__conversion_name="fifties",
        version__rounding_decimal_places=0,
        version__rounding_method="ROUND_UP",
    )
    RateFactory(rate_card=used.prices.card, product=sold, price=D(100))
    assert explained(used, "Thousands")[:4] == [
        MEASURED.format(130),
        "Sold in fifties: what is measured is divided by 50.",
        "The period's quantity is rounded up to whole units.",
        "3 × $1.00 = $3.00",
    ]


def test_what_is_used_in_a_custom_unit_is_charged_in_money(used):
    credits = PricingUnitFactory(name="credits")
    RateCardConversionFactory(rate_card=used.prices.card, unit=credits, fiat_per_unit=D(3))
    sold = ProductFactory(name="In credits", version__billable_metric=used.prices.calls_made)
    RateFactory(rate_card=used.prices.card, product=sold, price=D(2), unit=credits)
    balance(used, "Some credits", 100, unit=credits)
    paid, rest = (each for each in explained(used, "In credits") if " = " in each)
    assert (paid, rest) == ("50 × 2 credits = 100 credits", "80 × 2 credits = 160 credits")
    assert explained(used, "credits in USD (cents)") == [
        "160 × $0.03 = $4.80",
        "  What no balance in credits paid for is charged in money: the rate card says what credits are worth.",
        PLAIN,
    ]


def test_lines_that_no_usage_stands_behind(used):
    commit = CommitFactory(contract=used.contract, segment=None, invoice_item=None, name="Minimum")
    AccessSegmentFactory(commit=commit, amount=D(1000), starting_at=OCTOBER, ending_before=NOVEMBER)
    InvoiceScheduleItemFactory(commit=commit, amount=D(1000), issued_at=NOVEMBER)
    ScheduledChargeFactory(contract=used.contract, item__issued_at=at("2025-10-10"), item__amount=D(500))
    ProductFactory(name="Unused")
    told = [explained_document(used.customer.pk, draft.id, at=NOW) for draft in drafts_of(used.customer.pk, at=NOW)]
    words = {
        line.name: [re.sub(r"edit \d+", "edit N", sentence) for sentence in line_sentences(each, line)]
        for each in told
        for line in each.document.lines
        if not line.parts
    }
    edit = "Agreed in edit N by Ada on 1 January 2025, 00:00 UTC."
    assert words == {
        "Minimum": [
            "What the line before counts toward the commitment: shown and not added, as it is still to be paid."
        ],
        "Minimum: true-up": [
            "What is still missing of the commitment: the amount agreed, less what has counted toward it.",
            "$10.00 less $2.60: $7.40.",
            edit,
        ],
        "Onboarding": ["Agreed in the contract for this date.", edit],
    }


def test_rounding_is_said_of_a_final_document(used):
    listed(used, price=D("0.123"))
    (october,) = drafts_of(used.customer.pk, at=NOW)
    told = explained_document(used.customer.pk, october.id, at=NOW)
    final = "2 November 2025, 00:00 UTC"
    assert list(document_sentences(told)) == [
        f"Amounts are exact: the total is rounded once, when it becomes final, not before {final}."
    ]
    finalize_due(used.customer.pk, at=at("2025-11-02"), by=ADA)
    override(used, multiplier=D("0.5"))  # agreed after it was final
    told = explained_document(used.customer.pk, october.id, at=at("2025-11-02"))
    assert list(document_sentences(told)) == [
        "The total came to $0.1599 exactly, and was rounded once, when it became final, to $0.16."
    ]
    (line,) = (line for line in told.document.lines if line.name == "API calls")
    assert list(line_sentences(told, line))[-1] == (
        "It came to $0.1599 exactly; printed are $0.16, so that the lines add up to the total, which was rounded."
    )
    assert list(part_sentences(told, line, line.parts[0]))[-1] == PLAIN.strip()


def test_the_same_as_data(used):
    listed(used, price=D(10))
    loser = override(used, multiplier=D("0.9"))
    winner = override(used, multiplier=D("0.8"))
    commits = {name: balance(used, name, 300, priority=D(place)) for place, name in ((2, "Pack"), (1, "Welcome"))}
    (october,) = (each for each in drafts_of(used.customer.pk, at=NOW) if each.period)
    told = explanation_json(explained_document(used.customer.pk, october.id, at=NOW))
    first = next(line for line in told["line_items"] if line["name"] == "API calls")
    (part,) = first["parts"]
    assert (part["arithmetic"], part["amount"]) == ("37.5 × $0.08 = $3.00", 300)
    rate = part["rate"]
    assert (rate["rate_card_name"], rate["published_by"], rate["published_at"], rate["reason"]) == (
        "List prices",
        "Ada",
        "2025-09-03T09:00:00+00:00",
        "new list",
    )
    assert (rate["id"], rate["publication"]) == (part["rate_id"], part["publication"])
    assert part["override"] == {
        "id": winner.pk,
        "description": "20 % off the list price of all products from 1 October 2025",
        "edit_number": 4,
        "edited_at": "2025-09-30T08:15:00+00:00",
        "edited_by": "Ada",
        "edit_reason": "the deal",
    }
    assert [(each["id"], each["reason"]) for each in part["losing_overrides"]] == [
        (loser.pk, "A smaller multiplier holds.")
    ]
    assert [(each["commit_id"], each["pays"], each["before_the_next_by"]) for each in part["balances"]] == [
        (commits["Welcome"].pk, True, "priority"),
        (commits["Pack"].pk, False, None),
    ]


def test_an_explanation_costs_the_same_with_one_product_and_with_three(used):
    balance(used, "Pack", 10_000)
    override(used, multiplier=D("0.9"))
    (october,) = (each for each in drafts_of(used.customer.pk, at=NOW) if each.period)

    def cost():
        with CaptureQueriesContext(connection) as captured:
            explanation_json(explained_document(used.customer.pk, october.id, at=NOW))
        return len(captured)

    cost()  # prices and definitions are compiled, and then remembered
    one = cost()
    for model in ("xl", "small"):
        used.uses_tokens("2025-10-11T05", 7, model=model)
    override(used, multiplier=D("0.8"))
    assert cost() == one
