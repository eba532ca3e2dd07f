"""Long work: what runs, how far it is, what it brought, and stopping or repeating it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessment.jobs.errors import UnknownKind
from assessment.jobs.models import Job
from assessment.jobs.registry import get_registration
from assessment.jobs.rules import JobState
from assessment.jobs.selectors import get_job, list_jobs
from assessment.jobs.services import cancel_job, retry_job
from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope, QueueState
from assessment.office.tags import words
from assessment.property.blobs import open_blob
from assessment.region.errors import Forbidden

PAGE_SIZE = 50
RECENT = dt.timedelta(days=7)


@dataclass(frozen=True)
class JobView:
    """A job as a page shows it."""

    id: UUID
    url: str
    title: str
    state: str
    is_open: bool
    done: int
    total: int
    percent: int
    label: str
    by: str
    created_at: Any
    started_at: Any
    finished_at: Any
    facts: list[tuple[str, Any]]
    files: list[dict[str, Any]]
    error: str
    may_stop: bool
    may_repeat: bool

    @property
    def duration_s(self) -> float | None:
        """How long it took, when it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return float((self.finished_at - self.started_at).total_seconds())


@town_page("view")
def job_list(request: HttpRequest, scope: PageScope) -> HttpResponse:
    """List the town's jobs, newest first; running ones keep themselves fresh."""
    before = _read_id(request.GET.get("before"))
    found = list_jobs(towns=[scope.town.code], before=before, limit=PAGE_SIZE)
    jobs = [view_of(job, scope) for job in found]
    values = {
        "nav": "jobs",
        "jobs": jobs,
        "running": any(job.is_open for job in jobs),
        "older": f"?before={found[-1].id}" if len(found) == PAGE_SIZE else "",
        "crumbs": crumbs(scope, "Jobs"),
    }
    if request.headers.get("X-Requested-With") == "fetch":
        return _fragment(request, "office/parts/job_table.html", values, is_done=not values["running"])
    return render(request, "office/jobs.html", values)


@town_page("view")
def job(request: HttpRequest, scope: PageScope, job_id: UUID) -> HttpResponse:
    """Show one job with its progress and what it brought."""
    shown = view_of(_get(job_id, scope), scope)
    trail = (("Jobs", reverse("job-list", kwargs={"town": scope.town.slug})), shown.title)
    values = {"nav": "jobs", "job": shown, "crumbs": crumbs(scope, *trail)}
    if request.headers.get("X-Requested-With") == "fetch":
        return _fragment(request, "office/parts/job.html", values, is_done=not shown.is_open)
    return render(request, "office/job.html", values)


@town_page("view", methods=("POST",))
def stop(request: HttpRequest, scope: PageScope, job_id: UUID) -> HttpResponse:
    """Cancel the job: at once when it waits, at its next sign of progress when it runs."""
    _get(job_id, scope)
    cancelled = cancel_job(job_id, actor=scope.actor)
    said = "The job will stop shortly." if cancelled.is_open else "The job is cancelled."
    messages.success(request, said)
    return redirect("job", town=scope.town.slug, job_id=job_id)


@town_page("view", methods=("POST",))
def repeat(request: HttpRequest, scope: PageScope, job_id: UUID) -> HttpResponse:
    """Queue a failed or cancelled job again."""
    _get(job_id, scope)
    retry_job(job_id, actor=scope.actor)
    messages.success(request, "The job is queued again.")
    return redirect("job", town=scope.town.slug, job_id=job_id)


@town_page("view")
def file(request: HttpRequest, scope: PageScope, job_id: UUID, file_name: str) -> HttpResponseBase:
    """Hand over a file that the job made, to those who may start such a job."""
    found = _get(job_id, scope)
    shown = view_of(found, scope)
    entry = next((each for each in shown.files if each["name"] == file_name), None)
    if entry is None:
        raise Http404
    registration = get_registration(found.kind)
    if not scope.may(registration.permission):
        raise Forbidden
    response = FileResponse(open_blob(entry["sha256"]), as_attachment=True, filename=entry["name"])
    response["Cache-Control"] = "private, no-store"
    return response


def failed_jobs_state(scope: PageScope) -> QueueState:
    """Return how many jobs failed lately: somebody should look and try again."""
    since = timezone.now() - RECENT
    failed = Job.objects.filter(town_id=scope.town.code, state=JobState.FAILED, finished_at__gte=since)
    return QueueState(failed.count(), reverse("job-list", kwargs={"town": scope.town.slug}))


def view_of(job: Job, scope: PageScope) -> JobView:
    """Return the job as a page shows it to the person."""
    try:
        registration = get_registration(job.kind)
        title, may = registration.title or words(job.kind), scope.may(registration.permission)
    except UnknownKind:
        title, may = words(job.kind), False
    result = job.result or {}
    return JobView(
        id=job.id,
        url=reverse("job", kwargs={"town": scope.town.slug, "job_id": job.id}),
        title=title,
        state=job.state,
        is_open=job.is_open,
        done=job.done,
        total=job.total,
        percent=job.percent,
        label=job.label,
        by=job.requested_by_name,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        facts=[
            (words(name), value) for name, value in result.items() if isinstance(value, str | int | float)
        ],
        files=list(result.get("files", ())) if may else [],
        error=str((job.error or {}).get("detail", "")),
        may_stop=may and job.is_open and job.cancel_requested_at is None,
        may_repeat=may and job.state in (JobState.FAILED, JobState.CANCELLED),
    )


def _get(job_id: UUID, scope: PageScope) -> Job:
    found = get_job(job_id)
    if found.town_id != scope.town.code:
        raise Http404
    return found


def _fragment(request: HttpRequest, template: str, values: dict[str, Any], *, is_done: bool) -> HttpResponse:
    response = render(request, template, values)
    response["Cache-Control"] = "no-store"
    if is_done:
        response["X-Poll"] = "done"
    return response


def _read_id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
