"""Commits and credits: checked, and made into rows.

    type       access schedule        invoice schedule
    PREPAID    segments (`access`)    what is paid for it, on which dates; absent: nothing (complimentary)
    CREDIT     segments               none: nobody pays for a credit
    POSTPAID   one segment            the true-up (`postpaid`)

What is paid for a prepaid commit need not be what it grants. With `do_not_invoice` its schedule says what was paid
elsewhere, and bills nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.problems import Problems
from contracts.gate_inputs import NONE
from contracts.inputs import CommitInput, TargetInput
from contracts.models import AccessSegment, Commit, InvoiceScheduleItem
from contracts.models.commit_attributes import BalanceAttributes
from contracts.queries import AgreedCommit
from contracts.services import access, postpaid, targeting
from contracts.services.checks import Deal, fixed_product, in_fiat, not_charged_yet, priced_product, short_text
from contracts.services.gates import gate_row
from contracts.services.schedules import dated_amounts
from pricing.engine.overrides import COMMIT_RATE, LIST_RATE

DEFAULT_PRIORITY = Decimal(100)
RATES_CHARGED = (LIST_RATE, COMMIT_RATE)


def commit_rows(given: CommitInput, position: int, deal: Deal, problems: Problems) -> AgreedCommit:
    """The rows of a commit or credit, not saved. What is wrong goes to `problems`."""
    if given.type not in Commit.Type.values:
        problems.add("type", given.type, "must be PREPAID or POSTPAID")
    entity = Entity.CONTRACT_CREDIT if given.type == Commit.Type.CREDIT else Entity.COMMIT
    check_custom_fields(problems, entity, given.custom_fields)
    commit = Commit(
        position=position,
        type=given.type,
        product_id=given.product_id,
        name=given.name,
        description=given.description,
        priority=DEFAULT_PRIORITY if given.priority is None else given.priority,
        rate_type=given.rate_type,
        rollover_fraction=given.rollover_fraction,
        unit=deal.fiat,
        custom_fields=dict(given.custom_fields),
        netsuite_sales_order_id=given.netsuite_sales_order_id,
    )
    check_attributes(commit, deal, problems)
    target(commit, given.applicable_product_ids, given.applicable_product_tags, given.specifiers, deal, problems)
    fill = _fill_postpaid if given.type == Commit.Type.POSTPAID else _fill_prepaid
    filled = fill(commit, given, deal, problems)
    return replace(filled, gate=gate_row(given.payment_gate_config, filled, problems))


def target(
    commit: BalanceAttributes,
    product_ids: Sequence[UUID],
    tags: Sequence[str],
    specifiers: Sequence[TargetInput],
    deal: Deal,
    problems: Problems,
) -> None:
    """Say what a commit or credit is for; none of the three: everything."""
    if specifiers and (product_ids or tags):
        problems.add(
            "specifiers",
            f"{len(specifiers)} specifiers",
            "cannot be combined with applicable_product_ids or applicable_product_tags",
        )
    for index, product_id in enumerate(product_ids):
        priced_product(problems, f"applicable_product_ids[{index}]", product_id, deal)
    commit.applicable_product_ids = [str(product_id) for product_id in product_ids]
    commit.applicable_product_tags = targeting.tags(problems, "applicable_product_tags", tags)
    commit.specifiers = targeting.specifiers(problems, "specifiers", specifiers, deal)


def check_attributes(commit: BalanceAttributes, deal: Deal, problems: Problems) -> None:
    """What a commit or credit is called, billed as, ranked by and charged at."""
    fixed_product(problems, commit.product_id, deal)
    short_text(problems, "name", commit.name)
    short_text(problems, "description", commit.description, length=10_000)
    short_text(problems, "netsuite_sales_order_id", commit.netsuite_sales_order_id)
    problems.number("priority", commit.priority)
    fraction = commit.rollover_fraction
    if fraction is not None and problems.number("rollover_fraction", fraction) and not 0 <= fraction <= 1:
        problems.add("rollover_fraction", fraction, "must be a fraction from 0 to 1: 0.5 is a half")
    charged_at(problems, commit.rate_type)


def charged_at(problems: Problems, rate_type: str) -> None:
    """What of a rate is charged while it pays."""
    if rate_type not in RATES_CHARGED:
        problems.add("rate_type", rate_type, f"must be one of {', '.join(RATES_CHARGED)}")


def _fill_prepaid(commit: Commit, given: CommitInput, deal: Deal, problems: Problems) -> AgreedCommit:
    inner = problems.within("access_schedule")
    commit.access_type = access.access_type(given.access_schedule, inner)
    commit.unit = access.held_in(given.access_schedule, deal, inner)
    commit.invoice_unit = None if commit.unit == deal.fiat else deal.fiat
    segments = access.segment_rows(given.access_schedule, commit, inner)
    return AgreedCommit(commit, segments, _invoice_rows(commit, given, deal, problems))


def _invoice_rows(
    commit: Commit, given: CommitInput, deal: Deal, problems: Problems
) -> tuple[InvoiceScheduleItem, ...]:
    schedule = given.invoice_schedule
    if schedule is None:
        return ()
    if commit.is_credit:
        problems.add("invoice_schedule", "a schedule", "must not be given for a credit, which is never invoiced")
        return ()
    inner = problems.within("invoice_schedule")
    in_fiat(inner, schedule.credit_type_id, deal)
    items = dated_amounts(schedule, deal.fiat.to_unit(), inner)
    commit.is_invoiced = not schedule.do_not_invoice
    is_alone = given.payment_gate_config is not None and given.payment_gate_config.payment_gate_type != NONE
    if commit.is_invoiced and not is_alone:  # what has a document of its own is no matter of a date
        not_charged_yet(inner, (item.issued_at for item in items), deal)
    rows = (InvoiceScheduleItem(commit=commit, position=index, **item.columns()) for index, item in enumerate(items))
    return tuple(rows)


def _fill_postpaid(commit: Commit, given: CommitInput, deal: Deal, problems: Problems) -> AgreedCommit:
    segment = postpaid.the_segment(given.access_schedule, deal, problems.within("access_schedule"))
    true_up = postpaid.the_true_up(given.invoice_schedule, segment, deal, problems.within("invoice_schedule"))
    segments: tuple[AccessSegment, ...] = (access.segment_row(segment, commit),) if segment is not None else ()
    items = (InvoiceScheduleItem(commit=commit, **true_up.columns()),) if true_up is not None else ()
    return AgreedCommit(commit, segments, items)
