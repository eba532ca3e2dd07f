"""The report of a parcel import: what came in, what did not and why, what was found, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gis.fabric.rules.rows import RefusedRow
from gis.fabric.rules.topology import Finding
from gis.fabric.rules.units import sqm


@dataclass(frozen=True, slots=True)
class FoundAt:
    """A finding with the rows (from 1) and identifiers that it concerns."""

    finding: Finding
    rows: tuple[int, ...]
    keys: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        found = self.finding
        return {
            "kind": found.kind.value,
            "rows": list(self.rows),
            "parcels": list(self.keys),
            "area_sqft": None if found.area_sqft is None else round(found.area_sqft, 4),
            "area_sqm": None if found.area_sqft is None else round(sqm(found.area_sqft), 6),
            "detail": found.detail,
            "location_2234": None if found.location is None else [round(xy, 3) for xy in found.location],
        }


def place_findings(findings: Sequence[Finding], keys: Sequence[str]) -> list[FoundAt]:
    """Give each finding the row numbers (from 1) and the identifiers of its positions."""
    return [
        FoundAt(found, tuple(row + 1 for row in found.rows), tuple(keys[row] for row in found.rows))
        for found in findings
    ]


@dataclass(slots=True)
class FabricReport:
    """What an import of parcels did, or would do.

    Attributes
    ----------
    changes
        Parcels added, removed, reshaped and redescribed against the fabric in force.
    fabric_number
        The new version's number, or the unchanged one's; None when nothing was ever imported.
    is_new_version
        False when the file says what is known already.
    """

    town_code: int
    town: str
    file: str
    sha256: str
    layer: str
    driver: str
    crs: str
    crs_source: str
    identifier_column: str
    rows: int
    parcels: int
    refused: list[RefusedRow]
    findings: list[FoundAt]
    finding_counts: dict[str, int]
    repaired: int
    share_outside: float | None
    dry_run: bool
    notes: list[str] = field(default_factory=list)
    changes: dict[str, int] = field(default_factory=dict)
    descent: dict[str, int] = field(default_factory=dict)
    links: dict[str, Any] = field(default_factory=dict)
    fabric_number: int | None = None
    is_new_version: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def total_changes(self) -> int:
        """Parcels that are not as they were before."""
        return sum(self.changes.values())

    def summary(self) -> dict[str, Any]:
        """The report without its lists."""
        return {
            "town": self.town_code,
            "town_name": self.town,
            "file": self.file,
            "sha256": self.sha256,
            "layer": self.layer,
            "driver": self.driver,
            "crs": self.crs,
            "crs_source": self.crs_source,
            "identifier_column": self.identifier_column,
            "rows": self.rows,
            "parcels": self.parcels,
            "refused": len(self.refused),
            "repaired": self.repaired,
            "findings": self.finding_counts,
            "share_outside_town": self.share_outside,
            "changes": self.changes,
            "total_changes": self.total_changes,
            "descent": self.descent,
            "links": self.links,
            "fabric": self.fabric_number,
            "is_new_version": self.is_new_version,
            "dry_run": self.dry_run,
            "notes": self.notes,
            "seconds": {step: round(spent, 2) for step, spent in self.seconds.items()},
        }

    def as_dict(self) -> dict[str, Any]:
        """The whole report, for a JSON file."""
        return {
            **self.summary(),
            "refused_rows": [
                {"row": row.row, "parcel": row.key, "code": row.code.value, "reason": row.reason}
                for row in self.refused
            ],
            "topology": [found.as_dict() for found in self.findings],
        }
