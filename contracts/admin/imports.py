"""Customers and contracts from a sheet: first what it would make, row by row, then made, all of it or nothing."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import count_text
from billing_site.foundation.refusals import Refusal, shown
from contracts import services
from contracts.forms.imports import CustomerSheetForm
from contracts.models import Customer

ROWS_SHOWN = 250
ERRORS_SHOWN = 200
CHANGED = "Something has changed since this was shown. What the sheet would make now is below."


def import_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perms(["contracts.add_customer", "contracts.add_contract"]):
        raise PermissionDenied
    form = CustomerSheetForm(request.POST or None, request.FILES or None)
    found: services.Imported | None = None
    if request.method == "POST" and form.is_valid():
        makes = request.POST.get("action") == "make"
        try:
            found = services.import_customers(
                form.cleaned_data["text"],
                seen=form.cleaned_data["seen"] if makes else "",
                reason=form.cleaned_data["reason"],
                at=clock.now(),
                by=Actor.of(request),
            )
        except Refusal as refusal:
            form.show(refusal)
        else:
            if found.is_made:
                messages.success(request, f"Made: {_counts(found)}.")
                return HttpResponseRedirect(reverse("admin:contracts_customer_changelist"))
            if makes and not found.errors:
                form.add_error(None, CHANGED)
        is_good = found is not None and not found.errors
        is_read = is_good or not form.cleaned_data["pasted"]  # a pasted text with faults is there to be edited
        carried = {"sheet": form.carried(), "pasted": ""} if is_read and found is not None else {}
        form.renew(seen=found.mark if found and is_good else "", **carried)
    errors = found.errors if found else ()
    context = {
        **admin.site.each_context(request),
        "opts": Customer._meta,
        "title": "Import customers and contracts",
        "form": form,
        "found": found,
        "make": f"Make {_counts(found)}" if found and not errors and (found.customers or found.contracts) else "",
        "rows": found.rows[:ROWS_SHOWN] if found and not errors else (),
        "errors": [
            {"line": error.line, "column": error.column, "value": shown(error.value), "rule": error.rule}
            for error in sorted(errors, key=lambda error: error.line)[:ERRORS_SHOWN]
        ],
        "error_count": len(errors),
        "media": form.media,
    }
    return TemplateResponse(request, "admin/contracts/customer/import.html", context)


def _counts(found: services.Imported) -> str:
    made = [
        count_text(count, one, many)
        for count, one, many in (
            (found.customers, "customer", "customers"),
            (found.contracts, "contract", "contracts"),
        )
        if count
    ]
    return " and ".join(made)
