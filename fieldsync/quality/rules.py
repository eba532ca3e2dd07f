"""Re-checks: drawing them at random, hiding what is not to be seen, and comparing what two people saw."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WHOLE_ROW = "*"
LEAST_PERCENT, MOST_PERCENT = 5, 10


@dataclass(frozen=True, slots=True)
class Seen:
    """A field that an inspection entered; ``*`` stands for a whole row that it added."""

    kind: str
    row_id: str
    field: str


def mask_card(text: str, seen: Iterable[Seen]) -> str:
    """Return a card with the fields in ``seen`` empty and the rows that were added left out."""
    card: dict[str, Any] = json.loads(text)
    for each in seen:
        if each.kind == "property":
            if each.field in card["property"]:
                card["property"][each.field] = None
        elif each.field == WHOLE_ROW:
            card[each.kind] = [row for row in card.get(each.kind, []) if row["id"] != each.row_id]
        else:
            for row in card.get(each.kind, []):
                if row["id"] == each.row_id and each.field in row:
                    row[each.field] = None
    return json.dumps(card, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
