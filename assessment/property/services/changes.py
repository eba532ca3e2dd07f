"""Changes to rows of many cards, collected and then written with as few statements as there are kinds."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models

from assessment.property.bulk import update_rows
from assessment.property.models import Property, Section
from assessment.property.rules.standing import AREAS_REASON
from assessment.property.services.locks import raise_versions
from assessment.property.services.record import delete_row, insert_row
from assessment.property.services.sketch import recompute_areas
from assessment.property.targets import TARGETS, changeable_fields, read_value
from assessment.region.scope import speaking

Key = tuple[str, UUID]


@dataclass(slots=True)
class CardRows:
    """The rows of locked cards as they are, and as they will be after the changes so far."""

    cards: Mapping[UUID, Property]
    rows: dict[Key, models.Model] = field(default_factory=dict)
    _set: dict[tuple[dt.date, str], dict[Key, dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _added: list[tuple[dt.date, str, UUID, UUID, dict[str, Any]]] = field(default_factory=list)
    _removed: list[tuple[dt.date, str, models.Model]] = field(default_factory=list)
    _gone: set[Key] = field(default_factory=set)
    touched: set[UUID] = field(default_factory=set)

    @classmethod
    def load(cls, cards: Mapping[UUID, Property], keys: Iterable[Key]) -> CardRows:
        """Read the rows named by kind and id, as far as they stand on the locked cards."""
        wanted: dict[str, set[UUID]] = defaultdict(set)
        for kind, row_id in keys:
            wanted[kind].add(row_id)
        loaded = cls(cards)
        for kind, ids in wanted.items():
            if kind == "property":
                found: Iterable[models.Model] = [cards[row_id] for row_id in ids if row_id in cards]
            else:
                manager = TARGETS[kind]._default_manager
                found = manager.filter(id__in=ids, property_id__in=list(cards))
            loaded.rows.update({(kind, row.pk): row for row in found})
        return loaded

    def values(self, key: Key) -> dict[str, Any]:
        """Return a row's changeable columns as they will be."""
        row = self.rows[key]
        return {name: getattr(row, name) for name in changeable_fields(key[0])}

    def property_id(self, key: Key) -> UUID:
        """Return the card on which a row stands."""
        row = self.rows[key]
        return row.pk if key[0] == "property" else row.property_id  # type: ignore[attr-defined, no-any-return]

    def set(self, key: Key, values: Mapping[str, Any], *, effective_on: dt.date, reason: str) -> None:
        """Change columns of a row."""
        row = self.rows[key]
        for name, value in values.items():
            setattr(row, name, value)
        self.touched.add(self.property_id(key))
        for *_, row_id, added in self._added:
            if key == (added["_kind"], row_id):
                added.update(values)
                return
        self._set[(effective_on, reason)].setdefault(key, {}).update(values)

    def add(
        self, property_id: UUID, key: Key, values: dict[str, Any], *, effective_on: dt.date, reason: str
    ) -> None:
        """Add a row to a card."""
        read = {name: read_value(key[0], name, value) for name, value in values.items()}
        self._added.append((effective_on, reason, property_id, key[1], {"_kind": key[0], **read}))
        card = self.cards[property_id]
        # What comes after it in the same call finds it on the card.
        self.rows[key] = TARGETS[key[0]](id=key[1], town_id=card.town_id, property_id=property_id, **read)
        self.touched.add(property_id)

    def remove(self, key: Key, *, effective_on: dt.date, reason: str) -> None:
        """Take a row off its card."""
        self.touched.add(self.property_id(key))
        self._removed.append((effective_on, reason, self.rows.pop(key)))
        self._gone.add(key)
        for changes in self._set.values():
            changes.pop(key, None)

    def is_gone(self, key: Key) -> bool:
        """Whether a row was taken off its card by one of the changes so far."""
        return key in self._gone

    def write(self) -> None:
        """Write everything, in the transaction that holds the cards' locks."""
        drawn: set[UUID] = set()
        for (effective_on, reason), changes in self._set.items():
            with speaking(reason=reason, effective_on=effective_on):
                self._update(changes)
            drawn |= {self.rows[key].building_id for key in changes if key[0] == "section"}  # type: ignore[attr-defined]
        for effective_on, reason, property_id, row_id, values in self._added:
            kind = values.pop("_kind")
            with speaking(reason=reason, effective_on=effective_on):
                row = insert_row(self.cards[property_id], kind, values, row_id=row_id)
            if (kind, row_id) not in self._gone:
                self.rows[(kind, row_id)] = row
            if kind == "section":
                drawn.add(row.building_id)  # type: ignore[attr-defined]
        for effective_on, reason, gone in self._removed:
            with speaking(reason=reason, effective_on=effective_on):
                delete_row(gone)
            if isinstance(gone, Section):
                drawn.add(gone.building_id)
        if drawn:
            with speaking(reason=AREAS_REASON):
                recompute_areas(sorted(drawn))
        if self.touched:
            raise_versions(self.touched)

    def _update(self, changes: Mapping[Key, Mapping[str, Any]]) -> None:
        alike: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for key, values in changes.items():
            town_code = self.rows[key].town_id  # type: ignore[attr-defined]
            row = {"id": key[1], "town_id": town_code, **values}
            alike[(key[0], tuple(sorted(values)))].append(row)
        for (kind, names), rows in sorted(alike.items(), key=lambda item: item[0]):
            update_rows(TARGETS[kind], rows, names)
