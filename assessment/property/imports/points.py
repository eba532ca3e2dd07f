"""Import where properties are, as points by identifier."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from django.db.models import F
from django.utils import timezone

from assessment.property.bulk import in_batches, update_rows
from assessment.property.imports.edits import IMPORT_REASON
from assessment.property.imports.fitting import FittedCard, fit_card
from assessment.property.imports.matching import ALIAS_ORDER
from assessment.property.imports.outcome import ImportOutcome
from assessment.property.imports.runs import finish_run, lock_imports, start_run
from assessment.property.models import Property, PropertyAlias
from assessment.property.projecting import to_feet
from assessment.property.rules.addresses import address_key
from assessment.property.tabular.cards import CardReader
from assessment.property.tabular.problems import Reason, RowProblem, RowsRefused
from assessment.property.tabular.reading import open_table
from assessment.property.tabular.shipped import choose_mapping
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.progress import bar
from assessment.region.rules import Permission
from assessment.region.scope import scope

_BATCH = 5_000
# A geocoder may put a house on the wrong side of a line; a point further off is another place.
_OUTSIDE_FT = 1_000
# Points that moved less than this say the same.
_SAME_FT = 0.5


@dataclass(frozen=True, slots=True)
class PointImport:
    """What to import and how; see `assessment.property.imports.cards.CardImport`."""

    path: Path
    mapping: str = ""
    on_error: str = "skip"
    is_dry_run: bool = False


class _DryRun(Exception):
    """Takes everything back at the end of a dry run."""


def import_points(town: Town, *, actor: Actor, wanted: PointImport) -> ImportOutcome:
    """Put properties on the map by their identifiers.

    A row is refused when its identifier is not on record, when it has no coordinates, or when the point is
    more than 1,000 ft outside of the town. An address that differs from the record's is reported. The same
    file again changes nothing.

    Raises
    ------
    FileUnreadable, ColumnsMissing, MappingInvalid, RowsRefused, Forbidden
        As `import_cards`.
    """
    actor.require(Permission.IMPORT, town.code)
    table = open_table(wanted.path)
    mapping = choose_mapping(table.header, wanted.mapping, "points")
    outcome = ImportOutcome(
        "points", wanted.path.name, mapping.name, None, wanted.is_dry_run, encoding=table.encoding
    )
    began = time.monotonic()
    run = start_run(town, wanted.path, actor=actor, outcome=outcome)
    reason = f"{IMPORT_REASON}{wanted.path.name}"
    refused: RowsRefused | None = None
    try:
        with scope(actor, towns=[town.code], reason=reason):
            lock_imports(town.code)
            reader = CardReader(mapping, table)
            _import_all(town, reader, outcome)
            if outcome.report.rejected_rows and wanted.on_error == "abort":
                raise RowsRefused(
                    f"{len(outcome.report.rejected_rows)} of {reader.rows} rows cannot be used; "
                    "nothing was imported.",
                    report=outcome.report.as_json(),
                )
            if wanted.is_dry_run:
                raise _DryRun
            outcome.duration_s = time.monotonic() - began
            finish_run(run, outcome)
    except _DryRun:
        pass
    except RowsRefused as error:
        refused = error
    if wanted.is_dry_run or refused:
        outcome.duration_s = time.monotonic() - began
        with scope(actor, towns=[town.code], reason=reason):
            finish_run(run, outcome, nothing_written=True)
    if refused:
        raise refused
    return outcome


def _import_all(town: Town, reader: CardReader, outcome: ImportOutcome) -> None:
    area = _town_area(town)
    rows = bar(reader, label=f"points of {town.name}")
    cards = []
    for item in rows:
        if isinstance(item, RowProblem):
            outcome.report.add(item)
        else:
            cards.append(fit_card(item, list_year=0))
    for batch in in_batches(cards, _BATCH):
        _place(town.code, batch, area, outcome)
    outcome.counts["read"] = reader.rows
    outcome.counts["rejected"] = len(outcome.report.rejected_rows)
    outcome.columns_unused = reader.columns_unused


def _place(
    town_code: int, batch: Sequence[FittedCard], area: shapely.Geometry | None, outcome: ImportOutcome
) -> None:
    held = _properties(town_code, batch)
    points = [fitted.card.parts["point"] for fitted in batch]
    xs, ys = to_feet([float(p["longitude"]) for p in points], [float(p["latitude"]) for p in points])
    moved = []
    for fitted, x, y in zip(batch, xs, ys, strict=True):
        row = next((held[key] for key in fitted.aliases.items() if key in held), None)
        if row is None:
            _refuse(outcome, fitted, Reason.NO_MATCH, "has no property on record")
        elif not math.isfinite(x) or (area is not None and not shapely.contains_xy(area, x, y)):
            _refuse(outcome, fitted, Reason.OUTSIDE_TOWN, "is not in the town")
        else:
            outcome.counts["accepted"] += 1
            _tell_other_address(outcome, fitted, row)
            if _is_elsewhere(row, x, y):
                moved.append({"id": row.id, "town_id": town_code, "location_x_ft": x, "location_y_ft": y})
            else:
                outcome.counts["unchanged"] += 1
    count = update_rows(Property, moved, ("location_x_ft", "location_y_ft"))
    Property.objects.filter(town_id=town_code, id__in=[row["id"] for row in moved]).update(
        version=F("version") + 1, updated_at=timezone.now()
    )
    outcome.counts["changed"] += count
    outcome.counts["updated_property"] += count


def _properties(town_code: int, batch: Sequence[FittedCard]) -> dict[tuple[str, str], Property]:
    values = {value for fitted in batch for value in fitted.aliases.values()}
    rows = PropertyAlias.objects.filter(
        town_id=town_code, valid_to=None, id_type__in=ALIAS_ORDER, value__in=values
    ).select_related("property")
    return {(row.id_type, row.value): row.property for row in rows}


def _refuse(outcome: ImportOutcome, fitted: FittedCard, reason: Reason, what: str) -> None:
    card = fitted.card
    sentence = f"{card.key} {what}; the point is left out."
    outcome.report.add(RowProblem(card.row, "", card.key, reason, sentence, card=card.key))


def _tell_other_address(outcome: ImportOutcome, fitted: FittedCard, row: Property) -> None:
    theirs, ours = address_key(fitted.address), address_key(row.address)
    if theirs and ours and theirs != ours:
        sentence = f"The file says {fitted.address}, the record {row.address}; the point was taken."
        outcome.report.add(
            RowProblem(
                fitted.card.row,
                "",
                fitted.address,
                Reason.ADDRESS_DIFFERS,
                sentence,
                rejected=False,
                card=fitted.card.key,
            )
        )


def _is_elsewhere(row: Property, x: float, y: float) -> bool:
    if row.location_x_ft is None or row.location_y_ft is None:
        return True
    return math.hypot(row.location_x_ft - x, row.location_y_ft - y) > _SAME_FT


def _town_area(town: Town) -> shapely.Geometry | None:
    boundary = Town.objects.values_list("boundary", flat=True).get(code=town.code)
    if not boundary:
        return None
    area = shapely.buffer(shapely.make_valid(shapely.from_wkb(bytes(boundary))), _OUTSIDE_FT)
    shapely.prepare(area)
    return area
