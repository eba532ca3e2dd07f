"""Many writers, readers that never wait, and kills: is each change delivered, and nothing that did not happen?

Used by ``test_feed_under_kills`` for a few seconds and by ``make bench ARGS=feed`` for a minute.
"""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from assessment.project.postgres import APP, SUPERUSER, Cluster

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.005
_READ = """
SELECT r.seq, r.record_id::text, b.living_area_sqft
FROM fieldsync_packagerecord r JOIN assessment_building b ON b.property_id = r.record_id AND b.town_id = r.town_id
WHERE r.package_id = %s AND r.seq > %s ORDER BY r.seq
"""
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
  WHERE application_name = 'feed-writer' AND datname = %s ORDER BY random() LIMIT 3) AS picked
"""


@dataclass
class Plan:
    """What a trial is: the database, the houses as (property, building), the packages, the kills.

    ``kills`` names methods of `Killer`; one of them, in turn, strikes each ``every_s``.
    """

    cluster: Cluster
    database: str
    town: int
    houses: list[tuple[str, str]]
    packages: dict[str, set[str]]
    folder: Path
    writers: int = 16
    seconds: float = 60
    seed: int = 0
    kills: tuple[str, ...] = ()
    every_s: float = 1.0

    def connect(self, role: str = APP) -> psycopg.Connection:
        """Connect outside Django, in autocommit, seeing the town."""
        connection = self.cluster.connect(role, self.database)
        connection.execute(f"SET grandlist.read_towns = '{self.town}'")
        return connection


@dataclass
class Verdict:
    """What a trial found. All but the first lines must be empty or nought."""

    seconds: float = 0
    commits: int = 0
    acknowledged: int = 0
    deliveries: int = 0
    polls: int = 0
    unanswered_polls: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    phantoms: list[str] = field(default_factory=list)
    backwards: int = 0
    deadlocks: int = 0
    disagreements: list[str] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """Everything that must not be."""
        counted = [
            f"{n} {what}" for n, what in ((self.backwards, "backwards"), (self.deadlocks, "deadlocks")) if n
        ]
        return [*self.lost, *self.missed, *self.phantoms, *self.disagreements, *counted]

    def __str__(self) -> str:
        strikes = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items())) or "none"
        return (
            f"{self.seconds:.0f} s, {self.commits:,} commits ({self.acknowledged:,} acknowledged), "
            f"{self.deliveries:,} deliveries in {self.polls:,} polls ({self.unanswered_polls} unanswered), "
            f"kills: {strikes}; missed {len(self.missed)}, phantom {len(self.phantoms)}, lost {len(self.lost)}"
        )


class Reader(threading.Thread):
    """Follows one package as a tablet would, asking again every 5 ms and reconnecting when it must."""

    def __init__(self, plan: Plan, package: str) -> None:
        super().__init__(daemon=True)
        self.plan, self.package = plan, package
        self.stop = threading.Event()
        self.cursor = self.polls = self.unanswered = self.backwards = 0
        #: Of each poll that brought something: the cursor after it, and the value of each record it brought.
        self.places: list[int] = []
        self.brought: list[dict[str, int | None]] = []
        self.latest: dict[str, int] = {}
        self._connection: psycopg.Connection | None = None

    def run(self) -> None:
        while not self.stop.wait(POLL_S):
            self.poll()

    def poll(self) -> bool:
        """Ask once; False when the database did not answer."""
        try:
            if self._connection is None:
                self._connection = self.plan.connect()
            rows = self._connection.execute(_READ, [self.package, self.cursor]).fetchall()
        except psycopg.Error:
            self._connection = None
            self.unanswered += 1
            return False
        self.polls += 1
        if rows:
            self.backwards += rows[-1][0] <= self.cursor
            self.cursor = rows[-1][0]
            self.places.append(self.cursor)
            self.brought.append({record: value for _, record, value in rows})
            self.latest.update({record: seq for seq, record, _ in rows})
        return True

    def finish(self) -> None:
        """Stop, and read what came last."""
        self.stop.set()
        self.join()
        assert self.poll()
        assert self._connection is not None
        self._connection.close()

    def passed_over(self, record: str, seq: int) -> bool:
        """Whether the cursor went past a number that was given to a record without bringing that record.

        The poll that went past it must have brought the record: as it was under that number, or under a
        later one that had replaced it by then.
        """
        poll = bisect.bisect_left(self.places, seq)
        return poll == len(self.places) or record not in self.brought[poll]


class Killer:
    """Kills what a method is named by, and sees that the trial can go on."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.rng = plan, random.Random(plan.seed)
        self.writers: list[int] = []
        self.started = 100 * plan.seed  # each value is written once, also by a second trial
        self.done: Counter[str] = Counter()
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.feed_writer"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        stated = {
            "url": plan.cluster.url(APP, plan.database),
            "town": plan.town,
            "houses": plan.houses,
            "seed": plan.seed,
            "folder": str(plan.folder),
        }
        self._tell(json.dumps(stated))

    def start_writer(self) -> None:
        """Start one more writer; its lines go to a file, which outlives it."""
        self.started += 1
        self._tell(str(self.started))
        assert self.nursery.stdout is not None
        self.writers.append(int(self.nursery.stdout.readline()))

    def _tell(self, line: str) -> None:
        assert self.nursery.stdin is not None
        self.nursery.stdin.write(line + "\n")
        self.nursery.stdin.flush()

    def strike(self, name: str) -> None:
        """Do one kind of kill."""
        getattr(self, name)()
        self.done[name] += 1

    def backends(self) -> None:
        """End the sessions of three writers, wherever they are in their transaction."""
        with self.plan.cluster.connect(SUPERUSER, "postgres") as connection:
            connection.execute(_TERMINATE, [self.plan.database])

    def writer(self) -> None:
        """Kill a writer's process outright, and start another in its place."""
        os.kill(self.writers.pop(self.rng.randrange(len(self.writers))), signal.SIGKILL)
        self.start_writer()

    def postgres(self) -> None:
        """Kill the server and all its processes outright, and start it again."""
        postmaster = self.plan.cluster.pid
        assert postmaster is not None
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._start_again()

    def immediately(self) -> None:
        """Stop the server as `pg_ctl -m immediate` does, without a checkpoint, and start it again."""
        postmaster = self.plan.cluster.pid
        assert postmaster is not None
        os.kill(postmaster, signal.SIGQUIT)
        self._start_again()

    def _start_again(self) -> None:
        deadline = time.monotonic() + 30
        while self.plan.cluster.pid is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.plan.cluster.start(), "the server had not gone"

    def end(self) -> None:
        """Kill the writers that are left, and whoever started them."""
        for pid in self.writers:
            os.kill(pid, signal.SIGKILL)
        for pipe in (self.nursery.stdin, self.nursery.stdout):
            assert pipe is not None
            pipe.close()
        self.nursery.wait()


def run_trial(plan: Plan) -> Verdict:
    """Let writers write and readers read, kill what the plan names, and judge."""
    readers = [Reader(plan, package) for package in plan.packages]
    for reader in readers:
        assert reader.poll()
        reader.start()
    killer = Killer(plan)
    begun = time.monotonic()
    try:
        for _ in range(plan.writers):
            killer.start_writer()
        for name in _turns(plan, begun):
            killer.strike(name)
    finally:
        killer.end()
    seconds = time.monotonic() - begun
    with plan.connect(SUPERUSER) as connection:
        # A killed writer's server process may still be committing.
        while connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'feed-writer'"
        ).fetchall():
            time.sleep(0.02)
    for reader in readers:
        reader.finish()
    verdict = _judge(plan, readers)
    verdict.seconds, verdict.kills = seconds, killer.done
    return verdict


def _turns(plan: Plan, begun: float) -> Iterator[str]:
    """Give the kills in turn at their times, until the time is over and each has been given once."""
    turn = 0
    while (left := begun + plan.seconds - time.monotonic()) > 0 or turn < len(plan.kills):
        time.sleep(plan.every_s if plan.kills else left)
        if plan.kills:
            yield plan.kills[turn % len(plan.kills)]
            turn += 1
    if plan.kills:
        time.sleep(plan.every_s)  # whoever was struck last gets to work again


def _judge(plan: Plan, readers: list[Reader]) -> Verdict:
    tried, acknowledged, given, deadlocks = _read_logs(plan)
    with plan.connect() as connection:
        committed = _journaled(connection)
        verdict = Verdict(
            commits=len({value for values in committed.values() for value in values} & set(tried)),
            acknowledged=len(acknowledged),
            polls=sum(reader.polls for reader in readers),
            unanswered_polls=sum(reader.unanswered for reader in readers),
            deliveries=sum(len(rows) for reader in readers for rows in reader.brought),
            backwards=sum(reader.backwards for reader in readers),
            deadlocks=deadlocks,
        )
        for value in acknowledged:
            verdict.lost += [
                f"commit {value} was acknowledged and {record} does not have it"
                for record in tried[value]
                if value not in committed[record]
            ]
        for reader in readers:
            _judge_reader(plan, connection, reader, committed, given.get(reader.package, []), verdict)
    return verdict


def _judge_reader(
    plan: Plan,
    connection: psycopg.Connection,
    reader: Reader,
    committed: dict[str, set[int]],
    given: list[tuple[str, int]],
    verdict: Verdict,
) -> None:
    where = f"package {reader.package[-4:]}"
    verdict.missed += [
        f"{where}: {record} at {seq}" for record, seq in given if reader.passed_over(record, seq)
    ]
    rows = connection.execute(
        "SELECT record_id::text, seq FROM fieldsync_packagerecord WHERE package_id = %s", [reader.package]
    ).fetchall()
    verdict.missed += [
        f"{where}: {record} is at {seq}, last seen at {reader.latest.get(record)}"
        for record, seq in rows
        if reader.latest.get(record) != seq
    ]
    verdict.phantoms += [
        f"{where}: {record} was delivered with {value}, which nobody committed"
        for brought in reader.brought
        for record, value in brought.items()
        if value not in committed[record]
    ]
    members = plan.packages[reader.package]
    # One number for each record of each commit, and one for each record when the package was drawn.
    due = sum(len(values) for record, values in committed.items() if record in members)
    head = connection.execute(
        "SELECT head FROM fieldsync_feedhead WHERE package_id = %s", [reader.package]
    ).fetchone()
    if head != (due,) or reader.cursor != due:
        verdict.disagreements.append(f"{where}: {due} changes, head {head}, the reader is at {reader.cursor}")


def _journaled(connection: psycopg.Connection) -> dict[str, set[int]]:
    """Return every value that each house's building ever had, from the journal: what was truly committed."""
    found: dict[str, set[int]] = {}
    for record, value in connection.execute(
        "SELECT property_id::text, (after->>'living_area_sqft')::int FROM assessment_journalentry"
        " WHERE table_name = 'assessment_building' AND after ? 'living_area_sqft'"
    ):
        found.setdefault(record, set()).add(value)
    return found


def _read_logs(plan: Plan) -> tuple[dict[int, list[str]], set[int], dict[str, list[tuple[str, int]]], int]:
    tried: dict[int, list[str]] = {}
    acknowledged: set[int] = set()
    given: dict[str, list[tuple[str, int]]] = {}
    deadlocks = 0
    for path in sorted(plan.folder.glob("writer-*.log")):
        for line in path.read_text().splitlines():
            what, value, *more = _parse(line)
            if what == "try":
                tried[value] = more[0]
            elif what == "ack":
                acknowledged.add(value)
                for package, record, seq in more[0]:
                    given.setdefault(package, []).append((record, seq))
            else:
                deadlocks += 1
    return tried, acknowledged, given, deadlocks


def _parse(line: str) -> list[Any]:
    parsed: list[Any] = json.loads(line)
    return parsed
