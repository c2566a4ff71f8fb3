"""Who is doing it: carried beside every write, so that history can say so for people, tokens and jobs alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is USER, TOKEN, JOB or COMMAND; `label` is what a person reads; `id` finds the row again."""

    kind: str
    label: str
    id: str = ""
    source: str = ""  # ADMIN, API, JOB, COMMAND: the door that was used
    request_id: str = ""

    @classmethod
    def of(cls, request: Any) -> "Actor":
        """The actor behind an authenticated Django or DRF request."""
        token, request_id = getattr(request, "auth", None), getattr(request, "request_id", "")
        return cls.of_user(request.user, request_id) if token is None else cls.of_token(token, request_id)

    @classmethod
    def of_token(cls, token: Any, request_id: str = "") -> "Actor":
        return cls("TOKEN", token.name, str(token.pk), "API", request_id)

    @classmethod
    def of_user(cls, user: Any, request_id: str = "") -> "Actor":
        return cls("USER", user.get_username(), str(user.pk), "ADMIN", request_id)

    @classmethod
    def job(cls, name: str) -> "Actor":
        return cls("JOB", name, source="JOB")

    @classmethod
    def command(cls, name: str) -> "Actor":
        return cls("COMMAND", name, source="COMMAND")


_current: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current() -> Actor | None:
    """The actor of the running request, job or command, for the history rows it writes."""
    return _current.get()


def become(actor: Actor) -> None:
    """The running request turns out to be this actor's (its token was read after the middleware began)."""
    _current.set(actor)


@contextmanager
def acting(actor: Actor | None) -> Iterator[None]:
    """Everything written inside is written by `actor`."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)
