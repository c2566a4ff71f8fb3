"""Contracts as they were agreed at first, and what each amendment added to them: what later edits changed or took out
is there as it was added."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.periods import parse_instant
from contracts.models import ContractEdit, ContractTerms, Override, ProfessionalService, Term, TermQuerySet
from contracts.queries.agreements import AgreedCharge, AgreedCommit, AgreedServices, Agreement, agreements_of
from contracts.queries.granted import with_granted

AMENDED_FROM = "starting_at"  # where an edit keeps from when on it amends the contract; other edits have no such thing
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Amendment:
    """An edit that adds terms from a date on, with what it added. Credits are among the commits."""

    edit: ContractEdit
    overrides: tuple[Override, ...]
    commits: tuple[AgreedCommit, ...]
    charges: tuple[AgreedCharge, ...]
    services: tuple[ProfessionalService, ...]

    @property
    def starting_at(self) -> datetime:
        return parse_instant(self.edit.changes[AMENDED_FROM])


@dataclass(frozen=True, slots=True)
class Origin:
    """`initial` has among its commits what was granted at once."""

    initial: Agreement
    amendments: tuple[Amendment, ...]


def origins(customer_id: UUID, contract_ids: Collection[UUID]) -> dict[UUID, Origin]:
    """By contract: what was agreed when it was created, and its amendments in order. Ten queries at the most."""
    edits = ContractEdit.objects.filter(customer_id=customer_id, contract_id__in=contract_ids)
    amending = list(edits.filter(kind=ContractEdit.Kind.EDIT, changes__has_key=AMENDED_FROM).order_by("number"))

    def added(terms: TermQuerySet) -> TermQuerySet:
        first = Q(added_by_edit__kind=ContractEdit.Kind.CREATION)
        if terms.model is ContractTerms:  # of which an amendment that sets royalties adds a row, too
            return terms.filter(first)
        return terms.filter(first | Q(added_by_edit__in=amending))

    found = agreements_of(customer_id, contract_ids, added, ContractEdit.objects.none())
    return {agreed.contract.pk: _origin(agreed, amending) for agreed in found}


def _origin(agreed: Agreement, amending: Iterable[ContractEdit]) -> Origin:
    """From everything that the creation and the amendments added."""
    creation = agreed.terms.added_by_edit_id
    initial = replace(
        agreed,
        overrides=_by(creation, agreed.overrides, _itself),
        commits=_by(creation, agreed.commits, _commit),
        charges=_by(creation, agreed.charges, _charge),
        services=AgreedServices(_by(creation, agreed.services.services, _itself)),
    )
    return Origin(
        with_granted(initial, at=agreed.contract.created_at),
        tuple(
            Amendment(
                edit,
                _by(edit.pk, agreed.overrides, _itself),
                _by(edit.pk, agreed.commits, _commit),
                _by(edit.pk, agreed.charges, _charge),
                _by(edit.pk, agreed.services.services, _itself),
            )
            for edit in amending
            if edit.contract_id == agreed.contract.pk
        ),
    )


def _by(edit_id: UUID, added: Iterable[T], term_of: Callable[[T], Term]) -> tuple[T, ...]:
    return tuple(each for each in added if term_of(each).added_by_edit_id == edit_id)


def _itself(term: Term) -> Term:
    return term


def _commit(committed: AgreedCommit) -> Term:
    return committed.commit


def _charge(charged: AgreedCharge) -> Term:
    return charged.charge
