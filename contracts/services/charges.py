"""Scheduled charges: checked, and made into rows."""

from billing_site.foundation.problems import Problems
from contracts.inputs import ScheduledChargeInput
from contracts.models import ScheduledCharge, ScheduledChargeItem
from contracts.queries import AgreedCharge
from contracts.services.checks import Deal, fixed_product, in_fiat, not_charged_yet, short_text
from contracts.services.schedules import dated_amounts


def charge_rows(given: ScheduledChargeInput, position: int, deal: Deal, problems: Problems) -> AgreedCharge:
    """The rows of a scheduled charge, not saved. What is wrong goes to `problems`."""
    fixed_product(problems, given.product_id, deal)
    short_text(problems, "name", given.name)
    problems.custom_fields(given.custom_fields)
    inner = problems.within("schedule")
    in_fiat(inner, given.schedule.credit_type_id, deal)
    if given.schedule.do_not_invoice:
        inner.add("do_not_invoice", True, "must be false: a scheduled charge is always invoiced")
    items = dated_amounts(given.schedule, deal.fiat.to_unit(), inner)
    not_charged_yet(inner, (item.issued_at for item in items), deal)
    charge = ScheduledCharge(
        position=position,
        product_id=given.product_id,
        name=given.name,
        unit=deal.fiat,
        custom_fields=dict(given.custom_fields),
    )
    rows = (ScheduledChargeItem(charge=charge, position=index, **item.columns()) for index, item in enumerate(items))
    return AgreedCharge(charge, tuple(rows))
