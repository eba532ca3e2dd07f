"""``manage.py value``: a valuation run of one town."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.commands import ExplainedCommand
from assessment.region.errors import Problem
from assessment.region.progress import bar
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from assessment.roll.services.posting import PostingReport
from valuation.review.closing import close_run
from valuation.review.posting import is_revaluation, post_conclusions
from valuation.runs.facts import parse_wanted
from valuation.runs.models import RatioStudyRecord, Run
from valuation.runs.rules.basis import basis_in_words
from valuation.runs.selectors import list_ratio_studies
from valuation.runs.services import run_valuation
from valuation.specs.selectors import find_adopted_spec
from valuation.specs.services import DEFAULT_NAME, adopt_spec, get_spec

_STAGES = 6


class Command(ExplainedCommand):
    """Freeze the facts, value by cost with the market model beside it, judge on later sales, keep everything."""

    help = """Value a town as of 1 October of a year.

examples:
  manage.py value --town hamden --year 2025
  manage.py value --town 901 --year 2025 --spec town-calibrated --json
  manage.py value --town hamden --year 2025 --adopt --post

Without --spec the model that the town adopted for the year is used, else ct-residential. Values go to the
open grand list only with --post, and only from a model that the town adopted (--adopt does so here).
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--town", required=True, help="number, name or slug")
        parser.add_argument(
            "--year", type=int, required=True, help="the list year; values are as of its 1 October"
        )
        parser.add_argument("--spec", help="model, as name or name:version")
        parser.add_argument(
            "--facts-as-of",
            default="",
            metavar="DAY",
            help="read the record as it stood on this day, or 'now'; default: the list's 1 October once it is past",
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--adopt", action="store_true", help="adopt the model for the town and year")
        parser.add_argument(
            "--post",
            action="store_true",
            help="post the values to the open list; a revaluation is closed first",
        )
        parser.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="CHECK=REASON",
            help="accept a missed check of the closing with a reason; may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("value")
        try:
            town = get_town(options["town"])
            year: int = options["year"]
            with scope(actor, towns=[town.code], reason=f"valuation of {year}"):
                named = options["spec"]
                spec = None if named else find_adopted_spec(town.code, year)
                spec = spec or get_spec(named or DEFAULT_NAME, actor=actor)
                steps = iter(bar(range(_STAGES), total=_STAGES, label=f"valuing {town.name}"))
                run = run_valuation(
                    town,
                    year=year,
                    spec=spec,
                    actor=actor,
                    seed=options["seed"],
                    facts=parse_wanted(options["facts_as_of"]),
                    tell=lambda _: next(steps, None),
                )
                for _ in steps:
                    pass
                if options["adopt"]:
                    adopt_spec(
                        town, spec=run.spec, list_year=year, actor=actor, adopted_on=timezone.localdate(),
                        reason="adopted by the operator",
                    )  # fmt: skip
                accepted = _accepted(options["accept"])
                posted = _post(run, actor=actor, accepted=accepted) if options["post"] else None
                report = _report(run)
                if posted is not None:
                    report["posted"] = {
                        "changed": posted.changed, "unchanged": posted.unchanged, "added": posted.added,
                        "gross_before": posted.gross_before, "gross_after": posted.gross_after,
                    }  # fmt: skip
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._print(report)

    def _print(self, report: dict[str, Any]) -> None:
        counts = report["counts"]
        self.stdout.write(
            f"{counts['properties']:,} properties valued at ${counts['appraised_dollars']:,} by {report['spec']}"
            f" ({counts['fallback']:,} by the typical value of their kind)"
        )
        self.stdout.write(basis_in_words(counts.get("facts")))
        self.stdout.write(
            f"{counts['sales_fitted']:,} sales fitted, {counts['sales_held']:,} later sales to judge on"
        )
        self.stdout.write(
            f"{'':<16}{'sales':<34}{'n':>5}{'median':>8}{'COD (95 %)':>20}{'PRD (95 %)':>24}{'PRB (95 %)':>26}"
        )
        for row in report["ratio_studies"]:
            if row["stratum_kind"] not in ("all", "market_subset"):
                continue
            trimmed = f", {row['trimmed']} extreme trimmed" if row["trim_rule"] != "none" else ""
            self.stdout.write(
                f"{row['subject']:<16}{row['stratum'] + trimmed:<34}{row['n']:>5}"
                f"{_figure(row['median'], 3, span=False):>8}{_figure(row['cod'], 1):>20}"
                f"{_figure(row['prd'], 3):>24}{_figure(row['prb'], 3):>26}"
            )
        for subject, better in report["beats_baselines_beyond_intervals"].items():
            self.stdout.write(
                f"{subject}: COD interval {'below' if better else 'not below'} those of both baselines"
            )
        seconds = sum(stage["seconds"] for stage in report["stages"])
        self.stdout.write(f"run {report['run']}, values {report['values_sha256'][:16]}, {seconds:.1f} s")
        if "posted" in report:
            posted = report["posted"]
            self.stdout.write(
                f"posted: {posted['changed']:,} changed, {posted['unchanged']:,} as before; "
                f"assessed ${posted['gross_after']:,}"
            )


def _accepted(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if any(not name or not reason.strip() for name, _, reason in pairs):
        raise CommandError('Write --accept CHECK="why it is accepted".')
    return {name: reason for name, _, reason in pairs}


def _post(run: Run, *, actor: Actor, accepted: dict[str, str]) -> PostingReport:
    if run.base_run_id is None and is_revaluation(run):
        close_run(run, actor=actor, accepted=accepted)
    return post_conclusions(run, actor=actor)


def _figure(figure: dict[str, Any], places: int, *, span: bool = True) -> str:
    if figure["value"] is None:
        return "-"
    text = f"{figure['value']:.{places}f}"
    if not span or figure.get("low") is None:
        return text
    return f"{text} ({figure['low']:.{places}f} to {figure['high']:.{places}f})"


def _beats(rows: list[RatioStudyRecord], subject: str) -> bool | None:
    """Return whether a way of valuing clears both baselines on the same sales; None where it is not judged.

    The market model is compared on the sales that it could value, where these are fewer.
    """
    kinds = [row.stratum_kind for row in rows]
    kind = "market_subset" if subject == "market" and "market_subset" in kinds else "all"

    def cod(name: str, stratum_kind: str) -> dict[str, Any] | None:
        found = (
            row
            for row in rows
            if (row.subject, row.stratum_kind, row.trim_rule) == (name, stratum_kind, "none")
        )
        row = next(found, None)
        return row.figures["cod"] if row and row.figures["cod"].get("low") is not None else None

    ours = cod(subject, "all")
    theirs = [cod(name, kind) for name in ("fixed_value", "value_per_area")]
    if ours is None or None in theirs:
        return None
    return all(ours["high"] < each["low"] for each in theirs if each)


def _report(run: Run) -> dict[str, Any]:
    studies = list_ratio_studies(run)
    return {
        "run": str(run.pk),
        "town": run.town_id,
        "year": run.list_year,
        "spec": str(run.spec),
        "facts": run.counts.get("facts"),
        "snapshot_sha256": run.snapshot_sha256,
        "values_sha256": run.values_sha256,
        "code_version": run.code_version,
        "seed": run.seed,
        "counts": run.counts,
        "stages": run.stages,
        "local_factors": run.tables["local"]["evidence"],
        "ratio_studies": [
            {
                "subject": row.subject, "stratum_kind": row.stratum_kind, "stratum": row.stratum, "n": row.n,
                "trimmed": row.trimmed, "trim_rule": row.trim_rule, "sales_from": row.sales_from.isoformat(),
                "sales_to": row.sales_to.isoformat(), **row.figures,
            }
            for row in studies
        ],
        "beats_baselines_beyond_intervals": {
            name: better for name in ("cost", "market") if (better := _beats(studies, name)) is not None
        },
    }  # fmt: skip
