"""Tables to take along, and the cells that a spreadsheet would run."""

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
    writer.writerow([safe_cell(cell) for cell in heading])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def safe_cell(value: object) -> object:
    """Numbers as they are; a text that would start a formula with an apostrophe before it."""
    if isinstance(value, str) and _starts_formula(value):
        return "'" + value
    return value


def plain_cell(text: str) -> str:
    """The text that `safe_cell` was given, so that a file of ours can be read again."""
    return text[1:] if text.startswith("'") and _starts_formula(text[1:]) else text


def _starts_formula(text: str) -> bool:
    return text.startswith(STARTS_FORMULA) or text.lstrip().startswith(STARTS_FORMULA)
