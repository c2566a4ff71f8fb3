"""Jobs in words: what one does, and what it is about, as a page for people says it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.jobs.queue import Payload
from billing_site.foundation.models import Job

Abouts = Callable[[Sequence[Payload]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Told:
    does: str  # "Finalize what is due"
    about: str  # "Acme, 2 November 2025"


_kinds: dict[str, tuple[str, Abouts]] = {}


def in_words(kind: str, does: str) -> Callable[[Abouts], Abouts]:
    """Register what jobs of this kind do, and the function that says what each is about: it is given the payloads of
    a page at once, so that names cost one query."""

    def register(abouts: Abouts) -> Abouts:
        _kinds[kind] = (does, abouts)
        return abouts

    return register


def told(rows: Iterable[Job]) -> Mapping[UUID, Told]:
    """Each job in words, by its id; one that no code of today knows by its kind and key."""
    by_kind: dict[str, list[Job]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    found: dict[UUID, Told] = {}
    for kind, alike in by_kind.items():
        does, abouts = _kinds.get(kind, (kind, None))
        said = abouts([row.payload for row in alike]) if abouts else [row.key for row in alike]
        found |= {row.pk: Told(does, about) for row, about in zip(alike, said, strict=True)}
    return found
