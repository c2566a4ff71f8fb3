"""What the routes of the API ask: the scope of a token, and whether one that is bound to a customer may come.

A bound token sees its own customer; any other looks like one that is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """The scope that a token needs, and whether one that is bound to a customer may come, for its own."""

    scope: str
    is_for_bound_tokens: bool = False


# Members of staff read the API in their browser, for its reference page: what they see of the same room in the back
# office. Superusers write, too.
STAFF_READS: Mapping[str, str] = {
    "pricing": "pricing.view_rate",
    "contracts": "contracts.view_contract",
    "ledger": "ledger.view_ingestcall",
    "invoicing": "invoicing.view_invoice",
}

_INGEST = """
POST v1/ingest
"""

_READS_OF_ONE_CUSTOMER = """
GET v1/customers
GET v1/customers/<str:customer_id>
GET v1/customers/<str:customer_id>/billingProfile
GET v1/customers/<uuid:customer_id>/invoices
GET v1/customers/<uuid:customer_id>/invoices/<uuid:invoice_id>
GET v1/customers/<uuid:customer_id>/invoices/<uuid:invoice_id>/explain
GET v1/customers/<uuid:customer_id>/invoices/<uuid:invoice_id>/explain/events
GET v1/customers/<uuid:customer_id>/invoices/<uuid:invoice_id>/pdf
GET v1/customers/<uuid:customer_id>/invoices/breakdowns
POST v1/contracts/customerBalances/getNetBalance
POST v1/contracts/customerBalances/list
POST v1/contracts/customerCommits/list
POST v1/contracts/customerCredits/list
POST v1/contracts/get
POST v1/contracts/getContractRateSchedule
POST v1/contracts/getSubscriptionQuantityHistory
POST v1/contracts/getSubscriptionSeatsHistory
POST v1/contracts/list
POST v1/contracts/seatBalances/list
POST v1/customer-alerts/get
POST v1/customer-alerts/list
POST v1/dashboards/getEmbeddableUrl
POST v1/events/search
POST v1/usage
POST v1/usage/groups
POST v2/contracts/get
POST v2/contracts/getEditHistory
POST v2/contracts/list
"""

_READS = """
GET v1/billable-metrics
GET v1/billable-metrics/<str:billable_metric_id>
GET v1/credit-types/list
GET v1/legal-entity
POST v1/contract-pricing/products/get
POST v1/contract-pricing/products/list
POST v1/contract-pricing/rate-cards/get
POST v1/contract-pricing/rate-cards/getFormula
POST v1/contract-pricing/rate-cards/getNamedSchedule
POST v1/contract-pricing/rate-cards/getRateSchedule
POST v1/contract-pricing/rate-cards/getRates
POST v1/contract-pricing/rate-cards/list
POST v1/contracts/getNamedSchedule
POST v1/contracts/listNamedSchedules
POST v1/customFields/listKeys
POST v1/customers/getNamedSchedule
POST v1/getCustomerBillingProviderConfigurations
POST v1/listConfiguredBillingProviders
POST v1/packages/get
POST v1/packages/list
POST v1/packages/listContractsOnPackage
POST v1/tax-codes/list
POST v1/tax-rates/list
POST v1/usage/events/dry_run
"""

_WRITES = """
POST v1/alerts/archive
POST v1/alerts/create
POST v1/archiveCustomerBillingProviderConfigurations
POST v1/billable-metrics/archive
POST v1/billable-metrics/create
POST v1/contract-pricing/products/archive
POST v1/contract-pricing/products/create
POST v1/contract-pricing/products/update
POST v1/contract-pricing/rate-cards/addRate
POST v1/contract-pricing/rate-cards/addRates
POST v1/contract-pricing/rate-cards/archive
POST v1/contract-pricing/rate-cards/changeFormula
POST v1/contract-pricing/rate-cards/create
POST v1/contract-pricing/rate-cards/moveRateCardProducts
POST v1/contract-pricing/rate-cards/setFormula
POST v1/contract-pricing/rate-cards/setRateCardProductsOrder
POST v1/contract-pricing/rate-cards/update
POST v1/contract-pricing/rate-cards/updateNamedSchedule
POST v1/contract-pricing/rate-cards/withdrawRates
POST v1/contracts/addManualBalanceLedgerEntry
POST v1/contracts/amend
POST v1/contracts/archive
POST v1/contracts/commits/threshold-billing/release
POST v1/contracts/create
POST v1/contracts/createHistoricalInvoices
POST v1/contracts/customerCommits/create
POST v1/contracts/customerCommits/updateEndDate
POST v1/contracts/customerCredits/create
POST v1/contracts/customerCredits/updateEndDate
POST v1/contracts/edits/undo
POST v1/contracts/scheduleProServicesInvoice
POST v1/contracts/setUsageFilter
POST v1/contracts/takeBackProServicesInvoice
POST v1/contracts/updateEndDate
POST v1/contracts/updateNamedSchedule
POST v1/credit-types/archive
POST v1/credit-types/create
POST v1/customFields/addKey
POST v1/customFields/deleteValues
POST v1/customFields/removeKey
POST v1/customFields/setValues
POST v1/customer-alerts/reset
POST v1/customers
POST v1/customers/<str:customer_id>/setBillingProfile
POST v1/customers/<str:customer_id>/setIngestAliases
POST v1/customers/<str:customer_id>/setName
POST v1/customers/<str:customer_id>/updateConfig
POST v1/customers/archive
POST v1/customers/updateNamedSchedule
POST v1/invoices/regenerate
POST v1/invoices/void
POST v1/legal-entity/set
POST v1/packages/archive
POST v1/packages/create
POST v1/setCustomerBillingProviderConfigurations
POST v1/tax-codes/set
POST v1/tax-rates/create
POST v1/tax-rates/update
POST v1/usage/events/amend
POST v1/usage/events/void
POST v2/contracts/commits/edit
POST v2/contracts/credits/edit
POST v2/contracts/edit
PUT v1/billable-metrics/<str:billable_metric_id>
"""


def _routes(text: str, route: Route) -> dict[tuple[str, str], Route]:
    rows = (line.partition(" ") for line in text.strip().splitlines())
    return {(method, pattern): route for method, _, pattern in rows}


# By method and pattern of the URL.
ROUTES: Mapping[tuple[str, str], Route] = {
    **_routes(_INGEST, Route("ingest")),
    **_routes(_READS_OF_ONE_CUSTOMER, Route("read", is_for_bound_tokens=True)),
    **_routes(_READS, Route("read")),
    **_routes(_WRITES, Route("admin")),
}
