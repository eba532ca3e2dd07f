from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core.management import CommandError, call_command

from assessment.region.errors import Forbidden, Invalid
from assessment.region.scope import scope
from gis.errors import IdentifierColumnMissing, NoUsableArea, WrongPlace
from gis.layers.services import LayerImport, import_layer
from gis.models import Layer, LayerFeature
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.gis.conftest import RealTown
from tests.gis.files import write_layer

pytestmark = pytest.mark.django_db


@pytest.fixture
def zones(hamden: RealTown) -> list[Any]:
    """Hamden cut in two, and a bow tie in its middle."""
    west, south, east, north = hamden.boundary.bounds
    middle = (west + east) / 2
    x, y = hamden.boundary.representative_point().coords[0]
    return [
        hamden.boundary.intersection(shapely.box(west, south, middle, north)),
        hamden.boundary.intersection(shapely.box(middle, south, east, north)),
        shapely.Polygon([(x, y), (x + 500, y + 500), (x + 500, y), (x, y + 500)]),
    ]


@pytest.fixture
def path(zones: list[Any], tmp_path: Path) -> Path:
    return write_layer(
        tmp_path / "zones.gpkg", zones, {"ZONE": ["R1", "R2", "B"], "NAME": ["West", "East", "Town"]}
    )


def run(path: Path, cast: Cast, **options: Any) -> LayerImport:
    stated = {"kind": "zoning", "name": "Zoning", "code_column": "ZONE", "label_column": "NAME", **options}
    return import_layer(path, actor=stated.pop("actor", SYSTEM), town=cast.town_a, **stated)


def test_areas_come_in_with_code_name_and_valid_shape(path: Path, cast: Cast, hamden: RealTown):
    done = run(path, cast)
    assert (done.feature_count, done.repaired, done.left_out, done.is_new) == (3, 1, (), True)
    with scope(SYSTEM, towns=[TOWN_A]):
        areas = {area.code: area for area in LayerFeature.objects.all()}
        assert areas["R1"].label == "West"
        shapes = {code: shapely.from_wkb(bytes(area.geom)) for code, area in areas.items()}
        assert all(shape.is_valid for shape in shapes.values())
        assert shapes["R1"].area + shapes["R2"].area == pytest.approx(hamden.boundary.area)


def test_the_same_file_again_changes_nothing_and_another_replaces_the_areas(
    path: Path, zones: list[Any], cast: Cast, tmp_path: Path
):
    run(path, cast)
    assert not run(path, cast).is_new
    changed = write_layer(tmp_path / "new.gpkg", zones[:2], {"ZONE": ["R1", "R9"], "NAME": ["West", "East"]})
    assert run(changed, cast).is_new
    with scope(SYSTEM, towns=[TOWN_A]):
        assert sorted(LayerFeature.objects.values_list("code", flat=True)) == ["R1", "R9"]
        assert Layer.objects.get().feature_count == 2


def test_rows_without_code_or_area_are_left_out_and_named(zones: list[Any], cast: Cast, tmp_path: Path):
    cells = {"ZONE": ["R1", None, "B", "P"], "NAME": ["a", "b", "c", "d"]}
    shapes = [zones[0], zones[1], None, shapely.Point(*zones[0].representative_point().coords[0])]
    done = run(write_layer(tmp_path / "zones.gpkg", shapes, cells), cast)
    assert (done.feature_count, done.left_out) == (1, (2, 3, 4))


def test_a_layer_of_another_town_is_refused(west_hartford: RealTown, cast: Cast, tmp_path: Path):
    path = write_layer(tmp_path / "z.gpkg", [west_hartford.boundary], {"ZONE": ["R1"], "NAME": ["x"]})
    with pytest.raises(WrongPlace, match="West Hartford"):
        run(path, cast)


def test_what_cannot_be_a_layer_is_refused(path: Path, cast: Cast, tmp_path: Path):
    with pytest.raises(Invalid, match="neighbourhood, zoning"):
        run(path, cast, kind="weather")
    with pytest.raises(IdentifierColumnMissing, match="no column 'CODE', only ZONE, NAME"):
        run(path, cast, code_column="CODE")
    empty = write_layer(tmp_path / "empty.gpkg", [None], {"ZONE": ["R1"], "NAME": ["x"]})
    with pytest.raises(NoUsableArea):
        run(empty, cast)
    with pytest.raises(Forbidden):
        run(path, cast, actor=cast.actor(cast.clerk_a))


def test_the_command_says_what_it_did(path: Path, cast: Cast):
    said = StringIO()
    arguments = [
        "--town",
        "hamden",
        str(path),
        "--kind",
        "zoning",
        "--name",
        "Zoning",
        "--code-field",
        "ZONE",
    ]
    call_command("import_layer", *arguments, stdout=said)
    assert said.getvalue().strip() == "Zoning: 3 areas, 1 repaired"
    said = StringIO()
    call_command("import_layer", *arguments, "--json", stdout=said)
    assert json.loads(said.getvalue())["changed"] is False
    with pytest.raises(CommandError, match="no column 'NOPE'"):
        call_command("import_layer", *arguments[:-1], "NOPE")
