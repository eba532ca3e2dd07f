"""Which column of a parcel file is the parcel's identifier, address, type and stated acreage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# Names as towns, vendors and the state's collection write them, reduced to letters and digits.
# In order of preference: the identifier that the parcel layer itself keeps, then the link to the cards.
IDENTIFIER_NAMES: Final = (
    "parcelid",
    "giscode",
    "gistag",
    "camalink",
    "link",
    "mbl",
    "mblu",
    "mapblocklot",
    "gislink",
    "pin",
    "pid",
    "accountnumber",
    "account",
    "id",
)
ADDRESS_NAMES: Final = (
    "siteaddress",
    "siteaddres",
    "siteaddr",
    "fulladdress",
    "propertyaddress",
    "proploc",
    "location",
    "address",
)
KIND_NAMES: Final = ("parceltype", "unittype", "poltype", "lottype")
USE_NAMES: Final = ("stateuse", "landuse", "usecode", "lucode", "use")
ACRES_NAMES: Final = ("gisarea", "gisacres", "acres", "acreage", "landacres", "calcacres", "mapacres")

# Columns that a GIS rewrites at every export; they are kept, and a difference in them is no change.
VOLATILE_NAMES: Final = frozenset(
    {
        "fid",
        "objectid",
        "objectid1",
        "ogcfid",
        "globalid",
        "shapearea",
        "shapeleng",
        "shapelength",
        "shapestarea",
        "shapestlength",
        "lasteditdate",
        "lastediteddate",
        "editdate",
    }
)

# A column names parcels only if nearly every row has a value and nearly every value is its own.
FILLED_SHARE: Final = 0.9
DISTINCT_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns found; a name is None where the file has no such column.

    `aliases` are the other identifying columns (name in the file, distinct and filled), kept as further
    outside identifiers of the parcel.
    """

    identifier: str | None
    address: str | None
    kind: str | None
    use: str | None
    acres: str | None
    aliases: tuple[str, ...] = ()


def plain_name(name: str) -> str:
    """Column name in lower-case letters and digits only: `Parcel_ID` and `PARCELID` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def lasting(cells: Mapping[str, object]) -> dict[str, object]:
    """The cells of a row without those that change at every export."""
    return {name: value for name, value in cells.items() if plain_name(name) not in VOLATILE_NAMES}


def plain_text(value: object) -> str:
    """Text of a cell as people mean it: stripped, inner blanks single, `12.0` as `12`, missing as ``''``."""
    if value is None:
        return ""
    if isinstance(value, float):
        if value != value:
            return ""
        if value.is_integer():
            return str(int(value))
    return " ".join(str(value).split())


def find_columns(cells: Mapping[str, Sequence[object]], *, identifier: str | None = None) -> Columns:
    """Find the columns by name, and the identifier also by whether its values can identify.

    Parameters
    ----------
    cells
        Values by column name, all of one length.
    identifier
        The identifier as stated by whoever imports; it is taken as it is.

    Returns
    -------
    Columns
        `identifier` is None when no known name is there, or none has distinct, filled values.
    """
    names = {plain_name(name): name for name in reversed(list(cells))}
    candidates = [names[known] for known in IDENTIFIER_NAMES if known in names]
    telling = [name for name in candidates if _identifies(cells[name])]
    chosen = identifier or next(iter(telling), None)
    return Columns(
        identifier=chosen,
        address=_first(names, ADDRESS_NAMES),
        kind=_first(names, KIND_NAMES),
        use=_first(names, USE_NAMES),
        acres=_first(names, ACRES_NAMES),
        aliases=tuple(name for name in telling if name != chosen),
    )


def similar_names(wanted: str, names: Sequence[str]) -> str | None:
    """Name in `names` that is `wanted` but for case and punctuation, or None."""
    return next((name for name in names if plain_name(name) == plain_name(wanted)), None)


def _first(names: Mapping[str, str], known: Sequence[str]) -> str | None:
    return next((names[name] for name in known if name in names), None)


def _identifies(values: Sequence[object]) -> bool:
    texts = [text for text in map(plain_text, values) if text]
    if not texts or len(texts) < FILLED_SHARE * len(values):
        return False
    return len(set(texts)) >= DISTINCT_SHARE * len(texts)
