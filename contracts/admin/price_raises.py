"""Prices of a rate card changed together, by percentage or to one price: seen before and after, then published."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from billing_site.foundation import clock
from billing_site.foundation.display import count_text
from billing_site.foundation.periods import DAY, floor_day
from billing_site.foundation.refusals import Refusal
from contracts.admin.card_pages import back_to, card_of
from contracts.admin.later_shown import later_of_plan
from contracts.admin.planned_shown import ShownPlan, ShownPlanned
from contracts.admin.price_sheets import ROWS_SHOWN, later_answers, published
from contracts.forms.card_filter import CardFilter
from contracts.forms.later_prices import LaterAnswers
from contracts.forms.price_raises import OF, PICKED, RaiseForm
from pricing.models import RateCard
from pricing.queries import Key, latest_publication
from pricing.services import RaisePlan, plan_raise
from pricing.wording import key_text

PICKED_SHOWN = 50


def raise_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """GET for the form, of prices that the address picks or filters; POST with `action` show or publish."""
    if not request.user.has_perm("pricing.add_rate"):
        raise PermissionDenied
    card, at = card_of(card_id), clock.now()
    known = latest_publication()  # before the plan: what is published meanwhile stops it
    if request.GET.get(OF) == PICKED and PICKED not in request.GET:
        messages.warning(request, "Pick the prices that are to change: no box had a tick.")
        return back_to(card)
    sent = request.POST if request.method == "POST" else request.GET
    chosen = CardFilter(card, sent, at=at)
    form = RaiseForm(chosen, sent.getlist(PICKED), request.POST or None, starting_at=floor_day(at) + DAY)
    answers = later_answers(request)
    found, plan = None, None
    if request.method == "POST" and form.is_valid():
        try:
            found = raise_plan(card, form, answers)
            planned = [row.planned for row in found.rows]
            refused = next((error for each in planned for error in each.errors), None)
            if refused is not None:
                form.add_error(None, f"{refused.field} {refused.value}: {refused.rule}.")
            else:
                answer = published(request, card, form, planned, answers, known)
                if answer is not None:
                    return answer
        except Refusal as refusal:
            form.show(refusal)
        if found is not None and not any(row.planned.errors for row in found.rows):
            plan = _shown(card, found, answers, at)
        form.renew(seen=plan.seen if plan else "")
    keys = form.keys()
    context = {
        **admin.site.each_context(request),
        "opts": RateCard._meta,
        "title": f"Change prices of {card.name}",
        "card": card,
        "form": form,
        "filter": chosen,
        "picked": _named(chosen, keys or []) if form.picked else [],
        "more_picked": len(form.picked) - PICKED_SHOWN if len(form.picked) > PICKED_SHOWN else 0,
        "plan": plan,
        "rows_cut": _cut(found) if found else "",
        "left_alone": count_text(found.left_alone, "price", "prices") if found and found.left_alone else "",
        "later": count_text(found.later, "price", "prices") if found and found.later else "",
    }
    return TemplateResponse(request, "admin/pricing/ratecard/raise.html", context)


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Beside those of rate cards."""
    return [path("<uuid:card_id>/raise/", site.admin_view(raise_view), name="pricing_ratecard_raise")]


def raise_plan(card: RateCard, form: RaiseForm, answers: LaterAnswers) -> RaisePlan:
    """What a valid form asks for. Raises Refusal."""
    given = form.cleaned_data
    return plan_raise(
        card,
        form.to_raise(),
        starting_at=given["starting_at"],
        keys=form.keys(),
        is_of_later=given["later"] == "RAISE",
        withdraws=answers.withdraws,
    )


@dataclass(frozen=True, slots=True)
class _Picked:
    name: str
    values: str


def _named(chosen: CardFilter, keys: list[Key]) -> list[_Picked]:
    known = [key for key in keys if key.product_id in chosen.products]
    return [
        _Picked(chosen.products[key.product_id].name, key_text(key.values, key.frequency))
        for key in known[:PICKED_SHOWN]
    ]


def _shown(card: RateCard, found: RaisePlan, answers: LaterAnswers, at: datetime) -> ShownPlan:
    changing = [row for row in found.rows if row.planned.rate is not None][:ROWS_SHOWN]
    rows = [ShownPlanned.of(row.planned, row.product_name) for row in changing]
    later = later_of_plan(((row.planned, row.product_name) for row in found.rows), answers)
    return ShownPlan.of(card, [row.planned for row in found.rows], rows, later=later, at=at)


def _cut(found: RaisePlan) -> str:
    """How many changes are not shown."""
    count = sum(row.planned.rate is not None for row in found.rows) - ROWS_SHOWN
    return count_text(count, "more change", "more changes") if count > 0 else ""
