"""Which rows of a parcel file can be imported, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely

from gis.fabric.rules.repair import Mask, Shapes


class Refusal(StrEnum):
    """Why a row is refused. The values are stable: scripts read them from the report."""

    MISSING_ID = "missing_id"
    DUPLICATE_ID = "duplicate_id"
    UNREADABLE_SHAPE = "unreadable_shape"
    EMPTY_SHAPE = "empty_shape"
    NOT_A_POLYGON = "not_a_polygon"
    OUTSIDE_TOWN = "outside_town"
    NO_LAND_LEFT = "no_land_left"


REASONS = {
    Refusal.MISSING_ID: "the row has no parcel identifier",
    Refusal.DUPLICATE_ID: "the identifier was already used in row {first}",
    Refusal.UNREADABLE_SHAPE: "the shape cannot be read",
    Refusal.EMPTY_SHAPE: "the row has no shape",
    Refusal.NOT_A_POLYGON: "the shape is a {type}, not a polygon",
    Refusal.OUTSIDE_TOWN: "the shape lies outside the town",
    Refusal.NO_LAND_LEFT: "nothing with an area is left after repair",
}


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused row: `row` counts from 1 in file order, `key` is its identifier as far as it has one."""

    row: int
    key: str
    code: Refusal
    reason: str


def refuse_rows(
    keys: Sequence[str], shapes: Shapes, *, unreadable: Mask, outside: Mask, landless: Mask
) -> list[RefusedRow]:
    """Refused rows in file order, each with the first reason that holds.

    Parameters
    ----------
    keys
        Identifier of each row, ``''`` where there is none.
    shapes
        The shapes as read, before repair.
    unreadable, outside, landless
        True where the bytes were no shape, where the shape is not in the town, and where repair left
        nothing.

    Notes
    -----
    Of several rows with one identifier the first good one is kept: which is right cannot be known here.
    """
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    type_names = [None if shape is None else shape.geom_type for shape in shapes]
    used: dict[str, int] = {}
    refused = []
    for position, key in enumerate(keys):
        name = type_names[position]
        code: Refusal | None = None
        if not key:
            code = Refusal.MISSING_ID
        elif unreadable[position]:
            code = Refusal.UNREADABLE_SHAPE
        elif empty[position]:
            code = Refusal.EMPTY_SHAPE
        elif name not in ("Polygon", "MultiPolygon"):
            code = Refusal.NOT_A_POLYGON
        elif outside[position]:
            code = Refusal.OUTSIDE_TOWN
        elif landless[position]:
            code = Refusal.NO_LAND_LEFT
        elif used.setdefault(key, position + 1) != position + 1:
            code = Refusal.DUPLICATE_ID
        if code is not None:
            reason = REASONS[code].format(first=used.get(key, 0), type=name)
            refused.append(RefusedRow(position + 1, key, code, reason))
    return refused


def good_rows(row_count: int, refused: Sequence[RefusedRow]) -> Mask:
    """True for each of `row_count` rows that was not refused."""
    good = np.ones(row_count, dtype=bool)
    good[[row.row - 1 for row in refused]] = False
    return good
