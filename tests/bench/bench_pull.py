"""Pull over real HTTP: full cards, three fields of each, nothing new, and the first byte of a part.

    python -m tests.bench.bench_pull [CARDS ...]

Budgets (design 7): 10,000 changed records in 2 s, at most 2.5 MiB gzipped as full cards and 350 KiB when three
fields of each changed; nothing new in 30 ms; the first byte of a part in 20 ms. Two sizes show that the cost
per card does not grow. Cards have an owner, a building with two sections, a land line and an outbuilding.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.serving import cpu_seconds, fresh_product, server

PAGE = 1000


def main(sizes: list[int]) -> None:
    """Measure each size and print a line for each figure."""
    with fresh_product() as folder:
        from tests.bench.field import make_full_town

        property_ids = make_full_town(max(sizes))
        for size in sizes:
            measure(folder, property_ids[:size])


def measure(folder: Path, property_ids: list[Any]) -> None:
    """Build and take a package, change every card of it, and pull the changes in both forms."""
    from tests.bench.field import change_three_fields, give_package, make_tablet

    count = len(property_ids)
    load = os.getloadavg()[0]
    with server() as (address, master):
        tablet = make_tablet(folder / f"tablet-{count}", address)
        began = time.monotonic()
        package_id = give_package(tablet, property_ids)
        print(f"{count} cards (load {load:.1f}): package built in {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        manifest = tablet.download(package_id)
        print(f"{count} cards: package taken in {time.monotonic() - began:.1f} s")
        cursor = manifest["cursor"]
        change_three_fields(property_ids)
        tablet.me()
        for name, more in (
            ("three fields of each, first reader", {"patches": "true"}),
            ("three fields of each", {"patches": "true"}),
            ("full cards", {}),
        ):
            cpu, began = cpu_seconds(master), time.monotonic()
            size = read_all(tablet, package_id, cursor, more)
            print(
                f"{count} cards, {name}: {time.monotonic() - began:.2f} s, {size / 1024:,.0f} KiB gzip, "
                f"{cpu_seconds(master) - cpu:.2f} s of processor"
            )
        began = time.monotonic()
        print(
            f"{count} cards: {tablet.pull(package_id)} pulled and applied by the reference client "
            f"in {time.monotonic() - began:.2f} s"
        )
        cursor = tablet.store.packages()[package_id]
        nothing = [timed(lambda: read_all(tablet, package_id, cursor, {})) for _ in range(50)]
        print(f"{count} cards, nothing new: {spread(nothing)}")
        first = [timed(lambda: first_byte(tablet, manifest["parts"][0]["sha256"])) for _ in range(50)]
        print(f"{count} cards, first byte of the part of records: {spread(first)}")
        tablet.close()


def read_all(tablet: Any, package_id: str, cursor: str, more: dict[str, str]) -> int:
    """Read all pages behind a cursor, and return how many bytes came over the wire."""
    size = 0
    while True:
        params = {"cursor": cursor, "limit": PAGE, **more}
        answer = tablet.transport.send("GET", f"packages/{package_id}/changes", params=params)
        size += answer.num_bytes_downloaded
        page = answer.json()
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return size


def first_byte(tablet: Any, sha256: str) -> None:
    """Ask for a part and wait for its first bytes."""
    transport = tablet.transport
    address = f"/api/field/v1/blobs/{sha256}"
    with transport.http.stream(
        "GET", address, headers={"Authorization": f"Bearer {transport._token}"}
    ) as answer:
        next(answer.iter_raw(1024))


def timed(work: Any) -> float:
    """Return how long a call takes, in seconds."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def spread(seconds: list[float]) -> str:
    """Return median and worst in words."""
    return f"median {1000 * statistics.median(seconds):.0f} ms, worst {1000 * max(seconds):.0f} ms"


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [2000, 10000])
