"""What the job cluster does for invoicing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing_site.foundation import clock, jobs
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import day_text
from billing_site.foundation.jobs import Payload, every_minute, in_words, job
from billing_site.foundation.periods import parse_instant
from contracts.models import ContractTerms
from contracts.queries.customers import names_of_customers
from contracts.services import go_on
from invoicing import services
from invoicing.queries.clock import MOVE_CLOCK, goals_of_moves
from invoicing.queries.due import FINALIZE_DUE, GO_ON
from invoicing.services.releases import RELEASE_DRAFTS, Held


@job(FINALIZE_DUE)
def finalize_due(payload: Payload, at: datetime) -> None:
    """Finalize what is due of one customer. What has to be held parks the job, with the reasons."""
    by = Actor.job("finalization")
    services.finalize_due(UUID(payload["customer_id"]), at=at, by=by, report=jobs.report).raise_if_held()


@in_words(FINALIZE_DUE, "Finalize what is due")
def whose(payloads: Sequence[Payload]) -> list[str]:
    ids = [UUID(payload["customer_id"]) for payload in payloads]
    names = names_of_customers(set(ids))
    dues = [day_text(parse_instant(payload["due_at"])) for payload in payloads]
    return [f"{names[customer_id]}, due {due}" for customer_id, due in zip(ids, dues, strict=True)]


@job(GO_ON)
def let_go_on(payload: Payload, at: datetime) -> None:
    """Let a contract go on at its end. What refuses it parks the job, with the reason."""
    by = Actor.job("end of contract")
    go_on(UUID(payload["customer_id"]), UUID(payload["contract_id"]), at=at, by=by)


@in_words(GO_ON, "Let a contract go on at its end")
def which_contract(payloads: Sequence[Payload]) -> list[str]:
    ids = {UUID(payload["contract_id"]) for payload in payloads}
    found = ContractTerms.objects.standing().filter(contract__in=ids).select_related("customer")
    names = {str(terms.contract_id): f"{terms.name or 'a contract'} of {terms.customer.name}" for terms in found}
    return [names[payload["contract_id"]] for payload in payloads]


@job(RELEASE_DRAFTS)
def release_drafts(payload: Payload, at: datetime) -> None:
    """Release drafts that a person has chosen, in that person's name. What stays held is told, and waits for it."""
    released = services.release_drafts(
        [Held.of_payload(each) for each in payload["drafts"]],
        reason=payload["reason"],
        asked_at=parse_instant(payload["asked_at"]),
        at=at,
        by=Actor(**payload["by"]),
        report=jobs.report,
    )
    jobs.report(f"{released.text}.")


@in_words(RELEASE_DRAFTS, "Release drafts")
def how_many(payloads: Sequence[Payload]) -> list[str]:
    return [f"{len(payload['drafts']):,} drafts, by {payload['by']['label']}" for payload in payloads]


@job(MOVE_CLOCK)
def move_clock(payload: Payload, at: datetime) -> None:
    """Carry a move of the test clock on for some seconds. What refuses it ends the move, with the reason."""
    services.carry_on_moving(UUID(payload["move_id"]), payload["chunk"])


@in_words(MOVE_CLOCK, "Move the test clock")
def where_to(payloads: Sequence[Payload]) -> list[str]:
    goals = goals_of_moves({UUID(payload["move_id"]) for payload in payloads})
    return [f"to {day_text(goals[UUID(payload['move_id'])])}" for payload in payloads]


@every_minute
def queue_due_work() -> None:
    services.queue_due_work(at=clock.now())
