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

_NUMBERED: Final = re.compile(r"^(?P<number>\d+(?:\s*-\s*\d+)?(?:\s*[A-Z])?(?:\s1/2)?)\s+(?P<street>\S.*)$")


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


def split_address(address: str) -> tuple[str, str]:
    """House number and street of a location; the number is ``''`` when there is none or it is 0.

    Examples
    --------
    >>> split_address("33 ARNOLDALE ROAD"), split_address("0 HAMDEN HILLS DR"), split_address("ELM ST REAR")
    (('33', 'ARNOLDALE ROAD'), ('', 'HAMDEN HILLS DR'), ('', 'ELM ST REAR'))
    """
    found = _NUMBERED.match(address.strip())
    if found is None:
        return "", address.strip()
    number = found["number"].replace(" ", "")
    return ("" if set(number) == {"0"} else number), found["street"]
