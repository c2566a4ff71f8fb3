"""Tax on a document that has been rounded: which lines, at which rate, and how it is rounded.

**Which lines.** Those that count toward the total, in the document's unit. A balance that is applied has the rate of
the line that it pays for, and so takes that line's tax away again: what was prepaid is taxed where it is bought, on the
line that charges for it, and a credit is not taxed at all. What is converted from a custom unit has the standard rate.

**How much.** Lines of one rate are added as printed; their sum times the percentage is rounded half away from zero to
the minor unit, once for each rate. It is shared among the lines by largest remainder. Prices are before tax.

**Worked table.** Amounts are in the major unit. Of every row there is a test.

    unit   lines                    rate    taxable   tax       shares
    EUR    10.00                    19      10.00     1.90      1.90
    EUR    0.05                     10      0.05      0.01      0.01
    EUR    -0.05                    10      -0.05     -0.01     -0.01
    EUR    0.33 0.33 0.33           10      0.99      0.10      0.04 0.03 0.03
    EUR    100.00 -100.00           19      0.00      0.00      19.00 -19.00
    EUR    100.00                   0       100.00    0.00      0.00
    USD    19.99                    8.875   19.99     1.77      1.77
    JPY    105 104                  10      209       21        11 10
    KWD    1.234 -0.001             5       1.233     0.062     0.062 0.000

Of two rates each is rounded for itself: 0.05 at 10 and 0.05 at 20 are 0.01 and 0.01, not 0.02 of 0.10.

**Notes.** The tax of a note is that of all notes on its document together, less the tax that earlier ones printed. So
notes that take back a document bit by bit take back its tax to the cent, and never more than that:

    document, at 19   tax    notes                  their tax
    0.10              0.02   -0.05 -0.05            -0.01 -0.01
    0.13              0.02   -0.03 -0.03 -0.07      -0.01 0.00 -0.01
    100.00            19.00  -33.33 -33.33 -33.34   -6.33 -6.34 -6.33
    1.00              0.19   0.50 -0.75 -0.75       0.10 -0.15 -0.14
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from billing_site.foundation.money import exact_sum, largest_remainder, ratio, round_to
from billing_site.foundation.periods import HOUR, Period
from invoicing.engine.documents import Document, Line
from invoicing.engine.rounding import RoundedDocument

STANDARD = ""  # the code of products that have none of their own


@dataclass(frozen=True, slots=True)
class TaxRate:
    """As it is printed: `name` is "VAT", `percent` 19 of a hundred."""

    name: str
    percent: Decimal
    code: str = STANDARD


class NoTaxRate(Exception):
    """No rate holds for something that is to be taxed. `code` is its tax code."""

    def __init__(self, code: str, at: datetime) -> None:
        super().__init__(f"No tax rate for code {code!r} at {at.isoformat()}.")
        self.code, self.at = code, at


class TaxPort(Protocol):
    """Where rates come from."""

    def rate(self, product_id: UUID | None, at: datetime) -> TaxRate | None:
        """The rate of a product at an instant, or None where it is not taxed. Raises NoTaxRate."""


@dataclass(frozen=True, slots=True)
class NoTaxes:
    """Nothing is taxed."""

    def rate(self, product_id: UUID | None, at: datetime) -> TaxRate | None:
        return None


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A rate for a tax code over a stretch of time; `country` is the buyer's, or empty: for any."""

    rate: TaxRate
    country: str
    period: Period


@dataclass(frozen=True, slots=True)
class FixedRates:
    """Rates by the tax code of the product and the country of the buyer.

    Among those that hold, one for the country goes before one for any, and then the one that began last.
    """

    country: str
    codes: Mapping[UUID, str]  # by product
    rates: Sequence[DatedRate]

    def rate(self, product_id: UUID | None, at: datetime) -> TaxRate | None:
        code = STANDARD if product_id is None else self.codes.get(product_id, STANDARD)
        found = [
            each
            for each in self.rates
            if each.rate.code == code and each.country in ("", self.country) and at in each.period
        ]
        if not found:
            raise NoTaxRate(code, at)
        return max(found, key=lambda each: (each.country != "", each.period.starting_at)).rate


@dataclass(frozen=True, slots=True)
class AsPrinted:
    """The rates that a document has printed, by tax code: what corrects it is taxed alike, whatever has become of the
    buyer's taxes since. What it has not taxed then is taxed as ever."""

    port: TaxPort
    codes: Mapping[UUID, str]  # by product
    rates: Mapping[str, TaxRate]

    def rate(self, product_id: UUID | None, at: datetime) -> TaxRate | None:
        code = STANDARD if product_id is None else self.codes.get(product_id, STANDARD)
        return self.rates[code] if code in self.rates else self.port.rate(product_id, at)


@dataclass(frozen=True, slots=True)
class Taxed:
    """What earlier notes on a document have printed for one rate."""

    taxable: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


NOTHING_TAXED = Taxed()


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What one rate comes to. `shares` are those of the document's lines, by position; exact multiples of the minor
    unit that add up to `amount`."""

    rate: TaxRate
    taxable: Decimal
    amount: Decimal
    shares: Mapping[int, Decimal]


def taxes(
    document: RoundedDocument, port: TaxPort, before: Mapping[TaxRate, Taxed] = MappingProxyType({})
) -> tuple[TaxLine, ...]:
    """The tax lines of a document, higher rates first; of a note, where `before` says what earlier notes on the same
    document have printed. Raises NoTaxRate.

    Usage is taxed by what holds in the last hour of its period, late usage of the period that it is of, anything else
    by what holds on the document's issue date.
    """
    positions: dict[TaxRate, list[int]] = {}
    for position, rate in _rates(document.document, port):
        positions.setdefault(rate, []).append(position)
    step = document.document.unit.minor_step
    ordered = sorted(positions, key=lambda rate: (-rate.percent, rate.name, rate.code))
    return tuple(
        tax_line(
            rate,
            {position: document.totals[position] for position in positions[rate]},
            step,
            before.get(rate, NOTHING_TAXED),
        )
        for rate in ordered
    )


def tax_line(rate: TaxRate, amounts: Mapping[int, Decimal], step: Decimal, before: Taxed = NOTHING_TAXED) -> TaxLine:
    """What `rate` comes to on printed `amounts`, in steps of the minor unit."""
    taxable, part = exact_sum(list(amounts.values())), ratio(rate.percent) / 100
    alone = round_to(ratio(taxable) * part, step)
    amount = round_to(ratio(exact_sum([before.taxable, taxable])) * part, step) - before.amount
    exact = [ratio(each) * part for each in amounts.values()]
    shares = largest_remainder(exact, alone, step)
    if amount != alone:  # what was rounded before is made up for where it shows least
        widest = max(range(len(exact)), key=lambda position: abs(exact[position]))
        shares[widest] += amount - alone
    return TaxLine(rate, taxable, amount, dict(zip(amounts, shares, strict=True)))


def _rates(document: Document, port: TaxPort) -> Iterator[tuple[int, TaxRate]]:
    """The position of each taxed line, with its rate."""
    paid_for: Line | None = None
    for position, line in enumerate(document.lines):
        taxed = paid_for if line.type == "applied_commit_or_credit" and paid_for is not None else line
        paid_for = taxed
        if line.counts and line.unit == document.unit:
            rate = port.rate(taxed.product_id, _taxed_at(taxed, document))
            if rate is not None:
                yield position, rate


def _taxed_at(line: Line, document: Document) -> datetime:
    period = document.period if line.adjusts is None else line.adjusts.period
    if period is None or period.ending_before is None:
        return document.issued_at
    return period.ending_before - HOUR
