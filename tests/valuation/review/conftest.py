"""The bureau of the runs' tests, with one run of its town."""

from __future__ import annotations

import pytest

from tests.valuation.runs.conftest import Bureau, bureau
from valuation.runs.models import Conclusion, Run

__all__ = ["bureau"]


@pytest.fixture
def run(bureau: Bureau) -> Run:
    return bureau.run()


@pytest.fixture
def conclusion(bureau: Bureau, run: Run) -> Conclusion:
    return Conclusion.objects.get(run=run, property=bureau.houses[20])
