"""Why a document is what it is: its lines and their parts, with the facts that they name, as known when it was made.

Who paid a part is in its trace. Which balances were open to it, and in which order they pay, follows from the terms and
the price list of then: a balance before the one that paid had nothing left for the part.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from billing_site.foundation.money import QUANTUM, Unit, exact_sum
from billing_site.foundation.periods import HOUR
from billing_site.foundation.refusals import FieldError, NotFound
from billing_site.foundation.transactions import read_snapshot
from contracts.fee_terms import Subscription
from contracts.models import Commit, Contract, Override, ProfessionalService, RecurringCommit, ScheduledCharge
from contracts.override_wording import names_in
from contracts.queries import Known, customer_terms, known_at
from contracts.terms import CustomerTerms
from invoicing.engine.balances import Balance, balances, rule_between
from invoicing.engine.commits import all_commits
from invoicing.engine.inputs import Inputs, Posted
from invoicing.frozen import PRODUCT_TYPES
from invoicing.models import EnteredNoteDecision, Invoice
from invoicing.queries.documents import document
from invoicing.queries.shown import ShownDocument, ShownLine
from invoicing.queries.spending import row_key
from invoicing.queries.traces import ShownPart
from pricing.engine.catalog import Catalog
from pricing.engine.targets import Offer
from pricing.models import BillableMetric, PricingUnit, Product, ProductVersion, Rate
from pricing.queries import catalog, products_by_id, version_in_force

Row = TypeVar("Row", bound=Model)

NOTHING_POSTED = Posted(frozenset(), {}, {})
COMPOSITE = PRODUCT_TYPES["COMPOSITE"]


class NotThere(NotFound):
    """What is there now was not known at the instant that was asked for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A balance that is open to a part, and the rule by which it comes before the next one (none for the last)."""

    balance: Balance
    pays: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A document, and the facts behind it by id. `products` have their versions at hand."""

    document: ShownDocument
    contract: Contract
    terms: CustomerTerms
    catalog: Catalog
    balances: tuple[Balance, ...]  # of the customer, in the order in which usage draws on them
    units: Mapping[UUID, Unit]
    products: Mapping[UUID, Product]
    rates: Mapping[UUID, Rate]
    overrides: Mapping[UUID, Override]
    metrics: Mapping[UUID, BillableMetric]
    commits: Mapping[UUID, Commit | RecurringCommit]  # that lines bill, or what has granted them; with their edits
    charges: Mapping[UUID, ScheduledCharge]  # likewise
    services: Mapping[UUID, ProfessionalService]  # likewise
    names: Mapping[str, str]  # of what the overrides name
    by_hand: EnteredNoteDecision | None  # of a note that was entered by hand
    is_for_customer: bool = False  # then nothing of it says who decided what in the house, and why

    def unit(self, line: ShownLine) -> Unit:
        return self.units[line.unit_id]

    def version(self, line: ShownLine) -> ProductVersion | None:
        """The definition of the line's product where the line begins."""
        product = named_in(line, "product_id", self.products)
        if product is None:
            return None
        starting_at = line.period.starting_at if line.period else self.document.issued_at
        return version_in_force(product, min((part.period.starting_at for part in line.parts), default=starting_at))

    def turns(self, line: ShownLine, part: ShownPart) -> tuple[Turn, ...]:
        """The balances that are open to the part, in their order, whether or not anything was left of them. A
        conversion is of many products, and has its payer alone."""
        product = named_in(line, "product_id", self.products)
        if product is None:
            found = [balance for balance in self.balances if balance.segment.id == part.segment_id]
        else:
            subscription = self.subscription(line)
            offer = Offer(
                product.pk,
                tuple(version_in_force(product, part.period.starting_at).tags),
                tuple(line.fields.get("pricing_group_values", {}).items()),
                tuple(line.fields.get("presentation_group_values", {}).items()),
                "" if subscription is None else subscription.frequency,
            )
            found = [balance for balance in self.balances if self._is_open(balance, line, part, offer)]
        rules = [rule_between(one, other, self.catalog) for one, other in pairwise(found)]
        return tuple(
            Turn(balance, balance.segment.id == part.segment_id, rule)
            for balance, rule in zip(found, [*rules, ""][: len(found)], strict=True)
        )

    def _is_open(self, balance: Balance, line: ShownLine, part: ShownPart, offer: Offer) -> bool:
        is_share = line.fields.get("product_type") == COMPOSITE
        in_its_unit = not is_share if balance.counts_units else balance.commit.unit.id == line.unit_id
        return (
            self._paid_at(line, part) in balance.period
            and in_its_unit
            and balance.applies_to(self.document.contract_id, offer)
        )

    def _paid_at(self, line: ShownLine, part: ShownPart) -> datetime:
        """When the balances are asked: a fee that is collected when its time is over, in the last hour of that."""
        start, end = part.period.starting_at, part.period.ending_before
        is_in_arrears = line.type == "subscription" and self.document.issued_at > start
        return end - HOUR if is_in_arrears and end is not None else start

    def subscription(self, line: ShownLine) -> Subscription | None:
        """What a line is the fee of."""
        wanted = id_in(line, "subscription_id")
        contracts = (each for each in self.terms.contracts if each.id == self.document.contract_id)
        return next((each for contract in contracts for each in contract.subscriptions if each.id == wanted), None)

    def base_of(self, line: ShownLine) -> Mapping[str, Decimal]:
        """What a composite's line is a share of: by product, what it came to on this document. Empty where the lines
        do not say it, as a product had its tag for a part of the period only."""
        version = self.version(line)
        if version is None or line.fields.get("product_type") != COMPOSITE:
            return {}
        base: dict[str, list[Decimal]] = {}
        whole: list[Decimal] = []
        for other in self.document.lines:
            if other.type != "usage" or other.unit_id != line.unit_id:
                continue
            if other.fields.get("adjustment") != line.fields.get("adjustment"):
                continue
            if other.fields["product_id"] == line.fields["product_id"]:
                whole += [part.quantity for part in other.parts]
            elif _lists(version, other):
                base.setdefault(other.name, []).append(other.unrounded_total)
        found = {name: exact_sum(amounts) for name, amounts in base.items()}
        missing = exact_sum([*found.values(), *(-quantity for quantity in whole)])
        return found if abs(missing) <= QUANTUM * len(self.document.lines) else {}


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """The lines of one product (and its values) on a document."""

    explained: Explained
    lines: tuple[ShownLine, ...]


def explained_document(
    customer_id: UUID,
    document_id: UUID,
    *,
    at: datetime,
    as_of: datetime | None = None,
    is_for_customer: bool = False,
) -> Explained:
    """A fixed number of queries beside those of the document. Raises NotFound, and Refusal where `as_of` is later than
    `at`."""
    with read_snapshot():
        shown = document(customer_id, document_id, at=at, as_of=as_of)
        known = _known(customer_id, shown, at=at, as_of=as_of)
        contract = Contract.objects.select_related("customer", "rate_card").get(pk=shown.contract_id)
        terms = customer_terms(customer_id, at_edit=known.at_edit)
        cards = [each.rate_card_id for each in terms.contracts if each.rate_card_id is not None]
        prices = catalog(rate_card_ids=cards, at_publication=known.at_publication)
        parts = [part for line in shown.lines for part in line.parts]
        overrides = _by_id(
            Override.objects.filter(customer_id=customer_id).select_related("unit", "added_by_edit"),
            {part.override_id for part in parts} | {loser for part in parts for loser, _ in part.losing_overrides},
        )
        rates = Rate.objects.select_related("unit", "rate_card", "formula", "publication__price_change")
        commits = Commit.objects.filter(customer_id=customer_id).select_related("added_by_edit", "unit")
        charges = ScheduledCharge.objects.filter(customer_id=customer_id).select_related("added_by_edit")
        services = ProfessionalService.objects.filter(customer_id=customer_id).select_related("added_by_edit")
        drawn_on = balances(all_commits(Inputs(at, terms, prices, NOTHING_POSTED)), prices, NOTHING_POSTED)
        billed = {id_in(line, "commit_id") for line in shown.lines}
        product_ids = [found for line in shown.lines if (found := id_in(line, "product_id")) is not None]
        return Explained(
            document=shown,
            contract=contract,
            terms=terms,
            catalog=prices,
            balances=drawn_on,
            units={unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()},
            products=products_by_id(product_ids, at_publication=known.at_publication),
            rates=_by_id(rates, {part.rate_id for part in parts}),
            overrides=overrides,
            metrics=_by_id(BillableMetric.objects.all(), {part.metric_id for part in parts}),
            commits={**_by_id(commits, billed), **_grantors(customer_id, drawn_on, billed)},
            charges=_by_id(
                charges, {id_in(line, name) for line in shown.lines for name in ("scheduled_charge_id", "discount_id")}
            ),
            services=_by_id(services, {id_in(line, "professional_service_id") for line in shown.lines}),
            names=names_in(overrides.values()),
            by_hand=_by_hand(shown),
            is_for_customer=is_for_customer,
        )


def _by_hand(shown: ShownDocument) -> EnteredNoteDecision | None:
    if shown.kind != Invoice.Kind.NOTE:
        return None
    return EnteredNoteDecision.objects.filter(note=shown.id).select_related("entered").first()


def _grantors(
    customer_id: UUID, balances: Sequence[Balance], billed: Collection[UUID | None]
) -> dict[UUID, RecurringCommit]:
    """What recurs, by the id of the instance that is billed. One query at the most."""
    instances = {each.commit.id: each.commit.recurring_id for each in balances if each.commit.id in billed}
    rows = RecurringCommit.objects.filter(customer_id=customer_id).select_related("added_by_edit", "unit")
    found = _by_id(rows, set(instances.values()))
    return {commit_id: found[recurring_id] for commit_id, recurring_id in instances.items() if recurring_id in found}


def explained_row(
    customer_id: UUID, document_id: UUID, row: int, *, at: datetime, as_of: datetime | None = None
) -> ExplainedRow:
    """The row's place is the one it has in `products_of`, now; with `as_of` it is the same row as it was known then.
    Raises NotFound; NotThere where the document, or such a row of it, was not there then."""
    explained = explained_document(customer_id, document_id, at=at)
    rows = _rows(explained)
    if not 0 <= row < len(rows):
        raise NotFound(
            "There is no such line.", FieldError("row", row, f"must be one of the document's {len(rows)} rows")
        )
    key = list(rows)[row]
    if as_of is not None:
        try:
            explained = explained_document(customer_id, document_id, at=at, as_of=as_of)
        except NotFound as refusal:
            raise NotThere("There was no such document then.", *refusal.errors) from refusal
        rows = _rows(explained)
        if key not in rows:
            raise NotThere("The document had no such line then.", FieldError("as_of", as_of, "must be of such a line"))
    return ExplainedRow(explained, tuple(rows[key]))


def _rows(explained: Explained) -> dict[tuple[str, str, str, UUID], list[ShownLine]]:
    rows: dict[tuple[str, str, str, UUID], list[ShownLine]] = {}
    for line in explained.document.lines:
        if (key := row_key(line)) is not None:
            rows.setdefault(key, []).append(line)
    return rows


def _known(customer_id: UUID, shown: ShownDocument, *, at: datetime, as_of: datetime | None) -> Known:
    """What the document was made of."""
    if shown.number is not None:
        return Known(*Invoice.objects.values_list("publication", "edit_number").get(pk=shown.id))
    return Known() if as_of is None else known_at(customer_id, as_of, at=at)


def _lists(version: ProductVersion, line: ShownLine) -> bool:
    """Whether a line is part of what the composite is a share of."""
    if line.fields.get("product_type") == COMPOSITE and not version.include_composite_spend:
        return False
    tags = line.fields.get("product_tags", ())
    return line.fields["product_id"] in version.composite_product_ids or not set(tags).isdisjoint(
        version.composite_tags
    )


def named_in(line: ShownLine, field: str, rows: Mapping[UUID, Row]) -> Row | None:
    """The row whose id the line has in a field."""
    row_id = id_in(line, field)
    return None if row_id is None else rows.get(row_id)


def id_in(line: ShownLine, field: str) -> UUID | None:
    return UUID(line.fields[field]) if field in line.fields else None


def _by_id(rows: QuerySet[Row], ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    return rows.in_bulk([each for each in ids if each is not None])
