"""What is left of commits and credits."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import clock
from billing_site.foundation.display import plain_text
from billing_site.foundation.money import exact_sum, major_amount
from invoicing.portal.balances import cards_of
from invoicing.portal.ledgers import ledger_of, name_of
from invoicing.portal.sheets import instant_cell, sheet
from invoicing.queries.account_balances import BurntBalances, burnt_balances
from invoicing.views.portal.files import as_file
from invoicing.views.portal.viewers import Viewer, shown
from pricing.sheets.cells import guarded

COLUMNS = ("balance", "contract", "when", "what", "amount", "left", "unit")


def balances(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Each with its grants, its ledger and when it will be used up. Raises NotFound."""
    at = clock.now()
    read = burnt_balances(viewer.customer_id, at=at)
    cards = cards_of(read.held, read.burnt, read.numbers, read.contract_names, at)
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
    return as_file(sheet(COLUMNS, _rows(burnt_balances(viewer.customer_id, at=at))), f"balances-{at:%Y-%m-%d}")


def _rows(read: BurntBalances) -> Iterator[tuple[str, ...]]:
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
            yield guarded(name_of(held)), contract, when, guarded(row.what), *amounts, unit.code or guarded(unit.name)
