"""Every address of the site. URLs of the compatible API have no trailing slash and never redirect."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from billing_site import health, home, refused, search
from billing_site.api import errors
from billing_site.api.elsewhere import NOT_SERVED
from billing_site.first_invoice import pages as first_invoice
from ledger.admin.price_grid import price_grid

urlpatterns = [
    path("", include("ledger.urls")),  # first: ingest is asked for more often than everything else together
    path("", RedirectView.as_view(url="/admin/")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/start/<slug:name>/", admin.site.admin_view(home.start_step), name="start_step"),
    path("admin/start/", admin.site.admin_view(home.hide_start), name="hide_start"),
    path("admin/first-invoice/", include(first_invoice.urls)),
    path(
        "admin/pricing/ratecard/<uuid:card_id>/grid/<uuid:product_id>/",
        admin.site.admin_view(price_grid),
        name="price_grid",
    ),
    path("admin/search/", admin.site.admin_view(search.search_view), name="search_everything"),  # before the skin's
    path("admin/", admin.site.urls),
    path(
        "login",
        LoginView.as_view(template_name="portal/login.html", next_page="/portal/", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout", LogoutView.as_view(next_page="/login"), name="logout"),
    path("portal", RedirectView.as_view(url="/portal/")),
    path("favicon.ico", RedirectView.as_view(url="/static/invoicing/icon.svg")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", SpectacularSwaggerView.as_view(url_name="openapi", template_name="reference.html"), name="docs"),
    path("", include("pricing.urls")),
    path("", include("contracts.urls")),
    path("", include("invoicing.urls")),
    *[re_path(pattern, errors.not_supported) for pattern in NOT_SERVED],
    re_path(r"^v[12]/", errors.not_found),
]

handler403 = refused.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
