"""API tokens: 256 random bits, shown once, kept as SHA-256, scoped, revocable."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import ApiToken
from billing_site.foundation.refusals import Refusal

PREFIX = "cth"  # makes a leaked token recognisable to scanners

# What a token of each scope may do. Admin includes the others.
GRANTS = {
    ApiToken.Scope.ADMIN: frozenset({"admin", "ingest", "read"}),
    ApiToken.Scope.INGEST: frozenset({"ingest"}),
    ApiToken.Scope.READ: frozenset({"read"}),
}


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def create_token(
    name: str,
    *,
    scope: str,
    customer_id: UUID | None = None,
    source: str = "",
    token_id: UUID | None = None,
    at: datetime,
    by: Actor,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is nowhere else and cannot be shown again.

    `source` names the system that will send with it (the token's name by default). Only a read token may be
    bound to a customer. With a `token_id` of the caller's own, what is asked for twice is made once. Raises Refusal.
    """
    if scope.upper() not in ApiToken.Scope.values:
        raise Refusal.of("scope", scope, "must be admin, ingest or read")
    if not name.strip():
        raise Refusal.of("name", name, "must not be empty")
    if customer_id is not None and scope.upper() != ApiToken.Scope.READ:
        raise Refusal.of("customer", customer_id, "only a read token may be bound to one customer")
    if token_id is not None and ApiToken.objects.filter(pk=token_id).exists():
        raise Refusal.of("id", token_id, "is that of a token that was made already, and whose secret was shown then")
    secret = f"{PREFIX}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        id=token_id or uuid7(),
        name=name.strip(),
        scope=scope.upper(),
        customer_id=customer_id,
        source=source or name.strip(),
        digest=digest_of(secret),
        created_at=at,
        created_by=by.label,
    )
    return token, secret


def token_of(secret: str) -> ApiToken | None:
    """The live token that `secret` belongs to."""
    return ApiToken.objects.filter(digest=digest_of(secret), revoked_at=None).first()


def revoke_token(token: ApiToken, *, at: datetime, by: Actor) -> ApiToken:
    """End a token; the next request with it is refused. Revoking twice changes nothing."""
    if token.revoked_at is None:
        token.revoked_at = at
        token.revoked_by = by.label
        token.save()
    return token
