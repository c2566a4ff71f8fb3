"""What the queue's settings must satisfy, said at the start and not by a job that ran twice."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

BROKER = "billing_site.foundation.jobs.broker.JobBroker"


@register()
def queue_settings(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """Refuse settings under which django-q2 would deliver a job again while it still runs or waits its turn."""
    conf = settings.Q_CLUSTER
    workers = conf.get("workers") or os.cpu_count() or 4
    queue_limit = conf.get("queue_limit") or workers**2
    timeout, retry = conf.get("timeout"), conf.get("retry") or 60
    problems: list[CheckMessage] = []
    if timeout is None or retry <= timeout * (queue_limit / workers + 1):
        problems.append(
            Error(
                f"Q_CLUSTER: retry ({retry} s) must be more than timeout × (queue_limit / workers + 1) "
                f"with timeout {timeout}, queue_limit {queue_limit}, workers {workers}.",
                hint="A message is locked for `retry` seconds from when it is fetched, not from when it is run.",
                id="countinghouse.E001",
            )
        )
    if conf.get("broker_class") != BROKER:
        problems.append(
            Error(
                "Q_CLUSTER: broker_class must be our broker, which lets the cluster call our functions only.",
                hint=f'Set "broker_class": "{BROKER}".',
                id="countinghouse.E002",
            )
        )
    return problems
