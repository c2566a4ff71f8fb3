"""Which balances an override may name as paying, and by which names.

    list                        names
    commit_ids                  commits of the contract, and those of the customer that every contract draws on
    recurring_commit_ids        commits by the recurring commit that grants them
    any_commit_or_credit_ids    all of these and credits; it is given instead of the two other lists

What the same request adds is named by its temporary id. Any of the balances named may pay.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.problems import Problems
from contracts.inputs import CommitInput, OverrideInput, RecurringInput, TargetInput
from contracts.models import Commit, Contract, RecurringCommit
from contracts.models.term import PAYER_KEYS

ANY = "any_commit_or_credit_ids"
NOUNS = {
    "commit_ids": "a commit",
    "recurring_commit_ids": "a recurring commit",
    ANY: "a commit or credit",
}
Payers = Mapping[str, Mapping[str, UUID]]  # by list, then by the name that may stand there
NO_PAYERS: Payers = {}


def standing_payers(contract: Contract, overrides: Iterable[OverrideInput]) -> Payers:
    """Those that stand. No query where no override names any, else two."""
    if not any(getattr(target, key) for each in overrides for target in each.override_specifiers for key in PAYER_KEYS):
        return NO_PAYERS
    theirs = Commit.objects.standing().filter(Q(contract=contract.pk) | Q(contract=None), customer=contract.customer_id)
    found = list(theirs.values_list("pk", "type"))
    recurring = RecurringCommit.objects.standing().filter(
        contract=contract.pk, customer=contract.customer_id, first_row=None
    )
    recur = list(recurring.values_list("pk", "type"))
    return {
        "commit_ids": {str(pk): pk for pk, type_ in found if type_ != Commit.Type.CREDIT},
        "recurring_commit_ids": {str(pk): pk for pk, type_ in recur if type_ != RecurringCommit.Type.CREDIT},
        ANY: {str(pk): pk for pk, _ in (*found, *recur)},
    }


def with_added(
    payers: Payers,
    given: Sequence[CommitInput | RecurringInput],
    rows: Sequence[Commit | RecurringCommit],
    path: str,
    problems: Problems,
    *,
    lists: Sequence[str],
) -> Payers:
    """The same, and what this request adds under `path`, by its temporary ids in `lists`."""
    added: dict[str, UUID] = {}
    for index, (each, row) in enumerate(zip(given, rows, strict=True)):
        if each.temporary_id in added or each.temporary_id in payers.get(ANY, {}):
            problems.add(f"{path}[{index}].temporary_id", each.temporary_id, "must be there only once")
        elif each.temporary_id:
            added[each.temporary_id] = row.pk
    return {**payers, **{key: {**payers.get(key, {}), **added} for key in lists}}


def named_payers(problems: Problems, target: TargetInput, payers: Payers) -> dict[str, list[str]]:
    """The lists of a specifier with the names resolved to ids, as they are stored; each is checked."""
    if target.any_commit_or_credit_ids:
        for key in ("commit_ids", "recurring_commit_ids"):
            if getattr(target, key):
                problems.add(key, list(getattr(target, key)), f"cannot be combined with {ANY}, which replaces it")
    stored: dict[str, list[str]] = {}
    for key in PAYER_KEYS:
        names: Sequence[str] = getattr(target, key)
        problems.keys(key, names)
        known = payers.get(key, {})
        ids = [known.get(plain_name(name)) for name in names]
        for index, (name, payer_id) in enumerate(zip(names, ids, strict=True)):
            if payer_id is None:
                rule = (
                    f"must be the id of {NOUNS[key]} of the contract or its customer, or the temporary id of a new one"
                )
                problems.add(f"{key}[{index}]", name, rule)
        if names:
            stored[key] = [str(payer_id) for payer_id in ids if payer_id is not None]
    return stored


def plain_name(name: str) -> str:
    """An id in any spelling as we spell it; a temporary id as it is."""
    try:
        return str(UUID(name))
    except ValueError:
        return name
