"""OpenAVMKit's LightGBM, tuned with 50 trials, and our market model on the same split of Lucas County in one run.

    python -m tests.bench.against_openavmkit [TRIALS]

Installs openavmkit 0.7 into var/oracles on the first run (minutes, 2.8 GB). Theirs is its own tuner
(`openavmkit.tuning._tune_lightgbm`) and the training step that follows it in `run_lightgbm`, on the price itself as its
default is, with our spec's facts and the day of sale; ours is docs/specs/lucas_county.toml. Neither sees the last tenth.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from assessment.demo import files
from tests.bench.peers import answer, environment
from valuation.fitting.making import columns_of, market_of
from valuation.fitting.rules import split_by_day
from valuation.fitting.spec import read_spec, sales_of
from valuation.ratio import rules
from valuation.tables import read_table

SPEC = Path(__file__).parents[2] / "docs" / "specs" / "lucas_county.toml"
THEIRS = """
import json, resource, sys, time, warnings
warnings.filterwarnings("ignore")
import lightgbm as lgb, pandas as pd
from openavmkit import tuning
question = json.load(sys.stdin)
X, Z = pd.DataFrame(question["train"]), pd.DataFrame(question["test"])
codes = question["categories"]
for name in codes:
    levels = sorted(set(X[name]))
    X[name], Z[name] = pd.Categorical(X[name], levels), pd.Categorical(Z[name], levels)
y = pd.Series(question["prices"])
inner = tuning._resolve_cv_inner("auto", len(X)) if hasattr(tuning, "_resolve_cv_inner") else None
began = time.perf_counter()
params = tuning._tune_lightgbm(
    X, y, n_trials=question["trials"], random_state=42, cat_vars=codes, cv_inner=inner
)
params["verbosity"] = -1
for name, value in (("seed", 42), ("deterministic", True), ("force_row_wise", True)):
    params.setdefault(name, value)
rounds = params.pop("num_iterations", 1000)
model = lgb.train(params, lgb.Dataset(X, y, categorical_feature=codes), num_boost_round=rounds)
values = model.predict(Z)
seconds = time.perf_counter() - began
worked = sum(
    getattr(resource.getrusage(who), kind)
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    for kind in ("ru_utime", "ru_stime")
)
print(json.dumps({"values": values.tolist(), "seconds": seconds, "worked": worked, "rounds": rounds}))
"""


def main(trials: int) -> int:
    """Run theirs, then ours, and print both; return 1 when ours is worse."""
    python = environment("openavmkit", ("openavmkit>=0.7,<0.8",))
    spec = read_spec(SPEC)
    sales = sales_of(read_table(files.stored("lucas_county_oh_sales.csv")), spec)
    held, _ = split_by_day(sales.sold_on, spec.holdout_share)
    numbers, categories = columns_of(spec, sales.frame)
    table = sales.frame[[*numbers, *categories]].assign(day=sales.sold_on.astype(float))
    found = answer(
        python,
        THEIRS,
        {
            "train": table[~held].to_dict("list"),
            "test": table[held].to_dict("list"),
            "prices": sales.prices[~held].tolist(),
            "categories": list(categories),
            "trials": trials,
        },
    )
    began, worked = time.perf_counter(), time.process_time()
    train, test = sales.frame[~held].reset_index(drop=True), sales.frame[held].reset_index(drop=True)
    model = market_of(spec, "market", train, seed=0).fit(train, sales.prices[~held], sales.sold_on[~held])
    ours = model.predict(test, sales.sold_on[held])
    spent = time.perf_counter() - began, time.process_time() - worked
    paid = sales.prices[held]
    print(f"Lucas County, {held.sum():,} held-out sales; load {os.getloadavg()[0]:.1f}")
    theirs = np.array(found["values"])
    _line(f"openavmkit 0.7 LightGBM, {trials} trials", theirs, paid, found["seconds"], found["worked"])
    _line("market, docs/specs/lucas_county.toml", ours, paid, *spent)
    return int(rules.cod(ours, paid) >= rules.cod(np.maximum(theirs, 1), paid))


def _line(name: str, values: np.ndarray, paid: np.ndarray, clock: float, processor: float) -> None:
    values = np.maximum(pd.Series(values).to_numpy(), 1.0)
    print(
        f"  {name:<40} median {rules.median_ratio(values, paid):.3f}  COD {rules.cod(values, paid):.2f}  "
        f"PRD {rules.prd(values, paid):.3f}  PRB {rules.prb(values, paid):+.3f}  "
        f"{clock:.0f} s by the clock, {processor:.0f} s of a processor"
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
