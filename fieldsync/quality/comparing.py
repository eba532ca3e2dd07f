"""Noticing that a second person has been there, and leaving the comparison to a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from assessment.jobs.services import start_job
from assessment.region.actors import Actor
from fieldsync.quality.models import Recheck

COMPARE_RECHECK = "recheck_compare"


def find_checked(package_ids: Iterable[UUID | None]) -> dict[UUID, tuple[UUID, int]]:
    """Return which of these packages are re-checks that are not decided, each with its id and town."""
    wanted = {key for key in package_ids if key is not None}
    if not wanted:
        return {}
    rows = Recheck.objects.filter(package_id__in=wanted, state=Recheck.State.OPEN)
    return {
        package_id: (key, town) for package_id, key, town in rows.values_list("package_id", "id", "town_id")
    }


def start_comparing(checked: Mapping[UUID, tuple[UUID, int]]) -> None:
    """Queue the comparison of each re-check; once while one waits."""
    for key, town_code in checked.values():
        start_job(
            COMPARE_RECHECK,
            actor=Actor.system("compare a re-check"),
            town=town_code,
            payload={"recheck_id": str(key)},
            key=str(key),
        )
