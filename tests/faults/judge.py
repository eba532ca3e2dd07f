"""The seven invariants, from what was entered, the rows of the database and the disks of the tablets.

Reads with a connection of its own and plain SQL; of the product's code it uses the reference client's
checksum, the server's cards to compare whole ones, and what the office's pages show (`tests.faults.desk`):
a value that nobody at the office can find counts as lost, whichever row has it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings

from assessment.project.postgres import SUPERUSER
from assessment.region.scope import scope
from fieldsync.client.canonical import checksum, content_hash
from fieldsync.devices.selectors import list_events
from fieldsync.packages.cards import render_texts
from tests.cast import SYSTEM, TOWN_A
from tests.faults.desk import Desk, holds, shows
from tests.faults.entered import Change, Value
from tests.faults.world import World

JOURNALED = ("property", "building", "feature", "photo", "inspection", "observation")


@dataclass
class Verdict:
    """What the judge found.

    Attributes
    ----------
    troubles
        Each a sentence that begins with the number of the invariant it breaks.
    totals
        What was counted on the way.
    """

    troubles: list[str] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)

    def hold(self, is_so: bool, trouble: str) -> None:
        """Note a trouble unless all is well."""
        if not is_so:
            self.troubles.append(trouble)


def judge(world: World) -> Verdict:
    """Compare everything; to be called when all tablets have synced over a whole line."""
    verdict = Verdict()
    with world.database.connect(SUPERUSER) as database:
        rows = _Rows(database)
        _judge_ledger(world, rows, verdict)
        _judge_effects(world, rows, verdict)
        _judge_values(world, rows, Desk(world), verdict)
        _judge_photos(world, rows, verdict)
        _judge_feed(world, rows, verdict)
        _judge_journal(rows, verdict)
        _judge_replicas(world, rows, verdict)
        _judge_copies(world, rows, verdict)
    return verdict


class _Rows:
    """The tables as they are."""

    def __init__(self, database: psycopg.Connection) -> None:
        self.database = database
        self.ledger = {
            str(row["mutation_id"]): row
            for row in self.all(
                "SELECT mutation_id, entity_id, body, status, result, held_for FROM fieldsync_mutation"
            )
        }
        self.quarantined = {
            str(row["mutation_id"])
            for row in self.all(
                "SELECT m.mutation_id FROM fieldsync_quarantine q JOIN fieldsync_mutation m ON m.id = q.mutation_id "
                "WHERE q.state <> 'applied'"
            )
        }
        here = {
            row["id"]
            for kind in ("inspection", "property", "building", "feature", "photo")
            for row in self.all(f"SELECT id FROM assessment_{kind}")
        }
        # Held is right only while what it builds on is not on record: it never came, or is in quarantine.
        self.held = {
            key for key, row in self.ledger.items() if row["status"] == "held" and row["held_for"] not in here
        }
        self.observations: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.by_field: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in self.all("SELECT * FROM assessment_observation WHERE mutation_id IS NOT NULL"):
            self.observations[str(row["mutation_id"])].append(row)
            self.by_field[str(row["target_id"]), row["field"]].append(row)
        self.journal = self.all("SELECT * FROM assessment_journalentry ORDER BY id")
        self.current = {
            kind: {str(row["id"]): row for row in self.all(f"SELECT * FROM assessment_{kind}")}
            for kind in ("property", "building", "feature", "inspection")
        }
        self.history: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for entry in self.journal:
            for side in (entry["before"], entry["after"]):
                for name, value in (side or {}).items():
                    self.history[str(entry["row_id"]), name].append(value)

    def all(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a statement as dictionaries."""
        cursor = self.database.execute(statement)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def is_current(self, value: Value) -> bool:
        row = self.current[value.kind].get(value.row_id)
        return row is not None and holds(row[value.name], value.value)

    def is_historic(self, value: Value) -> bool:
        return any(holds(old, value.value) for old in self.history[value.row_id, value.name])

    def was_step(self, observation: dict[str, Any], value: Value) -> bool:
        """Whether another value took its place in the same transaction: the row's journal has only the last.

        Another accepted one started from it, or came in the same batch. The history shows the observation.
        """
        return any(
            holds(other["base_value"], value.value) or other["created_at"] == observation["created_at"]
            for other in self.by_field[value.row_id, value.name]
            if other["state"] == "accepted" and other["id"] != observation["id"]
        )


# --- I1: every mutation ever made is in the ledger or still in its outbox ---


def _judge_ledger(world: World, rows: _Rows, verdict: Verdict) -> None:
    waiting = {
        body["mutation_id"] for device in world.devices for body in device.tablet.store.unfinished(1_000_000)
    }
    for change in world.entered.changes.values():
        verdict.totals["mutations"] += 1
        row = rows.ledger.get(change.mutation_id)
        if row is None:
            is_kept = change.mutation_id in waiting
            verdict.hold(is_kept, f"I1 {_name(change)} is neither in the ledger nor in the outbox")
            verdict.totals["lost"] += not is_kept
            continue
        said = row["body"]
        if "unstorable" in said:
            said = json.loads(bytes.fromhex(said["unstorable"]))
        verdict.hold(said == change.body, f"I1 {_name(change)} is in the ledger with another body")
        verdict.hold(row["result"] is not None, f"I1 {_name(change)} is in the ledger without a result")
        verdict.totals[row["status"]] += 1
    for key in rows.ledger.keys() - world.entered.changes.keys():
        verdict.troubles.append(f"I1 the ledger has {key}, which nobody entered")


def _name(change: Change) -> str:
    return f"tablet {change.device} number {change.device_seq} ({change.kind} {change.mutation_id})"


# --- I2: at most one effect ---


def _judge_effects(world: World, rows: _Rows, verdict: Verdict) -> None:
    for key, seen in rows.observations.items():
        for field_name, count in Counter((str(o["target_id"]), o["field"]) for o in seen).items():
            verdict.hold(count == 1, f"I2 mutation {key} was observed {count} times on {field_name}")
            verdict.totals["doubled"] += count > 1
    photos = Counter(row["sha256"] for row in rows.all("SELECT sha256 FROM assessment_photo"))
    for photo_id, (sha256, _) in world.entered.photos.items():
        verdict.hold(photos[sha256] <= 1, f"I2 photo {photo_id} is on record {photos[sha256]} times")
        verdict.totals["doubled"] += photos[sha256] > 1
    written = Counter(
        (str(entry["row_id"]), name, json.dumps(value))
        for entry in rows.journal
        if entry["device_id"] is not None and entry["operation"] == "U"
        for name, value in (entry["after"] or {}).items()
        if entry["table_name"] in ("assessment_building", "assessment_feature", "assessment_property")
        and name not in ("version", "updated_at", "last_full_inspection_on")
    )
    for (row_id, name, value), count in written.items():
        verdict.hold(count == 1, f"I2 {name} of {row_id} was set to {value} by tablets {count} times")
        verdict.totals["doubled"] += count > 1
    _judge_notes(world, rows, verdict)


def _judge_notes(world: World, rows: _Rows, verdict: Verdict) -> None:
    """Notes are appended: one that was added twice would stand there twice."""
    for change in world.entered.changes.values():
        for value in change.values:
            row = rows.current["property"].get(value.row_id) if value.name == "comment" else None
            if row is not None:
                lines = row["comment"].split("\n\n")
                count = sum(line == value.value or line.endswith(f": {value.value}") for line in lines)
                verdict.hold(count <= 1, f"I2 the note {value.value!r} stands on the card {count} times")
                verdict.totals["doubled"] += count > 1


# --- I3: every value ever entered is current, historic, in conflict, in quarantine or waits, and can be seen ---


def _judge_values(world: World, rows: _Rows, desk: Desk, verdict: Verdict) -> None:
    for change in world.entered.changes.values():
        for value in change.values:
            verdict.totals["values"] += 1
            if change.mutation_id not in rows.ledger:
                continue  # in the outbox: I1 has said so
            fate = _fate(change, value, rows, desk)
            verdict.hold(
                bool(fate), f"I3 {_name(change)}: {value.name}={value.value!r} is nowhere to be seen"
            )
            verdict.totals[f"value {fate or 'vanished'}"] += 1
    for value in world.entered.office:
        is_kept = (rows.is_current(value) and desk.is_on_card(value)) or rows.is_historic(value)
        verdict.hold(
            is_kept and desk.is_told(value),
            f"I3 the office's {value.name}={value.value!r} is nowhere to be seen",
        )


def _fate(change: Change, value: Value, rows: _Rows, desk: Desk) -> str:
    """Return what became of a value, if a person at the office can see it there; else nothing."""
    seen = [
        o
        for o in rows.observations[change.mutation_id]
        if (str(o["target_id"]), o["field"]) == (value.row_id, value.name)
    ]
    if value.kind == "inspection" and desk.is_on_card(value):
        return "current"
    if not seen:
        if change.mutation_id in rows.quarantined and desk.is_in_quarantine(change.mutation_id, value):
            return "in quarantine"
        is_held = change.mutation_id in rows.held and desk.is_held(change.mutation_id, value)
        return "held" if is_held else ""
    observation = seen[0]
    # The history of the card tells what was seen, whatever became of it.
    if not holds(observation["value"], value.value) or not desk.is_told(value):
        return ""
    state = observation["state"]
    if state == "accepted":
        return _fate_of_accepted(observation, value, rows, desk)
    conflict = desk.conflicts.get((change.mutation_id, value.name))
    if conflict is not None:
        fate = "in conflict" if conflict.state == "open" else "in an answered conflict"
        return fate if holds(conflict.ours, value.value) else ""
    if state in ("pending", "conflict"):  # one that clashed only when the office accepted it waits there too
        line = desk.waiting.get(observation["id"])
        is_shown = line is not None and line.state == state and shows(line.seen, value.value)
        return {"pending": "waiting", "conflict": "in conflict"}[state] if is_shown else ""
    # Office-kept, within tolerance, or superseded by what was seen later: the history tells it.
    return "historic" if state in ("superseded", "rejected") else ""


def _fate_of_accepted(observation: dict[str, Any], value: Value, rows: _Rows, desk: Desk) -> str:
    if rows.is_current(value):
        return "current" if desk.is_on_card(value) else ""
    if rows.is_historic(value):
        return "historic"
    return "historic within a batch" if rows.was_step(observation, value) else ""


# --- I6: every declared photo is verified or listed missing ---


def _judge_photos(world: World, rows: _Rows, verdict: Verdict) -> None:
    blobs = {row["sha256"]: row["byte_count"] for row in rows.all("SELECT * FROM assessment_blob")}
    photos = {row["sha256"]: row for row in rows.all("SELECT * FROM assessment_photo")}
    parked = {
        row["sha256"] for row in rows.all("SELECT sha256 FROM fieldsync_upload WHERE state = 'quarantined'")
    }
    waiting = {p["sha256"] for d in world.devices for p in d.tablet.store.photos("waiting")}
    declared = {c.body["entity_id"]: c for c in world.entered.changes.values() if c.kind == "photo.declare"}
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    for photo_id, (sha256, length) in world.entered.photos.items():
        verdict.totals["photos"] += 1
        if sha256 in waiting:
            verdict.totals["photos on tablets"] += 1
            continue
        path = root / sha256[:2] / sha256[2:4] / sha256
        is_stored = path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        verdict.hold(
            is_stored and blobs.get(sha256) == length,
            f"I6 the bytes of photo {photo_id} are not on the server",
        )
        verdict.totals["lost"] += not is_stored
        change, photo = declared[photo_id], photos.get(sha256)
        if photo is None:
            waits = change.mutation_id in rows.quarantined | rows.held
            is_seen = waits or change.mutation_id not in rows.ledger
            verdict.hold(is_seen, f"I6 photo {photo_id} was declared and is not on record")
        else:
            counts = photo["state"] in ("verified", "processed", "unprocessable")
            verdict.totals["photos in quarantine"] += sha256 in parked
            verdict.hold(
                counts or sha256 in parked, f"I6 photo {photo_id} is {photo['state']}, and its bytes are here"
            )


# --- I5: feeds ---


def _judge_feed(world: World, rows: _Rows, verdict: Verdict) -> None:
    verdict.troubles += world.watch.troubles
    verdict.totals["feed pages"] += world.watch.pages
    heads = {row["package_id"]: row["head"] for row in rows.all("SELECT * FROM fieldsync_feedhead")}
    numbers: dict[UUID, list[int]] = defaultdict(list)
    for row in rows.all("SELECT package_id, seq FROM fieldsync_packagerecord"):
        numbers[row["package_id"]].append(row["seq"])
    for package, given in numbers.items():
        verdict.hold(len(given) == len(set(given)), f"I5 package {package} gave a number twice")
        verdict.hold(max(given) <= heads[package], f"I5 package {package} has a number above its head")
    for device in world.devices:
        count = device.tablet.mismatches + device.mismatches
        verdict.hold(count == 0, f"I5 tablet {device.number} found {count} deltas that lacked something")


# --- I8: the office sees that a tablet may be a copy ---


def _judge_copies(world: World, rows: _Rows, verdict: Verdict) -> None:
    """Of two mutations under one number all but the first wait for a person, and the tablet's page says so.

    What nobody could apply anyway waits under its own code.
    """
    codes = {
        row["mutation_id"]: row["code"]
        for row in rows.all(
            "SELECT m.mutation_id, q.code FROM fieldsync_quarantine q JOIN fieldsync_mutation m "
            "ON m.id = q.mutation_id"
        )
    }
    for row in rows.all(
        "SELECT device_id, device_seq, array_agg(mutation_id) AS ids FROM fieldsync_mutation "
        "WHERE device_seq > 0 GROUP BY 1, 2 HAVING count(*) > 1"
    ):
        verdict.totals["numbers used twice"] += 1
        name = f"number {row['device_seq']} of device {row['device_id']}"
        verdict.hold(
            len(set(row["ids"]) - codes.keys()) <= 1, f"I8 {name} was used twice, and nobody is asked"
        )
        with scope(world.office, towns=[TOWN_A]):
            told = {event.what for event in list_events(row["device_id"])}
        verdict.hold("copy-suspected" in told, f"I8 {name} was used twice, and the tablet's page is silent")


# --- I7: the journal explains each value ---


def _judge_journal(rows: _Rows, verdict: Verdict) -> None:
    explained: dict[tuple[str, str], dict[str, Any] | None] = {}
    for entry in rows.journal:
        key = (entry["table_name"], str(entry["row_id"]))
        if entry["operation"] == "D":
            explained[key] = None
        else:
            explained[key] = {**(explained.get(key) or {}), **(entry["after"] or {})}
    for kind in JOURNALED:
        table = f"assessment_{kind}"
        for (row,) in rows.database.execute(f"SELECT to_jsonb(t) FROM {table} t").fetchall():
            told = explained.get((table, row["id"]))
            if told is None:
                verdict.troubles.append(f"I7 the journal knows nothing of {kind} {row['id']}")
                continue
            wrong = {name for name, value in told.items() if row.get(name) != value}
            verdict.hold(not wrong, f"I7 {kind} {row['id']}: the journal does not explain {sorted(wrong)}")


# --- I4: replicas ---


def _judge_replicas(world: World, rows: _Rows, verdict: Verdict) -> None:
    members: dict[str, dict[str, int | None]] = defaultdict(dict)
    for row in rows.all(
        "SELECT package_id, record_id, content_hash FROM fieldsync_packagerecord WHERE op = 'put'"
    ):
        members[str(row["package_id"])][str(row["record_id"])] = row["content_hash"]
    owners = {
        str(row["id"]): str(row["device_id"])
        for row in rows.all("SELECT id, device_id FROM fieldsync_package WHERE state <> 'closed'")
    }
    with scope(SYSTEM, towns=[TOWN_A]):
        cards = {
            str(k): json.loads(t)
            for k, t in render_texts([UUID(k) for m in members.values() for k in m]).items()
        }
    for device in world.devices:
        if device.is_out:
            continue
        store = device.tablet.store
        mine = {package for package, owner in owners.items() if owner == device.tablet.device_id}
        verdict.hold(
            set(store.packages()) == mine,
            f"I4 tablet {device.number} holds {set(store.packages())}, not {mine}",
        )
        for package in mine & set(store.packages()):
            held = store.records(package, "card")
            wanted = {key: cards[key] for key in members[package]}
            wrong = sorted(k for k in held.keys() | wanted.keys() if held.get(k) != wanted.get(k))
            verdict.hold(
                not wrong,
                f"I4 tablet {device.number}, package {package}: {len(wrong)} cards differ: {wrong[:3]}",
            )
            own = checksum(content_hash("card", key, card) for key, card in wanted.items())
            verdict.hold(
                store.checksum(package) == (len(wanted), own),
                f"I4 tablet {device.number}: wrong checksum of {package}",
            )
            _compare_with_rows(device.number, held, rows, verdict)
            verdict.totals["replicas converged"] += not wrong


def _compare_with_rows(number: int, held: dict[str, Any], rows: _Rows, verdict: Verdict) -> None:
    """Compare fields on a tablet with the tables themselves, past the code that makes cards."""
    for card in held.values():
        for building in card["building"]:
            row = rows.current["building"].get(building["id"], {})
            for name in ("style", "exterior_wall", "condition", "living_area_sqft", "estimated_fields"):
                verdict.hold(
                    row.get(name) == building[name],
                    f"I4 tablet {number} shows another {name} of {building['id']}",
                )
