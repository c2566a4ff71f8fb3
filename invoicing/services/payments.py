"""Recording what became of the payment that access to a commit waits for (`docs/payment_gates.md`).

recorded    before           its invoice                          access
paid        waiting          stays, or becomes final on its date  from this hour on
failed      waiting          voided, none in its place; or none   never
the same    recorded so      as it is                             as it is
the other   recorded         refused, and stays as it is          as it is
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.money import exact_sum
from billing_site.foundation.problems import checked_reason
from billing_site.foundation.refusals import Conflict, FieldError, NotFound
from contracts.models import Contract, Customer, PaymentGate, PaymentOutcome
from contracts.queries import AgreedCommit, agreement
from contracts.services.gates import record_payment, told_already
from contracts.terms import AccessSegment, Gate
from contracts.transactions import money_transaction
from invoicing.models import Invoice
from invoicing.services.voiding import void_invoice

Outcome = PaymentOutcome.Outcome


class PaymentToldOtherwise(Conflict):
    """The other outcome was recorded."""


class NothingToRelease(Conflict):
    """The payment would open nothing: it is not asked for any more, or what it pays for is over."""


@dataclass(frozen=True, slots=True)
class AwaitedPayment:
    """A gate with the commit behind it and, once it is final, the invoice that asks for the payment."""

    contract: Contract
    committed: AgreedCommit
    invoice: Invoice | None

    @property
    def gate(self) -> PaymentGate:
        assert self.committed.gate is not None, "access waits for it"
        return self.committed.gate.gate

    @property
    def outcome(self) -> PaymentOutcome | None:
        assert self.committed.gate is not None, "access waits for it"
        return self.committed.gate.outcome

    def usable_from(self, at: datetime) -> tuple[AccessSegment, ...]:
        """What could be drawn on if it were recorded as paid at `at`."""
        segments = tuple(each.to_segment() for each in self.committed.segments)
        return Gate(self.gate.pk, at, is_paid=True).usable(segments)

    def lost_by(self, at: datetime) -> Decimal:
        """How much of what is paid for has ended by then."""
        whole = exact_sum([each.amount for each in self.committed.segments])
        return whole - exact_sum([each.amount for each in self.usable_from(at)])


def awaited_payment(workflow_id: UUID) -> AwaitedPayment:
    """By the gate's id. Raises NotFound, and NothingToRelease where the commit or its contract is archived."""
    gate = PaymentGate.objects.select_related("commit__contract__customer").filter(pk=workflow_id).first()
    if gate is None:
        raise no_such_payment(workflow_id)
    contract = gate.commit.contract
    assert contract is not None, "what waits for a payment is a contract's"
    agreed = agreement(gate.customer_id, contract.pk)
    committed = next((each for each in agreed.commits if each.commit.pk == gate.commit_id), None)
    if committed is None or agreed.is_archived:
        raise NothingToRelease(
            "The commit that waits for this payment is archived, or its contract is.",
            FieldError("workflow_id", workflow_id, "must be of a commit that is not archived"),
        )
    return AwaitedPayment(contract, committed, _invoice(committed))


@money_transaction
def record_outcome(
    customer: Customer, workflow_id: UUID, outcome: Outcome, *, reason: str, at: datetime, by: Actor
) -> PaymentOutcome:
    """Record that the payment was made, or that it has failed. Recording the same again changes nothing.

    Raises NotFound, Refusal for the reason, PaymentToldOtherwise, NothingToRelease, and OthersBuildOnIt where a note
    has corrected the invoice of a payment that has failed.
    """
    reason = checked_reason(reason)
    known = PaymentOutcome.objects.filter(customer=customer, gate=workflow_id).first()
    if known is not None:
        if known.outcome != outcome:
            rule = told_already(known)
            raise PaymentToldOtherwise(
                f"The payment {rule}.", FieldError("outcome", outcome.lower(), f"cannot be recorded: it {rule}")
            )
        return known
    awaited = awaited_payment(workflow_id)
    invoice, is_void = awaited.invoice, awaited.invoice is not None and hasattr(awaited.invoice, "void")
    if outcome == Outcome.PAID:
        _refuse_what_opens_nothing(awaited, is_void=is_void, at=at)
    elif invoice is not None and not is_void:
        void_invoice(customer, invoice.pk, reason=reason, at=at, by=by)
    return record_payment(customer, awaited.gate, outcome, reason=reason, at=at, by=by)


def customer_of_payment(workflow_id: UUID) -> UUID:
    """Raises NotFound."""
    found = PaymentGate.objects.filter(pk=workflow_id).values_list("customer_id", flat=True).first()
    if found is None:
        raise no_such_payment(workflow_id)
    return found


def no_such_payment(workflow_id: UUID) -> NotFound:
    return NotFound.of("workflow_id", workflow_id, "must be the workflow_id of a commit that waits for a payment")


def _invoice(committed: AgreedCommit) -> Invoice | None:
    """The last generation of the document that asks for the payment; needs no more than the commit's rows."""
    slots = [each.slot for each in committed.to_commit().invoice_items]
    found = Invoice.objects.filter(
        customer=committed.commit.customer_id,
        contract=committed.commit.contract_id,
        kind=Invoice.Kind.CHARGES,
        slot__in=slots,
    )
    return found.select_related("void", "unit").order_by("-generation").first()


def _refuse_what_opens_nothing(awaited: AwaitedPayment, *, is_void: bool, at: datetime) -> None:
    gate_id = awaited.gate.pk
    if is_void:
        raise NothingToRelease(
            f"{awaited.invoice} is void: make it anew before its payment is recorded.",
            FieldError("workflow_id", gate_id, "must be of a payment whose invoice is not void"),
        )
    if not awaited.committed.invoice_items:
        raise NothingToRelease(
            "No invoice asks for this payment any more: its date was after the contract's end.",
            FieldError("workflow_id", gate_id, "must be of a payment that an invoice asks for"),
        )
    if not awaited.usable_from(at):
        raise NothingToRelease(
            "What the payment is for is over: extend its access first, or record that the payment failed.",
            FieldError("workflow_id", gate_id, "must be of a commit whose access has not ended"),
        )
