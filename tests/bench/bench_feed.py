"""The feed with sixteen writers and readers every 5 ms, a minute in peace and a minute under kills.

    python -m tests.bench.bench_feed [SECONDS]        60 each

Nothing may be missed, made up or lost; the status is 1 when anything was.
"""

from __future__ import annotations

import sys

from tests.bench.serving import fresh_product

HOUSES = 400
KILLS = ("backends", "writer", "postgres", "writer", "backends", "immediately")


def main(seconds: float) -> int:
    """Run both trials, print what they found, and return how many things were wrong."""
    with fresh_product() as folder:
        from assessment.project.postgres import ensure_cluster
        from tests.cast import make_cast
        from tests.databases import TestDatabase
        from tests.faults.feed_trial import run_trial
        from tests.faults.test_feed_under_kills import make_plan

        make_cast()
        database = TestDatabase(ensure_cluster(folder), "grandlist")
        (folder / "logs").mkdir()
        plan = make_plan(database, folder / "logs", HOUSES)
        wrong = 0
        for name, kills in (("in peace", ()), ("under kills", KILLS)):
            plan.seconds, plan.kills, plan.every_s = seconds, kills, 1.0
            verdict = run_trial(plan)
            print(f"{name:12} {verdict}", flush=True)
            for trouble in verdict.troubles[:20]:
                print(f"  {trouble}")
            wrong += len(verdict.troubles)
            plan.seed += 1
            for log in plan.folder.glob("writer-*.log"):
                log.unlink()
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
