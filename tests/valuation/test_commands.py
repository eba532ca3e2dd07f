"""Commands asked wrongly, stopped midway or without room say so in one line and leave nothing half-written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from assessment.roll.errors import OutputNotWritten
from assessment.roll.files.atomic import require_writable, write_all, write_whole
from tests.valuation.runs.conftest import YEAR, Bureau, bureau
from valuation.schedules.models import TableChange

__all__ = ["bureau"]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "docs" / "specs" / "new_haven.toml"


def refused(*arguments: object) -> str:
    with pytest.raises(CommandError) as caught:
        call_command(*map(str, arguments))
    text = str(caught.value)
    assert "\n" not in text
    assert "Errno" not in text
    return text


@pytest.mark.django_db
@pytest.mark.parametrize("town", ["nowhere", "", "99999", "\N{SUPERSCRIPT TWO}", "\udcff"])
@pytest.mark.parametrize("command", ["screen_sales", "export_public_file", "cost_tables"])
def test_a_town_that_is_none_is_refused(tmp_path: Path, command: str, town: str) -> None:
    more = {
        "screen_sales": (),
        "export_public_file": ("--year", YEAR, "--out", tmp_path),
        "cost_tables": ("--out", tmp_path / "t.csv"),
    }[command]
    assert "There is no town" in refused(command, f"--town={town}", *more)
    assert list(tmp_path.iterdir()) == []


WRONG = {
    "missing.csv": (None, "cannot be read: No such file"),
    "cut.json": (b'{"base_rate": {"Ranch": 1', "cut short"),
    "list.json": (b"[1, 2]", "holds no schedule"),
    "number.json": (b'{"schedule": 3}', "holds no schedule"),
    "other.json": (b'{"name": "x", "base_on": "soon", "roles": {"base_rate": "style"}, "base_area_sqft": 1, '
                   b'"base_rate": {"Ranch": 1}}', "not as it should be"),
    "columns.csv": (b"a,b\n1,2\n", "first line is not table, level, amount"),
    "office.csv": (b"table,level,amount\nbase_rate,Caf\xe9,1\n", "UTF-8"),
    "long.csv": (b"table,level,amount\n" + b"x" * 140_000 + b",a,1\n", "field larger"),
    "cut.xlsx": (b"PK\x03\x04 cut", "no workbook"),
    "tables.txt": (b"table,level,amount\nprimary_sqft,,20000\n", "ends in .csv, .xlsx, .json"),
}  # fmt: skip


@pytest.mark.django_db
def test_a_wrong_file_of_tables_is_refused_and_nothing_is_kept(bureau: Bureau, tmp_path: Path) -> None:
    bureau.run()
    for name, (content, message) in WRONG.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        asked = ("--from", tmp_path / name, "--reason", "a study", "--accept")
        assert message in refused("cost_tables", "--town", bureau.town.slug, *asked), name
    (tmp_path / "folder.csv").mkdir()
    asked = ("--from", tmp_path / "folder.csv", "--reason", "a study")
    assert "directory" in refused("cost_tables", "--town", bureau.town.slug, *asked)
    assert not TableChange.objects.exists()


@pytest.mark.django_db
def test_files_that_cannot_be_written_are_refused_and_leave_nothing(bureau: Bureau, tmp_path: Path) -> None:
    bureau.run()
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.xlsx").mkdir()
    town = ("--town", bureau.town.slug)
    assert "make it first" in refused("cost_tables", *town, "--out", tmp_path / "none" / "t.csv")
    assert "this is a folder" in refused("cost_tables", *town, "--out", tmp_path / "folder.xlsx")
    assert "is a file" in refused("cost_tables", *town, "--out", tmp_path / "file" / "t.json")
    assert "ends in" in refused("cost_tables", *town, "--out", tmp_path / "t.exe")
    public = ("export_public_file", *town, "--year", YEAR)
    assert "in the way" in refused(*public, "--out", tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.xlsx"}
    assert (tmp_path / "file").read_text() == "x"


@pytest.fixture
def full_disk():
    """Let no file grow beyond 4 kB: the system refuses the rest as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_the_old_files_stay_and_no_new_one_comes(tmp_path: Path, full_disk: None) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(OutputNotWritten, match="no room left; free some"):
        write_all(tmp_path, {"a.csv": b"new", "b.csv": b"x" * 10_000})
    with pytest.raises(OutputNotWritten, match="no room left"):
        write_whole(tmp_path / "a.csv", b"x" * 10_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


def test_a_device_is_never_replaced_by_a_file() -> None:
    for refuse in (require_writable, lambda path: write_whole(path, b"x")):
        with pytest.raises(OutputNotWritten, match="no ordinary file"):
            refuse(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


def test_a_fit_asked_wrongly_is_refused_before_the_work(tmp_path: Path) -> None:
    sales, cut = tmp_path / "sales.csv", tmp_path / "cut.csv.gz"
    sales.write_text("a,b\n1,2\n")
    cut.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03garbage")
    assert "cannot be read" in refused("fit_model", sales, "--spec", tmp_path)
    assert "cannot be read" in refused("fit_model", tmp_path, "--spec", SPEC)
    assert "damaged" in refused("fit_model", cut, "--spec", SPEC)
    assert "0 or more" in refused("fit_model", sales, "--spec", SPEC, "--resamples", "-1")
    assert "1 or more" in refused("fit_model", sales, "--spec", SPEC, "--threads", "0")
    assert "different" in refused("fit_model", sales, "--spec", SPEC, "--predictions", sales)
    out = tmp_path / "none" / "held.csv"
    assert "make it first" in refused("fit_model", sales, "--spec", SPEC, "--predictions", out)
    for wrong in ("keep = [{in = [1]}]", 'first_day = "soon"'):
        spec = tmp_path / "spec.toml"
        text = "\n".join(
            line for line in SPEC.read_text().splitlines() if not line.startswith(("keep", "first_day"))
        )
        spec.write_text(text.replace("[sales]", f"[sales]\n{wrong}"))
        assert "spec.toml" in refused("fit_model", sales, "--spec", spec)


# A suite that runs in the background ignores SIGINT, and its children would too.
HEARS_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_path("manage.py", run_name="__main__")
"""


def test_ctrl_c_ends_with_130_and_one_line(tmp_path: Path) -> None:
    fifo, spec = tmp_path / "sales.csv", tmp_path / "spec.toml"
    spec.write_text(SPEC.read_text())
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, "fit_model", str(fifo), "--spec", str(spec)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with fifo.open("wb"):  # opens when the command waits for its sales
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == ""
    assert told == "Stopped before it was done; run the command again to do it whole.\n"
