"""What a signed list hands on to the next: its lines and exemptions, with the instruments that carry forward."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection

from assessment.roll.models import GrandList
from assessment.roll.selectors import ListedInstrument, iterate_accounts, list_instrument_lines
from assessment.roll.services.posting import Row

ExemptionRow = tuple[str, int, str, dt.date | None]


def carried_lines(previous: GrandList) -> tuple[dict[UUID, list[Row]], dict[UUID, str]]:
    """Return each property's lines as signed with the instruments that carry forward, and its exempt code."""
    changes: dict[UUID, list[ListedInstrument]] = defaultdict(list)
    for item in list_instrument_lines(previous):
        if item.carries_forward and item.section != "exemption":
            changes[UUID(item.property_id)].append(item)
    lines: dict[UUID, list[Row]] = {}
    codes: dict[UUID, str] = {}
    for account in iterate_accounts(previous):
        key = UUID(account.property_id)
        rows: list[Row] = [
            (line.code, Decimal(line.quantity) if line.quantity else None, line.unit, line.appraised, line.assessed)
            for line in account.lines
        ]  # fmt: skip
        lines[key], codes[key] = _after(rows, account.exempt_code, changes.pop(key, []))
    for key, added in changes.items():
        lines[key], codes[key] = _after([], "", added)
    return lines, codes


def _after(rows: list[Row], exempt_code: str, changes: Sequence[ListedInstrument]) -> tuple[list[Row], str]:
    """Return lines and exempt code after instruments; these leave an account wholly exempt or not at all."""
    if not changes:
        return rows, exempt_code
    exempt = sum(row[4] for row in rows) if exempt_code else 0
    for item in changes:
        if item.section == "exempt_property":
            exempt += item.amount_change
            # The lines of an exempt account have detail codes; the instrument names its exempt code.
            places = range(len(rows)) if exempt_code else _places(rows, item.code)
            named = item.code
        else:
            places, named = _places(rows, item.code), item.code
        _apply(rows, list(places), named, item.appraised_change, item.amount_change)
    if exempt > 0:
        code = exempt_code or next(item.code for item in changes if item.section == "exempt_property")
    else:
        code = ""
    left = [row for row in rows if row[3] or row[4]]
    return left or rows[:1], code


def _places(rows: Sequence[Row], code: str) -> list[int]:
    return [place for place, row in enumerate(rows) if row[0] == code]


def _apply(rows: list[Row], places: Sequence[int], code: str, appraised: int, assessed: int) -> None:
    """Spread a change over lines, the first taking what it can without falling below zero."""
    if not places:
        rows.append((code, None, "", max(appraised, 0), max(assessed, 0)))
        return
    for place in places:
        name, quantity, unit, old_appraised, old_assessed = rows[place]
        new_appraised, new_assessed = max(old_appraised + appraised, 0), max(old_assessed + assessed, 0)
        appraised -= new_appraised - old_appraised
        assessed -= new_assessed - old_assessed
        rows[place] = (name, quantity, unit, new_appraised, new_assessed)


def carried_exemptions(previous: GrandList) -> dict[UUID, list[ExemptionRow]]:
    """Return each property's exemptions as granted on a signed list, with the instruments that carry forward."""
    granted: dict[UUID, dict[str, ExemptionRow]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.property_id, e.code, e.amount, e.statute, e.granted_on FROM assessment_exemption e "
            "JOIN assessment_assessment a ON a.id = e.assessment_id "
            "WHERE e.town_id = %s AND a.grand_list_id = %s ORDER BY e.id",
            [previous.town_id, previous.pk],
        )
        for key, code, amount, statute, granted_on in cursor.fetchall():
            granted[key][code] = (code, amount, statute, granted_on)
    for item in list_instrument_lines(previous):
        if item.carries_forward and item.section == "exemption":
            held = granted[UUID(item.property_id)]
            code, amount, statute, granted_on = held.get(
                item.code, (item.code, 0, item.statute, item.dated_on)
            )
            held[item.code] = (code, max(amount + item.amount_change, 0), statute, granted_on)
    return {key: [row for row in held.values() if row[1]] for key, held in granted.items()}
