"""Reading a written street address into number, street and unit.

The house number is taken by pattern, since assessors write ranges, letters and fractions in ways of their
own; the rest is told apart by `usaddress` (a conditional random field trained on American addresses).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import usaddress

from .street_words import FULL_DIRECTION, FULL_TYPE, NAME_WORDS, UNRESOLVED_TYPES

_DROPPED = str.maketrans({"`": "", "'": "", "\u2019": "", ".": " "})
_NUMBER = re.compile(
    r"^(?P<low>\d{1,5})(?:\s*(?P<join>-|/|&|\+|\bAND\b|\bTO\b)\s*(?P<high>\d{1,5}))?(?:-?(?P<letter>[A-Z]|1/2)|\s(?P<apart>[A-DF-MO-RT-VX-Z]))?(?=[\s,]|$)"
)
_HALF = re.compile(r"^(?P<low>\d{1,5})\s+1/2(?=\s)")
_NUMBER_LAST = re.compile(r"^(?P<street>[A-Z][A-Z ]+?)\s+0*(?P<low>\d{1,5})(?P<rest>\s+U\S+)?$")
_PARKING = re.compile(r"\s*(?:\+|&|,|/|\bAND\b|\bW/)?\s*\b(?:GARAGES?|GAR|PKG|PARKING|CARPORT)\b.*$")
_NOTE = re.compile(r"\s*\([^)]*\)?\s*")
_MORE = re.compile(r"\s*(?:,|;|&|\+|\bAND\b)\s*(?=\S)")
_REAR = re.compile(r"\s+(?:REAR|REA)$")
_MARKED_UNIT = re.compile(
    r"[\s,]+(?:#+\s*|(?:UNITS?|UNT|UT|UN|APTS?|STE|SUITE|BLDG|PH)\b[\s.#]*|U(?=[A-Z]?\d|[A-Z]{1,2}\d))(?P<unit>[A-Z0-9].*)$"
)
_UNIT_SHAPE = re.compile(r"[A-Z]{0,3}\d{1,5}[A-Z0-9-]*|[A-Z]|PH\d*|PENTHOUSE")
_UNIT_MARK = re.compile(r"^(?:UNITS?|UT|APTS?|STE|SUITE|BLDG|#)\s*")
_STREET_LABELS = (
    "StreetNamePreModifier",
    "StreetNamePreDirectional",
    "StreetNamePreType",
    "StreetName",
    "StreetNamePostType",
    "StreetNamePostDirectional",
    "StreetNamePostModifier",
)


@dataclass(frozen=True)
class Street:
    """A street by parts in full capital words; ``name`` has its words run together.

    ``LONGMEADOW RD`` and ``LONG MEADOW ROAD`` are the same street; ``name`` begins with a leading direction
    (``EASTGATE``), ``after`` is a direction that follows (``TANGLEWOOD DR SOUTH``).
    """

    name: str
    kind: str
    after: str = ""

    @property
    def full(self) -> str:
        """The street on one line, for comparing and for people."""
        return " ".join(part for part in (self.name, self.kind, self.after) if part)


@dataclass(frozen=True)
class Address:
    """One written address, read.

    ``low`` and ``high`` are 0 when there is no house number, and equal for a single number. ``words`` are
    what follows the number, without a marked unit. ``names_several`` is true when the text lists numbers
    (``24 & 26``) or goes on to a second address, so that the price may be for more than one property.
    """

    text: str
    low: int
    high: int
    letter: str
    words: tuple[str, ...]
    unit: str
    names_several: bool = False


def clean(text: str) -> str:
    """Return the text in capitals, without dots, quotes and repeated spaces."""
    return " ".join(text.upper().translate(_DROPPED).split())


def clean_unit(text: str) -> str:
    """Return a unit without marks: ``# B-4`` is ``B4``; a dash between digits stays, ``2-1`` is not 21."""
    bare = _UNIT_MARK.sub("", clean(text))
    return re.sub(r"(?<!\d)-|-(?!\d)|[^A-Z0-9-]", "", bare)


def looks_like_unit(text: str) -> bool:
    """Tell whether words left over after a street can be a unit rather than a part of the street's name."""
    return bool(_UNIT_SHAPE.fullmatch(clean_unit(text)))


def _expand_range(low: str, high: str) -> tuple[int, int]:
    """Return the two ends of a range; ``123-25`` is 123 to 125. (low, low) when it cannot be a range."""
    start, end = int(low), int(high)
    if end <= start and len(high) < len(low):
        end = int(low[: -len(high)] + high)
    return (start, end) if start <= end <= start + 200 else (start, start)


def _read_number(text: str) -> tuple[int, int, str, str, bool]:
    """Split the house number off: low, high, letter, rest, and whether it is a list (``24 & 26``)."""
    half = _HALF.match(text)
    if half:
        return int(half["low"]), int(half["low"]), "1/2", text[half.end() :].strip(" ,"), False
    found = _NUMBER.match(text)
    if found:
        low, high = _expand_range(found["low"], found["high"] or found["low"])
        listed = found["join"] in {"&", "+", "AND"}
        return low, high, found["letter"] or found["apart"] or "", text[found.end() :].strip(" ,"), listed
    last = _NUMBER_LAST.match(text)
    if last:
        return int(last["low"]), int(last["low"]), "", last["street"] + (last["rest"] or ""), False
    return 0, 0, "", text, False


def _split_marked_unit(rest: str) -> tuple[str, str]:
    marked = _MARKED_UNIT.search(rest)
    return (rest[: marked.start()].strip(" ,"), clean_unit(marked["unit"])) if marked else (rest, "")


def _first_of_several(rest: str) -> tuple[str, bool]:
    """Cut the text at a second address, and say whether there was one."""
    parts = _MORE.split(rest)
    later = [
        part
        for part in parts[1:]
        if re.match(r"\d+\s+[A-Z]{2}|\d+\s*$|\d+[\s,&+]|[A-Z]{2,}\s+[A-Z]{2,}", part)
    ]
    return (parts[0], True) if later else (rest, False)


@lru_cache(maxsize=65_536)
def parse_address(text: str) -> Address:
    """Read one written address.

    Never fails: a text without a number gives ``low == 0``, and all its words.
    """
    whole = _NOTE.sub(" ", clean(text)).strip()
    whole = _PARKING.sub("", whole).strip()
    low, high, letter, rest, listed = _read_number(whole)
    rest, several = _first_of_several(rest)
    several = several or listed or bool(re.match(r"[&+,]?\s*\d+\s+[A-Z]{2}", rest))
    rear = _REAR.search(rest)
    if rear:
        rest, letter = rest[: rear.start()], letter or "R"
    rest, unit = _split_marked_unit(rest)
    return Address(text, low, high, letter, tuple(rest.replace(",", " ").split()), unit, several)


@lru_cache(maxsize=65_536)
def tag_words(words: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Tell a street's words from a unit's that follows without a mark, by `usaddress`.

    Returns
    -------
    tuple
        The street's words, and the unit, empty when there is none.
    """
    text = "100 " + " ".join(words)
    tokens = usaddress.parse(text)
    street = tuple(word.strip(" ,") for word, label in tokens[1:] if label in _STREET_LABELS)
    unit = " ".join(word for word, label in tokens[1:] if label not in _STREET_LABELS)
    if not street or tokens[0][1] != "AddressNumber":
        return words, ""
    return street, clean_unit(unit)


@lru_cache(maxsize=65_536)
def read_street(words: tuple[str, ...]) -> Street:
    """Bring a street's words to full words, and set the type and a following direction apart."""
    rest = [word for word in words if word]
    after = ""
    if len(rest) > 1 and rest[-1] in FULL_DIRECTION:
        after = FULL_DIRECTION[rest.pop()]
    kind = ""
    if len(rest) > 1 and (rest[-1] in FULL_TYPE or rest[-1] in UNRESOLVED_TYPES):
        last = rest.pop()
        kind = FULL_TYPE.get(last, last)
    named = []
    for place, word in enumerate(rest):
        if place == 0 and len(rest) > 1 and word in FULL_DIRECTION:
            named.append(FULL_DIRECTION[word])
        elif place == 0 and word == "DR":
            named.append("DOCTOR")
        else:
            named.append(NAME_WORDS.get(word) or _full_name_word(word, place))
    return Street("".join(named).replace("-", ""), kind, after)


def _full_name_word(word: str, place: int) -> str:
    """Spell out a type word inside a name (``PINE BRK`` is ``PINEBROOK``); ``ST`` in front stays Saint."""
    if place == 0 and word in {"ST", "CT", "DR"}:
        return word
    return FULL_TYPE.get(word, word)
