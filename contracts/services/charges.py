"""Scheduled charges and discounts: checked, made into rows, and changed (`docs/scheduled_charges.md`)."""

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.problems import Problems
from contracts.inputs import UNCHANGED, ChargeChangeInput, InvoicesChangeInput, ScheduledChargeInput
from contracts.models import ChargeVersion, ScheduledCharge, ScheduledChargeItem
from contracts.queries import AgreedCharge
from contracts.services.checks import Deal, fixed_product, in_fiat, not_charged_yet, short_text
from contracts.services.schedule_changes import RowChange, changed_charge_items
from contracts.services.schedules import dated_amounts

UPDATES = "update_scheduled_charges"


@dataclass(frozen=True, slots=True)
class ChargeChange:
    """A change that has passed every check. Nothing is written yet."""

    charged: AgreedCharge  # as it stands
    items: RowChange
    versions: RowChange

    def after(self) -> AgreedCharge:
        """The charge as it would stand; its new rows need their edit."""
        items: list[ScheduledChargeItem] = self.items.after(self.charged.items)
        charge = copy(self.charged.charge)
        for version in self.versions.added:
            charge.netsuite_sales_order_id = version.netsuite_sales_order_id
        return AgreedCharge(charge, tuple(sorted(items, key=lambda item: item.position)))


def entity_of(charge: ScheduledCharge) -> Entity:
    """What its custom fields are of."""
    return Entity.DISCOUNT if charge.is_discount else Entity.SCHEDULED_CHARGE


def charge_rows(
    given: ScheduledChargeInput, position: int, deal: Deal, problems: Problems, *, is_discount: bool = False
) -> AgreedCharge:
    """The rows of a scheduled charge or discount, not saved. What is wrong goes to `problems`."""
    fixed_product(problems, given.product_id, deal)
    short_text(problems, "name", given.name)
    short_text(problems, "netsuite_sales_order_id", given.netsuite_sales_order_id)
    inner = problems.within("schedule")
    in_fiat(inner, given.schedule.credit_type_id, deal)
    if given.schedule.do_not_invoice:
        noun = "discount" if is_discount else "scheduled charge"
        inner.add("do_not_invoice", True, f"must be false: a {noun} is always invoiced")
    items = dated_amounts(given.schedule, deal.fiat.to_unit(), inner)
    not_charged_yet(inner, (item.issued_at for item in items), deal)
    charge = ScheduledCharge(
        position=position,
        product_id=given.product_id,
        name=given.name,
        unit=deal.fiat,
        custom_fields=dict(given.custom_fields),
        netsuite_sales_order_id=given.netsuite_sales_order_id,
        is_discount=is_discount,
    )
    check_custom_fields(problems, entity_of(charge), given.custom_fields)
    rows = (ScheduledChargeItem(charge=charge, position=index, **item.columns()) for index, item in enumerate(items))
    return AgreedCharge(charge, tuple(rows))


def plan_charge_changes(
    given: Sequence[ChargeChangeInput],
    standing: Sequence[AgreedCharge],
    deal: Deal,
    problems: Problems,
    *,
    archived: Collection[UUID],
    at: datetime,
) -> list[ChargeChange]:
    """What is to be changed of a contract's charges. What is wrong goes to `problems`."""
    by_id = {charged.charge.pk: charged for charged in standing}
    changes: dict[UUID, ChargeChange] = {}
    for index, change in enumerate(given):
        inner, charged = problems.within(f"{UPDATES}[{index}]"), by_id.get(change.id)
        if charged is None:
            inner.add(
                "scheduled_charge_id", change.id, "must be the id of a scheduled charge or discount of the contract"
            )
        elif change.id in changes:
            inner.add("scheduled_charge_id", change.id, "must be there only once")
        elif change.id in archived:
            inner.add("scheduled_charge_id", change.id, "cannot be changed by the edit that archives it")
        elif change.invoice_schedule == InvoicesChangeInput() and change.netsuite_sales_order_id is UNCHANGED:
            inner.add("invoice_schedule", None, "is required: say what of the schedule changes, or of the sales order")
        else:
            schedule = inner.within("invoice_schedule")
            rows = changed_charge_items(charged.items, change.invoice_schedule, charged.charge, deal, schedule, at=at)
            changes[change.id] = ChargeChange(charged, rows, _sold_by(charged.charge, change, inner))
    return list(changes.values())


def _sold_by(charge: ScheduledCharge, change: ChargeChangeInput, problems: Problems) -> RowChange:
    """A version in place of the one that stands, where another order is named. One query, or none."""
    order = change.netsuite_sales_order_id
    if order is UNCHANGED or (order or "") == charge.netsuite_sales_order_id:
        return RowChange()
    short_text(problems, "netsuite_sales_order_id", order or "")
    standing = tuple(ChargeVersion.objects.standing().filter(charge=charge))
    return RowChange(standing, (ChargeVersion(charge=charge, netsuite_sales_order_id=order or ""),))
