"""Where a Chromium is, and what to say where there is none."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # which a container does not have; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "There is no Chromium, so the pages were not tried in a browser. Install one (apt install chromium) or name it in"
    " COUNTINGHOUSE_CHROMIUM."
)


def path() -> str | None:
    named = os.environ.get("COUNTINGHOUSE_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)
