"""Points by identifier."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from assessment.property.imports.points import PointImport, import_points
from assessment.property.models import Property
from assessment.property.services import create_property
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A

IMPORTER = Actor.system("import_points")
HOME = (41.3959, -72.8968)  # Hamden's town hall
ROWS = [
    f"1,9 ELM ST,{HOME[0]},{HOME[1]}",
    "2,11 ELM ST,-33.8020688,-72.9",
    f"3,13 ELM ST,{HOME[0]},{HOME[1]}",
    "4,15 ELM ST,,",
    f"5,17 OAK ST,{HOME[0]},{HOME[1]}",
    f"6,1 A ST,91,{HOME[1]}",
]


@pytest.fixture
def town(db: None) -> Town:
    """Town A with four properties that have a PID."""
    town = Town.objects.get(code=TOWN_A)
    with scope(SYSTEM, towns=[town.code], reason="t"):
        for pid, address in (("1", "9 ELM ST"), ("2", "11 ELM ST"), ("4", "15 ELM ST"), ("5", "17 ELM ST")):
            create_property(town, actor=SYSTEM, reason="t", address=address, aliases={"pid": pid})
    return town


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of points with each fault."""
    path = tmp_path / "points.csv"
    path.write_text("\n".join(["pid,location,lat,lon", *ROWS]))
    return path


def located(town: Town) -> set[str]:
    """Addresses of properties with a point."""
    with scope(SYSTEM, towns=[town.code]):
        return set(Property.objects.filter(location_x_ft__gt=0).values_list("address", flat=True))


def test_points_in_the_town_are_taken_and_the_others_refused_with_their_reasons(
    town: Town, path: Path
) -> None:
    outcome = import_points(town, actor=IMPORTER, wanted=PointImport(path))
    reasons = {(p.row, str(p.reason), p.rejected) for p in outcome.report.problems}
    assert reasons == {
        (3, "outside-town", True),
        (4, "no-match", True),
        (5, "blank-required", True),
        (6, "address-differs", False),
        (7, "out-of-range", True),
    }
    assert located(town) == {"9 ELM ST", "17 ELM ST"}


def test_the_same_points_again_change_nothing(town: Town, path: Path) -> None:
    first, again = (import_points(town, actor=IMPORTER, wanted=PointImport(path)) for _ in range(2))
    assert (first.changes, again.changes, again.counts["unchanged"]) == (2, 0, 2)


def test_abort_and_dry_run_take_no_point(town: Town, path: Path) -> None:
    import_points(town, actor=IMPORTER, wanted=PointImport(path, is_dry_run=True))
    with pytest.raises(CommandError, match="4 of 6 rows"):
        call_command("import_points", str(path), town="hamden", on_error="abort")
    assert located(town) == set()
