"""Proposing other tables, and accepting them with their effect as the next version of the town's model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.roll.files.atomic import write_whole
from valuation.runs.models import Run
from valuation.schedules.counting import stop_counting
from valuation.schedules.errors import ChangeDecided, EffectMissing, TablesRefused
from valuation.schedules.models import TableChange
from valuation.schedules.rows import (
    HEADER,
    Row,
    RowsRefused,
    as_csv,
    changed_rows,
    from_cells,
    from_csv,
    rows_of,
    with_rows,
)

_SUFFIXES = (".csv", ".xlsx", ".json")


def read_tables(path: Path, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schedule's JSON form with the tables of a file: ``.json`` whole, ``.csv`` or ``.xlsx`` by rows.

    Raises
    ------
    TablesRefused
        The file cannot be read.
    """
    suffix = _suffix_of(path)
    try:
        if suffix == ".json":
            found = json.loads(path.read_text(encoding="utf-8"))
            found = found.get("schedule", found) if isinstance(found, dict) else None
            if not isinstance(found, dict):
                raise RowsRefused("it holds no schedule; write one with --out and change that")
            return found
        if suffix == ".xlsx":
            return with_rows(plain, from_cells(_first_sheet(path)))
        return with_rows(plain, from_csv(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise TablesRefused(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise TablesRefused(f"{path.name} is no text in UTF-8; save it as CSV UTF-8.") from error
    except json.JSONDecodeError as error:
        raise TablesRefused(f"{path.name} is cut short or no JSON: {error}.") from error
    except (RowsRefused, ValueError, csv.Error, RecursionError) as error:
        raise TablesRefused(f"{path.name}: {error}.") from error


def write_tables(plain: Mapping[str, Any], path: Path) -> None:
    """Write a schedule's tables, whole or not at all: ``.json`` whole, ``.csv`` or ``.xlsx`` by rows.

    Raises
    ------
    TablesRefused
        Another kind of file.
    OutputNotWritten
        No such folder, no right to write there, or no room.
    """
    suffix = _suffix_of(path)
    if suffix == ".json":
        content = (json.dumps(plain, indent=2, sort_keys=True) + "\n").encode()
    elif suffix == ".xlsx":
        content = _workbook([HEADER, *rows_of(plain)])
    else:
        content = as_csv(plain).encode()
    write_whole(path, content)


def _suffix_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise TablesRefused(f"{path}: a file of tables ends in {', '.join(_SUFFIXES)}.")
    return suffix


def _workbook(rows: Iterable[Iterable[Any]]) -> bytes:
    import xlsxwriter

    content = io.BytesIO()
    # In memory, so that the disk is asked for room once and where the file will be.
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("tables")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def _first_sheet(path: Path) -> list[list[Any]]:
    import python_calamine

    try:
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except python_calamine.CalamineError as error:
        raise ValueError(f"no workbook: {error}") from error
    return [list(row) for row in sheet.to_python()]


@transaction.atomic
def propose_tables(
    run: Run,
    *,
    actor: Actor,
    reason: str,
    rows: Iterable[Row] = (),
    schedule: Mapping[str, Any] | None = None,
) -> TableChange:
    """Keep other tables than a run's; what they would do is `valuation.schedules.counting`'s to find out.

    Parameters
    ----------
    rows
        Whole tables in place of those of the same name.
    schedule
        All tables, in place of the run's.

    Raises
    ------
    Forbidden
        Without the permission to edit models in the town.
    TablesRefused
        Nothing changes, no reason is given, or the tables cannot be used.
    """
    from valuation.cost.rules import Schedule, ScheduleError
    from valuation.frames.rules import FeatureRefused

    actor.require(Permission.EDIT_MODELS, run.town_id)
    if not reason.strip():
        raise TablesRefused("A change of tables needs its reason.")
    before = run.tables["schedule"]
    try:
        after = with_rows(schedule if schedule is not None else before, rows)
        parsed = Schedule.from_json(after)
    except (RowsRefused, ScheduleError, FeatureRefused) as error:
        raise TablesRefused(f"{error}.") from error
    after = parsed.as_json()
    changed = changed_rows(before, after)
    if not changed:
        raise TablesRefused("These are the tables that the run was valued at.")
    return TableChange.objects.create(
        town_id=run.town_id,
        run=run,
        schedule=after,
        changed=[list(row) for row in changed],
        reason=reason.strip()[:400],
        proposed_by_name=actor.name,
    )


@transaction.atomic
def decide_tables(change: TableChange, *, actor: Actor, accept: bool) -> TableChange:
    """Accept a change as the next version of the town's model, or drop it.

    Raises
    ------
    Forbidden
        Without the permission to edit models in the town.
    ChangeDecided
        Somebody was first.
    EffectMissing
        It is accepted before its effect is known.
    """
    from valuation.specs.services import create_spec

    actor.require(Permission.EDIT_MODELS, change.town_id)
    # Two people may press at once: the second one waits here and is told.
    locked = (
        TableChange.objects.select_for_update(of=("self",))
        .select_related("run__spec", "town")
        .get(pk=change.pk)
    )
    if locked.state != TableChange.State.WAITING:
        raise ChangeDecided(
            f"The change was {locked.get_state_display().lower()} by {locked.decided_by_name}."
        )
    if accept and not locked.effect:
        raise EffectMissing(
            "What the change does to the values is not known yet: a change is accepted with its effect as evidence."
        )
    stop_counting(locked, actor=actor)
    if accept:
        locked.spec = create_spec(
            f"{locked.town.slug}-tables"[:60],
            actor=actor,
            schedule=locked.schedule,
            settings=locked.run.spec.settings,
            title=f"Cost tables of {locked.town.name}"[:160],
            evidence={
                "from_run": str(locked.run_id),
                "from_spec": str(locked.run.spec),
                "changed": locked.changed,
                "effect": locked.effect,
                "reason": locked.reason,
                "proposed_by": locked.proposed_by_name,
            },
        )
    locked.state = TableChange.State.ACCEPTED if accept else TableChange.State.DROPPED
    locked.decided_at, locked.decided_by_name = timezone.now(), actor.name
    locked.save(update_fields=["state", "decided_at", "decided_by_name", "spec"])
    return locked
