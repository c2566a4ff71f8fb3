from django.urls import path

from contracts.views import balances, contracts, customers, named_schedules

urlpatterns = [
    path("v1/customers", customers.Customers.as_view()),
    path("v1/customers/archive", customers.ArchiveCustomer.as_view()),
    path("v1/customers/getNamedSchedule", named_schedules.GetCustomerSchedule.as_view()),
    path("v1/customers/updateNamedSchedule", named_schedules.UpdateCustomerSchedule.as_view()),
    path("v1/customers/<str:customer_id>", customers.OneCustomer.as_view()),
    path("v1/customers/<str:customer_id>/setIngestAliases", customers.SetIngestAliases.as_view()),
    path("v1/customers/<str:customer_id>/setName", customers.SetName.as_view()),
    path("v1/contracts/customerCommits/create", balances.CreateCustomerCommit.as_view()),
    path("v1/contracts/customerCommits/updateEndDate", balances.EndCommit.as_view()),
    path("v1/contracts/customerCredits/create", balances.CreateCustomerCredit.as_view()),
    path("v1/contracts/customerCredits/updateEndDate", balances.EndCredit.as_view()),
    path("v1/contracts/amend", contracts.AmendContract.as_view()),
    path("v1/contracts/create", contracts.CreateContract.as_view()),
    path("v1/contracts/edits/undo", contracts.UndoEdit.as_view()),
    path("v1/contracts/getContractRateSchedule", contracts.GetContractRateSchedule.as_view()),
    path("v1/contracts/getNamedSchedule", named_schedules.GetContractSchedule.as_view()),
    path("v1/contracts/setUsageFilter", contracts.SetUsageFilter.as_view()),
    path("v1/contracts/updateEndDate", contracts.UpdateEndDate.as_view()),
    path("v1/contracts/updateNamedSchedule", named_schedules.UpdateContractSchedule.as_view()),
    path("v1/contracts/listNamedSchedules", named_schedules.ListContractSchedules.as_view()),
    path("v2/contracts/commits/edit", balances.EditCommit.as_view()),
    path("v2/contracts/credits/edit", balances.EditCredit.as_view()),
    path("v2/contracts/edit", contracts.EditContract.as_view()),
    path("v2/contracts/getEditHistory", contracts.GetEditHistory.as_view()),
]
