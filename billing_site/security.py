"""What a page may load, who may frame it, and what a browser need not offer it, said in headers.

Nothing comes from another host, anywhere. The admin's skin and the reference page need scripts and styles in their
markup (Alpine evaluates its attributes); the pages that customers see, and everything else, get none of that.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

OWN = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
COMMON = f"{OWN}; frame-ancestors 'none'"
STRICT = COMMON
RELAXED = (
    f"{COMMON}; script-src 'self' 'unsafe-eval' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
RELAXED_PATHS = ("/admin/", "/docs")
FRAMED_PATH = "/embed/"
# Nothing here asks for any of these, so what is brought in by a hole in a page gets none of them either.
UNUSED = ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
NO_FEATURES = ", ".join(f"{feature}=()" for feature in UNUSED)


def policy_of(path: str) -> str:
    """What is said of the page at a path. Embedded views may be framed by the sites that a setting lists."""
    if path.startswith(RELAXED_PATHS):
        return RELAXED
    if path.startswith(FRAMED_PATH) and settings.EMBED_ORIGINS:
        return f"{OWN}; frame-ancestors {' '.join(settings.EMBED_ORIGINS)}"
    return STRICT


class ContentSecurityPolicyMiddleware:
    """Adds the policy of the path, and what holds for all; a view that has set its own keeps it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_of(request.path))
        response.headers.setdefault("Permissions-Policy", NO_FEATURES)
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")  # no page here is for everybody
        return response
