"""Importing the state's sales file: read, match, judge, and write what changed, all or nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from assessment.property.bulk import in_batches, insert_rows, update_rows
from assessment.property.models import ImportRun
from assessment.property.projecting import to_feet
from assessment.property.statistics import analyze_after
from assessment.property.tabular.problems import ColumnsMissing, Reason, RowProblem, RowsRefused
from assessment.property.tabular.reading import open_table
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.progress import bar
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from assessment.sales.parameters import validity_rules
from assessment.sales.rules.addresses import parse_address
from assessment.sales.rules.matching import AddressBook, Match
from assessment.sales.rules.matching import Reason as NoMatch
from assessment.sales.rules.state_file import SaleRow, SalesHeader
from assessment.sales.rules.validity import normalise_nonuse_code, suggest_validity
from assessment.sales.selectors import list_addresses
from assessment.sales.services.report import SalesReport, TownSales

_BATCH = 2_000
_STATED = (
    "recorded_on",
    "address",
    "assessed_value",
    "price",
    "property_type",
    "residential_type",
    "nonuse_code",
    "nonuse_raw",
    "assessor_remarks",
    "state_remarks",
    "location_x_ft",
    "location_y_ft",
    "suggested_validity",
    "suggested_reason",
)
_MATCHED = ("property_id", "complex_id", "match_method", "match_score", "match_reason", "match_note")


def import_sales(
    path: Path,
    *,
    actor: Actor,
    now: dt.datetime,
    town_codes: Iterable[int] = (),
    dry_run: bool = False,
    on_error: str = "skip",
) -> SalesReport:
    """Bring the sales of a file into the record. The same file again changes nothing.

    Everything is one transaction: an import that is killed leaves nothing behind. What a person decided
    (validity, a property given by hand) is kept.

    Parameters
    ----------
    town_codes
        Only these towns' rows; all towns of the file when empty.
    on_error
        ``skip`` leaves bad rows out and reports them; ``abort`` then imports nothing.

    Raises
    ------
    FileUnreadable, ColumnsMissing
        The file is no table, or lacks columns of the state's file.
    RowsRefused
        Rows are bad and ``on_error`` is ``abort``.
    Forbidden
        The actor may not import in one of the towns.
    """
    report = SalesReport(path.name, "", dry_run)
    towns = {town.name.casefold(): town for town in Town.objects.defer("boundary")}
    wanted = set(town_codes)
    by_town = _read_file(path, report, towns, wanted, now.date())
    report.sha256 = _sha256(path)
    if on_error == "abort" and report.refused.rejected_rows:
        first = report.refused.problems[0]
        raise RowsRefused(
            f"{len(report.refused.rejected_rows)} rows were refused, the first is row {first.row}: "
            f"{first.sentence} Nothing was imported.",
            report=report.as_json(),
        )
    codes = sorted(by_town)
    for code in codes:
        actor.require(Permission.IMPORT, code)
    named = {town.code: town.name for town in towns.values()}
    with scope(actor, towns=codes, reason=f"import of sales from {path.name}"):
        for code in bar(codes, total=len(codes), label="sales by town"):
            report.towns.append(_import_town(TownSales(code, named[code]), by_town[code], actor, report, now))
    if not dry_run:
        analyze_after({Transfer: sum(t.counts["added"] + t.counts["changed"] for t in report.towns)})
    return report


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_file(
    path: Path, report: SalesReport, towns: Mapping[str, Town], wanted: set[int], today: dt.date
) -> dict[int, list[SaleRow]]:
    """Read the file into rows by town; what is refused goes to the report."""
    table = open_table(path)
    header = SalesHeader(table.header)
    if header.missing:
        raise ColumnsMissing(
            f"{path.name} lacks {', '.join(header.missing)}; a sales file of the state has them.",
            missing=header.missing,
        )
    by_town: dict[int, list[SaleRow]] = defaultdict(list)
    seen: dict[tuple[int, int, str], int] = {}
    for raw in bar(table.rows, label="rows read"):
        report.rows += 1
        row = raw if isinstance(raw, RowProblem) else header.read(raw.number, raw.cells, today=today)
        if isinstance(row, RowProblem):
            report.refused.add(row)
            continue
        town = towns.get(row.town.casefold())
        if town is None:
            report.refused.add(_refuse(row, "Town", row.town, Reason.NO_MATCH, "There is no such town."))
        elif wanted and town.code not in wanted:
            report.passed_over += 1
        elif first := seen.get((town.code, *row.key)):
            sentence = f"Row {first} has the same town, list year and serial number."
            report.refused.add(
                _refuse(row, "Serial Number", row.serial_number, Reason.DUPLICATE_ID, sentence)
            )
        else:
            seen[town.code, *row.key] = row.number
            by_town[town.code].append(row)
    return dict(by_town)


def _refuse(row: SaleRow, column: str, value: str, reason: Reason, sentence: str) -> RowProblem:
    return RowProblem(
        row.number, column, value, reason, sentence, card=f"{row.list_year}/{row.serial_number}"
    )


def _import_town(
    town: TownSales, rows: list[SaleRow], actor: Actor, report: SalesReport, now: dt.datetime
) -> TownSales:
    # Two imports into one town would both find a sale absent and one would fail on the constraint: they queue.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('import_sales'), %s)", [town.code])
    book = AddressBook(list_addresses(town.code))
    outcomes = [_match(book, row) for row in rows]
    fields = [_fields(row, match) for row, match in zip(rows, outcomes, strict=True)]
    _add_points(rows, fields)
    known = {
        (one["list_year"], one["serial_number"]): one
        for one in Transfer.objects.filter(town_id=town.code, source=Transfer.Source.STATE).values(
            "id", "list_year", "serial_number", "decided_validity", *_STATED, *_MATCHED
        )
    }
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for row, values in zip(rows, fields, strict=True):
        held = known.get(row.key)
        if held is None:
            held = {
                "id": new_id(),
                "town_id": town.code,
                "list_year": row.list_year,
                "serial_number": row.serial_number,
                **values,
            }
            new.append(held)
        elif _update(held, values):
            changed.append({"town_id": town.code, **held})
        _count(town, row, held)
    town.counts.update(
        read=len(rows), added=len(new), changed=len(changed), unchanged=len(rows) - len(new) - len(changed)
    )
    if not report.dry_run:
        _write(town, new, changed, actor, report, now)
    return town


def _match(book: AddressBook, row: SaleRow) -> Match:
    if not len(book):
        return Match(None, reason=NoMatch.TOWN_HAS_NO_PROPERTIES)
    return book.match(row.address, unit_expected=row.is_of_a_unit)


def _fields(row: SaleRow, match: Match) -> dict[str, Any]:
    rules = validity_rules(row.recorded_on)
    code = normalise_nonuse_code(row.nonuse_raw, rules.codes)
    suggestion = suggest_validity(
        nonuse_code=code,
        price=row.price,
        names_several=match.reason is NoMatch.SEVERAL_PROPERTIES or parse_address(row.address).names_several,
        rules=rules,
    )
    return {
        "recorded_on": row.recorded_on,
        "address": row.address,
        "assessed_value": row.assessed_value,
        "price": row.price,
        "property_type": row.property_type,
        "residential_type": row.residential_type,
        "nonuse_code": code or "",
        "nonuse_raw": row.nonuse_raw,
        "assessor_remarks": row.assessor_remarks,
        "state_remarks": row.state_remarks,
        "location_x_ft": None,
        "location_y_ft": None,
        "suggested_validity": suggestion.validity.value,
        "suggested_reason": suggestion.reason,
        "property_id": _key(match, "property"),
        "complex_id": _key(match, "complex"),
        "match_method": match.method.value if match.method else "",
        "match_score": match.score if match.method else None,
        "match_reason": match.reason.value if match.reason else "",
        "match_note": match.note[:200],
    }


def _key(match: Match, kind: str) -> UUID | None:
    """Return the id in a key of `list_addresses`, if it is of that kind."""
    if not isinstance(match.key, tuple) or match.key[0] != kind:
        return None
    found: UUID = match.key[1]
    return found


def _add_points(rows: list[SaleRow], fields: list[dict[str, Any]]) -> None:
    located = [
        (values, row.longitude, row.latitude)
        for row, values in zip(rows, fields, strict=True)
        if row.longitude is not None and row.latitude is not None
    ]
    eastings, northings = to_feet([lon for _, lon, _ in located], [lat for _, _, lat in located])
    for (values, _, _), x_ft, y_ft in zip(located, eastings, northings, strict=True):
        values["location_x_ft"], values["location_y_ft"] = x_ft, y_ft


def _update(held: dict[str, Any], values: dict[str, Any]) -> bool:
    """Bring a known transfer to the file's values, keeping a property given by hand; tell if it changed."""
    names = _STATED if held["match_method"] == Transfer.BY_HAND else (*_STATED, *_MATCHED)
    differing = {name: values[name] for name in names if held[name] != values[name]}
    held.update(differing)
    return bool(differing)


def _count(town: TownSales, row: SaleRow, held: dict[str, Any]) -> None:
    town.by_validity[held.get("decided_validity") or held["suggested_validity"]] += 1
    if held["match_method"]:
        town.by_method[held["match_method"]] += 1
        return
    town.by_reason[held["match_reason"]] += 1
    town.unmatched.append(
        {
            "row": row.number,
            "town": town.code,
            "list_year": row.list_year,
            "serial_number": row.serial_number,
            "address": row.address,
            "reason": held["match_reason"],
            "note": held["match_note"],
        }
    )


def _write(
    town: TownSales,
    new: list[dict[str, Any]],
    changed: list[dict[str, Any]],
    actor: Actor,
    report: SalesReport,
    now: dt.datetime,
) -> None:
    run = ImportRun.objects.create(
        town_id=town.code,
        kind="sales",
        file_name=report.file_name[:200],
        file_sha256=report.sha256,
        mapping="state",
        started_at=now,
        finished_at=now,
        run_by_id=actor.person_id,
        counts=town.as_json(),
        report={"without_property": town.unmatched},
    )
    for row in (*new, *changed):
        row["import_run_id"] = run.id
    for batch in in_batches(new, _BATCH):
        insert_rows(Transfer, batch)
    for batch in in_batches(changed, _BATCH):
        update_rows(Transfer, batch, [*_STATED, *_MATCHED, "import_run_id"])
