"""All prices of a rate card by percentage: each before and after first, then published as one."""

from datetime import datetime
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from billing_site.foundation import clock
from billing_site.foundation.display import count_text
from billing_site.foundation.periods import DAY, floor_day
from billing_site.foundation.refusals import Refusal
from contracts.admin.card_pages import card_of
from contracts.admin.planned_shown import ShownPlan, ShownPlanned
from contracts.admin.price_sheets import ROWS_SHOWN, published
from contracts.forms.price_raises import RaiseForm
from pricing.models import RateCard
from pricing.queries import latest_publication
from pricing.services import RaisePlan, plan_raise


def raise_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """GET for the form; POST with `action` show or publish."""
    if not request.user.has_perm("pricing.add_rate"):
        raise PermissionDenied
    card, at = card_of(card_id), clock.now()
    known = latest_publication()  # before the plan: what is published meanwhile stops it
    form = RaiseForm(card, request.POST or None, starting_at=floor_day(at) + DAY)
    found, plan = None, None
    if request.method == "POST" and form.is_valid():
        try:
            found = _plan(card, form)
            planned = [row.planned for row in found.rows]
            refused = next((error for each in planned for error in each.errors), None)
            if refused is not None:
                form.add_error(None, f"{refused.field} {refused.value}: {refused.rule}.")
            else:
                answer = published(request, card, form, planned, known)
                if answer is not None:
                    return answer
        except Refusal as refusal:
            form.show(refusal)
        if found is not None and not any(row.planned.errors for row in found.rows):
            plan = _shown(card, found, at)
        form.renew(seen=plan.seen if plan else "")
    context = {
        **admin.site.each_context(request),
        "opts": RateCard._meta,
        "title": f"Change all prices of {card.name}",
        "card": card,
        "form": form,
        "plan": plan,
        "rows_cut": _cut(found) if found else "",
        "left_alone": count_text(found.left_alone, "price", "prices") if found and found.left_alone else "",
        "later": count_text(found.later, "price", "prices") if found and found.later else "",
    }
    return TemplateResponse(request, "admin/pricing/ratecard/raise.html", context)


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Beside those of rate cards."""
    return [path("<uuid:card_id>/raise/", site.admin_view(raise_view), name="pricing_ratecard_raise")]


def _plan(card: RateCard, form: RaiseForm) -> RaisePlan:
    given = form.cleaned_data
    return plan_raise(
        card,
        given["percent"],
        places=given["places"],
        starting_at=given["starting_at"],
        product_id=given["product"].pk if given["product"] else None,
        is_of_later=given["later"] == "RAISE",
    )


def _shown(card: RateCard, found: RaisePlan, at: datetime) -> ShownPlan:
    changing = [row for row in found.rows if row.planned.rate is not None][:ROWS_SHOWN]
    rows = [ShownPlanned.of(row.planned, row.product_name) for row in changing]
    return ShownPlan.of(card, [row.planned for row in found.rows], rows, at=at)


def _cut(found: RaisePlan) -> str:
    """How many changes are not shown."""
    count = sum(row.planned.rate is not None for row in found.rows) - ROWS_SHOWN
    return count_text(count, "more change", "more changes") if count > 0 else ""
