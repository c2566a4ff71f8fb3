"""What a period comes to, before it is walked: a price by volume depends on it from the first unit on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.periods import Period
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.routes import Routes
from ledger.used import Used


def know_totals(draft: UsageDraft, slices: Sequence[Period], usage: Mapping[Period, Used]) -> None:
    """Tell every item of a draft where its counter will be at the end, by counting it through once."""
    routes = Routes((draft,))
    for slice_ in slices:
        if draft.open.starting_at <= slice_.starting_at < draft.open.ending_before:
            routes.move_to(slice_.starting_at)
            for item, metered in routes.count(usage[slice_], slice_.starting_at).priced.items():
                item.quantity = max(item.quantity + item.billable(metered), Fraction(0))
                item.metered += metered
    for key, item in draft.items.items():
        draft.items[key] = replace(item, metered=Decimal(0), quantity=Fraction(0), total=item.quantity)
