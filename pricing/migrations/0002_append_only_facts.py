"""The database holds the price list's facts, and its history, to being only inserted."""

from django.db import migrations

from billing_site.foundation.facts import append_only


class Migration(migrations.Migration):
    dependencies = [("pricing", "0001_catalog"), ("foundation", "0002_append_only_facts")]
    operations = append_only(
        "pricing_publication",
        "pricing_productversion",
        "pricing_ratecardalias",
        "pricing_rate",
        "pricing_ratewithdrawal",
        "pricing_historicalpricingunit",
        "pricing_historicalbillablemetric",
        "pricing_historicalpricechange",
        "pricing_historicalproduct",
        "pricing_historicalratecard",
    )
