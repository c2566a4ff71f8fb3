"""Asking of prices that begin later than those that are published whether they stay or are withdrawn with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import QueryDict

from pricing.services import LaterPrice

KEEP, WITHDRAW, EACH = "KEEP", "WITHDRAW", "EACH"
OF_ALL = "later_prices"
OF_ONE = "later_price:"  # before the rate's id in the name of its field
UNANSWERED = "Say of each later price whether it stays or is withdrawn."


@dataclass(frozen=True, slots=True)
class LaterAnswers:
    """KEEP, WITHDRAW, or nothing yet. What is said of all counts for each; EACH leaves it to what is said of each."""

    of_all: str
    of_each: Mapping[UUID, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: QueryDict, *, may_withdraw: bool) -> "LaterAnswers":
        """As they were sent; whoever may not withdraw is not asked, and every later price stays.

        Raises BadRequest for a field that no page of ours has.
        """
        if not may_withdraw:
            return cls(KEEP)
        named = {name.removeprefix(OF_ONE): data.get(name, "") for name in data if name.startswith(OF_ONE)}
        try:
            of_each = {UUID(rate_id): answer for rate_id, answer in named.items() if answer in (KEEP, WITHDRAW)}
        except ValueError as error:
            raise BadRequest("The name of a later price is not the id of one.") from error
        said = data.get(OF_ALL, "")
        return cls(said if said in (KEEP, WITHDRAW, EACH) else "", of_each)

    def answer(self, rate_id: UUID) -> str:
        return self.of_all if self.of_all in (KEEP, WITHDRAW) else self.of_each.get(rate_id, "")

    def leave_open(self, asked: Iterable[LaterPrice]) -> bool:
        """Whether some later price has no answer."""
        return any(not self.answer(each.rate_id) for each in asked)

    def withdraws(self, rate_id: UUID) -> bool:
        return self.answer(rate_id) == WITHDRAW
