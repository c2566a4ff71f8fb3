"""Whose the addresses are that are neither pages of the back office nor routes of the API, by how they begin."""

# A customer's own logins, and staff who may see customers and their documents. Another customer looks like none.
OF_CUSTOMERS = "portal/"
STAFF_SEE_CUSTOMERS = ("contracts.view_customer", "invoicing.view_invoice")
# Whoever holds an address that was signed for one customer and one kind of page, until it expires.
SIGNED = "embed/"
# Everybody: ways in, and what says no more than that the site is there and what calls it has.
FOR_EVERYBODY = ("", "admin", "admin/login/", "login", "logout", "portal", "favicon.ico", "livez", "readyz")
REFERENCE = ("openapi.json", "docs")
