"""``manage.py ratio_study``: the ratio study of any table, without a database, or of a town's valuation run."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assessment.region.actors import Actor
from assessment.region.errors import NotFound, Problem
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from valuation.ratio.rules import Outcome, RatioStudy, RatioStudyError, judge, rule_sets, study, study_by
from valuation.review.evidence import sold_conclusions, unsold_of
from valuation.review.judged import TITLES, choose_judged
from valuation.runs.selectors import find_finished_run
from valuation.tables import TableError, column, numbers, read_table

EXAMPLES = """
examples:
  manage.py ratio_study sales.csv --value appraised --price saleprice
  manage.py ratio_study sales.csv --value appraised --price saleprice --by neighborhood --trim extreme
  manage.py ratio_study sales.csv --value appraised --price saleprice --json > study.json
  manage.py ratio_study sales.csv --value assessed --price saleprice --rules CT-62i-2001 --level 0.70 --class class
  manage.py ratio_study --town hamden --year 2025
  manage.py ratio_study --town hamden --year 2025 --judge cost --rules CT-62i-2001 --json

A table's value is the column that --value names. Of a run (the newest posted of the list, else the newest done)
--judge names it: conclusion (reconciled, overrides in force included), cost, market or income; without it the
conclusion is judged where the run has one, else cost.
"""
_SHOWN = ("median", "mean", "weighted_mean", "cod", "cov", "prd", "prb", "mki", "ki", "vei")


class Command(BaseCommand):
    """Print level, uniformity and vertical equity of values against prices."""

    help = "Ratio study of a CSV file or of a town's run: level, uniformity and vertical equity with their intervals."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, its columns and the choices."""
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("file", type=Path, nargs="?", help="CSV file, plain or gzipped")
        parser.add_argument("--value", help="column of values (appraised, assessed or estimated)")
        parser.add_argument("--price", help="column of sale prices")
        parser.add_argument(
            "--town", help="study a run of this town (number, name or slug) in place of a file"
        )
        parser.add_argument("--year", type=int, help="the run's list year")
        parser.add_argument("--judge", help="the run's value to judge: conclusion, cost, market or income")
        parser.add_argument("--by", help="column of strata: one more study for each")
        parser.add_argument(
            "--trim",
            choices=("none", "extreme", "outlier", "quantile"),
            default="none",
            help="drop ratios beyond 3 (extreme) or 1.5 (outlier) interquartile ranges, or each end's 5 %%, once",
        )
        parser.add_argument("--confidence", type=float, default=0.95, help="of the intervals (default 0.95)")
        parser.add_argument("--resamples", type=int, default=1000, help="bootstrap draws; 0 for none")
        parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
        parser.add_argument(
            "--drop-bad",
            action="store_true",
            help="leave out rows without a positive value and price, and say how many",
        )
        parser.add_argument("--weight", help="column of weights: how much each sale counts")
        parser.add_argument(
            "--rules", choices=sorted(rule_sets()), help="put the sales to a rule set's tests"
        )
        parser.add_argument(
            "--level",
            type=float,
            default=1.0,
            help="ratio the rules ask for: 0.70 for assessments (default 1)",
        )
        parser.add_argument("--class", dest="class_column", help="column of classes for the rules' tests")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, study, print."""
        try:
            result = _result(options)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except (TableError, RatioStudyError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(result), indent=2))
        else:
            self._print(result)

    def _print(self, result: dict[str, Any]) -> None:
        whole: RatioStudy = result["all"]
        self.stdout.write(f"judged: {result['judged_title']}")
        self.stdout.write(
            f"{whole.n} sales, {whole.trimmed} trimmed ({whole.trim_rule}), "
            f"{result['dropped']} rows without a positive value and price left out"
        )
        for name in _SHOWN:
            figure = whole[name]
            value = "-" if figure.value is None else f"{figure.value:.4f}"
            limits = figure.interval
            span = (
                f"  {limits.confidence:.0%}: {limits.low:.4f} to {limits.high:.4f} ({limits.method})"
                if limits
                else ""
            )
            self.stdout.write(f"  {name:<14}{value:>12}{span}")
        for note in whole.notes:
            self.stdout.write(f"  note: {note}")
        if result["strata"]:
            self.stdout.write(f"\n{'stratum':<24}{'n':>7}{'median':>9}{'cod':>9}{'prd':>8}{'prb':>9}")
        for part in result["strata"]:
            cells = [part[name].value for name in ("median", "cod", "prd", "prb")]
            shown = "".join(f"{'-' if cell is None else format(cell, '.3f'):>9}" for cell in cells)
            self.stdout.write(f"{part.stratum[:24]:<24}{part.n:>7}{shown}")
        for name, count in result["small_strata"].items():
            self.stdout.write(f"{name[:24]:<24}{count:>7}  too few for a study")
        for outcome in result["outcomes"]:
            self.stdout.write(_spell(outcome))


def _result(options: dict[str, Any]) -> dict[str, Any]:
    if not 0.5 <= options["confidence"] < 1:
        raise TableError("bad_option", f"--confidence must be between 0.5 and 1, not {options['confidence']}")
    if options["resamples"] < 0:
        raise TableError("bad_option", "--resamples cannot be negative")
    common = {key: options[key] for key in ("confidence", "resamples", "seed")} | {
        "trim_rule": options["trim"]
    }
    if options["town"]:
        return _of_run(options, common)
    _check_table(options)
    frame = read_table(options["file"])
    values, prices = numbers(column(frame, options["value"])), numbers(column(frame, options["price"]))
    good = (values > 0) & (prices > 0)
    if not good.all() and not options["drop_bad"]:
        raise TableError(
            "bad_rows",
            f"{int((~good).sum())} of {len(frame)} rows have no positive value and price "
            f"(first: line {int((~good).to_numpy().argmax()) + 2}); correct them, or pass --drop-bad",
        )
    if not good.any():
        raise TableError("empty", "no row has a positive value and price")
    if options["weight"] and options["by"]:
        raise TableError("bad_option", "--weight is for the study of all sales; leave out --by")
    weights = numbers(column(frame, options["weight"]))[good].to_numpy() if options["weight"] else None
    strata: list[RatioStudy] = []
    small: dict[str, int] = {}
    a, s = values[good].to_numpy(), prices[good].to_numpy()
    if options["by"]:
        strata, small = study_by(a, s, column(frame, options["by"])[good].tolist(), **common)
    return {
        "judged": options["value"],
        "judged_title": f"column {options['value']!r}",
        "all": study(a, s, weights=weights, **common),
        "strata": strata,
        "small_strata": small,
        "dropped": int((~good).sum()),
        "outcomes": _outcomes(options, a, s, frame, good),
    }


def _check_table(options: dict[str, Any]) -> None:
    if not (options["file"] and options["value"] and options["price"]):
        raise TableError("bad_option", "give a file with --value and --price, or --town and --year")
    if options["judge"] or options["year"]:
        raise TableError(
            "bad_option", "--judge and --year are for a town's run; of a table --value is judged"
        )


def _of_run(options: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """Judge one value of a town's newest run of a list."""
    for name in ("file", "value", "price", "by", "weight", "class_column", "drop_bad"):
        if options[name]:
            raise TableError("bad_option", "a file and its columns cannot be given together with --town")
    if not options["year"]:
        raise TableError("bad_option", "--town needs --year, the list year of the run")
    _check_level(options)
    town = get_town(options["town"])
    with scope(Actor.system("ratio_study"), towns=[], read_only=[town.code], reason="ratio study"):
        run = find_finished_run(town.code, options["year"])
        if run is None:
            raise NotFound(f"{town.name} has no finished valuation run for the list of {options['year']}.")
        judged = choose_judged(run, options["judge"] or "")
        sales = sold_conclusions(run, of=judged)
        if len(sales.prices) < 5:
            raise TableError("too_few", f"{TITLES[judged]}: fewer than five usable sales to judge it by")
        outcomes = (
            judge(
                rule_sets()[options["rules"]],
                sales.values,
                sales.prices,
                level=options["level"],
                classes=list(sales.classes),
                neighbourhoods=list(sales.neighbourhoods),
                unsold=unsold_of(run, of=judged),
            )
            if options["rules"]
            else []
        )
    return {
        "judged": judged,
        "judged_title": f"{TITLES[judged]}, list of {run.list_year} of {town.name}, run {run.pk}",
        "run": str(run.pk),
        "all": study(sales.values, sales.prices, **common),
        "strata": [],
        "small_strata": {},
        "dropped": 0,
        "outcomes": outcomes,
    }


def _check_level(options: dict[str, Any]) -> None:
    if not 0 < options["level"] <= 2:
        raise TableError("bad_option", f"--level must be above 0 and at most 2, not {options['level']}")


def _outcomes(options: dict[str, Any], a: Any, s: Any, frame: Any, good: Any) -> list[Outcome]:
    if not options["rules"]:
        return []
    _check_level(options)
    return judge(
        rule_sets()[options["rules"]],
        a,
        s,
        level=options["level"],
        classes=column(frame, options["class_column"])[good].tolist() if options["class_column"] else None,
        neighbourhoods=column(frame, options["by"])[good].tolist() if options["by"] else None,
    )


def _spell(outcome: Outcome) -> str:
    verdict = {True: "met", False: "NOT MET", None: "too few sales"}[outcome.is_met]
    figure = "" if outcome.figure is None else f" {outcome.figure:.3f}"
    known = "" if outcome.is_verified else " (rule not verified: decides nothing)"
    return f"{outcome.title}, {outcome.stratum} (n {outcome.n}):{figure} {verdict}{known}"


def _as_json(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "judged": result["judged"],
        "judged_title": result["judged_title"],
        **({"run": result["run"]} if "run" in result else {}),
        **result["all"].as_json(),
        "rows_left_out": result["dropped"],
        "strata": [part.as_json() for part in result["strata"]],
        "strata_too_small": result["small_strata"],
        "rules": [outcome.as_json() for outcome in result["outcomes"]],
    }
