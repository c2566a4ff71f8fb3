"""The tax on a document, and how it is kept among the document's fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from billing_site.foundation.display import day_text
from billing_site.foundation.money import exact_sum
from invoicing.engine.rounding import RoundedDocument
from invoicing.engine.taxes import NoTaxRate, TaxLine, TaxPort, taxes
from invoicing.frozen import digits


@dataclass(frozen=True, slots=True)
class Taxation:
    """`problem` says why there is no tax though there should be: such a document cannot become final."""

    lines: tuple[TaxLine, ...] = ()
    problem: str = ""
    of_line: Mapping[int, Decimal] = field(default_factory=dict)  # by position; of taxed lines

    @property
    def total(self) -> Decimal:
        return exact_sum([line.amount for line in self.lines])

    def fields(self) -> dict[str, Any]:
        """For the document's fields on the wire, as JSON. What does not apply is absent."""
        if self.problem:
            return {"tax_problem": self.problem}
        rows = [
            {
                "name": line.rate.name,
                "tax_code": line.rate.code,
                "percent": digits(line.rate.percent),
                "taxable": digits(line.taxable),
                "amount": digits(line.amount),
            }
            for line in self.lines
        ]
        return {"tax_lines": rows} if rows else {}

    def line_fields(self, position: int) -> dict[str, Any]:
        """Likewise, of the line at `position`, counted from 0."""
        return {"tax_amount": digits(self.of_line[position])} if position in self.of_line else {}


UNTAXED = Taxation()


def taxation(document: RoundedDocument, port: TaxPort) -> Taxation:
    try:
        lines = taxes(document, port)
    except NoTaxRate as missing:
        code = f"the tax code {missing.code}" if missing.code else "products without a tax code"
        return Taxation(problem=f"There is no tax rate for {code} on {day_text(missing.at)}.")
    return Taxation(lines, of_line={position: share for line in lines for position, share in line.shares.items()})
