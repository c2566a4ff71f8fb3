"""Whose page may somebody see?"""

from typing import Any

from contracts.models import Customer


def customer_of(user: Any) -> Customer | None:
    """The one customer that this user's login belongs to; None for members of staff and for strangers. One query."""
    if user.is_staff:
        return None
    return Customer.objects.filter(logins__user=user).first()
