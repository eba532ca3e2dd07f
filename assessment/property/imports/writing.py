"""One batch of fitted cards against the record: what is new is inserted, what differs is changed."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from assessment.property.bulk import insert_rows, update_rows
from assessment.property.imports.edits import edited_fields
from assessment.property.imports.fitting import FittedCard
from assessment.property.models import (
    Building,
    Code,
    LandLine,
    Owner,
    Ownership,
    Property,
    PropertyAlias,
    StatedValue,
)
from assessment.property.rules.detail_codes import building_detail_code, land_detail_code
from assessment.property.tabular.problems import Reason, RowProblem
from assessment.region.ids import new_id

SUPPRESSED_OWNERS = frozenset({"current owner", "current co-owner"})
Rows = dict[type[models.Model], list[dict[str, Any]]]


@dataclass(slots=True)
class BatchWriter:
    """Writes batches of cards of one town.

    Parameters
    ----------
    town_code, import_run_id
        The town, and the run that stated values point at.
    effective_on
        The day from which new identifiers and ownerships hold.
    source
        What identifiers came from: the file's name.
    next_account
        The next free account number.
    """

    town_code: int
    import_run_id: UUID
    effective_on: dt.date
    source: str
    next_account: int
    uses: Mapping[str, Code]
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[RowProblem] = field(default_factory=list)
    _inserts: Rows = field(default_factory=lambda: defaultdict(list))
    _updates: dict[tuple[type[models.Model], tuple[str, ...]], list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _changed: set[UUID] = field(default_factory=set)
    _known: set[UUID] = field(default_factory=set)

    def write(self, cards: Sequence[FittedCard], matches: Mapping[int, UUID]) -> dict[int, UUID]:
        """Bring the record in line with the cards; return the property of each row."""
        self._inserts.clear()
        self._updates.clear()
        self._changed.clear()
        self._known = known = set(matches.values())
        properties = self._by_id(Property, known, "id")
        buildings = self._first(Building, known, "building_number")
        lands = self._first(LandLine, known, "line_number")
        aliases = self._alias_rows(known)
        owned = self._current_ownerships(known)
        stated = self._stated_rows(known)
        owners: dict[int, UUID] = {}
        for fitted in cards:
            row = matches.get(fitted.card.row)
            existing = properties.get(row) if row else None
            property_id = existing["id"] if existing else new_id()
            owners[fitted.card.row] = property_id
            values = self._property_values(fitted, existing)
            if existing is None:
                self._insert_property(fitted, property_id, values)
            else:
                self._compare(Property, property_id, existing, values, fitted)
            self._put_aliases(fitted, property_id, aliases.get(property_id, set()))
            self._put_land(fitted, property_id, lands.get(property_id), values)
            self._put_building(fitted, property_id, buildings.get(property_id), values)
            self._put_owner(fitted, property_id, owned.get(property_id))
            self._put_stated(fitted, property_id, stated.get(property_id, {}))
            self.counts["added" if existing is None else "matched"] += 1
        self._keep_edits()
        self._flush()
        self.counts["changed"] += len(self._changed)
        self.counts["unchanged"] += sum(owners[c.card.row] in properties for c in cards) - len(self._changed)
        return owners

    # --- what is there ---

    def _rows(self, model: type[models.Model], ids: Iterable[UUID], column: str) -> Iterable[dict[str, Any]]:
        manager = model._default_manager
        return manager.filter(**{"town_id": self.town_code, f"{column}__in": list(ids)}).values()

    def _by_id(
        self, model: type[models.Model], ids: Iterable[UUID], column: str
    ) -> dict[UUID, dict[str, Any]]:
        return {row[column]: row for row in self._rows(model, ids, column)}

    def _first(
        self, model: type[models.Model], ids: Iterable[UUID], number: str
    ) -> dict[UUID, dict[str, Any]]:
        rows = sorted(self._rows(model, ids, "property_id"), key=lambda row: -int(row[number]))
        return {row["property_id"]: row for row in rows}

    def _alias_rows(self, ids: Iterable[UUID]) -> dict[UUID, set[tuple[str, str]]]:
        held: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
        for row in self._rows(PropertyAlias, ids, "property_id"):
            if row["valid_to"] is None:
                held[row["property_id"]].add((row["id_type"], row["value"]))
        return held

    def _current_ownerships(self, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
        rows = (
            Ownership.objects.filter(town_id=self.town_code, property_id__in=list(ids), valid_to__isnull=True)
            .order_by("valid_from")
            .values(
                "id",
                "property_id",
                "town_id",
                "valid_from",
                "owner_id",
                *(f"owner__{n}" for n in _OWNER_NAMES),
            )
        )
        return {row["property_id"]: row for row in rows}

    def _stated_rows(self, ids: Iterable[UUID]) -> dict[UUID, dict[tuple[int, str], dict[str, Any]]]:
        held: dict[UUID, dict[tuple[int, str], dict[str, Any]]] = defaultdict(dict)
        for row in self._rows(StatedValue, ids, "property_id"):
            if row["basis"] == "card" and row["detail_code"] == "":
                held[row["property_id"]][(row["list_year"], row["component"])] = row
        return held

    # --- what the cards say ---

    def _property_values(self, fitted: FittedCard, existing: dict[str, Any] | None) -> dict[str, Any]:
        values = dict(fitted.property_values)
        if use := values.get("use_code"):
            code = self.uses.get(use)
            if code is not None:
                values["use_description"] = code.label[:120]
                if code.state_class:
                    values["state_class"] = code.state_class
        if user := values.get("user_fields"):
            values["user_fields"] = {**((existing or {}).get("user_fields") or {}), **user}
        return values

    def _insert_property(self, fitted: FittedCard, property_id: UUID, values: dict[str, Any]) -> None:
        account = f"{self.next_account:06d}"
        self.next_account += 1
        self._insert(Property, {"id": property_id, "account_number": account, **values})

    def _put_aliases(self, fitted: FittedCard, property_id: UUID, held: set[tuple[str, str]]) -> None:
        for id_type, value in fitted.aliases.items():
            if (id_type, value) not in held:
                self._insert(
                    PropertyAlias,
                    {
                        "property_id": property_id,
                        "id_type": id_type,
                        "value": value,
                        "valid_from": self.effective_on,
                        "source": self.source[:120],
                    },
                )

    def _put_land(
        self, fitted: FittedCard, property_id: UUID, held: dict[str, Any] | None, values: dict[str, Any]
    ) -> None:
        acres = values.get("total_acres")
        if acres is None or (held is None and acres == 0):
            return
        if held is None:
            use = self.uses.get(values.get("use_code", ""))
            detail = land_detail_code(values.get("state_class", ""), use.detail_code if use else "")
            line = {"property_id": property_id, "quantity": acres, "use_code": values.get("use_code", "")}
            self._insert(LandLine, {**line, "detail_code": detail})
        elif held["unit"] == LandLine.Unit.ACRE and self._is_only_line(held):
            self._compare(LandLine, property_id, held, {"quantity": acres}, fitted)

    def _is_only_line(self, held: dict[str, Any]) -> bool:
        """Whether the land still is the one line that an import made of the total; split lines are the town's."""
        return bool(held["line_number"] == 1 and held["land_type"] == "primary")

    def _put_building(
        self, fitted: FittedCard, property_id: UUID, held: dict[str, Any] | None, values: dict[str, Any]
    ) -> None:
        building = dict(fitted.building_values)
        if not building:
            return
        if use := values.get("use_code"):
            code = self.uses.get(use)
            building["use_code"] = use
            detail = building_detail_code(values.get("state_class", ""), code.detail_code if code else "")
            if detail:
                building["detail_code"] = detail
        if held is None:
            self._insert(Building, {"property_id": property_id, **building})
        else:
            self._compare(Building, property_id, held, building, fitted)

    def _put_owner(self, fitted: FittedCard, property_id: UUID, held: dict[str, Any] | None) -> None:
        owner = fitted.owner_values
        name = str(owner.get("name", ""))
        if not name:
            return
        if name.casefold() in SUPPRESSED_OWNERS:
            self.counts["owners_suppressed"] += 1
            return
        if held is not None and all(held[f"owner__{key}"] == value for key, value in owner.items()):
            return
        sold_on = fitted.card.parts.get("sale1", {}).get("date")
        begins = sold_on if sold_on and sold_on <= self.effective_on else self.effective_on
        owner_id = new_id()
        if held is not None:
            if held["owner__name"] == name:
                row = {"id": held["owner_id"], "town_id": self.town_code, **owner}
                self._updates[(Owner, tuple(owner))].append(row)
                self._changed.add(property_id)
                return
            begins = max(begins, held["valid_from"])
            ended = {"id": held["id"], "town_id": self.town_code, "valid_to": begins}
            self._updates[(Ownership, ("valid_to",))].append(ended)
            self._changed.add(property_id)
        self._insert(Owner, {"id": owner_id, **owner})
        self._insert(Ownership, {"property_id": property_id, "owner_id": owner_id, "valid_from": begins})

    def _put_stated(
        self, fitted: FittedCard, property_id: UUID, held: Mapping[tuple[int, str], dict[str, Any]]
    ) -> None:
        for (year, component), (appraised, assessed) in fitted.stated.items():
            row = held.get((year, component))
            values = {"appraised": appraised, "assessed": assessed}
            if row is None:
                key = {"property_id": property_id, "list_year": year, "component": component}
                self._insert(StatedValue, {**key, **values, "import_run_id": self.import_run_id})
            elif {name: row[name] for name in values} != values:
                changed = {**values, "import_run_id": self.import_run_id}
                self._updates[(StatedValue, tuple(changed))].append(
                    {"id": row["id"], "town_id": self.town_code, **changed}
                )

    # --- writing ---

    def _insert(self, model: type[models.Model], values: dict[str, Any]) -> None:
        self._inserts[model].append({"town_id": self.town_code, **values})
        if model is not StatedValue and values.get("property_id") in self._known:
            self._changed.add(values["property_id"])

    def _compare(
        self, model: type[models.Model], property_id: UUID, held: dict[str, Any], values: dict[str, Any],
        fitted: FittedCard,
    ) -> None:  # fmt: skip
        differing = {name: value for name, value in values.items() if held[name] != value}
        if differing:
            row = {
                "id": held["id"],
                "town_id": self.town_code,
                "_property": property_id,
                "_row": fitted.card.row,
            }
            self._updates[(model, tuple(differing))].append({**row, **differing})

    def _keep_edits(self) -> None:
        """Leave alone what people changed after an import: their word stands, and the row says so."""
        compared = {key: rows for key, rows in self._updates.items() if rows and "_property" in rows[0]}
        edited = edited_fields(self.town_code, [row["id"] for rows in compared.values() for row in rows])
        for (model, names), rows in compared.items():
            del self._updates[(model, names)]
            for row in rows:
                kept = [name for name in names if name in edited.get(row["id"], ())]
                for name in kept:
                    self.findings.append(_edited(row, name))
                taken = tuple(name for name in names if name not in kept)
                if taken:
                    self._updates[(model, taken)].append(row)
                    self._changed.add(row["_property"])

    def _flush(self) -> None:
        if self._changed:
            self._raise_versions()
        for model in _ORDER:
            count = insert_rows(model, self._inserts.get(model, []))
            if count:
                self.counts[f"inserted_{model._meta.model_name}"] += count
        for (model, names), rows in self._updates.items():
            self.counts[f"updated_{model._meta.model_name}"] += update_rows(model, rows, names)

    def _raise_versions(self) -> None:
        Property.objects.filter(town_id=self.town_code, id__in=self._changed).update(
            version=models.F("version") + 1, updated_at=timezone.now()
        )


_ORDER: tuple[type[models.Model], ...] = (
    Property, PropertyAlias, LandLine, Building, Owner, Ownership, StatedValue,
)  # fmt: skip
_OWNER_NAMES = ("name", "co_name", "mailing_address", "mailing_city", "mailing_state", "mailing_zip")


def _edited(row: Mapping[str, Any], name: str) -> RowProblem:
    value = row[name]
    shown = str(value.normalize()) if isinstance(value, Decimal) else str(value)
    return RowProblem(
        row["_row"], name, shown, Reason.EDITED_SINCE,
        f"{name} was changed by hand after an import; the file's {shown} was not taken.", rejected=False,
    )  # fmt: skip


def count_written(counts: Mapping[str, int]) -> dict[type[models.Model], int]:
    """Return how many rows of each table an import inserted or updated, by its own counts."""
    return {
        model: counts.get(f"inserted_{model._meta.model_name}", 0)
        + counts.get(f"updated_{model._meta.model_name}", 0)
        for model in _ORDER
    }
