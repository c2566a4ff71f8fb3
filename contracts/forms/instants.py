from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime

ON_THE_HOUR = "On the hour, UTC."


class InstantField(forms.SplitDateTimeField):
    """A date and a time of the billing calendar, UTC."""

    widget = AdminSplitDateTime

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "help_text": ON_THE_HOUR, **options})
