"""How a verb that moves money or terms begins: by moving the customer's `money_version`.

The first statement of the transaction is that update. Whoever waits for it starts over with what the other has
posted: a lock alone would let the waiter go on from what it read before.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

from billing_site.foundation.touched import CUSTOMER, touch
from billing_site.foundation.transactions import repeatable_read
from contracts.models import Customer
from contracts.queries.customers import no_such_customer

P = ParamSpec("P")
R = TypeVar("R")

_LOCK = "UPDATE contracts_customer SET money_version = money_version + 1 WHERE id = %s RETURNING *"


def money_transaction(
    verb: Callable[Concatenate[Customer, P], R],
) -> Callable[Concatenate[Customer | UUID, P], R]:
    """Run `verb(customer, …)` alone among the verbs of its customer, in a REPEATABLE READ transaction, retried.

    The caller gives a customer or its id; the verb gets the row as it is under the lock.

    Raises NotFound where there is no such customer.
    """

    @functools.wraps(verb)
    @repeatable_read
    def run(customer: Customer | UUID, *args: P.args, **kwargs: P.kwargs) -> R:
        customer_id = customer.pk if isinstance(customer, Customer) else customer
        locked = lock_customers([customer_id])
        return verb(locked[customer_id], *args, **kwargs)

    return run


def lock_customers(customer_ids: Iterable[UUID]) -> dict[UUID, Customer]:
    """Lock several customers, in the order of their ids, and give their rows.

    Call it first in a REPEATABLE READ transaction. Raises NotFound where one does not exist.
    """
    locked: dict[UUID, Customer] = {}
    for customer_id in sorted(set(customer_ids)):
        found = list(Customer.objects.raw(_LOCK, [customer_id]))
        if not found:
            raise no_such_customer(customer_id)
        locked[customer_id] = found[0]
    touch(CUSTOMER, list(locked))
    return locked


def touch_everybody() -> None:
    """Signal that the running transaction has changed what stands on the documents of every customer."""
    touch(CUSTOMER, list(Customer.objects.filter(archived_at=None).values_list("pk", flat=True)))


def alone_with(model: type[Model]) -> None:
    """Let nobody else write rows of a small table, or say that they will, until the transaction ends. Reads go on."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {connection.ops.quote_name(model._meta.db_table)} IN SHARE ROW EXCLUSIVE MODE")
