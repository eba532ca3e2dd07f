"""Running a valuation and posting what it concludes."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

import pandas as pd
from django.db import transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.roll.models import GrandList
from valuation.cost.rules import CalibrationError, Schedule
from valuation.fitting.rules import make_neighbourhoods
from valuation.frames.rules import digest
from valuation.income.joining import as_text, income_join
from valuation.runs import reading, selectors
from valuation.runs.errors import NoBaseSchedules, NothingToValue, TooFewSales
from valuation.runs.facts import FactsBasis, TownFacts, Wanted, basis_of, choose_basis
from valuation.runs.models import Run
from valuation.runs.rules.groups import review_defaults
from valuation.runs.rules.levelling import Tables
from valuation.runs.rules.pipeline import TooFewSalesError, value_frame
from valuation.runs.writing import write_results
from valuation.specs.models import ModelSpec

Tell = Callable[[str], object]
_SALES_YEARS = 5


@cache
def code_version() -> str:
    """Return the product's version with a hash of the code that makes values."""
    here = Path(__file__).parents[1]
    hasher = hashlib.sha256()
    for folder in (
        "comparables/parameters",
        "comparables/rules",
        "cost",
        "fitting",
        "frames",
        "intervals",
        "income",
        "market",
        "pooling",
        "runs/rules",
        "runs/parameters",
    ):
        for path in sorted((here / folder).rglob("*")):
            if path.suffix in (".py", ".yaml"):
                hasher.update(path.read_bytes())
    return f"{metadata.version('grandlist') if _is_installed() else '0'}+{hasher.hexdigest()[:12]}"


def _is_installed() -> bool:
    try:
        metadata.version("grandlist")
    except metadata.PackageNotFoundError:
        return False
    return True


@transaction.atomic
def run_valuation(
    town: Town,
    *,
    year: int,
    spec: ModelSpec,
    actor: Actor,
    seed: int = 0,
    note: str = "",
    facts: Wanted = "list",
    tell: Tell | None = None,
) -> Run:
    """Value a town as of 1 October of a year, judge the values on later sales, and keep everything.

    Parameters
    ----------
    facts
        As of which day the record is read: by default the list's 1 October, once it is past
        (`choose_basis`); a day; or ``now`` for the record as it stands.

    Facts and sales are frozen (their hash is kept), then valued by cost with the market model beside; equal
    facts, spec, code and seed give equal values to the dollar. In an interim year (the open list is no
    revaluation) the posted run of the base revaluation gives the tables. Nothing is posted.

    Raises
    ------
    Forbidden
        Without the permission to run valuations in the town.
    NothingToValue, TooFewSales, NoBaseSchedules, FactsAhead, RecordBeginsLater
        As they say.
    """
    actor.require(Permission.RUN_VALUATION, town.code)
    say = tell or (lambda _stage: None)
    base_run = _base_run(town.code, year)
    run = Run.objects.create(
        town=town,
        spec=base_run.spec if base_run else spec,
        base_run=base_run,
        list_year=year,
        note=note,
        code_version=code_version(),
        seed=seed,
        started_at=timezone.now(),
        started_by_id=actor.person_id,
        started_by_name=actor.name,
    )
    valued_on = dt.date(year, 10, 1)
    say("facts")
    started = time.perf_counter()
    basis = choose_basis(town.code, year, facts)
    run.facts_on = basis.day
    read = _read_facts(town.code, basis, seed=seed)
    frame, features, land_lines = read.frame, read.features, read.land_lines
    if frame.empty:
        raise NothingToValue(f"{town.name} has no real property.")
    settings = {**review_defaults(), **run.spec.settings}
    years = int(settings.get("sales_years", _SALES_YEARS))
    sales = reading.sales_frame(
        town.code, first_on=dt.date(year - years, 10, 1), last_on=dt.date(year + 1, 9, 30)
    )
    previous, cards = reading.previous_values(town.code, year), reading.card_values(town.code)
    run.snapshot_sha256 = _snapshot(frame, features, land_lines, sales)
    seconds = round(time.perf_counter() - started, 3)
    try:
        result = value_frame(
            frame,
            sales,
            valued_on=valued_on,
            schedule=Schedule.from_json(run.spec.schedule) if run.spec.schedule else None,
            calibration=run.spec.calibration,
            settings=settings,
            base=Tables.from_json(base_run.tables) if base_run else None,
            features=features,
            land_lines=land_lines,
            previous=previous,
            cards=cards,
            seed=seed,
            on_stage=say,
        )
    except (TooFewSalesError, CalibrationError) as error:
        raise TooFewSales(f"{town.name}: {error}.") from error
    say("writing")
    started = time.perf_counter()
    income = income_join(
        town.code,
        year,
        frame,
        result.valued.frame,
        base=base_run.tables.get("income", {}) if base_run else None,
        settings=settings,
    )
    run.values_sha256 = write_results(run, result, income)
    run.tables, run.counts = result.tables.as_json(), {**result.counts, "facts": basis.as_json()}
    if income.told:
        run.tables["income"] = dict(income.told)
        run.snapshot_sha256 = hashlib.sha256(
            f"{run.snapshot_sha256}{as_text(income.told)}".encode()
        ).hexdigest()
        values = result.valued.frame["value"].to_dict()
        moved = sum(each.concluded - int(values[key]) for key, each in income.by_property.items())
        run.counts = {
            **run.counts,
            "income_estimates": len(income.by_property),
            "appraised_dollars": run.counts["appraised_dollars"] + moved,
        }
    run.stages = [
        {"name": "facts", "seconds": seconds},
        *result.stages,
        {"name": "writing", "seconds": round(time.perf_counter() - started, 3)},
    ]
    run.state, run.finished_at = Run.State.DONE, timezone.now()
    run.save()
    return run


def _base_run(town_code: int, year: int) -> Run | None:
    grand_list = GrandList.objects.filter(town_id=town_code, year=year, kind=GrandList.Kind.REAL).first()
    if grand_list is None or grand_list.base_revaluation_on.year >= year:
        return None
    base = selectors.find_base_run(town_code, grand_list.base_revaluation_on.year)
    if base is None and grand_list.basis == GrandList.Basis.ROLL_FORWARD:
        raise NoBaseSchedules(
            f"The {grand_list} is valued at the schedules of {grand_list.base_revaluation_on}, "
            "and no run of that year was posted."
        )
    return base


def facts_of_run(run: Run) -> TownFacts:
    """Return the facts of a run's town as of the run's day, with places found as the run found them."""
    return _read_facts(run.town_id, basis_of(run), seed=run.seed)


def _read_facts(town_code: int, basis: FactsBasis, *, seed: int) -> TownFacts:
    frame = reading.facts_frame(town_code, basis.standing)
    return TownFacts(
        _with_places(frame, seed=seed),
        reading.features_frame(town_code, basis.standing),
        reading.land_lines_frame(town_code, basis.standing),
    )


def _with_places(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Give properties without a neighbourhood one by place alone, where their place is known."""
    blank = (frame["neighbourhood"] == "") & frame["x"].notna() & frame["y"].notna()
    first = blank & ~frame["property_id"].duplicated()
    if first.sum() < 200:
        return frame
    count = int(min(max(first.sum() // 400, 8), 60))
    _, (named,) = make_neighbourhoods(frame[first], [frame[blank]], count=count, seed=seed)
    out = frame.copy()
    out.loc[blank, "neighbourhood"] = named
    return out


def _snapshot(*frames: pd.DataFrame) -> str:
    return hashlib.sha256("".join(digest(frame) for frame in frames).encode()).hexdigest()
