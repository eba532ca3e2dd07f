"""Files for the import commands, made from the stored ones: record cards, and small cuts of everything."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from assessment.demo.files import stored, unpack
from assessment.demo.rules.houses import draw_houses
from assessment.demo.rules.sketches import House, Outline, areas_of, sketch_houses
from assessment.demo.rules.uses import Use, clean_use, read_use
from assessment.property.rules.sketch import SectionFactors

MAPPINGS = Path(__file__).parent / "mappings"
_SQFT_PER_ACRE = 43_560
_CONNECTICUT_FEET = 2234


def parcels_file(name: str, folder: Path, *, limit: int | None) -> Path:
    """Return a parcel file to import: the stored one, or its first ``limit`` rows."""
    if limit is None:
        return stored(name)
    target = folder / name
    pyogrio.write_dataframe(_parcels(name, limit), target)
    return target


def table_file(name: str, folder: Path, *, limit: int | None) -> Path:
    """Return a stored table, unpacked into ``folder``, with its first ``limit`` rows only if given."""
    path = unpack(name, folder)
    if limit is not None:
        with path.open("rb") as source:
            head = [line for _, line in zip(range(limit + 1), source, strict=False)]
        path.write_bytes(b"".join(head))
    return path


@dataclass(frozen=True)
class Cards:
    """A table of cards with its mapping, and the sketches of its houses by parcel identifier."""

    table: Path
    mapping: Path
    sketches: dict[str, list[Outline]] = field(default_factory=dict)


def hamden_cards(folder: Path, *, limit: int | None, factors: Mapping[str, SectionFactors]) -> Cards:
    """Write Hamden's cards and their mapping.

    Uses, acres and years are the parcel layer's. Characteristics of houses are drawn from New Haven's cards,
    their areas measured on a sketch that fits, and marked; other buildings have their year only.

    Parameters
    ----------
    factors
        The town's section table, by which a sketch's areas count.
    """
    parcels = _parcels("hamden_parcels.gpkg", limit)
    uses = {text: read_use(text) for text in parcels["landuse"].unique()}
    cards = pd.DataFrame(
        {
            "gis": parcels["giscode"],
            "use": parcels["landuse"].map(clean_use),
            "exempt": parcels["landuse"].map(lambda text: uses[text].exempt_code),
            "acres": _acres(parcels),
            "year": parcels["yearbuilt"],
            "dwellings": parcels["landuse"].map(lambda text: uses[text].dwellings),
        }
    )
    houses = cards.loc[cards["dwellings"] > 0, ["gis", "year", "dwellings"]]
    drawn = draw_houses(
        houses.rename(columns={"gis": "key", "year": "year_built"}),
        pd.read_csv(stored("new_haven_cama.csv")),
    )
    outlines = sketch_houses(
        [
            House(key, style, int(living), int(year), int(dwellings))
            for (key, year, dwellings), style, living in zip(
                houses.itertuples(index=False), drawn["style"], drawn["living"], strict=True
            )
        ]
    )
    areas = [areas_of(sections, factors) for sections in outlines]
    drawn = drawn.assign(
        synthetic="yes",
        living=[area.living_area_sqft for area in areas],
        gross=[area.gross_area_sqft for area in areas],
        effective=[area.effective_area_sqft for area in areas],
        beds=drawn["beds"].astype(int),
    )
    cards = cards.join(drawn)
    cards["dwellings"] = cards["dwellings"].where(cards["dwellings"] > 0)
    for name in ("dwellings", "living", "gross", "effective", "good", "beds"):
        cards[name] = cards[name].astype("Int64")
    table = folder / "hamden_cards.csv"
    cards.to_csv(table, index=False)
    mapping = folder / "hamden.toml"
    shutil.copyfile(MAPPINGS / "hamden.toml", mapping)
    with mapping.open("a") as file:
        file.write(use_codes(uses.values()))
    return Cards(table, mapping, dict(zip(houses["gis"], outlines, strict=True)))


def use_codes(uses: Iterable[Use]) -> str:
    """Return the code table of a town's uses, as a mapping file states it."""
    lines = ["\n[codes.use]\n"]
    unique = {use.text: use for use in uses}
    lines += [
        f'"{use.text}" = {{ label = "{use.text}", state_class = "{use.state_class}", '
        f'detail_code = "{use.detail_code}" }}\n'
        for _, use in sorted(unique.items())
    ]
    return "".join(lines)


def west_hartford_cards(folder: Path, *, limit: int | None) -> Cards:
    """Write West Hartford's cards: acres and year; all else is to be collected."""
    parcels = _parcels("west_hartford_parcels.gpkg", limit)
    accounts = parcels[parcels["ParcelType"] != "Condo Main"]
    cards = pd.DataFrame(
        {
            "gis": accounts["ParcelID"],
            "acres": _acres(accounts),
            "year": accounts["yearbuilt"].where(accounts["yearbuilt"] > 0).astype("Int64"),
        }
    )
    table = folder / "west_hartford_cards.csv"
    cards.to_csv(table, index=False)
    return Cards(table, MAPPINGS / "west_hartford.toml")


def _parcels(name: str, limit: int | None) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(stored(name), max_features=limit)


def _acres(parcels: gpd.GeoDataFrame) -> pd.Series:
    shapes = parcels.geometry.to_crs(_CONNECTICUT_FEET).make_valid()
    acres: pd.Series = (shapes.area / _SQFT_PER_ACRE).round(4)
    return acres
