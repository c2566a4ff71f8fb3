"""The official SDK, unmodified, talking to the site inside the test's own transaction."""

import httpx
from django.test import Client
from metronome import Metronome

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import parse_instant

NEW_YEAR = parse_instant("2025-01-01")


class InProcess(httpx.BaseTransport):
    """Requests go to Django's test client, which leaves the database connection to the test."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "content-type"}
        answer = Client(raise_request_exception=False).generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type=request.headers.get("content-type", ""),
            headers=headers,
        )
        return httpx.Response(answer.status_code, headers=dict(answer.items()), content=answer.content)


def sdk_client(scope: str = "admin", **options: object) -> Metronome:
    """A client with a new token of that scope."""
    _, secret = tokens.create_token("tests", scope=scope, at=NEW_YEAR, by=Actor.command("tests"), **options)
    return Metronome(
        bearer_token=secret,
        base_url="http://localhost",
        http_client=httpx.Client(transport=InProcess()),
        max_retries=0,
    )
