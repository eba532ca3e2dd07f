"""Thousands of device-days with faults, in two processes, each seed on a database of its own.

    python -m tests.faults.run                        10,000 device-days, and a log in var/
    python -m tests.faults.run --days 200             fewer
    python -m tests.faults.run --resume               go on where the log ends
    python -m tests.faults.run --seed 17              one seed again, as it was
    python -m tests.faults.run --tell                 what the log says, as tables

A day counts when the judge has found at least 40 mutations, 30 photos and one broken connection in it. Seeds
follow each other until enough days have counted.

The status is 1 when the judge found anything; each trouble names the seed that shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

SHARED_MEMORY = Path("/dev/shm")
TEMPLATE = "days_template"


def main(arguments: list[str]) -> int:
    """Run what was asked for and return the status."""
    parser = argparse.ArgumentParser(prog="tests.faults.run", description=__doc__)
    parser.add_argument("--days", type=int, default=10_000, help="device-days in all")
    parser.add_argument("--seed", type=int, help="only this seed, with its troubles in full")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--log", type=Path, default=Path("var/device-days.json"))
    parser.add_argument("--resume", action="store_true", help="keep the seeds that the log has")
    parser.add_argument("--tell", action="store_true", help="print what the log says, and run nothing")
    stated = parser.parse_args(arguments)
    if stated.tell:
        print(spell(json.loads(stated.log.read_text())["summary"]))
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # the cluster ends with us
    with _folder() as folder:
        _set_up(folder)
        with _cluster(folder):
            if stated.seed is not None:
                outcome = live_seed(stated.seed, folder)
                print(json.dumps(outcome, indent=1))
                return 1 if outcome["troubles"] else 0
            before = json.loads(stated.log.read_text())["seeds"] if stated.resume else []
            return Run(stated.days, stated.log, folder, before).run(stated.first, stated.processes)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="days-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _cluster(folder: Path) -> Iterator[None]:
    from assessment.project.postgres import ensure_cluster

    cluster = ensure_cluster(folder, "cluster", durable=False)
    cluster.start()
    try:
        _make_template(cluster)
        yield
    finally:
        cluster.remove()


def _set_up(folder: Path) -> None:
    os.environ["GRANDLIST_VAR_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
    import django

    django.setup()
    from django.conf import settings

    (folder / "static").mkdir(exist_ok=True)
    settings.STATIC_ROOT = folder / "static"
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder / f"blobs-{os.getpid()}"), "base_url": None},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    from assessment.project.celery import app

    app.conf.update(broker_url="memory://", broker_transport_options={})
    logging.disable(logging.CRITICAL)


def live_seed(seed: int, folder: Path) -> dict[str, Any]:
    """Live one seed on a fresh database; returns what is to be told of it."""
    from django.conf import settings
    from django.db import connections

    from assessment.project.postgres import ensure_cluster
    from tests.databases import TestDatabase, point_django_at
    from tests.faults.day import Span, live

    cluster = ensure_cluster(folder, "cluster", durable=False)
    own = folder / f"seed-{seed}"
    own.mkdir()
    blobs = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    blobs.mkdir()
    database = TestDatabase(cluster, f"seed_{seed}")
    cluster.create_database(database.name, template=TEMPLATE)
    point_django_at(database)
    connections["default"].settings_dict["CONN_MAX_AGE"] = None
    began = time.monotonic()
    troubles: list[str] = []
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    try:
        world, verdict = live(seed, database, own / "tablets", Span())
        troubles, totals, faults = verdict.troubles, verdict.totals, world.faults
        happened = Counter({what.value: count for what, count in world.happened.items() if count})
        world.close()
    except Exception:  # noqa: BLE001  whatever ends a seed is told with it
        troubles = [traceback.format_exc(limit=-6, chain=False)]
    finally:
        connections.close_all()
        cluster.drop_database(database.name)
        for used in (own, blobs):
            shutil.rmtree(used, ignore_errors=True)
    return {
        "seed": seed,
        "seconds": round(time.monotonic() - began, 2),
        "troubles": troubles,
        "totals": dict(totals),
        "faults": dict(faults),
        "happened": dict(happened),
    }


def _make_template(cluster: Any) -> None:
    """Make the migrated database that every seed gets a copy of."""
    from django.core.management import call_command
    from django.db import connections

    from tests.databases import TestDatabase, point_django_at

    cluster.create_database(TEMPLATE)
    point_django_at(TestDatabase(cluster, TEMPLATE))
    call_command("migrate", verbosity=0)
    connections.close_all()


class Run:
    """Seeds one after the other, each in one of a few processes, until enough device-days have counted.

    The log is written after each, so that a run that is cut short can be gone on with.
    """

    def __init__(self, days: int, log: Path, folder: Path, before: list[dict[str, Any]]) -> None:
        self.days, self.log, self.folder, self.outcomes = days, log, folder, before
        self.began = time.monotonic()

    def run(self, first: int, processes: int) -> int:
        """Live until it is enough; the status is 1 when any seed has troubles."""
        had = {outcome["seed"] for outcome in self.outcomes}
        seeds = (seed for seed in itertools.count(first) if seed not in had)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            processes, mp_context=context, initializer=_set_up, initargs=(self.folder,)
        ) as pool:
            running = {pool.submit(live_seed, next(seeds), self.folder) for _ in range(processes)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    self._keep(future.result())
                    if self._counted() < self.days:
                        running.add(pool.submit(live_seed, next(seeds), self.folder))
        summary = self._write()
        print(spell(summary))
        return 1 if summary["seeds with troubles"] else 0

    def _counted(self) -> int:
        return sum(outcome["totals"].get("device-days", 0) for outcome in self.outcomes)

    def _keep(self, outcome: dict[str, Any]) -> None:
        self.outcomes.append(outcome)
        self._write()
        state = "ok" if not outcome["troubles"] else f"{len(outcome['troubles'])} TROUBLES"
        print(
            f"seed {outcome['seed']:5} {state:12} {outcome['seconds']:6.1f} s   {self._counted()}/{self.days}"
            f" device-days, {time.monotonic() - self.began:.0f} s",
            flush=True,
        )
        for trouble in outcome["troubles"][:5]:
            print(f"    {trouble}   (--seed {outcome['seed']})", flush=True)

    def _write(self) -> dict[str, Any]:
        summary = summarise(self.outcomes)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        part = self.log.with_suffix(".part")
        outcomes = sorted(self.outcomes, key=lambda outcome: outcome["seed"])
        part.write_text(json.dumps({"summary": summary, "seeds": outcomes}, indent=1))
        part.replace(self.log)
        return summary


def summarise(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the totals of all seeds."""
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    for outcome in outcomes:
        totals.update(outcome["totals"])
        faults.update(outcome["faults"])
        happened.update(outcome["happened"])
    return {
        "device-days": totals.pop("device-days", 0),
        "seeds": len(outcomes),
        "seeds with troubles": sorted(outcome["seed"] for outcome in outcomes if outcome["troubles"]),
        "seconds of work": round(sum(outcome["seconds"] for outcome in outcomes)),
        "lost": totals.pop("lost", 0),
        "doubled": totals.pop("doubled", 0),
        "faults of lines": sum(faults.values()),
        "totals": dict(sorted(totals.items())),
        "faults": dict(sorted(faults.items())),
        "happened": dict(sorted(happened.items())),
    }


def spell(summary: dict[str, Any]) -> str:
    """Return the totals as tables in Markdown."""
    lines = ["| | |", "|---|---|"]
    for name, value in summary.items():
        if not isinstance(value, dict):
            said = (", ".join(map(str, value)) or "none") if isinstance(value, list) else f"{value:,}"
            lines.append(f"| {name} | {said} |")
    for name in ("totals", "faults", "happened"):
        lines += ["", f"| {name} | times |", "|---|---|"]
        lines += [f"| {what} | {count:,} |" for what, count in summary[name].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
