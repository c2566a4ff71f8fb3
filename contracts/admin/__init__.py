"""Customers, contracts and the rate cards they are on, in the admin: what writes is a service behind a form."""

from contracts.admin import contracts, customers, facts, logins, packages, parties, providers, rate_cards, taxes

__all__ = ["contracts", "customers", "facts", "logins", "packages", "parties", "providers", "rate_cards", "taxes"]
