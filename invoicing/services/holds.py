"""A person holds a draft, or releases it after seeing what holds it. Either says why, and is kept for ever.

Holding and finalizing are both money transactions of the customer: whichever is first wins, and the other is refused.
What was found in a draft is mended and never released; a release names the reasons that were seen, so that whatever
else comes to speak against the draft holds it again.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from billing_site.foundation import jobs
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import Job
from billing_site.foundation.problems import checked_reason
from billing_site.foundation.refusals import Conflict, FieldError, NotFound, Refusal
from contracts.models import Customer
from contracts.transactions import money_transaction
from invoicing.engine.documents import Document
from invoicing.engine.reasons import BY_HAND, Reason
from invoicing.frozen import digits
from invoicing.models import HoldDecision, Invoice
from invoicing.queries.compute import Computation, computation
from invoicing.queries.due import FINALIZE_DUE
from invoicing.queries.holds import decisions, draft_or_silence, reasons_to_hold
from invoicing.services.finalization import NothingToFinalize, named


class HeldAlready(Conflict):
    """A person holds the document already."""


class HoldsChanged(Conflict):
    """What was named does not hold the document: not any more, or not like that."""


@money_transaction
def hold_draft(customer: Customer, draft_id: UUID, *, reason: str, at: datetime, by: Actor) -> HoldDecision:
    """Keep a draft from becoming final until somebody releases it, and so the usage of its contract after it.

    Raises NotFound, NothingToFinalize where it is final, HeldAlready, and Refusal where the reason is no reason.
    """
    reason = checked_reason(reason)
    draft, _ = _draft(customer, draft_id, at=at)
    standing = decisions(customer.pk, [draft_id]).get(draft_id)
    if standing is not None and standing.hold is not None:
        raise HeldAlready(f"{named(draft)} is held by {standing.hold.created_by} already: {standing.hold.reason}")
    return _decide(customer, draft, HoldDecision.Kind.HELD, reason, at=at, by=by)


@money_transaction
def release_draft(
    customer: Customer, draft_id: UUID, *, seen: Collection[str], reason: str, at: datetime, by: Actor
) -> HoldDecision:
    """Let a draft go as far as the reasons go whose keys are `seen`, and try again what they had stopped.

    Raises NotFound, NothingToFinalize where it is final, HoldsChanged where one of `seen` does not hold it, and Refusal
    where nothing is named, the reason is no reason, or what is named has to be mended.
    """
    reason = checked_reason(reason)
    draft, computed = _draft(customer, draft_id, at=at)
    held = {each.key: each for each in reasons_to_hold(computed, [draft], at=at).get(draft_id, ())}
    if not seen:
        raise Refusal.of("seen", "nothing", "must name at least one reason that holds the document")
    if not set(seen) <= held.keys():
        raise HoldsChanged(f"What holds {_inside(draft)} is not what you saw. Nothing was released: look again.")
    chosen = [held[key] for key in dict.fromkeys(seen)]
    for each in chosen:
        if not each.is_reviewable:
            raise Refusal.of("seen", each.kind, f"must be mended and cannot be released: {each.message}")
    decision = _decide(customer, draft, HoldDecision.Kind.RELEASED, reason, at=at, by=by, seen=chosen)
    for job in Job.objects.filter(
        kind=FINALIZE_DUE, state=Job.State.FAILED, key__startswith=f"{customer.pk} "
    ).order_by("created_at", "id"):
        jobs.try_again(job)
    return decision


def _draft(customer: Customer, draft_id: UUID, *, at: datetime) -> tuple[Document, Computation]:
    if Invoice.objects.filter(customer=customer, pk=draft_id).exists():
        raise NothingToFinalize(f"Invoice {draft_id} is final already.")
    computed = computation(customer.pk, at=at)  # after the lock, never before
    draft = draft_or_silence(computed, draft_id)
    if draft is None:
        rule = "must be the id of a draft of this customer"
        raise NotFound("There is no such draft.", FieldError("id", draft_id, rule))
    return draft, computed


def _decide(
    customer: Customer,
    draft: Document,
    kind: str,
    reason: str,
    *,
    at: datetime,
    by: Actor,
    seen: Collection[Reason] = (),
) -> HoldDecision:
    return HoldDecision.objects.create(
        customer=customer,
        contract_id=draft.contract_id,
        document_id=draft.id,
        document_name=named(draft),
        kind=kind,
        releases_id=next((UUID(each.about) for each in seen if each.kind == BY_HAND), None),
        reviewed=[
            {
                "kind": each.kind,
                "about": each.about,
                "measure": None if each.measure is None else digits(each.measure),
                "message": each.message,
            }
            for each in seen
            if each.kind != BY_HAND
        ],
        reason=reason,
        created_at=at,
        created_by=by.label,
        actor_id=by.id,
        money_version=customer.money_version,
    )


def _inside(draft: Document) -> str:
    """Its name within a sentence."""
    name = named(draft)
    return name[0].lower() + name[1:]
