"""The `Idempotency-Key` header of every POST under the API's addresses. What a key does is said in
`foundation.idempotency`."""

import logging
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, Error, connection
from django.http import HttpRequest, HttpResponse

from billing_site.api.authentication import bearer_secret, live_token
from billing_site.api.errors import handle_outside_views
from billing_site.foundation import idempotency
from billing_site.foundation.idempotency import HEADER, Claim, Reply
from billing_site.foundation.ids import derived_id
from billing_site.foundation.refusals import Refusal

PREFIXES = ("/v1/", "/v2/")
REPLAYED = "Idempotent-Replayed"

logger = logging.getLogger(__name__)


class IdempotencyMiddleware:
    """Answers a repeated request from what is kept. It stands next to the view: other middleware treats both alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST" or not request.path.startswith(PREFIXES):
            return self.get_response(request)
        try:
            owner = _owner_of(request)
            if owner is None:
                return self.get_response(request)  # which will say 401
            claimed = idempotency.claim(owner, key, address=request.get_full_path(), body=_body_of(request))
        except (Refusal, DatabaseError) as error:
            return handle_outside_views(error, request)
        if isinstance(claimed, Reply):
            return _replayed(claimed)
        with connection.execute_wrapper(claimed.witness):
            response = self.get_response(request)
        _settle(claimed, response)
        return response


def _owner_of(request: HttpRequest) -> UUID | None:
    """Whose keys these are: the token's, or the member of staff's who tries the reference page."""
    secret = bearer_secret(request)
    if secret is not None:
        token = live_token(secret)
        return token.pk if token else None
    if "sessionid" in request.COOKIES and getattr(request.user, "is_staff", False):
        return derived_id("user", request.user.pk)
    return None


def _body_of(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig as error:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise Refusal.of("body", f"more than {most} bytes", f"must have at most {most} bytes") from error


def _settle(claimed: Claim, response: HttpResponse) -> None:
    """Keep the reply. Where that fails, the request was carried out all the same, so its reply goes out."""
    try:
        claimed.settle(Reply(response.status_code, dict(response.items()), response.content))
    except Error:
        logger.exception("The reply to %s could not be kept", claimed.key)


def _replayed(reply: Reply) -> HttpResponse:
    response = HttpResponse(reply.body, status=reply.status)
    for name, value in reply.headers.items():
        response[name] = value
    response[REPLAYED] = "true"
    return response
