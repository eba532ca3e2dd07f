"""How a card stood on a day: which entries of its journal bear on that day, and in what order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

Row = dict[str, Any]
AREAS_REASON = "areas by the sketch"
IMPORT_REASON = "import of "
_OBSERVATION, _SECTION, _BUILDING = "assessment_observation", "assessment_section", "assessment_building"


class Entry(Protocol):
    """What is read of a journal entry."""

    @property
    def id(self) -> int: ...
    @property
    def table_name(self) -> str: ...
    @property
    def row_id(self) -> UUID: ...
    @property
    def operation(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def effective_on(self) -> dt.date: ...
    @property
    def transaction_id(self) -> int: ...
    @property
    def actor_id(self) -> UUID | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def after(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Conversion:
    """When a town's record went over from its older system: what was loaded until then stood before.

    Attributes
    ----------
    on
        The assessment date of the town's first list here.
    until
        The moment at which that list was opened; None while there is none.
    """

    on: dt.date
    until: dt.datetime | None


def assessment_date(list_year: int) -> dt.date:
    """Return the day on which a grand list is true: 1 October (CGS 12-62a)."""
    return dt.date(list_year, 10, 1)


def bears_from(observed_on: dt.date, list_year: int) -> dt.date:
    """Return the day from which what was seen stands on the record, by the list that it bears on.

    What the observer stated to bear on a list stands on that list's 1 October also when it was seen after
    it (field work of a revaluation goes on into the winter), and on no earlier list's also when it was seen
    before. So a building finished in November bears on the next list, since it is seen for that one.
    """
    first = assessment_date(list_year - 1) + dt.timedelta(days=1)
    return min(max(observed_on, first), assessment_date(list_year))


def rows_on(
    entries: Iterable[Entry], day: dt.date, *, conversion: Conversion | None = None
) -> dict[str, dict[str, Row]]:
    """Return one card's rows as they stood on a day, by table (without the app's name) and id.

    Everything that is known now counts, whenever it was entered: an entry stands from the day on which it
    is effective, what came from the field from the day of `bears_from`, areas by a sketch from that of the
    sketch, and what a conversion loaded from the first list's day at the latest. No change stands before
    its row does. Of two entries that stand from the same day the later entered one holds.

    Parameters
    ----------
    entries
        The journal of one property, also that of its observations; the order does not matter.
    """
    ordered = sorted(entries, key=lambda entry: entry.id)
    seen = _observed(ordered)
    days: list[tuple[dt.date, int, Entry]] = []
    sketched: dict[int, dt.date] = {}
    starts: dict[tuple[str, UUID], dt.date] = {}
    for entry in sorted(ordered, key=lambda each: each.reason == AREAS_REASON):
        stands = _stands_from(entry, seen, sketched, conversion)
        if entry.table_name == _SECTION:
            known = sketched.get(entry.transaction_id, dt.date.min)
            sketched[entry.transaction_id] = max(known, stands)
        start = starts.setdefault((entry.table_name, entry.row_id), stands)
        days.append((max(stands, start), entry.id, entry))
    tables: dict[str, dict[str, Row]] = {}
    for stands, _, entry in sorted(days, key=lambda each: each[:2]):
        if stands > day:
            break
        _play(tables.setdefault(entry.table_name.removeprefix("assessment_"), {}), entry)
    return tables


def rows_by_entry(entries: Iterable[Entry]) -> dict[str, dict[str, Row]]:
    """Return rows as the entries leave them in the order in which they were entered."""
    tables: dict[str, dict[str, Row]] = {}
    for entry in sorted(entries, key=lambda each: each.id):
        _play(tables.setdefault(entry.table_name.removeprefix("assessment_"), {}), entry)
    return tables


def is_load(entry: Entry, conversion: Conversion | None) -> bool:
    """Tell whether an entry belongs to the conversion: loaded by the system or from a file, before the first list."""
    if conversion is None or (conversion.until is not None and entry.at > conversion.until):
        return False
    return entry.actor_id is None or entry.reason.startswith(IMPORT_REASON)


def _play(rows: dict[str, Row], entry: Entry) -> None:
    row_id = str(entry.row_id)
    if entry.operation == "D":
        rows.pop(row_id, None)
    elif entry.operation == "I":
        rows[row_id] = dict(entry.after or {})
    elif row_id in rows:
        rows[row_id] = {**rows[row_id], **(entry.after or {})}


def _stands_from(
    entry: Entry,
    seen: Mapping[int, Sequence[tuple[str, dt.date, int]]],
    sketched: Mapping[int, dt.date],
    conversion: Conversion | None,
) -> dt.date:
    if is_load(entry, conversion):
        assert conversion is not None
        return min(entry.effective_on, conversion.on)
    if entry.table_name == _BUILDING and entry.reason == AREAS_REASON:
        return sketched.get(entry.transaction_id, entry.effective_on)
    same_day = [each for each in seen.get(entry.transaction_id, ()) if each[1] == entry.effective_on]
    # What stood on a building goes with it, and was no observation of its own.
    of_row = [each for each in same_day if each[0] == str(entry.row_id)] or same_day
    if not of_row or entry.table_name == _OBSERVATION:
        return entry.effective_on
    return bears_from(entry.effective_on, max(list_year for *_, list_year in of_row))


def _observed(entries: Sequence[Entry]) -> dict[int, list[tuple[str, dt.date, int]]]:
    """Return, by transaction, the observations decided in it: target, day and list year."""
    rows: dict[str, Row] = {}
    found: dict[int, list[tuple[str, dt.date, int]]] = {}
    for entry in entries:
        if entry.table_name != _OBSERVATION:
            continue
        _play(rows, entry)
        row = rows.get(str(entry.row_id))
        if row is None or row["state"] in ("superseded", "rejected"):
            continue
        told = (str(row["target_id"]), dt.date.fromisoformat(row["observed_on"]), int(row["list_year"]))
        found.setdefault(entry.transaction_id, []).append(told)
    return found
