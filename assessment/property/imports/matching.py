"""Which property of the record a card of a file is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from assessment.property.imports.fitting import FittedCard
from assessment.property.models import Property, PropertyAlias
from assessment.property.rules.addresses import address_key
from assessment.property.tabular.cards import Card
from assessment.property.tabular.problems import Reason, RowProblem

ALIAS_ORDER = ("pid", "link", "account", "gis", "mbl")
Carriers = Mapping[str, Sequence[UUID]]
_OTHER, _ADDRESS = "other", "address"
_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What is told of a card, and whether it is refused."""

    sentence: str
    reason: Reason = Reason.AMBIGUOUS_MATCH
    rejected: bool = False


_TWICE = _Doubt("The card's own identifier is that of property {}; the row is left out.", rejected=True)
_ALSO = _Doubt("The card's own identifier is also one of property {}, which no card of the file is.")
_MAY_BE = _Doubt(
    "The card may be property {}, but others share what they have in common; it became a property of its own."
)
_CHANGED = _Doubt(
    "Property {} had another identifier; it was found by a weaker one.", Reason.IDENTIFIER_CHANGED
)


@dataclass(slots=True)
class Matcher:
    """Finds the property of each card, whatever the order of the file's rows.

    A card is the property whose own (newest) identifier of the file's kind it states. Only when that is known
    of all cards of the file do the weaker steps follow: the property's other identifiers of that kind (a parcel
    import gives some two), the other kinds in order, the address. A step decides where one property carries
    what the card states, and is still free, and no other card that is still free states it; it is taken for
    all cards at once before the next. All is judged by the record as it stood before the import.

    Cards that may need a weaker step are held back until the file has been read; in a town whose cards were
    imported by the same identifier before, those are few.

    Parameters
    ----------
    key_type
        The kind of identifier that the file's cards are told apart by.
    newest
        The own identifier of that kind, by property.
    steps
        What decides next, strongest first: by kind and value, the properties that carry it.
    """

    key_type: str
    newest: Mapping[UUID, str]
    steps: Mapping[str, Carriers]
    taken: set[UUID] = field(default_factory=set)
    _own: dict[str, list[UUID]] = field(default_factory=dict)
    _waiting: list[FittedCard] = field(default_factory=list)
    _shared: list[tuple[Card, Sequence[UUID]]] = field(default_factory=list)
    _told: list[tuple[_Doubt, Card, Sequence[UUID]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for property_id, value in self.newest.items():
            self._own.setdefault(value, []).append(property_id)

    def sift(self, cards: Iterable[FittedCard]) -> tuple[list[FittedCard], dict[int, UUID]]:
        """Return the cards of a batch that can be written now, and their properties by row; hold others back.

        A card that is written without a property is new. A card whose own identifier several properties
        carry is refused: it would make one more of them with each import.
        """
        now: list[FittedCard] = []
        found: dict[int, UUID] = {}
        for fitted in cards:
            key = fitted.aliases.get(self.key_type, "")
            holders = self._own.get(key, [])
            if len(holders) > 1:
                self._told.append((_TWICE, fitted.card, holders))
                continue
            if holders:
                if others := self.steps[_OTHER].get(key):
                    self._shared.append((fitted.card, others))
                found[fitted.card.row] = holders[0]
                self.taken.add(holders[0])
            elif self._free_candidates(fitted):
                self._waiting.append(fitted)
                continue
            now.append(fitted)
        return now, found

    def settle(self) -> tuple[list[FittedCard], dict[int, UUID]]:
        """Return the cards that were held back, and the properties of those that have one, by row.

        A card that may be a property which no card of the file is, and that no step gave it, becomes a
        property of its own, and a finding says so. So does one for a property whose own identifier changed.
        """
        found: dict[int, UUID] = {}
        by_own_kind: set[int] = set()
        for kind, carriers in self.steps.items():
            decided = self._decide(kind, carriers, found)
            if kind == _OTHER:
                by_own_kind.update(decided)
            found.update(decided)
            self.taken.update(decided.values())
        for fitted in self._waiting:
            row = fitted.card.row
            if row in found:
                if row not in by_own_kind and found[row] in self.newest:
                    self._told.append((_CHANGED, fitted.card, [found[row]]))
            elif candidates := self._free_candidates(fitted):
                self._told.append((_MAY_BE, fitted.card, candidates))
        for card, others in self._shared:
            if free := [each for each in others if each not in self.taken]:
                self._told.append((_ALSO, card, free))
        return self._waiting, found

    def findings(self) -> list[RowProblem]:
        """Return what could not be decided, and what was by less than an identifier of the file's kind."""
        named = {each for _, _, ids in self._told for each in ids[:_NAMED_AT_MOST]}
        accounts = dict(Property.objects.filter(id__in=named).values_list("id", "account_number"))
        found = []
        for doubt, card, ids in self._told:
            which = " or ".join(sorted(accounts[each] for each in ids[:_NAMED_AT_MOST]))
            which += f" or {len(ids) - _NAMED_AT_MOST} more" if len(ids) > _NAMED_AT_MOST else ""
            sentence = doubt.sentence.format(which)
            found.append(RowProblem(card.row, "", card.key, doubt.reason, sentence, doubt.rejected, card.key))
        return found

    def _decide(self, kind: str, carriers: Carriers, found: Mapping[int, UUID]) -> dict[int, UUID]:
        if not carriers:
            return {}
        claims: dict[UUID, list[int]] = defaultdict(list)
        for fitted in self._waiting:
            row = fitted.card.row
            candidates = () if row in found else carriers.get(self._stated(fitted, kind), ())
            if len(candidates) == 1:
                claims[candidates[0]].append(row)
        return {rows[0]: each for each, rows in claims.items() if len(rows) == 1 and each not in self.taken}

    def _stated(self, fitted: FittedCard, kind: str) -> str:
        if kind == _ADDRESS:
            return address_key(fitted.address)
        return fitted.aliases.get(self.key_type if kind == _OTHER else kind, "")

    def _free_candidates(self, fitted: FittedCard) -> list[UUID]:
        """Return the properties that the card may be and that no card is so far, by its strongest step first."""
        candidates = dict.fromkeys(
            each
            for kind, carriers in self.steps.items()
            if carriers
            for each in carriers.get(self._stated(fitted, kind), ())
        )
        return [each for each in candidates if each not in self.taken]


def load_matcher(town_code: int, key_type: str, kinds: Iterable[str]) -> Matcher:
    """Return a matcher by the town's record as it stands, for a file that states these kinds of identifiers."""
    in_force = PropertyAlias.objects.filter(town_id=town_code, valid_to__isnull=True)
    newest: dict[UUID, str] = {}
    other: dict[str, list[UUID]] = {}
    keyed = in_force.filter(id_type=key_type).order_by("valid_from", "id")
    for property_id, value in keyed.values_list("property_id", "value").iterator():
        if newest.get(property_id, value) != value:
            _carry(other, newest[property_id], property_id)
        newest[property_id] = value
    steps: dict[str, dict[str, list[UUID]]] = {_OTHER: other}
    stated = set(kinds) - {key_type}
    steps |= {kind: {} for kind in ALIAS_ORDER if kind in stated}
    others = in_force.filter(id_type__in=stated)
    for id_type, value, property_id in others.values_list("id_type", "value", "property_id").iterator():
        _carry(steps[id_type], value, property_id)
    return Matcher(key_type, newest, {**steps, _ADDRESS: _unidentified_by_address(town_code, newest)})


def _carry(carriers: dict[str, list[UUID]], value: str, property_id: UUID) -> None:
    held = carriers.setdefault(value, [])
    if property_id not in held:
        held.append(property_id)


def _unidentified_by_address(town_code: int, identified: Mapping[UUID, str]) -> dict[str, list[UUID]]:
    """Return, by address, the properties that have no identifier of the file's kind.

    Two cards with two identifiers are two properties even on one address.
    """
    rows = Property.objects.filter(town_id=town_code, kind=Property.Kind.REAL, is_retired=False)
    by_address: dict[str, list[UUID]] = {}
    for property_id, address in rows.values_list("id", "address").iterator():
        if property_id not in identified and (key := address_key(address)):
            _carry(by_address, key, property_id)
    return by_address
