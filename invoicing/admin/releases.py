"""Pages on which many held drafts are released: what will happen, then how far it is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import amount_text, count_text
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import Job
from billing_site.foundation.money import exact_sum
from billing_site.foundation.refusals import Refusal
from invoicing import services
from invoicing.models import DraftSummary, HoldDecision
from invoicing.services.releases import RELEASE_DRAFTS, Held
from invoicing.wording import draft_text

AT_ONCE = 10  # drafts; more than these are a job
SHOWN = 100
SALT = "drafts to release"


def confirm_view(request: HttpRequest) -> HttpResponse:
    """GET with `draft` for each one chosen, or `all` for everything that can be released; POST of what was shown."""
    if not request.user.has_perms(("invoicing.view_draftsummary", "invoicing.add_holddecision")):
        raise PermissionDenied
    at, problem = clock.now(), ""
    if request.method == "POST":
        try:
            return _released(request, at)
        except Refusal as refusal:
            problem = refusal.message
        chosen = [each.draft_id for each in _opened(request.POST.get("drafts", ""))]
    else:
        chosen = _ids(request.GET.getlist("draft"))
    held = DraftSummary.objects.exclude(holds=[]).select_related("customer", "unit").order_by("finalizes_at", "id")
    if "all" not in request.GET:
        held = held.filter(pk__in=chosen)
    elif request.GET.get("who"):  # of those whom the queue was asked for
        held = held.filter(holds__contains=[{"who": request.GET["who"]}])
    found = list(held)
    drafts = [draft for draft in found if is_releasable(draft)]
    context = {
        **admin.site.each_context(request),
        "title": "Release drafts",
        "opts": HoldDecision._meta,
        "drafts": [row_of(draft, at) for draft in drafts[:SHOWN]],
        "more": count_text(len(drafts) - SHOWN, "more", "more") if len(drafts) > SHOWN else "",
        "totals": by_currency(drafts),
        "due": sum(draft.finalizes_at <= at for draft in drafts),
        "count": len(drafts),
        "to_mend": len(found) - len(drafts),
        "sealed": signing.dumps([_held(draft).to_payload() for draft in drafts], salt=SALT, compress=True),
        "reason": request.POST.get("reason", ""),
        "problem": problem,
    }
    return TemplateResponse(request, "admin/invoicing/holds/release.html", context)


def progress_view(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """How far a release of many is; the page asks again until it has ended."""
    if not request.user.has_perms(("invoicing.view_draftsummary", "invoicing.add_holddecision")):
        raise PermissionDenied
    job = get_object_or_404(Job, pk=job_id, kind=RELEASE_DRAFTS)
    context = {
        **admin.site.each_context(request),
        "title": "Release drafts",
        "opts": HoldDecision._meta,
        "count": len(job.payload["drafts"]),
        "progress": job.progress,
        "is_under_way": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "error": job.error if job.state == Job.State.FAILED else "",
        "url": request.path,
    }
    part = "_releasing" if getattr(request, "htmx", False) else "releasing"
    return TemplateResponse(request, f"admin/invoicing/holds/{part}.html", context)


def urls() -> list[URLPattern]:
    """Beside those of the queue."""
    view = admin.site.admin_view
    return [
        path("queue/release/", view(confirm_view), name="invoicing_release"),
        path("queue/release/<uuid:job_id>/", view(progress_view), name="invoicing_releasing"),
    ]


def _released(request: HttpRequest, at: datetime) -> HttpResponse:
    drafts, reason, by = _opened(request.POST.get("drafts", "")), request.POST.get("reason", ""), Actor.of(request)
    if len(drafts) > AT_ONCE:
        job = services.queue_release(uuid7(), drafts, reason=reason, at=at, by=by)
        return HttpResponseRedirect(reverse("admin:invoicing_releasing", args=[job.pk]))
    released = services.release_drafts(drafts, reason=reason, asked_at=at, at=at, by=by)
    for message in released.left:
        messages.error(request, message)
    messages.success(request, f"{released.text}.")
    return HttpResponseRedirect(reverse("admin:invoicing_review_queue"))


def _opened(text: str) -> list[Held]:
    try:
        return [Held.of_payload(each) for each in signing.loads(text, salt=SALT)]
    except signing.BadSignature as error:
        raise BadRequest("The drafts were not sent as the page has them.") from error


def _ids(texts: Iterable[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise BadRequest("A draft is named by its id.") from error


def is_releasable(draft: DraftSummary) -> bool:
    """Whether nothing of what holds it has to be mended first."""
    return all(hold["is_reviewable"] and "key" in hold for hold in draft.holds)


def _held(draft: DraftSummary) -> Held:
    return Held(draft.customer_id, draft.pk, tuple(hold["key"] for hold in draft.holds))


def row_of(draft: DraftSummary, at: datetime) -> dict[str, Any]:
    return {
        "customer": draft.customer.name,
        "what": draft_text(draft, at),
        "amount": amount_text(draft.total, draft.unit.to_unit()),
        "reasons": [hold["message"] for hold in draft.holds],
        "is_due": draft.finalizes_at <= at,
    }


def by_currency(drafts: Sequence[DraftSummary]) -> list[dict[str, str]]:
    """By currency, before tax."""
    units = {draft.unit_id: draft.unit.to_unit() for draft in drafts}
    return [
        {
            "currency": unit.code or unit.name,
            "drafts": count_text(sum(draft.unit_id == unit_id for draft in drafts), "draft", "drafts"),
            "amount": amount_text(exact_sum([draft.total for draft in drafts if draft.unit_id == unit_id]), unit),
        }
        for unit_id, unit in sorted(units.items(), key=lambda item: item[1].name)
    ]
