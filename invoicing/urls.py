from django.urls import path

from invoicing.views import (
    alerts,
    archiving,
    balances,
    contracts,
    dashboards,
    historical,
    invoices,
    payments,
    seats,
    services,
    tax_rates,
)
from invoicing.views.portal.urls import PORTAL

INVOICES = "v1/customers/<uuid:customer_id>/invoices"
BALANCES = "v1/contracts/customerBalances"

urlpatterns = [
    path("v1/alerts/archive", alerts.ArchiveAlert.as_view()),
    path("v1/alerts/create", alerts.CreateAlert.as_view()),
    path("v1/customer-alerts/get", alerts.GetCustomerAlert.as_view()),
    path("v1/customer-alerts/list", alerts.ListCustomerAlerts.as_view()),
    path("v1/customer-alerts/reset", alerts.ResetCustomerAlert.as_view()),
    path("v1/contracts/archive", archiving.ArchiveContract.as_view()),
    path("v1/contracts/commits/threshold-billing/release", payments.ReleasePayment.as_view()),
    path("v1/contracts/createHistoricalInvoices", historical.CreateHistoricalInvoices.as_view()),
    path("v1/contracts/get", contracts.GetFirstContract.as_view()),
    path("v1/contracts/scheduleProServicesInvoice", services.ScheduleServicesInvoice.as_view()),
    path("v1/contracts/takeBackProServicesInvoice", services.TakeBackServicesInvoice.as_view()),
    path("v1/contracts/list", contracts.ListFirstContracts.as_view()),
    path("v1/invoices/void", invoices.VoidInvoice.as_view()),
    path("v1/invoices/regenerate", invoices.RegenerateInvoice.as_view()),
    path(INVOICES, invoices.ListInvoices.as_view()),
    path(f"{INVOICES}/breakdowns", invoices.ListBreakdowns.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>", invoices.OneInvoice.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>/pdf", invoices.InvoiceAsPdf.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>/explain", invoices.ExplainInvoice.as_view()),
    path(f"{INVOICES}/<uuid:invoice_id>/explain/events", invoices.EventsBehindLine.as_view()),
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
    path("v1/dashboards/getEmbeddableUrl", dashboards.GetEmbeddableUrl.as_view()),
    *PORTAL,
]
