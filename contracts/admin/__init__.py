"""Customers and contracts in the admin. Everything that writes is a service behind a form or an action."""

from contracts.admin import contracts, customers, facts, logins

__all__ = ["contracts", "customers", "facts", "logins"]
