"""The pictures of the README and of docs, taken of a demo of its own: `make screenshots`."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
PORT = "8461"
LOGIN = "admin"
WIDTH = 1280


@contextmanager
def demo() -> Iterator[dict[str, str]]:
    """A running demo, and the addresses that it prints by what it calls them."""
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"COUNTINGHOUSE_DATA": data}
        command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", PORT]
        running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            addresses: dict[str, str] = {}
            assert running.stdout is not None
            for line in running.stdout:
                if named := re.match(r"  (\w[\w' ]+?)  +(http://\S+)", line):
                    addresses[named[1]] = named[2]
                if "Ctrl+C stops" in line:
                    break
            yield addresses
        finally:
            running.terminate()
            running.wait()


def take(browser: Browser, addresses: dict[str, str]) -> None:
    """The story, a picture at each step."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.goto(addresses["Back office"])
    page.get_by_label("Username").fill(LOGIN)
    page.get_by_label("Password").fill(LOGIN)
    page.locator("[type=submit]").click()
    _picture(page, "home")
    page.goto(addresses["Acme's contract"])
    _picture(page, "contract-before")
    page.get_by_role("link", name="Make a deal").first.click()
    page.get_by_label("Amount to be spent (USD)").fill("100,000")
    page.locator("[name=commit_name]").fill("$100,000 by the end of 2025")
    page.get_by_label("Off the list price, in percent").fill("50")
    page.locator("[name=discount_starting_at_0]").fill("2025-10-15")
    for product in ("API calls", "Model small", "Model medium", "Model large", "Model xl"):
        page.locator("#id_discount_products").get_by_label(product, exact=True).check()
    page.get_by_label("Reason").fill("The year-end deal with their CFO")
    page.get_by_role("button", name="Preview").click()
    page.locator("#preview").screenshot(path=PICTURES / "preview.png")
    page.locator("#preview").get_by_role("button", name="Make this edit").click()
    page.get_by_role("link", name="Why: Model xl").click()
    page.get_by_text("15–31 October 2025: 300 ×").wait_for()
    _picture(page, "contract-after")
    page.get_by_role("link", name="List prices 2025").first.click()
    _picture(page, "rate-card")
    page.goto(addresses["Acme's contract"])
    page.get_by_role("link", name="See it as the customer").click()
    page.wait_for_timeout(1000)  # the bars grow
    _picture(page, "customer")


def take_of_customer(browser: Browser, addresses: dict[str, str]) -> None:
    """Acme's own pages after the deal, as Acme sees them; the last one on a phone, in the dark."""
    for width, scheme, pictures in (
        (WIDTH, "light", {"spend/": "customer-spend", "balances/": "customer-balances", "terms/": "customer-terms"}),
        (390, "dark", {"usage/": "customer-phone"}),
    ):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(addresses["Acme's own page"])
        page.get_by_label("User name").fill("acme")
        page.get_by_label("Password").fill("acme")
        page.get_by_role("button", name="Sign in").click()
        for section, name in pictures.items():
            page.goto(page.get_by_role("link", name="Overview").evaluate("(link) => link.href") + section)
            page.wait_for_timeout(500)  # the bars grow
            _picture(page, name)
        context.close()


def _picture(page: Page, name: str) -> None:
    page.wait_for_load_state()
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")  # what sticks to the window stands at its top
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")


def main() -> None:
    executable = chromium.path()
    if executable is None:
        raise SystemExit(chromium.MISSING)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with demo() as addresses, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(chromium.ARGUMENTS))
        take(browser, addresses)
        take_of_customer(browser, addresses)
        browser.close()
    sys.stdout.write(f"Pictures are in {PICTURES.relative_to(ROOT)}.\n")


if __name__ == "__main__":
    main()
