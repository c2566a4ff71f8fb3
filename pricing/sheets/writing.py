"""The prices of a card as a sheet."""

import csv
import io
from collections.abc import Sequence

from billing_site.foundation.display import plain_text
from billing_site.foundation.money import major_amount
from pricing.engine.tariffs import FLAT, PERCENTAGE
from pricing.queries import PriceSegment
from pricing.sheets.cells import (
    ENTITLED,
    FREQUENCY,
    PRICE,
    PRODUCT,
    PRODUCT_ID,
    RATE_TYPE,
    UNIT,
    column_of,
    guarded,
)


def price_sheet(segments: Sequence[PriceSegment]) -> str:
    """The prices in force as CSV, one a row. Those that are more than one number have no price in it.

    A price whose values are of other dimensions than the product has is left out: no usage can meet it.
    """
    met = [
        segment
        for segment in segments
        if {key for key, _ in segment.rate.values} == set(segment.version.pricing_group_key)
    ]
    dimensions = list(dict.fromkeys(key for segment in met for key in segment.version.pricing_group_key))
    has_frequency = any(segment.rate.billing_frequency for segment in met)
    out = io.StringIO(newline="")
    out.write("\ufeff")  # without it a spreadsheet takes the text for one in a code page of its own
    writer = csv.writer(out)
    columns = [PRODUCT_ID, PRODUCT, *map(column_of, dimensions), PRICE, UNIT, RATE_TYPE, ENTITLED]
    writer.writerow([*columns, FREQUENCY] if has_frequency else columns)
    for segment in met:
        values = dict(segment.rate.values)
        cells = [
            str(segment.product.pk),
            guarded(segment.version.name),
            *(guarded(values[key] or "") if key in values else "" for key in dimensions),
            *_price(segment),
            segment.rate.tariff.type,
            "yes" if segment.rate.entitled else "no",
        ]
        writer.writerow([*cells, segment.rate.billing_frequency] if has_frequency else cells)
    return out.getvalue()


def _price(segment: PriceSegment) -> tuple[str, str]:
    """The price and its unit."""
    tariff, unit = segment.rate.tariff, segment.rate.unit
    if tariff.price is None or tariff.type not in (FLAT, PERCENTAGE):
        return "", ""
    if tariff.type == PERCENTAGE:
        return plain_text(tariff.price), ""
    return plain_text(major_amount(tariff.price, unit)), unit.code or guarded(unit.name)
