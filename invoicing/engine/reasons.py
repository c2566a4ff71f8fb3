"""Why a draft is held and not finalized, who has to act, and how far a person's review reaches.

    reason                                  who acts        its way out
    a price is missing, or sold twice       RevOps          mend it: no review lets a document go without it
    a value cannot be read, less than 0     Operations      mend it
    no tax rate                             Finance         mend it
    a source has gone quiet                 Operations      mend it, or review it
    nothing was used at all, unlike before  Operations      mend it, or review it
    far above or below what is usual        Finance         review it
    held by hand                            Finance         release it

A review names the reasons that somebody saw. It lets the document go as long as nothing else speaks against it:

    reviewed                                            now                                 held
    ABOVE at 400, where 100 is usual                    ABOVE at 400, or nearer to 100      no
    ABOVE at 400, where 100 is usual                    ABOVE at 410                        no: a tenth of 100 more
    ABOVE at 400, where 100 is usual                    ABOVE at 411                        yes, once more
    ABOVE at 400, where 100 is usual                    BELOW at 10                         yes: another reason
    tokens of acme are quiet                            calls of acme are quiet, too        yes, by the calls
    a hold of Monday                                    a hold of Tuesday                   yes, by Tuesday's
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from invoicing.engine.bounds import ABOVE, BELOW, Billed, Bounds, OutOfBounds
from invoicing.engine.findings import TOO_LARGE
from invoicing.engine.stretches import NO_CONVERSION, TWO_CONTRACTS
from pricing.engine.prices import Unpriced

REVENUE_OPERATIONS, OPERATIONS, FINANCE = "RevOps", "Operations", "Finance"

QUIET, SILENT, BY_HAND, NO_TAX_RATE = "QUIET", "SILENT", "BY_HAND", "NO_TAX_RATE"
REVIEWABLE = frozenset({ABOVE, BELOW, QUIET, SILENT, BY_HAND})

_OF_PRICES = frozenset({Unpriced.NO_RATE, NO_CONVERSION, TWO_CONTRACTS, TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Seen:
    """A reason as somebody reviewed it."""

    kind: str
    about: str
    measure: Decimal | None


@dataclass(frozen=True, slots=True)
class Reason:
    """`about` tells reasons of one kind apart: a source, a hold. What is out of bounds has its amount as `measure`,
    what is `usual`, and how much farther from that it may go and still count as reviewed (`slack`)."""

    kind: str
    message: str
    who: str
    about: str = ""
    measure: Decimal | None = None
    usual: Fraction = Fraction(0)
    slack: Fraction = Fraction(0)
    since: datetime | None = None  # None: since the draft fell due

    @property
    def key(self) -> str:
        """What somebody who reviews it names it by: another amount is another key."""
        return " ".join([self.kind, self.about, "" if self.measure is None else f"{self.measure.normalize():f}"])

    @property
    def is_reviewable(self) -> bool:
        return self.kind in REVIEWABLE

    def is_covered_by(self, seen: Iterable[Seen]) -> bool:
        """Whether somebody has seen this very reason, or one that is no nearer to what is usual."""
        return self.is_reviewable and any(self._was(each) for each in seen)

    def _was(self, seen: Seen) -> bool:
        if (seen.kind, seen.about) != (self.kind, self.about):
            return False
        if self.measure is None or seen.measure is None:
            return True
        return abs(Fraction(self.measure) - self.usual) <= abs(Fraction(seen.measure) - self.usual) + self.slack


def of_bounds(found: OutOfBounds, now: Billed, bounds: Bounds, message: str) -> Reason:
    """A tenth of what is usual, or the least difference that matters, may come on top of what was reviewed."""
    slack = max(found.usual / 10, Fraction(bounds.least_difference))
    return Reason(found.kind, message, FINANCE, measure=now.total, usual=found.usual, slack=slack)


def who_mends(finding_kind: str) -> str:
    """Who acts on a finding that holds its document."""
    return REVENUE_OPERATIONS if finding_kind in _OF_PRICES else OPERATIONS
