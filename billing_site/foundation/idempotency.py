"""Keys that callers give to their POSTs, so that one sent again is answered again and not carried out again.

A key belongs to its owner (a token) and to one request: the same address and the same bytes of body. The rule:

1. *Claim.* Before the view runs, its row is inserted in a transaction of its own. Of two twins one inserts, and the
   other is told to wait: 409 with Retry-After.
2. *Witness.* Each transaction of the view, before its first write, marks the row as carried out, if the claim is still
   its own. So the mark is there exactly if something was written, and whoever lost the claim writes nothing. The view's
   transactions stay their own, with their isolation and their retries.
3. *Keep.* The reply's bytes are stored afterwards. Replies that say nothing about the request (5xx, 401, 403, 429) are
   not; then the key is free again, unless something was written.
4. *Heal.* A claim is leased. Without a reply when the lease is over, its process is gone: if nothing was written, the
   next twin takes the claim and carries the request out; if something was, only the reply was lost, and the next twin
   is told so (409), as carrying it out again is what the key is to prevent. A process that is slow, not gone, does no
   harm: see 2.

A key is kept for at least a day after its reply, by the wall clock; then the sweep takes it.

Calls that post events take keys as well, so that "any POST" has no exception; those who send none pay nothing for it.
They write beneath Django's cursors, perhaps in another request's transaction, and are not witnessed: transaction ids
make it safe to carry them out again.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from billing_site.foundation import clock
from billing_site.foundation.ids import uuid7
from billing_site.foundation.jobs import every_minute
from billing_site.foundation.models import IdempotencyKey
from billing_site.foundation.refusals import Conflict, InFlight, Refusal

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
PRINTABLE = re.compile(r"[ -~]+")

LEASE = timedelta(seconds=60)
KEPT = timedelta(hours=24)
SWEPT_AT_ONCE = 5_000
MOST_SWEEPS = 10

NOT_KEPT = {401, 403, 429}
WRITES = ("INSERT ", "UPDATE ", "DELETE ")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller got, to the byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_kept(self) -> bool:
        """Whether it says something about the request, and not about the caller or the server's day."""
        return self.status < 500 and self.status not in NOT_KEPT


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer the request of one key, until the lease is over."""

    owner: UUID
    key: str
    id: UUID = field(default_factory=uuid7)

    def witness(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """An execute wrapper for the view's database connection: rule 2. Raises InFlight where the claim is lost."""
        if connection.in_atomic_block and str(sql).lstrip().startswith(WRITES) and not self._is_witnessed():
            # Django forgets this entry when it rolls back the transaction, or the savepoint, in which the mark was set.
            transaction.on_commit(self._witnessed)
            if not self._row().update(is_carried_out=True, leased_until=clock.wall_time() + LEASE):
                raise in_flight(self.key)
        return execute(sql, params, many, context)

    def settle(self, reply: Reply) -> None:
        """Keep the reply, or give the key back where it is none to keep. Without effect once the claim is lost."""
        now = clock.wall_time()
        if reply.is_kept:
            self._row().update(status=reply.status, headers=dict(reply.headers), body=reply.body, kept_until=now + KEPT)
        elif not self._row().filter(is_carried_out=False).delete()[0]:
            self._row().update(leased_until=now)

    def _row(self) -> QuerySet[IdempotencyKey]:
        return IdempotencyKey.objects.filter(owner=self.owner, key=self.key, claim=self.id)

    def _is_witnessed(self) -> bool:
        return any(called == self._witnessed for _, called, *_ in connection.run_on_commit)

    def _witnessed(self) -> None:
        """Stands in the transaction's list while the mark does."""


def claim(owner: UUID, key: str, *, address: str, body: bytes) -> Claim | Reply:
    """The right to carry out the request, or what was replied to it before.

    Raises Refusal for a bad key, Conflict where the key belongs to another request or the reply was lost, InFlight
    while the first is being answered.
    """
    if not (PRINTABLE.fullmatch(key) and len(key) <= LONGEST_KEY):
        raise Refusal.of(HEADER, key, f"must have 1 to {LONGEST_KEY} characters, all of them printable ASCII")
    now = clock.wall_time()
    mine = Claim(owner, key)
    fingerprint = hashlib.sha256(address.encode() + b"\0" + body).digest()
    row = IdempotencyKey(
        owner=owner,
        key=key,
        fingerprint=fingerprint,
        claim=mine.id,
        leased_until=now + LEASE,
        kept_until=now + KEPT,
    )
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    found = IdempotencyKey.objects.filter(owner=owner, key=key).first()
    if found is None:  # the other has just given it back
        raise in_flight(key)
    if found.claim == mine.id:
        return mine
    if bytes(found.fingerprint) != fingerprint:
        raise Conflict(f"The {HEADER} {key!r} was used with another address or body. Nothing was written.")
    if found.status is not None:
        return Reply(found.status, found.headers, bytes(found.body or b""))
    if found.leased_until > now:
        raise in_flight(key)
    if found.is_carried_out:
        raise Conflict(
            f"The request with the {HEADER} {key!r} was carried out, but its reply was lost. "
            "See what is there; to send it once more, take another key."
        )
    abandoned = IdempotencyKey.objects.filter(
        owner=owner, key=key, claim=found.claim, status=None, is_carried_out=False, leased_until=found.leased_until
    )
    if not abandoned.update(claim=mine.id, leased_until=now + LEASE):
        raise in_flight(key)
    return mine


def in_flight(key: str) -> InFlight:
    return InFlight(f"The request with the {HEADER} {key!r} is still being answered; try again in a moment.")


@every_minute
def sweep() -> None:
    """Delete the keys whose time is over; what is left after so many goes, the next minute takes."""
    over = IdempotencyKey.objects.filter(kept_until__lt=clock.wall_time())
    for _ in range(MOST_SWEEPS):
        swept, _ = IdempotencyKey.objects.filter(pk__in=over.values("pk")[:SWEPT_AT_ONCE]).delete()
        if swept < SWEPT_AT_ONCE:
            return
