"""The job values the town and may run twice."""

from __future__ import annotations

from uuid import uuid4

import pytest

from assessment.jobs.registry import RunningJob, get_registration
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.runs.conftest import HOUSES, YEAR, make_town
from valuation.runs.models import Run

pytestmark = pytest.mark.django_db


def test_the_job_values_the_town_and_a_second_time_gives_the_same_values(cast: Cast) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        make_town(cast.town_a)
    told: list[str] = []
    job = RunningJob(
        id=uuid4(), town_code=cast.town_a.code, payload={"year": YEAR}, actor=cast.actor(cast.assessor_a),
        progress=lambda done, total=0, label="": told.append(label),
    )  # fmt: skip
    handler = get_registration("valuation_run").run
    first = handler(job)
    assert first is not None
    assert first["properties"] == HOUSES
    handler(job)
    assert told[:2] == ["facts", "cost"]
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert len({run.values_sha256 for run in Run.objects.all()}) == 1
        assert Run.objects.count() == 2
