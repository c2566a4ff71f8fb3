"""Undoing an edit of a contract by a new one that does the opposite. Nothing of what was known before is lost.

    the edit                                         undone by
    adds an override, a commit, a credit, a charge   taking it out, as far as nothing final has drawn on it or billed it
    takes an override out                            agreeing it again as it was
    renames, moves the end, changes what holds       what held before, while nobody has changed that since
    adds a subscription, or changes one              taking it out, or what it was before, as far as no fee of it that
                                                     is billed would be another
    changes, archives or cuts balances and charges,  an edit by hand: what else would have to come back is not for a
    adds what recurs, sets a usage filter, changes   machine to guess
    a subscription that an allowance follows, says
    a billing provider or a royalty

An undoing is an edit like any other, and can be undone.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Conflict, FieldError, NotFound, Refusal
from contracts.inputs import UNCHANGED, EditInput, UndoneInput
from contracts.models import ContractEdit, ContractTerms, Customer
from contracts.queries import Agreement, EditedTerms, agreement, edit_history
from contracts.services.as_given import override_as_given
from contracts.services.edits import edit_contract
from contracts.services.subscription_undoing import agreed_again, changed_by
from contracts.transactions import money_transaction

FIELD = "edit_id"


@money_transaction
def undo_edit(
    customer: Customer,
    contract_id: UUID,
    edit_id: UUID,
    *,
    reason: str = "",
    based_on_edit: int | None = None,
    at: datetime,
    by: Actor,
) -> ContractEdit:
    """Make the edit that undoes another. Raises NotFound, Conflict where it is undone already, what `edit_contract`
    raises, and Refusal where it cannot be undone, or is not what stands any more."""
    given = undoing(customer.pk, contract_id, edit_id, reason=reason, based_on_edit=based_on_edit)
    return edit_contract(customer, contract_id, given, at=at, by=by)


def undoing(
    customer_id: UUID, contract_id: UUID, edit_id: UUID, *, reason: str = "", based_on_edit: int | None = None
) -> EditInput:
    """The edit that `undo_edit` would make. Read it in one snapshot with what it is compared to."""
    now = agreement(customer_id, contract_id)
    found = edit_history(customer_id, contract_id, edit_id=edit_id)
    if not found:
        rule = "must be the id of an edit of the contract"
        raise NotFound("There is no such edit of this contract.", FieldError(FIELD, edit_id, rule))
    [edited] = found
    edit = edited.edit
    by = ContractEdit.objects.filter(customer_id=customer_id, contract_id=contract_id, changes__undoes__id=str(edit_id))
    if (undone := by.first()) is not None:
        raise Conflict.of(FIELD, edit_id, f"is undone already, by edit {undone.number}")
    before = agreement(customer_id, contract_id, at_edit=edit.number - 1)
    after = agreement(customer_id, contract_id, at_edit=edit.number)
    linked = {each.now.subscription_id for each in now.recurring}  # what it has granted would be another
    if _goes_further(edited, before, after) or not linked.isdisjoint(changed_by(before, after)):
        raise Refusal.of(FIELD, edit_id, "changes more than can be undone at once; make the opposite edit by hand")
    _refuse_changed_since(edited, now, before, after)
    taken_out = {each.pk for each in after.overrides}
    return EditInput(
        add_overrides=tuple(override_as_given(each) for each in before.overrides if each.pk not in taken_out),
        remove_overrides=tuple(each.pk for each in edited.overrides),
        archive_commits=tuple(each.commit.pk for each in edited.commits if not each.commit.is_credit),
        archive_credits=tuple(each.commit.pk for each in edited.commits if each.commit.is_credit),
        archive_scheduled_charges=tuple(each.charge.pk for each in edited.charges),
        archive_professional_services=tuple(each.pk for each in edited.services),
        add_subscriptions=tuple(agreed_again(before, after)),
        undoes=UndoneInput(edit.pk, edit.number, changed_by(before, after)),
        reason=reason,
        based_on_edit=based_on_edit,
        **_what_held(edit.changes, before.terms),
    )


def _goes_further(edited: EditedTerms, before: Agreement, after: Agreement) -> bool:
    """Whether the edit did something that no single edit takes back."""
    charges = {each.charge.pk: each.items for each in after.charges}
    commits = {each.commit.pk for each in after.commits}
    return (
        edited.is_for_hands
        or any(charges.get(each.charge.pk) != each.items for each in before.charges)
        or any(each.commit.pk not in commits for each in before.commits)
        or any(each not in after.services.services for each in before.services.services)
        or [each.rows for each in before.recurring] != [each.rows for each in after.recurring]
    )


def _refuse_changed_since(edited: EditedTerms, now: Agreement, before: Agreement, after: Agreement) -> None:
    then = {each.subscription.pk: each for each in after.subscriptions}
    subscribed = {each.subscription.pk: each for each in now.subscriptions}
    touched = [each for each in changed_by(before, after) if subscribed.get(each) != then[each]]
    if edited.is_overtaken(now.terms) or touched:
        raise Refusal.of(
            FIELD, edited.edit.pk, "must be an edit that still holds; a later one has changed what it agreed"
        )


def _what_held(changes: Mapping[str, Any], terms: ContractTerms) -> dict[str, Any]:
    """What was agreed of the contract as a whole, where the edit changed it."""
    net_days = terms.net_payment_terms_days
    held = {
        "update_contract_end_date": terms.ending_before,
        "update_contract_name": terms.name or None,
        "update_net_payment_terms_days": None if net_days is None else Decimal(net_days),
        "update_end_policy": terms.end_policy,
    }
    return {name: value if name in changes else UNCHANGED for name, value in held.items()}
