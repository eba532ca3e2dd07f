"""As of which day a run reads the record: the list's assessment date, unless that is still to come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.utils import timezone

from assessment.property.rules.standing import Conversion, assessment_date
from assessment.property.standing import RecordBeginsLater, Standing, standing_on
from assessment.region.errors import Invalid
from assessment.roll.models import GrandList

if TYPE_CHECKING:
    import pandas as pd

    from valuation.runs.models import Run

Wanted = dt.date | Literal["list", "now"]


class FactsAhead(Invalid):
    """Facts are asked for as of a day that has not come."""

    code, title = "facts-ahead", "That day has not come yet"


@dataclass(frozen=True)
class FactsBasis:
    """As of which day facts are read, and why; without a day as they stand when they are read."""

    day: dt.date | None
    why: str
    standing: Standing | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what a run keeps of it."""
        told: dict[str, Any] = {"as_of": self.day.isoformat() if self.day else None, "why": self.why}
        if self.standing is not None:
            told |= {
                "record_begins_on": self.standing.begins_on.isoformat(),
                "rebuilt": len(self.standing.rebuilt),
                "differ": self.standing.differ,
                "not_yet_on_record": len(self.standing.not_yet),
            }
        return told


@dataclass(frozen=True)
class TownFacts:
    """The facts of a town's real properties: by building, outbuildings, and land by line."""

    frame: pd.DataFrame
    features: pd.DataFrame
    land_lines: pd.DataFrame


def conversion_of(town_code: int) -> Conversion | None:
    """Return when a town's record was converted: its first list here; None while it has none."""
    first = GrandList.objects.filter(town_id=town_code).order_by("opened_at", "year").first()
    return Conversion(assessment_date(first.year), first.opened_at) if first else None


def choose_basis(town_code: int, list_year: int, wanted: Wanted = "list") -> FactsBasis:
    """Return as of which day a run for a list reads the record.

    Without a wish that is the list's 1 October when it is past: what a property was on the assessment date
    decides (design: a condition, a percentage complete, are shown as of a 1 October; an observation bears
    on its list year). A record that begins later than that can only be read as it stands, which is said.

    Raises
    ------
    FactsAhead
        The wanted day has not come.
    RecordBeginsLater
        The wanted day is before the town's journal begins.
    """
    today = timezone.localdate()
    if wanted == "now":
        return FactsBasis(None, "as asked")
    day = assessment_date(list_year) if wanted == "list" else wanted
    if day > today:
        if wanted == "list":
            return FactsBasis(None, f"{day} has not come yet")
        raise FactsAhead(f"{day} has not come yet; the record can be read as of today at the latest.")
    try:
        standing = standing_on(town_code, day, conversion=conversion_of(town_code))
    except RecordBeginsLater as error:
        if wanted == "list":
            return FactsBasis(None, error.detail)
        raise
    return FactsBasis(day, "the list's assessment date" if wanted == "list" else "as asked", standing)


def basis_of(run: Run) -> FactsBasis:
    """Return the basis of a run, read again: later entries that bear on its day count."""
    if run.facts_on is None:
        return FactsBasis(None, "as the run")
    standing = standing_on(run.town_id, run.facts_on, conversion=conversion_of(run.town_id))
    return FactsBasis(run.facts_on, "as the run", standing)


def parse_wanted(text: str) -> Wanted:
    """Read what a person asks for: empty or ``list``, ``now``, or a day as YYYY-MM-DD.

    Raises
    ------
    Invalid
        It is none of these.
    """
    said = text.strip().casefold()
    if said in ("", "list"):
        return "list"
    if said == "now":
        return "now"
    try:
        return dt.date.fromisoformat(said)
    except ValueError as error:
        raise Invalid(f"Facts as of {text!r}: give a day as YYYY-MM-DD, or now.") from error
