"""Columns for composites, and for what accounting asks for. No row is rewritten."""

from django.db import migrations, models

from billing_site.foundation.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0006_named_schedules"),
    ]

    operations = [
        AddField(
            model_name="productversion",
            name="composite_product_ids",
            field=models.JSONField(default=list),
        ),
        AddField(
            model_name="productversion",
            name="composite_tags",
            field=models.JSONField(default=list),
        ),
        AddField(
            model_name="productversion",
            name="exclude_free_usage",
            field=models.BooleanField(default=False),
        ),
        AddField(
            model_name="productversion",
            name="include_composite_spend",
            field=models.BooleanField(default=False),
        ),
        AddField(
            model_name="productversion",
            name="is_refundable",
            field=models.BooleanField(default=True),
        ),
        AddField(
            model_name="productversion",
            name="netsuite_internal_item_id",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        AddField(
            model_name="productversion",
            name="netsuite_overage_item_id",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
    ]
