"""From the text of a cell to a value; a converter that cannot raises `ConversionError` with its reason."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from assessment.property.tabular.problems import Reason

Converter = Callable[[str], Any]

_BLANKS = frozenset({"", "na", "n/a", "null", "none", "nan", "#n/a", "-", "--", "<null>"})
_LONGEST_BLANK = max(map(len, _BLANKS))
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_GROUPED_COMMA = re.compile(r"[+-]?\d{1,3}([. ]\d{3})+(,\d*)?")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T].*)?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")
_COMPACT = re.compile(r"(1[89]|20)\d{6}")
_EPOCH = re.compile(r"-?\d{9,14}(\.0*)?")
_SPACES = re.compile(r"\s+")
_YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "x"})
_NO = frozenset({"no", "n", "false", "f", "0", "0.0"})
_ABOVE_STOREY = {"T": Decimal("0.75"), "H": Decimal("0.5"), "A": Decimal(0)}
_NUMBER_LIMIT = Decimal(10) ** 15


class ConversionError(ValueError):
    """A cell's text is not what its column should hold."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def is_blank(text: str) -> bool:
    """Return whether a cell says nothing. A zero says something."""
    text = text.strip()
    return len(text) <= _LONGEST_BLANK and text.casefold() in _BLANKS


def to_text(text: str) -> str:
    """Return the text with runs of white space as one space."""
    return _SPACES.sub(" ", text).strip()


def to_identifier(text: str) -> str:
    """Return an identifier: "24675.0" of a spreadsheet is 24675, "  40   40" stays two parts."""
    text = to_text(text)
    whole, dot, rest = text.partition(".")
    return whole if dot and whole.isdigit() and not rest.strip("0") else text


def to_decimal(text: str, *, decimal_comma: bool = False) -> Decimal:
    """Return a number: "1,234", "$940,800.00", "940800.0" and "(35)" are numbers; "0,25" is not.

    Parameters
    ----------
    decimal_comma
        Read "1.234,5" as one thousand two hundred and thirty-four and a half.
    """
    cleaned = text.strip().replace("$", "").replace("\u00a0", " ").strip()
    if cleaned.startswith("(") and cleaned.endswith(")"):
        cleaned = "-" + cleaned[1:-1].strip()
    if cleaned.endswith("-"):
        cleaned = "-" + cleaned[:-1]
    if decimal_comma:
        if _GROUPED_COMMA.fullmatch(cleaned):
            cleaned = cleaned.replace(".", "").replace(" ", "")
        cleaned = cleaned.replace(",", ".", 1)
    elif _GROUPED.fullmatch(cleaned):
        cleaned = cleaned.replace(",", "")
    if not _PLAIN.fullmatch(cleaned):
        hint = " A decimal comma needs decimal_comma = true in the mapping." if "," in cleaned else ""
        raise ConversionError(Reason.NOT_A_NUMBER, f"{text!r} is no number.{hint}")
    try:
        number = Decimal(cleaned)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets nothing else through
        raise ConversionError(Reason.NOT_A_NUMBER, f"{text!r} is no number.") from error
    if abs(number) > _NUMBER_LIMIT:
        raise ConversionError(Reason.OUT_OF_RANGE, f"{text!r} is larger than anything a card can hold.")
    return number


def to_integer(text: str, *, decimal_comma: bool = False) -> int:
    """Return a whole number; "2.0" is one, "2.5" is not."""
    stripped = text.strip()
    if stripped.isdigit() and len(stripped) < 15:
        return int(stripped)
    number = to_decimal(text, decimal_comma=decimal_comma)
    if number != number.to_integral_value():
        raise ConversionError(Reason.NOT_WHOLE, f"{text!r} is not a whole number.")
    return int(number)


def to_dollars(text: str, *, decimal_comma: bool = False) -> int:
    """Return whole dollars; cents are rounded half up, since cards of some systems carry them."""
    stripped = text.strip()
    if stripped.isdigit() and len(stripped) < 15:
        return int(stripped)
    return int(to_decimal(text, decimal_comma=decimal_comma).quantize(Decimal(1), rounding="ROUND_HALF_UP"))


def to_year(text: str) -> int | None:
    """Return a year between 1600 and 2100, or None for 0, which cards use for unknown."""
    year = to_integer(text)
    if year == 0:
        return None
    if not 1600 <= year <= 2100:
        raise ConversionError(Reason.OUT_OF_RANGE, f"{text!r} is no year between 1600 and 2100.")
    return year


def to_date(text: str) -> date:
    """Return a day from month/day/year, ISO 8601, YYYYMMDD, or seconds or milliseconds since 1970 (UTC)."""
    cleaned = text.strip()
    try:
        if match := _ISO.fullmatch(cleaned):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _SLASHED.fullmatch(cleaned):
            return date(int(match[3]), int(match[1]), int(match[2]))
        if _COMPACT.fullmatch(cleaned):
            return date(int(cleaned[:4]), int(cleaned[4:6]), int(cleaned[6:]))
        if _EPOCH.fullmatch(cleaned):
            instant = float(cleaned)
            seconds = instant / 1000 if abs(instant) >= 1e11 else instant
            return datetime.fromtimestamp(seconds, UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise ConversionError(Reason.NOT_A_DATE, f"{text!r} is no day of the calendar.") from error
    raise ConversionError(Reason.NOT_A_DATE, f"{text!r} is no date: use 2025-10-01 or 10/1/2025.")


def to_yes_no(text: str) -> bool:
    """Return whether the cell says yes."""
    word = text.strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ConversionError(Reason.NOT_YES_OR_NO, f"{text!r} is neither yes nor no.")


def to_full_baths(text: str, *, decimal_comma: bool = False) -> int:
    """Return the full baths of "2.5"."""
    return int(_baths(text, decimal_comma))


def to_half_baths(text: str, *, decimal_comma: bool = False) -> int:
    """Return the half baths of "2.5": one."""
    number = _baths(text, decimal_comma)
    return int((number - int(number)) * 2)


def _baths(text: str, decimal_comma: bool) -> Decimal:
    number = to_decimal(text, decimal_comma=decimal_comma)
    if number < 0 or number * 2 != (number * 2).to_integral_value():
        raise ConversionError(Reason.OUT_OF_RANGE, f"{text!r} is no number of full and half baths.")
    return number


def to_stories(text: str) -> Decimal:
    """Return storeys: "1T" is one and three quarters, "1H" one and a half, "1A" one with an attic above."""
    cleaned = text.strip().upper()
    above = _ABOVE_STOREY.get(cleaned[-1:])
    number = to_decimal(cleaned if above is None else cleaned[:-1])
    if not 0 < number < 100:
        raise ConversionError(Reason.OUT_OF_RANGE, f"{text!r} is no number of storeys.")
    return number + (above or 0)


PLAIN: dict[str, Converter] = {
    "stories": to_stories,
    "text": to_text,
    "identifier": to_identifier,
    "code": to_identifier,
    "year": to_year,
    "date": to_date,
    "yes_no": to_yes_no,
}
NUMERIC: dict[str, Callable[..., Any]] = {
    "decimal": to_decimal,
    "integer": to_integer,
    "dollars": to_dollars,
    "full_baths": to_full_baths,
    "half_baths": to_half_baths,
}
NAMES = sorted(PLAIN.keys() | NUMERIC.keys())
