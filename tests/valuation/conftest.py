"""Real tables of the demonstration, read once for the tests of valuation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assessment.demo import files


@pytest.fixture(scope="session")
def lucas_frame() -> pd.DataFrame:
    """Return Lucas County's 25,357 sales."""
    return pd.read_csv(files.stored("lucas_county_oh_sales.csv.gz"))


@pytest.fixture(scope="session")
def lucas(lucas_frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the assessor's values and the prices of Lucas County."""
    return lucas_frame["avalue"].to_numpy(dtype=float), lucas_frame["price"].to_numpy(dtype=float)
