"""The statistics of ratio studies: pure functions of values and prices."""

from valuation.ratio.rules.chasing import Chasing, UnsoldTest, sales_chasing, unsold_test
from valuation.ratio.rules.errors import RatioStudyError
from valuation.ratio.rules.intervals import (
    Interval,
    cod_interval,
    mean_interval,
    median_interval,
    prb_interval,
    weighted_mean_interval,
)
from valuation.ratio.rules.outliers import Trimming, TrimRule, trim
from valuation.ratio.rules.point import (
    Slope,
    cod,
    cov,
    ki,
    mean_ratio,
    median_ratio,
    mki,
    prb,
    prb_line,
    prd,
    weighted_mean_ratio,
)
from valuation.ratio.rules.requirements import Outcome, RuleSet, judge, rule_sets
from valuation.ratio.rules.resampling import percentile_intervals, resample
from valuation.ratio.rules.study import Figure, RatioStudy, study, study_by
from valuation.ratio.rules.vertical import VerticalEquity, vertical_equity
from valuation.ratio.rules.weighted import weighted_median, weighted_statistics

__all__ = [
    "Chasing",
    "Figure",
    "Interval",
    "Outcome",
    "RatioStudy",
    "RatioStudyError",
    "RuleSet",
    "Slope",
    "TrimRule",
    "Trimming",
    "UnsoldTest",
    "VerticalEquity",
    "cod",
    "cod_interval",
    "cov",
    "judge",
    "ki",
    "mean_interval",
    "mean_ratio",
    "median_interval",
    "median_ratio",
    "mki",
    "percentile_intervals",
    "prb",
    "prb_interval",
    "prb_line",
    "prd",
    "resample",
    "rule_sets",
    "sales_chasing",
    "study",
    "study_by",
    "trim",
    "unsold_test",
    "vertical_equity",
    "weighted_mean_interval",
    "weighted_mean_ratio",
    "weighted_median",
    "weighted_statistics",
]
