"""A sheet whose columns are all known beforehand."""

from collections.abc import Sequence

from billing_site.foundation.refusals import Refusal
from pricing.sheets.reading import SheetError, SheetRow, records


def plain_rows(
    text: str, columns: Sequence[str], *, needed: Sequence[str], most: int
) -> tuple[tuple[SheetRow, ...], tuple[SheetError, ...]]:
    """Its rows, and what is wrong with its columns and their number of cells.

    Raises Refusal where it cannot be read at all, or has more than `most` rows.
    """
    found = records(text)
    line, header = next(found)
    names = [name.strip() for name in header]
    errors = [SheetError(line, name, name, "must be there only once") for name in {*names} if names.count(name) > 1]
    known = f"must be one of {', '.join(columns)}"
    errors += [SheetError(line, name, name, known) for name in names if name not in columns]
    errors += [
        SheetError(line, name, ", ".join(names), "must be among the columns") for name in needed if name not in names
    ]
    rows: list[SheetRow] = []
    for line, cells in found:
        if len(rows) == most:
            raise Refusal.of("sheet", f"line {line:,}", f"must not have more than {most:,} rows: send it in parts")
        if len(cells) != len(names):
            errors.append(
                SheetError(line, "", f"{len(cells)} cells", f"must have {len(names)} cells, as the header has")
            )
        else:
            rows.append(SheetRow(line, dict(zip(names, cells, strict=True))))
    return tuple(rows), tuple(errors)
