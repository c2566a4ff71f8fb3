"""The verbs of invoicing."""

from invoicing.services.clock import ClockStep, move_clock
from invoicing.services.due import do_due_work, queue_due_work
from invoicing.services.finalization import (
    EarlierDocumentsOpen,
    GracePeriodOpen,
    NothingToFinalize,
    Outcome,
    PeriodHasFindings,
    finalize_due,
    finalize_invoice,
)

__all__ = [
    "ClockStep",
    "EarlierDocumentsOpen",
    "GracePeriodOpen",
    "NothingToFinalize",
    "Outcome",
    "PeriodHasFindings",
    "do_due_work",
    "finalize_due",
    "finalize_invoice",
    "move_clock",
    "queue_due_work",
]
