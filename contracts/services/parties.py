"""Saying who sells and who is billed. Drafts print it at once; final documents keep what they have printed."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict
from contracts.models import BillingProfile, Customer, LegalEntity
from contracts.models.parties import ADDRESS_LINES, LONGEST_TERMS
from contracts.services.checks import short_text
from contracts.transactions import alone_with, money_transaction, touch_everybody

ENTITY_FIELDS = (
    "name",
    "address",
    "country",
    "tax_id",
    "email",
    "remittance",
    "net_payment_terms_days",
    "taxes",
    "numbering",
    "number_prefix",
)
PROFILE_FIELDS = (
    "legal_name",
    "address",
    "country",
    "tax_id",
    "purchase_order",
    "contacts",
    "tax_exemption",
)
LINE_LENGTH = 160
MOST_LINES = 20  # of what is not an address
COUNTRY = re.compile(r"[A-Z]{2}")
PREFIX = re.compile(r"[A-Z0-9]{1,12}")


def set_legal_entity(told: Mapping[str, Any], *, reason: str = "", at: datetime, by: Actor) -> LegalEntity:
    """Say who sells: `told` has some of ENTITY_FIELDS, texts of several lines as one; the others stay as they are.

    Saying what is said already changes nothing. Raises Refusal naming every field that breaks a rule.
    """
    with transaction.atomic(), acting(by):
        alone_with(LegalEntity)
        entity = LegalEntity.objects.first() or LegalEntity()
        if not state(entity, told, ENTITY_FIELDS) and not entity._state.adding:
            return entity
        problems = Problems()
        _check_entity(problems, entity)
        problems.refuse()
        save(entity, reason=reason)
        touch_everybody()
        return entity


@money_transaction
def set_billing_profile(
    customer: Customer,
    told: Mapping[str, Any],
    *,
    is_new: bool = False,
    reason: str = "",
    at: datetime,
    by: Actor,
) -> BillingProfile:
    """Say how a customer is billed: `told` has some of PROFILE_FIELDS, texts of several lines as one; the others stay.

    Saying what is said already changes nothing. Raises NotFound, Refusal naming every field that breaks a rule, and
    Conflict where it was to be `is_new` and is not.
    """
    profile = BillingProfile.objects.filter(customer=customer).first() or BillingProfile(customer=customer)
    if is_new and not profile._state.adding:
        raise Conflict.of(
            "customer", customer.pk, "must be a customer without a billing profile; change the one it has"
        )
    if not state(profile, told, PROFILE_FIELDS) and not profile._state.adding:
        return profile
    problems = Problems()
    _check_profile(problems, profile)
    problems.refuse()
    with acting(by):
        save(profile, reason=reason)
    return profile


def state(row: Any, told: Mapping[str, Any], fields: tuple[str, ...]) -> bool:
    """Put what is told onto a row, and say whether that is news."""
    before = [getattr(row, name) for name in fields]
    for name in fields:
        if name in told:
            setattr(row, name, told[name])
    return before != [getattr(row, name) for name in fields]


def check_country(problems: Problems, country: str) -> None:
    if country and not COUNTRY.fullmatch(country):
        problems.add("country", country, "must be two capital letters, as in DE, or empty")


def _check_entity(problems: Problems, entity: LegalEntity) -> None:
    problems.name("name", entity.name)
    if not entity.address.strip():
        problems.add("address", entity.address, "must not be empty")
    _check_lines(problems, "address", entity.address, ADDRESS_LINES)
    check_country(problems, entity.country)
    short_text(problems, "tax_id", entity.tax_id, length=64)
    if entity.email:
        _check_email(problems, "email", entity.email, "must be an e-mail address")
    _check_lines(problems, "remittance", entity.remittance, MOST_LINES)
    days = entity.net_payment_terms_days
    if days is not None and not (0 <= days <= LONGEST_TERMS and days == int(days)):
        problems.add("net_payment_terms_days", days, f"must be a whole number of days from 0 to {LONGEST_TERMS}")
    counts_for_all = entity.numbering == LegalEntity.Numbering.PER_LEGAL_ENTITY
    if counts_for_all and not PREFIX.fullmatch(entity.number_prefix):
        rule = "must be 1 to 12 capital letters and digits, as numbers over all customers need a prefix"
        problems.add("number_prefix", entity.number_prefix, rule)
    elif not counts_for_all and entity.number_prefix:
        problems.add(
            "number_prefix", entity.number_prefix, "must be empty, as numbers for each customer have no prefix"
        )


def _check_profile(problems: Problems, profile: BillingProfile) -> None:
    short_text(problems, "legal_name", profile.legal_name)
    _check_lines(problems, "address", profile.address, ADDRESS_LINES)
    check_country(problems, profile.country)
    short_text(problems, "tax_id", profile.tax_id, length=64)
    short_text(problems, "purchase_order", profile.purchase_order, length=80)
    _check_lines(problems, "contacts", profile.contacts, MOST_LINES)
    for contact in profile.contacts.splitlines():
        _check_email(problems, "contacts", contact, f"must be e-mail addresses, and {contact!r} is none")
    short_text(problems, "tax_exemption", profile.tax_exemption)


def _check_lines(problems: Problems, field: str, text: str, most: int) -> None:
    """What is printed line by line."""
    lines = text.splitlines()
    if len(lines) > most:
        problems.add(field, text, f"must not have more than {most} lines")
    for line in lines:
        short_text(problems, field, line, length=LINE_LENGTH)


def _check_email(problems: Problems, field: str, text: str, rule: str) -> None:
    try:
        validate_email(text.strip())
    except ValidationError:
        problems.add(field, text, rule)
