"""The lines of a usage document, and why each is what it is.

What a balance took is two lines, the covered usage and the balance applied to it (negative); what nobody covered is a
third. An applied prepaid balance is added into the total and so cancels what it covers; an applied postpaid commit is
shown and not added, because what counts toward it is still to be paid. Lines in a custom unit are shown and not added,
too: what is to be paid for them in money is on the conversion's line.

    rate type    quantity             unit price             beside them
    FLAT         units                of a unit
    TIERED       units of one tier    of the tier            the tier; its fee, within the total
    VOLUME       units                of the tier reached    the tier; its fee, within the total
    PACKAGE      packages begun       of a package           the size of a package
    PERCENTAGE   spend                the fraction           the tier, where there are several
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from billing_site.foundation.money import QUANTUM, round_to
from billing_site.foundation.periods import Period
from invoicing.engine.balances import Balance
from invoicing.engine.conversions import Conversion, conversions
from invoicing.engine.documents import Line, Part
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.rows import Reading, Row, grouped, rows
from invoicing.engine.shares import share_out
from invoicing.engine.takes import Take
from pricing.engine.catalog import Catalog
from pricing.engine.charges import Charge, charge_with_share
from pricing.engine.prices import Price
from pricing.engine.products import name_at
from pricing.engine.tariffs import FLAT, VOLUME

NO_FEE = round_to(Decimal(0), QUANTUM)


def usage_lines(draft: UsageDraft, catalog: Catalog) -> Iterator[Line]:
    """In the card's order of products, then composites, then conversions.

    A product without group keys that was not used has a line of zero.
    """
    found = rows(draft)
    converted = conversions(found, draft.seller.card.fiat)
    share_out(found, converted, draft)
    of_products = grouped(found, lambda row: row.item.product_id)
    for product_id in draft.product_order:
        for row in of_products.get(product_id, ()):
            yield from _lines_of(row, draft, catalog)
        if product_id not in of_products:
            yield from _zero_line(draft, product_id)
    for conversion in converted:
        yield from _conversion_lines(conversion, draft, catalog)


def _lines_of(row: Row, draft: UsageDraft, catalog: Catalog) -> Iterator[Line]:
    fees = [take.charge.fee for take in row.takes]
    covered = _line(
        row.item,
        row.reading,
        draft,
        total=row.amount,
        quantity=row.quantity,
        flat_fee=round_to(sum(fees, Fraction(0)), QUANTUM) if any(fees) else None,
        period=row.period,
        parts=tuple(_parts(row)),
        **payer_fields(row.payer),
    )
    yield covered
    if row.payer is not None:
        yield applied_line(covered, row.payer, catalog, row.drawn)


def _line(item: Item, reading: Reading, draft: UsageDraft, **numbers: Any) -> Line:
    """A line that says what it is about; `numbers` are the fields that depend on how much was used, and by whom."""
    fee = item.fee
    return Line(
        type="usage" if fee is None else "subscription",
        name=item.name,
        unit=reading.unit,
        counts=reading.unit == draft.seller.card.fiat,
        product_id=item.product_id,
        product_type=item.run.definition.type,
        subscription_id=None if fee is None else fee.subscription.id,
        is_prorated=fee is not None and fee.is_prorated,
        unit_price=reading.step.printed_price,
        list_price=reading.list_price,
        level=reading.step.level,
        package_size=reading.step.package_size,
        pricing_group_values=item.pricing_group_values,
        presentation_group_values=item.presentation_group_values,
        **numbers,
    )


def payer_fields(payer: Balance | None) -> dict[str, Any]:
    """What a line says of the balance that pays for it."""
    if payer is None:
        return {}
    commit = payer.commit
    return {
        "commit_id": commit.id,
        "commit_type": commit.type,
        "access_type": commit.access_type,
        "segment_id": payer.segment.id,
    }


def applied_line(covered: Line, payer: Balance, catalog: Catalog, drawn: Decimal = Decimal(0)) -> Line:
    """The balance applied to a line that it pays for."""
    commit = payer.commit
    assert covered.period is not None
    return Line(
        type="applied_commit_or_credit",
        name=commit.name or name_at(catalog.products[commit.product_id], covered.period.starting_at),
        total=-covered.total,
        unit=covered.unit,
        counts=covered.counts and commit.pays,
        product_id=covered.product_id,
        product_type=covered.product_type,
        quantity_consumed=drawn if payer.counts_units else None,
        period=covered.period,
        pricing_group_values=covered.pricing_group_values,
        presentation_group_values=covered.presentation_group_values,
        commit_id=covered.commit_id,
        commit_type=covered.commit_type,
        access_type=covered.access_type,
        segment_id=covered.segment_id,
        adjusts=covered.adjusts,
        subscription_id=covered.subscription_id,
    )


def _parts(row: Row) -> Iterator[Part]:
    for take, amount, quantity, metered in zip(row.takes, row.amounts, row.quantities, row.metered, strict=True):
        yield _part(take, row.item.total, amount, quantity, metered, take.shown_payer)


def _part(
    take: Take, total: Fraction, amount: Decimal, quantity: Decimal, metered: Decimal, payer: Balance | None
) -> Part:
    return part_of(
        take.charge,
        take.price,
        take.stretch.period,
        total,
        amount=amount,
        quantity=quantity,
        metric_quantity=metered,
        segment_id=None if payer is None else payer.segment.id,
        converted_by=take.paying.balance.segment.id if take.paying is not None and take.paying.converts else None,
    )


def part_of(charge: Charge, price: Price, period: Period, total: Fraction, **told: Any) -> Part:
    """A charge at a price, of `total` units in its period, beside what else is `told` of the part."""
    listed = charge.amount
    if not price.is_listed:
        listed = charge_with_share(price.list_steps(total), charge.above, charge.upto - charge.above, charge.share)
    return Part(
        period=period,
        unit_price=charge.step.price,
        list_price=price.list_price(charge.step, total),
        rate_id=price.rate.id,
        publication=price.rate.publication,
        published_by=price.rate.published_by,
        override_id=price.override.id if price.override is not None else None,
        losing_overrides=price.losing_overrides,
        rate_type=price.tariff.type,
        charged=price.charged,
        above=round_to(charge.above, QUANTUM),
        upto=round_to(charge.upto, QUANTUM),
        level=charge.step.level,
        fee=round_to(charge.fee, QUANTUM) if charge.fee else NO_FEE,
        package_size=charge.step.package_size,
        period_quantity=round_to(total, QUANTUM) if price.tariff.type == VOLUME else None,
        list_amount=round_to(listed, QUANTUM),
        share=round_to(charge.share, QUANTUM) if charge.is_shared else None,
        **told,
    )


def _conversion_lines(conversion: Conversion, draft: UsageDraft, catalog: Catalog) -> Iterator[Line]:
    payer = conversion.payer
    line = Line(
        type="cpu_conversion",
        name=f"{conversion.converted.name} in {conversion.unit.name}",
        total=conversion.amount,
        unit=conversion.unit,
        quantity=conversion.quantity,
        unit_price=round_to(conversion.exchange, QUANTUM),
        period=draft.open.period if payer is None else draft.open.period.overlap(payer.period),
        converted=conversion.converted,
        parts=tuple(_converted_parts(conversion)),
        **payer_fields(payer),
    )
    yield line
    if payer is not None:
        yield applied_line(line, payer, catalog)


def _converted_parts(conversion: Conversion) -> Iterator[Part]:
    """So much of the custom unit at so much money. What was metered, and in which tier, is said where it was used."""
    numbers = zip(conversion.takes, conversion.items, conversion.amounts, conversion.quantities, strict=True)
    for take, item, amount, quantity in numbers:
        part = _part(take, item.total, amount, quantity, Decimal(0), conversion.payer)
        yield part._replace(
            unit_price=round_to(conversion.exchange, QUANTUM),
            list_price=None,
            converted_by=None,
            list_amount=amount,
            rate_type=FLAT,
            level=None,
            fee=Decimal(0),
            package_size=None,
            period_quantity=None,
        )


def _zero_line(draft: UsageDraft, product_id: UUID) -> Iterator[Line]:
    """One line of zero at the first price of the period, where a product without group keys was not used."""
    for item in draft.plain_items(product_id):
        for stretch in item.stretches:
            if stretch.price is not None:
                step = stretch.price.steps(item.total)[0]
                reading = Reading(step, stretch.price.list_price(step, item.total), stretch.price.unit)
                period = Period(stretch.starting_at, draft.open.ending_before)
                of = draft.open.period if item.is_composite else period
                yield _line(item, reading, draft, total=Decimal(0), quantity=Decimal(0), period=of)
                return
