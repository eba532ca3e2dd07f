"""The town's code tables, as an import meets them."""

from __future__ import annotations

from collections import defaultdict

from assessment.property.bulk import insert_rows, update_rows
from assessment.property.models import Code
from assessment.property.tabular.cards import CardReader
from assessment.region.ids import new_id


def known_codes(town_code: int) -> dict[str, frozenset[str]]:
    """Return the codes of the town that are mapped, by table."""
    tables: dict[str, set[str]] = defaultdict(set)
    rows = Code.objects.filter(town_id=town_code, is_mapped=True).values_list("table", "code")
    for table, code in rows:
        tables[table].add(code)
    return {table: frozenset(codes) for table, codes in tables.items()}


def put_codes(town_code: int, reader: CardReader) -> tuple[int, int]:
    """Add the codes that a file used to the town's tables; those that nobody has mapped say so.

    A code that the town has not mapped takes the mapping file's meaning; one that it has is left alone.

    Returns
    -------
    tuple of int
        How many were added, and how many got their meaning.
    """
    held = {(code.table, code.code): code for code in Code.objects.filter(town_id=town_code)}
    added, given = [], []
    for (table, code), entry in reader.codes.items():
        is_mapped = (table, code) not in reader.unknown_codes
        meaning = {
            "label": entry.label[:160],
            "state_class": entry.state_class,
            "detail_code": entry.detail_code,
            "is_mapped": is_mapped,
        }
        row = held.get((table, code))
        if row is None:
            added.append({"id": new_id(), "town_id": town_code, "table": table, "code": code[:40], **meaning})
        elif is_mapped and not row.is_mapped:
            given.append({"id": row.id, "town_id": town_code, **meaning})
    names = ("label", "state_class", "detail_code", "is_mapped")
    return insert_rows(Code, added), update_rows(Code, given, names)
