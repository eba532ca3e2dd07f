"""Texts of cells as values."""

from datetime import date
from decimal import Decimal

import pytest

from assessment.property.tabular import converters
from assessment.property.tabular.converters import ConversionError
from assessment.property.tabular.problems import Reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("940800.0", "940800.0"), ("1,234", "1234"), ("$940,800.50", "940800.50"), ("(35)", "-35"),
        ("35-", "-35"), ("1.0E+05", "1.0E+5"), (" 0 ", "0"), (".25", "0.25"), ("1,234,567", "1234567"),
    ],
)  # fmt: skip
def test_numbers_as_spreadsheets_write_them(text: str, value: str) -> None:
    assert converters.to_decimal(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["0,25", "12,34", "abc", "1 2", "nan", "inf", "1,2345", "--3", "0x10", "1e999"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ConversionError) as caught:
        converters.to_decimal(text)
    assert caught.value.reason is Reason.NOT_A_NUMBER


def test_a_decimal_comma_is_read_when_the_mapping_says_so() -> None:
    assert converters.to_decimal("1.234,5", decimal_comma=True) == Decimal("1234.5")
    assert converters.to_decimal("0,25", decimal_comma=True) == Decimal("0.25")


def test_a_number_larger_than_any_card_is_refused() -> None:
    with pytest.raises(ConversionError) as caught:
        converters.to_decimal("9" * 20)
    assert caught.value.reason is Reason.OUT_OF_RANGE


def test_whole_numbers_may_carry_a_zero_after_the_point() -> None:
    assert converters.to_integer("3.0") == 3
    with pytest.raises(ConversionError) as caught:
        converters.to_integer("2.5")
    assert caught.value.reason is Reason.NOT_WHOLE


@pytest.mark.parametrize(("text", "dollars"), [("100.50", 101), ("100.49", 100), ("940800.0", 940800)])
def test_cents_are_rounded_half_up(text: str, dollars: int) -> None:
    assert converters.to_dollars(text) == dollars


@pytest.mark.parametrize(
    "text",
    [
        "5/31/2024", "05/31/2024", "2024-05-31", "2024-05-31 00:00:00", "20240531",
        "1717113600", "1717113600000", "1717113600.0",
    ],
)  # fmt: skip
def test_a_day_in_every_spelling(text: str) -> None:
    assert converters.to_date(text) == date(2024, 5, 31)


@pytest.mark.parametrize("text", ["31/5/2024", "5/31/24", "2024-02-30", "soon", "2024", "13/13/2024"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ConversionError) as caught:
        converters.to_date(text)
    assert caught.value.reason is Reason.NOT_A_DATE


def test_year_zero_is_unknown_and_an_odd_year_is_refused() -> None:
    assert converters.to_year("0") is None
    assert converters.to_year("1763") == 1763
    with pytest.raises(ConversionError):
        converters.to_year("19")


def test_baths_split_into_full_and_half() -> None:
    assert (converters.to_full_baths("2.5"), converters.to_half_baths("2.5")) == (2, 1)
    with pytest.raises(ConversionError):
        converters.to_half_baths("2.3")


@pytest.mark.parametrize(("text", "storeys"), [("1T", "1.75"), ("2h", "2.5"), ("1A", "1"), ("2.00", "2")])
def test_storeys_with_the_letter_of_what_is_above(text: str, storeys: str) -> None:
    assert converters.to_stories(text) == Decimal(storeys)


def test_blank_is_not_zero() -> None:
    assert converters.is_blank(" NA ")
    assert converters.is_blank("")
    assert not converters.is_blank("0")
    assert not converters.is_blank("0.0")


def test_an_identifier_of_a_spreadsheet_loses_its_point_and_no_leading_zero() -> None:
    assert converters.to_identifier("24675.0") == "24675"
    assert converters.to_identifier("007") == "007"
    assert converters.to_identifier("1.25") == "1.25"
    assert converters.to_identifier(" 40   40 ") == "40 40"


def test_yes_and_no() -> None:
    assert converters.to_yes_no("Y") is True
    assert converters.to_yes_no("no") is False
    with pytest.raises(ConversionError):
        converters.to_yes_no("maybe")
