"""Changing in the back office what a commit or credit pays for, how much of it goes over to a renewal, and what is
paid by a price and a quantity. API calls cost 2 cents, tokens of the model xl 40, of small half a cent.
"""

import json
import re
from decimal import Decimal as D

import pytest

from contracts.inputs import InvoiceItemInput, InvoiceScheduleInput, SharedCommitInput, TargetInput
from contracts.queries import agreement, shared_commits
from contracts.services import create_shared_commit
from tests.factories.contracts import credit_input, prepaid_input
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.commit_page import Page, granted
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER

pytestmark = pytest.mark.django_db


def now_of(acme):
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    return committed


def money_in(seen):
    return set(re.findall(r"\$[\d.,]+", re.sub(r"<[^>]+>", " ", seen.content.decode())))


def test_usage_of_one_model_is_all_that_a_credit_pays_for_from_now_on(acme, clock_at):
    """$1.00 paid for calls of 80 cents, and then pays for one xl token, 40 cents."""
    clock_at("2025-10-10")
    acme.calls("2025-10-05T10", 40)
    acme.uses_tokens("2025-10-06T10", 1)
    calls, tokens = acme.prices.calls, acme.prices.tokens
    page = Page(granted(acme, credit_input(D(100), name="Bonus", applicable_product_ids=(calls.pk,))))
    typed = {
        "products": [],
        "specifier_0_product": str(tokens.pk),
        "specifier_0_group_values": '{"model": "xl"}',
        "rollover": "25",
    }
    _, seen = page.preview(**typed)
    assert {"$0.40", "$0.80"} <= money_in(seen)
    assert page.save(**typed).status_code == 302

    commit = now_of(acme).commit
    assert commit.applicable_product_ids == []
    assert commit.specifiers == [{"product_id": str(tokens.pk), "pricing_group_values": {"model": "xl"}}]
    assert commit.rollover_fraction == D("0.25")
    shown = page.shown()
    assert json.loads(shown["specifier_0_group_values"]) == {"model": "xl"}
    assert shown["rollover"] == "25"

    # What stands is shown, and left as it is shown it is no change.
    assert page.errors() == {"__all__": ["The edit changes nothing: give something to change."]}
    page.save(specifier_0_product="", specifier_0_group_values="", tags="prime\nfast", rollover="")
    commit = now_of(acme).commit
    assert (commit.specifiers, commit.applicable_product_tags) == ([], ["prime", "fast"])
    assert commit.rollover_fraction is None
    assert page.shown()["tags"] == "prime\nfast"


def test_of_several_specifiers_one_is_changed_and_one_taken_out(acme, clock_at):
    clock_at("2025-10-10")
    tokens = acme.prices.tokens
    rows = [
        TargetInput(product_id=tokens.pk, pricing_group_values={"model": "xl"}),
        TargetInput(product_tags=("prime",)),
        TargetInput(presentation_group_values={"region": "eu"}),
    ]
    page = Page(granted(acme, credit_input(D(100), specifiers=tuple(rows))))
    page.save(specifier_0_product="", specifier_0_group_values="", specifier_1_tags="prime\nfast")
    assert now_of(acme).commit.specifiers == [
        {"product_tags": ["prime", "fast"]},
        {"presentation_group_values": {"region": "eu"}},
    ]


def test_a_product_that_was_archived_since_stays_among_what_is_paid_for(acme, clock_at):
    clock_at("2025-10-10")
    calls, tokens = acme.prices.calls, acme.prices.tokens
    page = Page(granted(acme, credit_input(D(100), applicable_product_ids=(calls.pk, tokens.pk))))
    calls.archived_at = OCTOBER
    calls.save()
    page.save(priority="7")
    assert now_of(acme).commit.applicable_product_ids == [str(calls.pk), str(tokens.pk)]


def test_what_is_paid_is_changed_as_it_was_agreed(acme, clock_at):
    """Four times 20 cents, then five times; a payment of one amount becomes a price times a quantity."""
    clock_at("2025-10-10")
    schedule = InvoiceScheduleInput(
        (InvoiceItemInput(DECEMBER, unit_price=D(20), quantity=D(4)), InvoiceItemInput(JANUARY, D(50)))
    )
    page = Page(granted(acme, commits=(prepaid_input(D(100), OCTOBER, JANUARY, invoice_schedule=schedule),)))
    assert (page.shown()["item_0_unit_price"], page.shown()["item_0_quantity"]) == ("0.2", D(4))
    product = FixedProductFactory(name="Packs")
    page.save(
        item_0_quantity="5",
        item_1_amount="",
        item_1_unit_price="0.30",
        item_1_quantity="2",
        product=str(product.pk),
    )
    committed = now_of(acme)
    assert committed.commit.product == product
    assert [(each.amount, each.unit_price, each.quantity) for each in committed.invoice_items] == [
        (100, 20, 5),
        (60, 30, 2),
    ]


def test_what_is_refused_of_it_stands_beside_its_field(acme, clock_at):
    clock_at("2025-10-10")
    calls, tokens = acme.prices.calls, acme.prices.tokens
    pack = prepaid_input(D(100), OCTOBER, JANUARY, (DECEMBER, D(50)), applicable_product_ids=(calls.pk,))
    page = Page(granted(acme, commits=(pack,)))
    one = {"specifier_1_product": str(tokens.pk)}
    for typed, field, rule in (
        (one, "specifier_1_product", "cannot be combined with applicable_product_ids"),
        (
            {**one, "products": [], "specifier_1_group_values": '{"colour": "red"}'},
            "specifier_1_group_values",
            "must be among the keys that Tokens declares",
        ),
        ({"products": [], "specifier_1_tags": "a\na"}, "specifier_1_tags", "must be there only once"),
        ({"tags": "a\na"}, "tags", "must be there only once"),
        ({"rollover": "101"}, "rollover", "from 0 to 100"),
        ({"product": ""}, "product", "Needed"),
        ({"item_0_amount": ""}, "item_0_amount", "Needed"),
        ({"item_0_quantity": "2"}, "item_0_amount", "cannot be combined with unit_price"),
    ):
        [(found, [said])] = page.errors(**typed).items()
        assert (found, rule in said) == (field, True), said


def test_what_contracts_share_does_not_go_over_to_a_renewal_but_pays_for_tags_all_the_same(acme, clock_at):
    clock_at("2025-10-10")
    given = SharedCommitInput(credit_input(D(100)))
    page = Page(create_shared_commit(acme.customer, given, at=OCTOBER, by=ADA))
    assert "rollover" not in page.browser.get(page.url).context["form"].fields
    page.save(tags="prime")
    assert shared_commits(acme.customer.pk)[0].commit.applicable_product_tags == ["prime"]
