"""Building a package as a job: one call of the service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.rules import Permission
from fieldsync.packages.services import build_package

BUILD_PACKAGE = "package_build"


@job_handler(BUILD_PACKAGE, title="Building of a work package", permission=Permission.MANAGE_PACKAGES)
def build(job: RunningJob) -> dict[str, Any]:
    """Build the package of the payload's ``package_id``; twice gives equal parts."""
    package = build_package(UUID(job.payload["package_id"]), town_code=job.town_code, actor=job.actor)
    return {"package_id": str(package.id), "records": package.record_count, "bytes": package.byte_count}
