"""The whole page of a customer, from an account."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_site.foundation.display import amount_text, day_text, instant_text, near_day_text
from invoicing.portal.bars import Bar, bar_of
from invoicing.portal.charts import Chart, chart_of, is_spent
from invoicing.portal.documents import DocumentRow, document_row
from invoicing.portal.forecasts import forecast_how, forecast_text
from invoicing.portal.prices import PriceRow, price_row
from invoicing.portal.products import Table, table_of
from invoicing.portal.words import last_day, period_title
from invoicing.queries.account import Account, Charge, OpenPeriod

PRICES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Headline:
    title: str
    contract: str
    amount: str
    final: str
    saved: str
    warning: str
    forecast: str
    how: str  # the forecast was made


@dataclass(frozen=True, slots=True)
class ChargeRow:
    name: str
    when: str
    amount: str
    is_due: bool = False  # its date has come: only a run of billing is still to come


@dataclass(frozen=True, slots=True)
class Page:
    customer_id: UUID
    customer_name: str
    notes: tuple[str, ...]
    headlines: tuple[Headline, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    bars: tuple[Bar, ...]
    no_bars: str
    prices: tuple[PriceRow, ...]
    more_prices: str
    charges: tuple[ChargeRow, ...]
    documents: tuple[DocumentRow, ...]
    older_documents: int
    no_spend: str
    no_documents: str

    @property
    def spend_title(self) -> str:
        return self.charts[0].title if self.charts else "Spend by day and product"

    @property
    def chart_data(self) -> list[dict[str, Any]]:
        return [chart.data for chart in self.charts]


def page_of(account: Account) -> Page:
    several = len(account.contracts) > 1
    to_come = [price_row(change, several) for change in account.prices_to_come]
    charts = tuple(chart_of(spent, account.at) for spent in account.spending if is_spent(spent))
    return Page(
        customer_id=account.customer_id,
        customer_name=account.customer_name,
        notes=tuple(_notes(account)),
        headlines=tuple(_headline(period, account.at, several) for period in account.periods),
        charts=charts,
        tables=tuple(table_of(period, account.at, several) for period in account.periods if period.products),
        bars=tuple(bar_of(each, account.at) for each in account.commitments),
        no_bars="" if account.commitments else _no_commitments(account),
        prices=tuple(to_come[:PRICES_SHOWN]),
        more_prices=f"and {len(to_come) - PRICES_SHOWN} more" if len(to_come) > PRICES_SHOWN else "",
        charges=tuple(_charge_row(charge, account.at) for charge in account.charges),
        documents=tuple(document_row(final.document, final.products, final.unit) for final in account.documents),
        older_documents=account.document_count - len(account.documents),
        no_spend="" if charts or not account.periods else _no_spend(account),
        no_documents="" if account.documents else _no_documents(account),
    )


def _no_commitments(account: Account) -> str:
    waiting = [
        commit.name or "A commitment"
        for contract in account.contracts
        for commit in contract.commits
        if commit.gate is not None and commit.gate.told_at is None
    ]
    if waiting:
        return f"Waiting for your payment: {', '.join(waiting)}. Until then you pay for what you use."
    return "No commitments: you pay for what you use."


def _notes(account: Account) -> Iterator[str]:
    """What to expect where there is nothing to show yet."""
    if not account.contracts:
        yield "There is no contract yet. Once it is agreed, what you use appears here within two seconds."
        return
    for contract in account.contracts:
        if contract.term.starting_at > account.at:
            yield f"{contract.name or 'Your contract'} begins on {day_text(contract.term.starting_at)}."
    ends = [contract.term.ending_before for contract in account.contracts]
    if all(end is not None and end <= account.at for end in ends):
        last = max(end for end in ends if end is not None)
        yield f"Your last contract ended on {last_day(last)}. Usage after that is not billed until there is a new one."


def _no_spend(account: Account) -> str:
    if any(account.at in period.period for period in account.periods):
        return "Nothing has been used in this period yet. Usage appears here within two seconds of arriving."
    return "Nothing was used in this period."


def _no_documents(account: Account) -> str:
    dates = [period.finalizes_at for period in account.periods]
    return f"No invoices yet. The first one follows on {instant_text(min(dates))}." if dates else "No invoices yet."


def _headline(open_: OpenPeriod, at: datetime, several: bool) -> Headline:
    saved = ""
    if open_.saving is not None:
        since = near_day_text(open_.saving.since, at)
        saved = f"{amount_text(open_.saving.amount, open_.unit)} saved since {since}"
    is_due = open_.finalizes_at <= at
    ahead, end = open_.forecast, open_.period.ending_before
    return Headline(
        title=period_title(open_.period, at),
        contract=open_.contract.name if several else "",
        amount=amount_text(open_.total, open_.unit),
        final="about to be made final" if is_due else f"final on {instant_text(open_.finalizes_at)}",
        saved=saved,
        warning=""
        if open_.is_complete
        else "Some usage could not be priced yet and is not in this amount. It will be settled before the invoice.",
        forecast=forecast_text(ahead, open_.unit, end, at)
        if ahead is not None and end is not None
        else _too_young(open_, at),
        how=forecast_how(ahead, open_.unit, at) if ahead is not None else "",
    )


def _too_young(open_: OpenPeriod, at: datetime) -> str:
    runs = at in open_.period and open_.period.ending_before is not None and open_.products
    return "What it will come to is shown once a day of the period has passed." if runs else ""


def _charge_row(charge: Charge, at: datetime) -> ChargeRow:
    amount = amount_text(charge.amount, charge.unit)
    return ChargeRow(charge.name, day_text(charge.issued_at), amount, is_due=charge.issued_at <= at)
