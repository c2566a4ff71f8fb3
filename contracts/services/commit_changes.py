"""What an edit changes of a commit or credit that stands: its attributes, its access, what is invoiced for it.

The edit of a contract, the edit of one commit and an earlier end all plan their changes here, so that the same rules
hold at every door (`schedule_changes` has those of amounts and dates). Attributes hold for whatever is not final yet.

    priority 100, then an edit to 1      drafts are drawn with 1; what was known before the edit still says 100
    named contracts, who bills it        of a commit of the customer; who bills it, only until a payment has come
    contracts that share it              of a postpaid one: as agreed
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict
from contracts.inputs import UNCHANGED, CommitChangeInput, InvoicesChangeInput
from contracts.models import (
    AccessSegment,
    Commit,
    CommitVersion,
    Contract,
    Customer,
    InvoiceScheduleItem,
    SegmentUse,
    Term,
)
from contracts.queries import AgreedCommit, dates_charged
from contracts.services.checks import OF_THE_CUSTOMER, Deal, fiat_of, not_archived
from contracts.services.commits import DEFAULT_PRIORITY, check_attributes, target
from contracts.services.schedule_changes import (
    RowChange,
    changed_items,
    changed_segments,
    check_postpaid,
    refuse_what_has_come,
)
from contracts.services.targeting import read_specifier
from pricing.models import Product
from pricing.queries import products_by_id

TARGETS = ("applicable_product_ids", "applicable_product_tags", "specifiers")
CONTRACTS = ("applicable_contract_ids", "invoice_contract_id")


class MoreWasTaken(Conflict):
    """Final documents and entries by hand have taken more than the edit would leave."""


@dataclass(frozen=True, slots=True)
class CommitChange:
    """A change that has passed every check. Nothing is written yet."""

    committed: AgreedCommit  # as it stands
    attributes: RowChange
    segments: RowChange
    items: RowChange

    @property
    def removed(self) -> tuple[Sequence[Term], ...]:
        """Each of one model."""
        return self.attributes.removed, self.segments.removed, self.items.removed

    @property
    def added(self) -> tuple[Sequence[Term], ...]:
        """Each of one model."""
        return self.attributes.added, self.segments.added, self.items.added

    @property
    def is_empty(self) -> bool:
        return not any((*self.removed, *self.added))

    def after(self) -> AgreedCommit:
        """The commit as it would stand; its new rows need their edit."""
        commit = copy(self.committed.commit)
        for version in self.attributes.added:
            commit.take(version)
        return replace(
            self.committed,
            commit=commit,
            segments=tuple(sorted(self.segments.after(self.committed.segments), key=_place)),
            invoice_items=tuple(sorted(self.items.after(self.committed.invoice_items), key=_place)),
        )


@dataclass(frozen=True, slots=True)
class _Around:
    """What changes of a customer's commits are checked against."""

    contracts: Mapping[UUID, Contract]
    uses: Mapping[UUID, SegmentUse]
    versions: Mapping[UUID, CommitVersion]  # those that stand, by commit
    at: datetime
    charged: dict[UUID, frozenset[datetime]] = field(default_factory=dict)

    def dates_charged(self, contract: Contract | None) -> frozenset[datetime]:
        if contract is None:
            return frozenset()
        if contract.pk not in self.charged:
            self.charged[contract.pk] = dates_charged(contract, at=self.at)
        return self.charged[contract.pk]


def plan_changes(
    customer: Customer,
    given: Sequence[tuple[str, CommitChangeInput, AgreedCommit]],
    problems: Problems,
    *,
    at: datetime,
) -> list[CommitChange]:
    """Each change is given with its place in the request and what stands. What is wrong goes to `problems`.

    Raises MoreWasTaken where nothing else is wrong. At most six queries, and two more for each contract that bills.
    """
    if not given:
        return []
    segment_ids = [segment.segment_id for _, _, committed in given for segment in committed.segments]
    commit_ids = [committed.commit.pk for _, _, committed in given]
    around = _Around(
        contracts={
            each.pk: each for each in Contract.objects.filter(customer=customer).select_related("rate_card__fiat_unit")
        },
        uses=SegmentUse.objects.in_bulk(segment_ids),
        versions={each.commit_id: each for each in CommitVersion.objects.standing().filter(commit__in=commit_ids)},
        at=at,
    )
    products = products_by_id(_product_ids(given))
    clashes = Problems(problems.path)
    changes = []
    for path, change, committed in given:
        deal = _deal(committed.commit, change, products, around)
        inner = [each.within(path) if path else each for each in (problems, clashes)]
        changes.append(_change(change, committed, deal, around, *inner))
    if not problems.errors:
        clashes.refuse(MoreWasTaken)
    return changes


def refuse_used(named: Sequence[tuple[str, AgreedCommit]], *, at: datetime) -> None:
    """Only what has moved nothing can be archived, however much of it is billed. One query, or none.

    Raises MoreWasTaken naming each of `named`, which has their places in the request.
    """
    ids = [segment.segment_id for _, committed in named for segment in committed.segments]
    used = {use.segment_id for use in SegmentUse.objects.filter(segment_id__in=ids) if use.is_used} if ids else set()
    clashes = Problems()
    for name, committed in named:
        commit = committed.commit
        settled = commit.type == Commit.Type.POSTPAID and any(item.issued_at <= at for item in committed.invoice_items)
        if settled:
            clashes.add(name, commit.pk, "must not be archived: its true-up has fallen due")
        elif any(segment.segment_id in used for segment in committed.segments):
            rule = "must not be archived: something has been taken from it; end its access or lower its amount"
            clashes.add(name, commit.pk, rule)
    clashes.refuse(MoreWasTaken)


def _change(
    given: CommitChangeInput,
    committed: AgreedCommit,
    deal: Deal,
    around: _Around,
    problems: Problems,
    clashes: Problems,
) -> CommitChange:
    commit, at = committed.commit, around.at
    access, invoices = problems.within("access_schedule"), problems.within("invoice_schedule")
    attributes = _attributes(given, committed, deal, around, problems)
    segments = changed_segments(
        committed.segments, given.access_schedule, commit, around.uses, deal, access, clashes.within("access_schedule")
    )
    if committed.gate is not None and given.invoice_schedule != InvoicesChangeInput():
        rule = "cannot be changed: access to the commit waits for that payment; archive it and add another one"
        problems.add("invoice_schedule", "a change", rule)
    items = changed_items(committed.invoice_items, given.invoice_schedule, commit, deal, invoices, at=at)
    change = CommitChange(committed, attributes, segments, items)
    if commit.type == Commit.Type.POSTPAID and (segments != RowChange() or items != RowChange()):
        refuse_what_has_come(committed.invoice_items, problems, at=at)
        after = change.after()
        check_postpaid(after.segments, after.invoice_items, committed.segments, deal, problems)
    return change


def _attributes(
    given: CommitChangeInput, committed: AgreedCommit, deal: Deal, around: _Around, problems: Problems
) -> RowChange:
    """A version in place of the one that stands, where anything is changed."""
    commit = committed.commit
    new = CommitVersion(commit=commit, **commit.attributes())
    for name in ("name", "description", "product_id", "rate_type", "rollover_fraction"):
        if getattr(given, name) is not UNCHANGED:
            setattr(new, name, getattr(given, name))
    if given.priority is not UNCHANGED:
        new.priority = DEFAULT_PRIORITY if given.priority is None else given.priority
    if given.netsuite_sales_order_id is not UNCHANGED:
        new.netsuite_sales_order_id = given.netsuite_sales_order_id or ""
    if any(getattr(given, name) is not UNCHANGED for name in TARGETS):
        _retarget(new, given, deal, problems)
    _share(new, given, committed, around, problems)
    if new.attributes() == commit.attributes():
        return RowChange()
    check_attributes(new, deal, problems)
    if new.rollover_fraction != commit.rollover_fraction and _has_rolled_over(committed, around):
        problems.add("rollover_fraction", new.rollover_fraction, "cannot be changed: a renewal has taken over the rest")
    if new.product_id in deal.products:
        new.product = deal.products[new.product_id]
    standing = around.versions.get(commit.pk)
    return RowChange(() if standing is None else (standing,), (new,))


def _has_rolled_over(committed: AgreedCommit, around: _Around) -> bool:
    uses = (around.uses.get(segment.segment_id) for segment in committed.segments)
    return any(use is not None and use.rolled_over for use in uses)


def _retarget(new: CommitVersion, given: CommitChangeInput, deal: Deal, problems: Problems) -> None:
    """What is given of the three, and the others as they stand."""
    ids, tags, specifiers = given.applicable_product_ids, given.applicable_product_tags, given.specifiers
    target(
        new,
        list(map(UUID, new.applicable_product_ids)) if ids is UNCHANGED else ids or (),
        new.applicable_product_tags if tags is UNCHANGED else tags or (),
        list(map(read_specifier, new.specifiers)) if specifiers is UNCHANGED else specifiers or (),
        deal,
        problems,
    )


def _share(
    new: CommitVersion,
    given: CommitChangeInput,
    committed: AgreedCommit,
    around: _Around,
    problems: Problems,
) -> None:
    """Which contracts share a commit of the customer, and which one bills it."""
    commit, sharing, biller_id = committed.commit, given.applicable_contract_ids, given.invoice_contract_id
    for name in CONTRACTS:
        if commit.contract_id is not None and getattr(given, name) is not UNCHANGED:
            problems.add(name, getattr(given, name), "can be changed for a commit or credit of the customer only")
    if commit.contract_id is not None:
        return
    if sharing is not UNCHANGED:
        if commit.type == Commit.Type.POSTPAID:
            problems.add("applicable_contract_ids", sharing, "cannot be changed for a postpaid commit")
        for index, contract_id in enumerate(sharing or ()):
            name = f"applicable_contract_ids[{index}]"
            if contract_id not in around.contracts:
                problems.add(name, contract_id, OF_THE_CUSTOMER)
            elif str(contract_id) not in commit.applicable_contract_ids:
                not_archived(problems, name, around.contracts[contract_id])
        new.applicable_contract_ids = [str(contract_id) for contract_id in dict.fromkeys(sharing or ())]
    if biller_id is not UNCHANGED and biller_id != commit.invoice_contract_id:
        _check_biller(biller_id, committed, around, problems)
        new.invoice_contract_id = biller_id
    adds_payments = commit.is_invoiced and given.invoice_schedule.add_schedule_items
    if new.invoice_contract_id is None and adds_payments and not commit.is_credit:
        problems.add("invoice_contract_id", None, "is required: say which contract bills it")


def _check_biller(biller_id: UUID, committed: AgreedCommit, around: _Around, problems: Problems) -> None:
    name, biller, commit = "invoice_contract_id", around.contracts.get(biller_id), committed.commit
    if biller is None:
        problems.add(name, biller_id, OF_THE_CUSTOMER)
        return
    not_archived(problems, name, biller)
    money = commit.invoice_unit or commit.unit
    if fiat_of(biller) != money:
        problems.add(name, biller_id, f"must be a contract in {money}, which its invoices are in")
    if any(item.issued_at <= around.at for item in committed.invoice_items):
        problems.add(name, biller_id, "cannot be changed: what has fallen due was billed by another contract")


def _deal(commit: Commit, given: CommitChangeInput, products: Mapping[UUID, Product], around: _Around) -> Deal:
    biller_id = commit.contract_id or commit.invoice_contract_id
    if commit.contract_id is None and given.invoice_contract_id is not UNCHANGED:
        biller_id = given.invoice_contract_id
    biller = around.contracts.get(biller_id) if biller_id is not None else None
    named = [commit.contract_id] if commit.contract_id else [UUID(each) for each in commit.applicable_contract_ids]
    sharing = [around.contracts[each] for each in named] or list(around.contracts.values())
    through = [contract.billed_through for contract in sharing if contract.billed_through is not None]
    return Deal(
        fiat=commit.invoice_unit or commit.unit,
        prioritization="",
        products=products,
        billed_through=max(through, default=None),
        final_through=biller.billed_through if biller is not None and biller.charges_on_usage else None,
        dates_charged=around.dates_charged(biller),
    )


def _product_ids(given: Iterable[tuple[str, CommitChangeInput, AgreedCommit]]) -> Iterator[UUID]:
    """Every product that a changed commit names, or is to name."""
    for _, change, committed in given:
        commit = committed.commit
        yield commit.product_id
        yield from map(UUID, commit.applicable_product_ids)
        yield from (target.product_id for target in map(read_specifier, commit.specifiers) if target.product_id)
        if change.product_id is not UNCHANGED:
            yield change.product_id
        if change.applicable_product_ids is not UNCHANGED:
            yield from change.applicable_product_ids or ()
        if change.specifiers is not UNCHANGED:
            yield from (target.product_id for target in change.specifiers or () if target.product_id)


def _place(row: AccessSegment | InvoiceScheduleItem) -> int:
    return row.position
