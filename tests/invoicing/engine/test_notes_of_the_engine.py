"""Notes without a database: the worked table in the docstring of `invoicing.engine.notes`, and what it leaves out."""

from dataclasses import dataclass, replace

import pytest

from billing_site.foundation.periods import Period
from contracts.terms import QUANTITY, Commit
from invoicing.engine.balances import balances
from invoicing.engine.calendar import BillingPeriod
from invoicing.engine.commits import all_commits
from invoicing.engine.documents import Document
from invoicing.engine.drafts import usage_draft
from invoicing.engine.inputs import Inputs
from invoicing.engine.late.recount import recount
from invoicing.engine.late.slices import NotAsComputed
from invoicing.engine.notes.anew import Billed
from invoicing.engine.notes.correct import Correction, Reopened, correct
from invoicing.engine.notes.document import NOTE, note_of
from invoicing.engine.plan import plan
from invoicing.engine.rounding import finalized
from invoicing.engine.sellers import sellers
from invoicing.engine.walk import answered
from pricing.engine.catalog import Conversion
from tests.invoicing.engine.books import Books
from tests.invoicing.engine.world import (
    CREDITS,
    NEW_YEAR,
    NOTHING_POSTED,
    NOVEMBER,
    OCTOBER,
    D,
    Ledger,
    card,
    composite,
    contract,
    given,
    on,
    override,
    package,
    percentage,
    postpaid,
    prepaid,
    product,
    rate,
    target,
    uid,
    used,
)

CLOSED, NOW, HALF = on(11, 2), on(11, 5), on(10, 15)
H, L = product("H"), product("L")
CARE = composite("Care", "H")
USED = (used("H", on(10, 5, 12), 10), used("H", on(10, 20, 12), 10))


@dataclass
class October:
    """Acme's October, final; then prices, terms and products are others."""

    books: Books
    known: Inputs
    billed: tuple[Billed, ...]

    @classmethod
    def of(cls, *rates, commits=(), products=(H,), events=USED, credits_at=None, **terms) -> "October":
        prices = card(*rates, credits_at=credits_at)
        books = Books(given(CLOSED, [contract(commits=commits, **terms)], [prices], products), list(events))
        books.close(CLOSED)
        document = books.finals[0].document
        lines = [line for line in document.lines if line.type == "usage"]
        billed = [
            Billed(line.product_id, (*line.pricing_group_values, *line.presentation_group_values), line.unit, part)
            for line in lines
            for part in line.parts
        ]
        in_order = sorted(billed, key=lambda each: (each.part.above, each.part.upto))
        return cls(books, replace(books.inputs, posted=NOTHING_POSTED), tuple(in_order))

    def now(self, *rates, products=(), credits_at=None, **terms) -> Inputs:
        """What is known by now; what is not named is as it was."""
        was = self.books.inputs
        (agreed,) = was.terms.contracts
        prices = card(*rates, credits_at=credits_at) if rates else was.catalog.rate_cards[agreed.rate_card_id]
        versions = [version for found in was.catalog.products.values() for version in found if version.type != "FIXED"]
        return given(NOW, [replace(agreed, **terms)], [prices], products or versions, posted=was.posted)

    def corrected(self, now: Inputs) -> Correction:
        document = self.books.finals[0].document
        then, period = (_period(inputs, document) for inputs in (self.known, now))
        planned, ledger = plan(now, [period]), Ledger(self.books.events)
        counted = answered(recount(now, period, planned, ledger.usage(planned.slices)), ledger.finer)
        former = usage_draft(then, sellers(self.known.terms, self.known.catalog), self.known.catalog, ())
        left = {each.segment.id: each.left for each in _shared(now)}
        (closed,) = self.books.closed(NOW)
        return correct(Reopened(closed.adjusts, self.billed, former, counted), left)

    def note(self, now: Inputs) -> Document:
        return note_of(self.corrected(now), now, _shared(now), slot="1")

    def differs(self, now: Inputs) -> str:
        """What is to be paid as printed, and what balances give (below zero) or get back: `-10 30`."""
        rounded = finalized(self.note(now))
        entries = [f"{entry.entry.amount.normalize():f}" for entry in rounded.entries]
        printed = [f"{rounded.total.normalize():f}"] if any(rounded.totals) or entries else []
        return " ".join([*printed, *entries]) or "none"


def _period(inputs: Inputs, document: Document) -> BillingPeriod:
    (agreed,) = inputs.terms.contracts
    return BillingPeriod(agreed, document.period.starting_at, document.period.ending_before)


def _shared(inputs: Inputs):
    return balances(all_commits(inputs), inputs.catalog, inputs.posted)


def paying(amount: str, **terms) -> tuple[Commit, ...]:
    return (prepaid(amount, OCTOBER, NEW_YEAR, name="Pack", **terms),)


H8 = (rate("H", "10"), rate("H", "8", publication=2))
H12 = (rate("H", "10"), rate("H", "12", publication=2))


@pytest.mark.parametrize(
    ("price", "commits", "change", "differs"),
    [
        ("10", (), {"rates": H8}, "-40"),
        ("10", (), {"rates": H12}, "40"),
        ("10", (), {"overrides": (override("0.5", period=Period(HALF)),)}, "-50"),
        ("10", (), {"rates": (rate("H", "10"), rate("H", "1", starting_at=NOVEMBER))}, "none"),
        ("10", paying("300"), {"rates": H8}, "0 40"),
        ("10", paying("150"), {"rates": H8}, "-10 30"),
        ("10", paying("220"), {"rates": H12}, "20 -20"),
        ("10", (), {"commits": paying("300")}, "none"),
        ("1.04", (), {"rates": (rate("H", "1.05"),)}, "none"),
    ],
)
def test_the_worked_table(price, commits, change, differs):
    october = October.of(rate("H", price), commits=commits)
    assert october.differs(october.now(*change.pop("rates", ()), **change)) == differs


def test_a_composite_follows_what_it_is_a_share_of():
    """A tenth of 200, then of 160; and a tenth of 180 in the second half, once that is half as dear."""
    october = October.of(rate("H", "10"), rate("Care", "0", tariff=percentage("0.1")), products=(H, CARE))
    dearer = rate("Care", "0", tariff=percentage("0.2"), publication=2)
    assert october.differs(october.now(*H8, rate("Care", "0", tariff=percentage("0.1")))) == "-44"
    assert october.differs(october.now(rate("H", "10"), rate("Care", "0", tariff=percentage("0.1")), dearer)) == "20"


@pytest.mark.parametrize(("includes", "differs"), [(True, "-88"), (False, "-60")])
def test_a_composite_of_composites(includes, differs):
    """Care is a tenth of H. Help is all of both where it includes composites: 200 + 20 + 220, then 160 + 16 + 176; else
    it is 0.4 of H: 200 + 20 + 80, then 160 + 16 + 64."""
    help_ = composite("Help", "H", "Care", include_composite_spend=includes)
    shares = (
        rate("Care", "0", tariff=percentage("0.1")),
        rate("Help", "0", tariff=percentage("1" if includes else "0.4")),
    )
    october = October.of(rate("H", "10"), *shares, products=(H, CARE, help_))
    assert october.differs(october.now(*H8, *shares)) == differs


TWICE = Conversion(factor=D(2), operation="MULTIPLY")


@pytest.mark.parametrize(
    ("commits", "differs"),
    [
        pytest.param((), "200", id="nobody's balance"),
        pytest.param(paying("1000"), "0 -200", id="a balance that has enough"),
        pytest.param(paying("300"), "100 -100", id="a balance that runs out"),
        pytest.param(paying("200"), "200", id="a balance that has nothing more"),
        pytest.param(paying("100"), "200", id="a balance that paid for half: it keeps half, and has no more"),
        pytest.param(paying("25", access_type=QUANTITY), "150 -5", id="a balance that counts units"),
        pytest.param(paying("20", access_type=QUANTITY), "200", id="a balance of units that has nothing more"),
    ],
)
def test_each_payer_keeps_its_share_of_another_count(commits, differs):
    """Every H counts twice now: 40 units at 10."""
    october = October.of(rate("H", "10"), commits=commits)
    assert october.differs(october.now(products=(replace(H, conversion=TWICE),))) == differs


def test_who_may_not_pay_any_more_gets_it_back():
    october = October.of(rate("H", "10"), rate("L", "1"), commits=paying("300"), products=(H, L))
    assert october.differs(october.now(commits=paying("300", targets=(target("L"),)))) == "200 200"


TENTH = percentage("0.1")


@pytest.mark.parametrize(
    ("rates", "differs"),
    [
        pytest.param([rate("L", "1")], "-240", id="neither the product nor the composites on it"),
        pytest.param([rate("H", "10"), rate("Help", "0", tariff=TENTH)], "-20", id="not one of the composites"),
        pytest.param(
            [rate("H", "10"), rate("Care", "0", tariff=TENTH), rate("Help", "0", tariff=TENTH, entitled=False)],
            "-20",
            id="a composite that the card has, and the contract does not",
        ),
        pytest.param(
            [rate("H", "0"), rate("Care", "0", tariff=TENTH), rate("Help", "0", tariff=TENTH)], "-240", id="for free"
        ),
    ],
)
def test_what_is_not_sold_any_more_is_taken_back(rates, differs):
    """Care and Help are a tenth of H each: 200 + 20 + 20. H has two runs, as it counts anew from the 15th on."""
    anew = replace(H, starting_at=HALF, publication=2, presentation_group_key=("region",))
    composites = rate("Care", "0", tariff=TENTH), rate("Help", "0", tariff=TENTH)
    october = October.of(
        rate("H", "10"), rate("L", "1"), *composites, products=(H, anew, L, CARE, composite("Help", "H"))
    )
    assert october.differs(october.now(*rates)) == differs


def test_what_was_billed_was_sold_then():
    october = October.of(rate("H", "10"))
    october.billed = tuple(replace(each, product_id=uid("L")) for each in october.billed)
    with pytest.raises(NotAsComputed, match="was billed at 2025-10-01"):
        october.note(october.now())


def test_what_comes_to_the_same_in_another_way_changes_nothing():
    """20 at 10 are 10 at 8 and 10 at 12."""
    october = October.of(rate("H", "10"))
    assert october.differs(october.now(rate("H", "8"), rate("H", "12", starting_at=HALF))) == "none"


def test_of_two_balances_each_has_its_own_back():
    """The first had 50 for 5 H, the second 150 for 15."""
    both = (*paying("50", priority=D(1)), prepaid("500", OCTOBER, NEW_YEAR, name="Other"))
    october = October.of(rate("H", "10"), commits=both)
    assert october.differs(october.now(*H8)) == "0 10 30"


def test_a_balance_of_units_that_one_slice_has_used_up_has_none_for_the_next():
    """20 units, which paid for 10 and 10; counted twice, for the 20 of the first half."""
    october = October.of(rate("H", "10"), rate("H", "11", starting_at=HALF), commits=paying("20", access_type=QUANTITY))
    assert october.differs(october.now(products=(replace(H, conversion=TWICE),))) == "220"


def test_what_had_no_price_is_to_be_paid():
    october = October.of(rate("L", "1"), products=(H, L), events=[*USED, used("L", on(10, 5), 7)])
    assert october.differs(october.now(rate("H", "10"), rate("L", "1"))) == "200"


def test_a_price_in_credits_is_converted():
    """20 H at 2 credits of 3 cents, then at 1 credit. A commit of 90 cents pays for some."""
    october = October.of(rate("H", "2", unit=CREDITS), credits_at="3")
    assert october.differs(october.now(rate("H", "1", unit=CREDITS), credits_at="3")) == "-60"
    paid = October.of(rate("H", "2", unit=CREDITS), credits_at="3", commits=paying("90"))
    assert paid.differs(paid.now(rate("H", "1", unit=CREDITS), credits_at="3")) == "-15 45"


def test_a_share_of_a_package_stays_with_who_paid_for_it():
    """A package of 100 for 50 cents, of which a balance has 20; then it is 40."""
    october = October.of(rate("H", "0", tariff=package("50", "100")), commits=paying("20"))
    assert october.differs(october.now(rate("H", "0", tariff=package("40", "100")))) == "-6 4"


def test_a_true_up_that_is_final_follows():
    """300 until November: 200 of usage and 100; then 160 and 140."""
    owed = (postpaid("300", OCTOBER, NOVEMBER, name="Pack"),)
    october = October.of(rate("H", "10"), commits=owed)
    assert [final.total for final in october.books.finals] == [200, 100]
    note = october.note(october.now(*H8))
    assert (note.kind, note.total, note.period, note.issued_at) == (NOTE, 0, None, NOW)


def test_what_stands_for_the_period_from_then_on():
    october = October.of(rate("H", "10"), commits=paying("150"))
    correction = october.corrected(october.now(*H8))
    assert [each.part.amount for each in correction.billed] == [150, 50]
    assert [each.part.amount for each in correction.standing] == [120, 40]
