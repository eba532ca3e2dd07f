"""The state's sales file: its columns, in both spellings that data.ct.gov gives, and one row of it."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assessment.property.tabular.converters import (
    ConversionError,
    is_blank,
    to_date,
    to_dollars,
    to_identifier,
    to_text,
    to_year,
)
from assessment.property.tabular.headers import normalise_header
from assessment.property.tabular.problems import Reason, RowProblem

# The download spells "Serial Number", the API "serialnumber"; both are the same without spaces and case. Only
# these columns have names that differ.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "serial_number": ("serialnumber",),
    "list_year": ("listyear",),
    "recorded_on": ("daterecorded",),
    "town": ("town", "townname"),
    "address": ("address",),
    "assessed_value": ("assessedvalue",),
    "price": ("saleamount", "saleprice"),
    "property_type": ("propertytype",),
    "residential_type": ("residentialtype",),
    "nonuse_raw": ("nonusecode",),
    "assessor_remarks": ("assessorremarks", "remarks"),
    "state_remarks": ("opmremarks",),
    "location": ("location", "geocoordinates"),
}
REQUIRED = ("serial_number", "list_year", "recorded_on", "town", "address", "price")
_SPELT = {
    "serial_number": "Serial Number",
    "list_year": "List Year",
    "recorded_on": "Date Recorded",
    "town": "Town",
    "address": "Address",
    "price": "Sale Amount",
    "assessed_value": "Assessed Value",
}
_LENGTHS = {
    "serial_number": 40,
    "address": 160,
    "property_type": 40,
    "residential_type": 40,
    "nonuse_raw": 80,
}
_WKT = re.compile(r"POINT\s*\(\s*(-?\d+\.?\d*)\s+(-?\d+\.?\d*)\s*\)", re.IGNORECASE)
_OLDEST_LIST_YEAR = 1990


@dataclass(frozen=True, slots=True)
class SaleRow:
    """One row of the file, read. Amounts in whole dollars; the point in degrees (EPSG:4326)."""

    number: int
    town: str
    serial_number: str
    list_year: int
    recorded_on: dt.date
    address: str
    assessed_value: int | None
    price: int
    property_type: str
    residential_type: str
    nonuse_raw: str
    assessor_remarks: str
    state_remarks: str
    longitude: float | None
    latitude: float | None

    @property
    def key(self) -> tuple[int, str]:
        """What names a sale within a town."""
        return self.list_year, self.serial_number

    @property
    def is_of_a_unit(self) -> bool:
        """Whether the file says that a condominium unit was sold."""
        return "condo" in self.residential_type.casefold() or "condo" in self.property_type.casefold()


class _Refusal(Exception):
    def __init__(self, field: str, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.reason, self.sentence = field, reason, sentence


class SalesHeader:
    """Where each field stands in a file."""

    def __init__(self, header: Iterable[str]) -> None:
        self.header = tuple(header)
        places = {normalise_header(name): place for place, name in enumerate(self.header)}
        self._places: dict[str, int] = {}
        for field, spellings in _COLUMNS.items():
            for spelling in spellings:
                if spelling in places:
                    self._places[field] = places[spelling]
                    break

    @property
    def missing(self) -> list[str]:
        """Required columns that the file lacks, as the state spells them."""
        return [_SPELT[field] for field in REQUIRED if field not in self._places]

    def read(self, number: int, cells: tuple[str, ...], *, today: dt.date) -> SaleRow | RowProblem:
        """Read one row.

        Parameters
        ----------
        number
            The row's number as a person counts.
        today
            A transfer recorded later is refused.

        Returns
        -------
        SaleRow or RowProblem
            The row, or the first thing that is wrong with it.
        """
        texts = {field: cells[place].strip() for field, place in self._places.items()}
        try:
            return _read(number, texts, today)
        except _Refusal as refusal:
            place = self._places.get(refusal.field)
            return RowProblem(
                number,
                "" if place is None else self.header[place],
                texts.get(refusal.field, ""),
                refusal.reason,
                refusal.sentence,
                card=f"{texts.get('list_year', '')}/{texts.get('serial_number', '')}",
            )


def _read(number: int, texts: Mapping[str, str], today: dt.date) -> SaleRow:
    for field in ("serial_number", "list_year", "recorded_on", "town", "price"):
        if is_blank(texts[field]):
            raise _Refusal(field, Reason.BLANK_REQUIRED, f"{_SPELT[field]} is blank.")
    for field, length in _LENGTHS.items():
        if len(texts.get(field, "")) > length:
            raise _Refusal(field, Reason.TOO_LONG, f"The text is longer than {length} characters.")
    list_year = _convert(to_year, "list_year", texts)
    recorded_on = _convert(to_date, "recorded_on", texts)
    if list_year is None or not _OLDEST_LIST_YEAR <= list_year <= today.year:
        raise _Refusal(
            "list_year",
            Reason.OUT_OF_RANGE,
            f"The list year is not between {_OLDEST_LIST_YEAR} and {today.year}.",
        )
    if recorded_on > today:
        raise _Refusal("recorded_on", Reason.OUT_OF_RANGE, "The transfer is recorded in the future.")
    price = _convert(to_dollars, "price", texts)
    stated = texts.get("assessed_value", "")
    assessed = None if is_blank(stated) else _convert(to_dollars, "assessed_value", texts)
    for field, amount in (("price", price), ("assessed_value", assessed)):
        if amount is not None and amount < 0:
            raise _Refusal(field, Reason.OUT_OF_RANGE, "The amount is negative.")
    longitude, latitude = read_point(texts.get("location", ""))
    return SaleRow(
        number=number,
        town=to_text(texts["town"]),
        serial_number=to_identifier(texts["serial_number"]),
        list_year=list_year,
        recorded_on=recorded_on,
        address=to_text(texts["address"]),
        assessed_value=assessed,
        price=price,
        property_type=to_text(texts.get("property_type", "")),
        residential_type=to_text(texts.get("residential_type", "")),
        nonuse_raw=to_text(texts.get("nonuse_raw", "")),
        assessor_remarks=to_text(texts.get("assessor_remarks", "")),
        state_remarks=to_text(texts.get("state_remarks", "")),
        longitude=longitude,
        latitude=latitude,
    )


def _convert(converter: Callable[[str], Any], field: str, texts: Mapping[str, str]) -> Any:
    try:
        return converter(texts[field])
    except ConversionError as error:
        raise _Refusal(field, error.reason, error.sentence) from error


def read_point(text: str) -> tuple[float | None, float | None]:
    """Return longitude and latitude of ``POINT (x y)`` or of a GeoJSON point; (None, None) of anything else.

    The state's geocoder is an extra: a point that cannot be read, or lies outside of Connecticut, is left out
    and the sale is kept.
    """
    longitude = latitude = 0.0
    if match := _WKT.fullmatch(text.strip()):
        longitude, latitude = float(match[1]), float(match[2])
    elif text.lstrip().startswith("{"):
        try:
            longitude, latitude = (float(number) for number in json.loads(text)["coordinates"])
        except (ValueError, KeyError, TypeError):
            return None, None
    inside = -73.8 < longitude < -71.7 and 40.9 < latitude < 42.1
    return (longitude, latitude) if inside else (None, None)
