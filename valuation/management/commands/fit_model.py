"""``manage.py fit_model``: fit and test valuation models on any table of sales, without a database."""

from __future__ import annotations

import csv
import json
import math
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assessment.roll.errors import OutputNotWritten
from assessment.roll.files.atomic import require_writable, whole_file
from valuation.cost.rules import CalibrationError, ScheduleError
from valuation.fitting.judging import FitReport
from valuation.fitting.making import FitError
from valuation.fitting.rules import fit
from valuation.fitting.spec import day_text, read_spec, sales_of
from valuation.frames.rules import FeatureRefused
from valuation.ratio.rules import RatioStudyError
from valuation.tables import TableError, read_table

EXAMPLES = """
examples:
  manage.py fit_model sales.csv --spec spec.toml
  manage.py fit_model sales.csv.gz --spec docs/specs/king_county.toml --json > fit.json
  manage.py fit_model sales.csv --spec spec.toml --predictions held_out.csv --schedule schedule.json

The last tenth of the sales by date is held out, cut between days, and reaches no fit.
Worked specs with their explanation are in docs/specs/.
"""


class Command(BaseCommand):
    """Fit on earlier sales, judge on later ones, beside baselines and the cards' own values."""

    help = "Fit and test valuation models on a CSV file of sales (time-ordered split)."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, the spec and the outputs."""
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("file", type=Path, help="CSV file of sales, plain or gzipped")
        parser.add_argument(
            "--spec", type=Path, required=True, help="TOML file that says what each column means"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--resamples", type=int, default=500, help="bootstrap draws for PRD and MKI")
        parser.add_argument(
            "--predictions", type=Path, help="write the held-out sales with every value (CSV)"
        )
        parser.add_argument("--schedule", type=Path, help="write the calibrated cost schedule (JSON)")
        parser.add_argument(
            "--only", action="store_true", help="fit the spec's model and the baselines alone"
        )
        parser.add_argument("--threads", type=int, default=1, help="processor cores of the trees")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, fit, judge, print."""
        _refuse_numbers(options)
        outputs = [options[name] for name in ("predictions", "schedule") if options[name]]
        if len({path.resolve() for path in (options["file"], options["spec"], *outputs)}) < 2 + len(outputs):
            raise CommandError("The files to read and to write must be different ones.")
        try:
            for path in outputs:
                require_writable(path)
            spec = read_spec(options["spec"])
            sales = sales_of(read_table(options["file"]), spec)
            report = fit(
                sales,
                spec,
                seed=options["seed"],
                resamples=options["resamples"],
                kinds=(spec.model,) if options["only"] else None,
                threads=options["threads"],
                on_stage=self._stage,
            )
        except (
            TableError,
            FitError,
            FeatureRefused,
            CalibrationError,
            ScheduleError,
            RatioStudyError,
            OutputNotWritten,
        ) as error:
            raise CommandError(str(error)) from error
        try:
            _write(report, options["predictions"], options["schedule"])
        except OutputNotWritten as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2))
        else:
            self._print(report)

    def _stage(self, stage: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"fitting: {stage}")

    def _print(self, report: FitReport) -> None:
        self.stdout.write(
            f"{report.train_rows} to fit on, {report.chosen.study.n} from {report.holdout_from} on"
        )
        header = f"{'':<16}{'n':>7}{'median':>8}{'COD':>7}{'(95 %)':>15}{'PRD':>7}{'(95 %)':>15}{'PRB':>8}{'(95 %)':>18}"
        self.stdout.write(header + f"{'MAPE':>8}{'R2':>8}{'s':>7}")
        for name, judged in report.judged.items():
            cod, prd, prb = (judged.study[name] for name in ("cod", "prd", "prb"))
            prd_span = f"{prd.interval.low:.3f}-{prd.interval.high:.3f}" if prd.interval else "-"
            cod_span = f"{cod.interval.low:.1f}-{cod.interval.high:.1f}" if cod.interval else "-"
            prb_span = f"{prb.interval.low:+.3f} {prb.interval.high:+.3f}" if prb.interval else "-"
            self.stdout.write(
                f"{name:<16}{judged.study.n:>7}{_shown(judged.study['median'].value, 8)}{_shown(cod.value, 7, 2)}"
                f"{cod_span:>15}{_shown(prd.value, 7)}{prd_span:>15}{_shown(prb.value, 8)}{prb_span:>18}"
                f"{judged.mape_percent:>8.1f}{judged.r2:>8.3f}{judged.seconds:>7.1f}"
            )
        for note in report.notes:
            self.stdout.write(f"note: {note}")


def _shown(value: float | None, width: int, digits: int = 3) -> str:
    return f"{'-' if value is None else format(value, f'.{digits}f'):>{width}}"


def _refuse_numbers(options: dict[str, Any]) -> None:
    for name, least in (("seed", 0), ("resamples", 0), ("threads", 1)):
        if options[name] < least:
            raise CommandError(f"--{name} must be {least} or more, not {options[name]}.")


def _write(report: FitReport, predictions: Path | None, schedule: Path | None) -> None:
    """Write both files or neither."""
    if schedule and report.schedule is None:
        raise CommandError(
            "No cost schedule was calibrated: the spec compares no cost model; leave out --schedule."
        )
    with ExitStack() as drafts:
        if predictions:
            _write_predictions(drafts.enter_context(whole_file(predictions)), report)
        if schedule and report.schedule is not None:
            text = json.dumps(report.schedule.as_json(), indent=1) + "\n"
            drafts.enter_context(whole_file(schedule)).write_text(text, encoding="utf-8")


def _write_predictions(path: Path, report: FitReport) -> None:
    """Write one row for each held-out sale, in order of date: id, price, date, stratum, value, limits, all models."""
    chosen = report.chosen.prediction
    nothing = [""] * len(chosen.values)
    low = nothing if chosen.low is None else [_dollars(value) for value in chosen.low]
    high = nothing if chosen.high is None else [_dollars(value) for value in chosen.high]
    others = [name for name in report.judged if name != report.spec.model]
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["row", "price", "date", "stratum", "prediction", "low", "high", *others])
        held = report.held
        for at, row in enumerate(held["row"]):
            writer.writerow(
                [
                    row,
                    _dollars(held["prices"][at]),
                    day_text(held["sold_on"][at]),
                    held["stratum"][at],
                    _dollars(chosen.values[at]),
                    low[at],
                    high[at],
                    *(_dollars(report.judged[name].values[at]) for name in others),
                ]
            )


def _dollars(value: float) -> str:
    return f"{value:.2f}".removesuffix(".00") if math.isfinite(value) else ""
