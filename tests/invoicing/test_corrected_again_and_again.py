"""A shop of the state machine whose closed month is corrected several times, held to the billing model at each step."""

from decimal import Decimal as D

import pytest

from tests.invoicing.conftest import OCTOBER, at
from tests.invoicing.test_state_machine import AShop


@pytest.mark.django_db(transaction=True)
def test_a_shop_whose_october_is_corrected_again_and_again():
    """October was 80 for tokens, 10 for calls and 120 for 40 bytes; the balance has paid 150, of it 60 for 20 bytes.

    What is changed, one after another, each since 1 October:

    a byte costs 2         dismissed
    a byte costs 1         40 less to pay for 20 bytes, 40 given back for the others; then 8 calls come late
    half off               less again, without the 8 calls
    a byte costs 7         more, of which the balance pays for its 20 bytes; November bills the 8 calls
    """
    shop = AShop()
    shop.open(is_known=True)

    def holds():
        shop.what_is_owed_and_left_is_what_the_model_says()
        shop.final_documents_stay_and_their_numbers_have_no_gap()

    shop._price("Bytes", OCTOBER, D(2))
    assert shop._decide("dismissed", min) is not None
    shop._price("Bytes", OCTOBER, D(1))
    first = shop._decide("approved", min)
    assert (first.document.total, [each.amount for each in first.document.entries]) == (-40, [40])
    holds()
    shop._send("Calls", at("2025-10-20"), D(8))
    holds()
    shop._void_is_refused(shop._finals().get(number="CN-000001"))
    shop._multiply(OCTOBER, D("0.5"))
    assert shop._decide("approved", min).document.total < 0
    holds()
    shop._price("Bytes", OCTOBER, D(7))
    assert shop._decide("approved", min).document.total > 0
    holds()
    shop.wait_for_the_next_document(0)
    holds()
    assert shop.model.is_exact
    assert list(shop.kept) == ["INV-000001", "CN-000001", "CN-000002", "DN-000001", "INV-000002"]
    shop.teardown()
