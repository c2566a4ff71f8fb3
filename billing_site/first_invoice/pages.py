"""The pages on the way to the first invoice. What each asks of whoever opens it is what its policy declares."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_variables

from billing_site.first_invoice.cards import DraftCard, card_with
from billing_site.first_invoice.event import EventInWords
from billing_site.first_invoice.forms import CompanyForm, PasteForm, SetUpForm, TokenForm
from billing_site.first_invoice.steps import COMPANY, EVENT, SENDS_EVENTS, TOKEN, steps, whom_to_ask
from billing_site.foundation import clock, tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import ApiToken
from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import Refusal
from billing_site.policies import PAGES
from contracts.models import Contract, LegalEntity
from contracts.services import set_legal_entity
from invoicing.admin.looked_at import made_as_seen
from invoicing.queries.open_usage import open_usage
from invoicing.services.first_invoice import FirstInvoiceInput, preview_first_invoice, set_up_first_invoice
from ledger.services.ingest import Source

PAGE = "first_invoice"
TITLE = "Your first real invoice"
Asked = tuple[FirstInvoiceInput, bool]  # and whether the event is to be sent


def first_invoice(request: HttpRequest) -> HttpResponse:
    """What it takes, and what of it is there; `contract` in the address is the one whose draft is the test invoice."""
    contract = _contract(request)
    drafts = open_usage(contract.pk, at=clock.now()) if contract else []
    cards = [DraftCard.of(each, contract.pk) for each in drafts if contract]
    return _page(request, contract=contract, drafts=cards)


def company(request: HttpRequest) -> HttpResponse:
    """Say who sells."""
    form = CompanyForm(request.POST)
    if request.method != "POST":
        return _back()
    if form.is_valid():
        try:
            set_legal_entity(form.cleaned_data, reason="First invoice", at=clock.now(), by=Actor.of(request))
        except Refusal as refusal:
            form.show(refusal)
        else:
            messages.success(request, f"Invoices say {form.cleaned_data['name']} from now on.")
            return _back()
    return _page(request, company=form)


@sensitive_variables("secret")
def token(request: HttpRequest) -> HttpResponse:
    """Make a token that sends events; its secret is in the answer, and never again."""
    if request.method != "POST":
        return _back()
    form, secret = TokenForm(request.POST), ""
    if form.is_valid():
        given = form.cleaned_data
        scope = ApiToken.Scope.INGEST
        try:
            _, secret = tokens.create_token(
                given["name"], scope=scope, token_id=given["key"], at=clock.wall_time(), by=Actor.of(request)
            )
        except Refusal as refusal:
            form.show(refusal)
    return _page(request, token=form, secret=secret)


def event(request: HttpRequest) -> HttpResponse:
    """From a pasted event to the invoice that it is on: read, looked at, made."""
    if request.method != "POST":
        return _back()
    at = clock.now()
    paste = PasteForm(request.POST)
    trial = paste.read(at=at)
    if trial is None or trial.event is None:
        return _page(request, paste=paste)
    is_asked = "preview" in request.POST or "save" in request.POST
    form = SetUpForm(
        trial,
        request.POST if is_asked else None,
        body=paste.cleaned_data["body"],
        may_send=request.user.has_perm(SENDS_EVENTS),
    )
    sent_at, told = trial.event.timestamp, {"at": at, "by": Actor.of(request)}

    def by_whom(asked: Asked) -> dict[str, Any]:
        source = Source(request.user.get_username()) if asked[1] else None
        return {"source": source, "reason": form.cleaned_data["reason"], **told}

    def preview(asked: Asked) -> dict[str, Any]:
        return {"draft": card_with(preview_first_invoice(asked[0], **by_whom(asked)), sent_at)}

    def make(asked: Asked) -> HttpResponse:
        made = set_up_first_invoice(asked[0], **by_whom(asked))
        messages.success(request, "All of it is there." + (" The event is sent." if asked[1] else ""))
        return HttpResponseRedirect(f"{reverse(PAGE)}?{urlencode({'contract': str(made.pk)})}#invoice")

    shown = made_as_seen(request, form, preview=preview, make=make, asked=lambda: (form.to_input(), form.sends))
    if isinstance(shown, HttpResponse):
        return shown
    context = {
        **admin.site.each_context(request),
        "title": "From an event to its invoice",
        "page": reverse(PAGE),
        "words": EventInWords.of(trial.event, at),
        "was_sent": trial.outcome == "DUPLICATE",
        "ask_to_send": whom_to_ask(request.user, SENDS_EVENTS),
        "is_changed": "save" in request.POST,
        **shown,
    }
    return TemplateResponse(request, "admin/first_invoice/event.html", context)


def _page(request: HttpRequest, *, secret: str = "", **forms: Any) -> HttpResponse:
    found = steps(request.user)
    host = request.build_absolute_uri("/").rstrip("/")
    context = {
        **admin.site.each_context(request),
        "title": TITLE,
        "steps": found,
        "left": sum(not step.is_done for step in found),
        "may": {name: request.user.has_perms(PAGES[name].opens) for name in (COMPANY, TOKEN, EVENT)},
        "company": CompanyForm(),
        "token": TokenForm(initial={"name": "My service", "key": uuid7()}),
        "paste": PasteForm(),
        "has_company": LegalEntity.objects.exists(),
        "secret": secret,
        "example": _example(),
        "host": host,
        **forms,
    }
    return TemplateResponse(request, "admin/first_invoice/page.html", context)


def _example() -> str:
    """An event of now."""
    return json.dumps(
        {
            "transaction_id": f"first-{uuid7()}",
            "customer_id": "acme",
            "event_type": "api_calls",
            "timestamp": format_instant(clock.now().replace(microsecond=0)),
            "properties": {"calls": 10, "region": "eu"},
        },
        indent=2,
    )


def _contract(request: HttpRequest) -> Contract | None:
    try:
        named = UUID(request.GET.get("contract", ""))
    except ValueError:
        return None
    if not request.user.has_perm("contracts.view_contract"):
        return None
    return Contract.objects.select_related("customer").filter(pk=named).first()


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse(PAGE))


def _guarded(name: str, view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def guarded(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perms(PAGES[name].asked(request.method or "")):
            raise PermissionDenied
        return view(request)

    return admin.site.admin_view(guarded)


urls: list[URLPattern] = [
    path(address, _guarded(name, view), name=name)
    for address, name, view in (
        ("", PAGE, first_invoice),
        ("company/", COMPANY, company),
        ("token/", TOKEN, token),
        ("event/", EVENT, event),
    )
]
