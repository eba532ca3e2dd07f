"""What an import of sales did."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from assessment.property.tabular.problems import RowReport


@dataclass
class TownSales:
    """What an import did in one town."""

    code: int
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    by_method: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    by_validity: Counter[str] = field(default_factory=Counter)
    unmatched: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "town": self.code,
            "name": self.name,
            **{name: self.counts[name] for name in ("read", "added", "changed", "unchanged")},
            "matched": sum(self.by_method.values()),
            "unmatched": sum(self.by_reason.values()),
            "by_method": dict(sorted(self.by_method.items())),
            "by_reason": dict(sorted(self.by_reason.items())),
            "by_validity": dict(sorted(self.by_validity.items())),
        }


@dataclass
class SalesReport:
    """What an import of sales did, or on a dry run would do."""

    file_name: str
    sha256: str
    dry_run: bool
    rows: int = 0
    passed_over: int = 0
    refused: RowReport = field(default_factory=RowReport)
    towns: list[TownSales] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Return the sum of a count over the towns."""
        return sum(town.as_json()[name] for town in self.towns)

    def as_json(self) -> dict[str, Any]:
        """Return the whole report with plain values: totals, towns, sales without property, refused rows."""
        names = ("added", "changed", "unchanged", "matched", "unmatched")
        return {
            "file": self.file_name,
            "sha256": self.sha256,
            "dry_run": self.dry_run,
            "rows": self.rows,
            "passed_over": self.passed_over,
            **{name: self.total(name) for name in names},
            "refused": self.refused.as_json(),
            "towns": [town.as_json() for town in self.towns],
            "without_property": [entry for town in self.towns for entry in town.unmatched],
        }
