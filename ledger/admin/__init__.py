"""What came in, to be looked at; corrections, claims and authorities go through their services."""

from ledger.admin import facts, pages, sources  # noqa: F401 (admin pages register themselves)
