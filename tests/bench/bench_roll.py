"""A list from stated values to files, at two sizes: cost must grow no faster than accounts.

    python -m tests.bench.bench_roll [ACCOUNTS ...]

Budgets (design 7), at 30,000 accounts: CSV and Excel together under 10 s, the printed book under 30 s.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZES = (15_000, 30_000)
BUDGETS_S = {"CSV and Excel": 10.0, "printed book": 30.0}


@contextmanager
def timed(label: str, size: int) -> Iterator[None]:
    """Print how long the block took, by the clock and by this process alone, and its budget."""
    began, worked = time.perf_counter(), time.process_time()
    yield
    took, own = time.perf_counter() - began, time.process_time() - worked
    budget = f"  budget {BUDGETS_S[label]:.0f} s" if label in BUDGETS_S else ""
    print(f"{size:>7,} accounts  {label:<22} {took:7.2f} s  (own work {own:6.2f} s){budget}", flush=True)


def measure(size: int, folder: Path) -> None:
    """Take one town of `size` accounts through a conversion, an interim list and a revaluation."""
    from assessment.region.scope import scope
    from assessment.roll.services.abstracts import export_m13
    from assessment.roll.services.balancing import balance_grand_list
    from assessment.roll.services.exporting import export_grand_list
    from assessment.roll.services.opening import open_grand_list
    from assessment.roll.services.posting import post_assessments
    from assessment.roll.services.signing import sign_grand_list
    from assessment.roll.services.verifying import verify_grand_list
    from tests.cast import make_cast
    from tests.roll.building import make_properties, state_values, valued

    cast = make_cast()
    actor, town = cast.actor(cast.assessor_a), cast.town_a
    desk = {"towns": [town.code], "reason": "a benchmark"}
    today = dt.date(2025, 3, 1)
    with scope(actor, **desk):
        sample = make_properties(town, size)
        state_values(sample, 2024)
    with timed("open by conversion", size), scope(actor, **desk):
        grand_list = open_grand_list(
            town, actor=actor, year=2024, basis="conversion", base_revaluation_on=dt.date(2020, 10, 1)
        ).grand_list
    with timed("balance", size), scope(actor, **desk):
        _, result = balance_grand_list(grand_list, actor=actor)
    assert result.matched == size
    with timed("sign", size), scope(actor, **desk):
        sign_grand_list(grand_list, actor=actor)
    with timed("verify", size), scope(actor, **desk):
        assert verify_grand_list(grand_list, actor=actor).intact
    for label, formats in (("CSV and Excel", ("csv", "xlsx")), ("printed book", ("pdf",))):
        with timed(label, size), scope(actor, **desk):
            export_grand_list(grand_list, actor=actor, folder=folder, on=today, formats=formats)
    with timed("M-13", size), scope(actor, **desk):
        export_m13(grand_list, actor=actor, folder=folder)
    with timed("roll forward", size), scope(actor, **desk):
        open_grand_list(town, actor=actor, year=2025, basis="roll_forward")
    with scope(actor, **desk):
        revaluation = open_grand_list(town, actor=actor, year=2026, basis="revaluation").grand_list
    postings = valued(sample)
    with timed("post a revaluation", size), scope(actor, **desk):
        post_assessments(revaluation, actor=actor, postings=postings)
    with timed("post it again", size), scope(actor, **desk):
        assert post_assessments(revaluation, actor=actor, postings=postings).changed == 0


def main(sizes: list[int]) -> None:
    """Measure each size in a database of its own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "assessment.project.settings"
    with tempfile.TemporaryDirectory() as var:
        os.environ["GRANDLIST_VAR_DIR"] = var
        import django

        django.setup()
        from django.db import connections

        from tests.databases import clone, ensure_template, point_django_at, start_cluster

        cluster = start_cluster()
        template = ensure_template(cluster)
        for size in sizes:
            database = clone(cluster, template, f"bench_{size}")
            point_django_at(database)
            try:
                measure(size, Path(var) / str(size))
            finally:
                connections.close_all()
                cluster.drop_database(database.name)
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
