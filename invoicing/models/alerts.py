"""Alerts, who is in alarm, and each time that somebody went into alarm or came back (`docs/alerts.md`)."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import amount_field, is_a_number, one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import derived_id, uuid7
from billing_site.foundation.periods import format_instant, parse_instant
from contracts.models import Customer
from invoicing.engine.alerts import KINDS, OF_SEATS, Alarm, FieldFilter, Groups, Kind, Specifier
from pricing.models import BillableMetric, PricingUnit


class AlertQuerySet(models.QuerySet):
    def enabled(self) -> "AlertQuerySet":
        return self.filter(archived_at=None)

    def watching(self, customer_id: Any) -> "AlertQuerySet":
        """Those of the customer, and those of all customers."""
        return self.filter(Q(customer=None) | Q(customer_id=customer_id))


class Alert(models.Model):
    """A figure that is watched, and its threshold: of one customer, or of each of all. It never changes; it can be
    archived."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    type = models.CharField(max_length=80)  # one of KINDS
    threshold = amount_field()  # in the unit, in units of the metric or of what is sold, in percent, or in days
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="alerts")  # NULL: all customers
    unit = models.ForeignKey(PricingUnit, models.PROTECT, null=True, related_name="+")  # NULL: it is in no unit
    access_type = models.CharField(max_length=16, blank=True, default="")  # of balances: SPEND or QUANTITY
    metric = models.ForeignKey(BillableMetric, models.PROTECT, null=True, related_name="+")
    # As they were sent, entities and types in capitals.
    group_values = models.JSONField(default=list, blank=True)
    custom_field_filters = models.JSONField(default=list, blank=True)
    specifiers = models.JSONField(default=list, blank=True)
    invoice_types = models.JSONField(default=list, blank=True)
    credit_grant_types = models.JSONField(default=list, blank=True)
    plan_id = models.UUIDField(null=True, blank=True)
    evaluate_on_create = models.BooleanField(default=True)
    uniqueness_key = models.CharField(max_length=128, null=True, blank=True)  # NULL also once it was released
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()
    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="what_an_alert_watches_is_known", condition=Q(type__in=list(KINDS))),
            is_a_number("threshold"),
            models.CheckConstraint(name="a_threshold_is_not_below_zero", condition=Q(threshold__gte=0)),
            models.CheckConstraint(
                name="an_alert_of_usage_names_its_metric",
                condition=~Q(type="USAGE_THRESHOLD_REACHED") | Q(metric__isnull=False),
            ),
            models.CheckConstraint(
                name="an_alert_of_seats_says_what_tells_them_apart",
                condition=~Q(type="LOW_REMAINING_SEAT_BALANCE_REACHED") | ~Q(group_values=[]),
            ),
            models.UniqueConstraint(
                name="an_alert_key_is_used_once", fields=["uniqueness_key"], condition=Q(uniqueness_key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Kind:
        return KINDS[self.type]

    @property
    def groups(self) -> Groups:
        return tuple((each["key"], each.get("value")) for each in self.group_values)

    @property
    def is_of_seats(self) -> bool:
        """Then its one group is the property that tells seats apart."""
        return self.kind.measure == OF_SEATS

    @property
    def all_specifiers(self) -> tuple[Specifier, ...]:
        """The plain filters, and what of the advanced ones has to hold beside them."""
        plain = _filters(self.custom_field_filters)
        if not self.specifiers:
            return (Specifier(plain),) if plain else ()
        return tuple(
            Specifier(
                (*plain, *_filters(each.get("custom_field_filters"))),
                tuple(_filters(one.get("custom_field_filters")) for one in each.get("exclude") or ()),
            )
            for each in self.specifiers
        )

    def mutes(self, customer: Customer) -> bool:
        """Whether the customer is left alone if it was past the threshold when the alert was made."""
        return not self.evaluate_on_create and customer.created_at <= self.created_at


class AlertState(models.Model):
    """Derived: how a customer stands with an alert, as the refresher saw it last. Without a row nobody has looked.

    `alarms` are by what they are about: since when, its words, and whether it was past the threshold before the alert
    was made.
    """

    class Status(models.TextChoices):
        OK = "OK"
        IN_ALARM = "IN_ALARM"

    id = models.UUIDField(primary_key=True, editable=False)  # made from the two
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="states")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="alert_states")
    status = models.CharField(max_length=16, choices=Status, default=Status.OK)
    figure = amount_field(null=True)  # nearest to the threshold or furthest past it; NULL: there is nothing to watch
    label = models.TextField(blank=True, default="")  # which of the alert's figures that is, where it has several
    alarms = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(null=True)  # when the status became what it is

    class Meta:
        verbose_name_plural = "alerts by customer"
        constraints = [one_of("status", ["OK", "IN_ALARM"]), is_a_number("figure")]
        indexes = [
            models.Index(name="customers_in_alarm", fields=["customer", "alert"], condition=Q(status="IN_ALARM"))
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.get_status_display()}"

    @staticmethod
    def id_of(alert_id: Any, customer_id: Any) -> Any:
        return derived_id("alert state", alert_id, customer_id)

    def to_alarms(self) -> dict[str, Alarm]:
        return {
            about: Alarm(parse_instant(each["since"]), each["label"], each["is_muted"])
            for about, each in self.alarms.items()
        }

    @staticmethod
    def stored(alarms: Mapping[str, Alarm]) -> dict[str, Any]:
        return {
            about: {"since": format_instant(each.since), "label": each.label, "is_muted": each.is_muted}
            for about, each in alarms.items()
        }


class AlertTurn(models.Model):
    """A fact: a customer went into alarm, or came back. In the order of their ids they are what there is to tell."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="turns")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="alert_turns")
    is_alarm = models.BooleanField()
    about = models.TextField(blank=True, default="")  # which figure, where the alert watches several: see `Reading`
    label = models.TextField(blank=True, default="")
    figure = amount_field(null=True)  # that was seen; NULL: what was watched is gone
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "history of alerts"
        constraints = [
            is_a_number("figure"),
            models.CheckConstraint(name="an_alarm_has_a_figure", condition=Q(is_alarm=False) | Q(figure__isnull=False)),
        ]
        indexes = [models.Index(name="turns_of_a_customer", fields=["customer", "alert", "created_at"])]

    def __str__(self) -> str:
        return f"{self.customer_id} {'went into alarm' if self.is_alarm else 'came back'}"


def _filters(sent: Any) -> tuple[FieldFilter, ...]:
    return tuple(FieldFilter(each["entity"], each["key"], each.get("value")) for each in sent or ())
