"""Deals in words: balances as they are agreed, what is used and done in the course of time, and how both then stand.

Everything goes through the official client. A minute costs 1 cent and is tagged talk and voice; a call costs 2, is
tagged talk and web, and has a region; a credit is worth 200 cents. A balance is its name, type and amount, and what is
special about it:

    Bonus CREDIT 20 first 1                    of priority 1; others have 100
    Pack PREPAID 40 from 10 to 20              from 10 October to 20 October; others from 1 October until 2026
    Pack PREPAID 40+30 from 1+10 to 10+20      two segments
    Pack PREPAID 40 for calls                  nothing else is paid with it; "for calls+minutes" names two
    Pack PREPAID 40 tagged web                 nothing else than what is tagged so
    Pack PREPAID 40 for calls where eu         nothing else than calls of that region
    Pack PREPAID 40 paid 30+5 on 1+11-01       30 are paid on 1 October, 5 on 1 November; others are complimentary
    Pack PREPAID 40 over 0.5                   half of it may go over to a renewal
    Pack PREPAID 40 in credits                 held in a unit of its own
    Pack PREPAID 40 at COMMIT_RATE             pays commit rates
    Pack QUANTITY 40                           prepaid, and counts units
    Pledge POSTPAID 40 due 12-01               trued up then; others on the day on which they end
    Gift CREDIT 20 of all                      the customer's, for all contracts; "of first" for one of them
    Daily CREDIT 20 every MONTHLY lasting 2    recurs, each for two months

A day is one of October 2025 ("5"), or of another month or year ("11-05", "2026-01-05"). Usage is "60 minutes on 5", or
"60 calls:eu on 5", at 05:00.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from metronome import Metronome

from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import format_instant
from invoicing.services import finalize_due
from tests.invoicing.conftest import ADA, at
from tests.invoicing.shop import Shop, shown, tariff

PRICES = {"minutes": "FLAT 1", "calls": "FLAT 2"}
CENTS_A_CREDIT = 200
DEFINITIONS: Mapping[str, dict[str, Any]] = {
    "minutes": {"tags": ["talk", "voice"]},
    "calls": {"tags": ["talk", "web"], "presentation_group_key": ["region"]},
}
READING = re.compile(r"(?P<quantity>-?[\d.]+) (?P<product>\w+)(?::(?P<region>\w+))? on (?P<day>\S+)")
BY_HAND = re.compile(r"(?P<name>\w+) (?P<amount>[+-][\d.]+)")


def rows(story: str) -> list[list[str]]:
    """The cells of each row of a story."""
    return [[cell.strip() for cell in row.split("|")] for row in story.strip().splitlines()]


def day(text: str) -> datetime:
    date, _, hour = text.partition("T")
    parts = date.split("-")
    whole = ["2025", "10", "01"][: 3 - len(parts)] + [f"{part:0>2}" for part in parts]
    return at("-".join(whole) + (f"T{hour}" if hour else ""))


class Deals(Shop):
    """A customer, what it has agreed to, and what it uses."""

    def __init__(self, client: Metronome, clock_at: Any, prices: Mapping[str, str] = PRICES) -> None:
        self.units = {"credits": client.v1.pricing_units.create(name="credits").data.id}
        one_credit = {"custom_credit_type_id": self.units["credits"], "fiat_per_custom_credit": CENTS_A_CREDIT}
        super().__init__(client, credit_type_conversions=[one_credit])
        self.clock_at = clock_at
        self.whose = {"customer_id": str(self.customer.pk)}
        self.contracts: dict[str, str] = {}
        for name, price in prices.items():
            self.sells(name, price)
        self.fixed = self.v1.contracts.products.create(name="Balance", type="FIXED").data.id

    # What is agreed

    def sells(self, name: str, price: str) -> None:
        """Priced as in the shop; "in credits" and "committed" with the rate of commits may follow."""
        self.product(name, **DEFINITIONS.get(name, {}))
        listed, _, committed = price.partition(" committed ")
        listed, _, unit = listed.partition(" in ")
        terms = {"credit_type_id": self.units[unit]} if unit else {}
        self.prices(*self.price(name, listed, **terms, **({"commit_rate": tariff(committed)} if committed else {})))

    def agree(self, balances: str, contract: str = "first", **terms: Any) -> str:
        """A contract with balances, and the customer's own among them; separated by semicolons."""
        agreed = [self._balance(each.strip()) for each in balances.split(";")] if balances else []
        lists: dict[str, list[dict[str, Any]]] = {}
        for kind, given, of in agreed:
            if of is None:
                lists.setdefault(kind, []).append(given)
        self.contracts[contract] = self.contract(**lists, **terms)
        for kind, given, of in agreed:
            if of is not None:
                self._give(kind, given, of, contract)
        return self.contracts[contract]

    def _give(self, kind: str, given: dict[str, Any], of: str, contract: str) -> None:
        more = {} if of == "all" else {"applicable_contract_ids": [self.contracts[of]]}
        if "invoice_schedule" in given:
            more["invoice_contract_id"] = self.contracts[contract if of == "all" else of]
        own = getattr(self.v1.customers, kind)
        own.create(**self.whose, **{"priority": 100} | given, **more)

    def _balance(self, text: str) -> tuple[str, dict[str, Any], str | None]:
        """What list of a contract's terms it belongs to, as it is sent, and for which contracts it is."""
        name, type_, amount, *rest = text.split()
        special = dict(zip(rest[::2], rest[1::2], strict=True))
        of = special.pop("of", None)
        given: dict[str, Any] = {"product_id": self.fixed, "name": name} | self._targets(special)
        if "first" in special:
            given["priority"] = float(special.pop("first"))
        if "over" in special:
            given["rollover_fraction"] = float(special.pop("over"))
        if "at" in special:
            given["rate_type"] = special.pop("at")
        held = {"credit_type_id": self.units[special.pop("in")]} if "in" in special else {}
        held |= {"access_type": "QUANTITY"} if type_ == "QUANTITY" else {}
        kind = "credits" if type_ == "CREDIT" else "commits"
        if "every" in special:
            given |= self._recurring(amount, special, held)
            kind = f"recurring_{kind}"
        else:
            given |= self._schedules(type_, amount, special, held)
            if kind == "commits":
                given["type"] = "POSTPAID" if type_ == "POSTPAID" else "PREPAID"
        assert not special, text
        return kind, given, of

    def _targets(self, special: dict[str, str]) -> dict[str, Any]:
        products = [self.products[name] for name in special.pop("for", "").split("+") if name]
        if "where" in special:
            region = {"presentation_group_values": {"region": special.pop("where")}}
            return {"specifiers": [{"product_id": product} | region for product in products]}
        if "tagged" in special:
            return {"applicable_product_tags": special.pop("tagged").split("+")}
        return {"applicable_product_ids": products} if products else {}

    def _schedules(self, type_: str, amounts: str, special: dict[str, str], held: dict[str, Any]) -> dict[str, Any]:
        starts, ends = special.pop("from", "1").split("+"), special.pop("to", "2026-01-01").split("+")
        segments = [
            {"amount": float(amount), "starting_at": day(start), "ending_before": day(end)}
            for amount, start, end in zip(
                amounts.split("+"), _as_many(starts, amounts), _as_many(ends, amounts), strict=True
            )
        ]
        access = {"access_schedule": {"schedule_items": segments} | held}
        paid, dates = special.pop("paid", None), special.pop("on", "1")
        if type_ == "POSTPAID":
            paid, dates = amounts, special.pop("due", ends[-1])
        if paid is None:
            return access
        items = [
            {"amount": float(amount), "timestamp": day(date)}
            for amount, date in zip(paid.split("+"), _as_many(dates.split("+"), paid), strict=True)
        ]
        return access | {"invoice_schedule": {"schedule_items": items}}

    def _recurring(self, amount: str, special: dict[str, str], held: dict[str, Any]) -> dict[str, Any]:
        return {
            "priority": 100,
            "starting_at": day(special.pop("from", "1")),
            "recurrence_frequency": special.pop("every"),
            "access_amount": {"unit_price": 1, "quantity": float(amount)} | held,
            "commit_duration": {"value": int(special.pop("lasting", "1"))},
        }

    # What happens

    def told(self, story: str) -> list[list[str]]:
        """The rows of a story as they come out: an instant, what is done then, and how balances and bills stand.

        Done is what is used, "Pack -10" by hand, "final", a balance of the customer's, "ends 20" for a new end of the
        first contract, or "renewed 12-01 with ..." for a renewal until 2027 of the latest contract, and its balances.
        What was read of an instant is read again at the end as of then, unless usage of before it came later.
        """
        told: list[list[str]] = []
        seen: list[tuple[datetime, str]] = []
        for instant, done, *_ in rows(story):
            self.clock_at(format_instant(day(instant)))
            for each in done.split(", ") if done else []:
                used = self._do(each, day(instant))
                seen = [(then, read) for then, read in seen if used is None or then <= used]
            told.append([instant, done, self.left(), self.bills()])
            seen.append((day(instant), told[-1][2]))
        for then, read in seen:
            again = self.left(extra_body={"as_of": format_instant(then)})
            assert again == read, f"as of {then}: {again}, not {read}"
        return told

    def _do(self, text: str, now: datetime) -> datetime | None:
        """The hour of what was used, if it is that."""
        reading, by_hand = READING.fullmatch(text), BY_HAND.fullmatch(text)
        if reading is not None:
            hour = day(reading["day"]).replace(hour=5)
            self.sends(reading["product"], reading["quantity"], hour, reading["region"])
            return hour
        if by_hand is not None:
            [held] = [each for each in self.held() if each.name == by_hand["name"]]
            [segment] = held.access_schedule.schedule_items
            entry = {"segment_id": segment.id, "amount": float(by_hand["amount"]), "reason": "As agreed"}
            self.v1.contracts.add_manual_balance_entry(**self.whose, id=held.id, **entry)
        elif text == "final":
            finalize_due(self.customer.pk, at=now, by=ADA)
        elif text.startswith("ends "):
            end = day(text.removeprefix("ends "))
            self.v2.contracts.edit(**self.whose, contract_id=self.contracts["first"], update_contract_end_date=end)
        elif text.startswith("renewed "):
            start, _, own = text.removeprefix("renewed ").partition(" with ")
            (*_, last) = self.contracts.values()
            terms = {"starting_at": day(start), "transition": {"type": "RENEWAL", "from_contract_id": last}}
            self.agree(own, f"from {start}", ending_before=day("2027-01-01"), **terms)
        else:
            kind, given, of = self._balance(text)
            assert of is not None, text
            self._give(kind, given, of, "first")
        return None

    def used(self, text: str) -> None:
        """Readings, separated by commas."""
        for each in text.split(", ") if text else []:
            assert self._do(each, day("31")) is not None, each

    def sends(self, name: str, quantity: str, hour: datetime, region: str | None = None) -> None:
        given = {"value": quantity} | ({"region": region} if region else {})
        one = {"customer_id": "acme", "transaction_id": str(uuid7()), "event_type": name, "properties": given}
        self.v1.usage.ingest(usage=[one | {"timestamp": format_instant(hour)}])

    # How it stands

    def held(self, **query: Any) -> list[Any]:
        asked = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True}
        return list(self.v1.contracts.list_balances(**self.whose, **asked | query))

    def left(self, **query: Any) -> str:
        """Of each balance by name. Each is the sum of its ledger, and what is in dollars adds up to the net balance."""
        held = self.held(**query)
        dollars = Decimal(0)
        for each in held:
            assert _sum(entry.amount for entry in each.ledger) == Decimal(str(each.balance)), each.name
            if each.access_schedule.credit_type.id == self.usd:
                dollars += Decimal(str(each.balance))
        net = self.v1.contracts.get_net_balance(**self.whose, **query).data.balance
        assert Decimal(str(net)) == dollars
        return ", ".join(f"{each.name} {shown(each.balance)}" for each in sorted(held, key=lambda each: each.name))

    def bills(self) -> str:
        """Of usage by month, all contracts together, and of what is charged by day; what is nothing is not told."""
        found: dict[tuple[datetime, str], Decimal] = {}
        for each in self.v1.customers.invoices.list(**self.whose):
            usage = each.type == "USAGE"
            moment = each.start_timestamp if usage else each.issued_at
            key = (moment, f"{moment:%b}" if usage else f"{moment:%-d %b}")
            found[key] = found.get(key, Decimal(0)) + Decimal(str(each.total))
        return ", ".join(f"{name} {shown(total)}" for (_, name), total in sorted(found.items()) if total)

    def ledger(self, name: str) -> list[str]:
        """What was entered for all balances of that name, by type without its prefix."""
        return [
            f"{entry.timestamp:%-d %b} {_short(entry.type)} {shown(entry.amount)}"
            for each in self.held()
            if each.name == name
            for entry in each.ledger
        ]

    @property
    def usd(self) -> str:
        return "2714e483-4ff1-48e4-9e25-ac732e8f24f2"


def _as_many(parts: Sequence[str], amounts: str) -> Sequence[str]:
    """One for each amount: a single one is that of all."""
    number = amounts.count("+") + 1
    return parts * number if len(parts) == 1 else parts


def _sum(amounts: Any) -> Decimal:
    return sum((Decimal(str(amount)) for amount in amounts), Decimal(0))


def _short(type_: str) -> str:
    for prefix in ("PREPAID_COMMIT_", "POSTPAID_COMMIT_", "CREDIT_"):
        type_ = type_.removeprefix(prefix)
    return type_.lower()
