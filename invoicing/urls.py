from django.urls import path

from invoicing.views import alerts, archiving, balances, contracts, invoices, seats, tax_rates
from invoicing.views.portal import balances as held
from invoicing.views.portal import documents, overview, spend, usage
from invoicing.views.portal.viewers import of_login

INVOICES = "v1/customers/<uuid:customer_id>/invoices"
BALANCES = "v1/contracts/customerBalances"
PORTAL = "portal/<uuid:customer_id>/"

urlpatterns = [
    path("v1/alerts/archive", alerts.ArchiveAlert.as_view()),
    path("v1/alerts/create", alerts.CreateAlert.as_view()),
    path("v1/customer-alerts/get", alerts.GetCustomerAlert.as_view()),
    path("v1/customer-alerts/list", alerts.ListCustomerAlerts.as_view()),
    path("v1/customer-alerts/reset", alerts.ResetCustomerAlert.as_view()),
    path("v1/contracts/archive", archiving.ArchiveContract.as_view()),
    path("v1/contracts/get", contracts.GetFirstContract.as_view()),
    path("v1/contracts/list", contracts.ListFirstContracts.as_view()),
    path("v1/invoices/void", invoices.VoidInvoice.as_view()),
    path("v1/invoices/regenerate", invoices.RegenerateInvoice.as_view()),
    path(INVOICES, invoices.ListInvoices.as_view()),
    path(f"{INVOICES}/breakdowns", invoices.ListBreakdowns.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>", invoices.OneInvoice.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>/pdf", invoices.InvoiceAsPdf.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>/explain", invoices.ExplainInvoice.as_view()),
    path("v1/tax-rates/create", tax_rates.CreateTaxRate.as_view()),
    path("v1/tax-rates/update", tax_rates.UpdateTaxRate.as_view()),
    path("v2/contracts/get", contracts.GetContract.as_view()),
    path("v2/contracts/list", contracts.ListContracts.as_view()),
    path(f"{BALANCES}/list", balances.ListBalances.as_view()),
    path(f"{BALANCES}/getNetBalance", balances.GetNetBalance.as_view()),
    path("v1/contracts/seatBalances/list", seats.ListSeatBalances.as_view()),
    path("v1/contracts/customerCommits/list", balances.ListCommits.as_view()),
    path("v1/contracts/customerCredits/list", balances.ListCredits.as_view()),
    path("v1/contracts/addManualBalanceLedgerEntry", balances.AddManualBalanceEntry.as_view()),
    path("portal/", overview.my_page, name="portal"),
    path(PORTAL, of_login(overview.overview), name="portal_of_customer"),
    path(f"{PORTAL}live", of_login(overview.live, is_polled=True), name="portal_live"),
    path(f"{PORTAL}spend/", of_login(spend.spend), name="portal_spend"),
    path(f"{PORTAL}spend.csv", of_login(spend.spend_csv), name="portal_spend_csv"),
    path(f"{PORTAL}usage/", of_login(usage.usage), name="portal_usage"),
    path(f"{PORTAL}usage.csv", of_login(usage.usage_csv), name="portal_usage_csv"),
    path(f"{PORTAL}balances/", of_login(held.balances), name="portal_balances"),
    path(f"{PORTAL}balances.csv", of_login(held.balances_csv), name="portal_balances_csv"),
    path(f"{PORTAL}invoices/", of_login(documents.invoices), name="portal_invoices"),
    path(f"{PORTAL}invoices/<uuid:invoice_id>/why/<int:row>", of_login(documents.why), name="portal_why"),
    path(f"{PORTAL}events/", of_login(documents.events), name="portal_events"),
    path(f"{PORTAL}invoices/<uuid:invoice_id>", of_login(documents.invoice), name="portal_invoice"),
    path(f"{PORTAL}invoices/<uuid:invoice_id>.pdf", of_login(documents.invoice_pdf), name="portal_invoice_pdf"),
]
