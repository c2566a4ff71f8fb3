"""Everything that a customer's page tells, as values, from one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.terms import Commit, Contract
from invoicing.engine.calendar import CHARGES, TRUE_UP, USAGE, open_periods
from invoicing.engine.documents import Document
from invoicing.queries.commitments import Commitment, commitment, period_of, window_of_pace
from invoicing.queries.compute import Computation, computation
from invoicing.queries.documents import Head, final_heads, finals_by_id, shown_drafts
from invoicing.queries.forecast import Forecast, forecast, windows_of_forecast
from invoicing.queries.prices_to_come import PriceToCome, prices_to_come
from invoicing.queries.shown import FINALIZED, ShownDocument
from invoicing.queries.spending import (
    ProductSpend,
    Saving,
    Spending,
    instants_of,
    products_of,
    saving,
    spending,
    windows_of,
)
from invoicing.queries.spread import Asked, Shares, shares
from invoicing.queries.statements import statements
from pricing.engine.catalog import Catalog
from pricing.models import PricingUnit

DOCUMENTS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """A billing period of one contract that is not final, with what it comes to now."""

    contract: Contract
    document_id: UUID
    period: Period
    finalizes_at: datetime
    unit: Unit
    total: Decimal
    products: tuple[ProductSpend, ...]
    saving: Saving | None
    is_complete: bool  # all usage in it has a price
    forecast: Forecast | None  # once it has run for a day


@dataclass(frozen=True, slots=True)
class Charge:
    """Something billed on a date to come, whatever the usage."""

    contract_id: UUID
    name: str
    amount: Decimal
    unit: Unit
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class FinalDocument:
    document: ShownDocument
    unit: Unit
    products: tuple[ProductSpend, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """Documents come newest first, up to the number asked for, of `document_count`."""

    customer_id: UUID
    customer_name: str
    at: datetime
    contracts: tuple[Contract, ...]
    periods: tuple[OpenPeriod, ...]  # those that run first, then those that are over and not final yet
    spending: tuple[Spending, ...]  # one for each unit
    commitments: tuple[Commitment, ...]
    prices_to_come: tuple[PriceToCome, ...]
    charges: tuple[Charge, ...]
    documents: tuple[FinalDocument, ...]
    document_count: int
    catalog: Catalog  # with the rate cards of its contracts

    def of_contract(self, contract_id: UUID) -> "Account":
        """What belongs to one contract. Balances of the customer itself stay; charts are of the customer."""
        documents = tuple(each for each in self.documents if each.document.contract_id == contract_id)
        return replace(
            self,
            contracts=tuple(each for each in self.contracts if each.id == contract_id),
            periods=tuple(each for each in self.periods if each.contract.id == contract_id),
            commitments=tuple(each for each in self.commitments if each.commit.contract_id in (contract_id, None)),
            prices_to_come=tuple(each for each in self.prices_to_come if each.contract.id == contract_id),
            charges=tuple(each for each in self.charges if each.contract_id == contract_id),
            documents=documents,
            document_count=len(documents),
        )


def account(customer_id: UUID, *, at: datetime, document_limit: int | None = DOCUMENTS_SHOWN) -> Account:
    """A fixed number of statements, and one more for each stretch that has to be seen by the hour. `document_limit`
    None: all documents. Raises NotFound."""
    with read_snapshot():
        computed = computation(customer_id, at=at)
        customer = Customer.objects.get(pk=customer_id)
        drafts = shown_drafts(computed, customer)
        units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
        held = statements(computed, at=at)
        heads = sorted(final_heads(customer_id), key=lambda head: (head.issued_at, head.id), reverse=True)
        listed = heads[:document_limit]
        commits = [commit for commit in computed.commits if _is_open(commit, computed, at)]
        recent = [head for head in heads if head.status == FINALIZED and _counts_for_pace(head, commits, at)]
        finals = finals_by_id(customer_id, {head.id for head in (*listed, *recent)})
        usage = [draft for draft in drafts if draft.kind == USAGE]
        windows = {
            unit_id: windows_of([draft for draft in usage if draft.unit_id == unit_id], at=at)
            for unit_id in dict.fromkeys(draft.unit_id for draft in usage)
        }
        edges = [edge for commit in commits for edge in _edges(window_of_pace(commit, at=at))]
        ahead = {draft.id: windows_of_forecast(draft.period, at=at) if draft.period else () for draft in usage}
        edges += [edge for windows_ in ahead.values() for window in windows_ for edge in _edges(window)]
        spread = [*usage, *(finals[head.id] for head in recent)]
        asked = [
            Asked.of(
                document,
                tuple(sorted({*edges, *instants_of(windows.get(document.unit_id, ()))})),
                computed.inputs,
            )
            for document in spread
        ]
        shared = list(zip(spread, shares(asked, computed.inputs), strict=True))
    forecasts = {draft.id: forecast(draft, of_draft, ahead[draft.id]) for draft, of_draft in shared[: len(usage)]}
    catalog = computed.inputs.catalog
    rate_units = {rate.id: rate.unit.id for card in catalog.rate_cards.values() for rate in card.rates}
    return Account(
        customer_id=customer.pk,
        customer_name=customer.name,
        at=at,
        contracts=computed.inputs.terms.contracts,
        periods=tuple(_open_periods(computed, usage, forecasts, rate_units, units, at)),
        spending=tuple(
            spending(_in_unit(shared[: len(usage)], unit_id), of_unit, units[unit_id], rate_units)
            for unit_id, of_unit in windows.items()
        ),
        commitments=tuple(
            commitment(commit, held[commit.id], _true_up(computed, commit), shared, at=at) for commit in commits
        ),
        prices_to_come=tuple(prices_to_come(computed.inputs.terms, catalog, at=at)),
        charges=tuple(_charges(drafts, units)),
        documents=tuple(
            FinalDocument(final, units[final.unit_id], products_of(final, catalog, units))
            for final in (finals[head.id] for head in listed)
        ),
        document_count=len(heads),
        catalog=catalog,
    )


def _open_periods(
    computed: Computation,
    usage: Sequence[ShownDocument],
    forecasts: Mapping[UUID, Forecast | None],
    rate_units: Mapping[UUID, UUID],
    units: Mapping[UUID, Unit],
    at: datetime,
) -> Iterator[OpenPeriod]:
    drafts = {draft.id: draft for draft in usage}
    catalog = computed.inputs.catalog
    periods = open_periods(computed.inputs)
    for open_ in sorted(periods, key=lambda each: (each.ending_before <= at, each.ending_before)):
        contract, draft = open_.contract, drafts.get(open_.document_id)
        assert contract.rate_card_id is not None
        yield OpenPeriod(
            contract=contract,
            document_id=open_.document_id,
            period=open_.period,
            finalizes_at=open_.finalizes_at,
            unit=catalog.rate_cards[contract.rate_card_id].fiat,
            total=draft.subtotal if draft else Decimal(0),
            products=products_of(draft, catalog, units) if draft else (),
            saving=saving(draft, rate_units) if draft else None,
            is_complete=not any(finding.blocking for finding in draft.findings) if draft else True,
            forecast=forecasts[draft.id] if draft else None,
        )


def _true_up(computed: Computation, commit: Commit) -> Document | None:
    drafts = computed.result.documents
    return next((each for each in drafts if each.kind == TRUE_UP and each.slot == str(commit.id)), None)


def _is_open(commit: Commit, computed: Computation, at: datetime) -> bool:
    """Until it has ended and its true-up is final; never, where its contract ended before there was access."""
    if not commit.segments:
        return False
    end = period_of(commit).ending_before
    return end is None or end > at or _true_up(computed, commit) is not None


def _counts_for_pace(head: Head, commits: Sequence[Commit], at: datetime) -> bool:
    windows = [window for commit in commits if (window := window_of_pace(commit, at=at)) is not None]
    return any(head.period is not None and head.period.overlap(window) is not None for window in windows)


def _edges(window: Period | None) -> tuple[datetime, ...]:
    return () if window is None or window.ending_before is None else (window.starting_at, window.ending_before)


def _in_unit(shared: Sequence[tuple[ShownDocument, Shares]], unit_id: UUID) -> list[tuple[ShownDocument, Shares]]:
    return [(document, found) for document, found in shared if document.unit_id == unit_id]


def _charges(drafts: Sequence[ShownDocument], units: Mapping[UUID, Unit]) -> Iterator[Charge]:
    for draft in drafts:
        if draft.kind == CHARGES:
            for line in draft.lines:
                yield Charge(draft.contract_id, line.name, line.total, units[draft.unit_id], draft.issued_at)
