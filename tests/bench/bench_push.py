"""Push and pull over real HTTP: card patches by one device, in batches of 200, and their way back.

    python -m tests.bench.bench_push [PATCHES ...]

Budgets (design 7): 1,000 patches/s with merge, ledger and journal; 10,000 changed records pulled in 2 s;
nothing new in 30 ms. Run at two sizes, to see that the cost per patch does not grow.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from tests.bench.serving import cpu_seconds, fresh_product, server


def main(sizes: list[int]) -> None:
    """Measure each size and print a line for it."""
    with fresh_product() as folder:
        for size in sizes:
            measure(folder, size)


def measure(folder: Path, count: int) -> None:
    """Push one patch of three fields for each of ``count`` houses, then everything again, then pull it."""
    from assessment.property.models import Building, Property
    from assessment.region.scope import scope
    from tests.bench.field import give_package, make_tablet, make_town
    from tests.cast import SYSTEM, TOWN_A

    if not (folder / "town").exists():
        make_town(max(int(a) for a in sys.argv[1:] or ["10000"]))
        (folder / "town").touch()
    with scope(SYSTEM, towns=[TOWN_A]):
        property_ids = list(Property.objects.order_by("id").values_list("id", flat=True)[:count])
        rows = Building.objects.filter(property_id__in=property_ids).values_list(
            "property_id", "id", "bedrooms", "living_area_sqft", "grade"
        )
        houses = list(rows)
    with server() as (address, master):
        tablet = make_tablet(folder / f"tablet-{count}", address)
        began = time.monotonic()
        package_id = give_package(tablet, property_ids)
        print(f"{count} properties: package built in {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        tablet.download(package_id)
        print(f"{count} properties: package taken in {time.monotonic() - began:.1f} s")
        tablet.record_many(
            {
                "kind": "card.patch",
                "entity_id": str(property_id),
                "changes": {
                    f"building/{building_id}/bedrooms": {"base": bedrooms, "new": (bedrooms or 0) + 1},
                    f"building/{building_id}/living_area_sqft": {"base": area, "new": (area or 0) + 20},
                    f"building/{building_id}/grade": {"base": grade, "new": f"{grade}+"[:10]},
                },
            }
            for property_id, building_id, bedrooms, area, grade in houses
        )
        for name in ("push", "replay"):
            push(tablet, count, name, master)
        began = time.monotonic()
        changes = tablet.pull(package_id)
        print(
            f"{count} changed: pulled {changes} in {time.monotonic() - began:.2f} s by the reference client"
        )
        pull_only(tablet, package_id, count)
        nothing = [timed(lambda: tablet.pull(package_id)) for _ in range(20)]
        print(
            f"{count} properties: nothing new in {1000 * statistics.median(nothing):.0f} ms (client and all)"
        )
        tablet.close()


def push(tablet: object, count: int, name: str, master: int) -> None:
    """Push the whole outbox without taking the results, so that it can be pushed again."""
    batches = []
    last = 0
    while batch := tablet.store.unfinished(200, after=last):  # type: ignore[attr-defined]
        batches.append(batch)
        last = batch[-1]["device_seq"]
    tablet.me()  # type: ignore[attr-defined]
    durations, statuses = [], {}
    cpu = cpu_seconds(master)
    began = time.monotonic()
    for batch in batches:
        start = time.monotonic()
        answer = tablet.push_batch(batch)  # type: ignore[attr-defined]
        durations.append(time.monotonic() - start)
        for result in answer["results"]:
            key = result["status"] + (" again" if result.get("duplicate") else "")
            statuses[key] = statuses.get(key, 0) + 1
    spent = time.monotonic() - began
    print(
        f"{count} patches, {name}: {count / spent:,.0f}/s; batch median {1000 * statistics.median(durations):.0f}"
        f" ms, worst {1000 * max(durations):.0f} ms; server and database used"
        f" {1000 * (cpu_seconds(master) - cpu) / count:.2f} ms of processor for each; {statuses}"
    )


def pull_only(tablet: object, package_id: str, count: int) -> None:
    """Pull everything that was changed once more, as bytes, to time the server alone."""
    store, transport = tablet.store, tablet.transport  # type: ignore[attr-defined]
    cursor = store.manifest(package_id)["cursor"]
    size, began = 0, time.monotonic()
    while True:
        path = f"packages/{package_id}/changes"
        answer = transport.send("GET", path, params={"cursor": cursor, "limit": 1000})
        size += answer.num_bytes_downloaded
        page = answer.json()
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    print(f"{count} changed: server answers in {time.monotonic() - began:.2f} s, {size / 1024:,.0f} KiB gzip")


def timed(work: object) -> float:
    """Return how long a call takes."""
    began = time.monotonic()
    work()  # type: ignore[operator]
    return time.monotonic() - began


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [2000, 10000])
