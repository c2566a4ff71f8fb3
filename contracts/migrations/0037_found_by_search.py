"""What customers, contracts and balances are searched by: words of names, ids of other systems, subjects, and values of
custom fields. Written while others write."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models

from billing_site.foundation.indexes import AddIndexBesideWriters


def words(name: str) -> GinIndex:
    return GinIndex(SearchVector("name", config="simple"), name=name)


def beginning(name: str, column: str) -> models.Index:
    return models.Index(name=name, fields=[column], opclasses=["text_pattern_ops"])


def values(name: str) -> GinIndex:
    return GinIndex(fields=["custom_fields"], name=name)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contracts", "0036_professional_services")]
    operations = [
        AddIndexBesideWriters(model, index)
        for model, index in (
            ("claim", beginning("claims_by_subject", "subject")),
            ("commit", words("commits_by_words_of_names")),
            ("commit", beginning("commits_by_sales_order", "netsuite_sales_order_id")),
            ("contract", values("contracts_by_custom_fields")),
            ("contract", beginning("contracts_by_opportunity", "salesforce_opportunity_id")),
            ("contract", beginning("contracts_by_sales_order", "netsuite_sales_order_id")),
            ("contractterms", words("terms_by_words_of_names")),
            ("customer", words("customers_by_words_of_names")),
            ("customer", values("customers_by_custom_fields")),
            ("customer", beginning("customers_by_account", "salesforce_account_id")),
        )
    ]
