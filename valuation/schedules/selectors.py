"""Reading changes of tables."""

from __future__ import annotations

from uuid import UUID

from assessment.region.errors import NotFound
from valuation.runs.models import Run
from valuation.schedules.models import TableChange


def get_change(town_code: int, change_id: UUID) -> TableChange:
    """Return a town's change of tables; raise `NotFound`."""
    found = TableChange.objects.filter(town_id=town_code, pk=change_id).select_related("run__spec", "spec")
    change = found.first()
    if change is None:
        raise NotFound("There is no such change of tables.")
    return change


def list_changes(town_code: int, *, limit: int = 50) -> list[TableChange]:
    """Return a town's changes of tables, newest first."""
    return list(
        TableChange.objects.filter(town_id=town_code)
        .defer("schedule", "effect")
        .select_related("spec")[:limit]
    )


def find_run_with_tables(town_code: int) -> Run | None:
    """Return the town's newest finished run of a revaluation, whose tables can be changed."""
    done = Run.objects.filter(town_id=town_code, state__in=(Run.State.DONE, Run.State.POSTED), base_run=None)
    return done.exclude(tables={}).select_related("spec", "town").order_by("-started_at").first()
