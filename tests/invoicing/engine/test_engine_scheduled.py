"""Documents for amounts that are billed on their dates."""

import pytest

from billing_site.foundation.money import MixedUnits
from contracts.fee_terms import ServiceInvoice, ServiceLine
from contracts.terms import ScheduledCharge
from invoicing.engine.inputs import Posted
from pricing.engine.catalog import ProductVersion
from tests.invoicing.engine.world import (
    EUR,
    NEW_YEAR,
    NOVEMBER,
    OCTOBER,
    USD,
    D,
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


def work(name: str, hours: str) -> ServiceLine:
    return ServiceLine(uid(name), uid("service"), uid("Work"), USD, D(hours) * 150, D(150), D(hours))


def test_each_invoice_of_services_is_a_document_of_its_own_and_gone_once_it_is_final():
    first, second = (
        ServiceInvoice(uid(name), NOVEMBER, tuple(work(f"{name} {hours}", hours) for hours in worked))
        for name, worked in (("design", ("10", "2.5")), ("training", ("4",)))
    )
    sold = ProductVersion(product_id=uid("Work"), type="PRO_SERVICE", name="Work", starting_at=None, publication=1)

    def read_of(*final: str) -> list[object]:
        posted = Posted(frozenset((uid("Acme"), "CHARGES", slot) for slot in final), {}, {})
        deal = contract(rate_card_id=None, service_invoices=(first, second))
        found = computed(given(on(9, 15), [deal], [], [sold], posted=posted)).documents
        return sorted((each.slot, each.total, [line.service for line in each.lines]) for each in found)

    both = [(first.slot, D(1875), list(first.lines)), (second.slot, D(600), list(second.lines))]
    assert read_of() == sorted(both)
    assert read_of(first.slot) == both[1:]
