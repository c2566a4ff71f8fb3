"""The page on which a commit or credit, or a scheduled charge, is changed, as a browser sees it."""

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from contracts import services
from contracts.inputs import EditInput
from contracts.queries import agreement
from tests.invoicing.conftest import ADA, OCTOBER


class Page:
    """The page of one commit or charge, and what a browser would send from it."""

    def __init__(self, term, kind="commit"):
        self.browser = Client()
        self.browser.force_login(User.objects.create_superuser("ada"))
        self.url = reverse(f"admin:contracts_{kind}_edit", args=[term.pk])

    def read(self):
        return self.browser.get(self.url).content.decode()

    def shown(self):
        """Every input of the form as it is shown."""
        form = self.browser.get(self.url).context["form"]
        sent = {"based_on_edit": form["based_on_edit"].value(), "reason": "As agreed by phone"}
        for name, field in form.fields.items():
            value = form[name].value()
            if value is None or value is False:
                continue
            if hasattr(field.widget, "widgets"):
                sent |= {f"{name}_0": f"{value:%Y-%m-%d}", f"{name}_1": f"{value:%H:%M}"}
            elif isinstance(value, list):
                sent[name] = [str(each) for each in value]
            elif name not in sent:
                sent[name] = value
        return sent

    def preview(self, **typed):
        sent = self.shown() | typed
        return sent, self.browser.post(self.url, {**sent, "preview": "1"})

    def save(self, **typed):
        """Look, then make it."""
        sent, seen = self.preview(**typed)
        assert seen.context["previewed"], seen.context["form"].errors
        return self.browser.post(self.url, {**sent, "previewed": seen.context["previewed"], "save": "1"})

    def errors(self, **typed):
        _, seen = self.preview(**typed)
        return {field: list(errors) for field, errors in seen.context["form"].errors.items()}


def granted(acme, *credits, commits=()):
    edit = EditInput(add_credits=credits, add_commits=commits)
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    return committed.commit
