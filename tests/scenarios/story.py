"""One story as it goes on, and how a function is bound to the sentence that it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from metronome import Metronome

from tests.scenarios.story_text import Phrase, StoryError

Step = Callable[..., None]


class Steps(dict[Phrase, Step]):
    """What is done, by the phrase that says it."""

    def says(self, text: str, needs: Sequence[str] = (), may_have: Sequence[str] = ()) -> Callable[[Step], Step]:
        """The function does what the phrase says."""

        def register(step: Step) -> Step:
            self[Phrase(text, tuple(needs), tuple(may_have))] = step
            return step

        return register


@dataclass
class Story:
    """One story as it goes on. Names of things lead to their ids."""

    client: Metronome
    currency: str = "USD"
    products: dict[str, str] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    contracts: dict[str, tuple[str, str]] = field(default_factory=dict)  # customer, contract
    units: dict[str, tuple[str, Decimal]] = field(default_factory=dict)  # of its own: id, worth on the wire
    balance_product: str = ""
    sent: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)  # events by customer, product, instant

    def known(self, things: Mapping[str, Any], name: str, place: str) -> Any:
        if name not in things:
            raise StoryError(f"{place}: {name!r} was not said before; known are {sorted(things)}")
        return things[name]

    def wire(self, unit: str = "") -> Decimal:
        """What one of the currency, or of a unit of the story's own, is on the wire."""
        return Decimal(100 if (unit or self.currency) == "USD" else 1)

    def unit_id(self, name: str, place: str) -> str:
        if name in self.units:
            return self.units[name][0]
        fiat = {unit.name.partition(" ")[0]: unit.id for unit in self.client.v1.pricing_units.list()}
        return self.known(fiat, name, place)

    def invoices(self, customer: str) -> list[Any]:
        found = self.client.v1.customers.invoices.list(customer_id=customer)
        return sorted(found, key=lambda each: (each.issued_at, getattr(each, "number", "~"), each.type))

    def numbered(self, customer: str, wanted: str, place: str) -> Any:
        return self.known({getattr(each, "number", ""): each for each in self.invoices(customer)}, wanted, place)
