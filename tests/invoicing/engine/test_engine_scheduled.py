"""Documents for amounts that are billed on their dates."""

import pytest

from billing_site.foundation.money import MixedUnits
from contracts.terms import ScheduledCharge
from invoicing.engine.inputs import Posted
from tests.invoicing.engine.world import (
    EUR,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    USD,
    computed,
    contract,
    fixed,
    given,
    on,
    prepaid,
    read,
    scheduled,
    uid,
)

SETUP = ScheduledCharge(uid("setup"), uid("Setup"), "", USD, (scheduled("500", OCTOBER), scheduled("250.5", NOVEMBER)))
SUPPORT = ScheduledCharge(uid("support"), uid("Setup"), "Support", USD, (scheduled("99", NOVEMBER),))
PRODUCTS = [fixed("Setup")]


def documents(posted=None, **terms):
    more = {} if posted is None else {"posted": posted}
    return computed(given(on(9, 15), [contract(rate_card_id=None, **terms)], [], PRODUCTS, **more)).documents


def test_charges_of_a_date_share_a_document_and_exist_in_advance():
    first, second = documents(charges=(SETUP, SUPPORT))
    assert (first.kind, first.type, first.issued_at, first.finalizes_at) == ("CHARGES", "SCHEDULED", OCTOBER, OCTOBER)
    assert read(first) == [("Setup", "", "1", "500", "500", "")]
    assert read(second) == [("Setup", "", "1", "250.5", "250.5", ""), ("Support", "", "1", "99", "99", "")]
    assert (second.total, second.slot, second.period) == (349.5, "2025-11-01T00:00:00+00:00", None)
    assert [line.charge_id for line in second.lines] == [uid("setup"), uid("support")]


def test_a_date_that_is_final_is_gone():
    posted = Posted(frozenset({(uid("Acme"), "CHARGES", "2025-10-01T00:00:00+00:00")}), {}, {})
    assert [document.issued_at for document in documents(posted=posted, charges=(SETUP,))] == [NOVEMBER]


def test_a_prepaid_commit_is_bought_on_its_dates():
    bought = prepaid("1000", invoice_items=(scheduled("800", OCTOBER),))
    (document,) = documents(commits=(bought,))
    assert read(document) == [("prepaid", "", "1", "800", "800", "PREPAID")]
    assert [(line.type, line.commit_id) for line in document.lines] == [("commit_purchase", bought.id)]
    assert document.entries == ()


def test_a_document_is_in_one_unit():
    euros = ScheduledCharge(uid("euros"), uid("Setup"), "", EUR, (scheduled("1", NOVEMBER),))
    with pytest.raises(MixedUnits, match=r"EUR and USD \(cents\)"):
        documents(charges=(SUPPORT, euros))


def test_documents_come_by_date():
    late = ScheduledCharge(uid("late"), uid("Setup"), "Late", USD, (scheduled("1", NEW_YEAR), scheduled("2", on(2, 1))))
    assert [document.issued_at for document in documents(charges=(late,))] == [on(2, 1), NEW_YEAR]
