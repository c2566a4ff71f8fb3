"""Many held drafts released together: what will happen, by currency; at once, or as a job that says how far it is."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.test import Client
from django.urls import reverse

from billing_site.foundation import jobs
from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import Job
from invoicing.admin import releases
from invoicing.models import DraftSummary, HoldDecision
from invoicing.services.finalization import finalize_invoice
from invoicing.services.releases import Held, release_drafts
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import ADA, Acme, contract_for
from tests.invoicing.test_review_queue import DUE, QUEUE, acme, finance, held, refresh_summary_of
from tests.pages import words

pytestmark = pytest.mark.django_db
__all__ = ["acme", "finance", "held"]  # fixtures

RELEASE = f"{QUEUE}release/"


@pytest.fixture
def globex(price_list, held):
    """Held, too, and to be mended: a model without a price."""
    customer = CustomerFactory(name="<b>Globex", aliases=["globex"])
    globex = Acme(customer, contract_for(customer, price_list), price_list)
    globex.uses_tokens("2025-10-03T05", 1, model="huge", subject="globex")
    refresh_summary_of(globex, DUE)
    return globex


def seen_of(draft_id):
    draft = DraftSummary.objects.get(pk=draft_id)
    return Held(draft.customer_id, draft.pk, tuple(hold["key"] for hold in draft.holds))


def test_it_says_how_many_there_are_and_what_they_come_to_before(finance, held, globex):
    queue = finance.get(QUEUE).content.decode()
    assert queue.count('type="checkbox" form="release" name="draft"') == 1  # of what has to be mended there is none
    shown = finance.get(RELEASE, {"all": "1", "who": ""})
    text = words(shown)
    assert "USD 1 draft $3,600.00 before tax" in text
    assert "of these 1 is due and becomes final at the next run" in text
    assert "1 more has something to be mended first and stays held." in text
    assert "Globex" not in text
    sealed = shown.context["sealed"]
    refused = words(finance.post(RELEASE, {"drafts": sealed, "reason": " "}))
    assert "$3,600.00" in refused
    assert not HoldDecision.objects.exists()
    answer = words(finance.post(RELEASE, {"drafts": sealed, "reason": "A big launch"}, follow=True))
    assert "1 draft released." in answer
    assert HoldDecision.objects.get().document_id == held
    assert "None of these drafts can be released" in words(finance.get(RELEASE, {"draft": held}))


def test_many_are_a_job_that_says_how_far_it_is_and_may_run_twice(finance, held, monkeypatch):
    monkeypatch.setattr(releases, "AT_ONCE", 0)
    sealed = finance.get(RELEASE, {"draft": held}).context["sealed"]
    asked = finance.post(RELEASE, {"drafts": sealed, "reason": "A big launch"}, follow=True)
    assert "It waits for a worker." in words(asked)
    assert 'hx-trigger="every 1s"' in asked.content.decode()
    job = Job.objects.get(kind="release_drafts")
    jobs.run(str(job.pk))
    done = finance.get(reverse("admin:invoicing_releasing", args=[job.pk]), headers={"HX-Request": "true"})
    assert "1 draft released." in words(done)
    assert "every 1s" not in done.content.decode()
    decision = HoldDecision.objects.get()
    assert (decision.created_by, decision.reason) == ("grace", "A big launch")
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (HoldDecision.objects.count(), job.progress) == (1, "1 draft released.")


def test_what_changed_since_it_was_looked_at_is_left_and_told(acme, held):
    seen = seen_of(held)
    acme.uses_tokens("2025-10-28T05", 9000)
    told = []
    given = {"reason": "Seen", "asked_at": DUE, "at": DUE, "by": ADA}
    released = release_drafts([seen], report=told.append, **given)
    assert released.text == "No drafts released, 1 left as they are"
    assert "is not what you saw" in released.left[0]
    assert told == ["1 of 1"]
    refresh_summary_of(acme, DUE)
    assert release_drafts([seen_of(held)], **given).count == 1
    finalize_invoice(acme.customer, held, at=DUE, by=ADA)
    assert "is final already" in release_drafts([seen], reason="Again", asked_at=DUE, at=DUE, by=ADA).left[0]


def test_only_what_the_page_has_sealed_is_taken_and_only_from_whoever_may(finance, held):
    for forged in ("", "x:y", signing.dumps([], salt="another")):
        assert finance.post(RELEASE, {"drafts": forged, "reason": "x"}).status_code == 400
    assert finance.get(RELEASE, {"draft": "x"}).status_code == 400
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_draftsummary"))
    viewer = Client()
    viewer.force_login(user)
    assert viewer.get(RELEASE).status_code == 403
    assert viewer.get(f"{RELEASE}{held}/").status_code == 403


def test_the_page_costs_the_same_for_one_and_for_three(finance, held, django_assert_num_queries):
    with django_assert_num_queries(6):
        finance.get(RELEASE, {"all": "1"})
    draft = DraftSummary.objects.get(pk=held)
    for _ in range(2):
        draft.pk = uuid7()
        draft.save(force_insert=True)
    with django_assert_num_queries(6):
        assert "USD 3 drafts $10,800.00 before tax" in words(finance.get(RELEASE, {"all": "1"}))
