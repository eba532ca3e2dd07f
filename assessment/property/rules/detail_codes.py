"""Which state detail code land, buildings and outbuildings of a class have.

Source: OPM, Administrative Abstract Coding System (updated 8 September 2025). Pure.
"""

LAND = {"100": "11", "200": "21", "300": "31", "400": "41"}
BUILDING = {"100": "13", "200": "22", "300": "32", "400": "42"}
OUTBUILDING = {"100": "14", "200": "25", "300": "33", "400": "43", "500": "55"}


def land_detail_code(state_class: str, mapped: str = "") -> str:
    """Return the land code of a class; for vacant land (500) the one that the use code maps to."""
    return mapped if state_class in ("500", "600") else LAND.get(state_class, "")


def building_detail_code(state_class: str, mapped: str = "") -> str:
    """Return the building code of a class, unless the use code maps to another (a condominium, say)."""
    return "" if state_class in ("500", "600") else mapped or BUILDING.get(state_class, "")
