"""Lists of commits and credits, and sums over them, as they can be asked for at any stage of a deal."""

import pytest

from billing_site.foundation import tokens
from tests.invoicing.conftest import ADA, OCTOBER, sdk
from tests.invoicing.deals import Deals, day
from tests.invoicing.shop import shown, table

pytestmark = pytest.mark.django_db

AGREED = (
    "Whole PREPAID 10; Early CREDIT 5 to 11-01; Later PREPAID 9 from 12-01; Units QUANTITY 7 for calls;"
    "Gap PREPAID 1+2 from 1+12-01 to 10+2026-01-01; Owed POSTPAID 100; Own CREDIT 3 of all"
)
# Minutes cost 1 cent: 6 are used on 5 October, of which the gap pays for one and the early credit for the others.
LISTS = """
    asked                                                      | balances
    include_contract_balances=no                               | Own
    covering_date=1                                            | Whole, Units, Gap, Owed, Early, Own
    covering_date=10                                           | Whole, Units, Owed, Early, Own
    covering_date=11-01                                        | Whole, Units, Owed, Own
    covering_date=12-01                                        | Whole, Later, Units, Gap, Owed, Own
    covering_date=2026-01-01                                   |
    effective_before=1                                         |
    effective_before=2                                         | Whole, Units, Gap, Owed, Early, Own
    effective_before=12-01T01                                  | Whole, Later, Units, Gap, Owed, Early, Own
    starting_at=11-01                                          | Whole, Later, Units, Gap, Owed, Own
    starting_at=10 effective_before=11-01                      | Whole, Units, Gap, Owed, Early, Own
    starting_at=2026-01-01                                     |
    access_type=QUANTITY                                       | Units
    access_type=SPEND                                          | Whole, Later, Gap, Owed, Early, Own
    exclude_zero_balances=yes                                  | Whole, Units, Owed, Own
    exclude_zero_balances=yes covering_date=1                  | Whole, Units, Owed, Own
    exclude_zero_balances=yes access_type=QUANTITY             | Units
    id=Gap                                                     | Gap
    id=Gap covering_date=10                                    |
    id=Gap include_contract_balances=no                        |
    id=Own include_contract_balances=no                        | Own
"""
SUMS = """
    asked                                                      | balance
                                                               | 113
    CREDIT                                                     | 3
    PREPAID_COMMIT                                             | 10
    POSTPAID_COMMIT                                            | 100
    CREDIT+PREPAID_COMMIT                                      | 13
    Whole+Own                                                  | 13
    CREDIT Whole+Own                                           | 3
    CREDIT; Whole                                              | 13
    Later                                                      | 0
"""


@pytest.fixture
def deals(clock_at) -> Deals:
    clock_at("2025-10-01")
    deals = Deals(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]), clock_at)
    deals.agree(AGREED)
    clock_at("2025-10-20")
    deals.used("6 minutes on 5")
    return deals


def query(text, ids):
    """What is asked, as it is sent."""
    sent = {"include_contract_balances": True}
    for name, _, value in (each.partition("=") for each in text.split()):
        if value in ("yes", "no"):
            sent[name] = value == "yes"
        else:
            sent[name] = day(value) if value[0].isdigit() else ids.get(value, value)
    return sent


def test_lists_keep_to_what_was_asked_whatever_the_size_of_a_page(deals):
    ids = {each.name: each.id for each in deals.held()}
    for asked, names in table(LISTS):
        for limit in (25, 2):
            found = deals.v1.contracts.list_balances(**deals.whose, **query(asked, ids), limit=limit)
            assert ", ".join(each.name for each in found) == names, asked


def test_sums_are_of_what_any_filter_matches(deals):
    ids = {each.name: each.id for each in deals.held()}
    for asked, balance in table(SUMS):
        filters = []
        for one in asked.split("; ") if asked else []:
            words = [word.split("+") for word in one.split()]
            types = [names for names in words if names[0].isupper()]
            of = [[ids[name] for name in names] for names in words if not names[0].isupper()]
            filters.append({"balance_types": types[0]} if types else {})
            filters[-1] |= {"ids": of[0]} if of else {}
        found = deals.v1.contracts.get_net_balance(**deals.whose, **({"filters": filters} if filters else {}))
        assert shown(found.data.balance) == balance, asked
    units = deals.v1.contracts.get_net_balance(**deals.whose, access_type="QUANTITY").data
    assert (units.balance, units.credit_type_id) == (7, "00000000-0000-0000-0000-000000000000")


def test_a_page_goes_on_where_the_one_before_ended_whatever_became_of_its_last_balance(deals):
    """Another 10 minutes spend the pack with which the first page ended, and it is archived."""
    asked = {**deals.whose, "include_contract_balances": True, "exclude_zero_balances": True, "limit": 1}
    first = deals.v1.contracts.list_balances(**asked)
    assert [each.name for each in first.data] == ["Whole"]
    deals.used("10 minutes on 6")
    second = deals.v1.contracts.list_balances(**asked, next_page=first.next_page)
    assert [each.name for each in second.data] == ["Units"]
    units = [{"id": second.data[0].id}]
    deals.v2.contracts.edit(**deals.whose, contract_id=deals.contracts["first"], archive_commits=units)
    third = deals.v1.contracts.list_balances(**asked, next_page=second.next_page)
    assert [each.name for each in third.data] == ["Owed"]


def test_balances_of_one_request_stand_and_pay_in_the_order_in_which_they_were_sent(clock_at):
    clock_at("2025-10-20")
    deals = Deals(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]), clock_at)
    names = ("Kappa", "Alpha", "Zeta", "Gamma", "Beta", "Omega", "Eta", "Iota")
    deals.agree("; ".join(f"{name} CREDIT 10" for name in names))
    deals.used("35 minutes on 5")
    assert [(each.name, each.balance) for each in deals.held()] == list(
        zip(names, (0, 0, 0, 5, 10, 10, 10, 10), strict=True)
    )
