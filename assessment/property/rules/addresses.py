"""A location as one line, taken apart and compared. Pure."""

import re
from dataclasses import dataclass

_SPACES = re.compile(r"\s+")
_NUMBERED = re.compile(
    r"(?P<number>\d+(?:\s?1/2|½)?[A-Z]?(?:\s?[-&/]\s?\d+[A-Z]?)?)\s+(?P<street>\S.*)", re.IGNORECASE
)
_UNIT = re.compile(r"\s+(?:#|UNIT\b|APT\b|STE\b|SUITE\b)\s*#?\s*(?P<unit>[\w-]+)$", re.IGNORECASE)
_WORDS = {
    "STREET": "ST", "AVENUE": "AVE", "AV": "AVE", "ROAD": "RD", "DRIVE": "DR", "LANE": "LN", "COURT": "CT",
    "PLACE": "PL", "TERRACE": "TER", "CIRCLE": "CIR", "BOULEVARD": "BLVD", "HIGHWAY": "HWY", "PARKWAY": "PKWY",
    "TURNPIKE": "TPKE", "SQUARE": "SQ", "EXTENSION": "EXT", "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Location:
    """The parts of a location.

    Attributes
    ----------
    number
        House number, range or fraction as written; blank for "0" and where there is none.
    street, unit
        Street with its suffix, and the unit, as written.
    """

    number: str
    street: str
    unit: str


def split_address(address: str) -> Location:
    """Take a location such as "12 ELM ST #4" apart."""
    text = _SPACES.sub(" ", address).strip()
    unit = ""
    if match := _UNIT.search(text):
        unit, text = match["unit"], text[: match.start()]
    if match := _NUMBERED.fullmatch(text):
        number = match["number"].replace(" ", "")
        return Location("" if number.strip("0") == "" else number, match["street"], unit)
    return Location("", text, unit)


def address_key(address: str) -> str:
    """Return a location as it is compared: upper case, usual abbreviations, no punctuation; blank without a number."""
    parts = split_address(address)
    if not parts.number:
        return ""
    words = re.sub(r"[^\w ]", " ", parts.street.upper()).split()
    street = " ".join(_WORDS.get(word, word) for word in words)
    return " ".join(part for part in (parts.number.upper(), street, parts.unit.upper()) if part)
