"""A page as another window would show it, without loading it anew."""

from typing import Any

from playwright.sync_api import Page

# The back office keeps its theme in a class, which its script sets when a page is loaded.
_DRESSED = """(scheme) => new Promise((done) => {
  if (location.pathname.startsWith("/admin/")) document.documentElement.classList.toggle("dark", scheme === "dark");
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""


def dress(page: Page, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_DRESSED, scheme)
