"""Parcels of real towns in the database, without the import's detour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assessment.region.models import Town
from assessment.region.scope import scope
from gis.fabric.models import FabricVersion, Parcel
from gis.fabric.services import import_fabric
from tests.cast import SYSTEM
from tests.gis.conftest import RealTown
from tests.gis.files import excerpt, write_layer


def import_some(real: RealTown, town: Town, folder: Path, rows: Any = slice(0, 40)) -> FabricVersion:
    """Import some rows of a real layer; return the fabric in force."""
    path = write_layer(folder / f"{town.slug}.gpkg", *excerpt(real, rows))
    import_fabric(path, actor=SYSTEM, town=town)
    with scope(SYSTEM, towns=[town.code], reason="look"):
        return FabricVersion.objects.get(town=town, state="current")


def parcels_of(town: Town) -> list[Parcel]:
    """The parcels in force, in file order."""
    with scope(SYSTEM, towns=[town.code], reason="look"):
        return list(Parcel.objects.filter(town=town, fabric__state="current").order_by("row"))
