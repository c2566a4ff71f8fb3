"""Notices before a contract's end: how near it is, and what will happen there (`docs/end_policies.md`)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from billing_site.foundation.display import count_text, day_text
from billing_site.foundation.periods import floor_day
from contracts.models import ContractTerms


@dataclass(frozen=True, slots=True)
class EndNotice:
    when: str
    policy: str
    badge: str
    tone: str  # the nearest stand out

    @classmethod
    def of(cls, terms: ContractTerms, at: datetime) -> "EndNotice | None":
        """None where its end is further away than anybody wants to be told of, has come, or there is none."""
        if terms.ending_before is None or not at < terms.ending_before <= told_until(at):
            return None
        nearest, *others = settings.END_NOTICE_DAYS
        days = (floor_day(terms.ending_before) - floor_day(at)).days
        return cls(
            when=day_text(terms.ending_before),
            policy=ContractTerms.EndPolicy(terms.end_policy).label,
            badge=f"in {count_text(days, 'day', 'days')}" if days else "today",
            tone="bad" if days <= nearest else "warn" if any(days <= each for each in others[:-1]) else "",
        )


def told_until(at: datetime, days: int | None = None) -> datetime:
    """Ends up to then are told of; of `days`, one of those of the setting, or its last."""
    return at + timedelta(days=settings.END_NOTICE_DAYS[-1] if days is None else days)
