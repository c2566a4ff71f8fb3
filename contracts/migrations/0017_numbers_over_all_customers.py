"""How documents are counted is a setting of the legal entity. Its table has one row at the most."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField

NUMBERING = {
    "choices": [
        ("PER_CUSTOMER", "for each customer: INV-000001"),
        ("PER_LEGAL_ENTITY", "for all customers, with a prefix: DE-INV-000001"),
    ],
    "default": "PER_CUSTOMER",
    "help_text": "How documents are counted from now on, without gaps. Numbers that were given stay as they are.",
    "max_length": 16,
}
PREFIX = {
    "blank": True,
    "default": "",
    "help_text": "For numbers over all customers: 1 to 12 capital letters and digits, as DE in DE-INV-000001. Each "
    "prefix counts from 1, and one that is taken again goes on where it was left.",
    "max_length": 12,
}


class Migration(migrations.Migration):
    dependencies = [("contracts", "0016_contracts_are_archived_by_edits")]

    operations = [
        AddField("historicallegalentity", "number_prefix", models.CharField(**PREFIX)),
        AddField("historicallegalentity", "numbering", models.CharField(**NUMBERING)),
        AddField("legalentity", "number_prefix", models.CharField(**PREFIX)),
        AddField("legalentity", "numbering", models.CharField(**NUMBERING)),
        AddConstraint(
            "legalentity",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("number_prefix", ""), ("numbering", "PER_CUSTOMER")),
                    models.Q(("number_prefix__regex", "^[A-Z0-9]{1,12}$"), ("numbering", "PER_LEGAL_ENTITY")),
                    _connector="OR",
                ),
                name="numbers_over_all_customers_have_a_prefix",
                violation_error_message="Numbers over all customers need a prefix of 1 to 12 capital letters and "
                "digits; numbers for each customer have none.",
            ),
        ),
    ]
