"""The verbs of invoicing."""

from invoicing.services.alerts import AlertInput, archive_alert, create_alert, reset_alert
from invoicing.services.archiving import archive_contract
from invoicing.services.clock import ClockStep, move_clock
from invoicing.services.clock_moves import ask_to_move_clock, carry_on_moving, stop_clock_move
from invoicing.services.due import do_due_work, queue_due_work
from invoicing.services.finalization import (
    DocumentHeld,
    EarlierDocumentsOpen,
    GracePeriodOpen,
    NothingToFinalize,
    Outcome,
    PeriodHasFindings,
    finalize_due,
    finalize_invoice,
    named,
)
from invoicing.services.hand_notes import (
    AlreadyDecided,
    DocumentIsVoid,
    MoreThanWasBilled,
    NoteInput,
    NoteLineInput,
    approve_entered_note,
    enter_note,
    reject_entered_note,
)
from invoicing.services.holds import hold_draft, release_draft
from invoicing.services.notes import approve_note, dismiss_note
from invoicing.services.payments import (
    NothingToRelease,
    PaymentToldOtherwise,
    awaited_payment,
    customer_of_payment,
    record_outcome,
)
from invoicing.services.releases import queue_release, release_drafts
from invoicing.services.verification import Verification, verify_invoice
from invoicing.services.voiding import (
    NothingToRegenerate,
    NotVoided,
    OthersBuildOnIt,
    regenerate_invoice,
    void_invoice,
)

__all__ = [
    "AlertInput",
    "AlreadyDecided",
    "ClockStep",
    "DocumentHeld",
    "DocumentIsVoid",
    "EarlierDocumentsOpen",
    "GracePeriodOpen",
    "MoreThanWasBilled",
    "NotVoided",
    "NoteInput",
    "NoteLineInput",
    "NothingToFinalize",
    "NothingToRegenerate",
    "NothingToRelease",
    "OthersBuildOnIt",
    "Outcome",
    "PaymentToldOtherwise",
    "PeriodHasFindings",
    "Verification",
    "approve_entered_note",
    "approve_note",
    "archive_alert",
    "archive_contract",
    "ask_to_move_clock",
    "awaited_payment",
    "carry_on_moving",
    "create_alert",
    "customer_of_payment",
    "dismiss_note",
    "do_due_work",
    "enter_note",
    "finalize_due",
    "finalize_invoice",
    "hold_draft",
    "move_clock",
    "named",
    "queue_due_work",
    "queue_release",
    "record_outcome",
    "regenerate_invoice",
    "reject_entered_note",
    "release_draft",
    "release_drafts",
    "reset_alert",
    "stop_clock_move",
    "verify_invoice",
    "void_invoice",
]
