"""Back to what the first migrations made, and on again: one walk for all, as it is the longest of the tests."""

from decimal import Decimal as D

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from contracts.models import Override
from pricing.engine.tariffs import flat
from tests.factories.contracts import OverrideFactory
from tests.factories.invoicing import InvoiceFactory


def triggers(stem: str = "") -> set[tuple[str, str]]:
    """Table and name of each trigger of ours. Partitions are made as events come, and go with their table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND NOT relispartition AND starts_with(relname, %s)",
            [stem],
        )
        return set(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_terms_and_documents_go_back_to_their_tables_alone_and_on_again():
    override = OverrideFactory(type="OVERWRITE", price=D(3))
    before = triggers()
    try:
        call_command("migrate", "contracts", "0001", verbosity=0)
        call_command("migrate", "invoicing", "0001", verbosity=0)
        assert triggers("contracts") | triggers("invoicing_invoice") == set()
    finally:
        call_command("migrate", verbosity=0)
    assert triggers() == before != set()
    # Of before there were types of prices, an override has a flat one.
    assert Override.objects.get(pk=override.pk).to_tariff() == flat(D(3))
    with pytest.raises(IntegrityError, match="never overwritten"), transaction.atomic():
        Override.objects.filter(pk=override.pk).update(position=1)
    with transaction.atomic():
        invoice = InvoiceFactory(number="INV-000002")
    with pytest.raises(IntegrityError, match="append-only"):
        invoice.save()
