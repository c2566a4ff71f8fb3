"""The currencies a rate card can be in, and the counter of publications.

Minor units are those of ISO 4217 as of November 2026. On the wire USD is in cents, every other currency in
whole units, as in the compatible API.
"""

from datetime import UTC, datetime

from django.db import migrations

from billing_site.foundation.ids import derived_id
from pricing.units import USD_ID

EVER_SINCE = datetime(2000, 1, 1, tzinfo=UTC)

MINOR_EXPONENTS = {
    "AED": 2,
    "ARS": 2,
    "AUD": 2,
    "BHD": 3,
    "BRL": 2,
    "CAD": 2,
    "CHF": 2,
    "CLP": 0,
    "CNY": 2,
    "COP": 2,
    "CZK": 2,
    "DKK": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "HUF": 2,
    "IDR": 2,
    "ILS": 2,
    "INR": 2,
    "ISK": 0,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "MXN": 2,
    "MYR": 2,
    "NOK": 2,
    "NZD": 2,
    "PHP": 2,
    "PLN": 2,
    "RON": 2,
    "SAR": 2,
    "SEK": 2,
    "SGD": 2,
    "THB": 2,
    "TND": 3,
    "TRY": 2,
    "TWD": 2,
    "VND": 0,
    "ZAR": 2,
}


def seed(apps, schema_editor):
    unit = apps.get_model("pricing", "PricingUnit")
    common = {"is_currency": True, "created_at": EVER_SINCE, "created_by": "Countinghouse"}
    unit.objects.bulk_create(
        [
            unit(id=USD_ID, name="USD (cents)", code="USD", wire_exponent=2, minor_exponent=2, **common),
            *(
                unit(
                    id=derived_id("currency", code),
                    name=code,
                    code=code,
                    wire_exponent=0,
                    minor_exponent=minor_exponent,
                    **common,
                )
                for code, minor_exponent in MINOR_EXPONENTS.items()
            ),
        ]
    )
    apps.get_model("pricing", "PublicationCounter").objects.get_or_create(id=True)


def unseed(apps, schema_editor):
    codes = ["USD", *MINOR_EXPONENTS]
    apps.get_model("pricing", "PricingUnit").objects.filter(code__in=codes, is_currency=True).delete()
    apps.get_model("pricing", "PublicationCounter").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("pricing", "0002_append_only_facts")]
    operations = [migrations.RunPython(seed, unseed)]
