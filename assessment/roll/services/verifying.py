"""Verifying a signed list: the chain, the totals, the signature, and the certification outside PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import transaction

from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.rules import Permission
from assessment.roll.models import Certification, GrandList
from assessment.roll.rules.chain import TOTALS, Attested, Break, ChainReport, Header, StoredRow, verify
from assessment.roll.selectors import get_certification, iterate_snapshot
from assessment.roll.services.keys import find_signing_key, public_hex, signature_holds
from assessment.roll.services.signing import copy_path

OUTSIDE = "the certification kept outside the database"
INSIDE = "the certification in the database"


@dataclass(frozen=True, slots=True)
class Paper:
    """A certification from outside the database: a file, or a root from the printed page."""

    source: str
    root: str
    content: dict[str, Any] | None = None


def paper_from_root(root: str) -> Paper:
    """Return the root that somebody read from a printed page; spaces are ignored.

    Raises
    ------
    Invalid
        It has not 64 hexadecimal digits.
    """
    digits = "".join(root.split()).lower()
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise Invalid("A root has 64 hexadecimal digits.")
    return Paper("the root given", digits)


def paper_from_file(path: Path) -> Paper:
    """Return a certification file as kept in ``var/certifications`` or given with an export.

    Raises
    ------
    Invalid
        There is no such file, or it is no certification.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Paper(f"the certification {path.name}", str(content["root"]), content)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path} is no certification of a grand list.") from error


@transaction.atomic
def verify_grand_list(grand_list: GrandList, *, actor: Actor, paper: Paper | None = None) -> ChainReport:
    """Recompute a signed list and compare it with its certification inside and outside the database.

    Parameters
    ----------
    paper
        What to compare with from outside; the copy in ``var/certifications`` when None. Without either the
        list is not vouched for: who can rewrite the database can rewrite all that it holds.

    Returns
    -------
    ChainReport
        `intact`, the root found, and where it breaks.

    Raises
    ------
    NotFound
        The list is not signed.
    """
    actor.require(Permission.VIEW, grand_list.town_id)
    certification = get_certification(grand_list)
    header = Header(grand_list.town_id, grand_list.year, grand_list.kind)
    outside = paper or _kept(header)
    attested = [Attested(INSIDE, certification.root, {name: getattr(certification, name) for name in TOTALS})]
    if outside is not None:
        statement = _statement(outside)
        attested.append(
            Attested(
                outside.source,
                outside.root,
                {name: statement[name] for name in TOTALS} if statement else None,
                tuple(outside.content.get("checkpoints", ())) if outside.content else (),
            )
        )
    report = verify(header, _stored(grand_list), attested)
    more = [*_signature_breaks(header, _as_content(certification), INSIDE)]
    if outside is None:
        more.append(Break(OUTSIDE, "it is not there: give --root or --certification"))
    elif outside.content is not None:
        more += _signature_breaks(header, outside.content, outside.source)
    return replace(report, breaks=(*report.breaks, *more))


def _kept(header: Header) -> Paper | None:
    path = copy_path(header)
    if not path.exists():
        return None
    return replace(paper_from_file(path), source=OUTSIDE)


def _stored(grand_list: GrandList) -> Iterator[StoredRow]:
    for row in iterate_snapshot(grand_list):
        hashed, link = bytes(row.pop("row_hash")), bytes(row.pop("link"))  # type: ignore[call-overload]
        yield StoredRow(row, hashed, link)


def _as_content(certification: Certification) -> dict[str, Any]:
    return {
        "statement": certification.statement,
        "signature": certification.signature,
        "public_key": certification.public_key,
        "root": certification.root,
    }


def _statement(paper: Paper) -> dict[str, Any] | None:
    if paper.content is None:
        return None
    try:
        statement: dict[str, Any] = json.loads(paper.content["statement"])
    except (ValueError, KeyError) as error:
        raise Invalid(f"{paper.source} holds no statement.") from error
    return statement


def _signature_breaks(header: Header, content: dict[str, Any], source: str) -> Iterator[Break]:
    try:
        statement = json.loads(content["statement"])
        certified = (statement["town"], statement["year"], statement["kind"])
        root = statement["root"]
    except (ValueError, KeyError, TypeError):
        yield Break(source, "its statement cannot be read")
        return
    if not signature_holds(content["public_key"], content["signature"], content["statement"].encode()):
        yield Break(source, "its signature does not hold")
    if root != content["root"]:
        yield Break(source, "the root beside the statement is not the one that was signed")
    if certified != (header.town, header.year, header.kind):
        yield Break(source, "it certifies another list")
    key = find_signing_key(header.town)
    if key is not None and public_hex(key) != content["public_key"]:
        yield Break(source, "it was signed with a key that is not the town's")
