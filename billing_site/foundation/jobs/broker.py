"""The queue's door: the cluster calls our two functions and nothing else.

A message of django-q2 names any function by its path, so whoever can write one could run anything. This broker reads
each message before the cluster does and drops what is not ours.
"""

import logging
from typing import Any

from django_q.brokers.orm import ORM
from django_q.signing import BadSignature, SignedPackage

from billing_site.foundation.jobs.queue import RUN, TICK

ALLOWED = frozenset({RUN, TICK})
FORBIDDEN_OPTIONS = ("hook", "chain")  # they name further functions

logger = logging.getLogger(__name__)


class JobBroker(ORM):
    """django-q2's ORM broker with an allow-list."""

    def dequeue(self) -> list[tuple[Any, str]]:
        messages = super().dequeue() or []
        return [message for message in messages if self._is_ours(*message)]

    def _is_ours(self, key: Any, payload: str) -> bool:
        try:
            task = SignedPackage.loads(payload)
        except (TypeError, ValueError, BadSignature):
            task = {}
        named = task.get("func")
        if named in ALLOWED and not any(task.get(option) for option in FORBIDDEN_OPTIONS):
            return True
        logger.error("A message in the queue named %r, which is not a function for jobs; it was dropped.", named)
        self.delete(key)
        return False
