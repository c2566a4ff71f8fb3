"""Two people at one deal: whoever saves second looks again."""

from uuid import UUID

from billing_site.foundation.refusals import Conflict
from contracts.models import Customer
from contracts.queries.edits import edits_of


class EditedMeanwhile(Conflict):
    """Somebody else has edited the same terms since they were read."""


def refuse_edited_meanwhile(customer: Customer, contract_id: UUID | None, based_on: int | None) -> None:
    """`based_on` is the last edit of the contract, or of the customer's own balances, that the author has seen; None:
    it does not matter. Raises EditedMeanwhile."""
    if based_on is None:
        return
    newer = edits_of(customer.pk, contract_id).filter(number__gt=based_on)
    latest = newer.order_by("-number").first()
    if latest is not None:
        why = f', saying "{latest.reason}"' if latest.reason else ""
        what = "this contract" if contract_id else "the customer's balances"
        raise EditedMeanwhile(
            f"{latest.created_by} has edited {what} meanwhile (edit {latest.number}{why}): "
            "look at what stands now, then make your edit again."
        )
