"""Prices as a table that a spreadsheet can edit: what is written can be read again, and says the same."""

from pricing.sheets.plain import plain_rows
from pricing.sheets.reading import SheetError, SheetRow, Table, read_table, refuse_too_large, text_of
from pricing.sheets.writing import price_sheet

__all__ = ["SheetError", "SheetRow", "Table", "plain_rows", "price_sheet", "read_table", "refuse_too_large", "text_of"]
