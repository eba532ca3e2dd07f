"""Which property of a town a sale's written address means.

A match is made only when one property answers; everything else gets a reason code. The steps are: the
street by its words, else by its name alone, else by a spelling that differs by a letter or two
(`rapidfuzz`); then the house number on that street; then the unit.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import OSA

from .addresses import Address, Street, clean_unit, looks_like_unit, parse_address, read_street, tag_words


class Method(StrEnum):
    """How a sale was matched, from the surest to the least sure."""

    EXACT = "exact"
    """Same number, street and unit, after spelling out abbreviations."""
    UNIT = "unit"
    """The unit's own property."""
    COMPLEX = "complex"
    """A unit sale, given to the property of its condominium complex at the same number and street."""
    RANGE = "range"
    """One of the two addresses is a range of house numbers, and only one property answers to it."""
    STREET_NAME = "street-name"
    """The street's type or direction is missing or different, and the town has one street of that name."""
    SPELLING = "spelling"
    """The street is spelt differently by a letter or two, and only one street of the town is that near."""
    COMPLEX_STREET = "complex-street"
    """A number on a street whose only property is one condominium complex."""


class Reason(StrEnum):
    """Why a sale has no property."""

    NO_ADDRESS = "no-address"
    NO_HOUSE_NUMBER = "no-house-number"
    NO_SUCH_STREET = "no-such-street"
    AMBIGUOUS_STREET = "ambiguous-street"
    NO_SUCH_NUMBER = "no-such-number"
    UNIT_UNKNOWN = "unit-unknown"
    AMBIGUOUS = "ambiguous"
    SEVERAL_PROPERTIES = "several-properties"
    TOWN_HAS_NO_PROPERTIES = "town-has-no-properties"


SCORES = {
    Method.EXACT: 100,
    Method.UNIT: 100,
    Method.COMPLEX: 95,
    Method.RANGE: 92,
    Method.STREET_NAME: 90,
    Method.COMPLEX_STREET: 85,
    Method.SPELLING: 80,
}


@dataclass(frozen=True)
class Entry:
    """One property as the book knows it: ``key`` is the caller's, ``is_complex`` a complex's main parcel."""

    key: Hashable
    address: str
    unit: str = ""
    is_complex: bool = False


@dataclass(frozen=True)
class Match:
    """The outcome for one sale: a ``key`` with method and score, or a reason; ``found`` is its address."""

    key: Hashable | None
    method: Method | None = None
    score: int = 0
    reason: Reason | None = None
    found: str = ""
    note: str = ""


@dataclass(frozen=True)
class _Place:
    entry: Entry
    low: int
    high: int
    letter: str
    unit: str


class AddressBook:
    """The addresses of one town's properties, blocked by street and house number.

    Parameters
    ----------
    entries
        The town's properties. Those without a house number take no part, but their street counts as known.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._streets: dict[Street, list[_Place]] = defaultdict(list)
        self._by_name: dict[str, set[Street]] = defaultdict(set)
        self._resolved: dict[tuple[str, ...], tuple[Street | None, str, Method | Reason]] = {}
        self._size = 0
        for entry in entries:
            self._add(entry)

    def __len__(self) -> int:
        return self._size

    def _add(self, entry: Entry) -> None:
        read = parse_address(entry.address)
        if not read.words:
            return
        words, unit = read.words, read.unit
        if not unit:
            words, unit = tag_words(read.words)
            if not looks_like_unit(unit):
                words, unit = read.words, ""
        street = read_street(words)
        self._size += 1
        self._by_name[street.name].add(street)
        self._streets[street].append(
            _Place(entry, read.low, read.high, read.letter, clean_unit(entry.unit) or unit)
        )

    def match(self, text: str, *, unit_expected: bool = False) -> Match:
        """Find the one property that a sale's address means.

        Parameters
        ----------
        text
            The address as the sale has it.
        unit_expected
            The sale says it is of a condominium unit; it then never goes to a plain parcel of another use
            when a complex answers too.

        Returns
        -------
        Match
            With a key, or with the reason why not.
        """
        read = parse_address(text or "")
        if not read.words:
            return Match(None, reason=Reason.NO_ADDRESS if not read.low else Reason.NO_SUCH_STREET)
        if not read.low:
            return Match(None, reason=Reason.NO_HOUSE_NUMBER)
        if read.names_several:
            return self._at_listed_numbers(read)
        street, tail, how = self._resolve(read.words)
        if street is None:
            return Match(None, reason=how if isinstance(how, Reason) else Reason.NO_SUCH_STREET)
        unit = read.unit or tail
        return self._at_number(read, street, unit, how, unit_expected)

    def _at_listed_numbers(self, read: Address) -> Match:
        """Give ``24 & 26 ELM ST`` to a property with that very range; else it is several."""
        street, tail, _ = self._resolve(read.words)
        if street is not None and read.high > read.low and not tail:
            own = [
                place for place in self._streets[street] if (place.low, place.high) == (read.low, read.high)
            ]
            if len({place.entry.key for place in own}) == 1:
                return _matched(own[0], Method.RANGE, read.unit)
        return Match(None, reason=Reason.SEVERAL_PROPERTIES)

    def _resolve(self, words: tuple[str, ...]) -> tuple[Street | None, str, Method | Reason]:
        """Find the street that the words begin with; the rest is a unit."""
        if words not in self._resolved:
            self._resolved[words] = self._resolve_new(words)
        return self._resolved[words]

    def _resolve_new(self, words: tuple[str, ...]) -> tuple[Street | None, str, Method | Reason]:
        splits = [(words[:cut], " ".join(words[cut:])) for cut in range(len(words), 0, -1)]
        splits = [(head, tail) for head, tail in splits if not tail or looks_like_unit(tail)]
        for head, tail in splits:
            if read_street(head) in self._streets:
                return read_street(head), clean_unit(tail), Method.EXACT
        tagged, unit = tag_words(words)
        if not looks_like_unit(unit):
            tagged, unit = words, ""
        for head, tail in (*splits, (tagged, unit)):
            same_name = self._compatible(read_street(head))
            if len(same_name) == 1:
                return same_name[0], clean_unit(tail), Method.STREET_NAME
            if len(same_name) > 1:
                return None, "", Reason.AMBIGUOUS_STREET
        return self._by_spelling(read_street(tagged), unit)

    def _compatible(self, street: Street) -> list[Street]:
        """Streets of the same name; two different following directions are never the same street.

        The type may belong to the name: ``OAK GROVE`` for Oak Grove Road.
        """
        names = dict.fromkeys((street.name, street.name + street.kind))
        known = (known for name in names for known in self._by_name.get(name, ()))
        return [one for one in known if one.after == street.after]

    def _by_spelling(self, street: Street, unit: str) -> tuple[Street | None, str, Method | Reason]:
        """Find the only street whose name is a letter or two away, of the same type and direction."""
        allowed = 0 if len(street.name) < 5 else 1 if len(street.name) < 9 else 2
        near: list[tuple[int, Street]] = []
        for name, streets in self._by_name.items():
            if allowed and abs(len(name) - len(street.name)) <= allowed:
                distance = OSA.distance(street.name, name, score_cutoff=allowed)
                if distance <= allowed:
                    near += [(distance, known) for known in streets if _same_kind(street, known)]
        if not near:
            return None, "", Reason.NO_SUCH_STREET
        nearest = min(distance for distance, _ in near)
        best = [known for distance, known in near if distance == nearest]
        if len(best) > 1:
            return None, "", Reason.AMBIGUOUS_STREET
        return best[0], unit, Method.SPELLING

    def _at_number(
        self, read: Address, street: Street, unit: str, how: Method | Reason, unit_expected: bool
    ) -> Match:
        places = self._streets[street]
        here, by = _at(places, read)
        if not here and read.letter and not unit:
            # A letter glued to the number is a unit when a complex stands at that number.
            here = [place for place in places if place.low == read.low and place.entry.is_complex]
            by, unit = Method.EXACT, read.letter
        if not here:
            return self._on_complex_street(street, unit, how, unit_expected)
        method = how if how in {Method.STREET_NAME, Method.SPELLING} else by
        assert isinstance(method, Method)
        return _choose(here, unit, method, unit_expected, several=read.high > read.low)

    def _on_complex_street(
        self, street: Street, unit: str, how: Method | Reason, unit_expected: bool
    ) -> Match:
        """Give a number that no parcel has to the complex, when the street has nothing but that complex."""
        places = self._streets[street]
        if how is Method.SPELLING:
            return Match(None, reason=Reason.NO_SUCH_STREET, note=f"nearest street: {street.full}")
        if len({place.entry.key for place in places}) == 1 and places[0].entry.is_complex:
            return _matched(places[0], Method.COMPLEX_STREET, unit)
        reason = Reason.UNIT_UNKNOWN if unit or unit_expected else Reason.NO_SUCH_NUMBER
        return Match(None, reason=reason)


def _same_kind(street: Street, known: Street) -> bool:
    return street.after == known.after and (street.kind == known.kind or not street.kind or not known.kind)


def _at(places: list[_Place], read: Address) -> tuple[list[_Place], Method]:
    """Places with this house number: the same number or range first, else those that a range includes."""
    same = [
        place
        for place in places
        if (place.low, place.high, place.letter) == (read.low, read.high, read.letter)
    ]
    if same:
        return same, Method.EXACT
    overlapping = [
        place
        for place in places
        if (place.high > place.low or read.high > read.low)
        and place.low <= read.high
        and read.low <= place.high
        and (place.low - read.low) % 2 == 0
        and place.letter == read.letter
    ]
    return overlapping, Method.RANGE


def _matched(place: _Place, method: Method, unit: str) -> Match:
    note = ""
    if place.entry.is_complex and method is not Method.UNIT:
        note = f"unit {unit} of the complex" if unit else "a unit of the complex; the sale does not say which"
    return Match(place.entry.key, method, SCORES[method], found=place.entry.address, note=note)


def _choose(here: list[_Place], unit: str, method: Method, unit_expected: bool, *, several: bool) -> Match:
    """Choose among the places with the right number, by unit and kind."""
    keys = {place.entry.key for place in here}
    complexes = [place for place in here if place.entry.is_complex]
    if unit:
        own = [place for place in here if place.unit == unit and not place.entry.is_complex]
        if len({place.entry.key for place in own}) == 1:
            return _matched(own[0], Method.UNIT if method is Method.EXACT else method, unit)
    if len({place.entry.key for place in complexes}) == 1 and (unit or unit_expected or len(keys) == 1):
        return _matched(complexes[0], Method.COMPLEX if method is Method.EXACT else method, unit)
    if unit:
        return Match(None, reason=Reason.UNIT_UNKNOWN)
    plain = [place for place in here if not place.unit] or here
    if len({place.entry.key for place in plain}) == 1:
        return _matched(plain[0], method, unit)
    return Match(None, reason=Reason.SEVERAL_PROPERTIES if several else Reason.AMBIGUOUS)
