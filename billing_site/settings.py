"""Settings, read top to bottom. The environment is read here and nowhere else; README lists every variable."""

import os
import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from billing_site.server import embedded, secret
from pricing.engine.tariffs import RATE_TYPES

BASE_DIR = Path(__file__).resolve().parent.parent


def flag(name: str) -> bool:
    """Whether the environment switches `name` on."""
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


# --- Where data lies ------------------------------------------------------------------------------------------

DATA_DIR = Path(os.environ.get("COUNTINGHOUSE_DATA") or BASE_DIR / ".data").expanduser().resolve()
DATABASE_URL = os.environ.get("DATABASE_URL", "")
USES_EMBEDDED_DATABASE = not DATABASE_URL

DATABASES = {
    "default": dj_database_url.parse(DATABASE_URL or embedded.database_url(DATA_DIR), conn_max_age=600)
    | {
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"options": "-c timezone=UTC -c idle_in_transaction_session_timeout=30s"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"  # for Django's own tables; ours name their keys

# --- Who may come in ------------------------------------------------------------------------------------------

# Months for which the bodies of events are kept after the month of their receipt; 0 keeps them for ever.
EVENT_RETENTION_MONTHS = int(os.environ.get("COUNTINGHOUSE_EVENT_RETENTION_MONTHS") or 0)
# A usage draft is held for review where it is far from the contract's last ones; see docs/holds.md.
HOLD_ABOVE = Fraction(os.environ.get("COUNTINGHOUSE_HOLD_ABOVE") or "3")
HOLD_BELOW = Fraction(os.environ.get("COUNTINGHOUSE_HOLD_BELOW") or "1/3")
HOLD_LEAST_DIFFERENCE = Decimal(os.environ.get("COUNTINGHOUSE_HOLD_LEAST_DIFFERENCE") or 100)  # of its currency
HOLD_QUIET_DAYS = int(os.environ.get("COUNTINGHOUSE_HOLD_QUIET_DAYS") or 7)
# Home lists contracts that end within the most of these days; within the others they stand out.
NOTICE_DAYS = os.environ.get("COUNTINGHOUSE_END_NOTICE_DAYS") or "30,60,90"
END_NOTICE_DAYS = sorted(int(days) for days in NOTICE_DAYS.split(","))
SANDBOX = flag("COUNTINGHOUSE_SANDBOX")  # allows the test clock; never in production
SECRET_KEY = os.environ.get("COUNTINGHOUSE_SECRET_KEY") or secret.secret_key(DATA_DIR)
DEBUG = False
ALLOWED_HOSTS = os.environ.get("COUNTINGHOUSE_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("COUNTINGHOUSE_ORIGINS", "").split(",") if origin]
# Sites that may show the signed views of customers (/embed/) in a frame of theirs: https://app.example,https://*.example
EMBED_ORIGINS = [origin for origin in os.environ.get("COUNTINGHOUSE_EMBED_ORIGINS", "").split(",") if origin]
for origin in EMBED_ORIGINS:
    if not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?", origin):
        raise ImproperlyConfigured(f"COUNTINGHOUSE_EMBED_ORIGINS: {origin!r} is no origin such as https://app.example.")
EMBED_KEY_VERSION = int(os.environ.get("COUNTINGHOUSE_EMBED_KEY_VERSION") or 1)  # another one calls all addresses back
SECURE_COOKIES = flag("COUNTINGHOUSE_HTTPS")  # set behind a proxy that terminates TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_COOKIES else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SESSION_COOKIE_AGE = 8 * 3600
LOGIN_URL = "/login"  # of customers; the admin has its own
LOGIN_REDIRECT_URL = "/admin/"  # of the admin, opened at its login; customers go to their page
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- The rooms ------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "billing_site",
    "invoicing",
    "ledger",
    "contracts",
    "pricing",
    "billing_site.foundation",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "simple_history",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "billing_site.api.request.RequestContextMiddleware",
    "billing_site.security.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "billing_site.api.request.ActorMiddleware",
    "billing_site.api.idempotency.IdempotencyMiddleware",  # last: it keeps what the view said, and no more
]
APPEND_SLASH = False  # a redirect would turn the SDK's POST into a GET
ROOT_URLCONF = "billing_site.urls"
WSGI_APPLICATION = "billing_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = "composite"

# --- Time and words: the billing calendar is UTC --------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False
FORMAT_MODULE_PATH = ["billing_site.formats"]

# --- The admin's looks: what is in the sidebar is written down in navigation.py ----------------------------------

UNFOLD = {
    "SITE_TITLE": "Countinghouse",
    "SITE_HEADER": "Countinghouse",
    "SITE_SUBHEADER": "Billing back office",
    "SITE_SYMBOL": "account_balance",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/foundation/icon.svg"}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "billing_site.navigation.environment",
    "DASHBOARD_CALLBACK": "billing_site.home.dashboard",
    "STYLES": ["/static/foundation/house.css"],
    "SCRIPTS": ["/static/foundation/reach.js"],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .014 195)",
            "100": "oklch(94.5% .03 195)",
            "200": "oklch(89.5% .055 195)",
            "300": "oklch(82% .085 195)",
            "400": "oklch(72% .11 195)",
            "500": "oklch(61% .11 195)",
            "600": "oklch(50% .09 195)",
            "700": "oklch(43% .075 195)",
            "800": "oklch(37.5% .062 195)",
            "900": "oklch(32.5% .052 195)",
            "950": "oklch(24% .04 195)",
        }
    },
    "LOGIN": {"redirect_after": "/admin/"},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "billing_site.navigation.sidebar"},
}

# --- Static files, served by the web workers ------------------------------------------------------------------

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# --- The API --------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "billing_site.api.authentication.BearerToken",
        "billing_site.api.authentication.StaffSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["billing_site.api.authentication.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["billing_site.api.json.ExactJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["billing_site.api.json.ExactJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "billing_site.api.json.AlwaysJSON",
    "DEFAULT_PAGINATION_CLASS": "billing_site.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "billing_site.api.openapi.Schema",
    "EXCEPTION_HANDLER": "billing_site.api.errors.handle",
    "COERCE_DECIMAL_TO_STRING": False,
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is 405, as any method that a URL does not have
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countinghouse",
    "DESCRIPTION": "Usage in, invoices out. Compatible with the metronome-sdk; amounts are JSON numbers, exact.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RateTypeEnum": [*RATE_TYPES],
        "RateTypeSentEnum": [*RATE_TYPES, "CUSTOM"],
        "FrequencyEnum": ["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"],
        "InvoiceTypeEnum": ["USAGE", "SCHEDULED", "USAGE_CONSOLIDATED"],
        "LineTypeEnum": [
            *("usage", "subscription", "applied_commit_or_credit", "cpu_conversion", "scheduled", "commit_purchase")
        ],
        "CommitTypeEnum": ["PREPAID", "POSTPAID"],
        "BalanceTypeEnum": ["PREPAID", "POSTPAID", "CREDIT"],
        "RateChargedEnum": ["LIST_RATE", "COMMIT_RATE"],
    },
}

# --- Background jobs. Each setting answers a measured fault: see docs/jobs.md ---------------------------------

Q_CLUSTER: dict[str, Any] = {
    "name": "countinghouse",
    "orm": "default",
    "broker_class": "billing_site.foundation.jobs.broker.JobBroker",  # hands the cluster our functions only
    "workers": 1,
    "bulk": 1,
    "queue_limit": 1,
    "timeout": 60,
    "retry": 300,
    "max_attempts": 3,
    "ack_failures": False,
    "catch_up": False,
    "save_limit": 100,
    "poll": 0.5,
    "time_zone": "UTC",
}

# --- What the process says ------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"without_tokens": {"()": "billing_site.redaction.WithoutTokens"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": sys.stderr,
            "formatter": "line",
            "filters": ["without_tokens"],
        }
    },
    "loggers": {"django.request": {"level": "ERROR"}},  # a refused request is the caller's to mend
    "root": {"handlers": ["stderr"], "level": os.environ.get("COUNTINGHOUSE_LOG_LEVEL", "WARNING")},
}

# --- Limits at the door of the ledger -------------------------------------------------------------------------

INGEST_LIMITS = {"events": 10_000, "bytes": 16 * 1024 * 1024}
