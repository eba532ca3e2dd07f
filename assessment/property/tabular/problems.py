"""What is wrong with a file as a whole, or with one of its rows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from assessment.region.errors import Problem


class FileUnreadable(Problem):
    """The file as a whole cannot be read as a table."""

    code = "file-unreadable"
    status = 422
    title = "The file cannot be read"


class ColumnsMissing(Problem):
    """The file lacks columns that the mapping must have."""

    code = "columns-missing"
    status = 422
    title = "The file lacks columns"


class MappingInvalid(Problem):
    """The mapping file says something that has no meaning."""

    code = "mapping-invalid"
    status = 422
    title = "The mapping file is wrong"


class RowsRefused(Problem):
    """Rows were refused and the person asked for all or nothing."""

    code = "rows-refused"
    status = 422
    title = "Rows were refused, so nothing was imported"


class Reason(StrEnum):
    """Why a row, or one value of it, was not taken as it stands. Codes are stable."""

    WRONG_LENGTH = "wrong-length"
    OPEN_QUOTE = "open-quote"
    BLANK_REQUIRED = "blank-required"
    DUPLICATE_ID = "duplicate-id"
    NOT_A_NUMBER = "not-a-number"
    NOT_WHOLE = "not-whole"
    NOT_A_DATE = "not-a-date"
    NOT_YES_OR_NO = "not-yes-or-no"
    OUT_OF_RANGE = "out-of-range"
    TOO_LONG = "too-long"
    UNKNOWN_CODE = "unknown-code"
    OTHER_TOWN = "other-town"
    TEXT_ENCODING = "text-encoding"
    AMBIGUOUS_MATCH = "ambiguous-match"
    IDENTIFIER_CHANGED = "identifier-changed"
    NO_MATCH = "no-match"
    OUTSIDE_TOWN = "outside-town"
    ADDRESS_DIFFERS = "address-differs"
    EDITED_SINCE = "edited-since"
    BREAKS_RULE = "breaks-rule"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One finding about one row.

    Attributes
    ----------
    row
        The row's number as a person counts in the file: the header is row 1.
    column
        The column as the file spells it; blank when the row as a whole is meant.
    value
        The value as it stands in the file, cut at 200 characters.
    reason
        The stable code.
    sentence
        What is wrong and what was done, in plain words.
    rejected
        Whether the whole row was left out because of it.
    card
        The card's identifier in the file, where it could be read.
    """

    row: int
    column: str
    value: str
    reason: Reason
    sentence: str
    rejected: bool = True
    card: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the finding with plain values."""
        return {
            "row": self.row,
            "column": self.column,
            "value": self.value[:200],
            "reason": str(self.reason),
            "sentence": self.sentence,
            "rejected": self.rejected,
            "card": self.card,
        }


@dataclass(slots=True)
class RowReport:
    """All findings of one import, with counts; the list is cut at `kept_at_most`, the counts are not."""

    kept_at_most: int = 20_000
    problems: list[RowProblem] = field(default_factory=list)
    by_reason: Counter[str] = field(default_factory=Counter)
    rejected_rows: set[int] = field(default_factory=set)

    def add(self, *found: RowProblem) -> None:
        """Record findings."""
        self.extend(found)

    def extend(self, found: Iterable[RowProblem]) -> None:
        """Record findings."""
        for problem in found:
            self.by_reason[str(problem.reason)] += 1
            if problem.rejected:
                self.rejected_rows.add(problem.row)
            if problem.rejected or len(self.problems) < self.kept_at_most:
                self.problems.append(problem)

    def as_json(self) -> dict[str, Any]:
        """Return counts and findings with plain values."""
        return {
            "rejected": len(self.rejected_rows),
            "by_reason": dict(sorted(self.by_reason.items())),
            "findings": sum(self.by_reason.values()),
            "rows": [problem.as_json() for problem in self.problems],
        }
