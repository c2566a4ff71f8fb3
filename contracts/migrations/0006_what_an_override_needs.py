"""What the database refuses of an override, kind by kind."""

from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import AddConstraint


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0005_overwritten_prices_were_flat"),
    ]

    operations = [
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("package_size")))),
                name="override_package_size_is_a_number",
                violation_error_message="package_size must be a number.",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("quantity")))),
                name="override_quantity_is_a_number",
                violation_error_message="quantity must be a number.",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(billing_site.foundation.columns._NumbersAreText(models.F("tiers"), key="multiplier")),
                    models.Q(billing_site.foundation.columns._NumbersAreText(models.F("tiers"), key="size")),
                ),
                name="override_tiers_keep_numbers_as_text",
                violation_error_message="tiers must be a list with its numbers as text.",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(billing_site.foundation.columns._NumbersAreText(models.F("rate_tiers"), key="price")),
                    models.Q(billing_site.foundation.columns._NumbersAreText(models.F("rate_tiers"), key="size")),
                    models.Q(billing_site.foundation.columns._NumbersAreText(models.F("rate_tiers"), key="flat_fee")),
                ),
                name="override_rate_tiers_keep_numbers_as_text",
                violation_error_message="rate_tiers must be a list with its numbers as text.",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["", "MULTIPLIER", "OVERWRITE", "TIERED"])),
                name="override_type_is_known",
                violation_error_message="type must be one of , MULTIPLIER, OVERWRITE, TIERED.",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("target__in", ["LIST_RATE", "COMMIT_RATE"])),
                name="override_target_is_known",
                violation_error_message="target must be one of LIST_RATE, COMMIT_RATE.",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__isnull", True), ("priority__gt", 0), _connector="OR"),
                name="a_priority_is_above_zero",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("multiplier__isnull", False), ("rate_type", ""), ("tiers", []), ("type", "MULTIPLIER")),
                    models.Q(
                        ("multiplier__isnull", True),
                        ("priority__isnull", False),
                        ("rate_type", ""),
                        ("type", "TIERED"),
                        models.Q(("tiers", []), _negated=True),
                    ),
                    models.Q(
                        ("multiplier__isnull", True),
                        ("tiers", []),
                        ("type", "OVERWRITE"),
                        ("unit__isnull", False),
                        models.Q(("rate_type", ""), _negated=True),
                    ),
                    models.Q(
                        ("entitled__isnull", False),
                        ("multiplier__isnull", True),
                        ("rate_type", ""),
                        ("tiers", []),
                        ("type", ""),
                    ),
                    _connector="OR",
                ),
                name="an_override_says_what_its_type_needs",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("is_prorated__isnull", True),
                        ("package_size__isnull", True),
                        ("price__isnull", True),
                        ("quantity__isnull", True),
                        ("rate_tiers", []),
                        ("rate_type", ""),
                    ),
                    models.Q(
                        ("is_prorated__isnull", True),
                        ("package_size__isnull", True),
                        ("price__isnull", False),
                        ("quantity__isnull", True),
                        ("rate_tiers", []),
                        ("rate_type", "FLAT"),
                    ),
                    models.Q(
                        ("is_prorated__isnull", True),
                        ("package_size__isnull", True),
                        ("price__isnull", False),
                        ("quantity__isnull", True),
                        ("rate_tiers", []),
                        ("rate_type", "PERCENTAGE"),
                    ),
                    models.Q(
                        ("is_prorated__isnull", True),
                        ("package_size__isnull", False),
                        ("price__isnull", False),
                        ("quantity__isnull", True),
                        ("rate_tiers", []),
                        ("rate_type", "PACKAGE"),
                    ),
                    models.Q(
                        ("is_prorated__isnull", False),
                        ("package_size__isnull", True),
                        ("price__isnull", False),
                        ("quantity__isnull", False),
                        ("rate_tiers", []),
                        ("rate_type", "SUBSCRIPTION"),
                    ),
                    models.Q(
                        models.Q(
                            models.Q(
                                ("is_prorated__isnull", True),
                                ("package_size__isnull", True),
                                ("price__isnull", True),
                                ("quantity__isnull", True),
                                ("rate_type", "TIERED"),
                            ),
                            models.Q(
                                ("is_prorated__isnull", True),
                                ("package_size__isnull", True),
                                ("price__isnull", True),
                                ("quantity__isnull", True),
                                ("rate_type", "VOLUME"),
                            ),
                            models.Q(
                                ("is_prorated__isnull", True),
                                ("package_size__isnull", True),
                                ("price__isnull", True),
                                ("quantity__isnull", True),
                                ("rate_type", "TIERED_PERCENTAGE"),
                            ),
                            _connector="OR",
                        ),
                        models.Q(("rate_tiers", []), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="an_overwritten_tariff_says_what_its_type_needs",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("target", "LIST_RATE"), ("is_commit_specific", True), _connector="OR"),
                name="only_a_balance_that_pays_has_a_commit_rate",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_commit_specific", False), ("entitled__isnull", True), _connector="OR"),
                name="entitlement_does_not_depend_on_who_pays",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_commit_specific", True),
                    models.Q(
                        ("specifiers__contains", [{"commit_ids": []}]),
                        ("specifiers__contains", [{"recurring_commit_ids": []}]),
                        ("specifiers__contains", [{"any_commit_or_credit_ids": []}]),
                        _connector="OR",
                        _negated=True,
                    ),
                    _connector="OR",
                ),
                name="only_commit_specific_overrides_name_balances",
            ),
        ),
        AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type", "OVERWRITE"), _negated=True), ("applicable_product_tags", []), _connector="OR"
                ),
                name="prices_are_not_overwritten_by_tag",
            ),
        ),
    ]
