"""Real tables of the demonstration, read once for the tests of valuation, and who asks for its pages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from django.test import Client

from assessment.demo import files
from tests.cast import PASSWORD

SignedIn = Callable[[str], Client]


@pytest.fixture(scope="session")
def lucas_frame() -> pd.DataFrame:
    """Return Lucas County's 25,357 sales."""
    return pd.read_csv(files.stored("lucas_county_oh_sales.csv.gz"))


@pytest.fixture(scope="session")
def lucas(lucas_frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the assessor's values and the prices of Lucas County."""
    return lucas_frame["avalue"].to_numpy(dtype=float), lucas_frame["price"].to_numpy(dtype=float)


@pytest.fixture
def signed_in() -> SignedIn:
    """Return a client in which the person of an email address has signed in at the front door."""

    def make(email: str) -> Client:
        client = Client(raise_request_exception=False)
        assert client.post("/sign-in", {"username": email, "password": PASSWORD}).status_code == 302
        return client

    return make
