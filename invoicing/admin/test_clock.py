"""The test clock of a sandbox as a page: where it stands, buttons that move it, and what happens meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import FactAdmin, WithHistory
from billing_site.foundation.display import amount_text, day_text, instant_text, month_text, period_text
from billing_site.foundation.models import ClockFollower, TestClock
from billing_site.foundation.periods import Period, add_months, floor_day, format_instant, parse_instant
from billing_site.foundation.refusals import Refusal
from contracts.models import Customer
from invoicing import services
from invoicing.models import Invoice
from invoicing.queries.clock import Progress, last_move_of_clock
from invoicing.queries.due import GO_ON, Falling, falling_next

DAY = timedelta(days=1)
GRACE = timedelta(hours=24)  # after which documents are final, unless a contract says otherwise
HORIZON = timedelta(days=800)  # no further in one go
SHOWN = 10


@admin.register(TestClock)
class TestClockAdmin(WithHistory, FactAdmin):
    """Moving it lets happen what falls due on the way, in the background; its moves are in the history."""

    list_display = ["instant"]
    history_list_display = ["actor_label", "instant"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("move/", view(self.move_view), name="foundation_testclock_move"),
            path("stop/", view(self.stop_view), name="foundation_testclock_stop"),
            path("panel/", view(self.panel_view), name="foundation_testclock_panel"),
        ]
        return [*own, *super().get_urls()]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return settings.SANDBOX and super().has_module_permission(request)

    def has_move_permission(self, request: HttpRequest) -> bool:
        """The clock is moved by its buttons alone, so the permission to change it means them."""
        return settings.SANDBOX and request.user.has_perm("foundation.change_testclock")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The page: the panel that renews itself, in its frame."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": "Test clock", "opts": self.opts}
        return TemplateResponse(
            request, "admin/invoicing/test_clock/page.html", context | self._panel(request) | (extra_context or {})
        )

    def panel_view(self, request: HttpRequest) -> HttpResponse:
        """The panel alone, fetched every second while the clock is on its way."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return render(request, "admin/invoicing/test_clock/panel.html", self._panel(request))

    def move_view(self, request: HttpRequest) -> HttpResponse:
        """POST `to` (an instant; without a zone it is UTC): let the clock go there in the background."""
        return self._asked(request, self._move)

    def stop_view(self, request: HttpRequest) -> HttpResponse:
        """POST: let the move that is under way end where it has got to."""
        return self._asked(request, self._stop)

    def _asked(self, request: HttpRequest, act: Any) -> HttpResponse:
        if not self.has_move_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            level, said = messages.SUCCESS, act(request)
        except Refusal as refusal:
            level, said = messages.ERROR, refusal.message
        if said:
            self.message_user(request, said, level)
        return HttpResponseRedirect(reverse("admin:foundation_testclock_changelist"))

    def _move(self, request: HttpRequest) -> str:
        to = _goal(request.POST.get("to", ""))
        waits = "without_usage" not in request.POST
        move, is_new = services.ask_to_move_clock(to, by=Actor.of(request), waits_for_usage=waits)
        return "" if is_new else f"The clock is on its way to {instant_text(move.goal_at)} already."

    def _stop(self, request: HttpRequest) -> str:
        move = services.stop_clock_move(by=Actor.of(request))
        return "" if move else "The clock is not being moved; nothing was to be stopped."

    def _panel(self, request: HttpRequest) -> dict[str, Any]:
        now = clock.now()
        progress = last_move_of_clock(at=now, shown=SHOWN) if settings.SANDBOX else None
        return {
            "is_sandbox": settings.SANDBOX,
            "is_set": TestClock.objects.exists(),
            "now": instant_text(now),
            "date": f"{now:%Y-%m-%dT%H:%M}",
            "buttons": _buttons(now) if settings.SANDBOX else [],
            "progress": ProgressCard.of(progress, now) if progress else None,
            "sources": [f"{row.name}, in up to {instant_text(row.fed_until)}" for row in _followers()],
            "may_move": self.has_move_permission(request),
        }


@dataclass(frozen=True, slots=True)
class Button:
    """A way to go. `to` is what the page showed: clicked twice, or late, it goes nowhere else."""

    label: str
    to: str
    where: str

    @classmethod
    def of(cls, label: str, instant: datetime, where: str = "") -> "Button":
        return cls(label, format_instant(instant), where or instant_text(instant))


@dataclass(frozen=True, slots=True)
class FinalCard:
    number: str
    what: str
    total: str
    url: str

    @classmethod
    def of(cls, invoice: Invoice) -> "FinalCard":
        what = "true-up" if invoice.kind == Invoice.Kind.TRUE_UP else "scheduled charge"
        if invoice.starting_at is not None:
            what = period_text(Period(invoice.starting_at, invoice.ending_before))
        return cls(
            number=invoice.number,
            what=f"{invoice.customer.name}, {what}; final on {day_text(invoice.finalized_at)}",
            total=amount_text(invoice.total, invoice.unit.to_unit()),
            url=reverse("admin:invoicing_invoice_change", args=[invoice.pk]),
        )


@dataclass(frozen=True, slots=True)
class ProgressCard:
    """A move in finished words."""

    title: str
    days: str
    percent: int
    is_under_way: bool
    is_stopped: bool
    reason: str
    goal: str
    again: str  # the instant, to be posted again
    awaits_worker: bool
    counted: str
    finalized: list[FinalCard]
    more: str
    held: list[str]

    @classmethod
    def of(cls, progress: Progress, now: datetime) -> "ProgressCard":
        move = progress.move
        goal = instant_text(move.goal_at)
        whole = max(move.goal_at - move.began_at, timedelta(seconds=1))
        gone = min(max(now - move.began_at, timedelta()), whole)
        titles = {"UNDER_WAY": f"On the way to {goal}", "ARRIVED": f"Arrived at {goal}"}
        left = progress.finalized - len(progress.last_finalized)
        return cls(
            title=titles.get(progress.state, f"Stopped on the way to {goal}"),
            days=_share(gone, whole),
            percent=100 * gone // whole,
            is_under_way=progress.is_under_way,
            is_stopped=progress.state == "STOPPED",
            reason=progress.reason,
            goal=goal,
            again=format_instant(move.goal_at) if move.goal_at > now else "",
            awaits_worker=progress.awaits_worker,
            counted={0: "No document became final yet", 1: "1 document became final"}.get(
                progress.finalized, f"{progress.finalized} documents became final"
            ),
            finalized=[FinalCard.of(invoice) for invoice in progress.last_finalized],
            more=f"and {left} earlier" if left else "",
            held=[job.error for job in progress.held],
        )


def _share(gone: timedelta, whole: timedelta) -> str:
    """ "4 of 61 days", or hours where it is not far; to the nearest."""
    step, name = (DAY, "days") if whole >= 2 * DAY else (timedelta(hours=1), "hours")
    return f"{gone // step} of {max((whole + step / 2) // step, 1)} {name}"


def _followers() -> Sequence[ClockFollower]:
    return list(ClockFollower.objects.order_by("name"))


def _buttons(now: datetime) -> list[Button]:
    next_month = add_months(floor_day(now).replace(day=1), 1)
    year_end = datetime(now.year + 1, 1, 1, tzinfo=now.tzinfo)
    ways = [
        Button.of("1 hour", now + timedelta(hours=1)),
        Button.of("1 day", now + DAY),
        Button.of("1 week", now + 7 * DAY),
    ]
    if falling := falling_next(now, HORIZON):
        ways.append(Button.of("Next due", falling[0].instant, due_text(falling)))
    ways.append(Button.of("End of the month", next_month))
    closed = year_end + GRACE
    ways.append(Button.of("Year end", closed, f"{instant_text(closed)}: December's documents and true-ups are final"))
    return ways


def due_text(falling: Sequence[Falling]) -> str:
    """ "October of Acme becomes final on 2 November 2025, 00:00 UTC, and 7 more"."""
    names = Customer.objects.in_bulk([each.customer_id for each in falling])
    first, *others = sorted(falling, key=lambda each: (names[each.customer_id].name, each.kind))
    owner, when = names[first.customer_id].name, instant_text(first.instant)
    if first.period is not None:
        said = f"{_period(first.period)} of {owner} becomes final on {when}"
    elif first.kind == Invoice.Kind.TRUE_UP:
        said = f"The true-up of {owner} falls due on {when}"
    elif first.kind == GO_ON:
        said = f"A contract of {owner} ends and goes on, on {when}"
    elif first.kind == Invoice.Kind.ADJUSTMENT:
        said = f"Late usage of {owner} becomes final on {when}"
    else:
        said = f"A scheduled charge of {owner} is billed on {when}"
    return f"{said}, and {len(others)} more" if others else said


def _period(period: Period) -> str:
    start, end = period.starting_at, period.ending_before
    if start == floor_day(start).replace(day=1) and end == add_months(start, 1):
        return month_text(start).split()[0]
    return period_text(period)


def _goal(text: str) -> datetime:
    try:
        to = parse_instant(text)
    except ValueError:
        raise Refusal("Say where the clock shall go: a date and a time, in UTC.") from None
    now = clock.now()
    if to <= now:
        raise Refusal(f"The clock stands at {instant_text(now)} already; it only goes forward here.")
    if to > now + HORIZON:
        raise Refusal(f"That is too far for one go: not beyond {instant_text(now + HORIZON)}.")
    return to
