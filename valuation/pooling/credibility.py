"""Credibility: how far a group's own mean is believed, in two levels.

The estimator of Bühlmann and Straub, nested as by Jewell: a town within the region, a neighbourhood within its town.
Source: Bühlmann and Gisler 2005, A Course in Credibility Theory, chapters 4 and 6. Golden test:
tests/valuation/pooling/test_credibility.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Believed:
    """One group: its sales, its own mean, its credibility and the level that is used.

    Attributes
    ----------
    n : int
        Sales.
    own : float
        Mean of its own sales (NaN without any).
    credibility : float
        0 (the level above is used) to 1 (its own mean is used).
    level : float
        ``above + credibility * (own - above)``.
    """

    n: int
    own: float
    credibility: float
    level: float


@dataclass(frozen=True)
class Credibility:
    """Levels of towns and of their neighbourhoods.

    Attributes
    ----------
    collective : float
        Level of the region: what an unknown town gets.
    within, between_places, between_towns : float
        Variances: of single sales, of neighbourhoods in a town, of towns.
    towns : mapping of str to Believed
    places : mapping of (str, str) to Believed
        By town and neighbourhood.
    """

    collective: float
    within: float
    between_places: float
    between_towns: float
    towns: Mapping[str, Believed]
    places: Mapping[tuple[str, str], Believed]

    def level_of(self, towns: Sequence[str], places: Sequence[str] | None = None) -> Floats:
        """Return the level of each row: of its neighbourhood, else of its town, else of the region."""
        rows = []
        for at, town in enumerate(towns):
            place = self.places.get((town, places[at])) if places is not None else None
            known = place or self.towns.get(town)
            rows.append(known.level if known else self.collective)
        return np.array(rows, dtype=np.float64)


def _between(weight: Floats, means: Floats, noise: float) -> float:
    """Return the variance between groups beyond what noise of ``noise / weight`` explains (Bühlmann and Gisler 4.12)."""
    total = float(weight.sum())
    room = total - float((weight**2).sum()) / total
    if len(weight) < 2 or room <= 0:
        return 0.0
    middle = float((weight * means).sum() / total)
    return max((float((weight * (means - middle) ** 2).sum()) - (len(weight) - 1) * noise) / room, 0.0)


def credibility(residuals: Floats, towns: Sequence[str], places: Sequence[str] | None = None) -> Credibility:
    """Estimate levels from logarithmic residuals of a common model.

    With ``places`` the neighbourhoods of a town are believed against their town, and towns against the region.
    """
    town_codes, town_names = named_codes(towns)
    nested = towns
    if places is not None:
        nested = [f"{town}\x1f{place}" for town, place in zip(towns, places, strict=True)]
    codes, names = named_codes(nested)
    n = np.bincount(codes).astype(np.float64)
    means = np.bincount(codes, weights=residuals) / n
    within = float(((residuals - means[codes]) ** 2).sum()) / max(len(residuals) - len(n), 1)
    parent = np.zeros(len(names), dtype=np.intp)
    parent[codes] = town_codes
    count = len(town_names)

    # Lower level: neighbourhoods of each town about their own town's mean, pooled over towns.
    totals = _sums(parent, n, count)
    own = _sums(parent, n * means, count) / totals
    room = float((totals - _sums(parent, n**2, count) / totals).sum())
    excess = float((n * (means - own[parent]) ** 2).sum()) - (len(n) - count) * within
    between_places = max(excess / room, 0.0) if room > 0 else 0.0
    z_place = _believed(n, within, between_places)

    # Upper level: towns, weighted by what their neighbourhoods are believed (Bühlmann and Gisler, chapter 6).
    weight, noise = totals, within
    if between_places > 0:
        weight = _sums(parent, z_place, count)
        own = _sums(parent, z_place * means, count) / weight
        noise = between_places
    between_towns = _between(weight, own, noise)
    z_town = _believed(weight, noise, between_towns)
    collective = _collective(z_town, own)
    town_level = collective + z_town * (own - collective)
    town_found = {
        name: Believed(int(totals[at]), float(own[at]), float(z_town[at]), float(town_level[at]))
        for at, name in enumerate(town_names)
    }
    place_found = {}
    for at, name in enumerate(names if places is not None else ()):
        town, _, place = name.partition("\x1f")
        above = float(town_level[parent[at]])
        level = above + float(z_place[at]) * (float(means[at]) - above)
        place_found[(town, place)] = Believed(int(n[at]), float(means[at]), float(z_place[at]), level)
    return Credibility(collective, within, between_places, between_towns, town_found, place_found)


def named_codes(names: Sequence[str]) -> tuple[NDArray[np.intp], list[str]]:
    """Return each name's place among the sorted names, and those."""
    labels, codes = np.unique(np.array([str(name) for name in names], dtype=str), return_inverse=True)
    return codes.astype(np.intp), [str(label) for label in labels]


def _sums(codes: NDArray[np.intp], amounts: Floats, count: int) -> Floats:
    return np.bincount(codes, weights=amounts, minlength=count).astype(np.float64)


def _believed(weight: Floats, noise: float, between: float) -> Floats:
    """Return credibilities ``w a / (w a + s)``."""
    if between <= 0:
        return np.zeros(len(weight))
    return np.asarray(weight * between / (weight * between + noise), dtype=np.float64)


def _collective(credibilities: Floats, means: Floats) -> float:
    total = float(credibilities.sum())
    return float((credibilities * means).sum() / total) if total > 0 else float(means.mean())
