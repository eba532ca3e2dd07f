"""What the land-use texts of Hamden's parcel layer mean in the state's terms.

The texts are the town's own and stay its use codes; "M01", "M94" and "M96" are the building models of its
record-card system (residential, commercial, industrial). The state's class, detail code and exemption code
are our reading of the text, not the town's: good enough for a demonstration, unverified for anything else.
"""

import re
from dataclasses import dataclass

# Four-letter codes of wholly exempt property (OPM abstract coding system), by the text's first words.
_EXEMPT = {
    "CHURCH SCH": "IAAX",
    "CHURCH": "HAAX",
    "RELIGIOUS": "HAAX",
    "PARISH HSE": "IAAX",
    "CLRGY HSE": "JAAX",
    "MUN ": "BAAX",
    "MUNICIPAL": "BAAX",
    "STATE ": "OABX",
    "US GOVT": "AAAX",
    "PVT UNIV": "PABX",
    "PVT COLL": "PABX",
    "PVT SCHOOL": "DBAX",
    "EDUC BLDG": "DBAX",
    "SCIENTIFIC": "DAAX",
    "CHARITABLE": "DEAX",
    "NON-PROFIT": "DEAX",
    "NON P RECR": "DEAX",
    "OTHER CULT": "DEAX",
    "EXEMPT": "DEAX",
    "VET ORG": "LAAX",
    "EX PUB WTR": "BDHX",
    "JUV DET": "OABX",
    "SUBSIDIZED": "SAAX",
}
_INDUSTRIAL = ("COMM WHSE", "IND ", "MANUFAC", "SAND&GRAVL", "SELF STGE", "TRANSPORT", "RTL OIL")
_FARMED = ("TILLABLE",)
_UTILITY = ("TEL X", "TEL REL", "RAD/TV")
_APARTMENTS = ("APT", "SUBSIDIZED", "STUDENT HSNG")
_RESIDENTIAL = ("Single Fam", "SFR", "Two Family", "Three Fam", "Multi Hses", "PVT GROUP", "Group Home")
_RESIDENTIAL_TOO = ("GROUP HOMES", "Boarding Hs", "CLRGY HSE", "PARISH HSE")
_DWELLINGS = {"Two Family": 2, "Three Fam": 3, "Multi Hses": 2}
_HOUSES = ("Single Fam", "SFR", "Two Family", "Three Fam", "Multi Hses", "CLRGY HSE")


@dataclass(frozen=True)
class Use:
    """One use: the state's class, its detail code for buildings, and the exemption, blank when taxable.

    ``dwellings`` is how many dwellings a house of this use has; 0 when the use is no house.
    """

    text: str
    state_class: str
    detail_code: str
    exempt_code: str
    dwellings: int


def clean_use(text: str) -> str:
    """Return the text with single spaces: ``CHURCH  M96`` is ``CHURCH M96``."""
    return re.sub(r"\s+", " ", text).strip()


def read_use(text: str) -> Use:
    """Return what a land-use text means."""
    text = clean_use(text)
    exempt = next((code for start, code in _EXEMPT.items() if text.startswith(start)), "")
    state_class, detail_code = _class_of(text)
    dwellings = 0
    if text.startswith(_HOUSES):
        dwellings = next((number for start, number in _DWELLINGS.items() if text.startswith(start)), 1)
    return Use(text, state_class, detail_code, exempt, dwellings)


def _class_of(text: str) -> tuple[str, str]:
    if text.startswith(_APARTMENTS):
        return "200", "23"
    if text.startswith((*_RESIDENTIAL, *_RESIDENTIAL_TOO)) or text.endswith("M01"):
        return "100", "13"
    if text.startswith(_FARMED):
        return "600", "61"
    if text.startswith(_UTILITY):
        return "400", "42"
    if text.startswith(_INDUSTRIAL):
        return "300", "32"
    return "200", "22"
