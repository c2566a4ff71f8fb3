"""Every refusal over HTTP: `{"message", "request_id", "errors": [{"field", "value", "rule"}]}`."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from billing_site.api.json import ExactJSONRenderer
from billing_site.foundation.refusals import Conflict, Forbidden, InFlight, NotFound, NotSupported, Refusal, shown
from billing_site.foundation.transactions import sqlstate

NOT_FOR_RETRY = {"x-should-retry": "false"}  # the SDK would otherwise send 409 and 5xx again
SOON = {"Retry-After": "1"}
ANSWER_TO: dict[type[Refusal], tuple[int, dict[str, str]]] = {
    Forbidden: (403, {}),
    NotFound: (404, {}),
    Conflict: (409, NOT_FOR_RETRY),
    InFlight: (409, SOON),
    NotSupported: (501, NOT_FOR_RETRY),
}
BUSY = {
    "53100",
    "53200",
    "53300",
    "57P01",
    "57P02",
    "57P03",
    "40001",
    "40P01",
}  # no room, no server, too much contention


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets Django answer 500."""
    request = context["request"]
    if isinstance(error, Refusal):
        status, headers = next((answer for kind, answer in ANSWER_TO.items() if isinstance(error, kind)), (400, {}))
        errors = [{"field": e.field, "value": shown(e.value), "rule": e.rule} for e in error.errors]
        return _response(request, status, error.message, errors, headers)
    if isinstance(error, exceptions.ValidationError):
        errors = [
            {"field": path, "value": shown(_value_at(request.data, path)), "rule": rule}
            for path, rule in _flattened(error.detail)
        ]
        first = errors[0]
        return _response(request, 400, f"{first['field']}: {first['rule']} (got {first['value']}).", errors, {})
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        headers = {}
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
        return _response(request, error.status_code, str(error.detail), [], headers)
    if isinstance(error, DatabaseError) and (sqlstate(error) in BUSY or sqlstate(error)[:2] in ("08", "")):
        return _response(request, 503, "The database is not available; try again.", [], SOON)
    return None


def handle_outside_views(error: Exception, request: HttpRequest) -> HttpResponse:
    """The same answer where no view has begun. What has none is raised again."""
    response = handle(error, {"request": request})
    if response is None:
        raise error
    body = ExactJSONRenderer().render(response.data)
    headers = {**response.headers, "Content-Type": ExactJSONRenderer.media_type}
    return HttpResponse(body, status=response.status_code, headers=headers)


@csrf_exempt  # a POST by token has no form's secret; without this it would be told 403, in HTML
def not_found(request: HttpRequest, *_: Any, **__: Any) -> JsonResponse:
    """Any URL of the API that does not exist. JSON, as the SDK shows the body to people."""
    return _json(request, 404, f"There is no {request.method} {request.path}.")


@csrf_exempt
def not_supported(request: HttpRequest, *_: Any, **__: Any) -> JsonResponse:
    """A URL of the compatible API that this server does not serve."""
    response = _json(request, 501, f"{request.method} {request.path} is not supported by this server.")
    response["x-should-retry"] = "false"
    return response


def server_error(request: HttpRequest) -> JsonResponse:
    """What an unforeseen failure answers; the traceback is in the log under the same request id."""
    return _json(request, 500, "Something went wrong on the server. The request id finds it in the log.")


def page_not_found(request: HttpRequest, exception: Exception) -> Any:
    """404 for pages, in words for who prefers to read a page; the API has its own."""
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        return render(request, "portal/nothing.html", status=404)
    return _json(request, 404, f"There is no {request.path}.")


def _json(request: HttpRequest, status: int, message: str) -> JsonResponse:
    return JsonResponse({"message": message, "request_id": getattr(request, "request_id", "")}, status=status)


def _response(
    request: Any, status: int, message: str, errors: list[dict[str, str]], headers: dict[str, str]
) -> Response:
    body: dict[str, Any] = {"message": message, "request_id": getattr(request, "request_id", "")}
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=headers)


def _flattened(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """DRF's nested error lists as (path, rule) pairs: rates[3].price."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            at = path if key == "non_field_errors" else f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"
            yield from _flattened(value, at.lstrip("."))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _flattened(value, f"{path}[{index}]" if isinstance(value, (dict, list)) else path)
    else:
        yield path or "body", str(detail).rstrip(".")


def _value_at(data: Any, path: str) -> Any:
    for step in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data
