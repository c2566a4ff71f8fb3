"""Packages: made once with everything they say, and archived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from billing_site.foundation.actor import Actor, acting
from billing_site.foundation.periods import floor_hour
from billing_site.foundation.problems import Problems, save
from billing_site.foundation.refusals import Conflict, Refusal
from contracts.models import Package, PackageAlias
from contracts.queries import Agreement, by_what_recurs, package
from contracts.services.checks import uniqueness_key
from contracts.services.contracts import planned_contract
from contracts.services.package_terms import contract_from
from contracts.stored_inputs import stored
from pricing.services.rate_cards import Alias, check_aliases

# What a template calls the dates of a contract.
OFFSETS = {"starting_at": "starting_at_offset", "ending_before": "duration", "timestamp": "date_offset"}
OFFSETS |= {"invoice_generation_starting_at": "invoice_generation_starting_at_offset"}
OF_THE_WHOLE = {"ending_before": "duration", "name": "contract_name"}


@dataclass(frozen=True, slots=True)
class PackageInput:
    """`template` is what contracts get, in the words of the API, with offsets instead of dates."""

    name: str
    template: Mapping[str, Any]
    aliases: Sequence[Alias] = ()
    uniqueness_key: str | None = None


def create_package(given: PackageInput, *, reason: str = "", at: datetime, by: Actor) -> Package:
    """A package, of whose contract each term is checked as if it started now; nothing of it can be changed later.

    Raises Conflict where the uniqueness key was used, NotSupported, and Refusal naming every field that breaks a rule.
    """
    key, made = given.uniqueness_key, package_as_planned(given, at=at, by=by)
    try:
        with transaction.atomic(), acting(by):
            save(made, reason=reason)
            PackageAlias.objects.bulk_create(
                PackageAlias(
                    package=made, name=alias.name, starting_at=alias.starting_at, ending_before=alias.ending_before
                )
                for alias in given.aliases
            )
    except IntegrityError as error:  # a twin was first
        if key and Package.objects.filter(uniqueness_key=key).exists():
            raise _key_was_used(key) from error
        raise
    return made


def package_as_planned(given: PackageInput, *, at: datetime, by: Actor) -> Package:
    """The package that `create_package` would make. Writes nothing, and raises what it raises."""
    key = given.uniqueness_key
    if key and Package.objects.filter(uniqueness_key=key).exists():
        raise _key_was_used(key)
    problems = Problems()
    problems.name("name", given.name)
    uniqueness_key(problems, key)
    check_aliases(problems, given.aliases)
    template = stored(given.template)
    _check_provider(problems, template)
    of_contract = Problems()
    planned_contract(contract_from(template, floor_hour(at)), of_contract, customer=None, at=at, by=by)
    problems.errors.extend(replace(error, field=_in_template(error.field)) for error in of_contract.errors)
    problems.refuse()
    return Package(name=given.name.strip(), template=template, uniqueness_key=key, created_at=at, created_by=by.label)


def as_contract(found: Package, start: datetime, *, at: datetime, by: Actor) -> Agreement:
    """The contract that a package makes from `start` on, of no customer yet. Writes nothing.

    Raises Refusal where it would be refused, as when its rate card was archived meanwhile.
    """
    problems = Problems()
    contract, terms, rows = planned_contract(
        contract_from(found.template, start), problems, customer=None, at=at, by=by
    )
    problems.refuse()
    recurring = by_what_recurs(rows.recurring)
    return Agreement(contract, terms, rows.overrides, rows.commits, rows.charges, recurring, tuple(rows.subscriptions))


def archive_package(package_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> Package:
    """No new contract is made from it; those that were go on. Twice is as good as once. Raises NotFound."""
    with transaction.atomic(), acting(by):
        found = package(package_id, locked=True)
        if found.archived_at is None:
            found.archived_at = at
            save(found, reason=reason)
        return found


def _check_provider(problems: Problems, template: Mapping[str, Any]) -> None:
    for name, other in (("billing_provider", "delivery_method"), ("delivery_method", "billing_provider")):
        if name in template and other not in template:
            problems.add(other, None, f"is required beside {name}")


def _key_was_used(key: str) -> Refusal:
    return Conflict.of("uniqueness_key", key, "was already used for a package; nothing was done again")


def _in_template(field: str) -> str:
    *path, name = field.split(".")
    return ".".join([*path, OFFSETS.get(name, name)]) if path else OF_THE_WHOLE.get(name, name)
