"""What a page may load and who may frame it, said to the browser in one header.

Nothing comes from another host, anywhere. The admin's skin and the reference page need scripts and styles in their
markup (Alpine evaluates its attributes); the pages that customers see, and everything else, get none of that.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

COMMON = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
STRICT = COMMON
RELAXED = (
    f"{COMMON}; script-src 'self' 'unsafe-eval' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
RELAXED_PATHS = ("/admin/", "/docs")


class ContentSecurityPolicyMiddleware:
    """Adds the policy of the path; a view that has set its own keeps it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = RELAXED if request.path.startswith(RELAXED_PATHS) else STRICT
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
