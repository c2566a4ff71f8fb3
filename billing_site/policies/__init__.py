"""What every address asks of who comes: the table that the tests hold the site to, and that refusals are told from.

The pages and views check for themselves. An address that is in neither table fails the tests.
"""

from billing_site.policies.api import ROUTES, Route
from billing_site.policies.pages import ACTIONS, NOBODY, PAGES, Page, page_named

__all__ = ["ACTIONS", "NOBODY", "PAGES", "ROUTES", "Page", "Route", "page_named"]
