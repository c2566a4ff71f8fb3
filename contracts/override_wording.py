"""Overrides in the words of the trade, for people."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from billing_site.foundation.display import quantity_text
from contracts.commit_wording import paid_for_by, span
from contracts.models import Commit, CommitVersion, Override, RecurringCommit
from contracts.models.commit_attributes import BalanceAttributes
from contracts.models.term import PAYER_KEYS
from pricing.models import Product
from pricing.wording import percent_text, tariff_text

NAMED_AT_MOST = 6


def names_in(overrides: Iterable[Override], balances: Iterable[BalanceAttributes] = ()) -> dict[str, str]:
    """What all products that overrides and balances name are called now, and commits that overrides name, by id as
    text. Three queries at the most."""
    products: set[str] = set()
    payers: set[str] = set()
    for balance in balances:
        products |= paid_for_by(balance)
    for override in overrides:
        products.add(str(override.product_id or ""))
        for each in override.specifiers:
            products.add(each.get("product_id", ""))
            payers.update(_payer_ids(each))
    products.discard("")
    names = {str(pk): name for pk, name in Product.objects.filter(pk__in=products).values_list("pk", "name")}
    if payers:
        version = CommitVersion.objects.standing().filter(commit=OuterRef("pk"))
        commits = Commit.objects.filter(pk__in=payers).annotate(
            called=Coalesce(Subquery(version.values("name")), "name"),
            billed_as=Coalesce(Subquery(version.values("product__name")), "product__name"),
        )
        recurring = RecurringCommit.objects.filter(pk__in=payers)
        found = [
            *commits.values_list("pk", "called", "billed_as"),
            *recurring.values_list("pk", "name", "product__name"),
        ]
        names |= {str(pk): name or product for pk, name, product in found}
    return names


def override_text(override: Override, names: Mapping[str, str]) -> str:
    """ "50 % off the list price of API calls from 15 October 2025"; needs its unit. `names` are those of `names_in`."""
    when, tariff = span(override.starting_at, override.ending_before), override.to_tariff()
    payers, whom = _payers(override, names), _targets(override, names)
    if override.type == Override.Type.MULTIPLIER:
        text = f"{multiplied_text(override)} of {whom} {when}"
    elif override.type == Override.Type.TIERED:
        text = f"{tiers_text(override.tiers, _rate_name(override))}, for {whom} {when}"
    elif tariff is not None and override.unit is not None:
        text = f"{tariff_text(tariff, override.unit.to_unit())}, whatever the list says, for {whom} {when}"
    else:
        is_or_are = "is" if _names_one_product(override) else "are"
        text = f"{whom} {is_or_are} {'' if override.entitled else 'not '}part of the deal {when}"
        return _capital(text)
    if override.priority is not None and tariff is None:
        text += f", priority {quantity_text(override.priority)}"
    if override.entitled is not None:
        text += ", part of the deal" if override.entitled else ", not part of the deal"
    return _capital(f"{payers}{text}")


def multiplied_text(override: Override) -> str:
    """ "50 % off the commit rate", of one with a multiplier."""
    return multiplier_text(override.multiplier or Decimal(0), _rate_name(override))


def multiplier_text(multiplier: Decimal, rate: str = "list price") -> str:
    """ "50 % off the list price", "20 % on top of the list price", "the list price"."""
    percent = (1 - multiplier) * 100
    if percent > 0:
        return f"{quantity_text(percent)} % off the {rate}"
    return f"{quantity_text(-percent)} % on top of the {rate}" if percent else f"the {rate}"


def tiers_text(tiers: Sequence[Mapping[str, str]], rate: str = "list price") -> str:
    """ "first 1,000 units at 50 % of the list price, then the list price"."""

    def share(tier: Mapping[str, str]) -> str:
        multiplier = Decimal(tier["multiplier"])
        return f"the {rate}" if multiplier == 1 else f"{percent_text(multiplier)} of the {rate}"

    parts = [
        f"{'next' if index else 'first'} {quantity_text(Decimal(tier['size']))} units at {share(tier)}"
        for index, tier in enumerate(tiers)
        if "size" in tier
    ]
    last = f"the {rate}" if len(parts) == len(tiers) else share(tiers[-1])
    return ", ".join([*parts, f"then {last}"]) if parts else f"all units at {last}"


def _targets(override: Override, names: Mapping[str, str]) -> str:
    """Whom a price is for: products by name, tags, values; and who has to pay, where that is not the same for all."""
    found = [names.get(str(override.product_id), "a product")] if override.product_id else []
    found += [f"products tagged {tag}" for tag in override.applicable_product_tags]
    by_payer = len({_payer_ids(each) for each in override.specifiers}) > 1
    for each in override.specifiers:
        words = [names.get(str(each["product_id"]), "a product")] if each.get("product_id") else []
        words += [f"products tagged {' and '.join(each['product_tags'])}"] if each.get("product_tags") else []
        values = {**each.get("pricing_group_values", {}), **each.get("presentation_group_values", {})}
        details = [f"{key}: {value}" for key, value in values.items()]
        details += [f"billed {each['billing_frequency'].lower()}"] if each.get("billing_frequency") else []
        details += [f"while {_any_of(_payer_ids(each), names)} pays"] if by_payer else []
        shown = ", ".join(details)
        found.append(f"{' '.join(words) or 'all products'}{f' ({shown})' if shown else ''}")
    if len(found) > NAMED_AT_MOST:
        return f"{', '.join(found[:NAMED_AT_MOST])} and {len(found) - NAMED_AT_MOST} more"
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]])) or "all products"


def _payers(override: Override, names: Mapping[str, str]) -> str:
    """ "while “Starter pack” pays: "; nothing for an override that holds whoever does."""
    payers = {_payer_ids(each) for each in override.specifiers}
    if not override.is_commit_specific or len(payers) > 1:
        return ""
    return f"while {_any_of(payers.pop() if payers else (), names)} pays: "


def _payer_ids(specifier: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(payer_id for key in PAYER_KEYS for payer_id in specifier.get(key, ()))


def _any_of(payers: Sequence[str], names: Mapping[str, str]) -> str:
    return " or ".join(f"“{names[each]}”" if each in names else "a commit" for each in payers) or "a commit or credit"


def _names_one_product(override: Override) -> bool:
    named = [override] if override.product_id else []
    return len(named) + sum(bool(each.get("product_id")) for each in override.specifiers) == 1


def _rate_name(override: Override) -> str:
    return "commit rate" if override.target == Override.Target.COMMIT_RATE else "list price"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
