"""The office's pages in a whole region, at two sizes.

    python -m tests.bench.bench_pages [PROPERTIES ...]

Budgets (design 7), at 380,000 properties in ten towns: a page under 150 ms of server time for 95 of 100
requests, a search as one types under 50 ms.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = (38_000, 380_000)
TOWNS = 10
REQUESTS = 60
PAGE_MS, SEARCH_MS = 150, 50

# Rows go in by the superuser with triggers off: the journal of what nobody did is not measured here.
FILL_SQL = """
SET session_replication_role = replica;
CREATE TEMP TABLE made AS
SELECT gen_random_uuid() AS id, gen_random_uuid() AS owner_id, gen_random_uuid() AS building_id,
       gen_random_uuid() AS assessment_id, %(town)s::smallint AS town_id, n,
       (n %% 180 + 1)::text AS house, (ARRAY['ELM','OAK','MAPLE','WHITNEY','DIXWELL','SHEPARD','RIDGE','MILL'])
         [n / 180 %% 8 + 1] || ' ' || (n / 1440)::text || ' ST' AS street
FROM generate_series(1, %(count)s) n;
INSERT INTO assessment_property (id, town_id, kind, account_number, address, address_number, street_name, unit,
  property_city, property_zip, use_code, use_description, state_class, exempt_code, neighbourhood, zoning,
  census_tract, total_acres, utilities, topography, comment, user_fields, is_synthetic, is_retired, version, updated_at)
SELECT id, town_id, 'real', lpad(n::text, 6, '0'), house || ' ' || street, house, street, '', '', '', '1010',
  'Single family', '100', '', '0040', 'R-2', '', 0.25, '', '', '', '{}', true, false, 1, now() FROM made;
INSERT INTO assessment_propertyalias (id, town_id, property_id, id_type, value, valid_from, source)
SELECT gen_random_uuid(), town_id, id, 'mbl', (n / 400)::text || '-' || (n %% 400)::text, '2010-01-01', '' FROM made;
INSERT INTO assessment_owner (id, town_id, name, co_name, mailing_address, mailing_city, mailing_state, mailing_zip,
  is_synthetic)
SELECT owner_id, town_id, (ARRAY['SMITH','NUNEZ','OHARA','PATEL','CHEN','ROSSI','KOWALSKI'])[n %% 7 + 1] || ' ' || n, '',
  house || ' ' || street, 'TOWN', 'CT', '06514', true FROM made;
INSERT INTO assessment_ownership (id, town_id, property_id, owner_id, share_percent, valid_from, book_page,
  is_confidential)
SELECT gen_random_uuid(), town_id, id, owner_id, 100, '2015-01-01', '', n %% 100 = 0 FROM made;
INSERT INTO assessment_grandlist (id, town_id, year, kind, state, basis, base_revaluation_on, rounding_unit,
  rounding_mode, rounding_level, adopted_schedules, is_signing_extended, opened_at, changed_at)
VALUES (%(list)s, %(town)s, 2025, 'real', 'valued', 'revaluation', '2025-10-01', 10, 'half_up', 'line', '{}', false,
  now(), now());
INSERT INTO assessment_assessment (id, town_id, grand_list_id, property_id, list_number, account, owner, co_owner,
  mailing_address, location, is_confidential, exempt_code)
SELECT assessment_id, town_id, %(list)s, id, '', lpad(n::text, 6, '0'), '', '', '', '', false, '' FROM made;
INSERT INTO assessment_assessmentline (id, town_id, assessment_id, line_number, detail_code, unit, appraised, assessed)
SELECT gen_random_uuid(), town_id, assessment_id, place, CASE place WHEN 1 THEN '11' ELSE '13' END, '', 100000, 70000
FROM made, generate_series(1, 2) place;
INSERT INTO assessment_observation (id, town_id, property_id, target_kind, target_id, field, value, unit, source,
  is_estimated, observed_on, list_year, state, decided_rule, decision_reason, created_at)
SELECT gen_random_uuid(), town_id, id, 'property', id, 'zoning', '"R-3"', '', '', false, '2026-03-01', 2026,
  CASE n %% 40 WHEN 0 THEN 'pending' ELSE 'accepted' END, '', '', now() FROM made WHERE n %% 2 = 0;
INSERT INTO assessment_transfer (id, town_id, source, list_year, serial_number, recorded_on, address, price,
  property_type, residential_type, nonuse_code, nonuse_raw, assessor_remarks, state_remarks, property_id, match_method,
  match_reason, match_note, suggested_validity, suggested_reason, decided_validity, decided_reason)
SELECT gen_random_uuid(), town_id, 'state', 2024, n::text, '2024-01-01'::date + n %% 300, house || ' ' || street, 300000,
  'Residential', '', '', '', '', '', id, 'exact', '', '', 'usable', 'no-code', '', '' FROM made WHERE n %% 12 = 0;
DROP TABLE made;
"""


def fill(database: Any, codes: list[int], count: int) -> dict[int, str]:
    """Fill each town; return the list's id by town."""
    import uuid

    lists = {code: str(uuid.uuid4()) for code in codes}
    with database.connect("postgres") as connection:
        for code in codes:
            for statement in FILL_SQL.split(";\n"):
                if statement.strip():
                    connection.execute(statement, {"town": code, "count": count, "list": lists[code]})
        connection.execute("ANALYZE")
    return lists


def measure(database: Any, size: int) -> None:
    """Fill a region and time its pages, warm."""
    from django.test import Client

    from assessment.property.models import Property
    from assessment.region.models import Town
    from assessment.region.rules import Role
    from assessment.region.scope import scope
    from assessment.region.services import assign_role
    from tests.cast import SINCE, SYSTEM, make_cast
    from tests.office.conftest import make_house

    cast = make_cast()
    towns = list(Town.objects.defer("boundary").filter(code__lte=169).order_by("code")[:TOWNS])
    for town in towns:
        with scope(SYSTEM, towns=[town.code]):
            assign_role(cast.assessor_a, actor=SYSTEM, town=town, role=Role.ASSESSOR, valid_from=SINCE)
    began = time.perf_counter()
    lists = fill(database, [town.code for town in towns], size // TOWNS)
    print(f"{size:>7,} properties made in {time.perf_counter() - began:.0f} s", flush=True)
    town = towns[3]
    with scope(SYSTEM, towns=[town.code]):
        ids = list(Property.objects.values_list("id", flat=True))
    with scope(SYSTEM, towns=[town.code], reason="journaled"):
        journaled = [make_house(town, f"{place} JOURNAL ROAD").id for place in range(20)]
    client = Client()
    client.force_login(cast.assessor_a, backend="django.contrib.auth.backends.ModelBackend")
    draw = random.Random(1)
    base = f"/t/{town.slug}"
    words = [
        "12",
        "elm",
        "oak 1",
        "whitney",
        "smith 1",
        "12 elm",
        "0001",
        "patel",
        "3-1",
        "kowalski",
        "ridge 1 s",
    ]
    pages: dict[str, tuple[int, Callable[[], str]]] = {
        "home of the region": (PAGE_MS, lambda: "/"),
        "home of a town": (PAGE_MS, lambda: f"{base}/"),
        "list of properties": (
            PAGE_MS,
            lambda: f"{base}/properties/?after={draw.randrange(size // TOWNS):06}",
        ),
        "search page": (PAGE_MS, lambda: f"{base}/properties/?q={draw.choice(words)}"),
        "search as one types": (SEARCH_MS, lambda: f"{base}/properties/suggest?q={draw.choice(words)}"),
        "record card": (PAGE_MS, lambda: f"{base}/properties/{draw.choice(ids)}/"),
        "record card as of a day": (
            PAGE_MS,
            lambda: f"{base}/properties/{draw.choice(journaled)}/?as_of=2099-10-01",
        ),
        "inspections to accept": (PAGE_MS, lambda: f"{base}/inspections/?page={draw.randrange(1, 9)}"),
        "sales": (PAGE_MS, lambda: f"{base}/sales/?page={draw.randrange(1, 9)}"),
        "grand list": (PAGE_MS, lambda: f"{base}/grand-lists/{lists[town.code]}/"),
        "jobs": (PAGE_MS, lambda: f"{base}/jobs/"),
    }
    for label, (budget, address) in pages.items():
        time_page(client, size, label, budget, address)


def time_page(client: Any, size: int, label: str, budget: int, address: Callable[[], str]) -> None:
    """Print the median, the 95th of 100 and this process's own work for a page."""
    client.get(address())
    took, worked = [], time.process_time()
    for _ in range(REQUESTS):
        began = time.perf_counter()
        answer = client.get(address())
        took.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, (label, answer.status_code)
    own = 1000 * (time.process_time() - worked) / REQUESTS
    p95 = statistics.quantiles(took, n=20)[-1]
    met = "" if p95 < budget else "  OVER"
    print(
        f"{size:>7,} properties  {label:<24} median {statistics.median(took):6.1f} ms  p95 {p95:6.1f} ms"
        f"  (own work {own:5.1f} ms)  budget {budget} ms{met}",
        flush=True,
    )


def main(sizes: list[int]) -> None:
    """Measure each size in a database of its own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "assessment.project.settings"
    os.environ.setdefault("GRANDLIST_LOG_LEVEL", "ERROR")
    os.environ["GRANDLIST_ALLOWED_HOSTS"] = "testserver"
    with tempfile.TemporaryDirectory() as var:
        os.environ["GRANDLIST_VAR_DIR"] = var
        import django
        from django.conf import settings

        (Path(var) / "static").mkdir()
        django.setup()
        settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
        from django.db import connections

        from tests.databases import clone, ensure_template, point_django_at, start_cluster

        cluster = start_cluster()
        template = ensure_template(cluster)
        for size in sizes:
            database = clone(cluster, template, f"pages_{size}")
            point_django_at(database)
            connections["default"].settings_dict["CONN_MAX_AGE"] = None
            try:
                measure(database, size)
            finally:
                connections.close_all()
                cluster.drop_database(database.name)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
