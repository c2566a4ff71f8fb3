"""What is made is what was looked at: a form that has changed since its preview is previewed again."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from billing_site.foundation.refusals import Refusal
from contracts.services import EditedMeanwhile


def made_as_seen(
    request: HttpRequest,
    form: Any,
    *,
    preview: Callable[[Any], Any],
    make: Callable[[Any], HttpResponse],
    asked: Callable[[], Any] | None = None,
    anew: Callable[[], Any] | None = None,
) -> HttpResponse | dict[str, Any]:
    """What `make` answers once it was given what was looked at; until then what the page shows: the form, with what is
    wrong beside its fields, the effect where there is one, and the mark of what that is the effect of.

    `asked` says what a valid form asks for, by default its input. `anew` is the form to go on with where something else
    was edited meanwhile: what was typed was about terms that stand no longer.
    """
    effect, mark = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            given = (asked or form.to_input)()
            mark = mark_of(given)
            if "save" in request.POST and request.POST.get("previewed") == mark:
                return make(given)
            effect = preview(given)
        except EditedMeanwhile as refusal:
            form = anew() if anew else form
            if form.is_bound:
                form.show(refusal)
            else:
                messages.error(request, refusal.message)
        except Refusal as refusal:
            form.show(refusal)
    return {"form": form, "preview": effect, "previewed": mark, "media": form.media}


def mark_of(given: object) -> str:
    """Of what a form asks for; it comes along with the preview, in the hidden field `previewed`."""
    return hashlib.sha256(repr(given).encode()).hexdigest()
