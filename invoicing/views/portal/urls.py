"""Where the pages of customers are: by login, and by a signed address within a frame."""

from django.urls import URLPattern, path

from invoicing.embedding import COMMITS_AND_CREDITS, CREDITS, INVOICES, USAGE
from invoicing.views.portal import balances, documents, overview, spend, terms, tokens, usage
from invoicing.views.portal.embeds import colours, nothing, of_embed
from invoicing.views.portal.viewers import of_login

OWN = "portal/<uuid:customer_id>/"
EMBED = "embed/<str:token>/"

PORTAL: list[URLPattern] = [
    path("portal/", overview.my_page, name="portal"),
    path(OWN, of_login(overview.overview), name="portal_of_customer"),
    path(f"{OWN}spend/", of_login(spend.spend), name="portal_spend"),
    path(f"{OWN}spend.csv", of_login(spend.spend_csv), name="portal_spend_csv"),
    path(f"{OWN}usage/", of_login(usage.usage), name="portal_usage"),
    path(f"{OWN}usage.csv", of_login(usage.usage_csv), name="portal_usage_csv"),
    path(f"{OWN}balances/", of_login(balances.balances), name="portal_balances"),
    path(f"{OWN}balances.csv", of_login(balances.balances_csv), name="portal_balances_csv"),
    path(f"{OWN}terms/", of_login(terms.terms), name="portal_terms"),
    path(f"{OWN}prices.csv", of_login(terms.prices_csv), name="portal_prices_csv"),
    path(f"{OWN}tokens/", of_login(tokens.own_tokens, methods=("GET", "HEAD", "POST")), name="portal_tokens"),
    path(
        f"{OWN}tokens/<uuid:token_id>/revoke",
        of_login(tokens.revoke_own_token, methods=("POST",)),
        name="portal_revoke_token",
    ),
    path(f"{OWN}invoices/", of_login(documents.invoices), name="portal_invoices"),
    path(f"{OWN}invoices/<uuid:invoice_id>/why/<int:row>", of_login(documents.why), name="portal_why"),
    path(f"{OWN}invoices/<uuid:invoice_id>/events/<int:line>", of_login(documents.events), name="portal_events"),
    path(f"{OWN}invoices/<uuid:invoice_id>/compared", of_login(documents.compare), name="portal_compared"),
    path(f"{OWN}invoices/<uuid:invoice_id>", of_login(documents.invoice), name="portal_invoice"),
    path(f"{OWN}invoices/<uuid:invoice_id>.pdf", of_login(documents.invoice_pdf), name="portal_invoice_pdf"),
    path(f"{EMBED}colours.css", of_embed(colours)),
    path(f"{EMBED}invoices/", of_embed(documents.invoices, INVOICES)),
    path(f"{EMBED}invoices/<uuid:invoice_id>/why/<int:row>", of_embed(documents.why, INVOICES)),
    path(f"{EMBED}invoices/<uuid:invoice_id>/compared", of_embed(documents.compare, INVOICES)),
    path(f"{EMBED}invoices/<uuid:invoice_id>", of_embed(documents.invoice, INVOICES)),
    path(f"{EMBED}invoices/<uuid:invoice_id>.pdf", of_embed(documents.invoice_pdf, INVOICES)),
    path(f"{EMBED}invoices/<uuid:invoice_id>/events/<int:line>", of_embed(documents.events, INVOICES)),
    path(f"{EMBED}usage/", of_embed(usage.usage, USAGE)),
    path(f"{EMBED}usage.csv", of_embed(usage.usage_csv, USAGE)),
    path(f"{EMBED}balances/", of_embed(balances.balances, CREDITS, COMMITS_AND_CREDITS)),
    path(f"{EMBED}balances.csv", of_embed(balances.balances_csv, CREDITS, COMMITS_AND_CREDITS)),
    path("embed/<str:token>/<path:rest>", of_embed(nothing), name="embed"),
]
