"""A contract's page, its history and the customer's terms say what a balance pays for, when, and what goes over."""

import pytest

from contracts.queries import agreement
from contracts.term_lines import term_lines
from contracts.wording import history_in_words
from tests.invoicing.conftest import NOVEMBER
from tests.invoicing.desk import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(acme, clock_at):
    return Desk(acme, clock_at)


def test_what_is_not_as_usual_is_told(desk):
    tokens = str(desk.acme.prices.tokens.pk)
    xl = {"product_id": tokens, "pricing_group_values": {"model": "xl"}}
    desk.add(name="Bonus", priority=1, rollover_fraction=0.5, specifiers=[xl])
    pack = {
        "product_id": desk.product,
        "name": "Pack",
        "priority": 2,
        "applicable_product_ids": [tokens],
        "applicable_product_tags": ["sale"],
        "starting_at": NOVEMBER,
        "commit_duration": {"value": 1},
        "access_amount": {"unit_price": 10, "quantity": 1, "credit_type_id": None},
    }
    down = {"decimal_places": 0, "rounding_method": "FLOOR"}
    by_time = {"proration": "FIRST", "proration_rounding": {"access": down}, "priority": 100}
    short = {**pack, "name": "Short", "applicable_product_ids": None, "applicable_product_tags": None, **by_time}
    desk.v2.contracts.edit(**desk.ids, add_recurring_credits=[pack, short])
    bonus, recurring = (
        "Credit “Bonus”: $1.00 (1 October – 31 December 2025); for Tokens (model: xl); priority 1; up to 50 %"
        " of it goes over to a renewal",
        "Recurring credit “Pack”: $0.10 each usage period from 1 November 2025; for Tokens, products tagged sale;"
        " priority 2",
    )
    cut = (
        "Recurring credit “Short”: $0.10 each usage period from 1 November 2025; a last period that is cut short is"
        " granted in full; what is granted by time is rounded to $0.01, down"
    )
    agreed = agreement(desk.acme.customer.pk, desk.acme.contract.pk)
    assert [line.text for line in term_lines(agreed) if "“" in line.text] == [bonus, recurring, cut]
    edited = history_in_words(desk.acme.contract)
    assert [each.changes for each in edited[:2]] == [(f"{recurring}.", f"{cut}."), (f"{bonus}.",)]
