"""Two long tests of the field: is anything ever lost, and does anything grow?

    python -m tests.bench.soak                              10,000 device-days with faults
    python -m tests.bench.soak --days 200                   fewer; --seed 17 shows one seed again
    python -m tests.bench.soak --memory [MINUTES [TABLETS]] 60 minutes, 4 tablets

Device-days are those of `tests.faults.run`. For memory, tablets go on and on against one real server.

Each tablet patches its houses round after round and pulls what came of it. Each minute's line tells the pace, the
memory and open files of the server's processes, and the size of the database; the last line compares the
first quarter with the last, and the status is 1 when memory or files grew by more than a fifth.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.bench.serving import family, fresh_product, server

HOUSES = 200


def main(minutes: float, tablets: int) -> int:
    """Soak, print, and return 1 when something grew."""
    with fresh_product() as folder, server() as (address, master):
        from tests.bench.field import give_package, make_tablet, make_town

        ids = make_town(HOUSES * tablets)
        made = []
        for number in range(tablets):
            tablet = make_tablet(folder / f"tablet-{number}", address)
            package = give_package(tablet, ids[number * HOUSES : (number + 1) * HOUSES])
            tablet.download(package)
            made.append((tablet, package, _houses(ids[number * HOUSES : (number + 1) * HOUSES])))
        stop, counts = threading.Event(), [0] * tablets
        troubles: list[str] = []
        threads = [
            threading.Thread(target=_work, args=(*one, number, counts, stop, troubles))
            for number, one in enumerate(made)
        ]
        for thread in threads:
            thread.start()
        lines = _watch(minutes, master, counts, stop, troubles)
        stop.set()
        for thread in threads:
            thread.join()
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    return 1 if troubles else _judge(lines)


def _houses(property_ids: list[Any]) -> list[tuple[Any, Any, int]]:
    from assessment.property.models import Building
    from assessment.region.scope import scope
    from tests.cast import SYSTEM, TOWN_A

    with scope(SYSTEM, towns=[TOWN_A]):
        rows = Building.objects.filter(property_id__in=property_ids)
        return list(rows.values_list("property_id", "id", "living_area_sqft"))


def _work(
    tablet: Any,
    package: str,
    houses: list[tuple[Any, Any, int]],
    number: int,
    counts: list[int],
    stop: threading.Event,
    troubles: list[str],
) -> None:
    turn = 0
    try:
        while not stop.is_set():
            tablet.record_many(
                {
                    "kind": "card.patch",
                    "entity_id": str(property_id),
                    "changes": {
                        f"building/{building_id}/living_area_sqft": {
                            "base": area + turn,
                            "new": area + turn + 1,
                        }
                    },
                }
                for property_id, building_id, area in houses
            )
            tablet.push()
            tablet.pull(package)
            counts[number] += len(houses)
            turn += 1
    except Exception as trouble:  # noqa: BLE001  whatever ends a tablet ends the soak, and is printed
        troubles.append(f"tablet {number}, turn {turn}: {type(trouble).__name__}: {trouble}")
        stop.set()


def _watch(
    minutes: float, master: int, counts: list[int], stop: threading.Event, troubles: list[str]
) -> list[tuple[float, int]]:
    lines: list[tuple[float, int]] = []
    ends = time.monotonic() + 60 * minutes
    pause = min(60.0, 60 * minutes / 8)
    before = 0
    while time.monotonic() < ends and not troubles:
        stop.wait(pause)
        memory, files = _memory_mb(master), _open_files(master)
        lines.append((memory, files))
        print(
            f"{(sum(counts) - before) / pause:7.0f} patches/s  {memory:6.0f} MB  {files} files  {sum(counts)} so far",
            flush=True,
        )
        before = sum(counts)
    return lines


def _judge(lines: list[tuple[float, int]]) -> int:
    quarter = max(1, len(lines) // 4)
    # The first lines show the server warming up; what matters is whether it goes on growing.
    early, late = lines[quarter : 2 * quarter] or lines[:1], lines[-quarter:]
    grown = 0
    for index, name in enumerate(("memory", "open files")):
        first = statistics.median(line[index] for line in early)
        last = statistics.median(line[index] for line in late)
        print(f"{name}: {first:.0f} early, {last:.0f} late")
        grown += last > first * 1.2
    return 1 if grown else 0


def _memory_mb(master: int) -> float:
    total = 0.0
    for pid in family(master):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
    return total


def _open_files(master: int) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in family(master))  # noqa: PTH208


if __name__ == "__main__":
    stated = sys.argv[1:]
    if not stated or stated.pop(0) != "--memory":
        from tests.faults.run import main as live_days

        sys.exit(live_days(sys.argv[1:]))
    sys.exit(main(float(stated[0]) if stated else 60, int(stated[1]) if len(stated) > 1 else 4))
