"""Building packages as jobs, and building those anew whose changes outgrew them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from assessment.jobs.models import Job
from assessment.jobs.registry import RunningJob, job_handler
from assessment.jobs.services import start_job
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from fieldsync.packages.building import build_package, find_stale_packages
from fieldsync.packages.models import Package

BUILD_PACKAGE = "package_build"


def start_build(package: Package, *, actor: Actor) -> Job:
    """Queue the building of a package; a second call while it waits returns the same job."""
    payload = {"package_id": str(package.id)}
    return start_job(BUILD_PACKAGE, actor=actor, town=package.town_id, payload=payload, key=str(package.id))


@job_handler(BUILD_PACKAGE, title="Building of a work package", permission=Permission.MANAGE_PACKAGES)
def build(job: RunningJob) -> dict[str, Any]:
    """Build the package of the payload's ``package_id``; twice gives equal parts."""
    package = build_package(
        UUID(job.payload["package_id"]), town_code=job.town_code, actor=job.actor, progress=job.progress
    )
    return {"package_id": str(package.id), "records": package.record_count, "bytes": package.byte_count}


@shared_task(name="fieldsync.rebuild_packages")
def rebuild() -> int:
    """Start the building anew of every package whose changes outgrew it, or that is a day old."""
    actor, count = Actor.system("rebuild packages"), 0
    for code in Town.objects.order_by("code").values_list("code", flat=True):
        with scope(actor, towns=[code]):
            for package in find_stale_packages(code, now=timezone.now()):
                start_build(package, actor=actor)
                count += 1
    return count
