import csv
import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest
import python_calamine
from django.core.management import CommandError, call_command

from assessment.property.models import Owner, Ownership
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid
from assessment.region.scope import scope
from assessment.roll.errors import ListNotSigned, OutputNotWritten
from assessment.roll.models import GrandList
from assessment.roll.rules.profiles import PROFILES
from assessment.roll.selectors import get_certification
from assessment.roll.services.abstracts import export_m13
from assessment.roll.services.exporting import export_grand_list
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.standings import Change
from tests.roll.building import make_properties, state_values
from tests.roll.conftest import CommittedOffice, Office

TODAY = dt.date(2025, 3, 1)
STEM = "hamden-2024-real"


def export(office: Office, signed: GrandList, folder: Path, **more):
    more.setdefault("actor", office.assessor)
    return export_grand_list(signed, folder=folder, on=TODAY, **more)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def total(rows: list[dict[str, str]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def test_lines_sum_to_accounts_and_accounts_to_the_signed_totals(
    office: Office, signed: GrandList, tmp_path: Path
):
    report = export(office, signed, tmp_path, formats=("csv",))
    accounts = read(tmp_path / f"{STEM}-statutory-accounts.csv")
    lines = read(tmp_path / f"{STEM}-statutory-lines.csv")
    made = get_certification(signed)
    for account in accounts:
        own = [line for line in lines if line["list_number"] == account["list_number"]]
        assert total(own, "assessed") == int(account["gross"])
        parts = [int(account[f"assessed_{name}"]) for name in ("land", "building", "outbuilding", "other")]
        assert sum(parts) == int(account["gross"])
    assert {name: total(accounts, name) for name in ("gross", "exempt", "net")} == {
        name: getattr(made, name) for name in ("gross", "exempt", "net")
    }
    assert total(read(tmp_path / f"{STEM}-statutory-exemptions.csv"), "amount") == made.exempt
    assert report.control["root"] == made.root


def test_the_signed_totals_plus_the_instruments_are_the_m13_to_the_dollar(
    office: Office, signed: GrandList, tmp_path: Path
):
    for place, amount in ((0, -7_000), (1, 2_500)):
        issue_instrument(
            signed, actor=office.assessor, kind="correction", subject=office.property(place), dated_on=TODAY,
            changes=[Change("assessed", "13", amount)], explanation="a test",
        )  # fmt: skip
    export(office, signed, tmp_path, formats=("csv",), basis="board")
    _, (table, page, totals) = export_m13(signed, actor=office.assessor, folder=tmp_path)
    accounts = read(tmp_path / f"{STEM}-statutory-accounts.csv")
    instruments = read(tmp_path / f"{STEM}-statutory-instruments.csv")
    rows = read(table)
    after = [row for row in rows if row["basis"] == "after the board" and row["section"] == "assessed"]
    taxable = [row for row in accounts if not row["exempt_code"]]
    assert total(taxable, "gross") + total(instruments, "amount_change") == total(after, "dollars")
    assert total(accounts, "net_after") == json.loads(totals.read_text())["stages"][-1]["net"]
    exempt = [
        row for row in rows if row["basis"] == "after the board" and row["section"] == "exempt_property"
    ]
    assert total(exempt, "dollars") == total([row for row in accounts if row["exempt_code"]], "gross")
    assert page.read_bytes().startswith(b"%PDF-")


def test_the_excel_file_says_what_the_csv_says(office: Office, signed: GrandList, tmp_path: Path):
    export(office, signed, tmp_path, formats=("csv", "xlsx"))
    book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / f"{STEM}-statutory.xlsx"))
    head, *rows = book.get_sheet_by_name("Accounts").to_python()
    accounts = read(tmp_path / f"{STEM}-statutory-accounts.csv")
    assert head == list(accounts[0])
    assert [int(row[head.index("net")]) for row in rows] == [int(row["net"]) for row in accounts]
    assert book.sheet_names == ["Accounts", "Instruments", "Totals"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_protected_owner_is_in_no_file_but_the_collectors(
    office: Office, signed: GrandList, tmp_path: Path, profile: str
):
    protected = Ownership.objects.filter(is_confidential=True).select_related("owner")
    names = {item.owner.name for item in protected} | {item.owner.mailing_address for item in protected}
    export(office, signed, tmp_path, profile=profile, formats=("csv",))
    accounts = read(tmp_path / f"{STEM}-{profile}-accounts.csv")
    found = {value for row in accounts for value in row.values()}
    assert (names & found != set()) == (profile == "collector")
    if profile != "collector":
        assert sum(row["owner"] == "Current Owner" for row in accounts) == len(protected)
    if profile in ("cog", "foi"):
        hidden = [row for row in accounts if row["suppressed"] == "Y"]
        assert all(row["mailing_address"] == row["location"] for row in hidden)
        assert len(hidden) == len(protected)


def test_who_is_protected_after_the_signing_is_suppressed_from_then_on(
    office: Office, signed: GrandList, tmp_path: Path
):
    owner = Owner.objects.get(ownerships__property_id=office.sample.ids[0])
    Ownership.objects.filter(owner=owner).update(is_confidential=True)
    export(office, signed, tmp_path, profile="public", formats=("csv",))
    assert owner.name not in (tmp_path / f"{STEM}-public-accounts.csv").read_text()


def test_an_export_is_made_from_the_snapshot_and_not_from_the_live_record(
    office: Office, signed: GrandList, tmp_path: Path
):
    Owner.objects.update(name="Somebody Else")
    export(office, signed, tmp_path, profile="collector", formats=("csv",))
    assert "Somebody Else" not in (tmp_path / f"{STEM}-collector-accounts.csv").read_text()


def test_a_name_that_looks_like_a_formula_stays_a_name(office: Office, tmp_path: Path):
    Owner.objects.filter(ownerships__property_id=office.sample.ids[0]).update(name="=HYPERLINK(1)")
    signed = office.sign(office.convert())
    export(office, signed, tmp_path, formats=("csv",))
    assert ",'=HYPERLINK(1)," in (tmp_path / f"{STEM}-statutory-accounts.csv").read_text()


def test_the_control_totals_name_every_file_with_its_hash(office: Office, signed: GrandList, tmp_path: Path):
    report = export(office, signed, tmp_path)
    kept = json.loads((tmp_path / f"{STEM}-statutory-control-totals.json").read_text())
    assert kept["signed"] == {name: kept["exported"][name] for name in kept["signed"]}
    assert kept["totals"] == kept["signed"]
    assert len(kept["files"]) == 6
    for name, facts in kept["files"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == facts["sha256"]
    assert kept["files"][f"{STEM}-statutory-accounts.csv"]["rows"] == 12
    assert report.files
    assert not list(tmp_path.rglob("*.part"))


def test_an_unsigned_list_is_not_exported(office: Office, tmp_path: Path):
    with pytest.raises(ListNotSigned):
        export(office, office.convert(), tmp_path)


def test_who_may_not_export_and_what_is_no_profile_are_refused(
    office: Office, signed: GrandList, tmp_path: Path
):
    with pytest.raises(Forbidden):
        export(office, signed, tmp_path, actor=office.cast.actor(office.cast.collector_a))
    with pytest.raises(Forbidden, match="view_confidential"):
        export(office, signed, tmp_path, actor=office.cast.actor(office.cast.clerk_a), profile="collector")
    with pytest.raises(Invalid, match="profile"):
        export(office, signed, tmp_path, profile="friends")
    with pytest.raises(Invalid, match="format"):
        export(office, signed, tmp_path, formats=("doc",))


def test_a_folder_that_cannot_be_made_gives_one_line_and_no_file(
    office: Office, signed: GrandList, tmp_path: Path
):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(OutputNotWritten, match="file"):
        export(office, signed, in_the_way / "out")


def test_a_full_disk_gives_one_line_and_leaves_no_half_file(
    office: Office, signed: GrandList, tmp_path: Path
):
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
    try:
        with pytest.raises(OutputNotWritten):
            export(office, signed, tmp_path, formats=("csv",))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not [path for path in tmp_path.iterdir() if "accounts" in path.name]


def test_the_commands_go_from_stated_values_to_files(committed_db, tmp_path: Path, capsys):
    from tests.cast import make_cast

    cast = make_cast()
    with scope(Actor.system("a test"), towns=[62]):
        sample = make_properties(cast.town_a, 60)
        state_values(sample, 2024)
    of_town = ("--town", "hamden", "--year", "2024")
    call_command("open_grand_list", *of_town, "--basis", "conversion", "--base-revaluation", "2020-10-01")
    call_command("balance", *of_town)
    call_command("sign_grand_list", *of_town)
    call_command("verify_grand_list", *of_town)
    call_command("export_grand_list", *of_town, "--out", str(tmp_path))
    call_command("export_m13", *of_town, "--out", str(tmp_path), "--json")
    out = capsys.readouterr().out
    assert "60 of 60 accounts match" in out
    assert "is signed by Ada Assessor: 60 accounts" in out
    assert (tmp_path / f"{STEM}-statutory.pdf").stat().st_size > 1000
    paper = str(tmp_path / f"{STEM}-statutory-certification.json")
    call_command("verify_grand_list", *of_town, "--certification", paper)
    with pytest.raises(CommandError, match="already"):
        call_command("open_grand_list", *of_town, "--basis", "revaluation")
    with pytest.raises(CommandError, match="lists: 2024 real"):
        call_command("export_m13", "--town", "hamden", "--year", "2031", "--out", str(tmp_path))


def test_a_list_of_five_thousand_accounts_is_signed_and_exported_whole(committed_db, tmp_path: Path):
    from tests.cast import make_cast

    cast = make_cast()
    with scope(cast.actor(cast.assessor_a), towns=[62], reason="a test"):
        from tests.roll.conftest import Office as Desk

        sample = make_properties(cast.town_a, 5_000)
        state_values(sample, 2024)
        office = Desk(cast, cast.town_a, cast.actor(cast.assessor_a), cast.actor(cast.deputy_a), sample)
        signed = office.sign(office.convert())
        report = export(office, signed, tmp_path)
    rows = read(tmp_path / f"{STEM}-statutory-accounts.csv")
    assert len({row["list_number"] for row in rows}) == 5_000
    assert total(rows, "net") == report.control["signed"]["net"]
    assert report.control["files"][f"{STEM}-statutory.pdf"]["rows"] > 300


def test_a_signed_list_of_a_committed_office_is_exported_again_to_the_same_bytes(
    committed: CommittedOffice, tmp_path: Path
):
    for name in ("one", "two"):
        with scope(committed.office.assessor, towns=[62]):
            export(committed.office, committed.grand_list, tmp_path / name, formats=("csv", "pdf"))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
