"""Importing record cards of the state's combined table, at two sizes. Budget: 100,000 cards in under 60 s.

``python -m tests.bench.bench_cards`` prints a line for each size: reading alone, first import, same file again.
"""

from __future__ import annotations

import csv
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

SIZES = tuple(int(size) for size in sys.argv[1:]) or (25_000, 100_000)
TOWN = 62
BUDGET_S = 60.0
HEADER = (
    "Town Name", "Link", "Link_From_CAMA", "Parcel_ID", "Location_CAMA", "Property_City", "Property_Zip", "Owner",
    "Co_Owner", "Mailing_Address", "Mailing_City", "Mailing_State", "Mailing_Zip", "Assessed_Total",
    "Assessed_Land", "Assessed_Building", "Pre_Yr_Assessed_Total", "Appraised_Land", "Appraised_Building",
    "Appraised_Outbuilding", "Valuation_Year", "Land_Acres", "Zone", "State_Use", "State_Use_Description", "EYB",
    "AYB", "Model", "Condition", "Living_Area", "Effective_Area", "Total_Rooms", "Number_of_Bedroom",
    "Number_of_Baths", "Number_of_Half_Baths", "Sale_Price", "Sale_Date", "Prior_Sale_Date", "Prior_Book_Page",
    "Prior_Sale_Price", "Occupancy",
)  # fmt: skip


def write_cards(path: Path, count: int) -> None:
    """Write ``count`` cards as the state publishes them; one in fifty cannot be used."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(count):
            link = f"62-{n}"
            land = "wide" if n % 50 == 0 else f"{(n % 90) / 100 + 0.1:.2f}"
            writer.writerow(
                (
                    "Hamden",
                    link,
                    link,
                    f"P{n}",
                    f"{n % 400 + 1} STREET {n // 400} RD",
                    "HAMDEN",
                    "06514",
                    f"OWNER {n}",
                    "" if n % 3 else f"CO OWNER {n}",
                    f"{n % 400 + 1} STREET {n // 400} RD",
                    "HAMDEN",
                    "CT",
                    "06514",
                    f"{150_000 + n}.0",
                    f"{50_000 + n % 999}.0",
                    f"{100_000 + n % 999}.0",
                    f"{140_000 + n}.0",
                    "71428",
                    "142857",
                    "1500",
                    "2024",
                    land,
                    "R4",
                    "1010",
                    "Single Family",
                    1960 + n % 60,
                    1900 + n % 120,
                    "01",
                    "AV",
                    f"{900 + n % 2500}.0",
                    f"{1000 + n % 2500}.0",
                    6,
                    3,
                    2,
                    1,
                    "350,000",
                    "5/31/2021",
                    "6/1/2004",
                    f"{n % 4000}/{n % 900}",
                    "210,000",
                    1,
                )
            )


def cpu_seconds() -> float:
    """Return the processor time of this process and of its database backend: what a busy machine hides."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    ticks = backend.read_text().rpartition(")")[2].split()[11:13] if backend.exists() else ("0", "0")
    return time.process_time() + sum(int(tick) for tick in ticks) / os.sysconf("SC_CLK_TCK")


def measure(count: int, folder: Path) -> dict[str, float]:
    """Import into a fresh town: seconds to read alone, to import, and to import again."""
    from assessment.property.imports.cards import CardImport, import_cards
    from assessment.property.tabular.cards import Card, CardReader
    from assessment.property.tabular.reading import open_table
    from assessment.property.tabular.shipped import choose_mapping
    from assessment.region.actors import Actor
    from assessment.region.models import Town

    path = folder / f"cards_{count}.csv"
    write_cards(path, count)
    town, actor = Town.objects.get(code=TOWN), Actor.system("import_cama")
    began, cpu_began = time.perf_counter(), cpu_seconds()
    table = open_table(path)
    read = sum(isinstance(item, Card) for item in CardReader(choose_mapping(table.header), table))
    read_at, cpu_read = time.perf_counter(), cpu_seconds()
    first = import_cards(town, actor=actor, wanted=CardImport(path, 2024))
    imported_at, cpu_imported = time.perf_counter(), cpu_seconds()
    again = import_cards(town, actor=actor, wanted=CardImport(path, 2024))
    ended, cpu_ended = time.perf_counter(), cpu_seconds()
    assert first.counts["added"] == read == again.counts["unchanged"]
    assert again.changes == 0
    return {
        "cards": count,
        "refused": first.counts["rejected"],
        "rows_written": first.changes,
        "read_s": read_at - began,
        "read_cpu_s": cpu_read - cpu_began,
        "import_s": imported_at - read_at,
        "import_cpu_s": cpu_imported - cpu_read,
        "again_s": ended - imported_at,
        "again_cpu_s": cpu_ended - cpu_imported,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Print one line for each size, in a database of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assessment.project.settings")
    import django

    django.setup()
    from django.db import connections

    from tests.databases import clone, ensure_template, point_django_at, start_cluster

    cluster = start_cluster()
    template = ensure_template(cluster)
    for size in SIZES:
        database = clone(cluster, template, f"bench_cards_{size}")
        point_django_at(database)
        try:
            with tempfile.TemporaryDirectory() as folder:
                result = measure(size, Path(folder))
        finally:
            connections.close_all()
            cluster.drop_database(database.name)
        sys.stdout.write("  ".join(f"{name} {value:,.1f}" for name, value in result.items()) + "\n")
        sys.stdout.flush()
    cluster.stop()
    sys.stdout.write(f"budget: {SIZES[-1]:,} cards in {BUDGET_S:.0f} s\n")


if __name__ == "__main__":
    main()
