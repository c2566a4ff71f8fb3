"""Filters of lists that take a choice or a range. With `billing_site.foundation.admin` all that knows the admin's skin.

A list that has one of them sets `list_filter_submit`: nothing is filtered before all is chosen.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.widgets import INPUT_CLASSES

from billing_site.foundation.periods import DAY

__all__ = ["AmountRange", "AutocompleteSelectFilter", "Choice", "ChoicesDropdownFilter", "DayRange"]

LONGEST = 40  # characters of a bound


class Choice(DropdownFilter):
    """One of `lookups()`; a value that is none of them finds nothing, and says so."""

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None or value == "":
            return rows
        if value not in {str(choice) for choice, _ in self.lookup_choices}:
            messages.error(request, f"{capfirst(self.title)}: “{value[:LONGEST]}” is not one of its choices.")
            return rows.none()
        return self.chosen(rows, value)

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        raise NotImplementedError

    def has_output(self) -> bool:
        return bool(self.lookup_choices)


class Range(admin.ListFilter):
    """From one value to another, both included, either of them open. What is not a value finds nothing, and says so."""

    title: str
    parameter_name: str
    field: ClassVar[type[forms.Field]]
    example: ClassVar[str]
    attributes: ClassVar[dict[str, str]] = {}
    media_js: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], page: Any) -> None:
        super().__init__(request, params, model, page)
        for name in self.bounds():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1][:LONGEST]

    def has_output(self) -> bool:
        return True

    def bounds(self) -> list[str]:
        return [f"{self.parameter_name}_from", f"{self.parameter_name}_to"]

    def expected_parameters(self) -> list[str | None]:
        return [*self.bounds()]

    def form(self) -> forms.Form:
        bounds = {
            name: self.field(
                label="",
                required=False,
                error_messages={"invalid": f"Write it as {self.example}."},
                widget=forms.TextInput(
                    {
                        "class": f"{self.attributes.get('class', '')} {' '.join(INPUT_CLASSES)}",
                        "placeholder": f"{capfirst(end)}: {self.example}",
                        "aria-label": f"{capfirst(self.title)} {end}",
                    }
                ),
            )
            for name, end in zip(self.bounds(), ("from", "to"), strict=True)
        }
        media = type("Media", (), {"js": self.media_js})
        return type("RangeForm", (forms.Form,), {**bounds, "Media": media})(self.used_parameters)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {"form": self.form(), "parameter_name": self.parameter_name}

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        form = self.form()
        for name, errors in form.errors.items():
            end = name.removeprefix(f"{self.parameter_name}_")
            said = self.used_parameters[name]
            messages.error(request, f"{capfirst(self.title)} {end}: “{said}” is not understood. {errors[0]}")
        if form.errors:
            return rows.none()
        start, end = (form.cleaned_data[name] for name in self.bounds())
        return rows.filter(self.within(start, end))

    def within(self, start: Any, end: Any) -> Q:
        raise NotImplementedError


class DayRange(Range):
    """Days of the billing calendar. `of` makes one for a column that is an instant."""

    template = "unfold/filters/filters_date_range.html"
    field = forms.DateField
    example = "2025-10-31"
    attributes: ClassVar[dict[str, str]] = {"class": "vCustomDateField"}
    media_js = ("admin/js/calendar.js", "unfold/filters/js/DateTimeShortcuts.js")
    column: str

    @classmethod
    def of(cls, column: str, title: str) -> type["DayRange"]:
        return type(f"DayRangeOf{column}", (cls,), {"column": column, "parameter_name": column, "title": title})

    def within(self, start: Any, end: Any) -> Q:
        found = Q()
        if start is not None:
            found &= Q(**{f"{self.column}__gte": datetime.combine(start, time(), UTC)})
        if end is not None:
            found &= Q(**{f"{self.column}__lt": datetime.combine(end, time(), UTC) + DAY})
        return found


class AmountField(forms.DecimalField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=LONGEST, decimal_places=12, **options)


class AmountRange(Range):
    """Amounts as people write them, each in the major unit of its own row's money.

    `units` gives every unit that there is, as (id, decimal places of the major unit that a wire unit stands for).
    """

    template = "unfold/filters/filters_numeric_range.html"
    field = AmountField
    example = "1250.50"
    column: str

    def units(self) -> list[tuple[Any, int]]:
        raise NotImplementedError

    def within(self, start: Decimal | None, end: Decimal | None) -> Q:
        if start is None and end is None:
            return Q()
        found = Q(pk__in=[])
        for unit_id, exponent in self.units():
            of_unit = Q(unit=unit_id)
            if start is not None:
                of_unit &= Q(**{f"{self.column}__gte": start.scaleb(exponent)})
            if end is not None:
                of_unit &= Q(**{f"{self.column}__lte": end.scaleb(exponent)})
            found |= of_unit
        return found
