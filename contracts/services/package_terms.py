"""A package's template as the contract that it would be from a date: `docs/packages.md`.

in the template                                  in the contract
starting_at_offset, duration                     starting_at, ending_before
date_offset                                      timestamp
invoice_generation_starting_at_offset            invoice_generation_starting_at
contract_name, duration of the whole             name, ending_before
billing_provider, delivery_method                billing_provider_configuration
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import datetime
from typing import Any

from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Refusal
from contracts.inputs import ContractInput
from contracts.models import Package
from contracts.offsets import AT_THE_START, Offset, dated
from contracts.queries import package, package_of_alias
from contracts.services.checks import instant
from contracts.stored_inputs import read

# What may be said of a contract that is made from a package, which says the rest.
ALONGSIDE = ("package_id", "package_alias", "starting_at", "uniqueness_key", "transition", "custom_fields")
RANGES = ("overrides", "recurring_commits", "recurring_credits", "subscriptions")
BALANCES = ("commits", "credits")
Template = Mapping[str, Any]


def from_package(given: ContractInput) -> tuple[Package, ContractInput]:
    """The package that `given` names and the contract that it makes of it. Raises NotFound, Refusal."""
    problems = Problems()
    instant(problems, "starting_at", given.starting_at)
    for each in fields(given):
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if each.name not in ALONGSIDE and getattr(given, each.name) != default:
            rule = "must not be given beside a package, which says it"
            problems.add(each.name, _shown(getattr(given, each.name)), rule)
    if given.package_id is not None and given.package_alias:
        problems.add("package_alias", given.package_alias, "cannot be combined with package_id")
    problems.refuse()
    if given.package_id is not None:
        found, field, value = package(given.package_id), "package_id", str(given.package_id)
    else:
        meant = package_of_alias(given.package_alias, at=given.starting_at)
        field, value = "package_alias", given.package_alias
        if meant is None:
            raise Refusal.of(field, value, "must be an alias of a package at the contract's start")
        found = meant
    if found.archived_at is not None:
        raise Refusal.of(field, value, "must not be that of an archived package")
    return found, replace(
        contract_from(found.template, given.starting_at),
        uniqueness_key=given.uniqueness_key,
        transition=given.transition,
        custom_fields=given.custom_fields,
    )


def contract_from(template: Template, start: datetime) -> ContractInput:
    """The contract that a template makes from `start` on, as if each date had been given; not checked."""
    told: dict[str, Any] = {**template, "starting_at": start}
    _, told["ending_before"] = dated(start, AT_THE_START, _offset(told.pop("duration", None)))
    told["name"] = told.pop("contract_name", "")
    provider, delivery_method = told.pop("billing_provider", ""), told.pop("delivery_method", "")
    if provider or delivery_method:
        told["billing_provider_configuration"] = {
            "provider": provider,
            "delivery_method": delivery_method,
            "is_of_package": True,
        }
    if "usage_statement_schedule" in told:
        told["usage_statement_schedule"] = _statements(told["usage_statement_schedule"], start)
    for name in RANGES:
        told[name] = [_ranged(each, start) for each in told.get(name, ())]
    for name in BALANCES:
        told[name] = [_balance(each, start) for each in told.get(name, ())]
    told["scheduled_charges"] = [
        {**each, "schedule": _billed(each["schedule"], start)} for each in told.get("scheduled_charges", ())
    ]
    return read(ContractInput, told)


def _statements(schedule: Template, start: datetime) -> dict[str, Any]:
    told = dict(schedule)
    offset = _offset(told.pop("invoice_generation_starting_at_offset", None))
    return told if offset is None else {**told, "invoice_generation_starting_at": offset.after(start)}


def _balance(commit: Template, start: datetime) -> dict[str, Any]:
    access = commit["access_schedule"]
    told = {
        **commit,
        "access_schedule": {**access, "schedule_items": [_ranged(each, start) for each in access["schedule_items"]]},
    }
    if "invoice_schedule" in commit:
        told["invoice_schedule"] = _billed(commit["invoice_schedule"], start)
    return told


def _billed(schedule: Template, start: datetime) -> dict[str, Any]:
    items: Iterable[Template] = schedule["schedule_items"]
    return {**schedule, "schedule_items": [_at(each, start) for each in items]}


def _at(item: Template, start: datetime) -> dict[str, Any]:
    told = dict(item)
    return {"timestamp": Offset(**told.pop("date_offset")).after(start), **told}


def _ranged(term: Template, start: datetime) -> dict[str, Any]:
    told = dict(term)
    offset, duration = _offset(told.pop("starting_at_offset", None)), _offset(told.pop("duration", None))
    starting_at, ending_before = dated(start, offset or AT_THE_START, duration)
    return {**told, "starting_at": starting_at, "ending_before": ending_before}


def _offset(given: Mapping[str, Any] | None) -> Offset | None:
    return None if given is None else Offset(**given)


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return f"{len(value)} of them"
    return value.isoformat() if isinstance(value, datetime) else value
