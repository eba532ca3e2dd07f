"""Our ratio statistics beside assesspy's and ratio-study's: figures on published, real and random sales, and speed.

    python -m tests.bench.against_ratio_packages [ROWS]

Installs both into var/oracles on the first run. Exits with 1 when a figure is out of tolerance: assesspy 1e-7
(Kakwani indices in file order), ratio-study 1e-6, its PRB 3e-4 (it divides by 0.693, and
rounds to five digits). Speed is of bootstraps, scaled to
1,000 resamples, one after the other in the same run: assesspy COD, PRD, PRB, MKI; ratio-study median, COD, PRD, PRB
together; ours the same four.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assessment.demo import files
from tests.bench.peers import answer, environment
from valuation.ratio import rules
from valuation.ratio.rules.resampling import STATISTICS

PACKAGES = ("assesspy==2.0.2", "ratio-study==1.0.1")
SAMPLES = Path(__file__).parents[1] / "valuation" / "ratio" / "iaao_samples.json"
DRAWS = 1000

POINT = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, assesspy as ap, ratio_study as rs
out = {}
for name, (a, s) in json.load(sys.stdin).items():
    a, s = np.array(a, float), np.array(s, float)
    r = a / s
    out[name] = {
        "assesspy": {f: float(getattr(ap, f)(a, s)) for f in ("cod", "prd", "prb", "mki", "ki")},
        "ratio-study": {
            "median": float(rs.asr_median(r)),
            "cod": 100 * float(rs.cod(r)),
            "prd": float(rs.prd(s, r)),
            "prb": float(rs.prb(s, a, r, req_significance=None)[0]),
        },
    }
print(json.dumps(out))
"""
SPEED = """
import contextlib, io, json, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd, assesspy as ap, ratio_study as rs
a, s, draws = json.load(sys.stdin)
frame = pd.DataFrame({"a": a, "s": s})
out = {}
for name, share in (("cod", 0.2), ("prd", 0.2), ("prb", 0.1), ("mki", 0.02)):
    n = max(int(draws * share), 5)
    began, worked = time.perf_counter(), time.process_time()
    ap.boot_ci(getattr(ap, name), frame["a"], frame["s"], nboot=n)
    scale = draws / n
    out["assesspy " + name] = [(time.perf_counter() - began) * scale, (time.process_time() - worked) * scale]
began, worked = time.perf_counter(), time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    rs.ratio_study.ratios(
        frame, "a", "s", indicators=["Median", "CoD", "PRD", "PRB"], ci_mode="bootstrap", ci_conf_level=0.95,
        bootstrap_args={"resamples": draws}, export_directory=None,
    )
out["ratio-study"] = [time.perf_counter() - began, time.process_time() - worked]
print(json.dumps(out))
"""


def cases() -> dict[str, tuple[list[float], list[float]]]:
    """Return values and prices: the shipped samples, Lucas County's sales, and random ones."""
    found = {
        name: (row["A"], row["S"])
        for name, row in json.loads(SAMPLES.read_text(encoding="utf-8")).items()
        if name != "SOURCE"
    }
    lucas = pd.read_csv(files.stored("lucas_county_oh_sales.csv.gz"))
    found["Lucas County"] = (lucas["avalue"].astype(float).tolist(), lucas["price"].astype(float).tolist())
    for seed, count in enumerate((50, 777, 5000)):
        values, prices = made(count, seed)
        found[f"random, {count}"] = (values.tolist(), prices.tolist())
    return found


def made(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random values and prices without ties, somewhat regressive."""
    random = np.random.default_rng([20240101, seed])
    true = random.normal(12.4, 0.6, count)
    return np.exp(12.4 + 0.95 * (true - 12.4)), np.exp(true + random.normal(0, 0.15, count))


def ours(values: list[float], prices: list[float]) -> dict[str, dict[str, float]]:
    """Return our figures under the names of both programs."""
    point = {
        "median": rules.median_ratio(values, prices),
        "cod": rules.cod(values, prices),
        "prd": rules.prd(values, prices),
        "prb": rules.prb(values, prices),
        "mki": rules.mki(values, prices, ties="file"),
        "ki": rules.ki(values, prices, ties="file"),
    }
    return {"assesspy": point, "ratio-study": point}


def compare(theirs: dict[str, Any], asked: dict[str, tuple[list[float], list[float]]]) -> list[str]:
    """Return a line for each figure that is out of tolerance."""
    wrong = []
    for name, programs in theirs.items():
        mine = ours(*asked[name])
        for program, figures in programs.items():
            for figure, value in figures.items():
                room = 3e-4 if (program, figure) == ("ratio-study", "prb") else 1e-6
                if program == "assesspy":
                    room = 1e-7
                rounded = 6e-6 if program == "ratio-study" and figure == "prb" else 0.0
                if abs(mine[program][figure] - value) > room * abs(value) + rounded + 1e-9:
                    wrong.append(f"{name}: {figure} {mine[program][figure]:.10f}, {program} has {value:.10f}")
    return wrong


def main(rows: int) -> int:
    """Compare, measure, print; return 1 when a figure is out of tolerance."""
    python = environment("ratio-packages", PACKAGES)
    asked = cases()
    theirs = answer(python, POINT, asked)
    wrong = compare(theirs, asked)
    count = sum(len(figures) for programs in theirs.values() for figures in programs.values())
    print(f"{count - len(wrong)} of {count} figures of {len(asked)} sets of sales agree")
    print("\n".join(wrong))

    values, prices = made(rows, 9)
    spent = answer(python, SPEED, [values.tolist(), prices.tolist(), DRAWS])
    rules.resample(values, prices, resamples=10)

    def own(*wanted: str) -> np.ndarray:
        began, worked = time.perf_counter(), time.process_time()
        rules.resample(values, prices, resamples=DRAWS, only=wanted)
        return np.array([time.perf_counter() - began, time.process_time() - worked])

    mine = {
        "assesspy": own("cod", "prd", "prb", "mki"),
        "ratio-study": own("median", "cod", "prd", "prb"),
        "all": own(*STATISTICS),
    }
    theirs_all = np.sum([seconds for name, seconds in spent.items() if name.startswith("assesspy")], axis=0)
    print(
        f"{rows:,} sales, {DRAWS:,} resamples, by the clock and of a processor; load {os.getloadavg()[0]:.1f}:"
    )
    for name, (clock, processor) in spent.items():
        print(f"  {name}: {clock:.1f} s, {processor:.1f} s")
    for name, (clock, processor) in mine.items():
        print(
            f"  ours, {'seven statistics' if name == 'all' else f'the four of {name}'}: {clock:.2f} s, {processor:.2f} s"
        )
    for name, seconds in (("assesspy", theirs_all), ("ratio-study", np.array(spent["ratio-study"]))):
        times = seconds / mine[name]
        print(
            f"  {name} takes {times[0]:.1f} times as long by the clock, {times[1]:.1f} times by the processor"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
