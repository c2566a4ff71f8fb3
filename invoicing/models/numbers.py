"""Counters of document numbers: one for each customer and series, or one series for all customers of a legal entity."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.ids import uuid7
from contracts.models import Customer


class NumberSeries(models.Model):
    """Derived: the last document number given in a customer's series. Its row lock keeps numbers without gaps."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    series = models.CharField(max_length=16)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "number series"
        constraints = [models.UniqueConstraint(name="one_counter_a_customer_and_series", fields=["customer", "series"])]


class EntityNumber(models.Model):
    """A fact: a number that was given in a series of the legal entity, and to whom. See services/numbering.py."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    prefix = models.CharField(max_length=12)
    series = models.CharField(max_length=16)
    number = models.BigIntegerField()
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "number of the legal entity"
        verbose_name_plural = "numbers of the legal entity"
        constraints = [
            models.UniqueConstraint(name="an_entity_gives_a_number_once", fields=["prefix", "series", "number"]),
            models.CheckConstraint(name="an_entity_counts_from_one", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}-{self.series}-{self.number:06d}"
