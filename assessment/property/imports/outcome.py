"""What an import did, or would do."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from assessment.property.tabular.problems import RowReport


@dataclass(frozen=True, slots=True)
class StatedSale:
    """A sale that a card mentions; the sales room takes it over."""

    property_id: UUID
    card_key: str
    row: int
    price: int | None
    sold_on: dt.date | None
    book_page: str
    qualified: str
    address: str


@dataclass(slots=True)
class ImportOutcome:
    """Counts, findings and codes of one import.

    Attributes
    ----------
    counts
        read, other_town, accepted, rejected, added, changed, unchanged, and rows written by table.
    """

    kind: str
    file_name: str
    mapping: str
    list_year: int | None = None
    is_dry_run: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    report: RowReport = field(default_factory=RowReport)
    unmapped_codes: list[dict[str, Any]] = field(default_factory=list)
    columns_unused: list[str] = field(default_factory=list)
    encoding: str = ""
    sales: list[StatedSale] = field(default_factory=list)
    import_run_id: UUID | None = None
    duration_s: float = 0.0

    @property
    def changes(self) -> int:
        """How many rows of the record were written."""
        return sum(count for name, count in self.counts.items() if name.startswith(("inserted_", "updated_")))

    def as_json(self) -> dict[str, Any]:
        """Return everything with plain values."""
        return {
            "kind": self.kind,
            "file": self.file_name,
            "mapping": self.mapping,
            "encoding": self.encoding,
            "list_year": self.list_year,
            "dry_run": self.is_dry_run,
            "counts": dict(sorted(self.counts.items())),
            "changes": self.changes,
            "unmapped_codes": self.unmapped_codes,
            "columns_unused": self.columns_unused,
            "sales_stated": len(self.sales),
            "import_run": str(self.import_run_id) if self.import_run_id else None,
            "duration_s": round(self.duration_s, 2),
            "report": self.report.as_json(),
        }
