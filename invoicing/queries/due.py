"""When documents fall due, told from the terms, and from marks of late usage (`late_due`): for whom something is due,
and when the next thing is.

What is due by these dates may turn out to be nothing (a period without lines) or to be held (findings); that is for
`finalize_due` to see. Here it matters that no date is missed, and that looking is cheap.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from billing_site.foundation.periods import Period, billing_periods, format_instant
from contracts.models import (
    Commit,
    Contract,
    ContractTerms,
    InvoiceScheduleItem,
    PaymentOutcome,
    RecurringCommit,
    ScheduledChargeItem,
    ServiceInvoice,
)
from contracts.queries import Agreement, billed_by, by_what_recurs, going_on, granted, to_terms
from contracts.queries.agreements import in_order_of_adding, subscriptions_by_contract
from contracts.subscriptions import own_slot, usage_period_of
from invoicing.engine.calendar import finalizes_at
from invoicing.engine.fees import fees_until
from invoicing.models import Invoice
from invoicing.queries.consolidated import on_usage_invoices
from invoicing.queries.late_due import late_usage_due
from ledger.models import LedgerEntry

FINALIZE_DUE = "finalize_due"  # the kind of the jobs that do it
OWNED = " "  # in the slot of a document of a fee, or of work, by itself: it says nothing of the charges of its date
GO_ON = "go_on"  # and of those that let a contract go on at its end


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """Something of the customer fell due, last at `instant`."""

    instant: datetime
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class Falling:
    """A document that falls due: of whom, what, and when. Usage has its period."""

    instant: datetime
    customer_id: UUID
    kind: str
    period: Period | None = None


def due_customers(*, at: datetime) -> list[Due]:
    """The customers with something due at `at` that no document has settled, by the last instant it fell due."""
    latest: dict[UUID, datetime] = {}
    for falling in _unsettled(until=at):
        latest[falling.customer_id] = max(falling.instant, latest.get(falling.customer_id, falling.instant))
    return sorted(Due(instant, customer_id) for customer_id, instant in latest.items())


def next_due(after: datetime, until: datetime) -> datetime | None:
    """The first instant later than `after` and not later than `until` at which anything falls due."""
    return min((falling.instant for falling in _coming(until) if falling.instant > after), default=None)


def falling_next(after: datetime, within: timedelta) -> list[Falling]:
    """What falls due at the first instant later than `after`, if that is not more than `within` away."""
    coming = [falling for falling in _coming(after + within) if falling.instant > after]
    first = min((falling.instant for falling in coming), default=None)
    return [falling for falling in coming if falling.instant == first]


def _coming(until: datetime) -> Iterator[Falling]:
    """Documents, and ends at which contracts go on."""
    yield from _unsettled(until=until)
    for terms in going_on(until=until):
        assert terms.ending_before is not None
        yield Falling(terms.ending_before, terms.customer_id, GO_ON)


def _unsettled(*, until: datetime) -> Iterator[Falling]:
    yield from _usage_periods(until)
    yield from _charges(until)
    yield from _payments_of_what_recurs(until)
    yield from _services(until)
    yield from _gated_payments(until)
    yield from _fees(until)
    yield from _true_ups(until)
    yield from _late_usage(until)


def _usage_periods(until: datetime) -> Iterator[Falling]:
    """Ends of billing periods that are not on final documents, each with its grace."""
    standing = (
        ContractTerms.objects.standing()
        .filter(contract__archived_at=None, contract__rate_card__isnull=False, contract__starting_at__lt=until)
        .filter(
            Q(ending_before=None)
            | Q(contract__billed_through=None)
            | Q(contract__billed_through__lt=F("ending_before"))
        )
        .select_related("contract")
    )
    for terms in standing.iterator():
        contract: Contract = terms.contract
        start = contract.billed_through or contract.invoicing_starts_at or contract.starting_at
        if terms.ending_before is not None and terms.ending_before <= start:
            continue  # its end was moved back over what is billed, or to before anything is
        term = Period(start, terms.ending_before)
        for period in billing_periods(term, contract.billing_anchor_at, contract.frequency):
            assert period.ending_before is not None
            instant = finalizes_at(period.ending_before, contract.created_at, terms.grace_hours)
            if instant > until:
                break
            yield Falling(instant, contract.customer_id, Invoice.Kind.USAGE, period)


def _charges(until: datetime) -> Iterator[Falling]:
    """Dates of scheduled charges and of payments for prepaid commits. One added late falls due when it is added."""
    of_charges = ScheduledChargeItem.objects.standing().filter(
        ~_billed("charge__contract_id"),
        charge__removed_by_edit=None,
        charge__contract__archived_at=None,
        issued_at__lte=until,
        created_at__lte=until,
    )
    of_commits = _of_commits(until).filter(
        ~_billed("billed_by"), commit__type=Commit.Type.PREPAID, commit__is_invoiced=True, commit__gate=None
    )
    consolidated = Contract.objects.filter(scheduled_charges_on_usage_invoices=Contract.Charges.ALL)
    item = Coalesce("first_row", "pk")  # what it is called, however often it was changed
    rows = [
        row
        for items, billed_by_ in ((of_charges, "charge__contract_id"), (of_commits, "billed_by"))
        for row in items.annotate(is_on_usage=Exists(consolidated.filter(pk=OuterRef(billed_by_)))).values_list(
            "customer_id", billed_by_, item, "issued_at", "created_at", "is_on_usage"
        )
    ]
    on_usage = on_usage_invoices({contract_id for _, contract_id, *_, is_on_usage in rows if is_on_usage})
    for customer_id, contract_id, item_id, issued_at, created_at, _ in rows:
        instant = on_usage.falls_due(contract_id, item_id, issued_at, created_at)
        if instant is not None and instant <= until:
            yield Falling(instant, customer_id, Invoice.Kind.CHARGES)


def _payments_of_what_recurs(until: datetime) -> Iterator[Falling]:
    """What is paid for each instance falls due when it begins. At most three queries."""
    paid = (
        RecurringCommit.objects.standing()
        .filter(invoice_unit_price__isnull=False, contract__archived_at=None, created_at__lte=until)
        .select_related("contract", "product", "unit", "invoice_unit", "added_by_edit")
    )
    rows: dict[UUID, list[RecurringCommit]] = {}
    for row in in_order_of_adding(paid):
        rows.setdefault(row.contract_id, []).append(row)
    held = {terms.contract_id: terms for terms in ContractTerms.objects.standing().filter(contract__in=rows)}
    invoices = Invoice.objects.filter(contract_id__in=rows, kind=Invoice.Kind.CHARGES).exclude(slot__contains=OWNED)
    billed = set(invoices.values_list("contract_id", "issued_at"))
    on_usage = on_usage_invoices([key for key, found in rows.items() if found[0].contract.charges_on_usage])
    for contract_id, of_contract in rows.items():
        added = {row.pk: row.created_at for row in of_contract}
        contract = of_contract[0].contract
        agreed = Agreement(contract, held[contract_id], (), (), (), recurring=by_what_recurs(of_contract))
        for instance in granted(agreed, at=until):
            assert instance.recurring_id is not None
            for item in instance.invoice_items:
                if (contract_id, item.issued_at) in billed:
                    continue
                agreed_at = added[instance.recurring_id]
                instant = on_usage.falls_due(contract_id, item.id, item.issued_at, agreed_at)
                if instant is not None and instant <= until:
                    yield Falling(instant, contract.customer_id, Invoice.Kind.CHARGES)


def _services(until: datetime) -> Iterator[Falling]:
    """Invoices of professional services. At most two queries."""
    agreed = ServiceInvoice.objects.standing().filter(
        contract__archived_at=None, issued_at__lte=until, created_at__lte=until
    )
    return _on_their_own((row, row.contract_id, row.to_invoice(()).slot) for row in agreed)


def _gated_payments(until: datetime) -> Iterator[Falling]:
    """Payments that access waits for. At most two queries."""
    items = _of_commits(until).filter(commit__gate__isnull=False)
    asked = items.exclude(commit__gate__outcome__outcome=PaymentOutcome.Outcome.FAILED).select_related("commit")
    return _on_their_own(
        (row, row.commit.contract_id, replace(row.to_amount(), is_alone=True).slot)
        for row in asked
        if row.commit.contract_id is not None
    )


def _on_their_own(rows: Iterable[tuple[ServiceInvoice | InvoiceScheduleItem, UUID, str]]) -> Iterator[Falling]:
    """What has a document of its own, each with its contract and the slot there. One query, or none."""
    found = list(rows)
    if not found:
        return
    invoices = Invoice.objects.filter(
        contract_id__in={contract_id for _, contract_id, _ in found},
        slot__in={slot for *_, slot in found},
        kind=Invoice.Kind.CHARGES,
    )
    billed = set(invoices.values_list("contract_id", "slot"))
    for row, contract_id, slot in found:
        if (contract_id, slot) not in billed:
            yield Falling(max(row.issued_at, row.created_at), row.customer_id, Invoice.Kind.CHARGES)


def _fees(until: datetime) -> Iterator[Falling]:
    """Fees of subscriptions that have documents of their own; and those that were agreed, or moved by a new end, once
    their usage document had fallen due with nothing to bill. One query, and at most four more."""
    found = subscriptions_by_contract(
        lambda rows: rows.standing().filter(contract__archived_at=None, created_at__lte=until),
        lambda rows, _: rows.standing(),
    )
    if not found:
        return
    billed = {contract_id: set[tuple[str, str]]() for contract_id in found}
    invoices = Invoice.objects.filter(contract_id__in=found, kind__in=(Invoice.Kind.CHARGES, Invoice.Kind.USAGE))
    for contract_id, kind, slot in invoices.values_list("contract_id", "kind", "slot"):
        billed[contract_id].add((kind, slot))
    standing = ContractTerms.objects.standing().filter(contract__in=found).select_related("contract")
    for terms in standing:
        subscribed = tuple(found[terms.contract_id])
        contract = to_terms(Agreement(terms.contract, terms, (), (), (), (), subscribed))
        agreed = {each.subscription.pk: max(each.subscription.created_at, each.terms.created_at) for each in subscribed}
        agreed |= {row.pk: row.created_at for each in subscribed for row in each.quantities}
        for fee in fees_until(contract, until):
            agreed_at = max(agreed[fee.increase_id or fee.subscription.id], terms.created_at)
            period = usage_period_of(contract, fee)
            if period is None:
                kind, slot, instant = Invoice.Kind.CHARGES, own_slot(fee), max(fee.collected_at, agreed_at)
            else:
                assert period.ending_before is not None, "billing periods have an end"
                kind, slot, instant = Invoice.Kind.USAGE, format_instant(period.starting_at), agreed_at
                if agreed_at <= finalizes_at(period.ending_before, contract.created_at, contract.grace_hours):
                    continue  # it falls due with its usage
            if instant <= until and (kind, slot) not in billed[terms.contract_id]:
                yield Falling(instant, terms.contract.customer_id, kind, period)


def _true_ups(until: datetime) -> Iterator[Falling]:
    """Dates of true-ups. One that waits for usage documents is finalized in the run that finalizes the last of them."""
    settled = LedgerEntry.objects.filter(
        customer_id=OuterRef("customer_id"),
        commit_id=OuterRef("commit_id"),
        type=LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP,
    )
    items = _of_commits(until).filter(~Exists(settled), commit__type=Commit.Type.POSTPAID)
    for customer_id, issued_at, created_at in items.values_list("customer_id", "issued_at", "created_at"):
        yield Falling(max(issued_at, created_at), customer_id, Invoice.Kind.TRUE_UP)


def _late_usage(until: datetime) -> Iterator[Falling]:
    """Documents of late usage, of contracts that are over."""
    for instant, customer_id in late_usage_due(until):
        yield Falling(instant, customer_id, Invoice.Kind.ADJUSTMENT)


def _of_commits(until: datetime) -> QuerySet[InvoiceScheduleItem]:
    """Dates that have come, of commits that stand and are billed by a contract that is not archived."""
    archived = Contract.objects.filter(pk=OuterRef("billed_by"), archived_at__isnull=False)
    items = InvoiceScheduleItem.objects.standing().annotate(billed_by=billed_by())
    return items.filter(~Exists(archived), commit__removed_by_edit=None, issued_at__lte=until, created_at__lte=until)


def _billed(contract: str) -> Exists:
    return Exists(
        Invoice.objects.filter(
            customer_id=OuterRef("customer_id"),
            contract_id=OuterRef(contract),
            kind=Invoice.Kind.CHARGES,
            issued_at=OuterRef("issued_at"),
        ).exclude(slot__contains=OWNED)
    )
