"""Files as tables: letters, delimiters, lengths, workbooks."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from assessment.property.tabular.problems import FileUnreadable, Reason, RowProblem
from assessment.property.tabular.reading import Row, open_table

Write = Callable[..., Path]
STREETS = "PID,Location\n1,9 RUE DU MARCHÉ\n2,40 JOSÉ\u2019S WAY\n3,7 MAIN ST\n"


def cells(path: Path) -> list[tuple[str, ...]]:
    """All rows that are rows."""
    return [row.cells for row in open_table(path).rows if isinstance(row, Row)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le-with-mark"])
def test_letters_are_right_in_every_encoding(write: Write, encoding: str) -> None:
    if encoding == "utf-16-le-with-mark":
        path = write("\ufeff" + STREETS, encoding="utf-16-le")
    else:
        path = write(STREETS, encoding=encoding)
    assert cells(path)[:2] == [("1", "9 RUE DU MARCHÉ"), ("2", "40 JOSÉ\u2019S WAY")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(write: Write) -> None:
    assert open_table(write(STREETS, encoding="utf-8-sig")).header == ("PID", "Location")


def test_half_fractions_and_degrees_of_windows_are_read(write: Write) -> None:
    path = write("PID,Location\n1,12½ ELM ST\n2,100° VIEW\n", encoding="cp1252")
    assert cells(path) == [("1", "12½ ELM ST"), ("2", "100° VIEW")]


def test_one_older_line_in_a_utf8_file_is_read_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "glued.csv"
    path.write_bytes("PID,Location\n1,É ST\n2,Ê ST\n".encode() + "3,É LN\n".encode("cp1252"))
    found = list(open_table(path).rows)
    assert [row.cells[1] for row in found if isinstance(row, Row)] == ["É ST", "Ê ST", "É LN"]
    [finding] = [row for row in found if isinstance(row, RowProblem)]
    assert (finding.row, finding.reason, finding.rejected) == (4, Reason.TEXT_ENCODING, False)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write: Write, mark: str) -> None:
    path = write(f'PID{mark}"Location; or, place"\n1{mark}"9, MAIN ST; REAR"\n')
    assert cells(path) == [("1", "9, MAIN ST; REAR")]


def test_rows_of_the_wrong_length_are_told_by_number(write: Write) -> None:
    found = list(open_table(write("PID,Location,Acres\n1,A ST,2\n2,B ST\n3,C ST,1,9\n4,D ST,1,,\n")).rows)
    bad = [row for row in found if isinstance(row, RowProblem)]
    assert [(row.row, row.reason) for row in bad] == [(3, Reason.WRONG_LENGTH), (4, Reason.WRONG_LENGTH)]
    assert [row.cells[0] for row in found if isinstance(row, Row)] == ["1", "4"]


def test_a_quotation_mark_never_closed_costs_its_own_row_only(write: Write) -> None:
    lines = "".join(f"{n},{n} MAIN ST\n" for n in range(2, 60))
    found = list(open_table(write('PID,Location\n1,"6 MAIN ST\n' + lines)).rows)
    bad = [row for row in found if isinstance(row, RowProblem)]
    assert [(row.row, row.reason) for row in bad] == [(2, Reason.OPEN_QUOTE)]
    assert sum(isinstance(row, Row) for row in found) == 58


def test_an_address_over_two_lines_is_one_cell(write: Write) -> None:
    assert cells(write('PID,Location\n1,"6 MAIN ST\nREAR"\n2,"8 ""OLD"" ST"\n')) == [
        ("1", "6 MAIN ST\nREAR"),
        ("2", '8 "OLD" ST'),
    ]


def test_lines_may_end_as_on_an_old_mac(write: Write) -> None:
    assert cells(write("PID,Location\r1,A ST\r2,B ST\r")) == [("1", "A ST"), ("2", "B ST")]


def test_a_gzipped_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv.gz"
    path.write_bytes(gzip.compress(STREETS.encode()))
    assert len(cells(path)) == 3


def test_a_workbook_gives_whole_numbers_and_days_as_text(tmp_path: Path) -> None:
    path = tmp_path / "cards.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Notes")
        sheet = book.add_worksheet("Cards")
        sheet.write_row(0, 0, ["PID", "Location", "Acres", "Sale_Date"])
        sheet.write_row(1, 0, [24675, "9 ELM ST", 0.25])
        sheet.write_datetime(1, 3, date(2024, 5, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
    table = open_table(path)
    assert table.sheet == "Cards"
    [row] = [row for row in table.rows if isinstance(row, Row)]
    assert row.cells == ("24675", "9 ELM ST", "0.25", "2024-05-31")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("no table here\nnor here\n", "no comma"),
        ("1,2\n3,4\n", "no header"),
        ("Assessed Total,Assessed_Total\n1,2\n", "names a column twice"),
        ("PID,\n1,2\n", "fewer than two"),
        ("PID,Loc\x00\n", "NUL"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(write: Write, text: str, says: str) -> None:
    with pytest.raises(FileUnreadable, match=says):
        open_table(write(text))


def test_a_workbook_named_csv_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_bytes(b"PK\x03\x04" + b"x" * 50)
    with pytest.raises(FileUnreadable, match=r"\.xlsx"):
        open_table(path)


def test_a_broken_workbook_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "cards.xlsx"
    broken.write_bytes(b"PK\x03\x04nothing")
    for path in (broken, tmp_path / "absent.csv"):
        with pytest.raises(FileUnreadable):
            open_table(path)
