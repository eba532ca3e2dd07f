"""Importing record cards: what comes in, what is refused, and that nothing happens twice."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from assessment.property.imports.cards import CardImport, import_cards
from assessment.property.imports.outcome import ImportOutcome
from assessment.property.models import (
    Building,
    Code,
    ImportRun,
    JournalEntry,
    LandLine,
    Owner,
    Ownership,
    Property,
    PropertyAlias,
    StatedValue,
)
from assessment.property.services import create_property, update_row
from assessment.property.tabular.problems import RowsRefused
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden
from assessment.region.models import Town
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, Cast

HEADER = (
    "pid,address,value,buildings,year,land,living,good,style,model,grade,beds,baths,heatfuel,heattype,ac,nghd"
)
CARD = "{pid},{address},145670,1,1950,{land},1475,73,{style},Single Family,Average,3.0,2.5,Steam,Steam,no,101"
Write = Callable[..., Path]
IMPORTER = Actor.system("import_cama")


def card(pid: object, address: str = "", *, land: object = "0.25", style: str = "Cape Cod") -> str:
    """One row of New Haven's cards."""
    return CARD.format(pid=pid, address=address or f"{pid} ELM ST", land=land, style=style)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of cards."""

    def write_file(
        *rows: str, encoding: str = "utf-8", name: str = "cards.csv", header: str = HEADER
    ) -> Path:
        path = tmp_path / name
        path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
        return path

    return write_file


@pytest.fixture
def town(db: None) -> Town:
    """Town A."""
    return Town.objects.get(code=TOWN_A)


def run(town: Town, path: Path, **options: Any) -> ImportOutcome:
    """Import a file as the operator."""
    return import_cards(town, actor=IMPORTER, wanted=CardImport(path, 2025, **options))


def in_town(town: Town) -> Any:
    """Look at the town."""
    return scope(SYSTEM, towns=[town.code], reason="looking")


def test_a_card_becomes_a_property_with_everything_that_the_file_states(town: Town, write: Write) -> None:
    outcome = run(town, write(card(7, "12 ELM ST #4")))
    assert (outcome.counts["added"], outcome.mapping) == (1, "new_haven")
    with in_town(town):
        made = Property.objects.get()
        assert (made.account_number, made.address_number, made.street_name, made.unit) == (
            "000001",
            "12",
            "ELM ST",
            "4",
        )
        assert (made.neighbourhood, made.state_class, made.use_description) == ("101", "100", "Single family")
        assert [(a.id_type, a.value) for a in PropertyAlias.objects.all()] == [("pid", "7")]
        building = Building.objects.get()
        assert (building.full_baths, building.half_baths, building.percent_good) == (2, 1, Decimal(73))
        assert building.detail_code == "13"
        line = LandLine.objects.get()
        assert (line.quantity, line.detail_code) == (Decimal("0.25"), "11")
        stated = StatedValue.objects.get()
        assert (stated.list_year, stated.component, stated.assessed, stated.appraised) == (
            2025,
            "total",
            145_670,
            None,
        )
        entry = JournalEntry.objects.filter(table_name="assessment_building").get()
        assert (entry.actor_name, entry.reason) == ("system: import_cama", "import of cards.csv")
        assert entry.effective_on == dt.date(2025, 10, 1)


def test_the_same_file_again_changes_nothing(town: Town, write: Write) -> None:
    path = write(*[card(n) for n in range(30)])
    first = run(town, path)
    with in_town(town):
        before = JournalEntry.objects.count()
    again = run(town, path)
    assert (first.counts["added"], again.counts["unchanged"], again.changes) == (30, 30, 0)
    with in_town(town):
        assert JournalEntry.objects.count() == before
        assert set(Property.objects.values_list("version", flat=True)) == {1}
        assert ImportRun.objects.count() == 2


def test_a_file_that_says_something_else_changes_that_and_nothing_else(town: Town, write: Write) -> None:
    run(town, write(card(1), card(2)))
    outcome = run(town, write(card(1, land="0.5", style="Ranch"), card(2)))
    counts = outcome.counts
    assert (counts["changed"], counts["unchanged"], counts["added"]) == (1, 1, 0)
    with in_town(town):
        changed = Property.objects.get(version=2)
        assert changed.total_acres == Decimal("0.5")
        assert changed.land_lines.get().quantity == Decimal("0.5")
        assert changed.buildings.get().style == "Ranch"


def test_what_people_changed_since_is_left_alone_and_reported(town: Town, write: Write, cast: Cast) -> None:
    run(town, write(card(1)))
    with in_town(town):
        building = Building.objects.get()
        update_row(
            building.property_id, actor=cast.actor(cast.assessor_a), target_kind="building",
            target_id=building.id, reason="inspected", style="Colonial",
        )  # fmt: skip
    outcome = run(town, write(card(1, style="Ranch")))
    [problem] = outcome.report.problems
    assert (problem.row, problem.column, problem.value, problem.reason) == (
        2,
        "style",
        "Ranch",
        "edited-since",
    )
    with in_town(town):
        assert Building.objects.get().style == "Colonial"


def test_refused_rows_are_left_out_with_their_reasons(town: Town, write: Write) -> None:
    path = write(card(1), card(2, land="x"), card(3), card(3), "4,short row", card(5))
    outcome = run(town, path)
    refused = {(p.row, str(p.reason)) for p in outcome.report.problems if p.rejected}
    assert refused == {(3, "not-a-number"), (5, "duplicate-id"), (6, "wrong-length")}
    assert (outcome.counts["read"], outcome.counts["accepted"], outcome.counts["rejected"]) == (6, 3, 3)
    with in_town(town):
        kept = ImportRun.objects.get()
        assert len(kept.report["rows"]) == 3
        assert kept.counts["rejected"] == 3


def test_with_abort_one_refused_row_stops_everything_and_all_are_reported(town: Town, write: Write) -> None:
    rows = [card(n, land="x" if n % 10 == 0 else "1") for n in range(100)]
    with pytest.raises(RowsRefused, match="10 of 100") as caught:
        run(town, write(*rows), on_error="abort")
    assert len(caught.value.data["report"]["rows"]) == 10
    with in_town(town):
        assert not Property.objects.exists()
        assert not Code.objects.exists()
        assert ImportRun.objects.get().counts["nothing_written"] is True


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(town: Town, write: Write) -> None:
    path = write(card(1), card(2))
    outcome = run(town, path, is_dry_run=True)
    assert (outcome.counts["added"], outcome.is_dry_run) == (2, True)
    with in_town(town):
        assert not Property.objects.exists()
        assert not JournalEntry.objects.exists()
        assert ImportRun.objects.get().is_dry_run


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("cp1252", ","), ("utf-8-sig", ";"), ("utf-8", "\t"), ("utf-16", ",")]
)
def test_files_in_other_letters_and_delimiters_come_in_alike(
    town: Town, write: Write, encoding: str, delimiter: str
) -> None:
    rows = [card(n, f"{n} RUE DU MARCHÉ").replace(",", delimiter) for n in range(5)]
    outcome = run(town, write(*rows, encoding=encoding, header=HEADER.replace(",", delimiter)))
    assert outcome.counts["added"] == 5
    with in_town(town):
        assert Property.objects.filter(street_name="RUE DU MARCHÉ").count() == 5


def test_codes_that_nobody_mapped_are_added_unmapped_and_told(town: Town, write: Write) -> None:
    outcome = run(town, write(card(1, style="Yurt"), card(2, style="Yurt"), card(3)))
    assert outcome.unmapped_codes == [
        {"table": "style", "code": "Yurt", "label": "", "rows": 2, "first_row": 2}
    ]
    with in_town(town):
        assert not Code.objects.get(table="style", code="Yurt").is_mapped
        assert Code.objects.get(table="style", code="Cape Cod").is_mapped
        Code.objects.filter(code="Yurt").update(is_mapped=True, label="Round tent")
    again = run(town, write(card(1, style="Yurt")))
    assert (again.unmapped_codes, again.changes) == ([], 0)


def test_a_card_finds_the_property_that_a_parcel_import_made_by_its_address(
    town: Town, write: Write, cast: Cast
) -> None:
    with in_town(town):
        held = create_property(
            town, actor=SYSTEM, reason="parcels", address="12 Elm Street", aliases={"gis": "A-1"}
        )
        create_property(town, actor=SYSTEM, reason="parcels", address="14 ELM ST")
    outcome = run(town, write(card(7, "12 ELM ST"), card(8, "16 ELM ST")))
    assert (outcome.counts["added"], outcome.counts["changed"]) == (1, 1)
    with in_town(town):
        assert PropertyAlias.objects.get(id_type="pid", value="7").property_id == held.id
    later = run(town, write(card(7, "12 ELM ST"), card(9, "12 ELM ST")))
    assert (later.counts["added"], later.counts["unchanged"]) == (1, 1)


def test_two_cards_on_the_address_of_one_such_property_are_told_and_neither_is_it(
    town: Town, write: Write
) -> None:
    with in_town(town):
        held = create_property(town, actor=SYSTEM, reason="parcels", address="12 Elm Street")
    outcome = run(town, write(card(7, "12 ELM ST"), card(9, "12 ELM ST")))
    assert (outcome.counts["added"], outcome.report.by_reason) == (2, {"ambiguous-match": 2})
    with in_town(town):
        assert not held.aliases.exists()


def test_a_killed_import_leaves_nothing_half_done(
    town: Town, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(*[card(n) for n in range(50)])
    monkeypatch.setattr("assessment.property.imports.cards._BATCH", 10)
    lines = path.read_bytes().splitlines(keepends=True)
    written: list[int] = []

    class Killed(BaseException):
        """Stands for the signal."""

    from assessment.property.imports.writing import BatchWriter

    whole = BatchWriter.write

    def write_some(self: BatchWriter, cards: Any, matches: Any) -> Any:
        if len(written) == 3:
            raise Killed
        written.append(len(cards))
        return whole(self, cards, matches)

    with monkeypatch.context() as patched:
        patched.setattr(BatchWriter, "write", write_some)
        with pytest.raises(Killed):
            run(town, path)
    assert (written, len(lines)) == ([10, 10, 10], 51)
    with in_town(town):
        assert not Property.objects.exists()
        assert not ImportRun.objects.exists()
    assert run(town, path).counts["added"] == 50


STATE = (
    "Town Name,Link,Link_From_CAMA,Location_CAMA,Owner,Co_Owner,Mailing_Address,Assessed_Total,Assessed_Land,"
    "Assessed_Building,Appraised_Land,Appraised_Building,Appraised_Outbuilding,Pre_Yr_Assessed_Total,State_Use,"
    "State_Use_Description,Valuation_Year,Land_Acres,Living_Area,AYB,Sale_Price,Sale_Date"
)
STATE_ROW = (
    "Hamden,62-1,62-1,9 ELM ST,{owner},,PO BOX 1,940800.0,300000.0,640800.0,428571,900000,15429,900000.0,1010,"
    'Single Fam,2025,1.5,2100.0,1950,"1,250,000",5/31/2021'
)


def test_a_row_of_the_state_s_table_brings_owner_values_and_sale(town: Town, write: Write) -> None:
    outcome = run(town, write(STATE_ROW.format(owner="DOE JANE"), header=STATE))
    assert outcome.mapping == "state_combined"
    with in_town(town):
        ownership = Ownership.objects.select_related("owner").get()
        assert (ownership.owner.name, ownership.valid_from) == ("DOE JANE", dt.date(2021, 5, 31))
        values = {(v.list_year, v.component): (v.appraised, v.assessed) for v in StatedValue.objects.all()}
    assert values == {
        (2025, "land"): (428_571, 300_000),
        (2025, "building"): (900_000, 640_800),
        (2025, "outbuilding"): (15_429, None),
        (2025, "total"): (None, 940_800),
        (2024, "total"): (None, 900_000),
    }
    [sale] = outcome.sales
    assert (sale.price, sale.sold_on, sale.card_key) == (1_250_000, dt.date(2021, 5, 31), "62-1")


def test_a_new_owner_in_the_file_ends_the_last_one(town: Town, write: Write) -> None:
    for owner in ("DOE JANE", "ROE RICHARD", "ROE RICHARD"):
        run(town, write(STATE_ROW.format(owner=owner), header=STATE))
    with in_town(town):
        rows = Ownership.objects.order_by("valid_to").values_list("owner__name", "valid_to")
        assert [(name, ended is None) for name, ended in rows] == [("DOE JANE", False), ("ROE RICHARD", True)]


def test_a_suppressed_owner_is_not_taken_over_a_known_one(town: Town, write: Write) -> None:
    run(town, write(STATE_ROW.format(owner="DOE JANE"), header=STATE))
    outcome = run(town, write(STATE_ROW.format(owner="Current Owner"), header=STATE))
    assert outcome.counts["owners_suppressed"] == 1
    with in_town(town):
        assert Owner.objects.get().name == "DOE JANE"


def test_rows_of_other_towns_in_a_statewide_file_are_passed_over(town: Town, write: Write) -> None:
    other = STATE_ROW.format(owner="X").replace("Hamden", "Bethany").replace("62-1", "8-1")
    outcome = run(town, write(STATE_ROW.format(owner="X"), other, header=STATE))
    assert (outcome.counts["added"], outcome.counts["other_town"], outcome.counts["rejected"]) == (1, 1, 0)


def test_only_those_who_may_import_do(town: Town, write: Write, cast: Cast) -> None:
    with pytest.raises(Forbidden):
        import_cards(town, actor=cast.actor(cast.collector_a), wanted=CardImport(write(card(1)), 2025))


def test_the_command_prints_json_and_writes_the_report(town: Town, write: Write, tmp_path: Path) -> None:
    out, report = StringIO(), tmp_path / "report.json"
    call_command(
        "import_cama", str(write(card(1), card(2, land="x"))), town="hamden", json=True, report=report,
        list_year=2024, stdout=out,
    )  # fmt: skip
    printed = json.loads(out.getvalue())
    assert (printed["counts"]["added"], printed["counts"]["rejected"], printed["list_year"]) == (1, 1, 2024)
    assert json.loads(report.read_text())["report"]["rows"][0]["row"] == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"town": "atlantis"}, "no town 'atlantis'"),
        ({"town": "62", "mapping": "absent.toml"}, "no mapping file"),
        ({"town": "901", "test_town": "Hamden"}, "town Hamden already"),
        ({"town": "62", "on_error": "abort"}, "1 of 2 rows"),
    ],
)
def test_the_command_tells_bad_input_in_one_line(
    town: Town, write: Write, options: dict[str, str], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as caught:
        call_command("import_cama", str(write(card(1), card(2, land="x"))), **options)
    assert "\n" not in str(caught.value)


def test_a_file_with_a_missing_column_is_refused_whole(town: Town, write: Write) -> None:
    path = write("1,A ST", header="pid,address")
    with pytest.raises(CommandError, match="lacks value"):
        call_command("import_cama", str(path), town="62", mapping="new_haven")


def test_cards_that_share_a_map_and_lot_are_two_properties_however_far_apart(
    town: Town, write: Write
) -> None:
    header = "Town Name,Link,Parcel_ID,Location_CAMA,Assessed_Total,Assessed_Land,Assessed_Building,State_Use,Valuation_Year"
    count = 2_001  # one more than a batch: the last card is matched when the first is in the record
    rows = [f"{town.name},62-{n},LOT-{n % (count - 1)},{n} ELM ST,7,3,4,1010,2024" for n in range(count)]
    outcome = run(town, write(*rows, header=header))
    assert (outcome.counts["added"], outcome.counts["matched"]) == (count, 0)
    with in_town(town):
        assert PropertyAlias.objects.filter(id_type="gis", value="LOT-0").count() == 2
