"""Packages in the shapes of the compatible API. Each part has an id derived from its place, by which overrides name
the balances that have to pay."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.ids import derived_id
from billing_site.foundation.periods import format_instant
from contracts.commit_presentation import Fields, without_absent
from contracts.models import Contract, ContractTerms, Package, RecurringCommit, Subscription, SubscriptionTerms
from contracts.models.term import PAYER_KEYS
from contracts.terms import QUANTITY, SPEND, UNITS
from pricing.engine.overrides import LIST_RATE
from pricing.models import PricingUnit, Product, RateCard
from pricing.presentation import unit_ref
from pricing.queries import default_unit, products_by_id, units_by_id

PARTS = (
    "overrides",
    "commits",
    "credits",
    "recurring_commits",
    "recurring_credits",
    "scheduled_charges",
    "subscriptions",
)
DEFAULT_PRIORITY = Decimal(100)


@dataclass(frozen=True, slots=True)
class Named:
    """What templates refer to by id."""

    products: Mapping[UUID, Product]
    units: Mapping[UUID, PricingUnit]
    cards: Mapping[UUID, RateCard]
    default: PricingUnit

    def product(self, product_id: str) -> dict[str, str]:
        return {"id": product_id, "name": self.products[UUID(product_id)].name}

    def unit(self, template: Mapping[str, Any], unit_id: str | None) -> PricingUnit:
        """The one that is named, or the rate card's. Where the card goes by an alias, the default."""
        if unit_id is not None:
            return self.units[UUID(unit_id)]
        card = self.cards.get(UUID(template["rate_card_id"])) if "rate_card_id" in template else None
        return card.fiat_unit if card else self.default


def named_by(packages: Sequence[Package]) -> Named:
    """Three queries, whatever the number of packages, and one for the default unit."""
    templates = [package.template for package in packages]
    ids = [(name, UUID(found)) for template in templates for name, found in _ids(template)]
    cards = [each for name, each in ids if name == "rate_card_id"]
    return Named(
        products_by_id(each for name, each in ids if name == "product_id"),
        units_by_id(each for name, each in ids if name == "credit_type_id"),
        RateCard.objects.select_related("fiat_unit").in_bulk(cards),
        default_unit(),
    )


def _ids(template: Any) -> Iterator[tuple[str, str]]:
    if isinstance(template, Mapping):
        for name, held in template.items():
            if name in ("product_id", "credit_type_id", "rate_card_id"):
                yield name, held
            elif name not in ("custom_fields", "pricing_group_values", "presentation_group_values"):
                yield from _ids(held)
    elif isinstance(template, list):
        for each in template:
            yield from _ids(each)


def package_json(package: Package, named: Named) -> Fields:
    """A package, as `packages/get` and `list` show it."""
    template = package.template
    lists = {name: [_part(package, name, at, named) for at in range(len(template.get(name, ())))] for name in PARTS}
    days = template.get("net_payment_terms_days")
    return without_absent(
        {
            "id": str(package.pk),
            "name": package.name,
            "created_at": format_instant(package.created_at),
            "created_by": package.created_by,
            "archived_at": format_instant(package.archived_at) if package.archived_at else None,
            "aliases": [
                without_absent(
                    {
                        "name": alias.name,
                        "starting_at": format_instant(alias.starting_at) if alias.starting_at else None,
                        "ending_before": format_instant(alias.ending_before) if alias.ending_before else None,
                    }
                )
                for alias in package.aliases.all()
            ],
            "uniqueness_key": package.uniqueness_key,
            "contract_name": template.get("contract_name"),
            "duration": template.get("duration"),
            "rate_card_id": template.get("rate_card_id"),
            "rate_card_alias": template.get("rate_card_alias"),
            "net_payment_terms_days": int(Decimal(days)) if days is not None else None,
            "billing_provider": template.get("billing_provider"),
            "delivery_method": template.get("delivery_method"),
            "end_policy": template.get("end_policy", ContractTerms.EndPolicy.STOP),
            "multiplier_override_prioritization": template.get(
                "multiplier_override_prioritization", Contract.Prioritization.LOWEST_MULTIPLIER
            ),
            "scheduled_charges_on_usage_invoices": template.get("scheduled_charges_on_usage_invoices") or None,
            "usage_statement_schedule": template.get("usage_statement_schedule", {"frequency": "MONTHLY"}),
            **lists,
        }
    )


def _part(package: Package, name: str, place: int, named: Named) -> Fields:
    term = package.template[name][place]
    shown: Fields = {"id": str(_id(package, name, place)), **_with_numbers(term)}
    shown.pop("temporary_id", None)
    if "product_id" in shown:
        shown["product"] = named.product(shown.pop("product_id"))
    if name == "overrides":
        return _override(package, shown, named)
    if name.startswith("recurring"):
        return _recurring(package, shown, named)
    if name == "subscriptions":
        return _subscription(shown)
    if name == "scheduled_charges":
        shown["schedule"] = _schedule(package, (name, place), shown["schedule"], named, "schedule")
        return shown
    if name == "credits":
        del shown["type"]
    access = shown["access_schedule"]
    kind = access.get("access_type", SPEND)
    unit = UNITS if kind == QUANTITY else named.unit(package.template, access.pop("credit_type_id", None))
    items = _with_ids(package, (name, place, "access_schedule"), access["schedule_items"])
    shown["access_schedule"] = {"access_type": kind, "credit_type": unit_ref(unit), "schedule_items": items}
    if "invoice_schedule" in shown:
        billed = _schedule(package, (name, place), shown["invoice_schedule"], named, "invoice_schedule")
        shown["invoice_schedule"] = billed
    return {"priority": DEFAULT_PRIORITY, "rate_type": LIST_RATE, **shown}


def _subscription(shown: Fields) -> Fields:
    """What it does not say is as in a contract."""
    in_advance = shown["collection_schedule"] == Subscription.Collection.ADVANCE
    at_once, later = Subscription.Increases.BILL_IMMEDIATELY, Subscription.Increases.BILL_ON_NEXT_COLLECTION_DATE
    usual = {"is_prorated": True, "invoice_behavior": at_once if in_advance else later}
    rate = {"billing_frequency": shown.pop("billing_frequency"), "product": shown.pop("product")}
    placement = shown.pop("invoice_placement", Subscription.Placement.ON_USAGE_INVOICE)
    return {
        "quantity_management_mode": SubscriptionTerms.Mode.QUANTITY_ONLY,
        **shown,
        "subscription_rate": rate,
        "proration": usual | shown["proration"],
        "billing_cycle_config": {"invoice_placement": placement},
    }


def _override(package: Package, shown: Fields, named: Named) -> Fields:
    """The balances that have to pay are named by the ids of their parts."""
    template, by_temporary_id = package.template, _by_temporary_id(package, PARTS)
    for target in shown["override_specifiers"]:
        for key in PAYER_KEYS:
            if key in target:
                names = target.pop(key)
                target[f"{key.removesuffix('_ids')}_template_ids"] = [by_temporary_id[each] for each in names]
    if "tiers" in shown:
        shown["override_tiers"] = shown.pop("tiers")
    if "overwrite_rate" in shown:
        rate = shown["overwrite_rate"]
        rate["credit_type"] = unit_ref(named.unit(template, rate.pop("credit_type_id", None)))
    return shown


def _by_temporary_id(package: Package, names: Iterable[str]) -> dict[str, str]:
    """The ids of parts of these kinds, by what the rest of the template calls them."""
    return {
        each["temporary_id"]: str(_id(package, name, place))
        for name in names
        for place, each in enumerate(package.template.get(name, ()))
        if each.get("temporary_id")
    }


def _recurring(package: Package, shown: Fields, named: Named) -> Fields:
    credit = shown.pop("type") == RecurringCommit.Type.CREDIT
    shown["commit_duration"] = {"value": shown["commit_duration"], "unit": "PERIODS"}
    access = shown["access_amount"]
    kind = access.get("access_type", SPEND)
    unit = UNITS if kind == QUANTITY else named.unit(package.template, access.get("credit_type_id"))
    shown["access_amount"] = {**access, "access_type": kind, "credit_type_id": str(unit.id)}
    if not credit and "invoice_amount" in shown:
        billed = shown["invoice_amount"]
        unit = named.unit(package.template, billed.get("credit_type_id"))
        shown["invoice_amount"] = {**billed, "credit_type_id": str(unit.id)}
    if "subscription_config" in shown:
        linked = shown["subscription_config"]
        shown["subscription_config"] = {
            "subscription_template_id": _by_temporary_id(package, ["subscriptions"])[linked["subscription_id"]],
            "allocation": linked.get("allocation", RecurringCommit.Allocation.POOLED),
            "apply_seat_increase_config": {"is_prorated": linked["is_prorated"]},
        }
    return {"rate_type": LIST_RATE, "proration": RecurringCommit.Proration.FIRST_AND_LAST, **shown}


def _schedule(package: Package, place: tuple[Any, ...], schedule: Fields, named: Named, name: str) -> Fields:
    return {
        "credit_type": unit_ref(named.unit(package.template, schedule.get("credit_type_id"))),
        "do_not_invoice": schedule.get("do_not_invoice", False),
        "schedule_items": _with_ids(package, (*place, name), schedule["schedule_items"]),
    }


def _with_ids(package: Package, place: tuple[Any, ...], items: Iterable[Fields]) -> list[Fields]:
    return [{"id": str(_id(package, *place, index)), **item} for index, item in enumerate(items)]


def _id(package: Package, *place: Any) -> UUID:
    return derived_id("package", package.pk, *place)


# What of a template is a number; the rest of its digits are names.
NUMBERS = {
    "amount",
    "commit_duration",
    "decimal_places",
    "flat_fee",
    "initial_quantity",
    "initial_unassigned_seats",
    "multiplier",
    "package_size",
    "price",
    "priority",
    "quantity",
    "rollover_fraction",
    "size",
    "unit_price",
}
TEXTS = ("custom_fields", "pricing_group_values", "presentation_group_values")


def _with_numbers(held: Any) -> Any:
    """A copy with numbers as numbers."""
    if isinstance(held, Mapping):
        return {
            name: each
            if name in TEXTS
            else Decimal(each)
            if name in NUMBERS and isinstance(each, str)
            else _with_numbers(each)
            for name, each in held.items()
        }
    return [_with_numbers(each) for each in held] if isinstance(held, list) else held
