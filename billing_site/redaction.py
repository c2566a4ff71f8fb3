"""What must not be in a log."""

import logging
import re

# The signed part of an address of an embedded view is all that it takes to look at it.
_EMBED = re.compile(r"/embed/[^/\s?#]+")


class WithoutTokens(logging.Filter):
    """Takes the signed part of addresses out of what is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/embed/" in message:
            record.msg, record.args = _EMBED.sub("/embed/…", message), ()
        return True
