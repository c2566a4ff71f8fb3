from django.urls import path, re_path

from contracts.views import contracts, customers

# Two calls that are not served have a word where others have the id.
ONE_CUSTOMER = r"^v1/customers/(?P<customer_id>(?!getNamedSchedule$|updateNamedSchedule$)[^/]+)$"

urlpatterns = [
    path("v1/customers", customers.Customers.as_view()),
    path("v1/customers/archive", customers.ArchiveCustomer.as_view()),
    re_path(ONE_CUSTOMER, customers.OneCustomer.as_view()),
    path("v1/customers/<str:customer_id>/setIngestAliases", customers.SetIngestAliases.as_view()),
    path("v1/customers/<str:customer_id>/setName", customers.SetName.as_view()),
    path("v1/contracts/create", contracts.CreateContract.as_view()),
    path("v1/contracts/getContractRateSchedule", contracts.GetContractRateSchedule.as_view()),
    path("v2/contracts/edit", contracts.EditContract.as_view()),
    path("v2/contracts/getEditHistory", contracts.GetEditHistory.as_view()),
]
