"""Search by place as the application role: walled, and by index."""

from __future__ import annotations

import pytest
import shapely
from django.db import connection

from assessment.region.ids import new_id
from assessment.region.scope import scope
from gis.boxes import Box, parse_box
from gis.fabric.models import FabricVersion
from gis.fabric.search import FEATURES_FUNCTION, PARCELS_FUNCTION
from gis.fabric.selectors import parcel_ids_in_box
from gis.fabric.statistics import analyze
from gis.models import Parcel
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.databases import TestDatabase
from tests.gis.conftest import RealTown
from tests.gis.land import import_some, parcels_of

pytestmark = pytest.mark.django_db

EVERYWHERE = Box(0, 0, 2_000_000, 2_000_000)


def test_a_box_finds_the_parcels_whose_boxes_meet_it(hamden: RealTown, cast: Cast, tmp_path):
    fabric = import_some(hamden, cast.town_a, tmp_path)
    first, *_ = parcels_of(cast.town_a)
    with scope(SYSTEM, towns=[TOWN_A]):
        found = set(parcel_ids_in_box(fabric.id, first.bbox))
        expected = {
            parcel.id
            for parcel in Parcel.objects.all()
            if shapely.box(*parcel.bbox).intersects(shapely.box(*first.bbox))
        }
        assert first.id in found == expected
        assert 1 < len(found) < 40
        assert len(parcel_ids_in_box(fabric.id, EVERYWHERE)) == 40
        assert len(parcel_ids_in_box(fabric.id, EVERYWHERE, limit=3)) == 3
        assert parcel_ids_in_box(fabric.id, Box(0, 0, 1, 1)) == []


def test_another_towns_parcels_are_not_found_even_by_the_id_of_their_fabric(
    hamden: RealTown, cast: Cast, tmp_path
):
    fabric = import_some(hamden, cast.town_a, tmp_path)
    with scope(SYSTEM, towns=[TOWN_B]):
        assert parcel_ids_in_box(fabric.id, EVERYWHERE) == []
    assert parcel_ids_in_box(fabric.id, EVERYWHERE) == []
    with scope(SYSTEM, towns=[TOWN_B], read_only=[TOWN_A]):
        assert len(parcel_ids_in_box(fabric.id, EVERYWHERE)) == 40


def make_grid(side: int) -> FabricVersion:
    """A fabric of side x side square lots in town A."""
    fabric = FabricVersion.objects.create(
        town_id=TOWN_A,
        number=1,
        source_name="grid",
        source_sha256="0" * 64,
        source_crs="EPSG:2234",
        identifier_column="key",
        row_count=side * side,
        parcel_count=side * side,
        imported_by_name="test",
        imported_at="2026-01-01T00:00:00Z",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO gis_parcel (id, town_id, fabric_id, row, parcel_key, address, kind, use, attributes, geom, bbox,
              area_sqft, is_multipart, is_repaired, shape_digest, words_digest)
            SELECT gen_random_uuid(), %s, %s, n, n::text, '', '', '', '{}', '', box(point(x, y), point(x + 90, y + 90)),
              1, false, false, '', ''
            FROM generate_series(0, %s) AS n, LATERAL (SELECT (n %% %s) * 100 AS x, (n / %s) * 100 AS y) AS place
            """,
            [TOWN_A, fabric.id, side * side - 1, side, side],
        )
    analyze()
    return fabric


def scans() -> tuple[int, int]:
    """(sequential scans, rows fetched by index) of the parcels in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_scan, coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'gis_parcel'"
        )
        return cursor.fetchone()


def test_the_search_uses_its_index_as_the_application_role():
    with scope(SYSTEM, towns=[TOWN_A], reason="grid"):
        fabric = make_grid(150)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == ("grandlist_app",)
        sequential, fetched = scans()
        found = parcel_ids_in_box(fabric.id, Box(5_000, 5_000, 5_299, 5_299))
        sequential_after, fetched_after = scans()
    assert len(found) == 9
    assert sequential_after == sequential
    assert fetched_after - fetched < 100


@pytest.mark.parametrize("function", [PARCELS_FUNCTION, FEATURES_FUNCTION])
def test_the_plan_of_the_functions_body_is_an_index_scan_of_the_boxes(
    committed_db: TestDatabase, function: str
):
    # EXPLAIN as the application role shows a function only as a function; so its body is explained as the
    # role that runs it.
    with committed_db.connect("postgres") as superuser:
        (body,) = superuser.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [function]).fetchone()
        superuser.execute("SET ROLE grandlist_search")
        superuser.execute("SET enable_seqscan = off")
        statement = body.replace("wanted", "$1").replace("area", "$2")
        superuser.execute(f"PREPARE search (uuid, box) AS {statement}")
        plan = superuser.execute(f"EXPLAIN EXECUTE search ('{new_id()}', '((0,0),(1,1))')").fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "_bbox" in text
    assert "&&" in text.split("Index Cond", 1)[1].splitlines()[0]


def test_without_the_function_the_walls_would_cost_the_index():
    """Why the function exists: the same question asked directly reads the boxes of the whole fabric."""
    with scope(SYSTEM, towns=[TOWN_A], reason="grid"):
        fabric = make_grid(60)
        with connection.cursor() as cursor:
            cursor.execute(
                "EXPLAIN SELECT id FROM gis_parcel WHERE fabric_id = %s AND bbox && '((5000,5000),(5299,5299))'::box",
                [fabric.id],
            )
            plan = "\n".join(line for (line,) in cursor.fetchall())
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert not any("&&" in line for line in conditions)


def test_the_search_role_cannot_sign_in_and_the_function_cannot_be_lent(committed_db: TestDatabase):
    with committed_db.connect("postgres") as superuser:
        rows = superuser.execute(
            """
            SELECT r.rolname, r.rolcanlogin, p.prosecdef, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE')
            FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.proname IN (%s, %s)
            """,
            [PARCELS_FUNCTION, FEATURES_FUNCTION],
        ).fetchall()
    assert len(rows) == 2
    for owner, may_sign_in, is_definer, config, is_public in rows:
        assert (owner, may_sign_in, is_definer, is_public) == ("grandlist_search", False, True, False)
        assert config == ["search_path=pg_catalog, public, pg_temp"]


def test_a_box_survives_the_way_through_postgresql():
    box = Box(-1.5, 2.25, 3.125, 4e6)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::box::text", [box.text])
        assert parse_box(cursor.fetchone()[0]) == box
