"""Many tablets at once over real HTTP: how long a batch takes, and how much comes through in all.

    python -m tests.bench.bench_tablets [TABLETS [BATCHES [ITEMS]]]      40 tablets, 5 batches of 20 each
    python -m tests.bench.bench_tablets 20 3 200                        20 tablets, full batches

Budgets: 40 tablets at once at p99 < 1 s a batch; 20 tablets at 1,500 patches/s where the cores allow. All
start at the same moment, as after a training day. What is told to come again later is sent again, and counts
with all its tries. A patch is of one field, on cards that no other tablet has. The first batch of each tablet
finds a server whose threads have no database connection yet; it counts, and is shown apart too.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import threading
import time
from collections import Counter
from typing import Any

from tests.bench.serving import cpu_seconds, fresh_product, pace_ms, server


def main(tablets: int, batches: int, items: int) -> None:
    """Send everything, and print the figures."""
    with fresh_product() as folder, server() as (address, master):
        from tests.bench.field import give_package, make_tablet, make_town

        each = batches * items
        ids = make_town(tablets * each)
        made = []
        for number in range(tablets):
            tablet = make_tablet(folder / f"tablet-{number}", address)
            mine = ids[number * each : (number + 1) * each]
            give_package(tablet, mine)
            tablet.me()  # a token, so that the first batch is not the one that gets it
            made.append((tablet, _bodies(tablet, mine, items)))
        start = threading.Barrier(tablets + 1)
        durations: list[list[float]] = [[] for _ in range(batches)]
        statuses: Counter[str] = Counter()
        threads = [
            threading.Thread(target=_send, args=(tablet, bodies, start, durations, statuses))
            for tablet, bodies in made
        ]
        for thread in threads:
            thread.start()
        cpu = cpu_seconds(master)
        start.wait()
        began = time.monotonic()
        for thread in threads:
            thread.join()
        spent = time.monotonic() - began
        cpu = cpu_seconds(master) - cpu
        for tablet, _ in made:
            tablet.close()
    every = sorted(duration for wave in durations for duration in wave)
    later = sorted(duration for wave in durations[1:] for duration in wave) or every
    print(
        f"{tablets} tablets at once, {batches} batches of {items} each: {tablets * each / spent:,.0f} patches/s;"
        f" a batch: median {1000 * statistics.median(every):.0f} ms, p99 {1000 * _p99(every):.0f} ms (without the"
        f" first of each {1000 * _p99(later):.0f} ms), worst {1000 * every[-1]:.0f} ms; server and database used"
        f" {1000 * cpu / (tablets * each):.2f} ms of processor for each; {dict(statuses)};"
        f" pace of the machine: {pace_ms():.0f} ms"
    )


def _p99(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def _bodies(tablet: Any, property_ids: list[Any], items: int) -> list[bytes]:
    from assessment.property.models import Building
    from assessment.region.ids import new_id
    from assessment.region.scope import scope
    from tests.cast import SYSTEM, TOWN_A

    with scope(SYSTEM, towns=[TOWN_A]):
        rows = Building.objects.filter(property_id__in=property_ids).values_list(
            "property_id", "id", "bedrooms"
        )
        houses = list(rows)
    mutations = tablet.record_many(
        {
            "kind": "card.patch",
            "entity_id": str(property_id),
            "changes": {f"building/{building_id}/bedrooms": {"base": rooms, "new": (rooms or 0) + 1}},
        }
        for property_id, building_id, rooms in houses
    )
    bodies = []
    for first in range(0, len(mutations), items):
        body = {
            "batch_id": str(new_id()),
            "device_id": tablet.device_id,
            "schema_version": mutations[0]["schema_version"],
            "mutations": mutations[first : first + items],
        }
        bodies.append(gzip.compress(json.dumps(body).encode(), 1))
    return bodies


def _send(
    tablet: Any,
    bodies: list[bytes],
    start: threading.Barrier,
    durations: list[list[float]],
    statuses: Counter[str],
) -> None:
    from fieldsync.client import ProblemAnswer

    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    start.wait()
    for wave, body in enumerate(bodies):
        began = time.monotonic()
        while True:
            try:
                answer = tablet.transport.send("POST", "push", headers=headers, content=body).json()
            except ProblemAnswer as problem:
                statuses[f"{problem.code}, sent again"] += 1
                time.sleep(min(float(problem.headers.get("Retry-After", "1")), 1.0))
                continue
            break
        durations[wave].append(time.monotonic() - began)
        statuses.update(result["status"] for result in answer["results"])


if __name__ == "__main__":
    stated = [int(argument) for argument in sys.argv[1:]]
    main(*(stated + [40, 5, 20][len(stated) :]))
