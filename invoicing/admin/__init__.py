"""Documents, drafts and the page of a contract, which shows what it costs now."""

from invoicing.admin import contracts, documents

__all__ = ["contracts", "documents"]
