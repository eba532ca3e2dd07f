"""Long work of the roll, as jobs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.utils import timezone

from assessment.jobs.registry import RunningJob, job_handler
from assessment.property.blobs import store_blob
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.roll.models import GrandList
from assessment.roll.services.abstracts import export_m13
from assessment.roll.services.exporting import FORMATS, export_grand_list

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@job_handler("export_grand_list", title="Export of a grand list", permission=Permission.EXPORT_LIST)
def export_list(job: RunningJob) -> dict[str, Any]:
    """Write a list's files, with its abstract, and keep them as the job's files; safe to repeat."""
    with (
        tempfile.TemporaryDirectory() as folder,
        scope(job.actor, towns=[job.town_code], reason="export of a grand list"),
    ):
        grand_list = GrandList.objects.get(pk=job.payload["list_id"])
        out = Path(folder)
        report = export_grand_list(
            grand_list,
            actor=job.actor,
            folder=out,
            on=timezone.localdate(),
            profile=job.payload.get("profile", "statutory"),
            basis=job.payload.get("basis", "current"),
            formats=tuple(job.payload.get("formats") or FORMATS),
        )
        export_m13(grand_list, actor=job.actor, folder=out)
        job.progress(1, 2, "storing the files")
        files = [_store(path, job.town_code) for path in sorted(out.iterdir())]
    return {"files": files, "control": report.control}


def _store(path: Path, town_code: int) -> dict[str, Any]:
    with path.open("rb") as file:
        blob = store_blob(file, town_code=town_code, media_type=_MEDIA_TYPES[path.suffix])
    return {"name": path.name, "sha256": blob.sha256, "byte_count": blob.byte_count}
