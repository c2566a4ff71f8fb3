"""A customer's documents over time: drafts become final one by one, usage comes in late, and closed periods are told of
it, all of them each time, whether or not they have missed anything."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from billing_site.foundation.money import exact_sum
from invoicing.engine.calendar import BillingPeriod
from invoicing.engine.documents import Adjusted, Document, Line, Result
from invoicing.engine.inputs import Inputs
from invoicing.engine.late.closed import Closed, Held
from invoicing.engine.late.recount import recount
from invoicing.engine.plan import plan
from invoicing.engine.rounding import RoundedDocument, finalized
from invoicing.engine.walk import answered, compute
from pricing.engine.catalog import GroupValues
from tests.invoicing.engine.world import NOTHING_POSTED, Event, Ledger, settled


@dataclass
class Books:
    inputs: Inputs
    events: list[Event] = field(default_factory=list)
    finals: list[RoundedDocument] = field(default_factory=list)
    known: Inputs | None = None  # what final documents were made of, where that has changed since

    def use(self, *events: Event) -> None:
        self.events += events

    def draft(self, at: datetime) -> Result:
        """What the engine says at `at`."""
        inputs = replace(self.inputs, at=at)
        planned, ledger = plan(inputs), Ledger(self.events)
        closed = self.closed(at)
        return answered(compute(inputs, planned, ledger.usage(planned.slices), closed), ledger.finer)

    def edit(self, **terms: object) -> None:
        """The contract is another from now on; final documents keep what they were made of."""
        self.known = self.known or self.inputs
        (contract,) = self.inputs.terms.contracts
        changed = replace(self.inputs.terms, contracts=(replace(contract, **terms),))
        self.inputs = replace(self.inputs, terms=changed)

    def closed(self, at: datetime) -> list[Closed]:
        """The periods of final documents, as the engine is told of them at `at`."""
        return list(self._closed(replace(self.known or self.inputs, at=at)))

    def close(self, at: datetime, *, kinds: Iterable[str] = ("USAGE", "ADJUSTMENT", "TRUE_UP")) -> list[Document]:
        """Make final what is due at `at`, usage first, each after what it waits for; computed anew each time."""
        closed = []
        for kind in kinds:
            while due := [each for each in self.draft(at).documents if each.kind == kind and each.finalizes_at <= at]:
                self.finalize(due[0])
                closed.append(due[0])
        return closed

    def finalize(self, document: Document) -> RoundedDocument:
        rounded = finalized(document)
        self.finals.append(rounded)
        self.inputs = replace(self.inputs, posted=settled(self.inputs.posted, rounded))
        return rounded

    def _closed(self, inputs: Inputs) -> Iterator[Closed]:
        known = replace(inputs, posted=NOTHING_POSTED)
        contracts = {contract.id: contract for contract in inputs.terms.contracts}
        usage = [final.document for final in self.finals if final.document.kind == "USAGE"]
        for document in sorted(usage, key=lambda each: (each.issued_at, each.contract_id)):
            period = BillingPeriod(contracts[document.contract_id], document.period.starting_at, document.issued_at)
            planned, ledger = plan(known, [period]), Ledger(self.events)
            counting = recount(known, period, planned, ledger.usage(planned.slices))
            yield Closed(self._adjusted(document), tuple(self._held(document)), answered(counting, ledger.finer))

    def _held(self, document: Document) -> Iterator[Held]:
        for final in self.finals:
            found = [
                ((part.above, part.upto), Held.of(line.product_id, _values(line), line.unit.id, part))
                for line in _lines_about(final.document, document)
                if line.type == "usage"
                for part in line.parts
            ]
            yield from (held for _, held in sorted(found, key=lambda pair: pair[0]))

    def _adjusted(self, document: Document) -> Adjusted:
        exact, printed = [], []
        for final in self.finals:
            about = _lines_about(final.document, document)
            for line, total in zip(final.document.lines, final.totals, strict=True):
                if line.counts and line in about:
                    exact.append(line.total)
                    printed.append(total)
        return Adjusted(
            document.id, f"N-{document.issued_at:%m}", document.period, exact_sum(exact), exact_sum(printed)
        )


def _lines_about(final: Document, document: Document) -> list[Line]:
    """The lines of a final document that are about the period of `document`."""
    own = final.id == document.id
    return [line for line in final.lines if (own if line.adjusts is None else line.adjusts.invoice_id == document.id)]


def _values(line: Line) -> GroupValues:
    return (*line.pricing_group_values, *line.presentation_group_values)


def rated(documents: Iterable[Document]) -> Decimal:
    """What usage came to over all of these, whoever pays."""
    return exact_sum([line.total for document in documents for line in document.lines if line.type == "usage"])
