"""Alerts in the back office: made by a form, and who is in alarm."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from billing_site.foundation.admin import FactAdmin, HouseAdmin, ShownElsewhere, instant_cell, number_cell
from billing_site.foundation.display import NOTHING, instant_text, unit_text
from billing_site.foundation.money import wire_amount
from contracts.forms.amounts import NumberField
from contracts.models import Customer
from invoicing import services
from invoicing.alert_wording import figure_text, measure_text, seen_text, threshold_text, watches_text
from invoicing.engine import alerts as engine
from invoicing.models import Alert, AlertState, AlertTurn
from invoicing.queries.alerts import LIVE
from pricing.admin import ARCHIVED, ThroughServices
from pricing.forms import ServiceForm
from pricing.models import BillableMetric, PricingUnit
from pricing.units import USD_ID

OF_MONEY = (engine.SPEND, engine.TOTAL, engine.LEFT, engine.OF_SEATS)
BY_GROUP = (None, engine.SPEND, engine.OF_SEATS)


class UnitChoice(forms.ModelChoiceField):
    """Units by what people write amounts in: US dollars."""

    def label_from_instance(self, obj: Any) -> str:
        return unit_text(obj.to_unit())


class NewAlertForm(ServiceForm):
    """Thresholds of money are in the major unit: dollars."""

    type = forms.ChoiceField(label="Watches", choices=[(code, measure_text(code)) for code in LIVE])
    threshold = NumberField(
        required=True, help_text="An amount, such as 1,000 for dollars; a quantity; percent from 0 to 100; or days."
    )
    unit = UnitChoice(
        PricingUnit.objects.filter(archived_at=None).order_by("-is_currency", "name"),
        required=False,
        label="In",
        initial=USD_ID,
        help_text="Of spend, totals and what is left.",
    )
    metric = forms.ModelChoiceField(
        BillableMetric.objects.filter(archived_at=None).order_by("name", "id"),
        required=False,
        help_text="Of usage of a metric.",
    )
    group_key = forms.CharField(
        required=False,
        max_length=256,
        label="Each value of",
        help_text="Of spend: a property of usage, such as region. Of seats: the one that tells them apart, such as"
        " user. Each of its values is watched by itself.",
    )
    customer = forms.ModelChoiceField(
        Customer.objects.filter(archived_at=None).order_by("name", "id"),
        required=False,
        empty_label="All customers, each by itself",
    )
    evaluate_on_create = forms.BooleanField(
        required=False, initial=True, label="Also who is past it now", help_text="Otherwise only who gets there later."
    )
    shown_as: Mapping[str, str] = {
        "alert_type": "type",
        "credit_type_id": "unit",
        "billable_metric_id": "metric",
        "customer_id": "customer",
        "group_values": "group_key",
        "seat_filter": "group_key",
    }

    class Meta:
        model = Alert
        fields = ["name"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        measure = engine.KINDS[values["type"]].measure if "type" in values else None
        if measure == engine.METERED and values.get("metric") is None:
            self.add_error("metric", "Choose the metric whose usage is watched.")
        if measure not in (None, engine.METERED) and values.get("metric") is not None:
            self.add_error("metric", "Is only for usage of a metric.")
        if measure not in BY_GROUP and values.get("group_key"):
            self.add_error("group_key", "Is only for spend and for seats.")
        if measure == engine.OF_SEATS and not values.get("group_key"):
            self.add_error("group_key", "Say which property of events tells seats apart, such as user.")
        return values

    def perform(self, values: dict[str, Any], **told: Any) -> Model:
        kind, unit = engine.KINDS[values["type"]], values["unit"]
        threshold: Decimal = values["threshold"]
        if kind.measure in OF_MONEY and unit is not None:
            threshold = wire_amount(threshold, unit.to_unit())
        key = values["group_key"].strip()
        given = services.AlertInput(
            name=values["name"],
            alert_type=values["type"],
            threshold=threshold,
            customer_id=_id(values["customer"]),
            credit_type_id=_id(unit),
            billable_metric_id=_id(values["metric"]),
            group_values=[{"key": key}] if key and kind.measure == engine.SPEND else [],
            seat_filter={"seat_group_key": key} if kind.measure == engine.OF_SEATS else None,
            evaluate_on_create=values["evaluate_on_create"],
        )
        return services.create_alert(given, **told)


def _id(row: Model | None) -> UUID | None:
    return None if row is None else row.pk


@admin.register(Alert)
class AlertAdmin(ThroughServices, HouseAdmin):
    nothing_yet = (
        "What somebody wants to be told about: spend that runs away, a balance that runs low, access that ends. "
        "Add the first one."
    )
    add_form = NewAlertForm
    list_display = ["name", "watches", "at_threshold", "whose", "in_alarm", "created_at", "archived_at"]
    list_filter = [ARCHIVED]
    list_select_related = ["customer", "unit", "metric"]
    search_fields = ["name", "customer__name", "id", "uniqueness_key"]
    ordering = ["-created_at", "-id"]
    fields = [
        "name",
        "watches",
        "at_threshold",
        "whose",
        "in_alarm",
        "turns",
        "evaluate_on_create",
        "custom_field_filters",
        "specifiers",
        "uniqueness_key",
        "id",
        "created_at",
        "created_by",
        "archived_at",
    ]
    actions = ["archive"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        alarms = Count("states", filter=Q(states__status=AlertState.Status.IN_ALARM))
        is_looked_at = Exists(AlertState.objects.filter(alert=OuterRef("pk")))
        is_about_somebody = Exists(Customer.objects.filter(archived_at=None))
        found = super().get_queryset(request).select_related("customer", "unit", "metric")
        return found.annotate(alarms=alarms, is_awaited=~is_looked_at & is_about_somebody)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Filters by custom fields where there are any."""
        shown = super().get_fields(request, obj)
        empty = (
            [] if obj is None else [name for name in ("custom_field_filters", "specifiers") if not getattr(obj, name)]
        )
        return [name for name in shown if name not in empty]

    @admin.display(description="Watches", ordering="type")
    def watches(self, alert: Alert) -> str:
        return watches_text(alert)

    @admin.display(description="In alarm at", ordering="threshold")
    def at_threshold(self, alert: Alert) -> str:
        return number_cell(threshold_text(alert))

    @admin.display(description="Of", ordering="customer__name")
    def whose(self, alert: Alert) -> str:
        return "All customers" if alert.customer is None else alert.customer.name

    @admin.display(description="Customers in alarm", ordering="alarms")
    def in_alarm(self, alert: Any) -> str:
        if not alert.alarms:
            is_awaited = alert.is_awaited and alert.archived_at is None and alert.type in LIVE
            return number_cell("being looked at" if is_awaited else "none")
        url = reverse("admin:invoicing_alertstate_changelist")
        query = urlencode({"alert__id__exact": str(alert.pk), "status__exact": AlertState.Status.IN_ALARM})
        return number_cell(format_html('<a href="{}?{}">{}</a>', url, query, f"{alert.alarms:,}"))

    @admin.display(description="History")
    def turns(self, alert: Alert) -> str:
        url = reverse("admin:invoicing_alertturn_changelist")
        query = urlencode({"alert__id__exact": str(alert.pk)})
        return format_html('<a href="{}?{}">Who went into alarm and came back</a>', url, query)

    @admin.action(description="Archive selected alerts", permissions=["change"])
    def archive(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        self.archive_each(request, alerts, services.archive_alert)

    def get_urls(self) -> list[Any]:
        of_customer = self.admin_site.admin_view(self.of_customer_view)
        return [
            path("of/<uuid:customer_id>/", of_customer, name="invoicing_alerts_of_customer"),
            *super().get_urls(),
        ]

    def of_customer_view(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """A panel of the customer's page: which alerts it is in alarm for."""
        if not request.user.has_perm("invoicing.view_alertstate"):
            raise PermissionDenied
        if not Customer.objects.filter(pk=customer_id).exists():
            raise Http404("There is no such customer.")
        alarms = AlertState.objects.filter(
            customer=customer_id, status=AlertState.Status.IN_ALARM, alert__archived_at=None
        ).select_related("alert__unit", "alert__metric")
        watched = Alert.objects.enabled().watching(customer_id).filter(type__in=LIVE)
        context = {
            "alarms": [
                {
                    "name": state.alert.name,
                    "url": reverse("admin:invoicing_alert_change", args=[state.alert_id]),
                    "seen": seen_text(state.alert, state.figure, state.label),
                    "since": instant_text(state.since) if state.since else "",
                }
                for state in alarms.order_by("-since", "id")
            ],
            "watched": watched.count(),
            "awaited": watched.exclude(states__customer=customer_id).count(),
            "history": f"{reverse('admin:invoicing_alertturn_changelist')}?{urlencode({'q': str(customer_id)})}",
            "may_add": self.has_add_permission(request),
        }
        return TemplateResponse(request, "admin/invoicing/alert/of_customer.html", context)


class OfAlert(FactAdmin):
    """Rows about one customer and one alert."""

    list_select_related = ["customer", "alert__unit", "alert__metric"]
    search_fields = ["customer__name", "customer__id", "alert__name"]
    list_display_links = None

    @admin.display(description="Customer", ordering="customer__name")
    def whose(self, row: Any) -> str:
        page = reverse("admin:contracts_customer_change", args=[row.customer_id])
        return format_html('<a href="{}">{}</a>', page, row.customer.name)

    @admin.display(description="Alert", ordering="alert__name")
    def which(self, row: Any) -> str:
        page = reverse("admin:invoicing_alert_change", args=[row.alert_id])
        return format_html('<a href="{}">{}</a>', page, row.alert.name)

    @admin.display(description="Which", ordering="label")
    def about_which(self, row: Any) -> str:
        return row.label or NOTHING

    @admin.display(description="In alarm at")
    def at_threshold(self, row: Any) -> str:
        return number_cell(threshold_text(row.alert))

    @admin.display(description="Figure", ordering="figure")
    def seen(self, row: Any) -> str:
        return number_cell(NOTHING if row.figure is None else figure_text(row.alert, row.figure))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "alert__id__exact" or super().lookup_allowed(lookup, value, request)


@admin.register(AlertState)
class AlertStateAdmin(ShownElsewhere, OfAlert):
    nothing_yet = "How each customer stands with each alert, once there are alerts."
    list_display = ["whose", "which", "standing", "about_which", "seen", "at_threshold", "since_when"]
    list_filter = ["status"]
    ordering = ["-status", "customer__name", "id"]

    @admin.display(description="Status", ordering="status")
    def standing(self, state: AlertState) -> str:
        if state.status == AlertState.Status.IN_ALARM:
            return format_html('<span class="house-held">{}</span>', "in alarm")
        return "fine"

    @admin.display(description="Since", ordering="since")
    def since_when(self, state: AlertState) -> str:
        return instant_cell(state.since)

    def place_of(self, row: AlertState) -> str:
        """The customer that it is about."""
        return reverse("admin:contracts_customer_change", args=[row.customer_id])


@admin.register(AlertTurn)
class AlertTurnAdmin(OfAlert):
    nothing_yet = "Each time that a customer went into alarm or came back, with the figure that was seen."
    list_display = ["when", "whose", "which", "turned", "about_which", "seen", "at_threshold"]
    list_filter = ["is_alarm", "created_at"]
    ordering = ["-id"]

    @admin.display(description="When", ordering="created_at")
    def when(self, turn: AlertTurn) -> str:
        return instant_cell(turn.created_at)

    @admin.display(description="What", ordering="is_alarm")
    def turned(self, turn: AlertTurn) -> str:
        return "went into alarm" if turn.is_alarm else "came back"
