"""One read is one snapshot: while terms change, nobody sees a total that is neither before nor after."""

import threading
from decimal import Decimal as D

import pytest
from django.db import connection

from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    EditInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    OverrideInput,
    SegmentInput,
    TargetInput,
)
from contracts.queries import agreement
from contracts.services import edit_contract
from invoicing.queries import compute
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at

EDITS = 200


@pytest.mark.django_db(transaction=True)
def test_readers_see_every_edit_whole(acme):
    acme.uses_tokens("2025-10-03T05", 100)  # 4,000 at list
    acme.calls("2025-10-07T00", 500)  # 1,000 at list
    commitment = FixedProductFactory()
    now = at("2025-10-20")
    done, problems, seen = threading.Event(), [], [set(), set()]

    def deal():
        """A commitment and half price for both products: one edit, and rows of several tables."""
        segment = SegmentInput(amount=D(10_000), starting_at=OCTOBER, ending_before=JANUARY)
        return EditInput(
            add_commits=(
                CommitInput(
                    type="POSTPAID",
                    product_id=commitment.pk,
                    access_schedule=AccessScheduleInput((segment,)),
                    invoice_schedule=InvoiceScheduleInput((InvoiceItemInput(JANUARY, amount=D(10_000)),)),
                ),
            ),
            add_overrides=tuple(
                OverrideInput(
                    type="MULTIPLIER",
                    multiplier=D("0.5"),
                    starting_at=OCTOBER,
                    override_specifiers=(TargetInput(product_id=product.pk),),
                )
                for product in (acme.prices.tokens, acme.prices.calls)
            ),
        )

    def no_deal():
        agreed = agreement(acme.customer.pk, acme.contract.pk)
        return EditInput(
            archive_commits=tuple(committed.commit.pk for committed in agreed.commits),
            remove_overrides=tuple(override.pk for override in agreed.overrides),
        )

    def on_and_off():
        for _ in range(EDITS // 2):
            edit_contract(acme.customer, acme.contract.pk, deal(), at=now, by=ADA)
            edit_contract(acme.customer, acme.contract.pk, no_deal(), at=now, by=ADA)

    def read(totals):
        while not done.wait(0.05):  # the editor needs the interpreter too
            drafts = compute(acme.customer.pk, at=now).documents
            totals.add(tuple((draft.kind, draft.total) for draft in drafts))

    def guarded(work, *arguments):
        try:
            work(*arguments)
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    readers = [threading.Thread(target=guarded, args=(read, totals)) for totals in seen]
    editor = threading.Thread(target=guarded, args=(on_and_off,))
    for thread in (*readers, editor):
        thread.start()
    editor.join(120)
    done.set()
    for thread in readers:
        thread.join(30)
    assert problems == []
    without, with_deal = (("USAGE", D(5_000)),), (("USAGE", D(2_500)), ("TRUE_UP", D(7_500)))
    assert seen[0] == seen[1] == {without, with_deal}
