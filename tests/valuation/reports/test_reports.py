"""The report of a run says what the run stored; the public file holds nothing that the public may not see."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from assessment.property.models import Owner, Ownership
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from tests.cast import PASSWORD
from tests.valuation.runs.conftest import YEAR, Bureau, bureau
from valuation.reports.services import public_file, report_of, zip_of
from valuation.review.services import propose_override
from valuation.runs.models import Conclusion, RatioStudyRecord, Run

pytestmark = pytest.mark.django_db

__all__ = ["bureau"]


@pytest.fixture
def run(bureau: Bureau) -> Run:
    return bureau.run()


def words(run: Run) -> str:
    _, sections = report_of(run)
    lines = [text for section in sections for text in section.paragraphs]
    lines += [
        str(cell) for section in sections for grid in section.grids for row in grid.rows for cell in row
    ]
    return "\n".join(lines)


def test_the_report_states_the_run_s_own_figures(run: Run) -> None:
    text = words(run)
    study = RatioStudyRecord.objects.get(run=run, subject="cost", stratum_kind="all", trim_rule="none")
    for figure in (
        run.snapshot_sha256,
        run.values_sha256,
        run.code_version,
        run.spec.sha256,
        f"{run.counts['appraised_dollars']:,}",
        f"{run.counts['sales_held']:,}",
        f"{study.figures['cod']['value']:.1f} ({study.figures['cod']['low']:.1f}",
    ):
        assert figure in text
    assert "has not been adopted" in text
    assert "has not been closed" in text


def test_every_section_of_a_mass_appraisal_report_is_there(run: Run) -> None:
    _, sections = report_of(run)
    assert [section.title for section in sections] == [
        "Assignment",
        "Properties and scope of work",
        "Data",
        "Model specification and calibration",
        "Price schedules and factors",
        "Performance testing",
        "Review and conclusion",
        "Assumptions and limiting conditions",
        "Reproduction and certification",
    ]
    rates = next(grid for grid in sections[4].grids if grid.title == "Base rate")
    assert dict(rates.rows)["Ranch"] == run.tables["schedule"]["base_rate"]["Ranch"]


def test_overrides_in_force_are_counted_by_reason(bureau: Bureau, run: Run) -> None:
    conclusion = Conclusion.objects.get(run=run, property=bureau.houses[20])
    propose_override(
        conclusion.id,
        actor=bureau.assessor,
        value=conclusion.value + 1000,
        reason_code="condition",
        note="seen",
    )
    assert "Condition seen differs from what the tables can say" in words(run)


def test_the_public_file_has_sales_schedules_and_report_and_no_person(bureau: Bureau, run: Run) -> None:
    owner = Owner.objects.create(town=bureau.town, name="VERYPRIVATE PERSON")
    Ownership.objects.create(
        town=bureau.town, property=bureau.houses[200], owner=owner, valid_from=dt.date(2020, 1, 1)
    )
    files = public_file(run, actor=bureau.assessor)
    assert set(files) == {"README.txt", "report.pdf", "sales.csv", "schedules.csv"}
    sales = list(csv.DictReader(io.StringIO(files["sales.csv"].decode())))
    assert sales
    assert all(f"{YEAR - 1}-10-01" < row["recorded_on"] <= f"{YEAR}-10-01" for row in sales)
    values = dict(Conclusion.objects.filter(run=run).values_list("property__address", "value"))
    assert all(int(row["concluded_value"]) == values[row["address"]] for row in sales)
    assert files["report.pdf"].startswith(b"%PDF")
    assert b"VERYPRIVATE" not in b"".join(files.values())
    assert "Base rate,Ranch" in files["schedules.csv"].decode()


def test_the_same_run_gives_the_same_bytes(bureau: Bureau, run: Run) -> None:
    assert zip_of(public_file(run, actor=bureau.assessor)) == zip_of(public_file(run, actor=bureau.assessor))


def test_who_may_not_export_gets_no_public_file(bureau: Bureau, run: Run) -> None:
    with pytest.raises(Forbidden):
        public_file(run, actor=bureau.cast.actor(bureau.cast.collector_a))


def test_the_pages_show_the_report_and_give_both_files(bureau: Bureau, run: Run) -> None:
    client = Client()
    assert (
        client.post("/sign-in", {"username": bureau.cast.assessor_a.email, "password": PASSWORD}).status_code
        == 302
    )
    address = f"/t/{bureau.town.slug}/ratio-studies/{run.pk}/"
    page = client.get(address + "report")
    assert run.values_sha256 in page.content.decode()
    assert client.get(address + "report", {"format": "pdf"}).content.startswith(b"%PDF")
    archive = zipfile.ZipFile(io.BytesIO(client.get(address + "public-file").content))
    assert archive.testzip() is None
    assert "sales.csv" in archive.namelist()


def test_the_command_writes_the_files_and_refuses_a_year_without_a_run(
    bureau: Bureau, run: Run, tmp_path: Path
) -> None:
    out = io.StringIO()
    call_command(
        "export_public_file",
        "--town",
        bureau.town.slug,
        "--year",
        str(YEAR),
        "--out",
        str(tmp_path / "p"),
        stdout=out,
    )
    assert {path.name for path in (tmp_path / "p").iterdir()} == {
        "README.txt", "report.pdf", "sales.csv", "schedules.csv",
    }  # fmt: skip
    with pytest.raises(CommandError, match="no finished valuation run"):
        call_command(
            "export_public_file", "--town", bureau.town.slug, "--year", "1999", "--out", str(tmp_path)
        )


def test_another_town_s_run_has_no_report(bureau: Bureau, run: Run) -> None:
    cast = bureau.cast
    client = Client(raise_request_exception=False)
    client.post("/sign-in", {"username": cast.assessor_b.email, "password": PASSWORD})
    with scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        for page in ("report", "public-file"):
            assert client.get(f"/t/{cast.town_b.slug}/ratio-studies/{run.pk}/{page}").status_code == 404
