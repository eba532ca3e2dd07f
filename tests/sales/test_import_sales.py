import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections

from assessment.property.models import ImportRun, JournalEntry, Property
from assessment.property.tabular.problems import ColumnsMissing, Reason, RowsRefused
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.sales.services import import_sales
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.databases import TestDatabase
from tests.sales.conftest import NOW, ROWS, WriteFile, make_properties, run_import, transfers

AVON = 4


def test_each_sale_gets_its_property_its_complex_or_a_reason(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    report = run_import(sales_file())
    found = transfers(TOWN_A, TOWN_B, AVON)
    assert found["1"].property_id == properties["elm-1"]
    assert (found["2"].property_id, found["2"].match_method) == (properties["elm-3"], "exact")
    assert (found["3"].property_id, found["3"].match_reason) == (None, "no-such-number")
    assert (found["4"].complex_id, found["4"].property_id) == (properties["park"], None)
    assert found["4"].match_note == "unit 4 of the complex"
    assert found["5"].match_reason == "several-properties"
    assert found["6"].property_id == properties["oak-5"]
    assert found["7"].match_reason == "town-has-no-properties"
    assert report.as_json()["matched"] == 4
    assert {entry["serial_number"]: entry["reason"] for entry in report.as_json()["without_property"]} == {
        "3": "no-such-number",
        "5": "several-properties",
        "7": "town-has-no-properties",
    }


def test_each_sale_gets_a_suggested_validity(properties: dict[str, Any], sales_file: WriteFile) -> None:
    run_import(sales_file())
    judged = {serial: (one.validity, one.suggested_reason) for serial, one in transfers().items()}
    assert judged == {
        "1": ("usable", "no-nonuse-code"),
        "2": ("price-only", "nonuse-07"),
        "3": ("usable", "no-nonuse-code"),
        "4": ("usable", "no-nonuse-code"),
        "5": ("not-usable", "several-properties"),
        "6": ("not-usable", "price-below-minimum"),
    }


def test_the_point_is_kept_in_connecticut_feet(properties: dict[str, Any], sales_file: WriteFile) -> None:
    run_import(sales_file())
    first = transfers()["1"]
    assert first.location_x_ft == pytest.approx(958_900, abs=1_000)
    assert first.location_y_ft == pytest.approx(699_300, abs=1_000)


def test_the_same_file_again_changes_nothing(properties: dict[str, Any], sales_file: WriteFile) -> None:
    path = sales_file()
    run_import(path)
    with scope(SYSTEM, towns=[TOWN_A, TOWN_B, AVON], reason="test"):
        journaled = JournalEntry.objects.count()
    again = run_import(path).as_json()
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, len(ROWS))
    with scope(SYSTEM, towns=[TOWN_A, TOWN_B, AVON], reason="test"):
        assert JournalEntry.objects.count() == journaled


def test_a_corrected_row_changes_its_transfer_only(properties: dict[str, Any], sales_file: WriteFile) -> None:
    run_import(sales_file())
    rows = [list(row) for row in ROWS]
    rows[0][6] = "205000.0"
    report = run_import(sales_file(rows)).as_json()
    assert (report["added"], report["changed"], report["unchanged"]) == (0, 1, len(ROWS) - 1)
    assert transfers()["1"].price == 205_000


def test_a_sale_is_matched_when_its_property_has_come_in(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    path = sales_file()
    run_import(path)
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        late = Property.objects.create(town_id=TOWN_A, account_number="late", address="99 ELM ST")
    assert run_import(path).as_json()["changed"] == 1
    assert transfers()["3"].property_id == late.id


def test_a_dry_run_reports_the_same_and_writes_nothing(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    path = sales_file()
    dry = run_import(path, dry_run=True).as_json()
    assert transfers(TOWN_A, TOWN_B, AVON) == {}
    real = run_import(path).as_json()
    assert {**dry, "dry_run": False} == real


def test_with_a_town_named_the_other_towns_rows_are_passed_over(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    report = run_import(sales_file(), town_codes=[TOWN_B])
    assert (report.passed_over, report.total("added")) == (6, 1)


def bad_rows() -> list[list[str]]:
    rows = [list(row) for row in ROWS]
    rows[0][6] = "a lot"
    rows[2][2] = "13/45/2022"
    rows[6][3] = "Atlantis"
    rows.append(list(rows[1]))
    rows.append(["too", "short"])
    return rows


def test_bad_rows_are_reported_with_row_and_reason_and_the_rest_comes_in(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    report = run_import(sales_file(bad_rows()))
    assert [(problem.row, problem.reason) for problem in report.refused.problems] == [
        (2, Reason.NOT_A_NUMBER),
        (4, Reason.NOT_A_DATE),
        (8, Reason.NO_MATCH),
        (9, Reason.DUPLICATE_ID),
        (10, Reason.WRONG_LENGTH),
    ]
    assert set(transfers()) == {"2", "4", "5", "6"}


def test_with_abort_a_bad_row_stops_the_whole_import(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    with pytest.raises(RowsRefused, match="5 rows were refused"):
        run_import(sales_file(bad_rows()), on_error="abort")
    assert transfers(TOWN_A, TOWN_B, AVON) == {}


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8"), (",", "utf-8-sig"), (",", "cp1252"), ("\t", "utf-16")]
)
def test_the_file_may_have_another_delimiter_or_encoding(
    properties: dict[str, Any], sales_file: WriteFile, delimiter: str, encoding: str
) -> None:
    rows = [list(row) for row in ROWS]
    rows[0][7] = "Résidential"
    assert run_import(sales_file(rows, delimiter=delimiter, encoding=encoding)).total("added") == len(ROWS)
    assert transfers()["1"].property_type == "Résidential"


def test_a_file_without_a_needed_column_is_refused_by_name(
    cast: Cast, sales_file: WriteFile, tmp_path: Path
) -> None:
    path = tmp_path / "short.csv"
    path.write_text("Town,Address,List Year,Date Recorded\nHamden,1 ELM ST,2021,01/01/2022\n")
    with pytest.raises(ColumnsMissing, match="Serial Number, Sale Amount"):
        run_import(path)


def test_an_import_that_is_stopped_half_way_leaves_nothing(
    committed_db: TestDatabase, sales_file: WriteFile
) -> None:
    """Hamden's sales are written when the import comes to West Hartford, which another import holds."""
    make_properties()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('import_sales'), %s)", [TOWN_B])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            run_import(sales_file())
        assert transfers(TOWN_A, TOWN_B, AVON) == {}
    finally:
        other.close()
    run_import(sales_file())
    assert len(transfers(TOWN_A, TOWN_B, AVON)) == len(ROWS)


def test_a_person_of_one_town_cannot_import_another_town_s_sales(
    cast: Cast, properties: dict[str, Any], sales_file: WriteFile
) -> None:
    actor = cast.actor(cast.assessor_a)
    with pytest.raises(Forbidden):
        import_sales(sales_file(), actor=actor, now=NOW)
    report = import_sales(sales_file(), actor=actor, now=NOW, town_codes=[TOWN_A])
    assert report.total("added") == 5


def test_a_run_is_kept_with_its_counts_for_each_town(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    run_import(sales_file())
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        run = ImportRun.objects.get(kind="sales")
    assert (run.counts["read"], run.counts["matched"]) == (5, 3)


def test_the_command_prints_totals_as_json_and_writes_the_report(
    properties: dict[str, Any], sales_file: WriteFile, tmp_path: Path
) -> None:
    out, report = StringIO(), tmp_path / "report.json"
    call_command("import_sales", sales_file(), "--town", "hamden", "--json", "--report", report, stdout=out)
    assert json.loads(out.getvalue())["matched"] == 3
    assert len(json.loads(report.read_text())["without_property"]) == 2


def test_the_command_says_in_one_line_what_is_wrong(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_sales", tmp_path / "absent.csv")
    with pytest.raises(CommandError, match="There is no town"):
        call_command("import_sales", tmp_path / "absent.csv", "--town", "atlantis")
