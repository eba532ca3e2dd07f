"""New Haven's record cards beside the state's sales of them, as one table to fit on.

``python -m valuation.fitting.new_haven OUT.csv``

Cards are single-family and years older than the sales; addresses are joined as written, after the usual
abbreviations. 504 sales join, of which 480 have no non-use code: enough for a check, not for claims.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd

from assessment.demo import files

# SOURCE: United States Postal Service, Publication 28, appendix C1 (street suffixes) and directionals
_SHORT = {
    "STREET": "ST", "AVENUE": "AVE", "AV": "AVE", "ROAD": "RD", "DRIVE": "DR", "LANE": "LN", "TERRACE": "TER",
    "TERR": "TER", "COURT": "CT", "PLACE": "PL", "BOULEVARD": "BLVD", "CIRCLE": "CIR", "PARKWAY": "PKWY",
    "HEIGHTS": "HTS", "SQUARE": "SQ", "EXTENSION": "EXT", "WEST": "W", "EAST": "E", "NORTH": "N", "SOUTH": "S",
}  # fmt: skip


def address_key(written: str) -> str:
    """Return an address in capitals with the usual words shortened."""
    words = re.sub(r"[^A-Z0-9 ]", " ", written.upper()).split()
    return " ".join(_SHORT.get(word, word) for word in words)


def joined_sales() -> pd.DataFrame:
    """Return one row for each sale that joins to a card, with the card's facts and its place."""
    cards = pd.read_csv(files.stored("new_haven_cama.csv"), dtype=str, keep_default_na=False)
    places = pd.read_csv(files.stored("new_haven_geocodes.csv"), dtype=str, keep_default_na=False)
    sales = pd.read_csv(files.stored("opm_real_estate_sales.csv"), dtype=str, keep_default_na=False)
    sales = sales[sales["Town"] == "New Haven"].assign(key=lambda rows: rows["Address"].map(address_key))
    cards = cards.merge(places[["pid", "lat", "lon"]], on="pid", how="left")
    cards = cards.assign(key=cards["address"].map(address_key)).drop_duplicates("key")
    return sales.merge(cards, on="key").drop(columns="key")


if __name__ == "__main__":
    joined_sales().to_csv(Path(sys.argv[1]), index=False)
