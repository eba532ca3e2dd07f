"""The documentation of a valuation run, as sections of text and tables; made from the stored run alone.

The sections follow what a mass appraisal report states under USPAP Standard 6 (client and use, effective date,
scope, data, model, testing, conclusions, conditions, certification), as appraisers know it: the Standard's own
text was not seen, so no rule number is cited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from valuation.runs.rules.basis import basis_in_words

Cell = str | int | float | None


@dataclass(frozen=True)
class Grid:
    """A table of the report; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Section:
    """One numbered section."""

    title: str
    paragraphs: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class RunFacts:
    """What the report is made from; every figure is one that the run stored.

    Attributes
    ----------
    studies
        Ratio studies as plain values: subject, stratum kind, stratum, n, figures.
    judged
        The conclusion and each approach as they stand, against all usable sales: title, n, figures.
    overrides
        Count and dollars before and after of the overrides in force, by reason.
    checks, accepted
        Of the closing, when there is one.
    """

    town: str
    list_year: int
    spec: str
    spec_sha256: str
    spec_title: str
    calibrated: Mapping[str, Any]
    schedule: Mapping[str, Any]
    settings: Mapping[str, Any]
    local: Sequence[Mapping[str, Any]]
    counts: Mapping[str, Any]
    stages: Sequence[Mapping[str, Any]]
    snapshot_sha256: str
    values_sha256: str
    code_version: str
    seed: int
    started_at: str
    started_by: str
    base_run: str
    adopted_by: str
    adopted_on: str
    studies: Sequence[Mapping[str, Any]]
    judged: Sequence[Mapping[str, Any]]
    overrides: Sequence[tuple[str, int, int, int]]
    checks: Sequence[Mapping[str, Any]]
    accepted: Mapping[str, str]
    closed_by: str
    closed_at: str


_SUBJECTS = {
    "cost": "Cost approach",
    "market": "Market model",
    "cards": "Values on the cards",
    "value_per_area": "Baseline: one price per square foot",
    "fixed_value": "Baseline: one value for all",
}


def document_of(facts: RunFacts) -> list[Section]:
    """Return the report's sections in order."""
    return [
        _assignment(facts),
        _scope(facts),
        _data(facts),
        _model(facts),
        _tables(facts),
        _testing(facts),
        _review(facts),
        _conditions(facts),
        _certification(facts),
    ]


def _assignment(facts: RunFacts) -> Section:
    return Section(
        "Assignment",
        (
            f"Client and intended user: the assessor of {facts.town}. Intended use: real property values for the "
            f"grand list of October 1, {facts.list_year}; other uses are not intended.",
            f"Effective date of value: October 1, {facts.list_year}. The run was made on {facts.started_at} by "
            f"{facts.started_by}.",
            "Type of value: the present true and actual value, which is the fair market value and not the value at "
            "a forced or auction sale (CGS 12-63(a)); land classified as farm, forest or open space is listed at use "
            "value, which is set aside from this model. Rights appraised: the fee simple, as the card describes it.",
        )
        + (
            (f"An interim year: values are made at the schedules of the base revaluation, {facts.base_run}.",)
            if facts.base_run
            else ()
        ),
    )


def _scope(facts: RunFacts) -> Section:
    counts = facts.counts
    by_group = counts.get("by_group", {})
    return Section(
        "Properties and scope of work",
        (
            f"{counts.get('properties', 0):,} properties were valued in mass by one model, worth "
            f"${counts.get('appraised_dollars', 0):,} before review. {counts.get('fallback', 0):,} of them lack a fact "
            "that the model needs (an area, as a rule) and stand at the typical value of their kind, each flagged.",
        ),
        (
            Grid(
                "Properties by kind",
                ("Kind", "Properties"),
                tuple((str(name).replace("_", " "), int(n)) for name, n in by_group.items()),
            ),
        )
        if by_group
        else (),
    )


def _data(facts: RunFacts) -> Section:
    counts = facts.counts
    return Section(
        "Data",
        (
            f"Sales: {counts.get('sales', 0):,} usable transfers; {counts.get('sales_fitted', 0):,} fitted, and the "
            f"latest {counts.get('sales_held', 0):,} held back to judge the values by. Their validity is suggested by "
            "rules and decided by persons, each with its reason.",
            f"Characteristics: the record of the town. {basis_in_words(counts.get('facts'))} Values already on a list "
            "or a card are compared and are never an input.",
            f"Facts and sales are identified by SHA-256 {facts.snapshot_sha256}, so that the same input can be proven.",
        ),
    )


def _model(facts: RunFacts) -> Section:
    calibrated = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in _plain(facts.calibrated))
    return Section(
        "Model specification and calibration",
        (
            f"Model: {facts.spec}" + (f", {facts.spec_title}" if facts.spec_title else "") + f" (SHA-256 {facts.spec_sha256}).",
            "Cost approach: land by a lot-size curve with site and neighbourhood factors; building as area x base rate x "
            "grade x size, with additives, depreciated by age and condition; outbuildings by the unit; local factors of "
            "the town, its kinds of property and its neighbourhoods from its own sales. Each part is rounded and the "
            "value is their sum.",
            "Market approach: a model of the same sales stands beside each value as a check and flags where they "
            "disagree. Income approach: where rents and expenses are known, see the estimates of each property.",
            *((f"Calibration: {calibrated}.",) if calibrated else ()),
            *(("Settings: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in _plain(facts.settings)) + ".",)
              if facts.settings else ()),
        ),
    )  # fmt: skip


def _tables(facts: RunFacts) -> Section:
    grids = []
    for name, table in facts.schedule.items():
        rows = _table_rows(table)
        if rows:
            grids.append(Grid(name.replace("_", " ").capitalize(), ("Level", "Figure"), rows))
    if facts.local:
        grids.append(
            Grid(
                "Local factors, each with its ratio study (Tuohy v. Groton, 331 Conn. 745)",
                ("Of", "Name", "Factor", "Sales", "Median ratio before", "after"),
                tuple(
                    (
                        str(row.get("kind", "")),
                        str(row.get("name", "")),
                        row.get("factor"),
                        row.get("n"),
                        row.get("median_ratio_before"),
                        row.get("median_ratio_after"),
                    )
                    for row in facts.local
                ),
            )
        )
    return Section("Price schedules and factors", (), tuple(grids))


def _testing(facts: RunFacts) -> Section:
    def figure(row: Mapping[str, Any], name: str, places: int) -> str:
        found = row["figures"].get(name) or {}
        value, low, high = found.get("value"), found.get("low"), found.get("high")
        if value is None:
            return ""
        span = f" ({low:.{places}f} to {high:.{places}f})" if low is not None and high is not None else ""
        return f"{value:.{places}f}{span}"

    whole = [row for row in facts.studies if row["stratum_kind"] in ("all", "market_subset")]
    strata = [row for row in facts.studies if row["stratum_kind"] in ("group", "neighbourhood")]
    columns = ("Values", "Sales", "Median", "COD", "PRD", "PRB")

    def rows(studies: Sequence[Mapping[str, Any]]) -> tuple[tuple[Cell, ...], ...]:
        return tuple(
            (
                _SUBJECTS.get(row["subject"], row["subject"])
                if row["stratum_kind"] in ("all", "market_subset")
                else f"{row['stratum_kind']} {row['stratum']}".replace("_", " "),
                row["n"],
                figure(row, "median", 3),
                figure(row, "cod", 1),
                figure(row, "prd", 3),
                figure(row, "prb", 3),
            )
            for row in studies
        )

    grids = []
    if facts.judged:
        grids.append(
            Grid(
                "Values judged as they stand, on all usable sales (95 % intervals)",
                columns,
                tuple(
                    (
                        row["title"],
                        row["n"],
                        figure(row, "median", 3),
                        figure(row, "cod", 1),
                        figure(row, "prd", 3),
                        figure(row, "prb", 3),
                    )
                    for row in facts.judged
                ),
            )
        )
    if whole:
        grids.append(
            Grid("Every way of valuing, on the same later sales (95 % intervals)", columns, rows(whole))
        )
    if strata:
        grids.append(
            Grid("The cost approach by kind and by neighbourhood", ("Stratum", *columns[1:]), rows(strata))
        )
    text = (
        "Values are judged on sales that no value was fitted on, all later than those that were. Level before the "
        "last levelling is shown; the levelling moves the median and nothing else."
        if whole
        else "There were too few later sales for a ratio study; the procedural standards of RCSA 12-62i-4 apply."
    )
    standing = (
        f"Judged as they stand: {'; '.join(row['title'].lower() for row in facts.judged)}. Each value is brought to "
        "the price level of the day of its sale. Those sales helped to make the values, so they flatter them; the studies on later sales do not."
        if facts.judged
        else "There were fewer than five usable sales for a ratio study of the values as they stand."
    )
    return Section("Performance testing", (standing, text), tuple(grids))


def _review(facts: RunFacts) -> Section:
    grids = []
    flags = facts.counts.get("flags", {})
    if flags:
        grids.append(
            Grid(
                "Flags",
                ("Flag", "Properties"),
                tuple((name.replace("_", " "), int(n)) for name, n in flags.items()),
            )
        )
    if facts.overrides:
        grids.append(
            Grid(
                "Overrides in force",
                ("Reason", "Properties", "Before, dollars", "After, dollars"),
                tuple(facts.overrides),
            )
        )
    if facts.checks:
        grids.append(
            Grid(
                "Checks at closing",
                ("Check", "Found", "State", "Accepted because"),
                tuple(
                    (row["title"], row["found"], row["state"], facts.accepted.get(row["id"], ""))
                    for row in facts.checks
                ),
            )
        )
    closed = (
        f"Closed by {facts.closed_by} on {facts.closed_at}."
        if facts.closed_by
        else "The run has not been closed."
    )
    return Section("Review and conclusion", (closed,), tuple(grids))


def _conditions(facts: RunFacts) -> Section:
    del facts
    return Section(
        "Assumptions and limiting conditions",
        (
            "Facts are as recorded; interiors that were not seen are as estimated or as told, and the card says which.",
            "No survey, title search or search for contamination was made. Title is taken as good, and use as lawful.",
            "Rates marked as unverified in the product's parameters are placeholders and are flagged on each property "
            "they touch.",
            "An interval beside a value is the range in which nine of ten sales of such property fall, not a limit of "
            "the value itself.",
        ),
    )


def _certification(facts: RunFacts) -> Section:
    adopted = (
        f"Adopted for the list by {facts.adopted_by} on {facts.adopted_on}."
        if facts.adopted_by
        else "The model has not been adopted for the list."
    )
    return Section(
        "Reproduction and certification",
        (
            f"Code {facts.code_version}, seed {facts.seed}; concluded values SHA-256 {facts.values_sha256}. The same "
            "facts, model, code and seed give the same values to the dollar.",
            adopted,
            "Signed by the appraiser who is responsible for the report:  ______________________________   Date: ____________",
        ),
        (
            Grid(
                "Stages",
                ("Stage", "Seconds"),
                tuple((str(row["name"]), float(row["seconds"])) for row in facts.stages),
            ),
        )
        if facts.stages
        else (),
    )


def _plain(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the entries that are one figure or word."""
    return [(name, str(value)) for name, value in values.items() if isinstance(value, str | int | float)]


def _table_rows(table: Any) -> tuple[tuple[Cell, ...], ...]:
    """Return a schedule's table as rows; a curve by its points, nested tables by both names."""
    if isinstance(table, Mapping):
        rows: list[tuple[Cell, ...]] = []
        for name, value in table.items():
            if isinstance(value, Mapping):
                rows += [
                    (f"{name}: {level}", figure) for level, figure in value.items() if _is_figure(figure)
                ]
            elif _is_figure(value):
                rows.append((str(name), value))
        return tuple(rows)
    if isinstance(table, Sequence) and not isinstance(table, str):
        return tuple(
            (point[0], point[1]) for point in table if isinstance(point, Sequence) and len(point) == 2
        )
    return ()


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
