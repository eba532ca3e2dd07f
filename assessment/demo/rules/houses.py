"""Characteristics of houses, drawn from real record cards of another town by use and age.

No source has Hamden's building characteristics. A house of Hamden gets those of a New Haven house of nearly
its age, chosen by chance; its own age, use and land are real. What is drawn is marked `synthetic` on the
record and never enters a figure that is reported as accuracy.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from assessment.demo.rules.chance import draw

_NEAREST_DONORS = 60
_TAKEN = ("style", "model", "grade", "heattype", "ac", "good")
_ADDED = ("living", "beds", "baths")
_LEAST_LIVING_SQFT = 400


def usable_donors(cards: pd.DataFrame) -> pd.DataFrame:
    """Return the cards that a house can be drawn from, oldest first: complete, with a plausible size."""
    complete = cards.dropna(subset=[*_TAKEN, *_ADDED])
    plausible = complete[(complete["living"] >= _LEAST_LIVING_SQFT) & (complete["good"].between(1, 100))]
    return plausible.sort_values(["year", "pid"], kind="stable").reset_index(drop=True)


def draw_houses(houses: pd.DataFrame, cards: pd.DataFrame) -> pd.DataFrame:
    """Draw characteristics for houses.

    Parameters
    ----------
    houses
        Columns ``key``, ``year_built`` and ``dwellings`` (1, 2 or 3); one row for each house.
    cards
        New Haven's cards: ``pid, year, living, good, style, model, grade, beds, baths, heattype, ac``.

    Returns
    -------
    DataFrame
        Indexed like ``houses``: the donor's columns; living area, bedrooms and baths are the sums over one
        donor for each dwelling, all else is the first donor's.
    """
    donors = usable_donors(cards)
    years = donors["year"].to_numpy()
    first = _choose(years, houses["year_built"].to_numpy(), draw(list(houses["key"]), "dwelling 1"))
    drawn = donors.loc[first, [*_TAKEN, *_ADDED]].set_axis(houses.index)
    if houses.empty:
        return drawn
    for number in range(2, int(houses["dwellings"].max()) + 1):
        more = houses.index[houses["dwellings"] >= number]
        chosen = _choose(
            years,
            houses.loc[more, "year_built"].to_numpy(),
            draw(list(houses.loc[more, "key"]), f"dwelling {number}"),
        )
        drawn.loc[more, list(_ADDED)] += donors.loc[chosen, list(_ADDED)].to_numpy()
    return drawn


def _choose(
    years: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64], chances: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return the place of one donor for each wanted year, among the sixty nearest in age.

    ``years`` are ascending. The nearest sixty are a window of the sorted cards around the wanted year.
    """
    window = min(_NEAREST_DONORS, len(years))
    middle = (np.searchsorted(years, wanted, "left") + np.searchsorted(years, wanted, "right")) // 2
    # Where many cards have the very year, the window is all of them.
    same = np.searchsorted(years, wanted, "right") - np.searchsorted(years, wanted, "left")
    width = np.maximum(window, same)
    start = np.clip(middle - width // 2, 0, len(years) - width)
    chosen: npt.NDArray[np.int64] = start + np.floor(chances * width).astype(np.int64)
    return chosen
