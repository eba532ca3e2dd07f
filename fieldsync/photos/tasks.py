"""Drawing renditions and clearing away old uploads, in a worker."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from assessment.jobs.registry import RunningJob, job_handler
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from fieldsync.photos import custody
from fieldsync.photos.models import Upload
from fieldsync.photos.renditions import RENDITIONS_JOB, draw_waiting, list_undrawn, start_drawing


@job_handler(RENDITIONS_JOB, title="Draw photos", permission=Permission.MANAGE_PACKAGES)
def draw(job: RunningJob) -> dict[str, Any]:
    """Draw every photo of the town that waits."""
    return dict(draw_waiting(job.town_code, actor=job.actor, progress=job.progress))


@shared_task(name="fieldsync.tidy_photos")
def tidy() -> int:
    """End expired uploads, and start the drawing that a lost message left undone."""
    actor, count = Actor.system("tidy uploads"), 0
    codes = list(Town.objects.values_list("code", flat=True))
    with scope(actor, towns=codes):
        late = Upload.objects.filter(state=Upload.State.RECEIVING, expires_at__lte=timezone.now())
        expired = set(late.values_list("town_id", flat=True))
    for code in sorted(expired):
        with scope(actor, towns=[code]):
            count += custody.expire_uploads(code, actor=actor, now=timezone.now())
    for code in codes:
        with scope(actor, towns=[code]):
            if list_undrawn(code, limit=1):
                start_drawing(code)
    return count


@shared_task(name="fieldsync.keep_photos")
def keep() -> dict[str, int]:
    """Say which photos are overdue, and let go of bytes that nobody has declared."""
    actor, now = Actor.system("keep photos"), timezone.now()
    counts = {"missing": 0, "orphans": 0, "files": custody.sweep_files(now=now)}
    codes = list(Town.objects.values_list("code", flat=True))
    for code in codes:
        with scope(actor, towns=[code]):
            counts["missing"] += custody.mark_missing(code, actor=actor, now=now)
        with scope(actor, towns=[code], read_only=codes):
            counts["orphans"] += custody.remove_orphans(code, actor=actor, now=now)
    return counts
