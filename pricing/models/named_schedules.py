"""Named schedules: values of any kind over time that people keep at a rate card."""

from django.db import models

from billing_site.foundation.columns import ends_after_it_starts, is_json, on_the_hour
from billing_site.foundation.ids import uuid7
from pricing.models.publications import Publication
from pricing.models.rate_cards import RateCard


class NamedScheduleSegment(models.Model):
    """What a schedule of a rate card says over a range. Of two that cover an instant, the one published later
    holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="named_schedule_segments")
    schedule_name = models.CharField(max_length=160)
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    value = models.TextField(help_text="JSON, with every digit as it was sent.")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="named_schedule_segments")

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_json("value"),
            # Of two, neither would be the later one.
            models.UniqueConstraint(
                name="a_publication_writes_a_named_schedule_once",
                fields=["rate_card", "schedule_name", "publication"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_name} from {self.starting_at:%Y-%m-%d %H:%M} UTC"
