"""Reading the roll: lists, accounts as listed, the signed snapshot, and what instruments made of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from assessment.property.models import Property
from assessment.region.errors import NotFound
from assessment.roll.models import Assessment, Certification, GrandList, InstrumentLine, SnapshotRow
from assessment.roll.rules.accounts import (
    SignedAccount,
    SignedExemption,
    SignedLine,
    account_from_content,
    cap_exemptions,
)
from assessment.roll.rules.m13 import Effect

PROPERTY_KIND = {
    "real": "real",
    "personal": "personal",
    "motor_vehicle": "vehicle",
    "supplemental": "vehicle",
}
PAGE = 100
CONTENT_COLUMNS = (
    "seq", "list_number", "property_id", "account", "owner", "co_owner", "mailing_address", "location",
    "confidential", "exempt_code", "lines", "exemptions", "gross", "exempt", "net",
)  # fmt: skip


def get_grand_list(town_code: int, year: int, kind: str = "real") -> GrandList:
    """Return a town's list; raise `NotFound` naming the town's lists otherwise."""
    found = GrandList.objects.filter(town_id=town_code, year=year, kind=kind).first()
    if found is None:
        lists = ", ".join(f"{item.year} {item.kind}" for item in list_grand_lists(town_code)) or "none"
        raise NotFound(f"There is no {kind.replace('_', ' ')} list of {year}; the town's lists: {lists}.")
    return found


def list_grand_lists(town_code: int) -> list[GrandList]:
    """Return a town's lists, newest first."""
    return list(GrandList.objects.filter(town_id=town_code))


def get_certification(grand_list: GrandList) -> Certification:
    """Return the certification of a signed list; raise `NotFound`."""
    found = Certification.objects.filter(grand_list=grand_list).first()
    if found is None:
        raise NotFound(f"The {grand_list} is not signed.")
    return found


@dataclass(frozen=True, slots=True)
class Listing:
    """How a property is listed on a day: who owns it and where it lies."""

    property_id: UUID
    account: str
    owner: str
    co_owner: str
    mailing_address: str
    location: str
    is_confidential: bool
    exempt_code: str


# Three plain queries, put together here: on tables that were filled a moment ago the planner knows no counts,
# and one query that joins them ran for minutes on 30,000 properties.
_HELD_SQL = """
SELECT ow.property_id, ow.owner_id, o.name, o.co_name, o.mailing_address, o.mailing_city, o.mailing_state,
       o.mailing_zip, ow.is_confidential
FROM assessment_ownership ow JOIN assessment_owner o ON o.id = ow.owner_id
WHERE ow.town_id = %(town)s AND ow.valid_from <= %(on)s AND (ow.valid_to IS NULL OR ow.valid_to > %(on)s)
  AND (%(only)s::uuid[] IS NULL OR ow.property_id = ANY (%(only)s::uuid[]))
ORDER BY ow.property_id, ow.share_percent DESC, o.name, o.id
"""
_PROPERTIES_SQL = """
SELECT id, account_number, address, exempt_code FROM assessment_property
WHERE town_id = %(town)s AND kind = %(kind)s AND (NOT is_retired OR retired_on > %(on)s)
  AND (%(only)s::uuid[] IS NULL OR id = ANY (%(only)s::uuid[]))
ORDER BY account_number
"""
_REQUESTS_SQL = """
SELECT DISTINCT owner_id FROM assessment_confidentialityrequest
WHERE town_id = %(town)s AND requested_on <= %(on)s AND (ends_on IS NULL OR ends_on > %(on)s)
"""


def list_listings(
    town_code: int, kind: str, *, on: dt.date, only: Sequence[UUID] | None = None
) -> list[Listing]:
    """Return how the town's properties of a kind of list are listed on a day, by account.

    With several owners the largest share comes first, and the second is the co-owner unless the first has
    one. A confidentiality request counts when it was made on or before the day.
    """
    named: dict[str, Any] = {
        "town": town_code,
        "kind": PROPERTY_KIND[kind],
        "on": on,
        "only": list(only) if only is not None else None,
    }
    held: dict[UUID, list[tuple[Any, ...]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_REQUESTS_SQL, named)
        asked = {row[0] for row in cursor.fetchall()}
        cursor.execute(_HELD_SQL, named)
        for row in cursor.fetchall():
            held.setdefault(row[0], []).append(row)
        cursor.execute(_PROPERTIES_SQL, named)
        return [_listing(row, held.get(row[0], []), asked) for row in cursor.fetchall()]


def _listing(subject: tuple[Any, ...], owners: list[tuple[Any, ...]], asked: set[UUID]) -> Listing:
    key, account, address, exempt_code = subject
    if not owners:
        return Listing(key, account, "", "", "", address, False, exempt_code)
    _, _, name, co_name, street, city, state, postcode, _ = owners[0]
    if not co_name and len(owners) > 1:
        co_name = owners[1][2]
    state_and_postcode = " ".join(part for part in (state, postcode) if part)
    mailing = ", ".join(part for part in (street, city, state_and_postcode) if part)
    protected = any(owner[8] or owner[1] in asked for owner in owners)
    return Listing(key, account, name, co_name, mailing, address, protected, exempt_code)


def list_protected_properties(town_code: int, *, on: dt.date) -> set[UUID]:
    """Return the properties of which an owner, now or since, is protected from disclosure on a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ow.property_id FROM assessment_ownership ow WHERE ow.town_id = %(town)s "
            "AND (ow.is_confidential OR EXISTS (SELECT FROM assessment_confidentialityrequest r "
            "WHERE r.town_id = ow.town_id AND r.owner_id = ow.owner_id AND r.requested_on <= %(on)s "
            "AND (r.ends_on IS NULL OR r.ends_on > %(on)s)))",
            {"town": town_code, "on": on},
        )
        return {row[0] for row in cursor.fetchall()}


def iterate_snapshot(grand_list: GrandList) -> Iterator[dict[str, object]]:
    """Yield the hashed content of each snapshot row, with its `row_hash` and `link`, in the order signed."""
    rows = (
        SnapshotRow.objects.filter(town_id=grand_list.town_id, grand_list=grand_list)
        .order_by("seq")
        .values_list(*CONTENT_COLUMNS, "row_hash", "link")
    )
    for row in rows.iterator(chunk_size=5000):
        content: dict[str, object] = dict(zip((*CONTENT_COLUMNS, "row_hash", "link"), row, strict=True))
        content["property_id"] = str(content["property_id"])
        yield content


def iterate_accounts(grand_list: GrandList) -> Iterator[SignedAccount]:
    """Yield the accounts of a signed list as they were signed."""
    for content in iterate_snapshot(grand_list):
        yield account_from_content(content)


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """One line of an instrument with the paper that it stands on."""

    property_id: str
    kind: str
    number: str
    dated_on: dt.date
    list_number: str
    account: str
    owner: str
    location: str
    statute: str
    explanation: str
    carries_forward: bool
    section: str
    code: str
    appraised_change: int
    amount_change: int
    count_change: int

    @property
    def effect(self) -> Effect:
        """Its effect on the abstract."""
        return Effect(
            self.kind,
            self.number,
            self.dated_on,
            self.section,
            self.code,
            self.amount_change,
            self.count_change,
        )


def list_instrument_lines(grand_list: GrandList, *, through: dt.date | None = None) -> list[ListedInstrument]:
    """Return the lines of a list's instruments dated up to and including a day, in order of date and number."""
    rows = InstrumentLine.objects.filter(town_id=grand_list.town_id, instrument__grand_list=grand_list)
    if through is not None:
        rows = rows.filter(instrument__dated_on__lte=through)
    return [
        ListedInstrument(str(row[0]), *row[1:])
        for row in rows.order_by(
            "instrument__dated_on", "instrument__made_at", "instrument__number", "line_number"
        ).values_list(
            "instrument__property_id", "instrument__kind", "instrument__number", "instrument__dated_on",
            "instrument__list_number", "instrument__account", "instrument__owner", "instrument__location",
            "instrument__statute", "instrument__explanation", "instrument__carries_forward",
            "section", "code", "appraised_change", "amount_change", "count_change",
        )
    ]  # fmt: skip


def list_accounts(
    grand_list: GrandList, *, q: str = "", offset: int = 0, limit: int = PAGE
) -> list[SignedAccount]:
    """Return a page of a list's accounts, as signed or, before the signing, as they stand.

    Parameters
    ----------
    q
        Part of an owner's name or a location, or the beginning of an account or list number.
    """
    rows: Any = SnapshotRow.objects if grand_list.is_signed else Assessment.objects
    found = rows.filter(town_id=grand_list.town_id, grand_list=grand_list)
    if q.strip():
        found = found.filter(
            Q(owner__icontains=q) | Q(location__icontains=q) | Q(account__startswith=q) | Q(list_number=q)
        )
    end = offset + min(max(limit, 1), PAGE)
    if grand_list.is_signed:
        return [_signed(row) for row in found.order_by("seq").values(*CONTENT_COLUMNS)[offset:end]]
    accounts = found.prefetch_related("lines", "exemptions").order_by("account", "id")[offset:end]
    return [_standing(item) for item in accounts]


def find_account(grand_list: GrandList, property_id: UUID) -> SignedAccount | None:
    """Return a property's account, as signed or, before the signing, as it stands; None when not listed."""
    if grand_list.is_signed:
        row = (
            SnapshotRow.objects.filter(
                town_id=grand_list.town_id, grand_list=grand_list, property_id=property_id
            )
            .values(*CONTENT_COLUMNS)
            .first()
        )
        return _signed(row) if row else None
    item = (
        Assessment.objects.filter(town_id=grand_list.town_id, grand_list=grand_list, property_id=property_id)
        .prefetch_related("lines", "exemptions")
        .first()
    )
    return _standing(item) if item else None


def _signed(row: dict[str, Any]) -> SignedAccount:
    return account_from_content({**row, "property_id": str(row["property_id"])})


def _standing(item: Assessment) -> SignedAccount:
    lines = tuple(
        SignedLine(
            line.detail_code,
            "" if line.quantity is None else f"{line.quantity.normalize():f}",
            line.unit,
            line.appraised,
            line.assessed,
        )
        for line in sorted(item.lines.all(), key=lambda line: line.line_number)
    )
    granted = sorted(item.exemptions.all(), key=lambda exemption: exemption.pk)
    applied = cap_exemptions(sum(line.assessed for line in lines), [row.amount for row in granted])
    return SignedAccount(
        seq=0, list_number=item.list_number, property_id=str(item.property_id), account=item.account,
        owner=item.owner, co_owner=item.co_owner, mailing_address=item.mailing_address, location=item.location,
        confidential=item.is_confidential, exempt_code=item.exempt_code, lines=lines,
        exemptions=() if item.exempt_code else tuple(
            SignedExemption(row.code, amount, row.statute) for row, amount in zip(granted, applied, strict=True)
        ),
    )  # fmt: skip


def list_property_history(town_code: int, property_id: UUID) -> list[tuple[GrandList, SignedAccount]]:
    """Return a property's account on each list of its town, newest first: what a record card shows."""
    history = []
    for grand_list in GrandList.objects.filter(town_id=town_code, assessments__property_id=property_id):
        account = find_account(grand_list, property_id)
        if account is not None:
            history.append((grand_list, account))
    return history


def find_signed_account(grand_list: GrandList, subject: Property) -> SignedAccount | None:
    """Return a property's account as it was signed, or None when it was not on the list."""
    return find_account(grand_list, subject.pk) if grand_list.is_signed else None


_TOTALS_SQL = """
SELECT count(*), coalesce(sum(gross), 0)::bigint,
       coalesce(sum(CASE WHEN exempt_code <> '' THEN gross ELSE least(gross, granted) END), 0)::bigint
FROM (SELECT a.exempt_code,
             coalesce((SELECT sum(l.assessed) FROM assessment_assessmentline l WHERE l.assessment_id = a.id), 0) AS gross,
             coalesce((SELECT sum(e.amount) FROM assessment_exemption e WHERE e.assessment_id = a.id), 0) AS granted
      FROM assessment_assessment a WHERE a.town_id = %(town)s AND a.grand_list_id = %(list)s) accounts
"""


def get_totals(grand_list: GrandList) -> dict[str, int]:
    """Return accounts, gross, exempt and net of a list as it now stands in its lines and exemptions."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS_SQL, {"town": grand_list.town_id, "list": grand_list.pk})
        accounts, gross, exempt = cursor.fetchone()
    return {"accounts": accounts, "gross": int(gross), "exempt": int(exempt), "net": int(gross) - int(exempt)}
