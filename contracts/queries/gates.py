"""Gates of commits, with what became of them, as known at an edit."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from contracts import terms
from contracts.models import Commit, InvoiceScheduleItem, PaymentGate, PaymentOutcome, TermQuerySet


@dataclass(frozen=True, slots=True)
class AgreedGate:
    gate: PaymentGate
    outcome: PaymentOutcome | None = None

    @property
    def is_waiting(self) -> bool:
        return self.outcome is None

    @property
    def has_failed(self) -> bool:
        return self.outcome is not None and not self.outcome.is_paid

    def to_gate(self) -> terms.Gate:
        """As the engines take it."""
        if self.outcome is None:
            return terms.Gate(self.gate.pk)
        return terms.Gate(self.gate.pk, self.outcome.created_at, self.outcome.is_paid)


def gates_of(
    commits: Iterable[Commit], known: Callable[[TermQuerySet], TermQuerySet] = lambda outcomes: outcomes.standing()
) -> Mapping[UUID, AgreedGate]:
    """By commit: the gate of each that has one. `commits` were read with theirs (`select_related("gate")`), `known`
    picks the outcomes that were told by then. One query, or none."""
    gates = [gate for commit in commits if (gate := getattr(commit, "gate", None)) is not None]
    if not gates:
        return {}
    outcomes = {each.gate_id: each for each in known(PaymentOutcome.objects.filter(gate__in=gates))}
    return {gate.commit_id: AgreedGate(gate, outcomes.get(gate.pk)) for gate in gates}


def waiting_gates() -> QuerySet[PaymentGate]:
    """Of which nobody has recorded what became of the payment, and somebody still can: with `asked`, the amount of the
    invoice, with customer, commit and its units; who has waited longest first."""
    items = InvoiceScheduleItem.objects.filter(commit=OuterRef("commit")).order_by("-id")  # one, never changed
    return (
        PaymentGate.objects.filter(
            outcome=None,
            commit__removed_by_edit=None,
            commit__contract__archived_at=None,
            customer__archived_at=None,
        )
        .annotate(asked=Subquery(items.values("amount")[:1]))
        .select_related("customer", "commit__unit", "commit__invoice_unit")
        .order_by("created_at", "id")
    )
