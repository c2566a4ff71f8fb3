"""Calls of the compatible API that this server knows and does not serve: they answer 501, not 404."""

# Regular expressions over the path. URLs that a room serves are found first.
NOT_SERVED = tuple(
    rf"^{path}$"
    for path in (
        "v1/auditLogs",
        "v1/credits/createGrant",
        "v1/credits/editGrant",
        "v1/credits/listEntries",
        "v1/credits/listGrants",
        "v1/credits/voidGrant",
        "v1/customers/[^/]+/addCharge",
        "v1/customers/[^/]+/billable-metrics",
        "v1/customers/[^/]+/billing-config/[^/]+",
        "v1/customers/[^/]+/costs",
        "v1/customers/[^/]+/plans",
        "v1/customers/[^/]+/plans/[^/]+/end",
        "v1/customers/[^/]+/plans/[^/]+/priceAdjustments",
        "v1/customers/[^/]+/plans/add",
        "v1/customers/[^/]+/previewEvents",
        "v1/planDetails/[^/]+",
        "v1/planDetails/[^/]+/charges",
        "v1/planDetails/[^/]+/customers",
        "v1/plans",
        "v1/services",
        "v1/setUpBillingProvider",
        "v1/upsertAvalaraCredentials",
        "v2/notifications/archive",
        "v2/notifications/create",
        "v2/notifications/edit",
        "v2/notifications/get",
        "v2/notifications/offset/list",
        "v2/notifications/system/list",
    )
)
