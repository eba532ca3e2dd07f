"""What a collector sees: the server's card under one's own changes whose effect has not come back yet."""

from collections.abc import Iterable
from typing import Any

CHILD_KINDS = ("building", "section", "land_line", "feature")


def fields_of(card: dict[str, Any]) -> dict[str, Any]:
    """Return a card's fields by path: bare names for the property, ``kind/id/field`` for its rows."""
    fields = dict(card.get("property", {}))
    for kind in CHILD_KINDS:
        for row in card.get(kind, []):
            fields.update({f"{kind}/{row['id']}/{name}": row[name] for name in row if name != "id"})
    return fields


def overlaid(card: dict[str, Any], mutations: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the fields of a card under mutations of its property, in the order in which they were made.

    The value that this shows is the base of the next change: so a chain of offline changes merges.
    """
    fields = fields_of(card)
    for body in mutations:
        fields.update({path: change["new"] for path, change in changes_of(body).items()})
    return fields


def changes_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a mutation says was seen on the card, by path; visits of version 1 have it in ``data``."""
    if "changes" in body:
        return dict(body["changes"] or {})
    return dict((body.get("data") or {}).get("observations") or {})
