"""Pages that are no list of one table: events, a dry run, unmatched subjects, and when sources were last heard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import amount_text
from billing_site.foundation.periods import parse_instant
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.queries import aliases_of
from contracts.services import set_ingest_aliases
from ledger.models import IngestCall, SourceActivity
from ledger.queries.counting import StoredEvent, corrections_of, measure_of
from ledger.queries.events import events_of_subject, events_with_id
from ledger.queries.findings import repeated_ids, unused_metrics, unwanted_types
from ledger.queries.quiet import quiet_sources
from ledger.queries.unmatched import unmatched_subjects
from ledger.queries.verdicts import explain
from ledger.services.corrections import amend_event, void_event
from ledger.services.dry_run import try_events
from pricing.models import BillableMetric

SHOWN = 50


class EventSearch(Dressed, forms.Form):
    transaction_id = forms.CharField(required=False, strip=False)
    subject = forms.CharField(required=False, strip=False, help_text="The customer_id that the event was sent with.")
    starting_at = forms.CharField(required=False, help_text="Times of the subject's events, UTC: 2025-10-01T12:00")
    ending_before = forms.CharField(required=False)

    def found(self) -> list[StoredEvent]:
        """Raises Refusal."""
        sent = self.cleaned_data
        if sent["transaction_id"]:
            return events_with_id(sent["transaction_id"], subject=sent["subject"] or None, limit=SHOWN)
        if not sent["subject"]:
            return []
        start = _instant("starting_at", sent["starting_at"]) or datetime(1, 1, 2, tzinfo=UTC)
        end = _instant("ending_before", sent["ending_before"]) or datetime(9999, 12, 31, tzinfo=UTC)
        return events_of_subject(sent["subject"], starting_at=start, ending_before=end, limit=SHOWN)


class DryRun(Dressed, forms.Form):
    body = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 12, "cols": 100}),
        help_text="An event, or an array of them, as it would be sent to /v1/ingest.",
    )


class Claiming(Dressed, forms.Form):
    subject = forms.CharField(widget=forms.HiddenInput, strip=False)
    customer = forms.ModelChoiceField(Customer.objects.none())
    reason = forms.CharField(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen: Any = self.fields["customer"]
        chosen.queryset = Customer.objects.filter(archived_at=None).order_by("name")


class Correcting(Dressed, forms.Form):
    subject = forms.CharField(widget=forms.HiddenInput, strip=False)
    transaction_id = forms.CharField(widget=forms.HiddenInput, strip=False)
    reason = forms.CharField()
    properties = forms.JSONField(required=False, help_text="Left empty, the event is taken back.")


def events(request: HttpRequest) -> HttpResponse:
    """Raw events: what each says, what it counts for, why not for the rest; taken back or amended here."""
    if request.method == "POST":
        return _correct(request)
    form = EventSearch(request.GET or None)
    rows: list[dict[str, Any]] = []
    if form.is_valid():
        try:
            with read_snapshot():
                rows = [
                    {
                        "event": event,
                        "explanation": explain(event.subject, event.event_type, event.timestamp, event.properties),
                        "corrections": corrections_of(event.subject, event.transaction_id),
                        "form": Correcting(initial={"subject": event.subject, "transaction_id": event.transaction_id}),
                    }
                    for event in form.found()
                ]
        except Refusal as refusal:
            messages.error(request, refusal.message)
    return _page(request, "events.html", "Usage events", form=form, rows=rows, searched=form.is_bound, limit=SHOWN)


def dry_run(request: HttpRequest) -> HttpResponse:
    """What would these events do? Nothing is stored."""
    form = DryRun(request.POST or None)
    trials: list[Any] = []
    if form.is_valid():
        try:
            trials = try_events(form.cleaned_data["body"].encode(errors="replace"), at=clock.now())
        except Refusal as refusal:
            messages.error(request, refusal.message)
    return _page(request, "dry_run.html", "Dry run of events", form=form, trials=trials)


def unmatched(request: HttpRequest) -> HttpResponse:
    """Subjects that nobody has claimed; claiming makes their history billable at once."""
    if request.method == "POST":
        return _claim(request)
    after = request.GET.get("after", "")
    with read_snapshot():
        found = unmatched_subjects(after=after, limit=SHOWN + 1)
    following = found[SHOWN - 1].subject if len(found) > SHOWN else ""
    rows = [
        (one, amount_text(one.value, one.unit) if one.value is not None and one.unit else "") for one in found[:SHOWN]
    ]
    return _page(request, "unmatched.html", "Unmatched usage", rows=rows[:SHOWN], form=Claiming(), following=following)


def findings(request: HttpRequest) -> HttpResponse:
    """What is listed about usage, and holds nobody's bill."""
    with read_snapshot():
        found = {"unwanted": unwanted_types(), "unused": unused_metrics(), "repeated": list(repeated_ids())}
    return _page(request, "findings.html", "Findings about usage", **found)


def activity(request: HttpRequest) -> HttpResponse:
    """When each source was last heard, by event type, with the metrics that it feeds."""
    now = clock.now()
    measures = [(metric, measure_of(metric)) for metric in BillableMetric.objects.order_by("name")]
    quiet = set(quiet_sources(at=now).values_list("source", "event_type"))
    rows = []
    for one in SourceActivity.objects.order_by("source", "event_type"):
        gap = None if one.usual_gap_seconds is None else timedelta(seconds=round(one.usual_gap_seconds))
        silence = now - one.last_at
        rows.append(
            {
                "activity": one,
                "gap": gap,
                "silence": timedelta(seconds=int(silence.total_seconds())),
                "is_quiet": (one.source, one.event_type) in quiet,
                "metrics": [metric for metric, measure in measures if measure.wants_type(one.event_type)],
            }
        )
    return _page(request, "activity.html", "Sources", rows=rows)


def _correct(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("ledger.add_eventcorrection"):
        raise PermissionDenied
    form = Correcting(request.POST)
    if form.is_valid():
        sent = form.cleaned_data
        told = {"subject": sent["subject"], "reason": sent["reason"], "at": clock.now(), "by": Actor.of(request)}
        try:
            if sent["properties"] is None:
                void_event(sent["transaction_id"], **told)
            else:
                amend_event(sent["transaction_id"], properties=sent["properties"], **told)
        except Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"Corrected {sent['transaction_id']}.")
    else:
        messages.error(request, form.errors.as_text())
    return HttpResponseRedirect(request.get_full_path())


def _claim(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("contracts.change_customer"):
        raise PermissionDenied
    form = Claiming(request.POST)
    if form.is_valid():
        customer, subject = form.cleaned_data["customer"], form.cleaned_data["subject"]
        held = aliases_of([customer.pk])[customer.pk]
        told = {"reason": form.cleaned_data["reason"], "at": clock.now(), "by": Actor.of(request)}
        try:
            set_ingest_aliases(customer.pk, [*held, subject], **told)
        except Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"{subject} belongs to {customer} now, with its whole history.")
    else:
        messages.error(request, form.errors.as_text())
    return HttpResponseRedirect(reverse("admin:ledger_unmatched"))


def _instant(field: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Refusal.of(field, text, "must be an instant such as 2025-10-01T12:00Z") from error


def _page(request: HttpRequest, template: str, title: str, **told: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "opts": IngestCall._meta, **told}
    return TemplateResponse(request, f"admin/ledger/{template}", context)


def _guarded(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def guarded(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("ledger.view_ingestcall"):
            raise PermissionDenied
        return view(request)

    return admin.site.admin_view(guarded)


def urls() -> list[URLPattern]:
    """Beside those of ingest calls."""
    return [
        path("events/", _guarded(events), name="ledger_events"),
        path("dry-run/", _guarded(dry_run), name="ledger_dry_run"),
        path("unmatched/", _guarded(unmatched), name="ledger_unmatched"),
        path("findings/", _guarded(findings), name="ledger_findings"),
        path("activity/", _guarded(activity), name="ledger_activity"),
    ]
