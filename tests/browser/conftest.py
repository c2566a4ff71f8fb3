"""A real Chromium on the running site.

`visit(path, user=…)` opens a page as somebody. Whatever goes wrong in it fails the test when it ends: an error on the
console, an exception in a script, a request to another host.
"""

import gc
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file. Without any they are skipped, and fail where CI is set."""
    executable = chromium.path()
    if executable is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(chromium.MISSING)
    with pytest.MonkeyPatch.context() as patched, sync_playwright() as playwright:
        # Playwright leaves its event loop running in this thread, where Django would then refuse to use the database.
        patched.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        opened = playwright.chromium.launch(executable_path=executable, args=list(chromium.ARGUMENTS))
        yield opened
        opened.close()
    # Playwright leaves pipes to its own process open; collected later, they would fail whichever test runs then.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Complaints:
    """What the pages of a test complained about."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.heard: list[str] = []

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.heard.append(f"exception: {error}"))
        page.on("request", self._request)

    def forget(self, part: str) -> None:
        """Complaints that have `part` in them are what the test meant to provoke."""
        self.heard = [each for each in self.heard if part not in each]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.heard.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site}/", "data:", "blob:")):
            self.heard.append(f"request to {request.url}")


@pytest.fixture
def complaints(live_server: Any) -> Iterator[Complaints]:
    heard = Complaints(live_server.url)
    yield heard
    assert heard.heard == []


@pytest.fixture
def visit(browser: Browser, live_server: Any, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """Opens `path` in a window of its own: as `user` where one is given, `width` pixels wide, light or dark."""
    contexts = []

    def opened(path: str, *, user: Any = None, width: int = 1280, scheme: Any = "light") -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        complaints.listen(page)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
