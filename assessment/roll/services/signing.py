"""Signing a grand list: the snapshot, the chain, the certification, and a copy of it outside PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from assessment.property.blobs import store_blob
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Person, Town
from assessment.region.rules import Permission
from assessment.roll.errors import AccountsWithoutValue, CertificateNeeded
from assessment.roll.files.atomic import make_folder, write_whole
from assessment.roll.files.certification import certification_pdf
from assessment.roll.models import Certification, GrandList
from assessment.roll.rules.accounts import (
    SignedAccount,
    SignedExemption,
    SignedLine,
    cap_exemptions,
    content_of,
)
from assessment.roll.rules.chain import FORMAT, Chain, Header, canonical
from assessment.roll.rules.numbering import number_accounts
from assessment.roll.services.balancing import require_balance
from assessment.roll.services.keys import get_or_make_signing_key, public_hex
from assessment.roll.services.locking import lock_unsigned
from assessment.roll.services.rows import insert_rows

_ACCOUNTS_SQL = """
SELECT id, property_id, account, owner, co_owner, mailing_address, location, is_confidential, exempt_code
FROM assessment_assessment WHERE town_id = %s AND grand_list_id = %s ORDER BY account, id
"""
_LINES_SQL = """
SELECT assessment_id, detail_code, coalesce(trim_scale(quantity)::text, ''), unit, appraised, assessed
FROM assessment_assessmentline WHERE town_id = %s AND assessment_id = ANY (%s) ORDER BY assessment_id, line_number
"""
_EXEMPTIONS_SQL = """
SELECT assessment_id, code, amount, statute
FROM assessment_exemption WHERE town_id = %s AND assessment_id = ANY (%s) ORDER BY assessment_id, id
"""
_SNAPSHOT_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "grand_list_id": "uuid", "property_id": "uuid", "seq": "integer",
    "list_number": "text", "account": "text", "owner": "text", "co_owner": "text", "mailing_address": "text",
    "location": "text", "confidential": "boolean", "exempt_code": "text", "lines": "jsonb", "exemptions": "jsonb",
    "gross": "bigint", "exempt": "bigint", "net": "bigint", "row_hash": "bytea", "link": "bytea",
}  # fmt: skip
_COPIED = (
    "seq", "list_number", "account", "owner", "co_owner", "mailing_address", "location", "confidential",
    "exempt_code",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SigningReport:
    """The certification, its page, and where its copy outside PostgreSQL lies."""

    certification: Certification
    pdf: bytes
    copy_path: Path


@transaction.atomic
def sign_grand_list(grand_list: GrandList, *, actor: Actor, at: dt.datetime | None = None) -> SigningReport:
    """Sign a list: number its accounts, freeze them in a chained snapshot, certify the root.

    Afterwards the list changes by instruments only. The certification (root, totals, signature by the town's
    key) is kept as a row, as a printed page in the blob store, and as a file in ``var/certifications``.

    Parameters
    ----------
    actor
        A person who may sign the town's list, with a state certificate that is in force on the day.
    at
        The moment of signing; now when None.

    Raises
    ------
    Forbidden, CertificateNeeded
        The actor may not sign, or has no certificate in force.
    ListSigned
        It is signed.
    NotBalanced
        A converted list that does not balance (see `require_balance`).
    AccountsWithoutValue
        Accounts have no lines, or there are none.
    OutputNotWritten
        The copy outside the database cannot be written; nothing is signed then.
    """
    actor.require(Permission.SIGN_LIST, grand_list.town_id)
    moment = at or timezone.now()
    signer = _certified(actor, timezone.localdate(moment))
    locked = lock_unsigned(grand_list, changes=False)
    require_balance(locked)
    town = Town.objects.defer("boundary").get(pk=locked.town_id)
    header = Header(town.code, locked.year, locked.kind)
    accounts = _numbered(locked)
    chain = Chain(header)
    insert_rows("assessment_snapshotrow", _SNAPSHOT_COLUMNS, _rows(locked, accounts, chain))
    _freeze_numbers(locked, accounts)
    statement = _statement(locked, town, chain, signer, moment)
    text = canonical(statement)
    key = get_or_make_signing_key(town.code)
    signature, public_key = key.sign(text).hex(), public_hex(key)
    pdf = certification_pdf(statement, signature=signature, public_key=public_key)
    blob = store_blob(pdf, town_code=town.code, media_type="application/pdf")
    certification = Certification.objects.create(
        town_id=town.code, grand_list=locked, root=chain.root, checkpoints=chain.checkpoints, signed_at=moment,
        signer=signer, signer_name=signer.name, certificate_number=signer.certificate_number,
        statement=text.decode(), signature=signature, public_key=public_key, pdf_sha256=blob.sha256,
        **chain.totals,
    )  # fmt: skip
    locked.state = GrandList.State.SIGNED
    locked.save(update_fields=["state"])
    return SigningReport(certification, pdf, _keep_copy(header, certification))


def _certified(actor: Actor, on: dt.date) -> Person:
    signer = Person.objects.filter(pk=actor.person_id).first() if actor.person_id else None
    if signer is None:
        raise CertificateNeeded("A grand list is signed by a person, not by the system.")
    if not signer.certificate_number or signer.certificate_expires_on is None:
        raise CertificateNeeded(f"{signer.name} has no state certificate on record.")
    if signer.certificate_expires_on < on:
        raise CertificateNeeded(
            f"The certificate of {signer.name} expired on {signer.certificate_expires_on}."
        )
    return signer


def _numbered(grand_list: GrandList) -> list[SignedAccount]:
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS_SQL, [grand_list.town_id, grand_list.pk])
        rows = cursor.fetchall()
        keys = [row[0] for row in rows]
        lines = _by_account(cursor, _LINES_SQL, [grand_list.town_id, keys])
        exemptions = _by_account(cursor, _EXEMPTIONS_SQL, [grand_list.town_id, keys])
    empty = [row[2] for row in rows if row[0] not in lines]
    if empty or not rows:
        first = ", ".join(empty[:10])
        raise AccountsWithoutValue(
            f"{len(empty):,} accounts have no value; first: {first}."
            if empty
            else "The list has no accounts.",
            accounts=len(empty),
        )
    numbers = number_accounts(grand_list.year, grand_list.kind, [(row[3], row[6], row[2]) for row in rows])
    ordered = sorted(zip(numbers, rows, strict=True))
    return [
        _account(seq, number, row, lines[row[0]], exemptions.get(row[0], []))
        for seq, (number, row) in enumerate(ordered, start=1)
    ]


def _by_account(cursor: Any, sql: str, arguments: list[Any]) -> dict[UUID, list[tuple[Any, ...]]]:
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    cursor.execute(sql, arguments)
    for key, *row in cursor.fetchall():
        found.setdefault(key, []).append(tuple(row))
    return found


def _account(
    seq: int, number: str, row: tuple[Any, ...], lines: list[tuple[Any, ...]], granted: list[tuple[Any, ...]]
) -> SignedAccount:
    signed = tuple(SignedLine(*line) for line in lines)
    applied = cap_exemptions(sum(line.assessed for line in signed), [item[1] for item in granted])
    return SignedAccount(
        seq=seq, list_number=number, property_id=str(row[1]), account=row[2], owner=row[3], co_owner=row[4],
        mailing_address=row[5], location=row[6], confidential=row[7], exempt_code=row[8], lines=signed,
        exemptions=() if row[8] else tuple(
            SignedExemption(item[0], amount, item[2]) for item, amount in zip(granted, applied, strict=True)
        ),
    )  # fmt: skip


def _rows(grand_list: GrandList, accounts: list[SignedAccount], chain: Chain) -> Iterator[tuple[Any, ...]]:
    for account in accounts:
        content = content_of(account)
        hashed, link = chain.add(content)
        yield (
            new_id(), grand_list.town_id, grand_list.pk, account.property_id,
            *(content[name] for name in _COPIED),
            json.dumps(content["lines"]), json.dumps(content["exemptions"]),
            content["gross"], content["exempt"], content["net"], hashed, link,
        )  # fmt: skip


def _freeze_numbers(grand_list: GrandList, accounts: list[SignedAccount]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE assessment_assessment a SET list_number = r.list_number "
            "FROM unnest(%s::uuid[], %s::text[]) AS r(property_id, list_number) "
            "WHERE a.town_id = %s AND a.grand_list_id = %s AND a.property_id = r.property_id",
            [
                [account.property_id for account in accounts],
                [account.list_number for account in accounts],
                grand_list.town_id,
                grand_list.pk,
            ],
        )


def _statement(
    grand_list: GrandList, town: Town, chain: Chain, signer: Person, moment: dt.datetime
) -> dict[str, Any]:
    expires_on = signer.certificate_expires_on
    return {
        "format": FORMAT,
        "town": town.code,
        "town_name": town.name,
        "year": grand_list.year,
        "kind": grand_list.kind,
        "basis": grand_list.basis,
        "base_revaluation_on": grand_list.base_revaluation_on.isoformat(),
        "root": chain.root,
        **chain.totals,
        "signed_at": moment.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "signer": {
            "id": str(signer.pk),
            "name": signer.name,
            "certificate_level": signer.certificate_level,
            "certificate_number": signer.certificate_number,
            "certificate_expires_on": expires_on.isoformat() if expires_on else None,
        },
    }


def certification_copy(certification: Certification) -> dict[str, Any]:
    """Return what is kept of a certification outside PostgreSQL, and given with every export."""
    return {
        "statement": certification.statement,
        "signature": certification.signature,
        "public_key": certification.public_key,
        "root": certification.root,
        "checkpoints": certification.checkpoints,
        "pdf_sha256": certification.pdf_sha256,
    }


def copy_path(header: Header) -> Path:
    """Return where the copy of a list's certification is kept."""
    return Path(settings.CERTIFICATIONS_DIR) / f"{header.town:04d}-{header.year}-{header.kind}.json"


def _keep_copy(header: Header, certification: Certification) -> Path:
    """Write the copy before the commit, under a name that counts only once the transaction has held."""
    path = copy_path(header)
    draft = path.with_name(path.name + ".pending")
    make_folder(path.parent)
    content = json.dumps(certification_copy(certification), indent=1, ensure_ascii=False, sort_keys=True)
    write_whole(draft, content.encode() + b"\n")
    transaction.on_commit(lambda: draft.replace(path) and None)
    return path
