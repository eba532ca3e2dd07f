"""What stands behind a parcel in the record: an account, a condominium complex, or nothing."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from gis.fabric.rules.columns import plain_name


class Behind(StrEnum):
    """What a parcel needs in the record."""

    ACCOUNT = "account"
    COMPLEX = "complex"
    NOTHING = "nothing"


# "Condo Main" is what Connecticut's parcel layers call the polygon under all units of a complex: the units
# are the accounts, and they come with the record cards.
_COMPLEX: Final = re.compile(r"\bcondo(minium)?s?\b.*\b(main|complex|common)\b", re.IGNORECASE)

# Ground that belongs to no account. Exempt land is not among it: it is listed, with its exemption.
_NOTHING: Final = re.compile(
    r"^(row|r\.o\.w\.?|rights?[ -]of[ -]way|roads?|streets?|highways?|water|rivers?|ponds?|hydro\w*|"
    r"rail(road|way)?s?|easements?|gaps?|unknown gap|no parcel)$",
    re.IGNORECASE,
)

# Names of columns by the kind of outside identifier that they hold; any other is the fabric's own.
_ID_TYPES: Final = {
    "link": "link",
    "camalink": "link",
    "pid": "pid",
    "mbl": "mbl",
    "mblu": "mbl",
    "mapblocklot": "mbl",
    "accountnumber": "account",
    "account": "account",
}


def behind(kind: str) -> Behind:
    """What a parcel of this kind needs; a kind that is not known needs an account.

    Examples
    --------
    >>> behind("Condo Main"), behind("ROW"), behind("Parcel"), behind("")
    (<Behind.COMPLEX: 'complex'>, <Behind.NOTHING: 'nothing'>, <Behind.ACCOUNT: 'account'>, <Behind.ACCOUNT: 'account'>)
    """
    text = " ".join(kind.split())
    if _COMPLEX.search(text):
        return Behind.COMPLEX
    return Behind.NOTHING if _NOTHING.match(text) else Behind.ACCOUNT


def id_type_of(column: str) -> str:
    """Kind of outside identifier that a column of this name holds: ``pid``, ``link``, ``mbl``, ``account``, ``gis``."""
    return _ID_TYPES.get(plain_name(column), "gis")
