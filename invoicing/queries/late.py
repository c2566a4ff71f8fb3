"""What the engine is told of closed periods that have missed something: what was posted for them, and their usage now.

A usage document, and one of late usage, carries whatever closed periods of its contract had missed when it became
final. So a period is looked at again only where something came in that the last of these did not see.
"""

from invoicing.engine.inputs import Inputs
from invoicing.engine.late.closed import Closed, Held
from invoicing.queries.closed_documents import ClosedDocument, closed_documents
from invoicing.queries.finals import Finals
from invoicing.queries.lateness import missed_by


def closed_periods(inputs: Inputs, finals: Finals) -> list[Closed]:
    """The periods of standing documents that have missed something, by (end, contract).

    One statement where none has. Contracts that are archived, or not agreed any more, are not looked at.
    """
    agreed = {contract.id for contract in inputs.terms.contracts}
    missed = missed_by(finals.of(agreed), inputs.terms.claims)
    documents = closed_documents(inputs, [each.invoice for each in missed], finals)
    return [_closed(each, inputs) for each in documents]


def _closed(document: ClosedDocument, inputs: Inputs) -> Closed:
    held = tuple(Held.of(each.product_id, each.part.group_values, each.unit_id, each.part) for each in document.parts)
    return Closed(document.adjusts, held, document.counted(document.known, inputs))
