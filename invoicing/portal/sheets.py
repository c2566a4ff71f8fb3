"""What a page shows, as CSV that no spreadsheet computes."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from pricing.sheets.cells import guarded


def sheet(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns are guarded here; of the rows' cells the caller guards those that hold what somebody else wrote."""
    out = io.StringIO(newline="")
    out.write("\ufeff")  # without it a spreadsheet takes the text for one in a code page of its own
    writer = csv.writer(out)
    writer.writerow(list(map(guarded, columns)))
    writer.writerows(rows)
    return out.getvalue()


def instant_cell(instant: datetime | None) -> str:
    """ "2025-10-01T00:00Z", as readers of every place and program read it; empty where there is none."""
    return f"{instant:%Y-%m-%dT%H:%MZ}" if instant else ""
