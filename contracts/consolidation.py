"""On which usage document a scheduled amount is (`docs/scheduled_charges.md`)."""

from datetime import datetime

from billing_site.foundation.periods import DAY, HOUR, Period, earliest, floor_day, full_period
from contracts.terms import Contract


def usage_period_on(contract: Contract, issued_at: datetime) -> Period | None:
    """The billing period whose usage document ends on the UTC day of `issued_at`; of two, the first.

    None where there is none, on the day on which the contract starts or its usage is first invoiced, and where amounts
    stay on documents of their own.
    """
    day = floor_day(issued_at)
    before = day - HOUR
    invoiced = contract.invoiced
    if not contract.charges_on_usage or contract.rate_card_id is None or invoiced is None or before not in invoiced:
        return None
    whole = full_period(contract.billing_anchor_at, contract.frequency, at=before)
    end = earliest(whole.ending_before, invoiced.ending_before)
    if end is None or end >= day + DAY:
        return None
    return Period(max(whole.starting_at, invoiced.starting_at), end)
