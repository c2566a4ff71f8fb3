"""Overrides: checked, and made into rows."""

from decimal import Decimal

from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import NotSupported
from contracts.inputs import OverrideInput, RateInput, TargetInput
from contracts.models import Contract, Override
from contracts.services import targeting
from contracts.services.checks import Deal, in_fiat, not_billed_yet, priced_product, term_range, within


def override_row(given: OverrideInput, position: int, deal: Deal, problems: Problems) -> Override:
    """The row of an override, not saved. What is wrong goes to `problems`. Raises NotSupported."""
    term_range(problems, given.starting_at, given.ending_before)
    not_billed_yet(problems, "starting_at", given.starting_at, given.starting_at, deal)
    _check_type(problems, given, deal)
    _check_target(problems, given, deal)
    rate = given.overwrite_rate
    return Override(
        position=position,
        starting_at=given.starting_at,
        ending_before=given.ending_before,
        type=given.type,
        multiplier=given.multiplier,
        price=rate.price if rate else None,
        unit=deal.fiat if rate else None,
        priority=given.priority,
        entitled=given.entitled,
        product=deal.products.get(given.product_id) if given.product_id else None,
        applicable_product_tags=targeting.tags(problems, "applicable_product_tags", given.applicable_product_tags),
        specifiers=targeting.specifiers(problems, "override_specifiers", given.override_specifiers, deal),
    )


def _check_type(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    if given.type == "TIERED":
        raise NotSupported.of(f"{problems.path}type", given.type, "is not supported by this server")
    if given.type and given.type not in Override.Type.values:
        problems.add("type", given.type, "must be MULTIPLIER or OVERWRITE")
    if not given.type and given.entitled is None:
        problems.add("type", "", "is required, unless the override only says whether products are entitled")
    _check_multiplier(problems, given)
    _check_rate(problems, given, deal)
    _check_priority(problems, given, deal)


def _check_multiplier(problems: Problems, given: OverrideInput) -> None:
    if given.type != Override.Type.MULTIPLIER:
        if given.multiplier is not None:
            problems.add("multiplier", given.multiplier, "belongs to the type MULTIPLIER")
    elif given.multiplier is None:
        problems.add("multiplier", None, "is required for the type MULTIPLIER")
    elif problems.number("multiplier", given.multiplier) and given.multiplier < 0:
        problems.add("multiplier", given.multiplier, "must not be negative")


def _check_rate(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    if given.type != Override.Type.OVERWRITE:
        if given.overwrite_rate is not None:
            problems.add("overwrite_rate", given.overwrite_rate.rate_type, "belongs to the type OVERWRITE")
    elif given.overwrite_rate is None:
        problems.add("overwrite_rate", None, "is required for the type OVERWRITE")
    else:
        _check_price(within(problems, "overwrite_rate"), given.overwrite_rate, deal)


def _check_price(problems: Problems, rate: RateInput, deal: Deal) -> None:
    if rate.rate_type != "FLAT":
        raise NotSupported.of(f"{problems.path}rate_type", rate.rate_type, "is not supported; only FLAT is")
    in_fiat(problems, rate.credit_type_id, deal)
    if rate.price is None:
        problems.add("price", None, "is required")
    elif problems.number("price", rate.price) and rate.price < 0:
        problems.add("price", rate.price, "must not be negative")


def _check_priority(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    if given.priority is not None:
        if problems.number("priority", given.priority) and given.priority <= Decimal(0):
            problems.add("priority", given.priority, "must be greater than 0")
    elif given.type == Override.Type.MULTIPLIER and deal.prioritization == Contract.Prioritization.EXPLICIT:
        problems.add("priority", None, "is required: the contract ranks its multipliers explicitly")


def _check_target(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    ways = [name for name in ("product_id", "applicable_product_tags", "override_specifiers") if getattr(given, name)]
    if len(ways) > 1:
        shown = given.product_id if ways[-1] == "product_id" else f"{len(getattr(given, ways[-1]))} given"
        problems.add(ways[-1], shown, f"cannot be combined with {' or '.join(ways[:-1])}")
    if given.product_id is not None:
        priced_product(problems, "product_id", given.product_id, deal)
    if given.type != Override.Type.OVERWRITE:
        return
    if given.applicable_product_tags:
        problems.add(
            "applicable_product_tags", list(given.applicable_product_tags), "cannot be used to overwrite a price"
        )
    elif given.override_specifiers:
        for index, target in enumerate(given.override_specifiers):
            name = f"override_specifiers[{index}]."
            targeting.exact_price_target(problems, name, target, given.starting_at, deal)
    else:
        whole = TargetInput(product_id=given.product_id)
        targeting.exact_price_target(problems, "", whole, given.starting_at, deal)
