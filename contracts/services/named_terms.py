"""The terms that an edit names to take them out or to change them, found among those that stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import CommitChangeInput, EditInput
from contracts.models import Override, ProfessionalService
from contracts.queries import AgreedCharge, AgreedCommit, Agreement
from contracts.services.checks import is_on_final_usage

T = TypeVar("T")


def overrides_to_remove(ids: Sequence[UUID], agreed: Agreement, problems: Problems) -> list[Override]:
    standing = {override.pk: override for override in agreed.overrides}
    found = _named("remove_overrides", "an override", ids, standing, problems)
    return [override for _, override in found]


def commits_to_archive(given: EditInput, agreed: Agreement, problems: Problems) -> list[tuple[str, AgreedCommit]]:
    """Each with its place in the request."""
    commits = {each.commit.pk: each for each in agreed.commits if not each.commit.is_credit}
    credits = {each.commit.pk: each for each in agreed.commits if each.commit.is_credit}
    return [
        *_named("archive_commits", "a commit", given.archive_commits, commits, problems),
        *_named("archive_credits", "a credit", given.archive_credits, credits, problems),
    ]


def commits_to_change(
    given: EditInput, agreed: Agreement, problems: Problems
) -> list[tuple[str, CommitChangeInput, AgreedCommit]]:
    """Each with its place in the request and what stands."""
    found: dict[UUID, tuple[str, CommitChangeInput, AgreedCommit]] = {}
    standing = {each.commit.pk: each for each in agreed.commits}
    archived = {*given.archive_commits, *given.archive_credits}
    for field, noun, updates in (
        ("update_commits", "commit", given.update_commits),
        ("update_credits", "credit", given.update_credits),
    ):
        for index, change in enumerate(updates):
            name, committed = f"{field}[{index}].{noun}_id", standing.get(change.id)
            if committed is None or committed.commit.is_credit != (noun == "credit"):
                problems.add(name, change.id, f"must be the id of a {noun} of the contract")
            elif change.id in found:
                problems.add(name, change.id, "must be there only once")
            elif change.id in archived:
                problems.add(name, change.id, "cannot be changed by the edit that archives it")
            else:
                found[change.id] = (f"{field}[{index}]", change, committed)
    return list(found.values())


def charges_to_archive(
    ids: Sequence[UUID], agreed: Agreement, problems: Problems, *, at: datetime
) -> list[AgreedCharge]:
    """What of a charge is on a usage invoice that is final stays billed, so one waits until its hour has come, too."""
    standing = {charged.charge.pk: charged for charged in agreed.charges}
    found = _named("archive_scheduled_charges", "a scheduled charge or discount", ids, standing, problems)
    for name, charged in found:
        billed = [item for item in charged.items if item.issued_at > at]
        billed = [item for item in billed if is_on_final_usage(agreed.contract, item.issued_at)]
        if billed:
            when = format_instant(max(item.issued_at for item in billed))
            rule = (
                f"can be archived from {when} on: it is billed then, and the usage invoice of that day is final already"
            )
            problems.add(name, charged.charge.pk, rule)
    return [charged for _, charged in found]


def services_to_archive(ids: Sequence[UUID], agreed: Agreement, problems: Problems) -> list[ProfessionalService]:
    """Those of which nothing is invoiced."""
    standing = {service.pk: service for service in agreed.services.services}
    field, noun = "archive_professional_services", "a professional service"
    found = _named(field, noun, ids, standing, problems)
    billed = {line.service_id for _, lines in agreed.services.invoices for line in lines}
    for name, service in found:
        if service.pk in billed:
            problems.add(name, service.pk, "must be that of one of which nothing is invoiced, or is going to be")
    return [service for _, service in found]


def _named(
    field: str, noun: str, ids: Sequence[UUID], standing: Mapping[UUID, T], problems: Problems
) -> list[tuple[str, T]]:
    """The standing terms with these ids, each once, with the path under which it was named."""
    found: dict[UUID, tuple[str, T]] = {}
    for index, term_id in enumerate(ids):
        name = f"{field}[{index}].id"
        if term_id not in standing:
            problems.add(name, term_id, f"must be the id of {noun} of the contract")
        elif term_id not in found:
            found[term_id] = (name, standing[term_id])
    return list(found.values())
