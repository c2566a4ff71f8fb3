"""What is left of commits and credits."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import clock
from billing_site.foundation.display import plain_text
from billing_site.foundation.money import exact_sum, major_amount
from contracts.commit_wording import NOUNS
from invoicing.portal.balances import cards_of
from invoicing.portal.ledgers import ledger_of, name_of
from invoicing.portal.sheets import instant_cell, sheet
from invoicing.queries.account_balances import BurntBalances, burnt_balances
from invoicing.views.portal.files import as_file
from invoicing.views.portal.following import followed
from invoicing.views.portal.viewers import Viewer, shown
from pricing.sheets.cells import guarded

COLUMNS = ("balance", "contract", "when", "what", "amount", "left", "unit")


@followed
def balances(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Each with its grants, its ledger and when it will be used up. Raises NotFound."""
    at = clock.now()
    read = _read(viewer, at)
    with_names = viewer.option("hide_grant_name") != "true"
    cards = cards_of(read.held, read.burnt, read.numbers, read.contract_names, at, with_names=with_names)
    return shown(
        request,
        viewer,
        "balances.html",
        "balances/",
        read.customer_name,
        title="Balances",
        open=[card for card in cards if not card.is_over],
        over=[card for card in cards if card.is_over],
    )


def balances_csv(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every entry of every ledger. Raises NotFound."""
    at = clock.now()
    return as_file(
        sheet(COLUMNS, _rows(_read(viewer, at), with_names=viewer.option("hide_grant_name") != "true")),
        f"balances-{at:%Y-%m-%d}",
    )


def _read(viewer: Viewer, at: datetime) -> BurntBalances:
    unit_id = viewer.option("credit_ledger_credit_type_id")
    return burnt_balances(viewer.customer_id, at=at, unit_id=UUID(unit_id) if unit_id else None)


def _rows(read: BurntBalances, *, with_names: bool) -> Iterator[tuple[str, ...]]:
    for held in read.held:
        unit = held.committed.commit.held_in
        name = read.contract_names.get(held.contract.pk) if held.contract else None
        contract = guarded(name) if name else ""
        left = exact_sum([])
        told = ledger_of(held, read.numbers, with_reasons=False)
        for movement, row in zip(held.statement.movements, told, strict=True):
            left = exact_sum([left, movement.amount])
            amounts = [plain_text(major_amount(each, unit)) for each in (movement.amount, left)]
            when = instant_cell(movement.timestamp)
            called = name_of(held) if with_names else NOUNS[held.committed.commit.type]
            yield guarded(called), contract, when, guarded(row.what), *amounts, unit.code or guarded(unit.name)
