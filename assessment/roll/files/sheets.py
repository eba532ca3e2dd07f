"""CSV and Excel files, written row by row so that memory does not grow with the list."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from assessment.roll.files.atomic import whole_file
from assessment.roll.files.tables import Cell

# A spreadsheet runs a text that begins so as a formula; in front of it an apostrophe makes it plain text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(value: Cell) -> Cell:
    """Return a cell that no spreadsheet will run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


class CsvTable:
    """A CSV file in UTF-8 with a header line, counting its rows."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self.rows = 0
        self._writer = csv.writer(file, lineterminator="\r\n")
        self._writer.writerow(columns)

    def add(self, row: Sequence[Cell]) -> None:
        """Write a row."""
        self._writer.writerow([safe(value) for value in row])
        self.rows += 1


@contextmanager
def csv_table(path: Path, columns: Sequence[str]) -> Iterator[CsvTable]:
    """Write a CSV file, whole or not at all."""
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        yield CsvTable(file, columns)


class Workbook:
    """An Excel file of which each sheet is written once, from the top."""

    def __init__(self, draft: Path) -> None:
        self._book = xlsxwriter.Workbook(
            str(draft),
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )  # fmt: skip
        self._bold = self._book.add_format({"bold": True})
        self._dollars = self._book.add_format({"num_format": "#,##0"})

    def sheet(self, title: str, columns: Sequence[str], widths: dict[str, int] | None = None) -> Any:
        """Start a sheet with a header; returns a function that adds a row."""
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(columns):
            sheet.set_column(place, place, (widths or {}).get(name, 14))
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name, self._bold)
        number, text, dollars = sheet.write_number, sheet.write_string, self._dollars
        row_number = 0

        def add(row: Sequence[Cell]) -> None:
            nonlocal row_number
            row_number += 1
            for place, value in enumerate(row):
                if isinstance(value, int):
                    number(row_number, place, value, dollars)
                elif value:
                    text(row_number, place, value)

        return add

    def close(self) -> None:
        """Finish the file."""
        try:
            self._book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(getattr(error.args[0], "errno", 5), str(error)) from error


@contextmanager
def workbook(path: Path) -> Iterator[Workbook]:
    """Write an Excel file, whole or not at all."""
    with whole_file(path) as draft:
        book = Workbook(draft)
        yield book
        book.close()
