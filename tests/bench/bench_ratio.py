"""Ratio statistics and their bootstrap at two sizes.

    python -m tests.bench.bench_ratio [ROWS ...]

Budget (design 7): five statistics and 1,000 resamples under 1 s at 10,000 sales and under 8 s at 100,000.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from valuation.ratio import rules
from valuation.ratio.rules.resampling import STATISTICS

RESAMPLES = 1000


def main(sizes: list[int]) -> None:
    """Measure each size and print a line for it, then the growth from the first to the last."""
    spent = []
    for rows in sizes:
        random = np.random.default_rng(20240101)
        prices = np.round(np.exp(random.normal(12.5, 0.6, rows)), -2)
        values = prices * np.exp(random.normal(0, 0.15, rows))
        began = time.perf_counter()
        rules.study(values, prices, resamples=0)
        point = time.perf_counter() - began
        began, worked = time.perf_counter(), time.process_time()
        rules.resample(values, prices, resamples=RESAMPLES)
        spent.append(time.perf_counter() - began)
        print(
            f"{rows:>9,} sales: all statistics with closed-form intervals {point:.3f} s; "
            f"{len(STATISTICS)} statistics x {RESAMPLES:,} resamples {spent[-1]:.2f} s (own work {time.process_time() - worked:.2f} s)"
        )
    if len(sizes) > 1:
        print(f"{sizes[-1] / sizes[0]:.0f} times the sales take {spent[-1] / spent[0]:.1f} times as long")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [10_000, 100_000])
