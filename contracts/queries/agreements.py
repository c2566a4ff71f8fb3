"""Contracts with all of their terms, as rows: what compiling and presenting start from."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from contracts import terms
from contracts.models import (
    AccessSegment,
    ChargeVersion,
    Commit,
    CommitVersion,
    Contract,
    ContractEdit,
    ContractTerms,
    InvoiceScheduleItem,
    Override,
    ProfessionalService,
    RecurringCommit,
    ScheduledCharge,
    ScheduledChargeItem,
    ServiceInvoice,
    ServiceInvoiceLine,
    Subscription,
    SubscriptionQuantity,
    SubscriptionTerms,
    Term,
    TermQuerySet,
)
from contracts.models.subscriptions import in_order_of_time
from contracts.queries.customers import no_such_contract
from contracts.queries.gates import AgreedGate, gates_of
from contracts.queries.providers import ContractProvider, providers_by_contract

RECURRING = ("product", "unit", "invoice_unit", "subscription__product")  # what a row of it is read with
T = TypeVar("T", bound=Term)


@dataclass(frozen=True, slots=True)
class AgreedCommit:
    commit: Commit
    segments: tuple[AccessSegment, ...]
    invoice_items: tuple[InvoiceScheduleItem, ...]
    rolled_over_from: Commit | None = None  # of the contract that was renewed
    recurring_id: UUID | None = None  # what it is an instance of (`granted.py`)
    gate: AgreedGate | None = None  # the payment that access to it waits for

    def rows(self) -> tuple[Sequence[Term], ...]:
        """The commit and its schedules, each of one model, in the order in which they can be saved."""
        return [self.commit], self.segments, self.invoice_items

    def to_commit(self) -> terms.Commit:
        """As the engines take it."""
        commit = self.commit.to_commit(self.segments, self.invoice_items)
        return commit if self.gate is None else commit.behind(self.gate.to_gate())


@dataclass(frozen=True, slots=True)
class AgreedCharge:
    """A scheduled charge or a discount, with its dates."""

    charge: ScheduledCharge
    items: tuple[ScheduledChargeItem, ...]


@dataclass(frozen=True, slots=True)
class AgreedServices:
    """The professional services of a contract, and their invoices, each with its lines."""

    services: tuple[ProfessionalService, ...] = ()
    invoices: tuple[tuple[ServiceInvoice, tuple[ServiceInvoiceLine, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class AgreedRecurring:
    """What recurs, as it was agreed at first and after each edit that changed what was still to come."""

    rows: tuple[RecurringCommit, ...]

    @property
    def now(self) -> RecurringCommit:
        return self.rows[-1]


@dataclass(frozen=True, slots=True)
class AgreedSubscription:
    """`quantities` are in order of time."""

    subscription: Subscription
    terms: SubscriptionTerms
    quantities: tuple[SubscriptionQuantity, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract and the terms that stood after an edit, each list in the order of adding. Credits are among the
    commits, discounts among the charges."""

    contract: Contract
    terms: ContractTerms
    overrides: tuple[Override, ...]
    commits: tuple[AgreedCommit, ...]
    charges: tuple[AgreedCharge, ...]
    recurring: tuple[AgreedRecurring, ...]
    subscriptions: tuple[AgreedSubscription, ...] = ()
    services: AgreedServices = AgreedServices()
    renewed_by: UUID | None = None
    is_archived: bool = False
    providers: tuple[ContractProvider, ...] = ()  # in order of time


def agreements(
    customer_id: UUID, *, contract_ids: Collection[UUID] | None = None, at_edit: int | None = None
) -> list[Agreement]:
    """The customer's contracts (or those named), in order of start, as known at an edit. A fixed number
    of queries, whatever was agreed.

    A contract that did not exist yet at that edit is left out.
    """
    return agreements_of(customer_id, contract_ids, *_known_at(at_edit))


def agreements_of(
    customer_id: UUID,
    contract_ids: Collection[UUID] | None,
    choose: Callable[[TermQuerySet], TermQuerySet],
    edits: QuerySet[ContractEdit],
) -> list[Agreement]:
    """Contracts with the terms that `choose` picks, renewed and archived by those of `edits` that do so. A
    fixed number of queries."""
    return _agreed_of(customer_id, contract_ids, choose, edits)[0]


def everything_agreed(customer_id: UUID, *, at_edit: int | None = None) -> tuple[list[Agreement], list[AgreedCommit]]:
    """`agreements` and `shared_commits` of a customer, by the queries of the former alone."""
    return _agreed_of(customer_id, None, *_known_at(at_edit))


def _known_at(at_edit: int | None) -> tuple[Callable[[TermQuerySet], TermQuerySet], QuerySet[ContractEdit]]:
    """What picks the terms that stood after an edit, or that stand, and the edits up to then."""
    if at_edit is None:
        return (lambda terms: terms.standing()), ContractEdit.objects.all()
    return (lambda terms: terms.known_at(at_edit)), ContractEdit.objects.filter(number__lte=at_edit)


def _agreed_of(
    customer_id: UUID,
    contract_ids: Collection[UUID] | None,
    choose: Callable[[TermQuerySet], TermQuerySet],
    edits: QuerySet[ContractEdit],
) -> tuple[list[Agreement], list[AgreedCommit]]:
    """The contracts, and where none is named what they share."""

    def known(terms: TermQuerySet, owner: str) -> TermQuerySet:
        found = choose(terms.filter(customer_id=customer_id).select_related("added_by_edit"))
        if contract_ids is not None:
            found = found.filter(**{f"{owner}__in": contract_ids})
        return found

    renewals = edits.filter(
        customer_id=customer_id, kind=ContractEdit.Kind.CREATION, contract__renews=OuterRef("contract_id")
    )
    archived = edits.filter(kind=ContractEdit.Kind.ARCHIVE, contract=OuterRef("contract_id"))
    terms = (
        known(ContractTerms.objects.all(), "contract_id")
        .select_related("contract", "contract__customer")
        .annotate(
            renewed_by=Subquery(renewals.values("contract_id")),
            is_archived=Exists(archived),
            has_services=Exists(ProfessionalService.objects.filter(contract=OuterRef("contract_id"))),
        )
    )
    overrides = _grouped(known(Override.objects.select_related("product", "unit"), "contract_id"), "contract_id")
    commits = _grouped(
        known(Commit.objects.select_related("product", "unit", "invoice_unit", "gate"), "contract_id"), "contract_id"
    )
    gates = gates_of(
        chain.from_iterable(commits.values()), lambda outcomes: known(outcomes, "gate__commit__contract_id")
    )
    versions = CommitVersion.objects.all() if commits else CommitVersion.objects.none()
    take_versions(chain.from_iterable(commits.values()), known(versions, "commit__contract_id"))
    segments, invoice_items = (
        grouped_by_place(known(part if commits else part.none(), "commit__contract_id"), "commit_id")
        for part in (AccessSegment.objects.select_related("first_row"), InvoiceScheduleItem.objects.all())
    )
    orders = choose(ChargeVersion.objects.filter(charge=OuterRef("pk"))).values("netsuite_sales_order_id")
    sold = known(ScheduledCharge.objects.select_related("product", "unit"), "contract_id")
    charges = _grouped(sold.annotate(order=Subquery(orders)), "contract_id")
    for charge in chain.from_iterable(charges.values()):
        if charge.order is not None:
            charge.netsuite_sales_order_id = charge.order
    charged = ScheduledChargeItem.objects.all() if charges else ScheduledChargeItem.objects.none()
    items = grouped_by_place(known(charged, "charge__contract_id"), "charge_id")
    recurring = _grouped(known(RecurringCommit.objects.select_related(*RECURRING), "contract_id"), "contract_id")
    subscriptions = subscriptions_by_contract(lambda rows: known(rows, "contract_id"), known)
    services = _services_by_contract(known) if any(held.has_services for held in terms) else {}
    providers = providers_by_contract(terms)

    def agreed(owner: UUID | None) -> Iterator[AgreedCommit]:
        for commit in commits[owner]:
            yield AgreedCommit(
                commit, tuple(segments[commit.pk]), tuple(invoice_items[commit.pk]), gate=gates.get(commit.pk)
            )

    found = [
        Agreement(
            contract=held.contract,
            terms=held,
            overrides=tuple(overrides[held.contract_id]),
            commits=tuple(agreed(held.contract_id)),
            charges=tuple(AgreedCharge(charge, tuple(items[charge.pk])) for charge in charges[held.contract_id]),
            renewed_by=held.renewed_by,
            is_archived=held.is_archived,
            recurring=by_what_recurs(recurring[held.contract_id]),
            subscriptions=tuple(subscriptions[held.contract_id]),
            services=services.get(held.contract_id, AgreedServices()),
            providers=providers.get(held.contract_id, ()),
        )
        for held in sorted(terms, key=lambda held: (held.contract.starting_at, held.contract_id))
    ]
    return found, list(agreed(None))


def subscriptions_by_contract(
    own: Callable[[TermQuerySet], TermQuerySet], known: Callable[[TermQuerySet, str], TermQuerySet]
) -> dict[UUID, list[AgreedSubscription]]:
    """One query, and two more where there is any."""
    found = in_order_of_adding(own(Subscription.objects.select_related("product")))
    of_contracts: defaultdict[UUID, list[AgreedSubscription]] = defaultdict(list)
    if found:
        terms, quantities = (
            _grouped(known(model.objects.all(), "subscription__contract_id"), "subscription_id")
            for model in (SubscriptionTerms, SubscriptionQuantity)
        )
        for row in found:
            in_time = tuple(in_order_of_time(quantities[row.pk]))
            of_contracts[row.contract_id].append(AgreedSubscription(row, terms[row.pk][-1], in_time))
    return of_contracts


def _services_by_contract(known: Callable[[TermQuerySet, str], TermQuerySet]) -> dict[UUID, AgreedServices]:
    """Two queries at the most. Only asked where there was ever one."""
    services = _grouped(
        known(ProfessionalService.objects.select_related("product", "unit"), "contract_id"), "contract_id"
    )
    if not services:
        return {}
    related = ("invoice", "service__unit", "service__product", "service__added_by_edit")
    lines = known(ServiceInvoiceLine.objects.select_related(*related), "invoice__contract_id")
    invoices: defaultdict[UUID | None, dict[ServiceInvoice, list[ServiceInvoiceLine]]] = defaultdict(dict)
    for line in in_order_of_adding(lines):
        invoices[line.invoice.contract_id].setdefault(line.invoice, []).append(line)
    return {
        contract_id: AgreedServices(
            tuple(found), tuple((invoice, tuple(rows)) for invoice, rows in invoices[contract_id].items())
        )
        for contract_id, found in services.items()
        if contract_id is not None
    }


def shared_commits(customer_id: UUID, *, at_edit: int | None = None) -> list[AgreedCommit]:
    """The customer's own commits and credits, which its contracts share, in the order of adding, as known at an edit.
    Four queries, or one where there are none."""

    def known(terms: TermQuerySet) -> TermQuerySet:
        found = terms.filter(customer_id=customer_id).select_related("added_by_edit")
        return found.standing() if at_edit is None else found.known_at(at_edit)

    rows = known(Commit.objects.filter(contract=None).select_related("product", "unit", "invoice_unit"))
    commits = in_order_of_adding(rows)
    if not commits:
        return []
    take_versions(commits, known(CommitVersion.objects.filter(commit__contract=None)))
    segments, items = (
        grouped_by_place(known(part.filter(commit__contract=None)), "commit_id")
        for part in (AccessSegment.objects.select_related("first_row"), InvoiceScheduleItem.objects.all())
    )
    return [AgreedCommit(commit, tuple(segments[commit.pk]), tuple(items[commit.pk])) for commit in commits]


def agreement(customer_id: UUID, contract_id: UUID, *, at_edit: int | None = None) -> Agreement:
    """One contract of the customer. Raises NotFound, for a foreign one too."""
    found = agreements(customer_id, contract_ids=[contract_id], at_edit=at_edit)
    if not found:
        raise no_such_contract(contract_id)
    return found[0]


def take_versions(commits: Iterable[Commit], versions: TermQuerySet) -> None:
    """Give each commit the attributes of its version, where it has one."""
    by_commit = {version.commit_id: version for version in versions.select_related("product")}
    for commit in commits:
        if commit.pk in by_commit:
            commit.take(by_commit[commit.pk])


def by_what_recurs(rows: Iterable[RecurringCommit]) -> tuple[AgreedRecurring, ...]:
    """Rows in the order of adding, those of one recurring commit or credit together."""
    found: dict[UUID, list[RecurringCommit]] = {}
    for row in rows:
        found.setdefault(row.recurring_id, []).append(row)
    return tuple(AgreedRecurring(tuple(each)) for each in found.values())


def in_order_of_adding(terms: Iterable[T]) -> list[T]:
    """Terms whose edit was loaded with them."""
    return sorted(terms, key=lambda term: (term.added_by_edit.number, term.position, term.pk))


def grouped_by_place(rows: Iterable[T], owner: str) -> defaultdict[UUID | None, list[T]]:
    """Items of schedules in the order in which they were given; one that an edit has changed keeps its place."""
    grouped = _grouped(rows, owner)
    for items in grouped.values():
        items.sort(key=lambda item: item.position)
    return grouped


def _grouped(terms: Iterable[T], owner: str) -> defaultdict[UUID | None, list[T]]:
    grouped: defaultdict[UUID | None, list[T]] = defaultdict(list)
    for term in in_order_of_adding(terms):
        grouped[getattr(term, owner)].append(term)
    return grouped
