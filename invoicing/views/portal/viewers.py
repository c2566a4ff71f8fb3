"""Who looks at a customer's pages, from where, and how they like them written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing_site.foundation import clock
from billing_site.foundation.display import LOCALE, clock_text, instant_text, known_locale, written_for
from billing_site.foundation.refusals import NotFound
from contracts.queries import customer_of
from invoicing.embedding import Embed, KeyName

LIGHT, DARK = "light", "dark"
# What the foot of a page offers; any other locale that is known may be asked for too.
LOCALES = {
    "en_US": "English (United States)",
    "en_GB": "English (United Kingdom)",
    "de_DE": "Deutsch (Deutschland)",
    "es_ES": "Español (España)",
    "fr_FR": "Français (France)",
    "ja_JP": "日本語 (日本)",
    "pt_BR": "Português (Brasil)",
}
SECTIONS = (
    ("", "Overview"),
    ("spend/", "Spend"),
    ("usage/", "Usage"),
    ("balances/", "Balances"),
    ("terms/", "Prices and terms"),
    ("invoices/", "Invoices"),
)

OF_OWN_LOGINS = (("tokens/", "Tokens"),)
SEEN = "seen"  # ?seen=, the version of a page that its reader has, for who asks for it again

Page = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Section:
    page: str
    title: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who may see one customer. `base` is the address that all of the viewer's pages begin with, and `asked`
    how they shall look, which every link carries on. `version` is that of a page that is followed."""

    customer_id: UUID
    base: str
    locale: str = LOCALE
    theme: str = ""  # LIGHT or DARK; else what the browser prefers
    asked: Mapping[str, str] = field(default_factory=dict)
    is_staff: bool = False
    embed: Embed | None = None  # what was signed, where nobody is signed in
    version: str = ""

    def link(self, page: str, **query: object) -> str:
        told = {**{name: value for name, value in query.items() if value not in (None, "")}, **self.asked}
        return f"{self.base}{page}{f'?{urlencode(told)}' if told else ''}"

    def option(self, key: str) -> str:
        """One that the address of an embedded view was made with."""
        return self.embed.options.get(key, "") if self.embed is not None else ""

    def name_of_key(self, key: str) -> KeyName:
        """What a group key and its values are called."""
        named = self.embed.names.get(key) if self.embed is not None else None
        return named or KeyName(key)

    @property
    def lang(self) -> str:
        """For scripts, as they name locales."""
        return self.locale.replace("_", "-")

    @property
    def locales(self) -> Mapping[str, str]:
        """Those to choose from, the viewer's own among them."""
        return LOCALES if self.locale in LOCALES else {self.locale: self.lang, **LOCALES}

    def sections(self, here: str) -> Iterator[Section]:
        for page, title in (*SECTIONS, *(() if self.is_staff else OF_OWN_LOGINS)):
            yield Section(page, title, page == here)


def viewer_of_login(request: HttpRequest, customer_id: UUID) -> Viewer | None:
    """A signed-in viewer of the customer; None for whoever may not see it."""
    user: Any = request.user
    if user.is_staff:
        if not user.has_perms(("contracts.view_customer", "invoicing.view_invoice")):
            return None
    else:
        own = customer_of(user)
        if own is None or own.pk != customer_id:
            return None
    return Viewer(customer_id, f"/portal/{customer_id}/", is_staff=user.is_staff, **looks_asked_for(request))


def looks_asked_for(request: HttpRequest) -> dict[str, Any]:
    """Locale and theme by `?locale=` and `?theme=`, else by what the browser says of its reader."""
    named, theme = known_locale(request.GET.get("locale", "")[:32]), request.GET.get("theme", "")
    asked = {"locale": named} if named else {}
    if theme in (LIGHT, DARK):
        asked["theme"] = theme
    return {"locale": named or _preferred(request), "theme": asked.get("theme", ""), "asked": asked}


def _preferred(request: HttpRequest) -> str:
    """The first locale of the header Accept-Language that is known, by the weight that it gives each."""
    weighed: list[tuple[float, str]] = []
    for each in request.headers.get("Accept-Language", "")[:500].split(","):
        tag, _, weight = each.partition(";q=")
        try:
            weighed.append((float(weight) if weight else 1.0, tag))
        except ValueError:
            continue
    ordered = sorted(weighed, key=lambda one: one[0], reverse=True)
    return next((found for _, tag in ordered if (found := known_locale(tag)) is not None), LOCALE)


def of_login(page: Page, *, methods: tuple[str, ...] = ("GET", "HEAD")) -> Page:
    """`page(request, viewer, …)` for whoever is signed in and may see the customer that the address names. What
    somebody may not see looks like what is not there. Who is not signed in is asked to, unless a script asks again."""

    @never_cache
    @require_http_methods(list(methods))
    @wraps(page)
    def shown(request: HttpRequest, customer_id: UUID, **named: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if SEEN in request.GET:
                return HttpResponse("Sign in again.", status=401, content_type="text/plain; charset=utf-8")
            return redirect_to_login(request.path)
        viewer = viewer_of_login(request, customer_id)
        if viewer is None:
            return missing(request)
        return seen(page, request, viewer, lambda: missing(request), **named)

    return shown


def seen(
    page: Page, request: HttpRequest, viewer: Viewer, otherwise: Callable[[], HttpResponse], **named: Any
) -> HttpResponse:
    """The page as the viewer reads it; `otherwise` where there is no such thing."""
    try:
        with written_for(viewer.locale):
            return page(request, viewer, **named)
    except NotFound:
        return otherwise()


def missing(request: HttpRequest) -> HttpResponse:
    return render(request, "invoicing/portal/missing.html", status=404)


def freshness_text() -> str:
    """As of when a page is: by the reader's own clock, or by the test clock, whose day may be any."""
    return instant_text(clock.now()) if settings.SANDBOX else clock_text(clock.wall_time())


def shown(
    request: HttpRequest, viewer: Viewer, template: str, here: str, customer_name: str, **told: Any
) -> HttpResponse:
    """A page within the frame of all: `here` is its section."""
    context = {
        "viewer": viewer,
        "here": here,
        "sections": tuple(viewer.sections(here)),
        "customer_name": customer_name,
        "as_of": freshness_text(),
        "again": viewer.link(here, **{name: value for name, value in request.GET.items() if name != SEEN}),
        **told,
    }
    return render(request, f"invoicing/portal/{template}", context)
