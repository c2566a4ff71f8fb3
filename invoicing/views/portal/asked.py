"""What a viewer asks a page for: days, and how they are told apart."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest

from billing_site.foundation.display import month_name_text
from billing_site.foundation.periods import DAY, Period, add_months, floor_day
from pricing.models import BillableMetric

MOST_DAYS = 400


def first_day_asked(request: HttpRequest) -> datetime | None:
    """None where no day is asked for, or none that can be read."""
    try:
        return datetime.combine(date.fromisoformat(request.GET.get("from_", "")), time(), UTC)
    except ValueError:
        return None


class DaysForm(forms.Form):
    """UTC days, the last one included; this month so far where nothing is asked for. `at` is now."""

    from_ = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    to = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    most_days = MOST_DAYS

    def __init__(self, asked: Mapping[str, Any], *, at: datetime) -> None:
        given = {name: value for name, value in asked.items() if value != ""}
        start = floor_day(at).replace(day=1)
        super().__init__(
            label_suffix="", data={"from_": f"{start:%Y-%m-%d}", "to": f"{at:%Y-%m-%d}", **self.defaults(), **given}
        )
        self.at = at

    def defaults(self) -> dict[str, str]:
        return {}

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        start, last = told.get("from_"), told.get("to")
        if start is not None and last is not None:
            if last < start:
                self.add_error("to", "Must not be before the first day.")
            elif (last - start).days + 1 > self.most_days_of(told):
                most, asked = self.most_days_of(told), (last - start).days + 1
                self.add_error("to", f"Ask for {most} days at the most; these are {asked}.")
            elif last >= date.max - timedelta(days=1) or start.year < 1970:
                self.add_error("from_" if start.year < 1970 else "to", "Is too far away.")
        return told

    def most_days_of(self, told: Mapping[str, Any]) -> int:
        return self.most_days

    @property
    def days(self) -> Period:
        """Once the form is valid."""
        start, last = self.cleaned_data["from_"], self.cleaned_data["to"]
        return Period(datetime.combine(start, time(), UTC), datetime.combine(last, time(), UTC) + DAY)

    @property
    def named(self) -> str:
        """The days, for the name of a file."""
        return f"{self.cleaned_data['from_']}-{self.cleaned_data['to']}"

    def presets(self) -> Iterator[tuple[str, str, str]]:
        """What is asked for most: its name, first and last day."""
        this = floor_day(self.at).replace(day=1)
        for first in (this, add_months(this, -1)):
            last = min(add_months(first, 1) - DAY, floor_day(self.at))
            yield month_name_text(first), f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
        yield "Last 7 days", f"{self.at - 6 * DAY:%Y-%m-%d}", f"{self.at:%Y-%m-%d}"
        yield "Last 30 days", f"{self.at - 29 * DAY:%Y-%m-%d}", f"{self.at:%Y-%m-%d}"


class UsageForm(DaysForm):
    """One of the customer's metrics by day or hour, split by one of its group keys. `note` says what was asked for and
    cannot be."""

    metric = forms.ChoiceField(label="What")
    window = forms.ChoiceField(label="By", choices=[("DAY", "day"), ("HOUR", "hour")])
    key = forms.ChoiceField(label="Split by", required=False)
    field_order = ("metric", "from_", "to", "window", "key")
    most_days_by_hour = 14

    def __init__(
        self, asked: Mapping[str, Any], *, at: datetime, metrics: Sequence[BillableMetric], called: Callable[[str], str]
    ) -> None:
        """There is a metric, at least; `called` says what a group key is called."""
        named = {str(metric.pk): metric for metric in metrics}
        self.chosen = named.get(str(asked.get("metric", "")), metrics[0])
        self.keys = {", ".join(key): tuple(key) for key in self.chosen.group_keys}
        self.note = ""
        if asked.get("key") and asked["key"] not in self.keys:
            self.note = f"“{self.chosen.name}” cannot be split by “{asked['key']}”: shown is all of it."
            asked = {**asked, "key": ""}
        super().__init__(asked, at=at)
        for name, choices in (
            ("metric", [(pk, metric.name) for pk, metric in named.items()]),
            ("key", [("", "nothing"), *((name, ", ".join(map(called, keys))) for name, keys in self.keys.items())]),
        ):
            field: Any = self.fields[name]
            field.choices = choices

    def defaults(self) -> dict[str, str]:
        return {"window": "DAY", "metric": str(self.chosen.pk)}

    def most_days_of(self, told: Mapping[str, Any]) -> int:
        return self.most_days_by_hour if told.get("window") == "HOUR" else self.most_days
