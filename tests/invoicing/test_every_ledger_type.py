"""Every type of ledger entry, of the contract's balances and of the customer's, read with the official SDK.

Each balance pays for a product of its own, so that none stands in another's way; a unit costs 1 cent. The old contract
runs from 1 October 2025 to 1 January and is renewed on 1 December by the new one, which ends on 1 January, too. Sold
and used:

    pack     100 in October, 60 from November on, half of which may go over     30 on 5 Oct, 5 on 5 Nov, 8 on 5 Dec
    bonus    a credit of 50, all of which may go over                           20 on 6 Oct
    promise  1,000 owed, three tenths of which may go over                      150 on 7 Oct, 100 on 7 Nov, 60 on 7 Dec
    dropped  200 owed, archived on 20 October                                   20 on 5 Oct
    monthly  31 a month, granted by the new contract                            11 on 11 Dec
    prepaid  the customer's: 80 from 15 October to 15 December                  10 on 5 Oct, 25 on 20 Oct, 15 on 5 Dec
    gift     the customer's: 20 in October, 20 from November on                 30 on 8 Oct
    pledge   the customer's: 500 owed, billed by the new contract               100 on 9 Oct, 50 on 9 Dec

The running balance is that of all segments together. What is dated later than a segment's end was drawn before it: a
document says by its end what was drawn in its period.
"""

from itertools import accumulate
from typing import Any, get_args

import pytest
from metronome.types.shared import Commit, Credit

from billing_site.foundation import tokens
from invoicing.queries.due import due_customers
from invoicing.services import finalize_due
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, sdk, use
from tests.invoicing.shop import Shop, shown, table

pytestmark = pytest.mark.django_db

# balance, date, type, amount, segment, by which document or to which contract, what is then left
LEDGERS = """
    of           | on     | type                                        | amount | of | by                        | left
    old pack     | 1 Oct  | PREPAID_COMMIT_SEGMENT_START                | 100    | 1  |                           | 100
    old pack     | 10 Oct | PREPAID_COMMIT_MANUAL                       | 5      |    | Sorry                     | 105
    old pack     | 1 Nov  | PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION  | -30    | 1  | old usage of Oct          | 75
    old pack     | 1 Nov  | PREPAID_COMMIT_EXPIRATION                   | -75    | 1  |                           | 0
    old pack     | 1 Nov  | PREPAID_COMMIT_SEGMENT_START                | 60     | 2  |                           | 60
    old pack     | 1 Nov  | PREPAID_COMMIT_MANUAL                       | -20    |    | Too much                  | 40
    old pack     | 1 Dec  | PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION  | -5     | 2  | old usage of Nov          | 35
    old pack     | 1 Dec  | PREPAID_COMMIT_ROLLOVER                     | -30    | 2  | new                       | 5
    old pack     | 1 Dec  | PREPAID_COMMIT_EXPIRATION                   | -5     | 2  |                           | 0
    new pack     | 1 Dec  | PREPAID_COMMIT_SEGMENT_START                | 30     | 1  |                           | 30
    new pack     | 1 Jan  | PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION  | -8     | 1  | new usage of Dec          | 22
    new pack     | 1 Jan  | PREPAID_COMMIT_EXPIRATION                   | -22    | 1  |                           | 0
    old bonus    | 1 Oct  | CREDIT_SEGMENT_START                        | 50     | 1  |                           | 50
    old bonus    | 1 Nov  | CREDIT_AUTOMATED_INVOICE_DEDUCTION          | -20    | 1  | old usage of Oct          | 30
    old bonus    | 15 Nov | CREDIT_MANUAL                               | 10     |    | Thanks                    | 40
    old bonus    | 1 Dec  | CREDIT_ROLLOVER                             | -40    | 1  | new                       | 0
    new bonus    | 1 Dec  | CREDIT_SEGMENT_START                        | 40     | 1  |                           | 40
    new bonus    | 1 Jan  | CREDIT_EXPIRATION                           | -40    | 1  |                           | 0
    old promise  | 1 Oct  | POSTPAID_COMMIT_INITIAL_BALANCE             | 1000   |    |                           | 1000
    old promise  | 20 Oct | POSTPAID_COMMIT_MANUAL                      | -50    |    | Waived                    | 950
    old promise  | 1 Nov  | POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION | -150   | 1  | old usage of Oct          | 800
    old promise  | 1 Dec  | POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION | -100   | 1  | old usage of Nov          | 700
    old promise  | 1 Dec  | POSTPAID_COMMIT_ROLLOVER                    | -300   | 1  | new                       | 400
    old promise  | 1 Jan  | POSTPAID_COMMIT_TRUEUP                      | -400   |    | old promise: true-up      | 0
    new promise  | 1 Dec  | POSTPAID_COMMIT_INITIAL_BALANCE             | 300    |    |                           | 300
    new promise  | 1 Jan  | POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION | -60    | 1  | new usage of Dec          | 240
    new promise  | 1 Jan  | POSTPAID_COMMIT_TRUEUP                      | -240   |    | new promise: true-up      | 0
    old dropped  | 1 Oct  | POSTPAID_COMMIT_INITIAL_BALANCE             | 200    |    |                           | 200
    old dropped  | 20 Oct | POSTPAID_COMMIT_EXPIRATION                  | -200   |    |                           | 0
    new monthly  | 1 Dec  | CREDIT_SEGMENT_START                        | 31     | 1  |                           | 31
    new monthly  | 1 Jan  | CREDIT_AUTOMATED_INVOICE_DEDUCTION          | -11    | 1  | new usage of Dec          | 20
    new monthly  | 1 Jan  | CREDIT_EXPIRATION                           | -20    | 1  |                           | 0
    prepaid      | 15 Oct | PREPAID_COMMIT_SEGMENT_START                | 80     | 1  |                           | 80
    prepaid      | 15 Oct | PREPAID_COMMIT_MANUAL                       | 7      |    | Welcome                   | 87
    prepaid      | 1 Nov  | PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION  | -25    | 1  | old usage of Oct          | 62
    prepaid      | 15 Dec | PREPAID_COMMIT_EXPIRATION                   | -47    | 1  |                           | 15
    prepaid      | 1 Jan  | PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION  | -15    | 1  | new usage of Dec          | 0
    gift         | 1 Oct  | CREDIT_SEGMENT_START                        | 20     | 1  |                           | 20
    gift         | 1 Nov  | CREDIT_AUTOMATED_INVOICE_DEDUCTION          | -20    | 1  | old usage of Oct          | 0
    gift         | 1 Nov  | CREDIT_SEGMENT_START                        | 20     | 2  |                           | 20
    gift         | 3 Nov  | CREDIT_MANUAL                               | -5     |    | A slip                    | 15
    gift         | 1 Jan  | CREDIT_EXPIRATION                           | -15    | 2  |                           | 0
    pledge       | 1 Oct  | POSTPAID_COMMIT_INITIAL_BALANCE             | 500    |    |                           | 500
    pledge       | 2 Oct  | POSTPAID_COMMIT_MANUAL                      | 10     |    | Agreed                    | 510
    pledge       | 1 Nov  | POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION | -100   | 1  | old usage of Oct          | 410
    pledge       | 1 Jan  | POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION | -50    | 1  | new usage of Dec          | 360
    pledge       | 1 Jan  | POSTPAID_COMMIT_TRUEUP                      | -360   |    | new pledge: true-up       | 0
"""

# Voids and notes give back what documents drew, see test_voiding; no vendor document says when
# a balance is canceled; what seats add is in test_allowances_by_seat.
NOT_HERE = {
    "PREPAID_COMMIT_CANCELED",
    "PREPAID_COMMIT_CREDITED",
    "PREPAID_COMMIT_SEAT_BASED_ADJUSTMENT",
    "CREDIT_CANCELED",
    "CREDIT_CREDITED",
    "CREDIT_SEAT_BASED_ADJUSTMENT",
}

USED = """
    product | quantity on days
    pack    | 30 on 10-05, 5 on 11-05, 8 on 12-05
    bonus   | 20 on 10-06
    promise | 150 on 10-07, 100 on 11-07, 60 on 12-07
    dropped | 20 on 10-05
    monthly | 11 on 12-11
    prepaid | 10 on 10-05, 25 on 10-20, 15 on 12-05
    gift    | 30 on 10-08
    pledge  | 100 on 10-09, 50 on 12-09
"""

BY_HAND = [
    ("old pack", 1, 5, "Sorry", "2025-10-10"),
    ("old pack", 2, -20, "Too much", None),
    ("old bonus", 1, 10, "Thanks", "2025-11-15"),
    ("old promise", 1, -50, "Waived", "2025-10-20"),
    ("prepaid", 1, 7, "Welcome", None),
    ("gift", 2, -5, "A slip", "2025-11-03"),
    ("pledge", 1, 10, "Agreed", "2025-10-02"),
]


class Deal:
    """What was sold, as the head of this module says; nothing is final."""

    def __init__(self, shop: Shop, clock_at) -> None:
        self.shop, self.v1, self.v2 = shop, shop.v1, shop.v2
        self.whose = {"customer_id": str(shop.customer.pk)}
        self.fixed = shop.v1.contracts.products.create(name="Balance", type="FIXED").data.id
        self.contracts: dict[str, str] = {}
        clock_at("2025-10-01")
        usage = table(USED)
        for name, _ in usage:
            shop.product(name)
            shop.prices(*shop.price(name, "FLAT 1"))
        self._agree()
        for name, used in usage:
            for reading in used.split(", "):
                quantity, _, day = reading.partition(" on ")
                use(shop.metrics[name], f"2025-{day}T05", quantity, {})
        clock_at("2025-10-20")
        [dropped] = [each for each in self.held() if each.name == "dropped"]
        self.v2.contracts.edit(**self.whose, contract_id=self.contracts["old"], archive_commits=[{"id": dropped.id}])
        clock_at("2025-12-20")
        for name, number, amount, reason, on in BY_HAND:
            self._by_hand(name, number, amount, reason, {} if on is None else {"timestamp": at(on)})

    def _agree(self) -> None:
        whole = (OCTOBER, JANUARY)
        self.contracts["old"] = self.shop.contract(
            ending_before=JANUARY,
            commits=[
                self._sold("pack", (100, OCTOBER, NOVEMBER), (60, NOVEMBER, JANUARY), rollover_fraction=0.5),
                self._sold("promise", (1000, *whole), rollover_fraction=0.3) | owed(1000),
                self._sold("dropped", (200, *whole)) | owed(200),
            ],
            credits=[self._sold("bonus", (50, *whole), rollover_fraction=1, type=None)],
        )
        monthly = {
            "product_id": self.fixed,
            "name": "monthly",
            "priority": 1,
            "starting_at": DECEMBER,
            "access_amount": {"unit_price": 31, "quantity": 1},
            "commit_duration": {"value": 1},
            "applicable_product_ids": [self.shop.products["monthly"]],
        }
        self.contracts["new"] = self.shop.contract(
            starting_at=DECEMBER,
            ending_before=JANUARY,
            transition={"type": "RENEWAL", "from_contract_id": self.contracts["old"]},
            recurring_credits=[monthly],
        )
        commits, credits = self.v1.customers.commits, self.v1.customers.credits
        shared = {**self.whose, "priority": 1}
        commits.create(**shared, **self._sold("prepaid", (80, at("2025-10-15"), at("2025-12-15"))))
        gift = self._sold("gift", (20, OCTOBER, NOVEMBER), (20, NOVEMBER, JANUARY), type=None)
        credits.create(**shared, **gift)
        pledge = self._sold("pledge", (500, *whole), invoice_contract_id=self.contracts["new"])
        commits.create(**shared, **pledge | owed(500))

    def _sold(self, name: str, *segments: tuple[Any, ...], **more: Any) -> dict[str, Any]:
        items = [dict(zip(("amount", "starting_at", "ending_before"), each, strict=True)) for each in segments]
        terms = {
            "product_id": self.fixed,
            "name": name,
            "access_schedule": {"schedule_items": items},
            "applicable_product_ids": [self.shop.products[name]],
            "type": "PREPAID",
        } | more
        return {key: value for key, value in terms.items() if value is not None}

    def _by_hand(self, name: str, number: int, amount: float, reason: str, more: dict[str, Any]) -> None:
        [held] = [each for each in self.held() if self.name_of(each) == name]
        segment = held.access_schedule.schedule_items[number - 1].id
        self.v1.contracts.add_manual_balance_entry(
            **self.whose, id=held.id, segment_id=segment, amount=amount, reason=reason, **more
        )

    def held(self) -> list[Any]:
        asked = ("contract_balances", "archived", "balance", "ledgers")
        return list(self.v1.contracts.list_balances(**self.whose, **{f"include_{each}": True for each in asked}))

    def name_of(self, held: Any) -> str:
        """With the contract that it is part of."""
        names = {contract_id: name for name, contract_id in self.contracts.items()}
        return f"{names[held.contract.id]} {held.name}" if held.contract else held.name

    def rows(self) -> list[list[str]]:
        """As in the table of ledgers."""
        names = {contract_id: name for name, contract_id in self.contracts.items()}
        by = dict(names)
        for document in self.v1.customers.invoices.list(**self.whose):
            is_usage = document.type == "USAGE"
            what = f"usage of {document.start_timestamp:%b}" if is_usage else document.line_items[0].name
            by[document.id] = f"{names[document.contract_id]} {what}"
        found = []
        for held in self.held():
            segments = {item.id: str(n) for n, item in enumerate(held.access_schedule.schedule_items, start=1)}
            ledger = [entry.to_dict() for entry in held.ledger]
            for entry, left in zip(held.ledger, accumulate(entry["amount"] for entry in ledger), strict=True):
                told = entry.to_dict()
                other = told.get("new_contract_id") or told.get("invoice_id")
                assert f"{entry.timestamp:%H:%M:%S%z}" == "00:00:00+0000"
                found.append([
                    self.name_of(held), f"{entry.timestamp:%-d %b}", entry.type, shown(entry.amount),
                    "" if entry.type.endswith("MANUAL") else segments.get(told.get("segment_id"), ""),
                    by[other] if other else told.get("reason", ""), shown(left),
                ])  # fmt: skip
        return found


def owed(amount: float) -> dict[str, Any]:
    due = {"schedule_items": [{"amount": amount, "timestamp": JANUARY}]}
    return {"type": "POSTPAID", "invoice_schedule": due}


@pytest.fixture
def deal(clock_at) -> Deal:
    return Deal(Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1])), clock_at)


def by_balance(rows: list[list[str]]) -> list[str]:
    """As text; the order of what is in one ledger counts, that of the ledgers does not."""
    return [" | ".join(row) for row in sorted(rows, key=lambda row: row[0])]


def test_every_ledger_says_what_was_agreed_used_and_done_by_hand(deal, clock_at):
    """The same while all are drafts and once all are final, but for what true-ups bill."""
    clock_at("2026-01-03")
    expected = table(LEDGERS)
    assert by_balance(deal.rows()) == by_balance([row for row in expected if "TRUEUP" not in row[2]])

    while due_customers(at=at("2026-01-03")):
        finalize_due(deal.shop.customer.pk, at=at("2026-01-03"), by=ADA)
    assert by_balance(deal.rows()) == by_balance(expected)
    assert {shown(each.balance) for each in deal.held()} == {"0"}


def test_a_balance_is_the_sum_of_its_ledger_at_any_time(deal, clock_at):
    for instant in ("2025-10-01", "2025-10-31T23:59:59", "2025-11-01", "2025-12-01", "2025-12-15", "2026-01-01"):
        clock_at(instant)
        for held in deal.held():
            running = sum(entry.amount for entry in held.ledger)
            assert held.balance == running, (instant, deal.name_of(held))


def test_the_table_has_every_other_type():
    types = {
        kind
        for balance in (Commit, Credit)
        for entry in get_args(get_args(get_args(balance.model_fields["ledger"].annotation)[0])[0])
        for kind in get_args(entry.model_fields["type"].annotation)
    }
    assert len(types) == 22
    assert {row[2] for row in table(LEDGERS)} == types - NOT_HERE
