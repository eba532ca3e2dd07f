from __future__ import annotations

import json
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.core.management import CommandError, call_command

from assessment.jobs.models import Job
from assessment.property.models import Complex, ImportRun, JournalEntry, Property, PropertyAlias
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from gis.errors import (
    CoordinateSystemMissing,
    CoordinateSystemUnknown,
    FabricShrinks,
    IdentifierColumnMissing,
    NoParcels,
    RowsRefused,
    UnreadableParcelFile,
    WrongPlace,
)
from gis.fabric.preparing import ReadOptions
from gis.fabric.report import FabricReport
from gis.fabric.services import ImportOptions, import_fabric
from gis.models import FabricVersion, Lineage, Parcel, ParcelProperty, TopologyFinding
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.gis.conftest import RealTown
from tests.gis.files import DRIVERS, excerpt, in_degrees, write_layer

pytestmark = pytest.mark.django_db


def run(path: Path, cast: Cast, **options: Any) -> FabricReport:
    """Import as the operator into town A (Hamden)."""
    read = ReadOptions(**{k: options.pop(k) for k in ("layer", "identifier", "crs") if k in options})
    return import_fabric(path, actor=SYSTEM, town=cast.town_a, options=ImportOptions(read=read, **options))


@pytest.fixture
def some(hamden: RealTown) -> tuple[list[Any], dict[str, list[Any]]]:
    """Thirty neighbouring parcels of Hamden."""
    return excerpt(hamden, slice(0, 30))


def in_town_a() -> Any:
    return scope(SYSTEM, towns=[TOWN_A], reason="look")


class TestFirstImport:
    @pytest.mark.parametrize("suffix", sorted(DRIVERS))
    def test_every_promised_format_gives_the_same_parcels(self, suffix, some, cast, tmp_path):
        shapes, cells = some
        path = tmp_path / f"parcels{suffix}"
        if suffix == ".geojson":
            write_layer(path, in_degrees(shapes), cells, crs="EPSG:4326")
        else:
            write_layer(path, shapes, cells)
        report = run(path, cast, identifier="giscode")
        assert (report.rows, report.parcels, report.refused) == (30, 30, [])
        with in_town_a():
            kept = {parcel.parcel_key: parcel for parcel in Parcel.objects.all()}
            for key, shape in zip(cells["giscode"], shapes, strict=True):
                assert kept[key].area_sqft == pytest.approx(shape.area, rel=1e-4)
                assert kept[key].shape.is_valid
                assert kept[key].bbox == pytest.approx(shape.bounds, abs=0.01)

    def test_a_zipped_shapefile_is_read_as_it_is(self, some, cast, tmp_path):
        write_layer(tmp_path / "parcels.shp", *some)
        with zipfile.ZipFile(tmp_path / "parcels.zip", "w") as archive:
            for part in tmp_path.glob("parcels.*"):
                if part.suffix != ".zip":
                    archive.write(part, part.name)
        assert run(tmp_path / "parcels.zip", cast).parcels == 30

    def test_each_parcel_gets_an_account_with_its_identifiers(self, some, cast, tmp_path):
        report = run(write_layer(tmp_path / "parcels.gpkg", *some), cast)
        assert report.links["properties_created"] == report.links["links_added"] == 30
        with in_town_a():
            parcel = Parcel.objects.get(parcel_key="2031-010-00-0000")
            (link,) = ParcelProperty.objects.filter(parcel=parcel)
            account = link.property
            assert link.method == "created"
            assert (account.address, account.address_number, account.street_name) == (
                "166 WELTON ST",
                "166",
                "WELTON ST",
            )
            assert account.use_description == "Single Fam M01"
            assert account.land_sqft == round(parcel.area_sqft)
            aliases = PropertyAlias.objects.filter(property=account).values_list("id_type", "value")
            assert set(aliases) == {("gis", "2031-010-00-0000"), ("gis", "244")}
            assert JournalEntry.objects.filter(table_name="assessment_property").count() == 30
            assert Property.objects.values("account_number").distinct().count() == 30

    def test_a_town_of_one_parcel_comes_in(self, some, cast, tmp_path):
        shapes, cells = some
        one = {name: values[:1] for name, values in cells.items()}
        report = run(write_layer(tmp_path / "one.gpkg", shapes[:1], one), cast)
        assert (report.parcels, report.links["properties_created"]) == (1, 1)

    def test_a_condominiums_polygon_gets_a_complex_and_a_road_gets_nothing(self, some, cast, tmp_path):
        shapes, cells = some
        cells = {**cells, "ParcelType": ["Condo Main", "ROW", *["Parcel"] * 28]}
        report = run(write_layer(tmp_path / "parcels.gpkg", shapes, cells), cast)
        assert report.links["properties_created"] == 28
        assert report.links["complexes_created"] == 1
        assert report.links["parcels_without_property"] == 2
        with in_town_a():
            assert Complex.objects.get().code == cells["giscode"][0]

    def test_units_of_a_complex_share_its_polygon(self, some, cast, tmp_path):
        shapes, cells = some
        cells = {**cells, "ParcelType": ["Condo Main", *["Parcel"] * 29]}
        path = write_layer(tmp_path / "parcels.gpkg", shapes, cells)
        run(path, cast)
        with in_town_a():
            whole = Complex.objects.get()
            for number in ("U1", "U2"):
                Property.objects.create(town_id=TOWN_A, account_number=number, complex=whole)
        report = run(path, cast)
        assert report.total_changes == 0
        assert report.links["links_by_method"] == {"complex": 2}

    def test_a_parcel_is_linked_to_the_property_that_carries_its_identifier(self, some, cast, tmp_path):
        shapes, cells = some
        with in_town_a():
            known = Property.objects.create(town_id=TOWN_A, account_number="77")
            PropertyAlias.objects.create(
                town_id=TOWN_A,
                property=known,
                id_type="mbl",
                value=cells["giscode"][3],
                valid_from="2020-01-01",
            )
        report = run(write_layer(tmp_path / "parcels.gpkg", shapes, cells), cast)
        assert report.links["links_by_method"] == {"alias": 1, "created": 29}
        with in_town_a():
            assert ParcelProperty.objects.get(property=known).parcel.parcel_key == cells["giscode"][3]

    def test_accounts_are_opened_only_when_wanted(self, some, cast, tmp_path):
        report = run(write_layer(tmp_path / "parcels.gpkg", *some), cast, create_properties=False)
        assert report.links["parcels_without_property"] == 30
        with in_town_a():
            assert Property.objects.count() == 0

    def test_tiles_are_queued_for_the_new_version(self, some, cast, tmp_path):
        run(write_layer(tmp_path / "parcels.gpkg", *some), cast)
        with in_town_a():
            job = Job.objects.get(kind="map_tiles")
            assert job.payload == {"fabric_id": str(FabricVersion.objects.get().id)}

    def test_the_run_is_recorded_with_its_report(self, some, cast, tmp_path):
        run(write_layer(tmp_path / "parcels.gpkg", *some), cast)
        with in_town_a():
            recorded = ImportRun.objects.get(kind="parcels")
            assert recorded.counts["added"] == 30
            assert recorded.report["findings"]["invalid"] == 0

    def test_a_repaired_parcel_keeps_its_original_and_its_finding(self, west_hartford, cast, tmp_path):
        positions = [parcel.row - 1 for parcel in west_hartford.prepared.parcels if parcel.is_repaired][:3]
        path = write_layer(tmp_path / "parcels.gpkg", *excerpt(west_hartford, positions))
        report = import_fabric(path, actor=SYSTEM, town=cast.town_b)
        assert report.repaired == 3
        with scope(SYSTEM, towns=[TOWN_B], reason="look"):
            for parcel in Parcel.objects.all():
                assert parcel.is_repaired
                assert not shapely.from_wkb(bytes(parcel.original_geom)).is_valid
                assert parcel.shape.is_valid
            assert TopologyFinding.objects.filter(kind="invalid").count() == 3


class TestSecondImport:
    def test_the_same_file_again_changes_nothing(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        run(path, cast)
        with in_town_a():
            before = JournalEntry.objects.count()
        report = run(path, cast)
        assert (report.total_changes, report.is_new_version, report.links["links_added"]) == (0, False, 0)
        with in_town_a():
            assert FabricVersion.objects.count() == 1
            assert JournalEntry.objects.count() == before

    def test_another_format_of_the_same_parcels_changes_no_shape(self, some, cast, tmp_path):
        shapes, cells = some
        run(write_layer(tmp_path / "parcels.gpkg", shapes, cells), cast)
        report = run(write_layer(tmp_path / "parcels.fgb", shapes, cells), cast)
        assert report.total_changes == 0

    def test_a_changed_file_makes_a_version_with_its_differences(self, some, cast, tmp_path):
        shapes, cells = some
        run(write_layer(tmp_path / "old.gpkg", shapes, cells), cast)
        cells = {name: [*values] for name, values in cells.items()}
        cells["siteaddres"][1] = "1 NEW NAME ST"
        shapes = [*shapes]
        shapes[2] = shapely.affinity.scale(shapes[2], 0.9, 0.9)
        del shapes[29]
        report = run(write_layer(tmp_path / "new.gpkg", shapes, {n: v[:29] for n, v in cells.items()}), cast)
        assert report.changes == {"added": 0, "removed": 1, "reshaped": 1, "redescribed": 1}
        assert report.links["properties_without_parcel"] == 1
        assert report.links["links_by_method"] == {"inherited": 29}
        with in_town_a():
            states = FabricVersion.objects.order_by("number").values_list("number", "state")
            assert list(states) == [(1, "superseded"), (2, "current")]
            assert Property.objects.count() == 30

    def test_a_split_is_traced_and_its_pieces_get_accounts_of_their_own(self, some, cast, tmp_path):
        shapes, cells = some
        run(write_layer(tmp_path / "old.gpkg", shapes, cells), cast)
        min_x, min_y, max_x, max_y = shapes[0].bounds
        middle = (min_x + max_x) / 2
        halves = [
            shapely.intersection(shapes[0], shapely.box(*box))
            for box in ((min_x, min_y, middle, max_y), (middle, min_y, max_x, max_y))
        ]
        key = cells["giscode"][0]
        split = {name: [values[0], *values] for name, values in cells.items()}
        split["giscode"][:2] = [f"{key}A", f"{key}B"]
        split["id"][:2] = ["244A", "244B"]
        report = run(write_layer(tmp_path / "new.gpkg", [*halves, *shapes[1:]], split), cast)
        assert report.descent["split"] == 2
        assert report.links["properties_created"] == 2
        with in_town_a():
            lines = Lineage.objects.select_related("parent", "child")
            assert {(line.parent.parcel_key, line.child.parcel_key) for line in lines} == {
                (key, f"{key}A"),
                (key, f"{key}B"),
            }
            assert sum(line.share_of_parent for line in lines) == pytest.approx(1)

    def test_a_renumbered_parcel_keeps_its_property_under_the_new_identifier(self, some, cast, tmp_path):
        shapes, cells = some
        run(write_layer(tmp_path / "old.gpkg", shapes, cells), cast)
        with in_town_a():
            account = ParcelProperty.objects.get(parcel__parcel_key=cells["giscode"][0]).property_id
        renumbered = {**cells, "giscode": ["9999-001", *cells["giscode"][1:]]}
        report = run(write_layer(tmp_path / "new.gpkg", shapes, renumbered), cast)
        assert report.descent["renumbered"] == 1
        assert report.links["properties_created"] == 0
        with in_town_a():
            link = ParcelProperty.objects.get(parcel__parcel_key="9999-001")
            assert (link.property_id, link.method) == (account, "inherited")
            assert PropertyAlias.objects.filter(property=account, value="9999-001", valid_to=None).exists()

    def test_a_dry_run_reports_everything_and_leaves_nothing(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        report = run(path, cast, dry_run=True)
        assert (report.changes["added"], report.links["properties_created"]) == (30, 30)
        with in_town_a():
            assert not FabricVersion.objects.exists()
            assert not Property.objects.exists()
            assert not Job.objects.exists()
            assert ImportRun.objects.get().is_dry_run
        assert run(path, cast).changes["added"] == 30


class TestBadInput:
    def test_a_missing_file_is_named(self, cast, tmp_path):
        with pytest.raises(UnreadableParcelFile, match=r"nowhere\.gpkg: there is no such file"):
            run(tmp_path / "nowhere.gpkg", cast)

    @pytest.mark.parametrize("content", [b"", b"not a map", b"SQLite format 3\0 but cut short"])
    def test_a_damaged_file_is_refused(self, content, cast, tmp_path):
        path = tmp_path / "parcels.gpkg"
        path.write_bytes(content)
        with pytest.raises(UnreadableParcelFile):
            run(path, cast)

    def test_a_table_without_shapes_is_refused(self, cast, tmp_path):
        path = tmp_path / "parcels.csv"
        path.write_text("PARCEL_ID,ADDRESS\n1,1 MAIN ST\n")
        with pytest.raises(UnreadableParcelFile, match="no layer with shapes"):
            run(path, cast)

    def test_one_of_several_layers_must_be_chosen(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "town.gpkg", *some, layer="parcels")
        write_layer(path, *some, layer="zoning", append=True)
        with pytest.raises(UnreadableParcelFile, match="--layer: parcels, zoning"):
            run(path, cast)
        with pytest.raises(UnreadableParcelFile, match="no layer 'roads'"):
            run(path, cast, layer="roads")
        assert run(path, cast, layer="parcels").parcels == 30

    def test_no_coordinate_system_is_refused_and_taken_when_stated(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.shp", *some, crs=None)
        with pytest.raises(CoordinateSystemMissing, match="--crs 2234"):
            run(path, cast)
        assert run(path, cast, crs="2234").crs_source == "stated"

    def test_a_system_that_does_not_exist_is_refused(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        with pytest.raises(CoordinateSystemUnknown, match="999999"):
            run(path, cast, crs="999999")

    def test_a_wrong_system_is_refused_and_the_right_one_named(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some, crs="EPSG:26956")
        with pytest.raises(WrongPlace, match=r"100% .* outside Hamden .* Read as EPSG:2234"):
            run(path, cast)
        report = run(path, cast, crs="2234")
        assert "26956" in report.notes[0]

    def test_degrees_the_wrong_way_round_are_recognised(self, some, cast, tmp_path):
        shapes, cells = some
        path = write_layer(
            tmp_path / "parcels.geojson", in_degrees(shapes, swapped=True), cells, crs="EPSG:4326"
        )
        with pytest.raises(WrongPlace, match="latitude before longitude"):
            run(path, cast)

    def test_another_towns_parcels_are_refused_and_their_town_named(self, west_hartford, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *excerpt(west_hartford, slice(0, 20)))
        with pytest.raises(WrongPlace, match="They lie in West Hartford"):
            run(path, cast)

    def test_a_misspelt_identifier_is_suggested(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        with pytest.raises(IdentifierColumnMissing, match="Did you mean giscode"):
            run(path, cast, identifier="GIS_CODE")

    def test_no_identifying_column_lists_the_columns(self, some, cast, tmp_path):
        shapes, cells = some
        path = write_layer(tmp_path / "parcels.gpkg", shapes, {"siteaddres": cells["siteaddres"]})
        with pytest.raises(IdentifierColumnMissing, match=r"--id-field.*siteaddres"):
            run(path, cast)

    @pytest.fixture
    def faulty(self, some, tmp_path) -> Path:
        """Thirty rows of which four cannot be used."""
        shapes, cells = [*some[0]], {name: [*values] for name, values in some[1].items()}
        cells["giscode"][4] = cells["giscode"][3]
        cells["giscode"][5] = None
        shapes[6] = None
        shapes[7] = shapely.affinity.translate(shapes[7], 200_000, 0)
        return write_layer(tmp_path / "parcels.gpkg", shapes, cells)

    def test_bad_rows_are_left_out_with_their_reason(self, faulty, cast):
        report = run(faulty, cast, identifier="giscode")
        assert [(row.row, row.code.value) for row in report.refused] == [
            (5, "duplicate_id"),
            (6, "missing_id"),
            (7, "empty_shape"),
            (8, "outside_town"),
        ]
        assert report.parcels == 26
        assert run(faulty, cast, identifier="giscode").total_changes == 0

    def test_with_abort_nothing_is_imported_when_a_row_is_bad(self, faulty, cast):
        with pytest.raises(RowsRefused, match="4 rows were refused and nothing was imported") as caught:
            run(faulty, cast, identifier="giscode", on_error="abort")
        assert len(caught.value.report.refused) == 4
        with in_town_a():
            assert not FabricVersion.objects.exists()

    def test_a_layer_without_a_usable_row_does_not_empty_the_fabric(self, some, cast, tmp_path):
        run(write_layer(tmp_path / "good.gpkg", *some), cast)
        path = write_layer(tmp_path / "bad.gpkg", [None] * 30, some[1])
        with pytest.raises(NoParcels, match="None of the 30 rows"):
            run(path, cast)
        with in_town_a():
            assert FabricVersion.objects.get().state == "current"

    def test_a_file_cut_short_does_not_replace_the_fabric(self, some, cast, tmp_path):
        run(write_layer(tmp_path / "whole.gpkg", *some), cast)
        path = write_layer(tmp_path / "parcels.shp", *some)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 3])
        with pytest.raises(FabricShrinks, match=r"gives \d+ parcels and 30 are in force"):
            run(path, cast)
        with in_town_a():
            assert FabricVersion.objects.get().parcel_count == 30
        assert run(path, cast, allow_fewer=True).is_new_version

    def test_text_in_windows_1252_is_read(self, some, cast, tmp_path):
        shapes, cells = some
        cells = {**cells, "siteaddres": ["12 CAFE ST", *cells["siteaddres"][1:]]}
        path = write_layer(tmp_path / "parcels.shp", shapes, cells)
        dbf = path.with_suffix(".dbf")
        dbf.write_bytes(dbf.read_bytes().replace(b"CAFE", b"CAF\xc9"))
        path.with_suffix(".cpg").unlink(missing_ok=True)
        run(path, cast)
        with in_town_a():
            assert Parcel.objects.get(row=1).address == "12 CAFÉ ST"


class TestWhoMayImport:
    def test_a_clerk_may_not(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        with pytest.raises(Forbidden):
            import_fabric(path, actor=cast.actor(cast.clerk_a), town=cast.town_a)

    def test_an_assessor_may_in_the_own_town_only(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        report = import_fabric(path, actor=cast.actor(cast.assessor_a), town=cast.town_a)
        assert report.parcels == 30
        with in_town_a():
            assert FabricVersion.objects.get().imported_by == cast.assessor_a
        with pytest.raises(Forbidden):
            import_fabric(path, actor=cast.actor(cast.assessor_a), town=cast.town_b)


class TestCommand:
    def call(self, *arguments: Any) -> str:
        out = StringIO()
        call_command("import_parcels", *map(str, arguments), stdout=out)
        return out.getvalue()

    @pytest.mark.parametrize("town", ["62", "Hamden", "hamden"])
    def test_the_town_may_be_named_in_each_way(self, town, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.gpkg", *some)
        said = self.call("--town", town, path)
        assert "Hamden: 30 rows of parcels.gpkg, 30 parcels, 0 refused" in said
        assert "fabric version 1 is in force" in said

    def test_the_summary_and_the_report_are_json(self, some, cast, tmp_path):
        path, report = write_layer(tmp_path / "parcels.gpkg", *some), tmp_path / "report.json"
        summary = json.loads(self.call("--town", 62, path, "--json", "--report", report))
        whole = json.loads(report.read_text())
        assert summary["parcels"] == whole["parcels"] == 30
        assert whole["refused_rows"] == []

    def test_bad_input_is_one_line_and_a_failure(self, some, cast, tmp_path):
        path = write_layer(tmp_path / "parcels.shp", *some, crs=None)
        with pytest.raises(CommandError) as caught:
            self.call("--town", 62, path)
        assert caught.value.returncode == 1
        assert "\n" not in str(caught.value)

    def test_an_unknown_town_is_one_line(self, cast, tmp_path):
        with pytest.raises(CommandError, match="There is no town 'Atlantis'"):
            self.call("--town", "Atlantis", tmp_path / "x.gpkg")

    def test_the_report_is_written_also_when_rows_stop_the_import(self, some, cast, tmp_path):
        shapes, cells = some
        path = write_layer(tmp_path / "parcels.gpkg", [None, *shapes[1:]], cells)
        report = tmp_path / "report.json"
        with pytest.raises(CommandError, match="1 rows were refused"):
            self.call("--town", 62, path, "--on-error", "abort", "--report", report)
        (refused,) = json.loads(report.read_text())["refused_rows"]
        assert (refused["row"], refused["code"]) == (1, "empty_shape")
