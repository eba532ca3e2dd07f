"""Reading the record: a card now, as known at a moment, as it stood on a day, and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, Model, Q

from assessment.property.models import (
    Building,
    Code,
    Complex,
    Document,
    Feature,
    Inspection,
    JournalEntry,
    LandLine,
    Observation,
    Ownership,
    Permit,
    Photo,
    Property,
    PropertyAlias,
    Section,
)
from assessment.property.rules.standing import rows_by_entry, rows_on
from assessment.property.search import SUPPRESSED, FoundProperty, search_properties
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.rules import Permission

__all__ = [
    "FoundProperty",
    "HistoryPage",
    "RecordCard",
    "get_property",
    "get_record_card",
    "list_history",
    "list_open_observations",
    "list_properties",
    "record_as_of",
    "record_on",
    "search_properties",
]

Row = dict[str, Any]
OWNER_FIELDS = ("name", "co_name", "mailing_address", "mailing_city", "mailing_state", "mailing_zip")
_PARTS: dict[str, tuple[type[Model], str]] = {
    "aliases": (PropertyAlias, "id_type"),
    "land_lines": (LandLine, "line_number"),
    "buildings": (Building, "building_number"),
    "sections": (Section, "storey"),
    "features": (Feature, "line_number"),
    "permits": (Permit, "issued_on"),
    "photos": (Photo, "created_at"),
    "documents": (Document, "created_at"),
    "inspections": (Inspection, "visited_at"),
}


@dataclass(slots=True)
class RecordCard:
    """Everything on one card, as plain rows.

    Attributes
    ----------
    account
        The property's own row.
    owners
        Ownerships with the owner's fields; what is confidential is suppressed for those who may not see it.
    codes
        Meaning by (table, code), of the codes that stand on the card; only on the card of today.
    as_of
        The moment or day that the card shows; None for now.
    """

    account: Row
    aliases: list[Row] = field(default_factory=list)
    owners: list[Row] = field(default_factory=list)
    land_lines: list[Row] = field(default_factory=list)
    buildings: list[Row] = field(default_factory=list)
    sections: list[Row] = field(default_factory=list)
    features: list[Row] = field(default_factory=list)
    permits: list[Row] = field(default_factory=list)
    photos: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    inspections: list[Row] = field(default_factory=list)
    complex: Row | None = None
    pending_observations: int = 0
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    as_of: dt.datetime | dt.date | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One journaled change of a card: who, when, why, and what it was before and after."""

    id: int
    at: dt.datetime
    effective_on: dt.date
    table: str
    row_id: UUID
    operation: str
    actor_name: str
    device_id: UUID | None
    reason: str
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of a card's history, latest first; ``next_before`` asks for the next one."""

    entries: Sequence[HistoryEntry]
    next_before: int | None


def get_property(property_id: UUID) -> Property:
    """Return a property in scope; `NotFound` otherwise, whichever town's it is."""
    found = Property.objects.filter(id=property_id).first()
    if found is None:
        raise NotFound("There is no such property.")
    return found


def get_record_card(property_id: UUID, *, actor: Actor) -> RecordCard:
    """Return everything on a card, in a fixed number of queries."""
    account = Property.objects.filter(id=property_id).values().first()
    if account is None:
        raise NotFound("There is no such property.")
    town_code = account["town_id"]
    actor.require(Permission.VIEW, town_code)
    card = RecordCard(dict(account))
    for name, (model, order) in _PARTS.items():
        rows = model._default_manager.filter(property_id=property_id).order_by(order, "id").values()
        setattr(card, name, [dict(row) for row in rows])
    card.owners = [dict(row) for row in _ownerships(property_id)]
    if account["complex_id"]:
        card.complex = dict(Complex.objects.filter(id=account["complex_id"]).values().get())
    card.pending_observations = Observation.objects.filter(
        property_id=property_id, state__in=("pending", "conflict")
    ).count()
    card.codes = _meanings(town_code, [card.account, *card.buildings, *card.land_lines, *card.features])
    return _shown_to(card, actor, town_code)


def record_as_of(property_id: UUID, moment: dt.datetime, *, actor: Actor) -> RecordCard:
    """Return a card as it was known at a moment, rebuilt from the journal.

    Raises
    ------
    NotFound
        The property is not in scope, or was not on record at that moment.
    """
    town_code = get_property(property_id).town_id
    actor.require(Permission.VIEW, town_code)
    entries = _entries(property_id, town_code).filter(at__lte=moment).order_by("id")
    rows = rows_by_entry(entries)
    owner_ids = [row["owner_id"] for row in rows.get("ownership", {}).values()]
    owners = rows_by_entry(_owner_entries(town_code, owner_ids).filter(at__lte=moment).order_by("id"))
    return _shown_to(_rebuilt(property_id, rows, owners.get("owner", {}), moment), actor, town_code)


def record_on(property_id: UUID, day: dt.date, *, actor: Actor) -> RecordCard:
    """Return a card as it stood on a day (such as a 1 October), by all that is known now.

    What was recorded later and was true by then counts; what became true later does not (`rows_on` says
    when an entry stands): condition and percent complete are of the latest entry that stands by the day,
    the owners are those of the day.

    Raises
    ------
    NotFound
        The property is not in scope, or nothing on record was true by that day.
    """
    town_code = get_property(property_id).town_id
    actor.require(Permission.VIEW, town_code)
    rows = rows_on(_entries(property_id, town_code).exclude(table_name=Ownership._meta.db_table), day)
    card = _rebuilt(property_id, rows, {}, day)
    current = _ownerships(property_id).filter(valid_from__lte=day)
    card.owners = [dict(row) for row in current.filter(Q(valid_to=None) | Q(valid_to__gt=day))]
    return _shown_to(card, actor, town_code)


def list_history(
    property_id: UUID, *, actor: Actor, before: int | None = None, limit: int = 50
) -> HistoryPage:
    """Return a page of a card's journal, latest first; owners' entries only to those who may see them."""
    town_code = get_property(property_id).town_id
    actor.require(Permission.VIEW, town_code)
    entries = _entries(property_id, town_code).order_by("-id")
    if before is not None:
        entries = entries.filter(id__lt=before)
    may_see = actor.may(Permission.VIEW_CONFIDENTIAL, town_code)
    page = list(entries[: limit + 1])
    shown = [_history_entry(entry, may_see) for entry in page[:limit]]
    return HistoryPage(shown, page[limit - 1].id if len(page) > limit else None)


def list_open_observations(
    *, towns: Iterable[int], property_id: UUID | None = None, after: UUID | None = None, limit: int = 100
) -> list[Observation]:
    """Return observations that wait for a person, oldest first; ``after`` is the last one seen."""
    rows = Observation.objects.filter(town_id__in=list(towns), state__in=("pending", "conflict"))
    if property_id is not None:
        rows = rows.filter(property_id=property_id)
    if after is not None:
        rows = rows.filter(id__gt=after)  # ids are UUIDv7: their order is that of their making
    return list(rows.select_related("property", "inspection").order_by("id")[:limit])


def list_properties(*, towns: Iterable[int], after: str = "", limit: int = 100) -> list[Property]:
    """Return real accounts that are not retired by account number; ``after`` is the last number seen."""
    rows = Property.objects.filter(town_id__in=list(towns), is_retired=False, kind=Property.Kind.REAL)
    return list(rows.filter(account_number__gt=after).order_by("account_number", "id")[:limit])


# --- rebuilding ---


def _entries(property_id: UUID, town_code: int) -> Any:
    return JournalEntry.objects.filter(town_id=town_code, property_id=property_id)


def _owner_entries(town_code: int, owner_ids: Iterable[Any]) -> Any:
    return JournalEntry.objects.filter(
        town_id=town_code,
        row_id__in=[UUID(str(owner_id)) for owner_id in owner_ids],
        table_name="assessment_owner",
    )


def _rebuilt(
    property_id: UUID, rows: Mapping[str, Mapping[str, Row]], owners: Mapping[str, Row], as_of: Any
) -> RecordCard:
    account = rows.get("property", {}).get(str(property_id))
    if account is None:
        raise NotFound("The property was not on record then.", as_of=str(as_of))
    card = RecordCard(account, as_of=as_of)
    for name, (model, order) in _PARTS.items():
        found = rows.get(str(model._meta.model_name), {}).values()
        setattr(card, name, sorted(found, key=lambda row: (row[order] is None, row[order], row["id"])))
    for ownership in rows.get("ownership", {}).values():
        owner = owners.get(str(ownership["owner_id"]), {})
        card.owners.append({**ownership, **{name: owner.get(name, "") for name in OWNER_FIELDS}})
    return card


def _ownerships(property_id: UUID) -> Any:
    names: dict[str, Any] = {name: F(f"owner__{name}") for name in OWNER_FIELDS}
    rows = Ownership.objects.filter(property_id=property_id).order_by("-valid_from", "id")
    return rows.values(
        "id", "owner_id", "share_percent", "valid_from", "valid_to", "book_page", "is_confidential", **names
    )


def _meanings(town_code: int, rows: Iterable[Row]) -> dict[tuple[str, str], str]:
    texts = {v for row in rows for v in row.values() if isinstance(v, str) and 0 < len(v) <= 40}
    found = Code.objects.filter(town_id=town_code, code__in=texts).values_list("table", "code", "label")
    return {(table, code): label for table, code, label in found}


def _shown_to(card: RecordCard, actor: Actor, town_code: int) -> RecordCard:
    """Suppress what the actor may not see: confidential owners (CGS 1-217) and confidential papers."""
    if actor.may(Permission.VIEW_CONFIDENTIAL, town_code):
        return card
    for owner in card.owners:
        if owner.get("is_confidential"):
            owner.update(dict.fromkeys(OWNER_FIELDS, ""))
            owner["name"] = SUPPRESSED
            owner["book_page"] = ""
    card.documents = [row for row in card.documents if not row.get("is_confidential")]
    return card


def _history_entry(entry: JournalEntry, may_see: bool) -> HistoryEntry:
    before, after = entry.before or {}, entry.after or {}
    table = entry.table_name.removeprefix("assessment_")
    hidden = not may_see and table in ("ownership", "document")
    changes = {} if hidden else {name: (before.get(name), after.get(name)) for name in {**before, **after}}
    return HistoryEntry(
        entry.id, entry.at, entry.effective_on, table, entry.row_id, entry.operation, entry.actor_name,
        entry.device_id, entry.reason, changes,
    )  # fmt: skip
