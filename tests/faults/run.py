"""Thousands of device-days with faults, in two processes, each seed on a database of its own.

    python -m tests.faults.run                        10,000 device-days, and a log in var/
    python -m tests.faults.run --days 200             fewer
    python -m tests.faults.run --seed 17              one seed again, as it was

The status is 1 when the judge found anything; each trouble names the seed that shows it.
"""

from __future__ import annotations

import argparse
import contextlib
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
    stated = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # the cluster ends with us
    with _folder() as folder:
        _set_up(folder)
        from tests.faults.day import Span

        span = Span()
        if stated.seed is not None:
            with _cluster(folder):
                outcome = live_seed(stated.seed, folder)
            print(json.dumps(outcome, indent=1))
            return 1 if outcome["troubles"] else 0
        count = -(-stated.days // span.device_days)
        seeds = range(stated.first, stated.first + count)
        return _run_all(list(seeds), span.device_days, folder, stated.processes, stated.log)


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


def _run_all(seeds: list[int], device_days: int, folder: Path, processes: int, log: Path) -> int:
    outcomes: list[dict[str, Any]] = []
    began = time.monotonic()
    with _cluster(folder):
        context = multiprocessing.get_context("spawn")
        with context.Pool(processes, initializer=_set_up, initargs=(folder,)) as pool:
            for outcome in pool.imap_unordered(_work, [(seed, folder) for seed in seeds]):
                outcomes.append(outcome)
                _tell(outcome, len(outcomes) * device_days, len(seeds) * device_days, began)
    summary = summarise(outcomes, device_days, time.monotonic() - began)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(
        json.dumps({"summary": summary, "seeds": sorted(outcomes, key=lambda o: o["seed"])}, indent=1)
    )
    print(json.dumps(summary, indent=1))
    return 1 if summary["seeds with troubles"] else 0


def _work(task: tuple[int, Path]) -> dict[str, Any]:
    return live_seed(*task)


def _tell(outcome: dict[str, Any], done: int, of: int, began: float) -> None:
    seconds = time.monotonic() - began
    left = seconds / done * (of - done)
    state = "ok" if not outcome["troubles"] else f"{len(outcome['troubles'])} TROUBLES"
    print(
        f"seed {outcome['seed']:5} {state:12} {outcome['seconds']:6.1f} s   {done}/{of} device-days"
        f" in {seconds:.0f} s, {left:.0f} s to go",
        flush=True,
    )
    for trouble in outcome["troubles"][:5]:
        print(f"    {trouble}   (--seed {outcome['seed']})", flush=True)


def summarise(outcomes: list[dict[str, Any]], device_days: int, seconds: float) -> dict[str, Any]:
    """Return the totals of all seeds."""
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        totals.update(outcome["totals"])
        faults.update(outcome["faults"])
    bad = sorted(outcome["seed"] for outcome in outcomes if outcome["troubles"])
    return {
        "device-days": len(outcomes) * device_days,
        "seeds": len(outcomes),
        "seeds with troubles": bad,
        "seconds": round(seconds),
        "lost": totals.pop("lost", 0),
        "doubled": totals.pop("doubled", 0),
        "totals": dict(sorted(totals.items())),
        "faults": dict(sorted(faults.items())),
        "faults injected": sum(faults.values()),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
