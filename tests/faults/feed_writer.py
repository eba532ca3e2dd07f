"""The writers of the feed's trial by kills: each a process of its own that may be killed at any instant.

    python -m tests.faults.feed_writer

reads its plan from the first line of standard input and a number from each further line, forks a writer
for each number, and answers with its process id. (Forked, since sixteen starts of Python take longer than
the trial.) A writer tells in ``writer-N.log``, a line each and never kept back: ``try`` before a commit,
``ack`` after it. Every second transaction asks for its numbers before it commits and tells them too, so that
the trial knows each number that was given, also one that a later change has replaced by now.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import time
from typing import Any, NoReturn

import psycopg

COMMITS_OF_A_WRITER = 1_000_000
_SCOPE = (
    "SELECT set_config('grandlist.read_towns', %(town)s, true), set_config('grandlist.write_towns', %(town)s, true),"
    " set_config('grandlist.actor_name', 'writer', true), set_config('grandlist.reason', 'trial', true)"
)
_WRITE = "UPDATE assessment_building SET living_area_sqft = %s WHERE id = ANY(%s)"
_NUMBERS = (
    "SELECT package_id::text, record_id::text, seq FROM fieldsync_packagerecord WHERE record_id = ANY(%s)"
)


def main() -> None:
    """Fork a writer for each number that is asked for, until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    plan = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            write(int(line), plan)
        print(pid, flush=True)


def write(number: int, plan: dict[str, Any]) -> NoReturn:
    """Write until killed; the database may go away and come back meanwhile."""
    log = os.open(f"{plan['folder']}/writer-{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    rng = random.Random(f"{plan['seed']}-{number}")
    houses: list[list[str]] = plan["houses"]
    connection: psycopg.Connection | None = None
    for step in itertools.count(1):
        value = number * COMMITS_OF_A_WRITER + step
        # In the order of ids, as every service of the product locks its rows.
        some = sorted(rng.sample(houses, rng.randint(1, 4)))
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(plan["url"], application_name="feed-writer")
            _write(connection, plan["town"], some, value, asks=rng.random() < 0.5)
        except psycopg.errors.DeadlockDetected:
            _say("deadlock", value)
        except psycopg.Error:
            # Whether that one was committed nobody knows; only an acknowledged one is promised.
            connection = None
            time.sleep(0.05)
    raise AssertionError("a writer ends by being killed")


def _write(
    connection: psycopg.Connection, town: int, some: list[list[str]], value: int, *, asks: bool
) -> None:
    given: list[Any] = []
    with connection.transaction():
        connection.execute(_SCOPE, {"town": str(town)})
        connection.execute(_WRITE, [value, [building for _, building in some]])
        if asks:
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            given = connection.execute(_NUMBERS, [[record for record, _ in some]]).fetchall()
        _say("try", value, [record for record, _ in some])
    _say("ack", value, given)


def _say(*what: Any) -> None:
    # One write, so that no line is torn, whoever is killed.
    os.write(1, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    main()
