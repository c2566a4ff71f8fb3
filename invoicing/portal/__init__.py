"""The customer's page in finished words: what templates and the chart's script show without adding anything."""

from invoicing.portal.bars import Bar, besides, percent_text
from invoicing.portal.page import ChargeRow, Headline, Page, page_of
from invoicing.portal.prices import PriceRow
from invoicing.portal.products import Row, row_of

__all__ = ["Bar", "ChargeRow", "Headline", "Page", "PriceRow", "Row", "besides", "page_of", "percent_text", "row_of"]
