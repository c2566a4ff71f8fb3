"""Publications: the moments at which catalog facts become known, in one strictly increasing order."""

from datetime import datetime

from django.db import connection

from billing_site.foundation.actor import Actor
from billing_site.foundation.touched import PUBLICATION, touch
from pricing.models import PriceChange, Publication

# One statement makes the row, counts on, and holds the row's lock until the transaction ends: whoever reads
# number n sees the facts of every number below it.
COUNT_ON = """
INSERT INTO pricing_publicationcounter (id, last_number) VALUES (true, 1)
ON CONFLICT (id) DO UPDATE SET last_number = pricing_publicationcounter.last_number + 1
RETURNING last_number
"""


def publish(*, reason: str = "", at: datetime, by: Actor) -> Publication:
    """A new publication in a price change of its own, of kind DIRECT.

    Call it inside the transaction that inserts the facts, and before checking them against what is published
    already: publishers wait for each other here.
    """
    change = PriceChange.objects.create(reason=reason, created_at=at, created_by=by.label, actor_id=by.id)
    number = next_number()
    touch(PUBLICATION, [number])
    return Publication.objects.create(number=number, price_change=change, published_at=at, published_by=by.label)


def next_number() -> int:
    """The next publication number; the caller's transaction keeps everybody else from taking one until it ends."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ON)
        return int(cursor.fetchone()[0])
