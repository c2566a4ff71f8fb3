"""Payments that access to a commit waits for: agreed with the commit, and recorded (`docs/payment_gates.md`)."""

from dataclasses import asdict
from datetime import datetime

from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.gate_inputs import NONE, GateInput, StripeConfigInput
from contracts.models import Commit, ContractEdit, Customer, PaymentGate, PaymentOutcome
from contracts.queries import AgreedCommit
from contracts.queries.gates import AgreedGate
from contracts.services.recording import add_terms, record_edit

GATE_TYPES = (NONE, *PaymentGate.Type.values)
PAYMENT_TYPES = ("INVOICE", "PAYMENT_INTENT")


def gate_row(given: GateInput | None, committed: AgreedCommit, problems: Problems) -> AgreedGate | None:
    """The gate of a commit that is added, not saved; None where nothing is waited for. What is wrong goes to
    `problems`, which are those of the commit."""
    if given is None:
        return None
    inner = problems.within("payment_gate_config")
    if given.payment_gate_type not in GATE_TYPES:
        inner.add("payment_gate_type", given.payment_gate_type, f"must be one of {', '.join(GATE_TYPES)}")
        return None
    is_stripes = given.payment_gate_type == PaymentGate.Type.STRIPE
    if given.stripe_config is not None and not is_stripes:
        inner.add("stripe_config", "a configuration", "belongs to the payment_gate_type STRIPE")
    if given.payment_gate_type == NONE:
        return None
    commit, items = committed.commit, committed.invoice_items
    if commit.type != Commit.Type.PREPAID:
        inner.add("payment_gate_type", given.payment_gate_type, f"must be {NONE}: only a prepaid commit waits for one")
    elif not commit.is_invoiced or len(items) != 1 or items[0].amount <= 0:
        rule = f"must be {NONE}, or the commit be paid by one invoice: one item above zero in invoice_schedule"
        inner.add("payment_gate_type", given.payment_gate_type, rule)
    if given.stripe_config is not None:
        _check_stripe(given.stripe_config, inner.within("stripe_config"))
    stripe_config = asdict(given.stripe_config) if given.stripe_config is not None else None
    return AgreedGate(PaymentGate(commit=commit, type=given.payment_gate_type, stripe_config=stripe_config))


def gate_as_given(agreed: AgreedGate | None) -> GateInput | None:
    """What would be sent to agree the same again."""
    if agreed is None:
        return None
    config = agreed.gate.stripe_config
    return GateInput(agreed.gate.type, stripe_config=StripeConfigInput(**config) if config is not None else None)


def record_payment(
    customer: Customer,
    gate: PaymentGate,
    outcome: PaymentOutcome.Outcome,
    *,
    reason: str,
    at: datetime,
    by: Actor,
) -> PaymentOutcome:
    """Tell what became of a payment, as an edit of the commit's contract. Call it under the customer's lock, once
    everything has been checked."""
    edit = record_edit(
        customer,
        ContractEdit.Kind.PAYMENT,
        contract=gate.commit.contract,
        changes={"payment": {"commit_id": str(gate.commit_id), "workflow_id": str(gate.pk), "outcome": outcome.value}},
        reason=reason,
        at=at,
        by=by,
    )
    told = PaymentOutcome(gate=gate, outcome=outcome)
    add_terms(edit, [told])
    return told


def told_already(told: PaymentOutcome) -> str:
    return f"was recorded as {told.outcome} on {format_instant(told.created_at)}, and stays so"


def _check_stripe(given: StripeConfigInput, problems: Problems) -> None:
    if given.payment_type not in PAYMENT_TYPES:
        problems.add("payment_type", given.payment_type, f"must be one of {', '.join(PAYMENT_TYPES)}")
    if given.invoice_metadata and given.payment_type != "INVOICE":
        problems.add("invoice_metadata", "metadata", "belongs to the payment_type INVOICE")
    if given.on_session_payment and given.payment_type != "PAYMENT_INTENT":
        problems.add("on_session_payment", True, "belongs to the payment_type PAYMENT_INTENT")
