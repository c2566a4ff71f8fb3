"""The API calls of invoicing."""
