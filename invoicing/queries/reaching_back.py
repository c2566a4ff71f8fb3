"""Edits and publications that came after a document, and may reach back over its period. Whether they change anything
of it is for a new rating to say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from contracts.models import ContractEdit
from invoicing.models import Invoice
from pricing.models import ProductVersion, Publication, Rate, RateWithdrawal

SINCE_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reaching:
    edits: tuple[ContractEdit, ...]
    publications: tuple[Publication, ...]

    @property
    def is_anything(self) -> bool:
        return bool(self.edits or self.publications)

    def is_by(self, actor: Actor) -> bool:
        """Whether the actor has made any of it."""
        made = [(each.created_by, each.actor_id) for each in self.edits]
        made += [(each.published_by, each.price_change.actor_id) for each in self.publications]
        return any(label == actor.label or (actor.id != "" and actor_id == actor.id) for label, actor_id in made)


@dataclass(frozen=True, slots=True)
class Published:
    """Something of a publication: on one rate card, or on all, and since when."""

    number: int
    rate_card_id: UUID | None
    starting_at: datetime


def reaching_back(
    customer_id: UUID, documents: Iterable[tuple[Invoice, Invoice, UUID | None]]
) -> Mapping[UUID, Reaching]:
    """By document: what came after the document by which its terms and prices are known (the second), on its contract
    or of its customer, and on its rate card (the third). Five queries."""
    asked = list(documents)
    if not asked:
        return {}
    since_edit = min(by.edit_number for _, by, _ in asked)
    later = ContractEdit.objects.filter(customer_id=customer_id, number__gt=since_edit)
    edits = list(later.exclude(kind=ContractEdit.Kind.CLAIMS).order_by("number"))
    published = list(_published({card for _, _, card in asked}, min(by.publication for _, by, _ in asked)))
    publications = Publication.objects.select_related("price_change").in_bulk({each.number for each in published})

    def after(invoice: Invoice, by: Invoice, card: UUID | None) -> Reaching:
        numbers = {
            each.number
            for each in published
            if each.number > by.publication
            and each.rate_card_id in (None, card)
            and invoice.ending_before is not None
            and each.starting_at < invoice.ending_before
        }
        of_contract = (each for each in edits if each.contract_id in (None, invoice.contract_id))
        return Reaching(
            tuple(each for each in of_contract if each.number > by.edit_number),
            tuple(publications[number] for number in sorted(numbers)),
        )

    return {invoice.pk: after(invoice, by, card) for invoice, by, card in asked}


def _published(cards: set[UUID | None], since: int) -> Iterator[Published]:
    rates = Rate.objects.filter(rate_card_id__in=cards, publication__gt=since)
    for row in rates.values_list("publication_id", "rate_card_id", "starting_at").distinct():
        yield Published(*row)
    withdrawn = RateWithdrawal.objects.filter(rate__rate_card_id__in=cards, publication__gt=since)
    for row in withdrawn.values_list("publication_id", "rate__rate_card_id", "rate__starting_at").distinct():
        yield Published(*row)
    versions = ProductVersion.objects.filter(publication__gt=since)
    for number, starting_at in versions.values_list("publication_id", "starting_at").distinct():
        yield Published(number, None, starting_at or SINCE_EVER)
