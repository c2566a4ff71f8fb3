"""Tokens with which a customer's own programs read what it sees here."""

from uuid import UUID

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables

from billing_site.foundation import clock, tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import instant_text
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import ApiToken
from billing_site.foundation.refusals import NotFound, Refusal
from contracts.models import Customer
from contracts.queries import customer
from invoicing.views.portal.viewers import Viewer, shown

MOST = 20  # that live at once


class TokenForm(forms.Form):
    name = forms.CharField(
        label="What will read with it",
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)  # of the token to be, so that a form sent twice makes one


@csrf_protect
@sensitive_variables("secret")
def own_tokens(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The tokens of the customer; one is made with a POST, and its secret shown in the answer and never again. Raises
    NotFound for whoever is no login of the customer's own."""
    _refuse_others(viewer)
    fresh = {"key": uuid7()}
    form, secret = TokenForm(request.POST or None, label_suffix="", initial=fresh), ""
    if request.method == "POST" and form.is_valid():
        try:
            secret = _made(request, viewer, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("name", refusal.errors[0].rule if refusal.errors else refusal.message)
        else:
            form = TokenForm(label_suffix="", initial=fresh)
    return shown(
        request,
        viewer,
        "tokens.html",
        "tokens/",
        customer(viewer.customer_id).name,
        title="Access tokens",
        form=form,
        secret=secret,
        rows=[
            {
                "id": token.pk,
                "name": token.name,
                "made": f"{instant_text(token.created_at)} by {token.created_by}",
                "revoked": f"{instant_text(token.revoked_at)} by {token.revoked_by}" if token.revoked_at else "",
            }
            for token in _tokens(viewer).order_by("revoked_at", "-created_at")[:100]
        ],
        api=request.build_absolute_uri(f"/v1/customers/{viewer.customer_id}/invoices"),
    )


@csrf_protect
def revoke_own_token(request: HttpRequest, viewer: Viewer, token_id: UUID) -> HttpResponse:
    """The next request with it is refused. Raises NotFound, for a token of others too."""
    _refuse_others(viewer)
    token = _tokens(viewer).filter(pk=token_id).first()
    if token is None:
        raise NotFound("There is no such token.")
    tokens.revoke_token(token, at=clock.now(), by=Actor.of(request))
    return HttpResponseRedirect(viewer.link("tokens/"))


@transaction.atomic
def _made(request: HttpRequest, viewer: Viewer, name: str, key: UUID) -> str:
    """The secret of a new token. Raises Refusal."""
    Customer.objects.select_for_update().get(pk=viewer.customer_id)  # so that twins do not count past each other
    if _tokens(viewer).filter(revoked_at=None).count() >= MOST:
        raise Refusal.of("name", name, f"{MOST} tokens are in use, which are the most: revoke one first")
    _, secret = tokens.create_token(
        name,
        scope=ApiToken.Scope.READ,
        customer_id=viewer.customer_id,
        token_id=key,
        at=clock.now(),
        by=Actor.of(request),
    )
    return secret


def _tokens(viewer: Viewer) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(customer_id=viewer.customer_id)


def _refuse_others(viewer: Viewer) -> None:
    """Staff make tokens elsewhere, and a frame makes none."""
    if viewer.is_staff or viewer.embed is not None:
        raise NotFound("There is no such page.")
