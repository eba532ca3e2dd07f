"""A file of any of these kinds as one table: CSV with any usual delimiter, also gzipped, and Excel."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import python_calamine

from assessment.property.tabular.encoding import Encoding, detect_encoding, text_lines
from assessment.property.tabular.headers import normalise_header
from assessment.property.tabular.problems import FileUnreadable, Reason, RowProblem

_DELIMITERS = ",;\t|"
_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_LINES_IN_ONE_RECORD = 25
_NOT_CLOSED = "unexpected end of data"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a person counts (the header is row 1), its cells as text."""

    number: int
    cells: tuple[str, ...]


@dataclass(slots=True)
class Table:
    """A table that is read once, row by row.

    Attributes
    ----------
    header
        Column names as the file spells them.
    rows
        Rows with exactly as many cells as the header, or the finding that tells why there is none.
    encoding, delimiter, sheet
        How it was read; blank where it has no meaning.
    """

    header: tuple[str, ...]
    rows: Iterator[Row | RowProblem]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    notes: list[str] = field(default_factory=list)


def open_table(path: Path, *, sheet: str = "") -> Table:
    """Open a file as a table.

    Raises
    ------
    FileUnreadable
        The file is absent, empty, no text and no workbook, or has no header of at least two columns.
    """
    if not path.is_file():
        raise FileUnreadable(f"There is no file {path.name}.")
    if path.suffix.lower() in _EXCEL:
        return _open_workbook(path, sheet)
    return _open_text(path)


def _open_text(path: Path) -> Table:
    with _binary(path) as stream:
        head = stream.read(65_536)
    if not head.strip():
        raise FileUnreadable(f"{path.name} is empty.")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileUnreadable(
            f"{path.name} is a workbook under a wrong name: give it the ending .xlsx or .xls."
        )
    with _binary(path) as stream:
        encoding = detect_encoding(head, _byte_lines(stream, head))
    lines = _numbered_lines(path, encoding, head)
    header_line = next((text for _, text, _ in lines if text.strip()), "")
    delimiter = _find_delimiter(header_line, path.name)
    header = tuple(name.strip() for name in next(csv.reader([header_line], delimiter=delimiter)))
    while header and not header[-1]:
        header = header[:-1]
    _refuse_headerless(header, path.name)
    table = Table(header, iter(()), encoding.name, delimiter)
    table.rows = _text_rows(lines, table)
    return table


def _binary(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        gzipped = stream.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if gzipped else path.open("rb")


def _byte_lines(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Split into lines; a file of an old Mac ends them with a carriage return alone."""
    if b"\n" in head or b"\r" not in head:
        yield from stream
    else:
        yield from stream.read().replace(b"\r", b"\n").splitlines(keepends=True)


def _numbered_lines(path: Path, encoding: Encoding, head: bytes) -> Iterator[tuple[int, str, bool]]:
    with _binary(path) as stream:
        if encoding.name.startswith(("utf-16", "utf-32")):
            stream.seek(encoding.mark_bytes)
            with io.TextIOWrapper(stream, encoding=encoding.name, newline=None) as decoded:
                for number, text in enumerate(decoded, 1):
                    yield number, text, False
            return
        for number, (text, odd) in enumerate(text_lines(_byte_lines(stream, head), encoding), 1):
            yield number, text, odd


def _find_delimiter(header_line: str, name: str) -> str:
    outside = "".join(part for place, part in enumerate(header_line.split('"')) if place % 2 == 0)
    counted = Counter({mark: outside.count(mark) for mark in _DELIMITERS})
    delimiter, times = counted.most_common(1)[0]
    if times == 0:
        raise FileUnreadable(
            f"{name} has no comma, semicolon or tab in its first row: there is no table in it."
        )
    return delimiter


def _refuse_headerless(header: tuple[str, ...], name: str) -> None:
    if len(header) < 2:
        raise FileUnreadable(f"{name} has fewer than two named columns.")
    if not any(any(letter.isalpha() for letter in cell) for cell in header):
        raise FileUnreadable(f"{name} has no header: its first row holds no names.")
    twice = [
        key for key, times in Counter(normalise_header(cell) for cell in header if cell).items() if times > 1
    ]
    if twice:
        spelt = sorted(cell for cell in header if normalise_header(cell) in twice)
        raise FileUnreadable(f"{name} names a column twice: {', '.join(spelt)}. Rename one of them.")


def _text_rows(lines: Iterator[tuple[int, str, bool]], table: Table) -> Iterator[Row | RowProblem]:
    width = len(table.header)
    for number, cells, odd in _records(lines, table.delimiter):
        if cells is None:
            yield RowProblem(
                number,
                "",
                "",
                Reason.OPEN_QUOTE,
                "A quotation mark is opened and not closed; the row is left out.",
            )
            continue
        if odd:
            yield RowProblem(
                number,
                "",
                "",
                Reason.TEXT_ENCODING,
                f"The row is not {table.encoding} like the rest; it was read in the older encoding.",
                rejected=False,
            )
        if not any(cell.strip() for cell in cells):
            continue
        yield _fit(number, cells, width)


def _records(
    lines: Iterable[tuple[int, str, bool]], delimiter: str
) -> Iterator[tuple[int, list[str] | None, bool]]:
    """Join lines into records. A quote that is never closed costs its own line, not the rest of the file."""
    waiting: list[tuple[int, str, bool]] = []
    source = iter(lines)
    held: list[tuple[int, str, bool]] = []
    while True:
        item = held.pop(0) if held else next(source, None)
        if item is not None:
            waiting.append(item)
            cells, closed = _parse(waiting, delimiter)
            if closed:
                yield waiting[0][0], cells, any(odd for _, _, odd in waiting)
                waiting = []
                continue
            if len(waiting) < _LINES_IN_ONE_RECORD:
                continue
        if not waiting:
            return
        yield waiting[0][0], None, False
        held = waiting[1:] + held
        waiting = []


def _parse(waiting: list[tuple[int, str, bool]], delimiter: str) -> tuple[list[str], bool]:
    text = waiting[0][1] if len(waiting) == 1 else "".join(text for _, text, _ in waiting)
    if '"' not in text:
        return text.rstrip("\r\n").split(delimiter), True
    try:
        # newline kept inside quotes, dropped at the end
        return next(
            csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), delimiter=delimiter, strict=True)
        ), True
    except csv.Error as error:
        if str(error) == _NOT_CLOSED:
            return [], False
        return next(csv.reader([text.rstrip("\r\n").replace("\n", " ")], delimiter=delimiter)), True


def _fit(number: int, cells: list[str], width: int) -> Row | RowProblem:
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) == width:
        return Row(number, tuple(cells))
    return RowProblem(
        number,
        "",
        "",
        Reason.WRONG_LENGTH,
        f"The row has {len(cells)} cells and the header has {width}; the row is left out.",
    )


def _open_workbook(path: Path, sheet: str) -> Table:
    try:
        workbook = python_calamine.load_workbook(path)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise FileUnreadable(f"{path.name} is no workbook that can be read: {error}.") from error
    names = workbook.sheet_names
    if sheet and sheet not in names:
        raise FileUnreadable(f"{path.name} has no sheet {sheet!r}; it has {', '.join(names)}.")
    chosen = sheet or next((name for name in names if workbook.get_sheet_by_name(name).height > 1), "")
    if not chosen:
        raise FileUnreadable(f"{path.name} has no sheet with more than one row.")
    numbered = enumerate(workbook.get_sheet_by_name(chosen).iter_rows(), 1)
    first = next(((n, row) for n, row in numbered if sum(bool(_cell(cell)) for cell in row) > 1), None)
    if first is None:
        raise FileUnreadable(f"Sheet {chosen} of {path.name} has no header.")
    header = tuple(_cell(cell) for cell in first[1])
    while header and not header[-1]:
        header = header[:-1]
    _refuse_headerless(header, path.name)
    rows = _sheet_rows(numbered, len(header))
    return Table(header, rows, sheet=chosen)


def _sheet_rows(numbered: Iterable[tuple[int, list[Any]]], width: int) -> Iterator[Row | RowProblem]:
    for number, row in numbered:
        cells = [_cell(cell) for cell in row]
        if any(cells):
            yield _fit(number, cells + [""] * (width - len(cells)), width)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)
