"""What may stand in a valuation frame, and what may never be a feature.

A frame has one row for a property (or a sale of one) and columns with the names below. A value that someone
has already put on the property is an opinion; a model that learns from it learns to repeat the roll. So
columns that hold such values are refused by name wherever features are listed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

NUMBERS = (
    "land_sqft",
    "frontage_ft",
    "living_sqft",
    "basement_sqft",
    "finished_basement_sqft",
    "garage_sqft",
    "garage_bays",
    "porch_sqft",
    "baths",
    "half_baths",
    "bedrooms",
    "rooms",
    "stories",
    "fireplaces",
    "air_conditioning",
    "units",
    "year_built",
    "percent_complete",
    "outbuildings_value_new",
    "x",
    "y",
)
"""Numeric facts. Areas in square feet, ``x`` and ``y`` in the units of the town's fabric or in degrees."""

CATEGORIES = (
    "use",
    "style",
    "grade",
    "condition",
    "neighbourhood",
    "heat",
    "wall",
    "kitchen",
    "bathroom",
    "view",
    "waterfront",
    "zoning",
)
"""Coded facts, as text."""

_ROLL_VALUE = re.compile(
    r"assess|apprais|taxable|price|consideration|market[ _]?value|sale[ _]?ratio|rcnld"
    r"|(?:^|[^a-z])(?:a_?val(?:ue)?|rcn)(?:$|[^a-z])"
    r"|(?:^|[ _])values?(?:$|[ _])"
    r"|(?:^|[ _])(?:total|ttl|tot|land|bldg|building)[ _]?val",
    re.IGNORECASE,
)
_NOT_A_ROLL_VALUE = frozenset({"outbuildings_value_new"})


class FeatureRefused(ValueError):
    """A feature that is itself a value or price; ``columns`` names them."""

    code = "roll_value_as_feature"

    def __init__(self, columns: list[str]) -> None:
        super().__init__(f"values already on the cards are never a feature: {', '.join(columns)}")
        self.columns = columns


def refuse_roll_values(features: Iterable[str], *, declared: Iterable[str] = ()) -> None:
    """Refuse features that are values or prices, by name or because the spec declares them so.

    Parameters
    ----------
    features : iterable of str
        Names of columns that a model is to learn from.
    declared : iterable of str
        Columns declared to hold a price or the cards' own values, whatever their names.

    Raises
    ------
    FeatureRefused
        With every such column.
    """
    known = set(declared)
    bad = [
        name
        for name in features
        if name not in _NOT_A_ROLL_VALUE and (name in known or _ROLL_VALUE.search(name) is not None)
    ]
    if bad:
        raise FeatureRefused(bad)


def digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's columns, order and cells; equal facts give equal hashes.

    Numbers are hashed as float64 with one NaN, everything else as text.
    """
    hasher = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        cells = frame[name]
        hasher.update(name.encode() + b"\x00")
        if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
            numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan).copy()
            numbers[np.isnan(numbers)] = np.nan
            hasher.update(b"n" + np.ascontiguousarray(numbers + 0.0).tobytes())
        else:
            hasher.update(b"t" + "\x1f".join(map(str, cells.tolist())).encode())
    return hasher.hexdigest()
