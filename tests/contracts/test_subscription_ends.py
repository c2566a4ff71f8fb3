"""However the end of a contract is moved, and whatever is final by then: the fees of a subscription come to all of its
time, once."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from billing_site.foundation.periods import Period, billing_periods, full_period
from contracts.subscription_ends import collected_until, own_end
from contracts.subscriptions import fees, own_slot, running, usage_period_of
from tests.invoicing.engine.subscribed import quantities, subscription
from tests.invoicing.engine.world import NEW_YEAR, NOVEMBER, OCTOBER, contract
from tests.invoicing.engine.world import on as day

FAR = day(1, 1, year=2028)
EVER = day(12, 31, year=2029)


class Books:
    """A contract with one subscription, billed month by month; `final` has the fees of each final document."""

    def __init__(self, subscribed, end):
        self.contract = contract(OCTOBER, end, subscriptions=(subscribed,))
        self.billed_through = None
        self.final = {}

    @property
    def subscribed(self):
        [found] = self.contract.subscriptions
        return found

    def finalize(self, at):
        made = {}
        for period in billing_periods(self.contract.term, self.contract.billing_anchor_at, "MONTHLY"):
            if period.ending_before > at:
                break
            self.billed_through = max(period.ending_before, self.billed_through or period.ending_before)
            made[period.starting_at] = []
        for fee in fees(self.contract, self.subscribed, until=at):
            on_usage = usage_period_of(self.contract, fee)
            until = at if on_usage is None else self.billed_through or OCTOBER
            if (fee.collected_at if on_usage is None else on_usage.ending_before) <= until:
                made.setdefault(own_slot(fee) if on_usage is None else on_usage.starting_at, []).append(fee)
        self.final = made | self.final

    def move(self, end, at):
        """As an edit does it; False where it is refused."""
        old = self.contract.term.ending_before
        if (self.billed_through and min(old, end) < self.billed_through) or end == old:
            return False
        anchor = self.contract.billing_anchor_at
        if old == self.billed_through and full_period(anchor, "MONTHLY", at=old).starting_at != old:
            return False
        until = collected_until(self.contract, self.subscribed, at=at)
        if until is not None and end < until:
            return False
        own = own_end(self.contract, self.subscribed, end, billed_through=self.billed_through, at=at)
        subscribed = self.subscribed
        if own is not None:
            period = Period(subscribed.period.starting_at, own.ending_before)
            subscribed = replace(subscribed, period=period, is_ended_late=own.is_late)
        self.contract = replace(self.contract, term=Period(OCTOBER, end), subscriptions=(subscribed,))
        return True

    def charged(self):
        """Units times hours of all final fees, up to the end of the subscription."""
        end = self.runs.ending_before
        return sum(
            fee.quantity * (max(min(fee.period.ending_before, end) - fee.period.starting_at, timedelta()) // HOUR)
            for together in self.final.values()
            for fee in together
        )

    def due(self):
        starts = [each.starting_at for each in self.subscribed.quantities if each.starting_at in self.runs]
        ends = [*starts[1:], self.runs.ending_before]
        counts = [each.quantity for each in self.subscribed.quantities]
        return sum(count * ((end - start) // HOUR) for count, start, end in zip(counts, starts, ends, strict=False))

    @property
    def runs(self):
        return running(self.contract, self.subscribed)


HOUR = timedelta(hours=1)
days = st.integers(1, 420).map(lambda count: OCTOBER + timedelta(days=count))
firsts = st.integers(1, 14).map(lambda count: day(1 + (9 + count) % 12, 1, year=2025 + (9 + count) // 12))
instants = st.one_of(days, firsts)
terms = st.fixed_dictionaries(
    {
        "frequency": st.sampled_from(["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"]),
        "anchor_at": st.sampled_from([OCTOBER, day(1, 31), day(9, 15), day(10, 1, 5)]),
        "is_in_advance": st.booleans(),
        "bills_immediately": st.booleans(),
        "is_on_usage_invoice": st.booleans(),
    }
)
ARREARS = {"frequency": "QUARTERLY", "anchor_at": OCTOBER, "is_in_advance": False, "bills_immediately": False}
ARREARS |= {"is_on_usage_invoice": True}
FIRST_YEAR = day(10, 1, year=2026)


@given(terms=terms, more_at=days, end=instants, moves=st.lists(st.tuples(instants, instants), min_size=1, max_size=4))
@example(terms=ARREARS, more_at=day(10, 16), end=NEW_YEAR, moves=[(day(11, 5), NOVEMBER)])
@example(terms=ARREARS, more_at=day(10, 16), end=NEW_YEAR, moves=[(day(11, 5), NOVEMBER), (day(11, 9), FIRST_YEAR)])
@example(terms=ARREARS, more_at=day(10, 16), end=NOVEMBER, moves=[(day(11, 5), NEW_YEAR)])
@example(
    terms=ARREARS | {"frequency": "WEEKLY", "is_on_usage_invoice": False},
    more_at=day(10, 3),
    end=NEW_YEAR,
    moves=[(day(11, 25), day(11, 15))],
)
@settings(max_examples=60, deadline=None)
def test_all_fees_are_collected_once_wherever_the_end_is_moved(terms, more_at, end, moves):
    assume(end > OCTOBER)
    held = quantities((OCTOBER, 10), (more_at, 15))
    books = Books(replace(subscription(OCTOBER, (OCTOBER, 10), **terms), quantities=held), end)
    for at, new_end in sorted(moves):
        books.finalize(at)
        books.move(new_end, at)
    books.finalize(EVER)
    assert books.charged() == books.due()
