"""Overrides: checked, and made into rows (`api_map` 4.3).

    type        needs                                        and not
    MULTIPLIER  multiplier
    TIERED      tiers, priority, a contract ranked EXPLICIT
    OVERWRITE   overwrite_rate; a product and all of its     tags, presentation values
                pricing group values
    (none)      entitled                                     presentation values

Where a contract ranks its multipliers explicitly, each has a priority above zero. With `is_commit_specific` an
override holds only while a balance pays: one that its specifiers name, or any where they name none. Only such a one
may have COMMIT_RATE as its target, and it does not decide what is part of the deal.

One may reach back over final documents: these stay as they are, and call for notes.

Tiers are the period's quantity from the bottom up, each at a multiple of the list price; beyond the last one that has
a size, the list price holds.
"""

from billing_site.foundation.problems import Problems
from contracts.inputs import OverrideInput, RateInput, TargetInput
from contracts.models import Contract, Override
from contracts.services import targeting
from contracts.services.checks import Deal, in_fiat, term_range
from pricing.engine.tariffs import Tariff
from pricing.services.tariffs import above_zero, check_sizes, check_suits_product, checked_tariff, not_negative
from pricing.tiers import stored_numbers, stored_tiers


def override_row(given: OverrideInput, position: int, deal: Deal, problems: Problems) -> Override:
    """The row of an override, not saved. What is wrong goes to `problems`. Raises NotSupported."""
    term_range(problems, given.starting_at, given.ending_before)
    _check_type(problems, given)
    _check_multiplier(problems, given)
    _check_tiers(problems, given, deal)
    tariff = _checked_rate(problems, given, deal)
    _check_priority(problems, given, deal)
    _check_commit_specific(problems, given)
    _check_target(problems, given, deal)
    row = Override(
        position=position,
        starting_at=given.starting_at,
        ending_before=given.ending_before,
        type=given.type,
        multiplier=given.multiplier,
        tiers=[stored_numbers({"multiplier": tier.multiplier, "size": tier.size}) for tier in given.tiers],
        priority=given.priority,
        entitled=given.entitled,
        is_commit_specific=given.is_commit_specific,
        target=given.target,
        product=deal.products.get(given.product_id) if given.product_id else None,
        applicable_product_tags=targeting.tags(problems, "applicable_product_tags", given.applicable_product_tags),
        specifiers=targeting.override_specifiers(problems, "override_specifiers", given, deal),
    )
    if tariff is not None:
        row.unit = deal.fiat
        row.rate_type = tariff.type
        row.price = tariff.price
        row.rate_tiers = stored_tiers(tariff.tiers)
        row.package_size = tariff.package_size
        row.quantity = tariff.quantity
        row.is_prorated = tariff.is_prorated
    return row


def _check_type(problems: Problems, given: OverrideInput) -> None:
    if given.type and given.type not in Override.Type.values:
        problems.add("type", given.type, f"must be one of {', '.join(Override.Type.values)}")
    if not given.type and given.entitled is None:
        problems.add("type", "", "is required, unless the override only says whether products are entitled")


def _check_multiplier(problems: Problems, given: OverrideInput) -> None:
    if given.type != Override.Type.MULTIPLIER:
        if given.multiplier is not None:
            problems.add("multiplier", given.multiplier, "belongs to the type MULTIPLIER")
    elif given.multiplier is None:
        problems.add("multiplier", None, "is required for the type MULTIPLIER")
    else:
        not_negative(problems, "multiplier", given.multiplier)


def _check_tiers(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    if given.type != Override.Type.TIERED:
        if given.tiers:
            problems.add("tiers", f"{len(given.tiers)} tiers", "belongs to the type TIERED")
        return
    if deal.prioritization != Contract.Prioritization.EXPLICIT:
        rule = (
            f"needs a contract whose multiplier_override_prioritization is EXPLICIT; here it is {deal.prioritization}"
        )
        problems.add("type", given.type, rule)
    if not given.tiers:
        problems.add("tiers", None, "is required for the type TIERED")
    for index, tier in enumerate(given.tiers):
        path = f"tiers[{index}]."
        not_negative(problems, f"{path}multiplier", tier.multiplier)
        check_sizes(problems, path, tier.size, is_last=index == len(given.tiers) - 1, last_may_end=True)


def _checked_rate(problems: Problems, given: OverrideInput, deal: Deal) -> Tariff | None:
    rate: RateInput | None = given.overwrite_rate
    if given.type != Override.Type.OVERWRITE:
        if rate is not None:
            problems.add("overwrite_rate", rate.rate_type, "belongs to the type OVERWRITE")
        return None
    if rate is None:
        problems.add("overwrite_rate", None, "is required for the type OVERWRITE")
        return None
    inner = problems.within("overwrite_rate")
    in_fiat(inner, rate.credit_type_id, deal)
    named = dict.fromkeys((given.product_id, *(target.product_id for target in given.override_specifiers)))
    for product_id in named:
        product = deal.products.get(product_id) if product_id else None
        if product is not None:
            check_suits_product(inner, rate.rate_type, product)
    return checked_tariff(inner, rate)


def _check_priority(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    if given.priority is not None:
        above_zero(problems, "priority", given.priority)
    elif given.type == Override.Type.TIERED:
        problems.add("priority", None, "is required for the type TIERED")
    elif given.type == Override.Type.MULTIPLIER and deal.prioritization == Contract.Prioritization.EXPLICIT:
        problems.add("priority", None, "is required: the contract ranks its multipliers explicitly")


def _check_commit_specific(problems: Problems, given: OverrideInput) -> None:
    if given.target not in Override.Target.values:
        problems.add("target", given.target, f"must be one of {', '.join(Override.Target.values)}")
    elif given.target == Override.Target.COMMIT_RATE and not given.is_commit_specific:
        problems.add("target", given.target, "can be used only where is_commit_specific is true")
    if given.is_commit_specific and given.entitled is not None:
        rule = "cannot be combined with is_commit_specific: what is part of the deal does not depend on who pays"
        problems.add("entitled", given.entitled, rule)


def _check_target(problems: Problems, given: OverrideInput, deal: Deal) -> None:
    ways = [name for name in ("product_id", "applicable_product_tags", "override_specifiers") if getattr(given, name)]
    if len(ways) > 1:
        shown = given.product_id if ways[-1] == "product_id" else f"{len(getattr(given, ways[-1]))} given"
        problems.add(ways[-1], shown, f"cannot be combined with {' or '.join(ways[:-1])}")
    if given.product_id is not None:
        targeting.whole_product(problems, given.product_id, deal)
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
