from django.urls import path

from ledger.views import corrections, ingest, usage

urlpatterns = [
    path("v1/ingest", ingest.Ingest.as_view()),
    path("v1/usage", usage.ListUsage.as_view()),
    path("v1/usage/groups", usage.ListGroupUsage.as_view()),
    path("v1/usage/events/dry_run", ingest.DryRun.as_view()),
    path("v1/usage/events/void", corrections.VoidEvent.as_view()),
    path("v1/usage/events/amend", corrections.AmendEvent.as_view()),
    path("v1/events/search", usage.SearchEvents.as_view()),
]
