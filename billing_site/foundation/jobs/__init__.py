"""Background work. A row of ours says what is to be done and how far it is; the queue carries only its id.

A kind of work is a function registered with `@job("kind")`; `enqueue` asks for it once per key. It may be delivered
twice, or its process may be killed: whoever takes the row does the work, everybody else leaves. What runs every minute
is registered with `@every_minute`; what a person reads of a job, with `@in_words`.

Jobs keep wall time. The business time of a run is read once and given to the function as `at`.
"""

from billing_site.foundation.jobs import checks, schedule
from billing_site.foundation.jobs.queue import (
    Handler,
    Payload,
    do_now,
    enqueue,
    every_minute,
    job,
    report,
    run,
    sweep,
    tick,
    try_again,
)
from billing_site.foundation.jobs.wording import Told, in_words, told

__all__ = [
    "Handler",
    "Payload",
    "Told",
    "checks",
    "do_now",
    "enqueue",
    "every_minute",
    "in_words",
    "job",
    "report",
    "run",
    "schedule",
    "sweep",
    "tick",
    "told",
    "try_again",
]
