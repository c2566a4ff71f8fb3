"""Prices and terms as their customer reads them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from billing_site.foundation.display import count_text, day_text, period_text
from billing_site.foundation.periods import Period
from contracts.charge_wording import charge_text
from contracts.commit_wording import commit_text
from contracts.models import ContractTerms
from contracts.override_wording import names_in, override_text
from contracts.queries import Agreement
from contracts.recurring_wording import recurring_text
from contracts.subscription_wording import subscription_text
from contracts.term_lines import FREQUENCIES
from contracts.wording import filter_text
from invoicing.portal.prices import price_in_words
from invoicing.queries.agreed import Agreed
from invoicing.queries.prices_in_force import PriceInForce
from pricing.wording import charge_text as tariff_text

AT_ITS_END = {
    ContractTerms.EndPolicy.STOP: "At its end it stops",
    ContractTerms.EndPolicy.LIST_PRICE: "At its end it goes on at list prices",
    ContractTerms.EndPolicy.RENEW: "At its end it renews for as long again",
}


@dataclass(frozen=True, slots=True)
class TermsCard:
    """One contract; `discounts` are agreed prices and discounts, `lines` all else."""

    title: str
    term: str
    state: str
    basics: tuple[str, ...]
    lines: tuple[str, ...]
    discounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """`listed` is empty where it is the list price that holds."""

    name: str
    per: str
    price: str
    listed: str
    since: str


def terms_cards(told: Agreed, at: datetime) -> tuple[TermsCard, ...]:
    names = names_in(
        (override for each in told.contracts for override in each.overrides),
        [
            *(own.commit for each in told.contracts for own in each.commits),
            *(own.now for each in told.contracts for own in each.recurring),
            *(each.commit for each in told.shared),
        ],
    )
    names |= {str(each.commit.pk): each.commit.name for own in told.contracts for each in own.commits}
    names |= {str(each.commit.pk): each.commit.name for each in told.shared}
    cards = [_card(each, names, at) for each in told.contracts]
    if told.shared:
        lines = tuple(commit_text(each, names) for each in told.shared)
        cards.append(TermsCard("For all of your contracts", "", "", (), lines, ()))
    return tuple(cards)


def own_prices(told: Agreed) -> tuple[OwnPrice, ...]:
    several = len({each.contract.id for each in told.prices}) > 1
    return tuple(_own_price(each, several) for each in told.prices)


def _card(agreed: Agreement, names: dict[str, str], at: datetime) -> TermsCard:
    start, end = agreed.contract.starting_at, agreed.terms.ending_before
    is_over = end is not None and end <= at
    return TermsCard(
        title=agreed.terms.name or "Contract",
        term=period_text(Period(start, end)),
        state="ended" if is_over else "to come" if start > at else "",
        basics=tuple(_basics(agreed)),
        lines=tuple(_lines(agreed, names)),
        discounts=tuple(override_text(each, names) for each in agreed.overrides),
    )


def _basics(agreed: Agreement) -> Iterator[str]:
    yield f"Billed {FREQUENCIES[agreed.contract.Frequency(agreed.contract.frequency)]}"
    if agreed.terms.net_payment_terms_days is not None:
        yield f"Payable within {count_text(agreed.terms.net_payment_terms_days, 'day', 'days')}"
    if agreed.terms.ending_before is not None:
        yield AT_ITS_END[ContractTerms.EndPolicy(agreed.terms.end_policy)]
    if agreed.contract.invoicing_starts_at is not None:
        yield f"Usage is invoiced from {day_text(agreed.contract.invoicing_starts_at)} on"


def _lines(agreed: Agreement, names: Mapping[str, str]) -> Iterator[str]:
    for told in agreed.terms.usage_filters:
        yield filter_text(told)
    for committed in agreed.commits:
        yield commit_text(committed, names)
    for recurring in agreed.recurring:
        yield recurring_text(recurring.now, names)
    for subscribed in agreed.subscriptions:
        yield subscription_text(subscribed)
    for charged in agreed.charges:
        yield charge_text(charged)


def _own_price(found: PriceInForce, several: bool) -> OwnPrice:
    price = found.price
    own, listed = price_in_words(price), tariff_text(price.rate.tariff, price.rate.unit)
    return OwnPrice(
        name=f"{found.name} ({found.contract.name})" if several and found.contract.name else found.name,
        per=f"per {found.unit_name}" if found.unit_name else "",
        price=own,
        listed="" if price.is_listed or own == listed else listed,
        since=day_text(found.since),
    )
