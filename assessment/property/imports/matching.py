"""Which property of the record a card of a file is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from assessment.property.imports.fitting import FittedCard
from assessment.property.models import Property, PropertyAlias
from assessment.property.rules.addresses import address_key

ALIAS_ORDER = ("pid", "link", "account", "gis", "mbl")


@dataclass(slots=True)
class Matcher:
    """Finds the property of each card: by its identifiers in order, then by its address.

    An identifier that several properties carry (a condominium's map and lot) decides nothing. An address
    decides only among properties that do not yet have an identifier of the file's kind, since two cards
    with two identifiers are two properties even on one address.

    Parameters
    ----------
    town_code
        The town.
    key_type
        The kind of identifier that the file's cards are told apart by.
    """

    town_code: int
    key_type: str
    _by_address: dict[str, list[UUID]] | None = None
    taken: set[UUID] = field(default_factory=set)

    def match(self, cards: Iterable[FittedCard]) -> dict[int, UUID]:
        """Return the property of each card that has one, by the card's row."""
        cards = list(cards)
        known = self._known_aliases(cards)
        found: dict[int, UUID] = {}
        for fitted in cards:
            property_id = self._by_alias(fitted, known) or self._by_location(fitted)
            if property_id is not None and property_id not in self.taken:
                found[fitted.card.row] = property_id
                self.taken.add(property_id)
        return found

    def _known_aliases(self, cards: list[FittedCard]) -> Mapping[tuple[str, str], set[UUID]]:
        values = {value for fitted in cards for value in fitted.aliases.values()}
        rows = PropertyAlias.objects.filter(
            town_id=self.town_code, valid_to__isnull=True, id_type__in=ALIAS_ORDER, value__in=values
        ).values_list("id_type", "value", "property_id")
        known: dict[tuple[str, str], set[UUID]] = defaultdict(set)
        for id_type, value, property_id in rows:
            known[(id_type, value)].add(property_id)
        return known

    def _by_alias(self, fitted: FittedCard, known: Mapping[tuple[str, str], set[UUID]]) -> UUID | None:
        order = (self.key_type, *(kind for kind in ALIAS_ORDER if kind != self.key_type))
        for id_type in order:
            candidates = known.get((id_type, fitted.aliases.get(id_type, "")), set())
            if len(candidates) == 1:
                return next(iter(candidates))
        return None

    def _by_location(self, fitted: FittedCard) -> UUID | None:
        if self._by_address is None:
            self._by_address = self._unidentified_by_address()
        candidates = self._by_address.get(address_key(fitted.address), [])
        return candidates[0] if len(candidates) == 1 else None

    def _unidentified_by_address(self) -> dict[str, list[UUID]]:
        identified = PropertyAlias.objects.filter(
            town_id=self.town_code, id_type=self.key_type, valid_to__isnull=True
        ).values("property_id")
        rows = (
            Property.objects.filter(town_id=self.town_code, kind=Property.Kind.REAL, is_retired=False)
            .exclude(id__in=identified)
            .values_list("id", "address")
        )
        by_address: dict[str, list[UUID]] = defaultdict(list)
        for property_id, address in rows:
            if key := address_key(address):
                by_address[key].append(property_id)
        return by_address
