"""The bureau of the runs, and plain static files for the pages."""

from __future__ import annotations

from tests.valuation.comparables.test_pages import _plain_static_files
from tests.valuation.runs.conftest import bureau

__all__ = ["_plain_static_files", "bureau"]
