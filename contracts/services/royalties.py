"""A reseller's share of what a contract brings: kept and shown, and nothing is billed by it.

Rules are in `docs/billing_providers.md`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import format_instant, parse_instant
from billing_site.foundation.problems import Problems
from contracts.models.term import digits
from contracts.provider_inputs import ResellerOptionsInput, RoyaltyInput
from contracts.services import targeting
from contracts.services.checks import short_text, term_range
from pricing.queries import products_by_id

TYPES = ("AWS", "AWS_PRO_SERVICE", "GCP", "GCP_PRO_SERVICE")
NEEDED = ("fraction", "netsuite_reseller_id", "starting_at")
PRODUCTS, TAGS, VALUE = "applicable_product_ids", "applicable_product_tags", "reseller_contract_value"
ROYALTIES = "add_reseller_royalties"
Told = dict[str, Any]


def royalties_at_first(given: Sequence[RoyaltyInput], problems: Problems) -> list[Told]:
    """As the contract's terms keep them. Two of one type do not overlap. What is wrong goes to `problems`."""
    agreed: list[Told] = []
    for index, each in enumerate(given):
        inside = problems.within(f"reseller_royalties[{index}]")
        royalty = _royalty(each, {}, inside)
        if royalty is None:
            continue
        start, end = royalty["starting_at"], royalty.get("ending_before")
        for other in agreed:
            other_end = other.get("ending_before")
            overlaps = (other_end is None or start < other_end) and (end is None or other["starting_at"] < end)
            if other["reseller_type"] == each.reseller_type and overlaps:
                inside.add("starting_at", start, f"must not overlap another royalty of type {each.reseller_type}")
                break
        agreed.append(royalty)
    return _in_order(agreed)


def royalties_updated(
    standing: Sequence[Told], given: Sequence[RoyaltyInput], field: str, problems: Problems
) -> tuple[list[Told], list[Told]]:
    """All royalties once these are set, and those set. One holds from its start on, in the place of whatever royalty of
    its type starts then or later; what it does not say is as in the last of its type. What is wrong goes to `problems`.
    """
    royalties, added = list(standing), []
    for index, each in enumerate(given):
        last = next((held for held in reversed(royalties) if held["reseller_type"] == each.reseller_type), {})
        royalty = _royalty(each, last, problems.within(f"{field}[{index}]"))
        if royalty is None:
            continue
        royalties = [
            *(kept for held in royalties if (kept := _before(held, royalty)) is not None),
            royalty,
        ]
        added.append(royalty)
    return _in_order(royalties), added


def _before(held: Told, royalty: Told) -> Told | None:
    """What is left of a royalty once another one starts."""
    if held["reseller_type"] != royalty["reseller_type"]:
        return held
    start = royalty["starting_at"]
    if held["starting_at"] >= start:
        return None
    return {**held, "ending_before": start} if held.get("ending_before", start) >= start else held


def _royalty(given: RoyaltyInput, last: Mapping[str, Any], problems: Problems) -> Told | None:
    """None where what is wrong leaves nothing that could be compared to others."""
    found = len(problems.errors)
    _check(given, problems)
    said = _said(given)
    royalty = {**last, **{name: value for name, value in said.items() if value is not None}}
    starts, ends = royalty.get("starting_at"), royalty.get("ending_before")
    if given.ending_before is None or (said["ending_before"] is None and starts and ends and ends <= starts):
        royalty.pop("ending_before", None)
    for name in NEEDED:
        if name not in royalty:
            problems.add(name, None, f"is required of a first royalty of type {given.reseller_type}")
    if not royalty.get(PRODUCTS) and not royalty.get(TAGS):
        problems.add(PRODUCTS, None, f"must name at least one product, or {TAGS} a tag")
    if len(problems.errors) > found:
        return None
    end = royalty.get("ending_before")
    term_range(problems, parse_instant(royalty["starting_at"]), parse_instant(end) if end else None)
    return royalty if len(problems.errors) == found else None


def _check(given: RoyaltyInput, problems: Problems) -> None:
    if given.reseller_type not in TYPES:
        problems.add("reseller_type", given.reseller_type, f"must be one of {', '.join(TYPES)}")
    if given.fraction is not None and problems.number("fraction", given.fraction) and not 0 <= given.fraction <= 1:
        problems.add("fraction", given.fraction, "must lie between 0 and 1")
    value = given.reseller_contract_value
    if value is not None and problems.number(VALUE, value) and value < 0:
        problems.add(VALUE, value, "must not be negative")
    if given.netsuite_reseller_id is not None:
        problems.name("netsuite_reseller_id", given.netsuite_reseller_id)
    for name, prefix, options in (("aws_options", "AWS", given.aws_options), ("gcp_options", "GCP", given.gcp_options)):
        if options is None:
            continue
        if not given.reseller_type.startswith(prefix):
            problems.add(name, _options(options), f"belongs to types that begin with {prefix}")
        for each, text in _options(options).items():
            short_text(problems.within(name), each, text)
    ids = given.applicable_product_ids or ()
    known = products_by_id(ids) if ids else {}
    for index, product_id in enumerate(ids):
        if product_id not in known:
            problems.add(f"{PRODUCTS}[{index}]", str(product_id), "must be the id of a product")
    targeting.tags(problems, TAGS, given.applicable_product_tags or ())


def _said(given: RoyaltyInput) -> Told:
    end = given.ending_before
    return {
        "reseller_type": given.reseller_type,
        "fraction": _digits(given.fraction),
        "netsuite_reseller_id": given.netsuite_reseller_id,
        "starting_at": format_instant(given.starting_at) if given.starting_at else None,
        "ending_before": format_instant(end) if isinstance(end, datetime) else None,
        PRODUCTS: None
        if given.applicable_product_ids is None
        else [str(each) for each in given.applicable_product_ids],
        TAGS: None if given.applicable_product_tags is None else list(given.applicable_product_tags),
        VALUE: _digits(given.reseller_contract_value),
        **(_options(given.aws_options) if given.aws_options else {}),
        **(_options(given.gcp_options) if given.gcp_options else {}),
    }


def _options(options: ResellerOptionsInput) -> dict[str, str]:
    return {name: text for name, text in asdict(options).items() if text}


def _digits(number: Decimal | None) -> str | None:
    return None if number is None else digits(number)


def _in_order(royalties: Sequence[Told]) -> list[Told]:
    return sorted(royalties, key=lambda each: (TYPES.index(each["reseller_type"]), each["starting_at"]))
