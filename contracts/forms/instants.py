from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString

from billing_site.foundation.periods import is_on_the_hour

ON_THE_HOUR = "On the hour, UTC."
NEEDS_A_DATE = "A time needs its date."


class InstantWidget(forms.SplitDateTimeWidget):
    """The browser's own picker for the day, and a time as 00:00: browsers would show it as half a day and AM."""

    def __init__(self) -> None:
        super().__init__(
            date_format="%Y-%m-%d",
            time_format="%H:%M",
            time_attrs={"placeholder": "00:00", "maxlength": "8", "size": "5", "autocomplete": "off"},
        )
        self.widgets[0].input_type = "date"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for widget, what in zip(context["widget"]["subwidgets"], ("date", "time, UTC"), strict=True):
            widget["attrs"]["aria-label"] = what
        return context


class InstantBoundField(forms.BoundField):
    """Sends along what was there before anything was typed, where the form asks for that: Django does so for inputs of
    one part, and takes what is typed for what was there in those of two."""

    def as_hidden(self, attrs: Any = None, **options: Any) -> SafeString:
        if not options.get("only_initial") or not self.form.is_bound:
            return super().as_hidden(attrs, **options)
        widget = self.field.hidden_widget()
        sent = widget.value_from_datadict(self.form.data, self.form.files, self.html_initial_name)
        return widget.render(self.html_initial_name, sent, {"id": self.html_initial_id}, self.form.renderer)


class InstantField(forms.SplitDateTimeField):
    """A date and a time of the billing calendar, UTC; without a time it is the day's beginning, where one is required,
    too."""

    widget = InstantWidget

    def get_bound_field(self, form: Any, field_name: str) -> InstantBoundField:
        return InstantBoundField(form, self, field_name)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "help_text": ON_THE_HOUR, "require_all_fields": False, **options})
        self.fields[1].required = False
        self.fields[0].error_messages["incomplete"] = NEEDS_A_DATE

    def compress(self, data_list: Any) -> datetime | None:
        if data_list and data_list[0] not in self.empty_values and data_list[1] in self.empty_values:
            data_list = [data_list[0], time()]
        return super().compress(data_list)


class HourField(InstantField):
    """An instant on the hour."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not is_on_the_hour(value):
            raise ValidationError("Must be on the hour (UTC).")
