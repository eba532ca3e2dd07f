"""Device-days with faults: nothing lost, nothing doubled, all replicas equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import TestDatabase
from tests.faults.day import Span, live


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_days_with_faults_lose_nothing_and_double_nothing(
    seed: int, town_database: TestDatabase, tmp_path: Path
) -> None:
    """A sample: `make soak` lives 10,000 of them. ``python -m tests.faults.run --seed N`` shows one again."""
    world, verdict = live(seed, town_database, tmp_path / "tablets", Span())
    world.close()
    assert verdict.troubles == [], f"replay with --seed {seed}"
    assert verdict.totals["mutations"] >= 40 * 15
    assert sum(world.faults.values()) >= 10
