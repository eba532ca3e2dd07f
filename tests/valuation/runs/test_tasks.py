"""The job values the town and may run twice."""

from __future__ import annotations

from uuid import uuid4

import pytest

from assessment.jobs.registry import RunningJob, get_registration
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.runs.conftest import HOUSES, YEAR, make_town
from valuation.comparables.models import ComparableSet
from valuation.runs.models import Run
from valuation.runs.services import run_valuation
from valuation.specs.services import get_spec

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


def test_two_towns_in_one_process_and_each_by_its_own_task_get_equal_values(cast: Cast) -> None:
    towns = [cast.town_a, cast.town_b]
    with scope(SYSTEM, towns=[town.code for town in towns], reason="a test"):
        for town in towns:
            make_town(town)
        spec = get_spec("ct-residential", actor=SYSTEM)
        together = {town.code: run_valuation(town, year=YEAR, spec=spec, actor=SYSTEM) for town in towns}
        grids = {town.code: grids_of(together[town.code]) for town in towns}
    handler = get_registration("valuation_run").run
    for town, person in zip(reversed(towns), (cast.assessor_b, cast.assessor_a), strict=True):
        handler(
            RunningJob(
                id=uuid4(), town_code=town.code, payload={"year": YEAR, "spec": str(spec.name)}, actor=cast.actor(person),
                progress=lambda done, total=0, label="": None,
            )
        )  # fmt: skip
        with scope(SYSTEM, towns=[town.code]):
            alone = Run.objects.exclude(pk=together[town.code].pk).get()
            assert alone.values_sha256 == together[town.code].values_sha256
            assert alone.snapshot_sha256 == together[town.code].snapshot_sha256
            assert grids_of(alone) == grids[town.code]


def grids_of(run: Run) -> list[tuple[object, ...]]:
    rows = ComparableSet.objects.filter(run=run).order_by("property_id")
    return list(rows.values_list("property_id", "value", "indicated", "sales"))
