"""Rule sets: the tests that a jurisdiction asks of a ratio study, as dated data, and their outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from valuation.ratio.rules import point
from valuation.ratio.rules.chasing import UnsoldTest, sales_chasing
from valuation.ratio.rules.errors import RatioStudyError

_PARAMETERS = Path(__file__).parents[1] / "parameters"
_LEAST = 5


@dataclass(frozen=True)
class Requirement:
    """One test of a rule set; limits are inclusive, None where there is none."""

    id: str
    title: str
    of: str
    statistic: str
    low: float | None
    high: float | None
    least: int
    only: tuple[str, ...]
    is_verified: bool
    source: str

    def allows(self, figure: float) -> bool:
        """Return whether a figure is within the limits, which belong to it."""
        return (self.low is None or figure >= self.low) and (self.high is None or figure <= self.high)


@dataclass(frozen=True)
class RuleSet:
    """Tests that hold from a day on."""

    id: str
    title: str
    valid_from: dt.date
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True)
class Outcome:
    """What one test gave on one stratum.

    Attributes
    ----------
    figure : float or None
        None when the sales are too few for the test.
    is_met : bool or None
        None with the figure.
    is_verified : bool
        Whether the rule's text was seen; an outcome of one that was not decides nothing.
    """

    id: str
    title: str
    stratum: str
    n: int
    figure: float | None
    low: float | None
    high: float | None
    is_met: bool | None
    is_verified: bool
    source: str

    @property
    def decides(self) -> bool:
        """Return whether the rule is verified and missed."""
        return self.is_verified and self.is_met is False

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@cache
def rule_sets() -> Mapping[str, RuleSet]:
    """Return the rule sets that come with the product, by id."""
    found = {}
    for path in sorted(_PARAMETERS.glob("*.yaml")):
        for plain in yaml.safe_load(path.read_text(encoding="utf-8"))["rule_sets"]:
            tests = tuple(
                Requirement(
                    id=test["id"],
                    title=test["title"],
                    of=test["of"],
                    statistic=test["statistic"],
                    low=test.get("low"),
                    high=test.get("high"),
                    least=int(test.get("least", _LEAST)),
                    only=tuple(test.get("only", ())),
                    is_verified=bool(test["verified"]),
                    source=test["source"],
                )
                for test in plain["tests"]
            )
            found[plain["id"]] = RuleSet(plain["id"], plain["title"], plain["valid_from"], tests)
    return found


def judge(
    rule_set: RuleSet,
    values: ArrayLike,
    prices: ArrayLike,
    *,
    level: float = 1.0,
    classes: Sequence[str] | None = None,
    neighbourhoods: Sequence[str] | None = None,
    unsold: UnsoldTest | None = None,
) -> list[Outcome]:
    """Put values and prices to every test of a rule set.

    Parameters
    ----------
    values, prices : array_like, shape (n,)
        Dollars.
    level : float
        Ratio required of these values: 1 for appraised values, 0.70 for Connecticut's assessments.
    classes, neighbourhoods : sequence of str, optional
        Stratum of each sale; tests by a stratum that is not given are left out.
    unsold : UnsoldTest, optional
        As of `unsold_test`; the test of unsold properties is left out without it.

    Raises
    ------
    RatioStudyError
        As `pairs` says; ``length_mismatch`` also for strata.
    """
    sales = point.pairs(values, prices)
    strata: dict[str, NDArray[np.str_]] = {"all": np.full(sales.n, "all")}
    for name, labels in (("class", classes), ("neighbourhood", neighbourhoods)):
        if labels is None:
            continue
        if len(labels) != sales.n:
            raise RatioStudyError("length_mismatch", f"{len(labels)} strata for {sales.n} sales")
        strata[name] = np.array([str(label) for label in labels])
    outcomes = []
    for test in rule_set.requirements:
        if test.statistic == "unsold":
            outcomes += [_unsold_outcome(test, unsold)] if unsold is not None else []
            continue
        members = strata.get(test.of, np.array([], dtype=str))
        for label in np.unique(members):
            if test.only and str(label) not in test.only:
                continue
            rows = members == label
            figure = None
            if rows.sum() >= test.least:
                figure = _figure(test.statistic, sales, rows, level)
            outcomes.append(_outcome(test, str(label), int(rows.sum()), figure))
    return outcomes


def _figure(statistic: str, sales: point.Pairs, rows: NDArray[np.bool_], level: float) -> float:
    a, s, r = sales.values[rows], sales.prices[rows], sales.ratios[rows]
    if statistic == "level":
        return float(np.median(r)) / level
    if statistic == "level_to_overall":
        return float(np.median(r)) / sales.median
    if statistic == "chasing":
        found = sales_chasing(r, level=level)
        # Both signs are needed, so the smaller of the two decides.
        return min(found.jump, max(found.excess, 0.0))
    return {"cod": point.cod, "prd": point.prd, "prb": point.prb}[statistic](a, s)


def _outcome(test: Requirement, stratum: str, n: int, figure: float | None) -> Outcome:
    return Outcome(
        test.id,
        test.title,
        stratum,
        n,
        figure,
        test.low,
        test.high,
        None if figure is None else test.allows(figure),
        test.is_verified,
        test.source,
    )


def _unsold_outcome(test: Requirement, unsold: UnsoldTest) -> Outcome:
    met = unsold.is_alike(test.high if test.high is not None else 0.0)
    return Outcome(
        test.id,
        test.title,
        "all",
        unsold.n_sold + unsold.n_unsold,
        unsold.difference,
        None if test.high is None else -test.high,
        test.high,
        met,
        test.is_verified,
        test.source,
    )
