"""Search as one types in a whole region, at two sizes. Budget: under 50 ms at 380,000 properties.

``python -m tests.bench.bench_search`` prints, for each size, the median and the 95th and slowest of the searches
that somebody makes who types whole words, for one town and for all towns of the region.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

SIZES = tuple(int(size) for size in sys.argv[1:]) or (95_000, 380_000)
TOWNS = tuple(range(1, 21))
BUDGET_MS = 50.0
STREETS = (
    "ELM",
    "MAIN",
    "WHITNEY",
    "CHURCH",
    "OAK HILL",
    "RIVER",
    "NORTH MAIN",
    "MAPLE",
    "COUNTY LINE",
    "LAKE",
)
KINDS = ("ST", "AVE", "RD", "LN", "DR")
NAMES = ("SMITH", "JOHNSON", "KOWALSKI", "GARCIA", "O'BRIEN", "NGUYEN", "ROSSI", "COHEN", "MILLER", "BAKER")
FIRSTS = ("JOHN", "MARY", "ANNA", "JOSE", "PETER", "LINH", "EVE", "OMAR")
TYPED = (
    "147 county line",
    "kowalski anna",
    "000123",
    "river",
    "1-77",
    "hill 30",
    "zzyzx",
    "o'brien",
    "main street",
)


def property_rows(
    count: int,
) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Make accounts with identifier, owner and ownership, spread over the towns."""
    from assessment.region.ids import new_id

    for n in range(count):
        town = TOWNS[n % len(TOWNS)]
        in_town = n // len(TOWNS)
        property_id, owner_id = new_id(), new_id()
        street = f"{STREETS[in_town % 10]} {'ABCDEFGHIJKLMNOPQRST'[in_town // 10 % 20]} {KINDS[in_town % 5]}"
        number = str(in_town // 200 + 1)
        name = f"{NAMES[n % 10]} {FIRSTS[n // 10 % 8]} {n // 80}"
        yield (
            {"id": property_id, "town_id": town, "account_number": f"{in_town:06d}", "street_name": street,
             "address_number": number, "address": f"{number} {street}"},
            {"id": new_id(), "town_id": town, "property_id": property_id, "id_type": "pid",
             "value": f"{town}-{in_town}", "valid_from": dt.date(2020, 10, 1)},
            {"id": owner_id, "town_id": town, "name": name},
            {"id": new_id(), "town_id": town, "property_id": property_id, "owner_id": owner_id,
             "valid_from": dt.date(2020, 10, 1)},
        )  # fmt: skip


def fill(count: int) -> None:
    """Put a region into the database, with statistics as autovacuum would make them."""
    from django.db import connection

    from assessment.property.bulk import in_batches, insert_rows
    from assessment.property.models import Owner, Ownership, Property, PropertyAlias
    from assessment.region.actors import Actor
    from assessment.region.owner import connect_as_owner
    from assessment.region.scope import scope

    with scope(Actor.system("bench"), towns=TOWNS, reason="bench"):
        for batch in in_batches(property_rows(count), 5_000):
            for model, rows in zip(
                (Property, PropertyAlias, Owner, Ownership), zip(*batch, strict=True), strict=True
            ):
                insert_rows(model, rows)
    with connect_as_owner(connection), connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE assessment_property, assessment_propertyalias, assessment_owner, assessment_ownership"
        )


def keystrokes() -> list[str]:
    """Every beginning of every text, as the page asks while somebody types."""
    return [text[:end] for text in TYPED for end in range(1, len(text) + 1)]


def measure(count: int) -> list[str]:
    """Time each keystroke three times, for one town and for all."""
    from assessment.property.search import search_properties
    from assessment.region.actors import Actor
    from assessment.region.scope import scope

    actor = Actor.system("bench")
    lines = []
    for towns in (TOWNS[:1], TOWNS):
        times: list[tuple[float, str]] = []
        with scope(actor, towns=towns):
            search_properties("warm", actor=actor, towns=towns)
            for text in keystrokes() * 3:
                began = time.perf_counter()
                search_properties(text, actor=actor, towns=towns)
                times.append(((time.perf_counter() - began) * 1000, text))
        times.sort()
        p95, slowest = times[int(len(times) * 0.95)], times[-1]
        lines.append(
            f"properties {count:,}  towns {len(towns)}  searches {len(times)}  "
            f"median {statistics.median(ms for ms, _ in times):.1f} ms  p95 {p95[0]:.1f} ms  "
            f"slowest {slowest[0]:.1f} ms ({slowest[1]!r})"
        )
    return lines


def main() -> None:
    """Print the figures of each size, in a database of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
    import django

    django.setup()
    from django.db import connections

    from tests.databases import clone, ensure_template, point_django_at, start_cluster

    cluster = start_cluster()
    template = ensure_template(cluster)
    for size in SIZES:
        database = clone(cluster, template, f"bench_search_{size}")
        point_django_at(database)
        try:
            fill(size)
            sys.stdout.write("\n".join(measure(size)) + "\n")
            sys.stdout.flush()
        finally:
            connections.close_all()
            cluster.drop_database(database.name)
    cluster.stop()
    sys.stdout.write(f"budget: {SIZES[-1]:,} properties under {BUDGET_MS:.0f} ms\n")


if __name__ == "__main__":
    main()
