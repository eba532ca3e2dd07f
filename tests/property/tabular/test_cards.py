"""Rows as cards, by a mapping."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assessment.property.tabular.cards import Card, CardReader
from assessment.property.tabular.mapping import CardMapping, load_mapping, parse_mapping
from assessment.property.tabular.problems import ColumnsMissing, MappingInvalid, Reason, RowProblem, RowReport
from assessment.property.tabular.reading import open_table
from assessment.property.tabular.shipped import choose_mapping, shipped_mappings
from tests.property.tabular.conftest import RAW

Write = Callable[..., Path]
Read = Callable[[Path], tuple[list[Card], list[RowProblem], CardReader]]
HEADER = "pid,LOCATION,acres,assessed total,grade,grade desc,beds,sale date\n"


def test_a_row_becomes_a_card_with_what_it_states(write: Write, read: Read) -> None:
    [card], findings, _ = read(write(HEADER + '7.0, 9  ELM ST ,0.25,"1,234",average,,3.0,5/31/2024\n'))
    assert findings == []
    assert (card.row, card.key) == (2, "7")
    assert card.parts == {
        "alias": {"pid": "7"},
        "property": {"address": "9 ELM ST", "total_acres": Decimal("0.25")},
        "stated": {"assessed_total": 1234},
        "building": {"grade": "C", "bedrooms": 3},
        "sale1": {"date": date(2024, 5, 31)},
    }


def test_blank_is_absent_and_zero_is_zero(write: Write, read: Read) -> None:
    [card], findings, _ = read(write(HEADER + "7,9 ELM ST,0,,NA,,0,\n"))
    assert findings == []
    assert card.parts["property"]["total_acres"] == 0
    assert card.parts["building"] == {"bedrooms": 0}
    assert "stated" not in card.parts


def test_a_missing_column_is_named_before_any_row_is_read(write: Write, read: Read) -> None:
    with pytest.raises(ColumnsMissing, match="Location") as caught:
        read(write("PID,Acres\n1,2\n"))
    assert caught.value.data["columns"] == ["Location"]


def test_an_identifier_met_twice_is_refused_and_says_where_it_was_first(write: Write, read: Read) -> None:
    cards, [finding], _ = read(write("PID,Location\n7,A ST\n8,B ST\n7.0,C ST\n"))
    assert [card.key for card in cards] == ["7", "8"]
    assert (finding.row, finding.reason, finding.card) == (4, Reason.DUPLICATE_ID, "7")
    assert "row 2" in finding.sentence


def test_ten_percent_bad_rows_are_each_reported_and_the_rest_read(write: Write, read: Read) -> None:
    rows = [f"{n},{n} ELM ST,{'x' if n % 10 == 0 else '1'}" for n in range(100)]
    cards, findings, reader = read(write("PID,Location,Acres\n" + "\n".join(rows)))
    report = RowReport()
    report.extend(findings)
    assert (len(cards), len(report.rejected_rows), reader.rows) == (90, 10, 100)
    assert {(finding.column, finding.value, finding.reason) for finding in findings} == {
        ("Acres", "x", Reason.NOT_A_NUMBER)
    }
    assert sorted(report.rejected_rows) == [2 + n for n in range(0, 100, 10)]


def test_a_bad_value_of_a_lesser_field_is_left_blank_and_reported(write: Write, read: Read) -> None:
    [card], [finding], _ = read(write("PID,Location,Beds\n7,A ST,many\n"))
    assert "building" not in card.parts
    assert (finding.reason, finding.rejected, finding.card) == (Reason.NOT_A_NUMBER, False, "7")
    assert finding.sentence == "'many' is no number; the value is left blank."


def test_a_required_value_that_is_blank_refuses_the_row(write: Write, read: Read) -> None:
    cards, [finding], _ = read(write("PID,Location\n7,\n"))
    assert cards == []
    assert (finding.reason, finding.column, finding.rejected) == (Reason.BLANK_REQUIRED, "Location", True)


def test_a_value_below_its_range_is_refused(write: Write, read: Read) -> None:
    cards, [finding], _ = read(write("PID,Location,Acres\n7,A ST,-1\n"))
    assert cards == []
    assert finding.reason is Reason.OUT_OF_RANGE


def test_codes_unknown_to_the_mapping_are_kept_and_counted(write: Write, read: Read) -> None:
    text = "PID,Location,Grade,Grade_Desc\n1,A ST,Average,\n2,B ST,X9,Odd\n3,C ST,X9,Odd\n"
    cards, findings, reader = read(write(text))
    assert findings == []
    assert [card.parts["building"]["grade"] for card in cards] == ["C", "X9", "X9"]
    [(key, tally)] = reader.unknown_codes.items()
    assert (key, tally.rows, tally.first_row, tally.entry.label) == (("grade", "X9"), 2, 3, "Odd")


@pytest.mark.parametrize(
    ("on_unknown", "cards_left", "graded"), [("reject", 1, ["C"]), ("blank", 2, ["C", None])]
)
def test_a_mapping_says_what_to_do_with_unknown_codes(
    write: Write, on_unknown: str, cards_left: int, graded: list[str | None]
) -> None:
    fields = [dict(entry) for entry in RAW["field"]]
    fields[4]["on_unknown"] = on_unknown
    mapping = parse_mapping({**RAW, "field": fields}, name="small")
    path = write("PID,Location,Grade\n1,A ST,Average\n2,B ST,X9\n")
    found = list(CardReader(mapping, open_table(path)))
    cards = [item for item in found if isinstance(item, Card)]
    assert len(cards) == cards_left
    assert [card.parts.get("building", {}).get("grade") for card in cards] == graded


def test_rows_of_other_towns_are_passed_over_and_counted(write: Write) -> None:
    raw = {**RAW, "card": {"key": "alias.pid", "town": ["Town Name"]}}
    path = write("PID,Location,Town_Name\n1,A ST,Hamden\n2,B ST,New Haven\n3,C ST,93.0\n")
    reader = CardReader(
        parse_mapping(raw, name="small"), open_table(path), town_keys=frozenset({"new haven", "93"})
    )
    assert [item.key for item in reader if isinstance(item, Card)] == ["2", "3"]
    assert reader.other_town_rows == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"to": "building.colour"}, "no field of a card"),
        ({"convert": "roman"}, "converts to"),
        ({"from": []}, "needs one of"),
        ({"colour": "red"}, "no meaning"),
        ({"convert": "code"}, "names no table"),
        ({"unit": "furlongs", "convert": "decimal"}, "no use for the unit"),
        ({"on_bad": "cry"}, "on_bad"),
        ({"minimum": "few"}, "no number"),
    ],
)
def test_a_slip_in_a_mapping_is_found_when_it_is_loaded(change: dict[str, Any], says: str) -> None:
    fields = [*RAW["field"], {"to": "building.units", "from": "Units", "convert": "integer", **change}]
    with pytest.raises(MappingInvalid, match=says):
        parse_mapping({**RAW, "field": fields}, name="small")


def test_a_mapping_needs_a_key_and_fills_nothing_twice(tmp_path: Path) -> None:
    with pytest.raises(MappingInvalid, match="key"):
        parse_mapping({"field": RAW["field"]}, name="small")
    with pytest.raises(MappingInvalid, match="filled twice"):
        parse_mapping({**RAW, "field": [*RAW["field"], RAW["field"][0]]}, name="small")
    broken = tmp_path / "broken.toml"
    broken.write_text("a = = b")
    with pytest.raises(MappingInvalid, match="TOML"):
        load_mapping(broken)


def test_the_shipped_mappings_tell_each_other_apart() -> None:
    headers = {
        "new_haven": "pid,address,value,buildings,year,land,living,good,style,model,grade,beds,baths,ac,nghd",
        "vision": "rem mblu map,rem pid,prc ttl assess,cns area living,vns ayb,lnd nbhd",
        "state_combined": "town_name,link,assessed_total,assessed_land,assessed_building,state_use,"
        "valuation_year",
    }  # fmt: skip
    assert {mapping.name for mapping in shipped_mappings()} == set(headers)
    for name, header in headers.items():
        assert choose_mapping(header.split(",")).name == name
    with pytest.raises(MappingInvalid, match="give --mapping"):
        choose_mapping(["a", "b"])


def test_the_state_combined_header_is_read_in_each_year_s_spelling(write: Write) -> None:
    names = (
        "Town Name,Link,Link_From_CAMA,Location_CAMA,Assessed_Total,Assessed_Land,Assessed_Building,"
        "State_Use,Valuation_Year,Living_Area,Sale_Date"
    )
    row = "Hamden,62-1,62-1,9 ELM ST,940800.0,1,2,1010,2024,1820.0,5/31/2024"
    for spelling in (names, names.lower(), names.replace("_", "").lower(), names.replace("_", " ")):
        table = open_table(write(f"{spelling}\n{row}\n"))
        [card] = [item for item in CardReader(choose_mapping(table.header), table) if isinstance(item, Card)]
        assert card.key == "62-1"
        assert card.parts["stated"]["assessed_total"] == 940800
        assert card.parts["building"]["living_area_sqft"] == 1820


def test_units_are_turned_into_the_record_s(write: Write, mapping: CardMapping) -> None:
    fields = [dict(entry) for entry in RAW["field"]]
    fields[2]["unit"] = "land_sqft"
    scaled = parse_mapping({**RAW, "field": fields}, name="small")
    [card] = list(CardReader(scaled, open_table(write("PID,Location,Acres\n1,A ST,43560\n"))))
    assert isinstance(card, Card)
    assert round(card.parts["property"]["total_acres"], 9) == 1
