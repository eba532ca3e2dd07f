"""Long work as rows: the broker only carries their ids."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from assessment.jobs.rules import OPEN_STATES, OPEN_VALUES, JobState, percent
from assessment.region.models import Person
from assessment.region.walls import TownModel


class Job(TownModel):
    """One piece of long work for one town, with its state, progress and outcome.

    Written by `assessment.jobs.services` only. `claim` names the run that may write: when a job is taken
    over from a worker that was thought dead, the late worker's writes find another claim and do nothing.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(
        max_length=120, blank=True, help_text="one open job for each key; empty: any number"
    )
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    state = models.CharField(
        max_length=10, default=JobState.QUEUED.value, choices=[(s.value, s.value) for s in JobState]
    )
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0, help_text="0: not known")
    label = models.CharField(max_length=120, blank=True, help_text="what it is doing now")
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    error = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder, help_text="a problem document")
    requested_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["town", "kind", "key"],
                name="one_open_job_for_a_key",
                condition=~Q(key="") & Q(state__in=OPEN_VALUES),
            ),
            models.CheckConstraint(
                name="job_running_has_a_claim",
                condition=~Q(state="running") | Q(claim__isnull=False, heartbeat_at__isnull=False),
            ),
            models.CheckConstraint(
                name="job_progress_within_total", condition=Q(total=0) | Q(done__lte=F("total"))
            ),
        ]
        indexes = [
            models.Index(fields=["town", "-id"], name="job_newest"),
            models.Index(fields=["state"], name="job_open", condition=Q(state__in=OPEN_VALUES)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN_STATES

    @property
    def percent(self) -> int:
        """Progress for a bar."""
        return 100 if self.state == JobState.SUCCEEDED else percent(self.done, self.total)
