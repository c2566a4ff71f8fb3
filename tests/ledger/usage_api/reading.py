"""Two customers and two metrics with ids in order, and usage as the SDK reads it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from billing_site.foundation.ids import uuid7

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
ACME, GLOBEX = sorted([uuid7(), uuid7()])
CALLS, TOKENS = sorted([uuid7(), uuid7()])
NOWHERE = "00000000-0000-0000-0000-000000000000"


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return OCTOBER + timedelta(days=day - 1, hours=hour, minutes=minute)


def usage(client, **changes):
    bounds = {"starting_on": OCTOBER, "ending_before": NOVEMBER, "window_size": "NONE"}
    return list(client.v1.usage.list(**bounds | changes))


def exact(response) -> dict:
    return json.loads(response.http_response.content, parse_float=Decimal)
