"""The record of a run: which file, by whom, and what became of each row."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.db import connection
from django.utils import timezone

from assessment.property.imports.outcome import ImportOutcome
from assessment.property.models import ImportRun
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Town


def start_run(town: Town, path: Path, *, actor: Actor, outcome: ImportOutcome) -> ImportRun:
    """Return the row of a run that begins now; it is saved when the run is finished."""
    return ImportRun(
        id=new_id(), town=town, kind=outcome.kind, file_name=path.name[:200], mapping=outcome.mapping[:60],
        is_dry_run=outcome.is_dry_run, started_at=timezone.now(), run_by_id=actor.person_id,
        file_sha256=file_sha256(path),
    )  # fmt: skip


def lock_imports(town_code: int) -> None:
    """Let one import of a town run at a time: two would give the same account number twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('grandlist.import'), %s)", [town_code])


def finish_run(run: ImportRun, outcome: ImportOutcome, *, nothing_written: bool = False) -> None:
    run.finished_at = timezone.now()
    run.counts = {**outcome.counts, "nothing_written": nothing_written}
    run.report = {"unmapped_codes": outcome.unmapped_codes, **outcome.report.as_json()}
    run.save(force_insert=True)
    outcome.import_run_id = run.id


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
