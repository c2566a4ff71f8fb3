"""Scheduled amounts on usage documents, told from the terms: when each falls due (`docs/scheduled_charges.md`)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billing_site.foundation.periods import format_instant
from contracts import terms
from contracts.consolidation import usage_period_on
from contracts.models import ContractTerms
from contracts.queries import Agreement, to_terms
from invoicing.engine.calendar import finalizes_at
from invoicing.models import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True)
class OnUsageInvoices:
    """Of contracts whose scheduled amounts are on usage documents: what of that is final."""

    contracts: Mapping[UUID, terms.Contract] = field(default_factory=dict)
    billed_through: Mapping[UUID, datetime | None] = field(default_factory=dict)
    ends_agreed_at: Mapping[UUID, datetime] = field(default_factory=dict)  # when their standing ends were
    slots: frozenset[tuple[UUID, str]] = frozenset()  # contract and slot of final usage documents, void ones too
    items: frozenset[UUID] = frozenset()  # that were billed on them

    def falls_due(self, contract_id: UUID, item_id: UUID, issued_at: datetime, agreed_at: datetime) -> datetime | None:
        """When an item falls due by itself; None: it was billed, or is due with its usage document."""
        if contract_id not in self.contracts:
            return max(issued_at, agreed_at)
        if item_id in self.items:
            return None
        contract = self.contracts[contract_id]
        period = usage_period_on(contract, issued_at)
        if period is None or (contract_id, format_instant(period.starting_at)) in self.slots:
            return max(issued_at, agreed_at, self.ends_agreed_at[contract_id])  # on its own, perhaps by a moved end
        end, through = period.ending_before, self.billed_through[contract_id]
        assert end is not None, "billing periods have an end"
        with_usage = finalizes_at(end, contract.created_at, contract.grace_hours)
        if agreed_at <= with_usage and (through is None or through < end):
            return None
        # Its period had nothing to bill when it fell due, or later ones are final: what was added since makes a
        # document of it.
        return max(with_usage, agreed_at)


def on_usage_invoices(contract_ids: Collection[UUID]) -> OnUsageInvoices:
    """Of contracts that have scheduled amounts on usage documents. Three queries; none where there is no contract."""
    if not contract_ids:
        return OnUsageInvoices()
    standing = ContractTerms.objects.standing().filter(contract__in=list(contract_ids))
    held = {each.contract_id: each for each in standing.select_related("contract")}
    usage = Invoice.objects.filter(contract_id__in=held, kind=Invoice.Kind.USAGE)
    lines = InvoiceLine.objects.filter(invoice__in=usage, details__has_key="scheduled_item_id")
    return OnUsageInvoices(
        contracts={key: to_terms(Agreement(each.contract, each, (), (), (), ())) for key, each in held.items()},
        billed_through={key: each.contract.billed_through for key, each in held.items()},
        ends_agreed_at={key: each.created_at for key, each in held.items()},
        slots=frozenset(usage.values_list("contract_id", "slot")),
        items=frozenset(map(UUID, lines.values_list("details__scheduled_item_id", flat=True))),
    )
