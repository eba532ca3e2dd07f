"""The town's code tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from assessment.property.models import Code
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import because

STANDARD = Path(__file__).resolve().parent.parent / "reference" / "codes.yaml"


def put_code(
    town: Town,
    *,
    actor: Actor,
    table: str,
    code: str,
    label: str = "",
    state_class: str = "",
    detail_code: str = "",
    attributes: dict[str, Any] | None = None,
    reason: str = "code table",
) -> Code:
    """Add a code to a town's table, or change what it means; from then on it counts as mapped."""
    actor.require(Permission.EDIT_RECORD, town.code)
    meaning: dict[str, Any] = {
        "label": label,
        "state_class": state_class,
        "detail_code": detail_code,
        "is_mapped": True,
    }
    if attributes is not None:
        meaning["attributes"] = attributes
    with because(reason):
        row, made = Code.objects.get_or_create(town=town, table=table, code=code, defaults=meaning)
        changed = {} if made else {n: v for n, v in meaning.items() if getattr(row, n) != v}
        if changed:
            Code.objects.filter(id=row.id).update(**changed)
            row.refresh_from_db()
    return row


def install_standard_codes(town: Town, *, actor: Actor) -> int:
    """Give a town the tables for entry codes and sketch sections to start from; its own codes stay.

    Returns
    -------
    int
        How many codes were added. The tables are general practice, not verified: the town adopts them.
    """
    actor.require(Permission.EDIT_RECORD, town.code)
    tables = yaml.safe_load(STANDARD.read_text(encoding="utf-8"))["tables"]
    held = set(Code.objects.filter(town=town, table__in=tables).values_list("table", "code"))
    rows = [
        Code(
            town=town,
            table=table,
            code=str(code),
            label=entry["label"],
            attributes={name: value for name, value in entry.items() if name != "label"},
        )
        for table, content in tables.items()
        for code, entry in content["codes"].items()
        if (table, str(code)) not in held
    ]
    with because("standard code tables"):
        Code.objects.bulk_create(rows)
    return len(rows)
