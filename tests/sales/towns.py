"""Real towns for the tests of sales: address books and sales as the state publishes them."""

from functools import cache

import geopandas as gpd
import pandas as pd
import pyogrio

from assessment.demo.files import stored
from assessment.sales.rules.matching import AddressBook, Entry, Match

LAYERS = {"West Hartford": "west_hartford_parcels.gpkg", "Hamden": "hamden_parcels.gpkg"}
ID_FIELD = {"West Hartford": "ParcelID", "Hamden": "id"}


@cache
def parcels(town: str) -> gpd.GeoDataFrame:
    """Parcels of a town, with the columns ``parcel_id`` and ``address``, in Connecticut feet."""
    frame = pyogrio.read_dataframe(stored(LAYERS[town])).to_crs(2234)
    frame["parcel_id"] = frame[ID_FIELD[town]].str.strip()
    frame["address"] = frame["siteaddres"].fillna("")
    return frame


@cache
def address_book(town: str) -> AddressBook:
    frame = parcels(town)
    kinds = frame["ParcelType"] if "ParcelType" in frame else [""] * len(frame)
    return AddressBook(
        Entry(parcel_id, address, is_complex=kind == "Condo Main")
        for parcel_id, address, kind in zip(frame["parcel_id"], frame["address"], kinds, strict=True)
    )


@cache
def sales(town: str) -> pd.DataFrame:
    frame = pd.read_csv(stored("opm_real_estate_sales.csv"), dtype=str, keep_default_na=False)
    return frame[frame["Town"] == town]


@cache
def matches(town: str) -> dict[tuple[str, str], Match]:
    """Every sale of the town by list year and serial number."""
    book, frame = address_book(town), sales(town)
    return {
        (year, serial): book.match(address, unit_expected=kind == "Condo")
        for year, serial, address, kind in zip(
            frame["List Year"],
            frame["Serial Number"],
            frame["Address"],
            frame["Residential Type"],
            strict=True,
        )
    }
