"""What every admin page stands on: history that says why, and facts that can only be read.

Only this module, `list_filters` and what the site says of its looks know the admin's skin.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import ActionForm
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES, UnfoldAdminFileFieldWidget

from billing_site.foundation import clock, jobs, tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.display import amount_text, day_text, exact_text, instant_text, with_days_in_words
from billing_site.foundation.models import ApiToken, Job

AT_MOST = 100  # rows that an action does within one request
ARROWED = "unfold/widgets/select.html"  # the skin's class takes the browser's arrow away; its template draws another


class ChosenFile(UnfoldAdminFileFieldWidget):
    """A file to choose. The skin's script writes its name into the next text input, so that one has to be its own."""


class Dressed(forms.BaseForm):
    """Gives the widgets of a form the skin's looks, without which they have no border, and says its errors in words."""

    CLASSES: tuple[tuple[type[forms.Widget], list[str]], ...] = (
        (forms.HiddenInput, []),
        (ChosenFile, []),
        (forms.CheckboxSelectMultiple, []),  # its class would stand on the list, too
        (forms.CheckboxInput, CHECKBOX_CLASSES),
        (forms.Textarea, TEXTAREA_CLASSES),
        (forms.Select, SELECT_CLASSES),
        (forms.widgets.Input, INPUT_CLASSES),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress()

    def dress(self) -> None:
        """Once more for a form that adds fields after it was made."""
        for field in self.fields.values():
            for widget in getattr(field.widget, "widgets", [field.widget]):
                for kind, classes in self.CLASSES:
                    if isinstance(widget, kind):
                        if classes:
                            widget.attrs.setdefault("class", " ".join(classes))
                        break
                if type(widget) in (forms.Select, forms.NullBooleanSelect):
                    widget.template_name = ARROWED

    def add_error(self, field: str | None, error: Any) -> None:
        """Services say instants as the API does, for whoever reads them by a program."""
        super().add_error(field, with_days_in_words(error) if isinstance(error, str) else error)


class ReasonForm(Dressed, forms.ModelForm):
    """A form that asks why, and keeps the answer in the history."""

    reason = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"size": 80}), help_text="Why; kept in the history."
    )


class ReasonActionForm(ActionForm):
    """Asks why, beside the list of actions."""

    reason = forms.CharField(
        required=False, label="Reason:", widget=forms.TextInput(attrs={"class": " ".join(INPUT_CLASSES)})
    )


def money_column(
    description: str, *, amount: str, unit: str = "unit", is_exact: bool = False, ordering: str | None = None
) -> Callable[[Any, Any], str]:
    """A column of a list: an amount of the row with its currency, right-aligned. `unit` names a pricing unit's row.

    To the minor unit; or to the last digit where it `is_exact`, as prices are.
    """
    text = exact_text if is_exact else amount_text

    @admin.display(description=description, ordering=ordering or amount)
    def column(page: Any, row: Any) -> str:
        return number_cell(text(getattr(row, amount), getattr(row, unit).to_unit()))

    return column


def number_cell(text: str) -> str:
    """A figure in a list, so that figures stand under each other."""
    return format_html('<span class="house-number">{}</span>', text)


def words_cell(text: str) -> str:
    """A price in words in a list: it stands with the figures, and breaks where it is long."""
    return format_html('<span class="house-number words">{}</span>', text)


def instant_cell(instant: datetime | None) -> str:
    """A date with its time in a list, in one line; a midnight goes without it."""
    return format_html('<span class="house-instant">{}</span>', day_text(instant) if instant else "")


def told_once(cell: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    """A cell of a row's own page that asks the database. The skin calls it some five times a page; it is made once."""

    @wraps(cell)
    def kept(page: Any, row: Any) -> str:
        told: dict[str, str] = row.__dict__.setdefault("_told_once", {})
        if cell.__name__ not in told:
            told[cell.__name__] = cell(page, row)
        return told[cell.__name__]

    return kept


def custom_fields_page(entity: str, entity_id: Any) -> str:
    """Where the custom fields of one entity are looked at and changed."""
    return reverse("admin:foundation_customfieldkey_values", args=[entity, entity_id])


def are_too_many(request: HttpRequest, rows: QuerySet[Any], what: str) -> bool:
    """Whether more rows are chosen than one request can do; if so, the reader is told."""
    if (count := rows.count()) <= AT_MOST:
        return False
    rule = f"at most {AT_MOST} are done at once: choose fewer, or filter the list."
    messages.error(request, f"{count:,} {what} are chosen, and {rule}")
    return True


class WithCustomFields:
    """Shows what custom fields a row has, with the way to change them; `entity` is what the API calls its kind."""

    entity: str

    @admin.display(description="Custom fields")
    def custom_values(self, row: Any) -> str:
        values = format_html_join("", "{}: {}<br>", row.custom_fields.items()) or "None "
        return format_html('{}<a href="{}">Change</a>', values, custom_fields_page(self.entity, row.pk))


class Listed(ModelAdmin):
    """What the lists of all pages have in common."""

    show_full_result_count = False
    list_per_page = 50
    nothing_yet = ""  # what an empty list says: what will stand there, and what to do

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title} | (extra_context or {}))


class WithReader:
    """Each row shown knows its `reader`, a user: what a cell offers is what that one may do."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found: Any = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if found is not None:
            found.reader = request.user
        return found


class LeadsToWhatIsMade:
    """What comes after adding one is on its own page; Django leads back to the list."""

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        named = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change"
        return HttpResponseRedirect(reverse(named, args=[obj.pk]))


class WithHistory(SimpleHistoryAdmin):
    """Versions of the past are there to be looked at."""

    history_list_display = ["actor_label", "source"]

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One version. What is sent there would be saved, around the services and for whoever may only look."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return super().history_form_view(request, object_id, version_id, extra_context)
        except ValidationError as error:
            raise Http404("There is no such version.") from error


class HouseAdmin(WithHistory, Listed):
    """Configured rows: history with author and reason; nothing is deleted."""

    form = ReasonForm

    def save_model(self, request: HttpRequest, obj: Model, form: forms.Form, change: bool) -> None:
        obj._change_reason = form.cleaned_data.get("reason") or None  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def told(self, request: HttpRequest) -> dict[str, Any]:
        """When and by whom, for the service behind a form: `service(..., **self.told(request))`."""
        return {"at": clock.now(), "by": Actor.of(request)}


class FactAdmin(Listed):
    """Facts and derived rows: they can be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShownElsewhere(FactAdmin):
    """Rows whose page is another one: `place_of` gives its address, or "" for a row that has none but its own."""

    place_of: Callable[[Any], str]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        place = self.place_of(row) if row is not None and self.has_view_permission(request, row) else ""
        return (
            HttpResponseRedirect(place) if place else super().change_view(request, object_id, form_url, extra_context)
        )


class ReadOnlyInline(TabularInline):
    """Rows that belong to the one shown: they can be looked at."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(HouseAdmin):
    """Tokens are seen and revoked here. They are made where their secret is shown, once: those that send events on the
    way to the first invoice, all others with `manage.py create_token`."""

    list_before_template = "admin/foundation/apitoken/make_link.html"
    nothing_yet = "What services and the SDK sign in with; each is shown once, when it is made."
    list_display = ["name", "scope", "source", "customer_id", "created_at", "created_by", "revoked_at"]
    list_filter = ["scope", ("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "source"]
    readonly_fields = ["name", "scope", "source", "customer_id", "created_at", "created_by", "revoked_at", "revoked_by"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        for token in queryset:
            tokens.revoke_token(token, **self.told(request))
        self.message_user(request, f"{len(queryset)} revoked.")


class JobsOfPage(ChangeList):
    """The jobs of a page, each with its words."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        words = jobs.told(self.result_list)
        for row in self.result_list:
            row.told = words[row.pk]


@admin.register(Job)
class JobAdmin(FactAdmin):
    """What is queued, running, done and parked. A parked job waits for a person who sees to its error."""

    nothing_yet = "What the job cluster does in the background: finalizing, measuring back, moving the test clock."
    list_display = ["does", "about", "state", "progress", "tries", "asked_for", "last_sign", "error"]
    list_filter = ["state", "kind"]
    search_fields = ["key", "error"]
    ordering = ["-created_at", "-id"]
    actions = ["try_again"]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return JobsOfPage

    @admin.display(description="Job", ordering="kind")
    def does(self, row: Any) -> str:
        said: jobs.Told = row.told
        return said.does

    @admin.display(description="About", ordering="key")
    def about(self, row: Any) -> str:
        said: jobs.Told = row.told
        return said.about

    @admin.display(description="Tries", ordering="attempts")
    def tries(self, row: Job) -> str:
        return f"{row.attempts}, {row.losses} cut short" if row.losses else str(row.attempts)

    @admin.display(description="Asked for", ordering="created_at")
    def asked_for(self, row: Job) -> str:
        return instant_text(row.created_at.replace(microsecond=0))

    @admin.display(description="Last sign", ordering="heartbeat_at")
    def last_sign(self, row: Job) -> str:
        return instant_text(row.heartbeat_at.replace(microsecond=0)) if row.heartbeat_at else ""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("foundation.change_job")

    @admin.action(description="Try parked jobs again", permissions=["retry"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        parked = [row for row in chosen if row.state == Job.State.FAILED]
        for row in parked:
            jobs.try_again(row)
        others = len(chosen) - len(parked)
        left = f" {others} not parked, and left alone." if others else ""
        self.message_user(request, f"{len(parked)} will be tried again.{left}")
