"""Fresh planner statistics after an import of parcels."""

from __future__ import annotations

from typing import Final

from assessment.property import statistics

IMPORTED_TABLES: Final = (
    "gis_parcel",
    "gis_parcelproperty",
    "assessment_property",
    "assessment_propertyalias",
)


def analyze(tables: tuple[str, ...] = IMPORTED_TABLES) -> None:
    """Refresh the planner's statistics of `tables`, inside the running transaction."""
    statistics.analyze(tables)
