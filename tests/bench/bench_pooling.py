"""Local, pooled and partially pooled models of King County's ZIP codes, with few training sales each.

    python -m tests.bench.bench_pooling [SEEDS]

Training sales (the earlier nine tenths) of each of 70 ZIP codes are cut to 10, 20, 40, 60 at random; all are judged on the
same held-out last tenth. Intervals are percentile bootstraps over ZIP codes, so that they speak for jurisdictions and
not for sales alone. What is learned here is claimed for King County's ZIP codes and no more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assessment.demo import files
from valuation.fitting.making import columns_of
from valuation.fitting.rules import split_by_day
from valuation.fitting.spec import Sales, read_spec, sales_of
from valuation.fitting.strata import FITS, pooled_three_ways
from valuation.tables import read_table

SPEC = Path(__file__).parents[2] / "docs" / "specs" / "king_county.toml"
SIZES = (10, 20, 40, 60)
STRATUM = "neighbourhood"


@dataclass(frozen=True)
class Outcome:
    """Errors of the three fits with so many training sales in each stratum.

    Attributes
    ----------
    mape : dict of str to float
        Mean over seeds, percent, all held-out sales.
    gain : dict of str to (float, float, float)
        How much less the partial fit errs than local and than pooled: points of MAPE with the 95 % interval.
    better : float
        Share of strata in which partial errs less than local.
    """

    size: int
    mape: dict[str, float]
    gain: dict[str, tuple[float, float, float]]
    better: float


def king_county() -> Sales:
    """Return King County's sales as its worked spec reads them."""
    return sales_of(read_table(files.stored("king_county_sales.csv")), read_spec(SPEC))


def cut(strata: np.ndarray, size: int, *, seed: int) -> np.ndarray:
    """Return positions of at most ``size`` rows of each stratum, drawn with a seed."""
    random = np.random.default_rng([seed, size])
    drawn = [random.permutation(np.flatnonzero(strata == name))[:size] for name in np.unique(strata)]
    return np.sort(np.concatenate(drawn))


def outcome(sales: Sales, size: int, *, seeds: Sequence[int], only: Sequence[str] = ()) -> Outcome:
    """Fit all three on so many sales of each stratum and judge them on the held-out sales."""
    spec = read_spec(SPEC)
    held, _ = split_by_day(sales.sold_on, spec.holdout_share)
    kept = sales.frame[STRATUM].isin(list(only)).to_numpy() if only else np.ones(len(held), dtype=bool)
    early, late = np.flatnonzero(~held & kept), np.flatnonzero(held & kept)
    numbers, categories = columns_of(spec, sales.frame)
    paid, wanted = sales.prices[late], sales.frame[STRATUM].to_numpy(dtype=str)[late]
    errors: dict[str, list[np.ndarray]] = {fit: [] for fit in FITS}
    for seed in seeds:
        rows = early[cut(sales.frame[STRATUM].to_numpy(dtype=str)[early], size, seed=seed)]
        values, _ = pooled_three_ways(
            sales.frame.iloc[rows].reset_index(drop=True), sales.prices[rows], sales.sold_on[rows],
            sales.frame.iloc[late].reset_index(drop=True), sales.sold_on[late],
            stratum=STRATUM, numbers=numbers, categories=categories,
        )  # fmt: skip
        for fit in FITS:
            errors[fit].append(100 * np.abs(values[fit] / paid - 1))
    mean = {fit: np.mean(found, axis=0) for fit, found in errors.items()}
    names, codes = np.unique(wanted, return_inverse=True)
    gain = {
        other: (
            float((mean[other] - mean["partial"]).mean()),
            *_by_stratum(mean[other] - mean["partial"], codes),
        )
        for other in ("local", "pooled")
    }
    by = {fit: np.bincount(codes, weights=mean[fit]) / np.bincount(codes) for fit in FITS}
    return Outcome(
        size,
        {fit: float(mean[fit].mean()) for fit in FITS},
        gain,
        float((by["partial"] < by["local"]).sum() / len(names)),
    )


def _by_stratum(difference: np.ndarray, codes: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """Return the 95 % interval of a mean over sales when strata are drawn again."""
    random = np.random.default_rng(0)
    sums, counts = np.bincount(codes, weights=difference), np.bincount(codes)
    picks = random.integers(0, len(sums), (draws, len(sums)))
    low, high = np.percentile(sums[picks].sum(axis=1) / counts[picks].sum(axis=1), (2.5, 97.5))
    return float(low), float(high)


def main(seeds: int) -> None:
    """Print a line for each size."""
    sales = king_county()
    print(
        f"{seeds} draws of the training sales; MAPE of the same held-out sales; gain in points, 95 % over ZIP codes"
    )
    print(
        f"{'a ZIP code':>10}{'local':>8}{'pooled':>8}{'partial':>9}{'gain on local':>24}{'gain on pooled':>24}{'better than local in':>22}"
    )
    for size in SIZES:
        found = outcome(sales, size, seeds=range(seeds))
        gains = [f"{g:.2f} ({low:.2f} to {high:.2f})" for g, low, high in found.gain.values()]
        print(
            f"{size:>10}"
            + "".join(f"{found.mape[fit]:>{width}.2f}" for fit, width in zip(FITS, (8, 8, 9), strict=True))
            + "".join(f"{gain:>24}" for gain in gains)
            + f"{100 * found.better:>20.0f} %",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
