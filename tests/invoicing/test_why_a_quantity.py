"""An explanation says how a product was sold when its usage came, whatever it is sold in since."""

from decimal import Decimal as D

import pytest

from invoicing.portal.why import WhyCard
from invoicing.queries.documents import drafts_of
from invoicing.queries.explained import explained_row
from invoicing.services import finalize_invoice
from pricing import services
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


def sold_in(acme, name, since, *, told_at):
    conversion = services.QuantityConversion(D(10), "DIVIDE", name)
    changes = {"quantity_conversion": conversion}
    services.update_product(acme.prices.calls.pk, starting_at=since, changes=changes, at=told_at, by=ADA)


def sentences(acme, document_id):
    return WhyCard.of(explained_row(acme.customer.pk, document_id, 0, at=at("2025-11-04"))).metered


def test_the_conversion_of_a_draft_is_that_of_its_period(acme):
    acme.calls("2025-10-10T05", 40)
    sold_in(acme, "tens", OCTOBER, told_at=OCTOBER)
    sold_in(acme, "dozens", DECEMBER, told_at=at("2025-10-20"))
    (october, _) = drafts_of(acme.customer.pk, at=at("2025-11-01"))
    assert sentences(acme, october.id)[1:] == ("Sold in tens: what is measured is divided by 10.",)


def test_a_final_document_keeps_what_was_known_of_it(acme):
    acme.calls("2025-10-10T05", 40)
    (october, _) = drafts_of(acme.customer.pk, at=at("2025-11-03"))
    finalize_invoice(acme.customer.pk, october.id, at=at("2025-11-03"), by=ADA)
    sold_in(acme, "tens", OCTOBER, told_at=NOVEMBER)
    assert sentences(acme, october.id)[1:] == ()
