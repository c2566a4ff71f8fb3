"""The history of a contract, or of the customer's own commits and credits: what each edit added and changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import F, Q, QuerySet

from billing_site.foundation.periods import format_instant
from contracts.models import (
    AccessSegment,
    ChargeVersion,
    Commit,
    CommitVersion,
    ContractEdit,
    ContractTerms,
    InvoiceScheduleItem,
    Override,
    ProfessionalService,
    RecurringCommit,
    ScheduledCharge,
    ScheduledChargeItem,
    Subscription,
    SubscriptionQuantity,
    SubscriptionTerms,
    Term,
    TermQuerySet,
)
from contracts.queries.agreements import (
    RECURRING,
    AgreedCharge,
    AgreedCommit,
    AgreedSubscription,
    in_order_of_adding,
)
from contracts.queries.gates import AgreedGate, gates_of

T = TypeVar("T", bound=Term)


@dataclass(frozen=True, slots=True)
class UpdatedCommit:
    """What an edit changed of a commit or credit: `before`, with the rows that it took out of its schedules, and
    `after`, with those that it added. A row that it changed is in both."""

    before: AgreedCommit
    after: AgreedCommit


@dataclass(frozen=True, slots=True)
class UpdatedCharge:
    """Likewise of a scheduled charge; `order` is that by which it was sold from then on, None: as before."""

    before: AgreedCharge
    after: AgreedCharge
    order: str | None = None


NOT_TAKEN_BACK = {
    *("add_usage_filters", "add_reseller_royalties"),
    *("add_billing_provider_configuration_update", "add_revenue_system_configuration_update"),
    *("archive_commits", "archive_credits", "archive_scheduled_charges", "archive_professional_services"),
    *("update_recurring_commits", "update_recurring_credits"),
}


@dataclass(frozen=True, slots=True)
class EditedTerms:
    """One edit and the terms it added, with their schedules as they were added, and the commits and charges it changed.
    The rest is in `edit.changes`."""

    edit: ContractEdit
    overrides: tuple[Override, ...]
    commits: tuple[AgreedCommit, ...]
    charges: tuple[AgreedCharge, ...]
    updates: tuple[UpdatedCommit, ...]
    recurring: tuple[RecurringCommit, ...]
    charge_updates: tuple[UpdatedCharge, ...] = ()
    subscriptions: tuple[AgreedSubscription, ...] = ()  # as they were added
    services: tuple[ProfessionalService, ...] = ()
    contract_ended_at: datetime | None = None  # as it was known with that edit; only beside subscriptions

    @property
    def is_for_hands(self) -> bool:
        """Whether it did what no single edit takes back: what else would have to come back is not for a machine to
        guess. Others may turn out to be, by what has become of them."""
        further = bool(self.updates or self.charge_updates or self.recurring)
        return further or not NOT_TAKEN_BACK.isdisjoint(self.edit.changes)

    def is_overtaken(self, terms: ContractTerms) -> bool:
        """Whether a later edit took out what it added, or changed what it said of the whole; `terms` are those now."""
        held = {
            "update_contract_end_date": format_instant(terms.ending_before) if terms.ending_before else None,
            "update_contract_name": terms.name or None,
            "update_net_payment_terms_days": terms.net_payment_terms_days,
            "update_end_policy": terms.end_policy,
        }
        changes = self.edit.changes
        added: tuple[Term, ...] = (
            *self.overrides,
            *(each.commit for each in self.commits),
            *(each.charge for each in self.charges),
            *self.services,
        )
        return any(name in changes and (changes[name] or None) != value for name, value in held.items()) or any(
            each.removed_by_edit_id is not None for each in added
        )


def edit_history(customer_id: UUID, contract_id: UUID | None, *, edit_id: UUID | None = None) -> list[EditedTerms]:
    """The edits of a contract in order, its creation not among them; or only one of them. None: those of the customer's
    own commits and credits. Fourteen queries, and two or three more where subscriptions were added."""
    kind = ContractEdit.Kind.BALANCE if contract_id is None else ContractEdit.Kind.EDIT
    edits = edits_of(customer_id, contract_id).filter(kind=kind)
    if edit_id is not None:
        edits = edits.filter(pk=edit_id)
    edits = edits.order_by("number")

    def added(terms: Iterable[T]) -> list[T]:
        rows = terms.filter(customer_id=customer_id, added_by_edit__in=edits)  # type: ignore[attr-defined]
        return in_order_of_adding(rows.select_related("added_by_edit"))

    overrides = _by(added(Override.objects.select_related("product", "unit")), "added_by_edit_id")
    recurring = _by(
        added(RecurringCommit.objects.filter(first_row=None).select_related("contract", *RECURRING)),
        "added_by_edit_id",
    )
    services = _by(added(ProfessionalService.objects.select_related("product", "unit")), "added_by_edit_id")
    charges = _ChargeMoves.of(customer_id, edits)
    subscriptions = _subscriptions(customer_id, contract_id, edits)
    moves = _Moves.of(customer_id, edits)
    return [
        EditedTerms(
            edit,
            tuple(overrides[edit.pk]),
            moves.commits_added(edit),
            charges.added(edit),
            moves.commits_updated(edit),
            tuple(recurring[edit.pk]),
            charges.updated(edit),
            subscriptions.get(edit.pk, ((), None))[0],
            tuple(services[edit.pk]),
            subscriptions.get(edit.pk, ((), None))[1],
        )
        for edit in edits
    ]


def _subscriptions(
    customer_id: UUID, contract_id: UUID | None, edits: QuerySet[ContractEdit]
) -> dict[UUID, tuple[tuple[AgreedSubscription, ...], datetime | None]]:
    """By edit: the subscriptions that it added, and when the contract ended then."""
    rows = Subscription.objects.filter(customer_id=customer_id, added_by_edit__in=edits)
    found = _by(in_order_of_adding(rows.select_related("added_by_edit", "product", "contract")), "added_by_edit_id")
    if not found:
        return {}
    added = {"customer_id": customer_id, "added_by_edit": F("subscription__added_by_edit")}
    terms = {each.subscription_id: each for each in SubscriptionTerms.objects.filter(**added, added_by_edit__in=edits)}
    quantities = _by(SubscriptionQuantity.objects.filter(**added, added_by_edit__in=edits), "subscription_id")
    held = list(ContractTerms.objects.filter(contract=contract_id).select_related("added_by_edit"))
    numbers = dict(edits.values_list("pk", "number"))
    ends = {each.added_by_edit.number: each.ending_before for each in held}
    return {
        edit_id: (
            tuple(AgreedSubscription(row, terms[row.pk], tuple(quantities[row.pk])) for row in of_edit),
            ends[max(number for number in ends if number <= numbers[edit_id])],
        )
        for edit_id, of_edit in found.items()
    }


@dataclass(frozen=True, slots=True)
class _ChargeMoves:
    """All items of scheduled charges that edits added or took out, and the charges that they belong to."""

    charges: list[ScheduledCharge]
    items: list[ScheduledChargeItem]
    orders: dict[tuple[UUID, UUID], str]  # that edits have named: by edit and charge

    @classmethod
    def of(cls, customer_id: UUID, edits: QuerySet[ContractEdit]) -> "_ChargeMoves":
        moved = Q(added_by_edit__in=edits) | Q(removed_by_edit__in=edits)
        items = ScheduledChargeItem.objects.filter(moved, customer_id=customer_id).select_related("added_by_edit")
        found = in_order_of_adding(items)
        versions = ChargeVersion.objects.filter(added_by_edit__in=edits, customer_id=customer_id)
        orders = {(each.added_by_edit_id, each.charge_id): each.netsuite_sales_order_id for each in versions}
        ids = {item.charge_id for item in found} | {charge_id for _, charge_id in orders}
        charges = ScheduledCharge.objects.filter(pk__in=ids, customer_id=customer_id)
        return cls(in_order_of_adding(charges.select_related("product", "unit", "added_by_edit")), found, orders)

    def added(self, edit: ContractEdit) -> tuple[AgreedCharge, ...]:
        return tuple(
            AgreedCharge(charge, self._of(charge, edit, "added_by_edit_id"))
            for charge in self.charges
            if charge.added_by_edit_id == edit.pk
        )

    def updated(self, edit: ContractEdit) -> tuple[UpdatedCharge, ...]:
        """Those that stood before the edit and after it, unless it archived them: then it says so, and keeps what has
        fallen due."""
        archived = edit.changes.get("archive_scheduled_charges", ())
        updated = []
        for charge in self.charges:
            before, after = (self._of(charge, edit, f"{verb}_by_edit_id") for verb in ("removed", "added"))
            stood = edit.pk not in (charge.added_by_edit_id, charge.removed_by_edit_id)
            order = self.orders.get((edit.pk, charge.pk))
            if stood and str(charge.pk) not in archived and (before or after or order is not None):
                updated.append(UpdatedCharge(AgreedCharge(charge, before), AgreedCharge(charge, after), order))
        return tuple(updated)

    def _of(self, charge: ScheduledCharge, edit: ContractEdit, column: str) -> tuple[ScheduledChargeItem, ...]:
        return tuple(item for item in self.items if item.charge_id == charge.pk and getattr(item, column) == edit.pk)


@dataclass(frozen=True, slots=True)
class _Moves:
    """All rows of commits that edits added or took out, and the commits that they belong to."""

    commits: dict[UUID, Commit]
    versions: dict[UUID, list[CommitVersion]]  # all that there were, in order, by commit
    segments: list[AccessSegment]
    items: list[InvoiceScheduleItem]
    gates: Mapping[UUID, AgreedGate]

    @classmethod
    def of(cls, customer_id: UUID, edits: QuerySet[ContractEdit]) -> "_Moves":
        def moved(rows: TermQuerySet) -> TermQuerySet:
            found = rows.filter(Q(added_by_edit__in=edits) | Q(removed_by_edit__in=edits), customer_id=customer_id)
            return found.select_related("added_by_edit")

        segments = in_order_of_adding(moved(AccessSegment.objects.all()))
        items = in_order_of_adding(moved(InvoiceScheduleItem.objects.all()))
        moved_versions = moved(CommitVersion.objects.all()).values_list("commit_id", flat=True)
        ids = {row.commit_id for row in (*segments, *items)} | set(moved_versions)
        commits = Commit.objects.select_related("product", "unit", "invoice_unit", "added_by_edit", "contract", "gate")
        versions = CommitVersion.objects.filter(commit__in=ids).select_related("product", "added_by_edit")
        found = commits.in_bulk(ids)
        return cls(found, _by(in_order_of_adding(versions), "commit_id"), segments, items, gates_of(found.values()))

    def commits_added(self, edit: ContractEdit) -> tuple[AgreedCommit, ...]:
        added = in_order_of_adding(each for each in self.commits.values() if each.added_by_edit_id == edit.pk)
        return tuple(self._with_rows(commit, edit, "added_by_edit_id") for commit in added)

    def commits_updated(self, edit: ContractEdit) -> tuple[UpdatedCommit, ...]:
        """Those that stood before the edit and after it."""
        updated = []
        for commit in in_order_of_adding(self.commits.values()):
            if edit.pk in (commit.added_by_edit_id, commit.removed_by_edit_id):
                continue
            before = self._with_rows(self._as_of(commit, edit.number - 1), edit, "removed_by_edit_id")
            after = self._with_rows(self._as_of(commit, edit.number), edit, "added_by_edit_id")
            rows = (*before.segments, *after.segments, *before.invoice_items, *after.invoice_items)
            if rows or before.commit.attributes() != after.commit.attributes():
                updated.append(UpdatedCommit(before, after))
        return tuple(updated)

    def _with_rows(self, commit: Commit, edit: ContractEdit, column: str) -> AgreedCommit:
        """With the rows that the edit added, or took out."""

        def of_commit(rows: Iterable[Any]) -> tuple[Any, ...]:
            return tuple(row for row in rows if row.commit_id == commit.pk and getattr(row, column) == edit.pk)

        return AgreedCommit(commit, of_commit(self.segments), of_commit(self.items), gate=self.gates.get(commit.pk))

    def _as_of(self, commit: Commit, edit_number: int) -> Commit:
        known = [each for each in self.versions[commit.pk] if each.added_by_edit.number <= edit_number]
        if not known:
            return commit
        commit = copy(commit)
        commit.take(known[-1])
        return commit


def edits_of(customer_id: UUID, contract_id: UUID | None) -> QuerySet[ContractEdit]:
    """All edits of a contract; None: those of the customer's own commits and credits."""
    edits = ContractEdit.objects.filter(customer_id=customer_id)
    if contract_id is None:
        return edits.filter(kind=ContractEdit.Kind.BALANCE)
    return edits.filter(contract_id=contract_id)


def last_edit_number(customer_id: UUID, contract_id: UUID | None) -> int:
    """The number of the last of them; 0 where there is none."""
    return edits_of(customer_id, contract_id).order_by("-number").values_list("number", flat=True).first() or 0


def edit_number_at(customer_id: UUID, at: datetime) -> int:
    """The number of the customer's last edit that was made up to and at an instant; 0 before the first."""
    edits = ContractEdit.objects.filter(customer_id=customer_id, created_at__lte=at)
    return edits.order_by("-number").values_list("number", flat=True).first() or 0


def _by(terms: Iterable[T], owner: str) -> defaultdict[UUID, list[T]]:
    grouped: defaultdict[UUID, list[T]] = defaultdict(list)
    for term in terms:
        grouped[getattr(term, owner)].append(term)
    return grouped
