"""With real commits: a killed import, deferred references, and the whole of West Hartford."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from assessment.demo import files
from assessment.property.models import JournalEntry, Property
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from gis.fabric.services import ImportOptions, import_fabric
from gis.models import FabricVersion, Parcel, ParcelProperty, TopologyFinding
from tests.cast import SYSTEM, TOWN_A, TOWN_B
from tests.databases import TestDatabase
from tests.gis.conftest import RealTown
from tests.gis.files import excerpt, write_layer

QUIET = ImportOptions(make_tiles=False)


class Killed(BaseException):
    """What a kill looks like from inside: nothing may catch it."""


def killing(after: int) -> Any:
    def progress(_label: str, items: Iterable[Any], _total: int) -> Iterable[Any]:
        for place, item in enumerate(items):
            if place == after:
                raise Killed
            yield item

    return progress


def counts(town_code: int) -> tuple[int, int, int, int]:
    with scope(SYSTEM, towns=[town_code]):
        return (
            FabricVersion.objects.count(),
            Parcel.objects.count(),
            Property.objects.count(),
            JournalEntry.objects.count(),
        )


@pytest.fixture
def path(hamden: RealTown, tmp_path: Path) -> Path:
    return write_layer(tmp_path / "parcels.gpkg", *excerpt(hamden, slice(0, 1_500)))


def test_a_killed_import_leaves_nothing_half_done(committed_db: TestDatabase, path: Path):
    town = get_town(TOWN_A)
    with pytest.raises(Killed):
        import_fabric(path, actor=SYSTEM, town=town, options=QUIET, progress=killing(after=1))
    assert counts(TOWN_A) == (0, 0, 0, 0)
    report = import_fabric(path, actor=SYSTEM, town=town, options=QUIET)
    assert report.changes["added"] == 1_500
    assert counts(TOWN_A)[:3] == (1, 1_500, 1_500)


def test_a_killed_second_import_leaves_the_first_in_force(
    committed_db: TestDatabase, path: Path, hamden: RealTown, tmp_path: Path
):
    town = get_town(TOWN_A)
    import_fabric(path, actor=SYSTEM, town=town, options=QUIET)
    before = counts(TOWN_A)
    more = write_layer(tmp_path / "more.gpkg", *excerpt(hamden, slice(0, 2_500)))
    with pytest.raises(Killed):
        import_fabric(more, actor=SYSTEM, town=town, options=QUIET, progress=killing(after=2))
    assert counts(TOWN_A) == before
    with scope(SYSTEM, towns=[TOWN_A]):
        assert FabricVersion.objects.get().state == "current"


@pytest.mark.slow
def test_west_hartford_comes_in_whole_and_a_second_time_changes_nothing(committed_db: TestDatabase):
    town = get_town("west-hartford")
    stored = files.stored("west_hartford_parcels.gpkg")
    report = import_fabric(stored, actor=SYSTEM, town=town, options=QUIET)
    assert (report.parcels, report.repaired, report.finding_counts["invalid"]) == (19_920, 97, 97)
    with scope(SYSTEM, towns=[TOWN_B]):
        assert Parcel.objects.count() == 19_920
        assert Parcel.objects.filter(is_repaired=True, original_geom__isnull=False).count() == 97
        assert TopologyFinding.objects.filter(kind="invalid").count() == 97
        # 56 of the 19,920 are the polygons of condominium complexes, whose units come with the cards.
        assert ParcelProperty.objects.count() == Property.objects.count() == 19_864
    before = counts(TOWN_B)
    again = import_fabric(stored, actor=SYSTEM, town=town, options=QUIET)
    assert (again.total_changes, again.links["links_added"]) == (0, 0)
    assert counts(TOWN_B) == before
