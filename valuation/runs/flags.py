"""What a reviewer should look at, in words."""

from __future__ import annotations

FLAGS = {
    "no_building_area": "no building area on the card: typical value",
    "no_land_area": "no land area on the card: typical value",
    "unknown_code": "a code is in none of the tables",
    "several_buildings": "several buildings",
    "outbuilding_without_rate": "an outbuilding has no rate and is valued at nothing",
    "outbuilding_rate_unverified": "an outbuilding is valued at a placeholder rate",
    "synthetic_facts": "facts generated for the demonstration",
    "unclassified": "no state class",
    "use_value_needed": "classified land: use value to be set",
    "market_disagrees": "market model disagrees",
    "comparables_disagree": "comparable sales disagree",
    "income_disagrees": "income approach disagrees with cost",
    "large_change": "large change from the last list",
    "land_over_share": "land is most of the value",
    "wide_interval": "wide interval",
    "no_value": "no value",
}
