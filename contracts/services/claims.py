"""Claiming and releasing subjects."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict
from contracts.models import Claim, Contract, ContractEdit, Customer
from contracts.queries import holders_of

SUBJECT_BYTES = 128
FIELD = "ingest_aliases"


def checked_aliases(problems: Problems, aliases: Sequence[str], customer_id: UUID | None = None) -> list[str]:
    """Aliases as a set in the order given; what cannot be one goes to `problems`."""
    ids = {alias: found for alias in aliases if (found := _as_id(alias))}
    customers = set(Customer.objects.filter(pk__in=ids.values()).values_list("pk", flat=True)) if ids else set()
    for index, alias in enumerate(aliases):
        name = f"{FIELD}[{index}]"
        if not alias:
            problems.add(name, alias, "must not be empty")
        elif len(alias.encode()) > SUBJECT_BYTES:
            problems.add(name, alias, f"must not be longer than {SUBJECT_BYTES} bytes")
        elif "\0" in alias:
            problems.add(name, alias, "must not contain the character U+0000")
        elif ids.get(alias) in customers:
            whose = "this customer's own id, which works without" if ids[alias] == customer_id else "a customer's id"
            problems.add(name, alias, f"must not be {whose}")
    return list(dict.fromkeys(aliases))


def former_owners(subjects: Iterable[str]) -> set[UUID]:
    """Customers that have ever claimed any of the subjects: whoever claims one now locks them too."""
    claims = Claim.objects.filter(subject__in=list(subjects), customer__isnull=False)
    return set(claims.values_list("customer_id", flat=True))


def refuse_taken(subjects: Sequence[str], customer_id: UUID | None = None) -> None:
    """Raises Conflict where another customer, archived or not, holds one of the subjects."""
    for subject, claim in holders_of(subjects).items():
        if claim.customer_id is not None and claim.customer_id != customer_id:
            raise Conflict.of(FIELD, subject, f"is an alias of customer {claim.customer_id}")


def claim_subjects(subjects: Sequence[str], edit: ContractEdit, *, at: datetime, by: Actor) -> None:
    """Claim subjects that nobody holds: a new one with its whole history, a released one from where it was released."""
    last = holders_of(subjects)
    _append(
        [
            Claim(
                subject=subject,
                customer_id=edit.customer_id,
                sequence=last[subject].sequence + 1 if subject in last else 1,
                starting_at=last[subject].starting_at if subject in last else None,
            )
            for subject in subjects
        ],
        edit,
        at=at,
        by=by,
    )


def release_subjects(subjects: Sequence[str], edit: ContractEdit, *, at: datetime, by: Actor) -> None:
    """Give up subjects that the customer holds, as far back as nothing is billed."""
    last = holders_of(subjects)
    billed = Contract.objects.filter(customer_id=edit.customer_id).aggregate(Max("billed_through"))
    billed_through = billed["billed_through__max"]
    _append(
        [
            Claim(
                subject=subject,
                customer=None,
                sequence=last[subject].sequence + 1,
                starting_at=_later(last[subject].starting_at, billed_through),
            )
            for subject in subjects
        ],
        edit,
        at=at,
        by=by,
    )


def _append(claims: list[Claim], edit: ContractEdit, *, at: datetime, by: Actor) -> None:
    ids = sorted(uuid7() for _ in claims)  # so that they sort in the order given
    for claim_id, claim in zip(ids, claims, strict=True):
        claim.pk, claim.edit, claim.created_at, claim.created_by = claim_id, edit, at, by.label
    try:
        with transaction.atomic():
            Claim.objects.bulk_create(claims)
    except IntegrityError as error:
        subjects = ", ".join(claim.subject for claim in claims)
        raise Conflict.of(FIELD, subjects, "was claimed by another customer at this moment") from error


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two starts, where None is since ever."""
    return max(filter(None, (one, other)), default=None)


def _as_id(alias: str) -> UUID | None:
    try:
        return UUID(alias)
    except ValueError:
        return None
