"""Importing sales into one town, at two sizes: cost must grow no faster than properties and sales.

``python -m tests.bench.bench_sales`` prints a line for each size: first import, the same file again.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SIZES = (20_000, 80_000)
TOWN = 62
KINDS = ("ST", "AVE", "RD", "DR", "LA", "CT", "TER", "CIR")
SPELT = ("STREET", "AVENUE", "ROAD", "DRIVE", "LANE", "COURT", "TERRACE", "CIRCLE")
HEADER = (
    "Serial Number", "List Year", "Date Recorded", "Town", "Address", "Assessed Value", "Sale Amount",
    "Property Type", "Residential Type", "Non Use Code", "Location",
)  # fmt: skip


def street_names(number: int) -> list[str]:
    """Return distinct names of two syllables or more, as unlike as street names are."""
    firsts = ("OAK", "MAPLE", "WHITNEY", "DIXWELL", "RIVER", "MILL", "PINE", "GRAND", "CHURCH", "LAUREL")
    seconds = ("", " HILL", "WOOD", " BROOK", "FIELD", " RIDGE", " VIEW", "DALE", " POND", "LAWN")
    thirds = ("", "NORTH ", "SOUTH ", "EAST ", "WEST ", "UPPER ", "LOWER ", "OLD ", "NEW ", "GREAT ")
    names = [f"{third}{first}{second}" for third in thirds for second in seconds for first in firsts]
    return names[:number]


def addresses(properties: int) -> list[tuple[str, str]]:
    """Return (as on the card, as in the state's file) for each property: 50 houses to a street."""
    names = street_names(min(1_000, properties // 50))
    rows = []
    for place in range(properties):
        name, kind = names[place % len(names)], place % len(KINDS)
        number = place // len(names) + 1
        rows.append((f"{number} {name} {KINDS[kind]}", f"{number} {name} {SPELT[kind]}"))
    return rows


def write_sales(path: Path, rows: list[tuple[str, str]]) -> int:
    """Write a sale of every fourth property; every twentieth of them misspelt or unknown."""
    count = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for place, (_, spelt) in enumerate(rows[::4]):
            address = spelt.replace("ST", "TS", 1) if place % 20 == 0 else spelt
            writer.writerow(
                (
                    place + 1,
                    2022,
                    "01/15/2023",
                    "Hamden",
                    address,
                    100_000,
                    250_000,
                    "Residential",
                    "",
                    "",
                    "",
                )
            )
            count += 1
    return count


def measure(properties: int, folder: Path) -> dict[str, float]:
    """Import into a fresh town of ``properties`` properties; seconds, and matches for a check."""
    from assessment.property.bulk import in_batches, insert_rows
    from assessment.property.models import Property
    from assessment.region.actors import Actor
    from assessment.region.ids import new_id
    from assessment.region.scope import scope
    from assessment.sales.services import import_sales

    actor = Actor.system("bench")
    rows = addresses(properties)
    with scope(actor, towns=[TOWN], reason="bench"):
        for batch in in_batches(enumerate(rows), 5_000):
            insert_rows(
                Property,
                [
                    {"id": new_id(), "town_id": TOWN, "account_number": str(place), "address": address}
                    for place, (address, _) in batch
                ],
            )
    path = folder / f"sales_{properties}.csv"
    sales = write_sales(path, rows)
    began = time.perf_counter()
    first = import_sales(path, actor=actor, now=NOW)
    imported = time.perf_counter()
    again = import_sales(path, actor=actor, now=NOW)
    ended = time.perf_counter()
    assert again.total("unchanged") == sales
    return {
        "properties": properties,
        "sales": sales,
        "matched": first.total("matched"),
        "first_s": imported - began,
        "again_s": ended - imported,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(sizes: list[int]) -> None:
    """Print one line for each size, in a database of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
    import django

    django.setup()
    from django.db import connections

    from tests.databases import clone, ensure_template, point_django_at, start_cluster

    cluster = start_cluster()
    template = ensure_template(cluster)
    for size in sizes:
        database = clone(cluster, template, f"bench_sales_{size}")
        point_django_at(database)
        try:
            with tempfile.TemporaryDirectory() as folder:
                result = measure(size, Path(folder))
        finally:
            connections.close_all()
            cluster.drop_database(database.name)
        sys.stdout.write("  ".join(f"{name} {value:,.1f}" for name, value in result.items()) + "\n")
    cluster.stop()


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
