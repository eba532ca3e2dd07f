import csv
import datetime as dt
import gzip

import pytest

from assessment.demo.files import stored
from assessment.property.tabular.problems import Reason, RowProblem
from assessment.sales.rules.state_file import SaleRow, SalesHeader, read_point

TODAY = dt.date(2026, 11, 23)
DOWNLOAD = (
    "Serial Number,List Year,Date Recorded,Town,Address,Assessed Value,Sale Amount,Sales Ratio,Property Type,"
    "Residential Type,Non Use Code,Assessor Remarks,OPM remarks,Location"
)
API = (
    "serialnumber,listyear,daterecorded,town,address,assessedvalue,saleamount,salesratio,propertytype,"
    "residentialtype,nonusecode,remarks,opm_remarks,geo_coordinates"
)
GOOD = {
    "Serial Number": "210034",
    "List Year": "2021",
    "Date Recorded": "01/03/2022",
    "Town": "Hamden",
    "Address": "42 GILBERT AVE",
    "Assessed Value": "122780.0",
    "Sale Amount": "$236,000.00",
    "Property Type": "Residential",
    "Residential Type": "Condo",
    "Non Use Code": "07 - Change in Property",
    "Location": "POINT (-72.9 41.38)",
}


def read(**changes: str) -> SaleRow | RowProblem:
    values = GOOD | {name.replace("_", " "): value for name, value in changes.items()}
    return SalesHeader(values).read(2, tuple(values.values()), today=TODAY)


@pytest.mark.parametrize("line", [DOWNLOAD, API])
def test_both_spellings_of_the_header_are_known(line: str) -> None:
    header = SalesHeader(line.split(","))
    assert header.missing == []
    cells = ("7", "2022", "2023-01-05T00:00:00.000", "Avon", "1 ELM ST", "70", "100000", "0.7", "Residential",
             "Single Family", "", "a remark", "another", "")  # fmt: skip
    row = header.read(2, cells, today=TODAY)
    assert isinstance(row, SaleRow)
    assert (row.recorded_on, row.assessor_remarks, row.state_remarks) == (
        dt.date(2023, 1, 5),
        "a remark",
        "another",
    )


def test_a_header_says_which_columns_are_missing() -> None:
    assert SalesHeader(["Town", "Address", "List Year"]).missing == [
        "Serial Number",
        "Date Recorded",
        "Sale Amount",
    ]


def test_a_row_is_read_with_its_amounts_date_and_point() -> None:
    row = read()
    assert isinstance(row, SaleRow)
    assert (row.key, row.price, row.assessed_value) == ((2021, "210034"), 236_000, 122_780)
    assert (row.recorded_on, row.longitude, row.latitude) == (dt.date(2022, 1, 3), -72.9, 41.38)
    assert row.is_of_a_unit


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("Serial_Number", "", Reason.BLANK_REQUIRED),
        ("Sale_Amount", "", Reason.BLANK_REQUIRED),
        ("Sale_Amount", "a lot", Reason.NOT_A_NUMBER),
        ("Sale_Amount", "-5", Reason.OUT_OF_RANGE),
        ("Date_Recorded", "13/45/2022", Reason.NOT_A_DATE),
        ("Date_Recorded", "01/03/2030", Reason.OUT_OF_RANGE),
        ("List_Year", "1066", Reason.OUT_OF_RANGE),
        ("List_Year", "0", Reason.OUT_OF_RANGE),
        ("Address", "x" * 161, Reason.TOO_LONG),
    ],
)
def test_a_bad_row_is_refused_with_its_column_and_reason(field: str, value: str, reason: Reason) -> None:
    refused = read(**{field: value})
    assert isinstance(refused, RowProblem)
    assert (refused.row, refused.column, refused.reason) == (2, field.replace("_", " "), reason)


def test_a_blank_assessed_value_is_unknown_and_not_zero() -> None:
    row = read(Assessed_Value="")
    assert isinstance(row, SaleRow)
    assert row.assessed_value is None


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ('{"type": "Point", "coordinates": [-72.9, 41.38]}', (-72.9, 41.38)),
        ("POINT (0 0)", (None, None)),
        ("somewhere", (None, None)),
        ("{", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_point_outside_connecticut_or_unreadable_is_left_out(
    text: str, point: tuple[float | None, float | None]
) -> None:
    assert read_point(text) == point


def test_all_but_one_row_of_the_state_s_file_can_be_read() -> None:
    with gzip.open(stored("opm_real_estate_sales.csv"), "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = SalesHeader(next(rows))
        outcomes = [header.read(number, tuple(cells), today=TODAY) for number, cells in enumerate(rows, 2)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, RowProblem)]
    assert [(problem.card, problem.reason) for problem in refused] == [("2022/22139", Reason.BLANK_REQUIRED)]
