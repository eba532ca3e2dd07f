"""Reading changes of tables."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

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
    """Return a town's changes of tables, newest first; `has_effect` says whether it was counted."""
    return list(
        TableChange.objects.filter(town_id=town_code)
        .annotate(has_effect=~Q(effect={}))
        .defer("schedule", "effect")
        .select_related("spec")[:limit]
    )


def find_run_with_tables(town_code: int) -> Run | None:
    """Return the town's newest finished run of a revaluation, whose tables can be changed."""
    return _runs_with_tables(town_code).select_related("spec", "town").first()


def find_later_run(change: TableChange) -> Run | None:
    """Return the run whose tables are the town's now, if that is not the one that the change started from."""
    found = _runs_with_tables(change.town_id).select_related("spec")
    newest = found.only("list_year", "started_at", "spec__name", "spec__version").first()
    return newest if newest is not None and newest.pk != change.run_id else None


def _runs_with_tables(town_code: int) -> QuerySet[Run]:
    done = Run.objects.filter(town_id=town_code, state__in=(Run.State.DONE, Run.State.POSTED), base_run=None)
    return done.exclude(tables={}).order_by("-started_at")
