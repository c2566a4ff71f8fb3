"""Pages of a customer for an iframe of the company's own site: who may see what, in a signed address that expires.

The address is all there is: no cookie, no session. It holds for an hour by the wall clock, and only as long as the
version of the key (`COUNTINGHOUSE_EMBED_KEY_VERSION`) is the one that it was signed with.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing

INVOICES, USAGE, CREDITS, COMMITS_AND_CREDITS = "invoices", "usage", "credits", "commits_and_credits"
DASHBOARDS = {  # with the page that each begins with
    INVOICES: "invoices/",
    USAGE: "usage/",
    CREDITS: "balances/",
    COMMITS_AND_CREDITS: "balances/",
}
SECONDS = 3_600
LONGEST = 4_000  # characters of the signed part: what proxies and browsers pass on
HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
# What each colour of the API is called in the stylesheet.
COLOURS = {
    "Gray_dark": "ink",
    "Gray_medium": "quiet",
    "Gray_light": "edge",
    "Gray_extralight": "ground",
    "White": "paper",
    "Primary_medium": "accent",
    "Primary_light": "bar-reached",
    **{f"UsageLine_{number}": f"series-{number + 1}" for number in range(10)},
    "Primary_green": "good",
    "Primary_red": "bad",
    "Progress_bar": "bar-used",
    "Progress_bar_background": "bar-whole",
    "Action": "action",
    "Action_hover": "action-hover",
}


class Unreadable(Exception):
    """The address is not one that was given out, or no longer; in words for whoever looks at it."""


@dataclass(frozen=True, slots=True)
class KeyName:
    """What a group key, and some of its values, are called."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embed:
    """One of `DASHBOARDS` of a customer. `colours` are hex values by their names in `COLOURS`; `names` are by group
    key."""

    customer_id: UUID
    dashboard: str
    options: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, KeyName] = field(default_factory=dict)


def signed(embed: Embed) -> str:
    """What goes into the address."""
    told = {
        "c": embed.customer_id.hex,
        "d": embed.dashboard,
        "o": dict(embed.options),
        "k": dict(embed.colours),
        "n": {key: [named.name, dict(named.values)] for key, named in embed.names.items()},
    }
    return signing.dumps({name: value for name, value in told.items() if value}, salt=_salt(), compress=True)


def read(token: str) -> Embed:
    """What was signed. Raises Unreadable."""
    try:
        told: dict[str, Any] = signing.loads(token, salt=_salt(), max_age=SECONDS)
    except signing.SignatureExpired as error:
        raise Unreadable(
            "This view has expired, as each does after an hour. Reload the page that it is part of."
        ) from error
    except signing.BadSignature as error:
        raise Unreadable(
            "The address of this view was changed, cut short or called back. Reload the page that it is part of."
        ) from error
    return Embed(
        UUID(told["c"]),
        told["d"],
        told.get("o", {}),
        told.get("k", {}),
        {key: KeyName(name, values) for key, (name, values) in told.get("n", {}).items()},
    )


def stylesheet(embed: Embed) -> str:
    """The colours as the pages' stylesheet names them; nothing but hex values."""
    lines = [
        f"  --{COLOURS[name]}: {value};"
        for name, value in embed.colours.items()
        if name in COLOURS and HEX.fullmatch(value)
    ]
    return "\n".join([":root[data-theme] {", *lines, "}", ""])


def _salt() -> str:
    return f"embed.v{settings.EMBED_KEY_VERSION}"
