"""What is saved is what was looked at: a form that has changed since its preview is previewed again."""

import hashlib

from django.http import HttpRequest


def mark_of(given: object) -> str:
    """Of what a form asks for; it comes along with the preview, in the hidden field `previewed`."""
    return hashlib.sha256(repr(given).encode()).hexdigest()


def is_saved_as_seen(request: HttpRequest, mark: str) -> bool:
    return "save" in request.POST and request.POST.get("previewed") == mark
