"""The abstract of a list for its page: by class and detail code, as it stands or as it was signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection

from assessment.roll.models import Certification, GrandList, Instrument
from assessment.roll.parameters import abstract_codes
from assessment.roll.rules.codes import AbstractCodes, UnknownCodeError
from assessment.roll.rules.m13 import Abstract, Cell, bridge
from assessment.roll.selectors import list_instrument_lines
from assessment.roll.services.exporting import board_finished_on

# An account counts once in each code it carries, as in `assessment.roll.rules.m13.tabulate`.
SIGNED_SQL = """
WITH rows AS MATERIALIZED (
  SELECT seq, exempt_code, lines, exemptions, gross FROM assessment_snapshotrow
  WHERE town_id = %(town)s AND grand_list_id = %(list)s)
SELECT 'assessed', l ->> 0, count(DISTINCT seq), sum((l ->> 4)::bigint)::bigint
FROM rows CROSS JOIN LATERAL jsonb_array_elements(lines) l WHERE exempt_code = '' GROUP BY 2
UNION ALL
SELECT 'exemption', e ->> 0, count(DISTINCT seq), sum((e ->> 1)::bigint)::bigint
FROM rows CROSS JOIN LATERAL jsonb_array_elements(exemptions) e WHERE exempt_code = '' GROUP BY 2
UNION ALL
SELECT 'exempt_property', exempt_code, count(*), sum(gross)::bigint FROM rows WHERE exempt_code <> '' GROUP BY 2
UNION ALL
SELECT 'accounts', '', count(*), 0 FROM rows
"""
WORKING_SQL = """
WITH accounts AS MATERIALIZED (
  SELECT id, exempt_code FROM assessment_assessment WHERE town_id = %(town)s AND grand_list_id = %(list)s),
coded AS MATERIALIZED (
  SELECT a.id, a.exempt_code, l.detail_code, sum(l.assessed) AS assessed
  FROM accounts a JOIN assessment_assessmentline l ON l.assessment_id = a.id AND l.town_id = %(town)s
  GROUP BY 1, 2, 3),
granted AS MATERIALIZED (
  SELECT a.id, e.code, e.amount FROM accounts a
  JOIN assessment_exemption e ON e.assessment_id = a.id AND e.town_id = %(town)s WHERE a.exempt_code = '')
SELECT 'assessed', detail_code, count(*), sum(assessed)::bigint FROM coded WHERE exempt_code = '' GROUP BY 2
UNION ALL
SELECT 'exemption', code, count(*), sum(amount)::bigint FROM granted GROUP BY 2
UNION ALL
SELECT 'exempt_property', exempt_code, count(DISTINCT id), sum(assessed)::bigint
FROM coded WHERE exempt_code <> '' GROUP BY 2
UNION ALL
SELECT 'accounts', '', count(*), 0 FROM accounts
"""


@dataclass(frozen=True)
class Line:
    """One row of a table: label, accounts and dollars."""

    code: str
    label: str
    count: int
    amount: int
    is_class: bool = False


@dataclass(frozen=True)
class BridgeRow:
    """One figure through the stages of the bridge."""

    label: str
    amounts: Sequence[int]
    is_total: bool = False


def read_working_abstract(grand_list: GrandList) -> Abstract:
    """Return the abstract of an unsigned list as it stands; exemptions as granted, not yet stopped at the gross.

    Kept until the list's next change: every service that changes one moves its `changed_at`.
    """
    return _kept(f"abstract:{grand_list.pk}:{grand_list.changed_at.isoformat()}", WORKING_SQL, grand_list)


def read_signed_abstract(grand_list: GrandList, certification: Certification) -> Abstract:
    """Return the abstract of a signed list. It never changes, so it is kept by its root."""
    return _kept(f"abstract:{grand_list.pk}:{certification.root}", SIGNED_SQL, grand_list)


def _kept(key: str, sql: str, grand_list: GrandList) -> Abstract:
    found: Abstract | None = cache.get(key)
    if found is None:
        found = _read(sql, grand_list)
        cache.set(key, found, timeout=24 * 3600)
    return found


def _read(sql: str, grand_list: GrandList) -> Abstract:
    tables: dict[str, dict[str, Cell]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"town": grand_list.town_id, "list": grand_list.pk})
        for section, code, count, amount in cursor.fetchall():
            tables[section][code] = Cell(count, amount or 0)
    accounts = tables.pop("accounts", {}).get("", Cell()).count
    return Abstract(
        assessed=dict(sorted(tables["assessed"].items())),
        exemption=dict(sorted(tables["exemption"].items())),
        exempt_property=dict(sorted(tables["exempt_property"].items())),
        accounts=accounts,
    )


def list_classes(abstract: Abstract, kind: str) -> list[Line]:
    """Return the assessed cells by class, each followed by its detail codes, in the state's order."""
    codes = abstract_codes()
    by_class: dict[str, list[Line]] = defaultdict(list)
    for code, cell in abstract.assessed.items():
        by_class[_class_of(codes, kind, code)].append(
            Line(code, _label(codes, kind, code), cell.count, cell.amount)
        )
    lines = []
    for state_class, details in sorted(by_class.items()):
        amount = sum(line.amount for line in details)
        title = codes.classes.get(state_class, state_class)
        lines.append(Line(state_class, title, max(line.count for line in details), amount, is_class=True))
        lines += sorted(details, key=lambda line: line.code)
    return lines


def list_exempt(abstract: Abstract) -> list[Line]:
    """Return the wholly exempt property by its four-letter code."""
    codes = abstract_codes()
    return [
        Line(code, _exempt_label(codes, code), cell.count, cell.amount)
        for code, cell in abstract.exempt_property.items()
    ]


def make_bridge(grand_list: GrandList, signed: Abstract) -> tuple[list[str], list[BridgeRow]]:
    """Return the M-13's bridge from "as signed" over the instruments to "after the board": columns and rows."""
    through = board_finished_on(grand_list)
    effects = [line.effect for line in list_instrument_lines(grand_list, through=through)]
    made = bridge(signed, effects, through=through)
    names: Mapping[str, str] = {str(value): str(label) for value, label in Instrument.Kind.choices}
    stages = [
        ("As signed", made.signed),
        *((names[step.kind], step.change) for step in made.steps),
        ("After the board", made.after),
    ]
    codes = abstract_codes()
    classes = sorted(
        {_class_of(codes, grand_list.kind, code) for _, stage in stages for code in stage.assessed}
    )
    rows = [
        BridgeRow(
            f"{state_class} {codes.classes.get(state_class, '')}".strip(),
            [
                sum(
                    cell.amount
                    for code, cell in stage.assessed.items()
                    if _class_of(codes, grand_list.kind, code) == state_class
                )
                for _, stage in stages
            ],
        )
        for state_class in classes
    ]
    rows += [
        BridgeRow("Gross", [stage.gross for _, stage in stages], is_total=True),
        BridgeRow("Exemptions", [stage.exemptions for _, stage in stages]),
        BridgeRow("Net taxable", [stage.net for _, stage in stages], is_total=True),
        BridgeRow("Tax-exempt property (M-13a)", [stage.exempt for _, stage in stages]),
    ]
    return [title for title, _ in stages], rows


def _class_of(codes: AbstractCodes, kind: str, code: str) -> str:
    try:
        return codes.detail(kind, code).state_class
    except UnknownCodeError:
        return "?"


def _label(codes: AbstractCodes, kind: str, code: str) -> str:
    try:
        return codes.detail(kind, code).label
    except UnknownCodeError:
        return code


def _exempt_label(codes: AbstractCodes, code: str) -> str:
    try:
        return codes.exempt_label(code)
    except UnknownCodeError:
        return code
