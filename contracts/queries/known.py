"""What was known of prices and terms at an instant: the last publication, and the customer's last edit."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.queries.edits import edit_number_at
from pricing.queries import publication_as_of


@dataclass(frozen=True, slots=True)
class Known:
    """Both numbers name everything up to and with theirs; 0 is before the first, None is everything known now."""

    at_publication: int | None = None
    at_edit: int | None = None


def known_at(customer_id: UUID, as_of: datetime, *, at: datetime) -> Known:
    """What was published and agreed with the customer at `as_of` or before. `at` is now, and what comes after it is not
    known. Two queries. Raises Refusal."""
    return Known(at_publication=publication_as_of(as_of, at=at), at_edit=edit_number_at(customer_id, as_of))
