"""The events behind a line in finished words: alike for the customer and the back office."""

from dataclasses import dataclass
from datetime import UTC, datetime

from billing_site.foundation.display import instant_text, month_text, quantity_text
from invoicing.queries.behind import EventsPage, cursor_of
from ledger.metering import encode


@dataclass(frozen=True, slots=True)
class EventRow:
    when: str
    subject: str
    id: str
    type: str
    properties: str
    is_corrected: bool
    quantity: str  # its part of what was metered for the line


@dataclass(frozen=True, slots=True)
class EventsCard:
    """A page of them. `dropped` are the months whose events are no longer kept."""

    total: str
    rows: tuple[EventRow, ...]
    dropped: tuple[str, ...]
    after: str | None  # where the next page begins

    @classmethod
    def of(cls, page: EventsPage) -> "EventsCard":
        return cls(
            total=quantity_text(page.metric_quantity),
            rows=tuple(
                EventRow(
                    when=instant_text(behind.event.timestamp),
                    subject=behind.event.subject,
                    id=behind.event.transaction_id,
                    type=behind.event.event_type,
                    properties=encode(behind.event.properties).decode(),
                    is_corrected=behind.event.correction > 0,
                    quantity=quantity_text(behind.metric_quantity),
                )
                for behind in page.events
            ),
            dropped=tuple(month_text(datetime(day.year, day.month, 1, tzinfo=UTC)) for day in page.dropped),
            after=cursor_of(page),
        )
