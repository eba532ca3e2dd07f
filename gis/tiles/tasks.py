"""Making tiles as a job."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.rules import Permission
from gis.tiles.services import TILES_JOB, make_tiles


@job_handler(TILES_JOB, title="Map tiles", permission=Permission.IMPORT)
def make_map_tiles(job: RunningJob) -> dict[str, Any]:
    """Make the tiles of the fabric version that the payload names."""
    job.progress(0, 1, "making tiles")
    archive = make_tiles(UUID(job.payload["fabric_id"]), actor=job.actor, town_code=job.town_code)
    job.progress(1, 1, "")
    return {
        "fabric_id": job.payload["fabric_id"],
        "byte_count": archive.blob.byte_count,
        "sha256": archive.blob.sha256,
        "duration_s": round(archive.duration_s, 2),
    }
