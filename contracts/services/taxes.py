"""Fixed tax rates over time, and which code a product is taxed by. Drafts show it at once, final documents never."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems, decimal_places, save
from billing_site.foundation.refusals import Conflict, NotFound
from contracts.models import ProductTaxCode, TaxRate
from contracts.services.checks import short_text, term_range
from contracts.services.parties import check_country, state
from contracts.transactions import alone_with, touch_everybody
from pricing.queries import product

RATE_FIELDS = ("name", "percent", "tax_code", "country", "starting_at", "ending_before")
NAME_LENGTH, CODE_LENGTH = 80, 64
PERCENT_PLACES = 6


def add_tax_rate(told: Mapping[str, Any], *, reason: str = "", at: datetime, by: Actor) -> TaxRate:
    """A rate from an instant on. `told` has RATE_FIELDS; code, country and end may be left out.

    Adding one that is there already, alike in every field, gives that one. Raises Refusal naming every field that
    breaks a rule, and Conflict where another one begins then.
    """
    with transaction.atomic(), acting(by):
        alone_with(TaxRate)
        rate = TaxRate(**told)
        _check_rate(rate)
        held = _beside(rate)
        if held is not None and all(getattr(held, name) == getattr(rate, name) for name in RATE_FIELDS):
            return held
        _refuse_beside(rate, held)
        return _keep(rate, reason=reason)


def change_tax_rate(rate_id: UUID, told: Mapping[str, Any], *, reason: str = "", at: datetime, by: Actor) -> TaxRate:
    """Say something else of a rate: `told` has some of RATE_FIELDS, the others stay. It ends where it is given an end.

    Saying what is said already changes nothing. Raises NotFound, Refusal naming every field that breaks a rule, and
    Conflict where another one begins then.
    """
    with transaction.atomic(), acting(by):
        alone_with(TaxRate)
        rate = TaxRate.objects.filter(pk=rate_id).first()
        if rate is None:
            raise NotFound.of("id", rate_id, "must be the id of a tax rate")
        if not state(rate, told, RATE_FIELDS):
            return rate
        _check_rate(rate)
        _refuse_beside(rate, _beside(rate))
        return _keep(rate, reason=reason)


def set_tax_code(
    product_id: UUID, tax_code: str, *, is_new: bool = False, reason: str = "", at: datetime, by: Actor
) -> ProductTaxCode:
    """Say by which code a product is taxed; empty: by the standard rate. Saying it again changes nothing.

    Raises NotFound, Refusal, and Conflict where it was to be `is_new` and the product has had one.
    """
    problems = Problems()
    _check_code(problems, tax_code)
    problems.refuse()
    with transaction.atomic(), acting(by):
        taxed = product(product_id, locked=True, field="product_id")
        code = ProductTaxCode.objects.filter(product=taxed).first() or ProductTaxCode(product=taxed)
        if is_new and not code._state.adding:
            raise Conflict.of("product", taxed.name, "must be a product without a tax code; change the one it has")
        if code.tax_code != tax_code or code._state.adding:
            code.tax_code = tax_code
            save(code, reason=reason)
            touch_everybody()
        return code


def _check_rate(rate: TaxRate) -> None:
    problems = Problems()
    if not rate.name.strip():
        problems.add("name", rate.name, "must not be empty")
    short_text(problems, "name", rate.name, length=NAME_LENGTH)
    percent = Decimal(rate.percent)
    if not percent.is_finite() or not 0 <= percent <= 100:
        problems.add("percent", percent, "must be from 0 to 100")
    elif decimal_places(percent) > PERCENT_PLACES:
        problems.add("percent", percent, f"must not have more than {PERCENT_PLACES} decimals")
    _check_code(problems, rate.tax_code)
    check_country(problems, rate.country)
    term_range(problems, rate.starting_at, rate.ending_before)
    problems.refuse()


def _check_code(problems: Problems, tax_code: str) -> None:
    short_text(problems, "tax_code", tax_code, length=CODE_LENGTH)
    if tax_code != tax_code.strip():
        problems.add("tax_code", tax_code, "must not begin or end with a space")


def _beside(rate: TaxRate) -> TaxRate | None:
    """Another one of its code and country that begins when it does."""
    same = TaxRate.objects.filter(tax_code=rate.tax_code, country=rate.country, starting_at=rate.starting_at)
    return same.exclude(pk=rate.pk).first()


def _refuse_beside(rate: TaxRate, held: TaxRate | None) -> None:
    if held is not None:
        rule = f"must not be when another rate for this code and country begins; change that one, {held.pk}"
        raise Conflict.of("starting_at", format_instant(rate.starting_at), rule)


def _keep(rate: TaxRate, *, reason: str) -> TaxRate:
    save(rate, reason=reason)
    touch_everybody()
    return rate
