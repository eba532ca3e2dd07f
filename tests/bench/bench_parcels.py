"""A town's fabric from file to map, at two sizes: cost must grow no faster than parcels.

    python -m tests.bench.bench_parcels [PARCELS ...]

West Hartford's real layer with its faults; above its 19,920 parcels, copies of it are set beside each
other. Budgets (design 7), at 20,000 parcels: import with topology report under 20 s, tiles under 10 s.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZES = (19_920, 39_840)
BUDGETS_S = {"import with report": 20.0, "tiles": 10.0}
WIDTH_FT = 60_000

taken: dict[tuple[str, int], float] = {}


def database_work_s() -> float:
    """Processor time so far of the database's process behind this connection."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def timed(label: str, size: int, *, times: int = 1) -> Iterator[None]:
    """Print how long the block took, how much this process and the database worked for it, and its budget.

    On a machine that does other things as well, the work is what can be compared.
    """
    stored, began, worked = database_work_s(), time.perf_counter(), time.process_time()
    yield
    took, own = (time.perf_counter() - began) / times, (time.process_time() - worked) / times
    stored = (database_work_s() - stored) / times
    taken[label, size] = own + stored
    budget = f"  budget {BUDGETS_S[label]:.0f} s" if label in BUDGETS_S else ""
    print(
        f"{size:>7,} parcels  {label:<20} {took:9.4f} s  (work {own:8.4f} s, database {stored:8.4f} s){budget}",
        flush=True,
    )


def make_file(size: int, folder: Path) -> Path:
    """Write a GeoPackage of `size` parcels: West Hartford from west to east, repeated as often as needed."""
    import numpy as np
    import shapely

    from tests.gis.conftest import real_town
    from tests.gis.files import write_layer

    real = real_town("West Hartford")
    order = np.argsort(shapely.bounds(real.shapes)[:, 0])
    shapes, cells = [], {"ParcelID": [], "ParcelType": [], "siteaddres": []}
    for place in range(size):
        copy, row = divmod(place, len(order))
        position = order[row]
        shape = real.shapes[position]
        shapes.append(shapely.affinity.translate(shape, copy * WIDTH_FT) if copy else shape)
        for name, values in cells.items():
            text = real.raw.cells[name][position]
            values.append(f"{text} {copy}" if copy and name == "ParcelID" else text)
    folder.mkdir(parents=True, exist_ok=True)
    return write_layer(folder / "parcels.gpkg", shapes, cells)


def measure(size: int, folder: Path) -> None:
    """Import, import again, make tiles, search, draw."""
    from assessment.region.scope import scope
    from assessment.region.services import create_test_town
    from gis.boxes import Box
    from gis.fabric.services import import_fabric
    from gis.models import FabricVersion, Parcel, ParcelProperty
    from gis.ogc.rules import parse_query
    from gis.ogc.selectors import get_collection, list_features
    from gis.selectors import get_site_map, parcel_ids_in_box
    from gis.tiles.services import make_tiles
    from tests.cast import SYSTEM

    town = create_test_town(901, actor=SYSTEM, name="Bench")
    path = make_file(size, folder)
    with timed("import with report", size):
        report = import_fabric(path, actor=SYSTEM, town=town)
    assert report.parcels == size
    print(" " * 16, {step: round(spent, 2) for step, spent in report.seconds.items()}, flush=True)
    with timed("import it again", size):
        assert import_fabric(path, actor=SYSTEM, town=town).total_changes == 0
    with scope(SYSTEM, towns=[town.code]):
        fabric = FabricVersion.objects.get()
    with timed("tiles", size):
        make_tiles(fabric.id, actor=SYSTEM, town_code=town.code)
    with scope(SYSTEM, towns=[town.code]):
        some = list(Parcel.objects.order_by("parcel_key")[:200])
        with timed("parcels in a box", size, times=len(some)):
            for parcel in some:
                parcel_ids_in_box(fabric.id, Box(*parcel.bbox).grown(300))
        owned = list(
            ParcelProperty.objects.filter(parcel__in=some).values_list("property_id", flat=True)[:50]
        )
        with timed("map of a property", size, times=len(owned)):
            for property_id in owned:
                get_site_map(property_id)
        collection = get_collection([town.code], "bench-parcels")
        with timed("1,000 as GeoJSON", size):
            list_features(collection, parse_query({"limit": "1000", "offset": str(size // 2)}))


def main(sizes: list[int]) -> None:
    """Measure each size in a database of its own, and print how cost grew."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "assessment.project.settings"
    with tempfile.TemporaryDirectory() as var:
        os.environ["GRANDLIST_VAR_DIR"] = var
        import django

        django.setup()
        from django.db import connections

        from tests.databases import clone, ensure_template, point_django_at, start_cluster

        cluster = start_cluster()
        template = ensure_template(cluster)
        for size in sizes:
            database = clone(cluster, template, f"bench_{size}")
            point_django_at(database)
            try:
                measure(size, Path(var) / str(size))
            finally:
                connections.close_all()
                cluster.drop_database(database.name)
    first, last = sizes[0], sizes[-1]
    for label in dict.fromkeys(label for label, _ in taken):
        if last != first:
            ratio = taken[label, last] / taken[label, first]
            print(f"{label:<20} {ratio:.2f} times the work for {last / first:.2f} times the parcels")
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
