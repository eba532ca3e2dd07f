"""From version 1 of a mutation to version 2. Frozen: what version 1 meant does not change any more. Pure.

Version 2 says three things better:

- What was seen stands in ``changes`` whatever the kind; a visit of version 1 had it in ``data.observations``.
- A field whose name states its unit is in that unit. Version 1 let a change name another in ``unit``, which
  was kept beside the value and not heeded: 172 square metres became 172 square feet.
- Where a photo was taken is one thing, ``data.position``, as text; version 1 had up to four loose floats, and
  half a place was possible.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Body = dict[str, Any]

_SQFT, _FT, _ACRES = "_sqft", "_ft", "_acres"
# To the unit that the field's name states, and to how many places the record keeps it.
_FACTORS: dict[str, dict[str, Decimal]] = {
    _SQFT: {
        "sqft": Decimal(1), "sf": Decimal(1), "ft2": Decimal(1),
        "sqm": Decimal("10.7639104167"), "m2": Decimal("10.7639104167"),
        "acre": Decimal(43560), "ac": Decimal(43560),
    },
    _FT: {
        "ft": Decimal(1), "in": Decimal(1) / 12, "yd": Decimal(3),
        "m": Decimal("3.280839895"), "cm": Decimal("0.03280839895"),
    },
    _ACRES: {
        "acre": Decimal(1), "acres": Decimal(1), "ac": Decimal(1), "ha": Decimal("2.4710538147"),
        "sqft": Decimal(1) / 43560, "sf": Decimal(1) / 43560, "sqm": Decimal("0.00024710538147"),
    },
}  # fmt: skip
_PLACES = {_SQFT: Decimal(1), _FT: Decimal("0.01"), _ACRES: Decimal("0.0001")}
_POSITION = (("lat", "lat"), ("lon", "lon"), ("acc_m", "accuracy_m"), ("heading_deg", "heading_deg"))


class UnitUnknown(ValueError):
    """A value is in a unit that cannot be led to the record's; a person has to read it."""


def convert(body: Body) -> Body:
    """Return a mutation of version 1 in version 2; ``body`` is left as it is.

    What is no mutation of any kind passes through, for the reader to refuse.

    Raises
    ------
    UnitUnknown
        The unit named has no way to that of the field.
    """
    made = {**body, "schema_version": 2}
    data = made.get("data")
    if made.get("kind") == "inspection.create" and isinstance(data, dict):
        made["data"] = {name: value for name, value in data.items() if name != "observations"}
        made["changes"] = data.get("observations", {})
    elif made.get("kind") == "photo.declare" and isinstance(data, dict):
        made["data"] = _with_position(data)
    if isinstance(made.get("changes"), dict):
        made["changes"] = {path: _in_record_unit(path, change) for path, change in made["changes"].items()}
    return made


def _with_position(data: Body) -> Body:
    old = {name for name, _ in _POSITION}
    made = {name: value for name, value in data.items() if name not in old}
    if data.get("lat") is not None and data.get("lon") is not None:
        made["position"] = {new: _text(data[name]) for name, new in _POSITION if data.get(name) is not None}
    return made


def _text(value: Any) -> Any:
    """Return a number as plain decimal text, without an exponent; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    return format(Decimal(repr(value)), "f")


def _in_record_unit(path: Any, change: Any) -> Any:
    if not isinstance(change, dict) or not change.get("unit"):
        return {k: v for k, v in change.items() if k != "unit"} if isinstance(change, dict) else change
    measure = next((end for end in _FACTORS if str(path).endswith(end)), None)
    if measure is None or str(path).endswith("points_ft"):
        return change  # the field's own row says its unit, or it has none
    factor = _FACTORS[measure].get(str(change["unit"]).strip().lower().replace(" ", ""))
    if factor is None:
        raise UnitUnknown(f"{path}: the unit {str(change['unit'])[:20]!r} is not one of {measure[1:]}.")
    made = {name: value for name, value in change.items() if name != "unit"}
    for name in ("base", "new"):
        if name in made:
            made[name] = _times(made[name], factor, measure)
    return made


def _times(value: Any, factor: Decimal, measure: str) -> Any:
    if value is None or isinstance(value, bool) or factor == 1:
        return value
    try:
        number = Decimal(str(value)) * factor
        rounded = number.quantize(_PLACES[measure], rounding=ROUND_HALF_UP)
    except (ArithmeticError, ValueError):
        return value  # no number: the reader says so
    return int(rounded) if measure == _SQFT else format(rounded, "f")
