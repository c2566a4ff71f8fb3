"""Around every request: an id, one reading of the clock, and whoever is acting."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import actor, clock
from billing_site.foundation.ids import uuid7

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Handler = Callable[[HttpRequest], HttpResponse]


class RequestContextMiddleware:
    """Gives the request an id (the caller's, where it sent a sane one) and one business time."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if SANE_ID.fullmatch(given) else str(uuid7())  # type: ignore[attr-defined]
        with clock.frozen_for_this_run(), actor.acting(None):
            response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response


class ActorMiddleware:
    """Lets history rows name the person behind a session. Tokens are named once they are read."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Asking for the user reads the session, which API calls do not have.
        if request.path.startswith("/admin/") and request.user.is_authenticated:
            actor.become(actor.Actor.of(request))
        return self.get_response(request)
