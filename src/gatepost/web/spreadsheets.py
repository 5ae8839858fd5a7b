"""Tables to take along, and the cells that a spreadsheet would run."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from typing import TextIO
from xml.sax.saxutils import escape

# A cell that begins like this is run as a formula by Excel, LibreOffice and Google Sheets
# (https://owasp.org/www-community/attacks/CSV_Injection).
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def as_csv(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A CSV that spreadsheets open without running anything in it."""
    out = io.StringIO()
    write_csv(out, heading, rows)
    return out.getvalue()


def write_csv(out: TextIO, heading: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """The same into a file, row by row."""
    writer = csv.writer(out)
    writer.writerow([safe_cell(cell) for cell in heading])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What XML 1.0 cannot hold, escaped or not.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The namespaces of the format. Nothing is asked for there.
_FORMATS = "http://schemas.openxmlformats.org"
_PACKAGE = f"{_FORMATS}/package/2006"
_OFFICE = f"{_FORMATS}/officeDocument/2006/relationships"
_SHEETS = f"{_FORMATS}/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_SHEET_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def as_xlsx(heading: Iterable[str], rows: Iterable[Iterable[object]], *, name: str) -> bytes:
    """A workbook of one sheet (ECMA-376). Each text is marked as a text, so that none is ever a formula: whoever saves the
    sheet as a CSV still finds the apostrophe before what would become one."""
    sheet = [_row(heading), *map(_row, rows)]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_KIND}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{_text(name)[:31]}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEETS}"><sheetData>{"".join(sheet)}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in parts.items():
            archive.writestr(path, _HEAD + content)
    return out.getvalue()


def _row(cells: Iterable[object]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: object) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    text = _text(str(safe_cell(str(value))))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _text(value: str) -> str:
    return escape(NOT_IN_XML.sub("", value), {'"': "&quot;"})


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
