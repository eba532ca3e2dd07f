"""Which value of a run a ratio study judges: what was concluded, or what one approach says."""

from __future__ import annotations

from typing import Any

from valuation.review.errors import NothingToJudge
from valuation.runs.models import Conclusion, Estimate, Run

CONCLUSION, COST = "conclusion", "cost"
TITLES = {
    CONCLUSION: "Value concluded (reconciled, overrides in force included)",
    COST: "Cost approach",
    "market": "Market approach",
    "income": "Income approach",
}


def list_judged(run: Run) -> list[str]:
    """Return the values that the run has, as keys of `TITLES` in their order."""
    return [name for name in TITLES if _has(run, name)]


def choose_judged(run: Run, asked: str = "") -> str:
    """Return which value is judged: the one asked for, else the conclusion where the run has one, else cost.

    Raises
    ------
    NothingToJudge
        No value is called so, or the run does not have it.
    """
    if not asked:
        return CONCLUSION if _has(run, CONCLUSION) else COST
    if asked not in TITLES:
        raise NothingToJudge(
            f"A ratio study judges {_listed(list(TITLES))}, not '{asked[:40]}'.", choices=list(TITLES)
        )
    if not _has(run, asked):
        has = list_judged(run)
        raise NothingToJudge(
            f"This run has no value by '{asked}' to judge; it has {_listed(has) if has else 'none'}.",
            choices=has,
        )
    return asked


def study_of_run(
    run: Run, asked: str = "", *, resamples: int = 500, rule_set: str | None = None
) -> dict[str, Any]:
    """Return the ratio study of one value of a run as plain values; ``study`` is None under five usable sales.

    Raises
    ------
    NothingToJudge
        As `choose_judged` says.
    """
    # Here: numpy comes with them.
    from valuation.ratio.rules import judge, rule_sets, study
    from valuation.review.evidence import sold_conclusions, unsold_of

    judged = choose_judged(run, asked)
    sales = sold_conclusions(run, of=judged)
    found: dict[str, Any] = {
        "run": str(run.pk),
        "list_year": run.list_year,
        "judged": judged,
        "judged_title": TITLES[judged],
        "choices": list_judged(run),
        "sales": len(sales.prices),
        "study": None,
        "rules": [],
    }
    if len(sales.prices) < 5:
        return found
    found["study"] = study(sales.values, sales.prices, resamples=resamples, seed=run.seed).as_json()
    if rule_set:
        outcomes = judge(
            rule_sets()[rule_set],
            sales.values,
            sales.prices,
            classes=list(sales.classes),
            neighbourhoods=list(sales.neighbourhoods),
            unsold=unsold_of(run, of=judged),
        )
        found["rules"] = [outcome.as_json() for outcome in outcomes]
    return found


def _has(run: Run, name: str) -> bool:
    if name == CONCLUSION:
        return Conclusion.objects.filter(run=run).exists()
    return Estimate.objects.filter(run=run, approach=name).exists()


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
