"""The terms of a package as they are typed, a row each: what is agreed, how long after a start, and for how long.

    to draw on, 100 from 0 days for 1 month, 3 times      100 in each of the first three months
    paid for, 250 at 0 days, 4 times, each 3 months       250 at the start and after 3, 6 and 9 months

What is chosen from a list is empty where it is as usual, so that a row in which nothing is typed is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from billing_site.foundation.money import Unit
from contracts.commit_wording import NOUNS
from contracts.forms.amounts import MajorField, NumberField, PercentField
from contracts.forms.offsets import OffsetField
from contracts.forms.override_fields import TARGETS
from contracts.forms.overrides import GroupValuesField, StepsField
from contracts.forms.subscriptions import COLLECTED, FREQUENCIES
from contracts.models import RecurringCommit, Subscription
from contracts.recurring_wording import PERIODS, ROUNDING_TEXTS
from contracts.terms import QUANTITY
from pricing.forms import LinesField
from pricing.wording import EVERY_TEXTS

MOST_TIMES = 120
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Offered:
    """What rows can be about. `held` are the units that a balance can be held in beside money, by their ids."""

    fixed: Choices
    subscribed: Choices
    priced: Choices
    money: Unit
    held: Mapping[str, Unit]
    held_choices: Choices


@dataclass(frozen=True, slots=True)
class Rows:
    """What other rows of the form are called by, and how they are told to people."""

    subscriptions: Choices
    balances: Choices


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one kind, with the lines of fields that each has."""

    name: str
    title: str
    help: str
    lines: tuple[tuple[str, ...], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for line in self.lines for name in line)


PAYS_FOR = (("tags", "group_values", "presentation"), ("products",))
ATTRIBUTES = ("priority", "rate_type", "rollover")
PAID = ("price", "quantity", "paid_at", "paid_times", "paid_each")
OVERRIDE = Kind(
    "override",
    "Discounts and prices of its own",
    "A discount is in percent, or by quantity; a price of its own is typed below its row.",
    (
        ("what", "percent", "steps"),
        ("product", "tags", "frequency"),
        ("group_values", "presentation"),
        ("after", "lasts", "priority"),
        ("payers", "target"),
    ),
)
COMMIT = Kind(
    "commit",
    "Balances to draw on: commits and credits",
    "Several stretches follow one another; several payments are as far apart as is said. Of a postpaid commit what is"
    " missing is billed: when it is said here, or at the end.",
    (
        ("kind", "product", "name", "held_in"),
        ("amount", "after", "lasts", "times"),
        PAID,
        ATTRIBUTES,
        *PAYS_FOR,
    ),
)
SUBSCRIPTION = Kind(
    "subscription",
    "Subscriptions",
    "Who has which seat is said of each contract.",
    (
        ("product", "frequency", "quantity", "seat_group_key"),
        ("collected", "placement", "parts", "decimals", "rounding"),
        ("name", "description", "after", "lasts"),
    ),
)
ANEW = Kind(
    "anew",
    "What is granted anew each period",
    "For each one of a subscription, the subscription says the quantity.",
    (
        ("kind", "product", "name", "held_in"),
        ("each", "amount", "quantity", "billed", "billed_quantity"),
        ("after", "lasts", "periods", "proration"),
        ("of", "shared", "added"),
        ATTRIBUTES,
        *PAYS_FOR,
    ),
)
CHARGE = Kind(
    "charge",
    "Scheduled charges",
    "",
    (("product", "name"), PAID),
)
KINDS = (OVERRIDE, COMMIT, SUBSCRIPTION, ANEW, CHARGE)

DISCOUNT, STEPS, PRICE, IN, OUT = "", "TIERED", "PRICE", "IN", "OUT"
WHAT = [
    (DISCOUNT, "A discount"),
    (STEPS, "A discount by quantity"),
    (PRICE, "A price of its own"),
    (IN, "A product put into the deal"),
    (OUT, "A product taken out of it"),
]
ANY_PAYER = "ANY"

AFTER = "After the start; empty: with it."
LASTS = "Empty: as long as the contract."
PLACED = Subscription.Placement.ON_SCHEDULED_INVOICE


def called(kind: Kind, place: int) -> str:
    """What other parts call what a row makes: its temporary id."""
    return f"{kind.name} {place + 1}"


def fields_of(kind: Kind, offered: Offered, held: Unit, others: Rows) -> Iterator[tuple[str, forms.Field]]:
    """The fields of one row by name; what there is to draw on is `held` in a unit."""
    own = _OWN[kind.name](offered, held, others)
    common = {
        "name": forms.CharField(required=False, label="Name", max_length=160, help_text="Empty: the product's."),
        "after": OffsetField(label="From", help_text=AFTER),
        "lasts": OffsetField(label="For", least=1, help_text=LASTS),
        "priority": NumberField(label="Priority", help_text="The lowest comes first; empty: 100."),
        "rate_type": _choice("Pays at", [("", "List rates"), ("COMMIT_RATE", "Commit rates, where there are any")]),
        "rollover": PercentField(label="Goes over to a renewal, in percent", help_text="Empty: nothing does."),
        "tags": LinesField(label="Products with a tag", help_text="One a line; any of them."),
        "group_values": GroupValuesField(label="Only for these pricing group values"),
        "presentation": GroupValuesField(label="And these presentation group values"),
        "products": forms.MultipleChoiceField(
            required=False,
            choices=offered.priced,
            label="Pays for",
            widget=forms.CheckboxSelectMultiple,
            help_text="None ticked and no tag: everything.",
        ),
        "held_in": _choice("Held in", offered.held_choices),
    }
    for name in kind.fields:
        yield name, own.get(name) or common[name]


def _override(offered: Offered, held: Unit, others: Rows) -> dict[str, forms.Field]:
    frequencies = [("", "---"), *((code, text.capitalize()) for code, text in EVERY_TEXTS.items())]
    return {
        "what": _choice("It is", WHAT),
        "percent": NumberField(label="Off the list price, in percent", help_text="50 is half price."),
        "steps": StepsField(label="Or off it by quantity"),
        "product": _choice("Product", [("", "Those with the tags; without tags all"), *offered.priced]),
        "tags": LinesField(label="Products with all of these tags", help_text="One a line."),
        "frequency": _choice("Of a subscription: its fee", frequencies),
        "priority": NumberField(label="Priority", help_text="Where discounts are ranked: the lowest holds."),
        "payers": forms.MultipleChoiceField(
            required=False,
            choices=[(ANY_PAYER, "Any commit or credit"), *others.balances],
            label="Only while one of these pays",
            widget=forms.CheckboxSelectMultiple,
            help_text="None ticked: always.",
        ),
        "target": _choice("While it pays, what it is of", TARGETS),
    }


def _commit(offered: Offered, held: Unit, others: Rows) -> dict[str, forms.Field]:
    kinds = [("", NOUNS["PREPAID"]), *((code, NOUNS[code]) for code in ("CREDIT", "POSTPAID"))]
    return {
        "kind": _choice("It is a", kinds),
        "product": _choice("Billed as", [("", "---"), *offered.fixed]),
        "amount": _amount("Amount to draw on", held),
        "lasts": OffsetField(label="For", least=1),
        "times": NumberField(label="So many times", help_text="One after the other; empty: once."),
        **_paid(offered),
    }


def _charge(offered: Offered, held: Unit, others: Rows) -> dict[str, forms.Field]:
    return {"product": _choice("Billed as", [("", "---"), *offered.fixed]), **_paid(offered)}


def _paid(offered: Offered) -> dict[str, forms.Field]:
    return {
        "price": _amount("Billed", offered.money),
        "quantity": NumberField(label="times a quantity", help_text="Empty: 1."),
        "paid_at": OffsetField(label="After the start", help_text="For the first time; empty: at once."),
        "paid_times": NumberField(label="So many times", help_text="Empty: once."),
        "paid_each": OffsetField(label="each", least=1, help_text="How far apart."),
    }


def _subscription(offered: Offered, held: Unit, others: Rows) -> dict[str, forms.Field]:
    first, *later = COLLECTED.items()
    return {
        "product": _choice("Product", [("", "---"), *offered.subscribed]),
        "frequency": _choice("For each", [("", "month"), *FREQUENCIES[1:]]),
        "quantity": NumberField(label="Quantity", help_text="By the seat: of those that nobody has yet."),
        "seat_group_key": forms.CharField(
            required=False, label="By the seat of each", help_text="A property of events, as user."
        ),
        "collected": _choice("Collected", [("", first[1][0]), *((key, each[0]) for key, each in later)]),
        "placement": _choice("Where", [("", "On usage invoices, where one ends then"), (PLACED, "On their own")]),
        "parts": _choice("Parts of periods", [("", "by time"), ("WHOLE", "as a whole")]),
        "decimals": NumberField(label="Parts in decimals", help_text="2: whole cents; empty: not rounded."),
        "rounding": _choice("rounded", [("", "half up"), *list(ROUNDING_TEXTS.items())[1:]]),
        "name": forms.CharField(
            required=False, label="Name", max_length=160, help_text="Of the line; empty: the product's."
        ),
        "description": forms.CharField(
            required=False, label="Description", max_length=1_000, help_text="For you; on no invoice."
        ),
    }


def _anew(offered: Offered, held: Unit, others: Rows) -> dict[str, forms.Field]:
    frequencies = RecurringCommit.Frequency.values
    return {
        "kind": _choice("It is a", [("", NOUNS["CREDIT"]), ("PREPAID", NOUNS["PREPAID"])]),
        "product": _choice("Billed as", [("", "---"), *offered.fixed]),
        "each": _choice("Each", [("", PERIODS[""]), *((code, PERIODS[code]) for code in frequencies)]),
        "amount": _amount("Amount of each", held),
        "quantity": NumberField(label="times a quantity", help_text="Empty: 1."),
        "billed": _amount("Billed for each", offered.money),
        "billed_quantity": NumberField(label="times a quantity", help_text="Empty: 1."),
        "periods": NumberField(label="Each lasts for, in periods", help_text="Empty: 1, its own."),
        "proration": _choice("A period that is cut short", [("", "is by time"), *_WHOLE]),
        "of": _choice("For each one of", [("", "---"), *others.subscriptions]),
        "shared": _choice(
            "Then", [("", "all share one balance"), ("INDIVIDUAL", "each seat has a balance of its own")]
        ),
        "added": _choice("What is added within a period", [("", "comes by time"), ("FULL", "comes in full")]),
    }


_WHOLE = (
    (RecurringCommit.Proration.FIRST, "is by time if it is the first"),
    (RecurringCommit.Proration.LAST, "is by time if it is the last"),
    (RecurringCommit.Proration.NONE, "is whole"),
)
_OWN = {
    OVERRIDE.name: _override,
    COMMIT.name: _commit,
    SUBSCRIPTION.name: _subscription,
    ANEW.name: _anew,
    CHARGE.name: _charge,
}


def _choice(label: str, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=list(choices))


def _amount(label: str, unit: Unit) -> MajorField:
    field = MajorField(label=label)
    field.in_unit(unit)
    return field


def held_as(value: str) -> dict[str, Any]:
    """What a balance is held in, as templates tell it."""
    if value == QUANTITY:
        return {"access_type": QUANTITY}
    return {"credit_type_id": value} if value else {}
