"""Who calls the API: a bearer token, or a member of staff trying the reference page in a browser."""

import time
from typing import Any

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from billing_site.foundation import actor, tokens
from billing_site.foundation.models import ApiToken
from billing_site.policies.api import STAFF_READS

# A token is looked up at most once a second in each process, so a revoked one is dead within a second.
REMEMBERED_SECONDS = 1.0
_remembered: dict[bytes, tuple[float, ApiToken]] = {}


class TokenPrincipal:
    """What `request.user` is for a machine."""

    is_authenticated = True
    is_active = True
    is_staff = is_superuser = False
    pk = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    def get_username(self) -> str:
        return self.token.name


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate(self, request: Request) -> tuple[TokenPrincipal, ApiToken] | None:
        secret = bearer_secret(request)
        if secret is None:
            return None
        token = live_token(secret)
        if token is None:
            raise AuthenticationFailed("This token is unknown or was revoked.")
        actor.become(actor.Actor.of_token(token, getattr(request, "request_id", "")))
        return TokenPrincipal(token), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Countinghouse"'


class StaffSession(SessionAuthentication):
    """The session of a member of staff, with Django's protection against forged requests."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        if "sessionid" not in request.COOKIES:
            return None
        found = super().authenticate(request)
        if found is None or not found[0].is_staff:
            return None
        actor.become(actor.Actor.of_user(found[0], getattr(request, "request_id", "")))
        return found[0], None


class HasScope(BasePermission):
    """A view says what it takes (`required_scope`); a token says what it gives.

    A token bound to a customer reaches only views that name a customer in their URL, its own, and views that say
    `allows_customer_token` and look themselves. Another customer looks like a missing one.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return self._staff_may(request, view)
        if view.required_scope not in tokens.GRANTS[ApiToken.Scope(token.scope)]:
            raise PermissionDenied(
                f"This token's scope is {token.scope.lower()}; {view.required_scope} is needed here."
            )
        bound_to = token.customer_id
        if bound_to is not None and str(view.kwargs.get("customer_id", "")) != str(bound_to):
            if "customer_id" in view.kwargs:
                raise NotFound("There is no such customer.")
            if not getattr(view, "allows_customer_token", False):
                raise PermissionDenied("This token is bound to one customer and cannot be used here.")
        return True

    def _staff_may(self, request: Request, view: Any) -> bool:
        user = request.user
        if user is None:
            return False
        room = type(view).__module__.partition(".")[0]
        return bool(user.is_superuser or (view.required_scope == "read" and user.has_perm(STAFF_READS[room])))


class BearerTokenScheme(OpenApiAuthenticationExtension):
    target_class = BearerToken
    name = "bearerToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class StaffSessionScheme(OpenApiAuthenticationExtension):
    target_class = StaffSession
    name = "staffSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def bearer_secret(request: Request | HttpRequest) -> str | None:
    """What the caller shows as its token, good or not."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def live_token(secret: str) -> ApiToken | None:
    """The token that `secret` belongs to, as it was within the last second."""
    digest = tokens.digest_of(secret)
    held = _remembered.get(digest)
    if held is not None and time.monotonic() - held[0] < REMEMBERED_SECONDS:
        return held[1]
    token = tokens.token_of(secret)
    if token is None:
        _remembered.pop(digest, None)
        return None
    if len(_remembered) > 10_000:
        _remembered.clear()
    _remembered[digest] = (time.monotonic(), token)
    return token
