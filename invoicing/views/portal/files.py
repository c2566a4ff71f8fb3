"""Files that a page offers."""

from django.http import HttpResponse

from invoicing.views.portal.asked import DaysForm


def as_file(content: str, name: str) -> HttpResponse:
    """A CSV file."""
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def refused(form: DaysForm) -> HttpResponse:
    """What is wrong with what was asked for, a line each."""
    lines = [f"{form[name].label}: {error}" for name, errors in form.errors.items() for error in errors]
    return HttpResponse("\n".join(lines), status=400, content_type="text/plain; charset=utf-8")
