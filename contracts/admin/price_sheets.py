"""The prices of a rate card as a sheet: taken out, edited in a spreadsheet, and brought back in.

What is published is what was looked at: the page says what a sheet would change, row by row, and publishes the same
plan as one publication, or says it anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import slugify

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import count_text
from billing_site.foundation.periods import DAY, floor_day
from billing_site.foundation.refusals import Refusal, shown
from billing_site.foundation.transactions import read_snapshot
from contracts.admin.card_pages import back_to, card_of
from contracts.admin.later_shown import later_of_plan
from contracts.admin.planned_shown import CHANGED_SINCE, ShownPlan, ShownPlanned, changes_text, fingerprint
from contracts.forms.later_prices import UNANSWERED, LaterAnswers
from contracts.forms.price_sheets import SheetForm
from contracts.forms.prices import ShownRefusal
from pricing.models import RateCard
from pricing.queries import Selector, keys_priced_at, latest_publication, rates_in_force
from pricing.services import PlannedPrice, SheetPlan, plan_sheet, publish_prices
from pricing.sheets import price_sheet

ROWS_SHOWN = 500
ERRORS_SHOWN = 200


def export_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """The prices that hold now, of the whole card or of one product (`product`), as a CSV file."""
    if not request.user.has_perm("pricing.view_rate"):
        raise PermissionDenied
    card, at = card_of(card_id), clock.now()
    selectors = [Selector(product_id=_product_id(request.GET["product"]))] if "product" in request.GET else []
    with read_snapshot():
        sheet = price_sheet(rates_in_force(card, list(keys_priced_at(card, selectors, at=at)), at=at))
    response = HttpResponse(sheet, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(card.name) or "prices"}-{at:%Y-%m-%d}.csv"'
    return response


def import_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """A sheet of prices: first what it would change, then published."""
    if not request.user.has_perm("pricing.add_rate"):
        raise PermissionDenied
    card, at = card_of(card_id), clock.now()
    known = latest_publication()  # before the plan: what is published meanwhile stops it
    form = SheetForm(request.POST or None, request.FILES or None, initial={"starting_at": floor_day(at) + DAY})
    answers = later_answers(request)
    found, plan = None, None
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            found = plan_sheet(card, given["text"], starting_at=given["starting_at"], withdraws=answers.withdraws)
            planned = [row.planned for row in found.rows]
            answer = None if found.errors else published(request, card, form, planned, answers, known)
            if answer is not None:
                return answer
        except Refusal as refusal:
            form.show(refusal)
        if found is not None and not found.errors:
            plan = _shown(card, found, answers, at)
        is_read = plan is not None or not form.cleaned_data["pasted"]  # a pasted text with faults is there to be edited
        form.renew(seen=plan.seen if plan else "", **({"sheet": form.carried(), "pasted": ""} if is_read else {}))
    context = {
        **admin.site.each_context(request),
        "opts": RateCard._meta,
        "title": f"Import prices of {card.name}",
        "card": card,
        "form": form,
        "plan": plan,
        "has_places": True,
        "left_alone": count_text(found.left_alone, "row", "rows") if found and found.left_alone else "",
        "rows_cut": _cut(found) if found else "",
        "errors": [
            {"line": error.line, "column": error.column, "value": shown(error.value), "rule": error.rule}
            for error in (found.errors[:ERRORS_SHOWN] if found else ())
        ],
        "error_count": len(found.errors) if found else 0,
    }
    return TemplateResponse(request, "admin/pricing/ratecard/import.html", context)


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Beside those of rate cards."""

    def page(route: str, view: Any, name: str) -> URLPattern:
        return path(f"<uuid:card_id>/{route}/", site.admin_view(view), name=f"pricing_ratecard_{name}")

    return [page("export", export_view, "export"), page("import", import_view, "import")]


def later_answers(request: HttpRequest) -> LaterAnswers:
    """What was said of later prices."""
    return LaterAnswers.of(request.POST, may_withdraw=request.user.has_perm("pricing.add_ratewithdrawal"))


def published(
    request: HttpRequest,
    card: RateCard,
    form: ShownRefusal,
    planned: Sequence[PlannedPrice],
    answers: LaterAnswers,
    known: int,
) -> HttpResponse | None:
    """Publish a plan without errors that was looked at, as the form's `seen` says; None where there is something to be
    looked at first. Raises Refusal."""
    if request.POST.get("action") != "publish":
        return None
    if form.cleaned_data["seen"] != fingerprint(planned):
        form.add_error(None, CHANGED_SINCE)
        return None
    if answers.leave_open(later for each in planned for later in each.later):
        form.add_error(None, UNANSWERED)
        return None
    if not form.cleaned_data["reason"]:
        form.add_error("reason", "Say why these prices change.")
        return None
    publish_prices(
        card,
        planned,
        known_publication=known,
        reason=form.cleaned_data["reason"],
        at=clock.now(),
        by=Actor.of(request),
    )
    messages.success(request, f"Published: {changes_text(planned)}.")
    return back_to(card)


def _shown(card: RateCard, found: SheetPlan, answers: LaterAnswers, at: datetime) -> ShownPlan:
    changing = [row for row in found.rows if row.planned.rate is not None][:ROWS_SHOWN]
    rows = [ShownPlanned.of(row.planned, row.product_name, f"line {row.line}") for row in changing]
    later = later_of_plan(((row.planned, row.product_name) for row in found.rows), answers)
    return ShownPlan.of(card, [row.planned for row in found.rows], rows, later=later, at=at)


def _cut(found: SheetPlan) -> str:
    """How many changes are not shown."""
    count = sum(row.planned.rate is not None for row in found.rows) - ROWS_SHOWN
    return count_text(count, "more change", "more changes") if count > 0 else ""


def _product_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("There is no such product.") from error
