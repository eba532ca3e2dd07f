import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.sales.rules.addresses import clean_unit, parse_address, read_street


@pytest.mark.parametrize(
    ("text", "low", "high", "letter", "unit"),
    [
        ("14 BUGBEE LANE", 14, 14, "", ""),
        ("35-37 THIRD ST", 35, 37, "", ""),
        ("24/26 WASHINGTON AVE", 24, 26, "", ""),
        ("123-25 ELM ST", 123, 125, "", ""),
        ("100-3 MAIN ST", 100, 103, "", ""),
        ("22A ROBIN ROAD", 22, 22, "A", ""),
        ("592 D MOUNTAIN ROAD", 592, 592, "D", ""),
        ("12 S MAIN ST", 12, 12, "", ""),
        ("154 BROADWAY REAR", 154, 154, "R", ""),
        ("12 1/2 ATWATER ST", 12, 12, "1/2", ""),
        ("85 MEMORIAL ROAD #306", 85, 85, "", "306"),
        ("31 ROBIN RD UNIT #B-4", 31, 31, "", "B4"),
        ("893 FARMINGTON AVENUE UNIT 2-1", 893, 893, "", "2-1"),
        ("900 MIX AVE U63", 900, 900, "", "63"),
        ("2390 STATE ST UL23F", 2390, 2390, "", "L23F"),
        ("7A ROBIN RD + GAR 1", 7, 7, "A", ""),
        ("SUNSHINE AVENUE 0010", 10, 10, "", ""),
        ("174 PEARL ST (NOANK)", 174, 174, "", ""),
        ("JOHNSON RD", 0, 0, "", ""),
        ("", 0, 0, "", ""),
    ],
)
def test_the_house_number_and_a_marked_unit_are_read(
    text: str, low: int, high: int, letter: str, unit: str
) -> None:
    read = parse_address(text)
    assert (read.low, read.high, read.letter, read.unit) == (low, high, letter, unit)


@pytest.mark.parametrize(
    "text",
    [
        "60 WESTPHAL ST, 56 WESTPHAL ST",
        "977 FARMINGTON AVE, 52 + 78 LA",
        "18 PARK RD, 22 PARK RD, 8 WARR",
        "74, 80 & 86 UPTON ST",
        "86 & 88 CLEAR LAKE RD",
        "555 NEW PARK AVENUE + 15 TALCO",
    ],
)
def test_an_address_that_lists_more_than_one_says_so(text: str) -> None:
    assert parse_address(text).names_several


@pytest.mark.parametrize("text", ["705 LAKE AVE., UNIT B", "37 ARNOLD WAY + GARAGE 2A", "33 RIVER RD"])
def test_a_unit_or_a_garage_is_not_a_second_address(text: str) -> None:
    assert not parse_address(text).names_several


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LONG MEADOW RD", "LONGMEADOW ROAD"),
        ("PINE BRK LN", "PINE BROOK LANE"),
        ("WEBSTER HILL BLVD", "WEBSTER HILL BOULEVARD"),
        ("GAYLORD MTN RD", "GAYLORD MT RD"),
        ("E GATE LA", "EASTGATE LANE"),
        ("FOREST COURT SO", "FOREST CT SOUTH"),
        ("SAINT AUGUSTINE ST", "ST AUGUSTINE STREET"),
        ("3RD ST", "THIRD STREET"),
    ],
)
def test_two_spellings_of_one_street_are_one_street(one: str, other: str) -> None:
    assert read_street(tuple(one.split())) == read_street(tuple(other.split()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MAIN ST", "NORTH MAIN ST"),
        ("HIGHLAND ST", "HIGHLAND RD"),
        ("TANGLEWOOD DR", "TANGLEWOOD DR SO"),
        ("BOULEVARD", "BOULEVARD RD"),
    ],
)
def test_two_streets_stay_two_streets(one: str, other: str) -> None:
    assert read_street(tuple(one.split())) != read_street(tuple(other.split()))


def test_a_dash_between_digits_of_a_unit_is_kept() -> None:
    assert clean_unit("# 2-1") == "2-1"
    assert clean_unit("T-3") == "T3"


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    read = parse_address(text)
    assert 0 <= read.low <= read.high
