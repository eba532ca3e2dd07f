"""What a card can hold, in the record's own names, and what a mapping may say of a field."""

_KINDS = ("land", "building", "extra", "outbuilding", "total")
_VALUES = frozenset({f"{basis}_{kind}" for basis in ("appraised", "assessed") for kind in _KINDS})
_STATED = _VALUES | {"list_year", "exemption", "net"}
_BUILDING = """
    occupancy style model grade condition year_built effective_year_built stories story_height_ft
    living_area_sqft gross_area_sqft effective_area_sqft total_rooms bedrooms full_baths half_baths kitchens
    fireplaces units elevators exterior_wall roof_structure roof_cover interior_wall floor_cover plumbing
    bath_style kitchen_style heat_fuel heat_type ac_type basement_type basement_area_sqft basement_finish
    finished_basement_sqft attic garage_attached_spaces percent_good percent_complete remodelled_year is_synthetic
"""
_OWNER = "name co_name mailing_address mailing_city mailing_state mailing_zip"
_PROPERTY = """
    address unit property_city property_zip zoning neighbourhood use_code exempt_code census_tract total_acres
    frontage_ft utilities topography comment is_synthetic
"""

# By part of the card; `user.1` to `user.20` are the town's own fields (RCSA 12-62f-3).
TARGETS: dict[str, frozenset[str]] = {
    "alias": frozenset({"pid", "link", "mbl", "account", "gis"}),
    "property": frozenset(_PROPERTY.split()),
    "owner": frozenset(
        ["name", "co_name", "mailing_address", "mailing_city", "mailing_state", "mailing_zip"]
    ),
    "building": frozenset(_BUILDING.split()),
    "stated": _STATED,
    "prior": _STATED,
    "sale": frozenset({"price", "date", "book_page", "qualified"}),
    "point": frozenset({"latitude", "longitude"}),
    "user": frozenset(str(slot) for slot in range(1, 21)),
}

_FIELD = """
    to from join separator label_from value convert table unit required default minimum maximum max_length
    zero_is_blank blank_if on_bad on_unknown decimal_comma
"""
FIELD_KEYS = frozenset(_FIELD.split())
