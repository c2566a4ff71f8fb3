"""Columns for composites, and for what accounting asks for. No row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0006_named_schedules"),
    ]

    operations = [
        migrations.AddField(
            model_name="productversion",
            name="composite_product_ids",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="productversion",
            name="composite_tags",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="productversion",
            name="exclude_free_usage",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="productversion",
            name="include_composite_spend",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="productversion",
            name="is_refundable",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="productversion",
            name="netsuite_internal_item_id",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="productversion",
            name="netsuite_overage_item_id",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
    ]
