"""The pictures of the README and of docs, taken of a demo of its own: `make screenshots`.

With a folder, those of every page of each role's first hour instead, at three widths, light and dark, to be looked at:
`make screenshots ARGS=/tmp/pictures`. Of the pages of customers one more is as they are printed.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium
from tests.browser.dress import dress

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
PORT = "8461"
LOGIN = "admin"
WIDTH = 1280
WIDTHS, SCHEMES = (1440, 1024, 390), ("light", "dark")
# By login, what each looks at first; CONTRACT and CUSTOMER are Acme's.
FIRST_HOURS = {
    "editor": (
        *("/admin/", "/admin/contracts/customer/", "/admin/contracts/contract/", "CONTRACT/change/", "CONTRACT/edit/"),
        *("CONTRACT/grant/", "/admin/pricing/ratecard/", "/admin/pricing/product/", "/admin/pricing/product/add/"),
        *("/admin/pricing/billablemetric/add/", "/admin/contracts/package/", "/admin/contracts/package/add/"),
    ),
    "approver": ("/admin/", "/admin/invoicing/note/proposed/"),
    "finance": (
        *("/admin/", "/admin/invoicing/invoice/", "/admin/invoicing/commitmentsummary/finance/"),
        *("/admin/invoicing/draftsofcustomer/", "/admin/contracts/legalentity/", "/admin/contracts/taxrate/"),
    ),
    "auditor": ("/admin/", "CONTRACT/history/", "/admin/pricing/publication/"),
    "operator": (
        *("/admin/", "/admin/ledger/ingestcall/", "/admin/ledger/ingestcall/events/", "/admin/foundation/job/"),
        *("/admin/ledger/ingestcall/unmatched/", "/admin/ledger/ingestcall/findings/", "/admin/foundation/apitoken/"),
        "/admin/ledger/ingestcall/dry-run/",
    ),
    "acme": tuple(
        f"CUSTOMER{section}"
        for section in ("", "spend/", "spend/?by=model", "usage/", "balances/", "terms/", "invoices/", "tokens/")
    ),
}


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


def take_first_hours(browser: Browser, addresses: dict[str, str], folder: Path) -> None:
    """Every page of each role, in every window, into the folder of its login."""
    for login, paths in FIRST_HOURS.items():
        page = browser.new_context().new_page()
        page.goto(addresses["Acme's own page"] if login == "acme" else addresses["Back office"])
        page.locator("[name=username]").fill(login)
        page.locator("[name=password]").fill(login)
        page.locator("main, form").locator("[type=submit]").first.click()
        bases = {"CONTRACT": addresses["Acme's contract"].partition("/change")[0]}
        if login == "acme":
            bases["CUSTOMER"] = str(page.get_by_role("link", name="Overview").evaluate("(link) => link.href"))
        for path in paths:
            base = next((base for base in bases if path.startswith(base)), "")
            named = re.sub(r"[^a-z]+", "-", path.lower()).strip("-")
            page.goto(urljoin(addresses["Back office"], bases.get(base, "") + path.removeprefix(base)))
            page.wait_for_timeout(500)  # the bars grow
            for width in WIDTHS:
                for scheme in SCHEMES:
                    dress(page, width, scheme)
                    _picture(page, f"{named}-{width}-{scheme}", folder / login)
            if login == "acme":
                page.emulate_media(media="print")
                _picture(page, f"{named}-print", folder / login)
                page.emulate_media(media="screen")
        page.context.close()


def _picture(page: Page, name: str, folder: Path = PICTURES) -> None:
    page.wait_for_load_state()
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")  # what sticks to the window stands at its top
    page.screenshot(path=folder / f"{name}.png", full_page=True, animations="disabled")


def main() -> None:
    executable = chromium.path()
    if executable is None:
        raise SystemExit(chromium.MISSING)
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as addresses, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(chromium.ARGUMENTS))
        if folder == PICTURES:
            take(browser, addresses)
            take_of_customer(browser, addresses)
        else:
            take_first_hours(browser, addresses, folder)
        browser.close()
    sys.stdout.write(f"Pictures are in {folder}.\n")


if __name__ == "__main__":
    main()
