"""Tables to take along."""

import csv
import io
from collections.abc import Iterable

# A cell that begins like this is run as a formula by Excel, LibreOffice and Google Sheets
# (https://owasp.org/www-community/attacks/CSV_Injection).
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def as_csv(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A CSV that spreadsheets open without running anything in it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def safe_cell(value: object) -> object:
    """Numbers as they are; a text that would start a formula with an apostrophe before it."""
    if isinstance(value, str) and value.lstrip().startswith(STARTS_FORMULA):
        return "'" + value
    return value
