"""Pages that follow what happens: a script asks for each again with the version that its reader has seen, and is sent
the page only if it would be another one."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from billing_site.foundation import clock
from invoicing.queries.changes import version_of
from invoicing.views.portal.viewers import SEEN, Page, Viewer, freshness_text


def nothing_earlier(request: HttpRequest) -> datetime | None:
    return None


def followed(page: Page, since: Callable[[HttpRequest], datetime | None] = nothing_earlier) -> Page:
    """The page, or 204 where its reader has seen this version (`?seen=`). `since` says from when on it shows usage,
    where that may be billed already. Raises NotFound."""

    @wraps(page)
    def answered(request: HttpRequest, viewer: Viewer, **named: Any) -> HttpResponse:
        # Before the page is read: it may be newer than its version then, never older.
        version = version_of(viewer.customer_id, at=clock.now(), since=since(request))
        if request.GET.get(SEEN) == version:
            response = HttpResponse(status=204)
        else:
            response = page(request, replace(viewer, version=version), **named)
        if SEEN in request.GET:
            response["HX-Trigger"] = json.dumps({"portal:live": {"asOf": freshness_text()}})
        return response

    return answered
