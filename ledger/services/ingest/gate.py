"""Where calls that arrive while a transaction runs wait for the next one, and go through it together.

Whoever comes when nobody is inside leads: takes all that wait, writes them in one transaction, and hands the lead to
the first of those that came meanwhile. So a call alone does not wait, and the more there are, the less each costs. A
call is still stored whole or not at all, and answered when it is durable: when a joint transaction fails, each of its
calls is tried by itself.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from ledger.services.ingest.calls import Call
from ledger.services.ingest.receipts import Receipt

MOST_EVENTS = 5_000  # that one transaction takes from several calls

Write = Callable[[Sequence[Call]], list[Receipt]]


class _Waiting:
    """A call at the gate. `turn` is locked until it is done or has to lead."""

    __slots__ = ("call", "error", "receipt", "turn")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.receipt: Receipt | None = None
        self.error: BaseException | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Gate:
    """Lets calls into `write` one transaction at a time, those that wait together."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._has_leader = False

    def submit(self, call: Call) -> Receipt:
        """Returns when the call is durable. Raises what writing it raises."""
        mine = _Waiting(call)
        with self._lock:
            self._queue.append(mine)
            leads, self._has_leader = not self._has_leader, True
        if not leads:
            mine.turn.acquire()
        if mine.receipt is None and mine.error is None:
            self._lead()
        if mine.error is not None:
            raise mine.error
        assert mine.receipt is not None
        return mine.receipt

    def _lead(self) -> None:
        together: list[_Waiting] = []
        try:
            with self._lock:
                events = 0
                while self._queue and (not together or events + len(self._queue[0].call.events) <= MOST_EVENTS):
                    together.append(self._queue.popleft())
                    events += len(together[-1].call.events)
            self._run(together)
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._has_leader = following is not None
            if following is not None:
                following.turn.release()
            for waiting in together:
                waiting.turn.release()

    def _run(self, together: Sequence[_Waiting]) -> None:
        try:
            for waiting, receipt in zip(together, self._write([one.call for one in together]), strict=True):
                waiting.receipt = receipt
        except BaseException as error:
            if len(together) == 1:
                together[0].error = error
                return
            for waiting in together:
                self._run([waiting])
