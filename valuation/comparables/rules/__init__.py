"""Choosing comparable sales and adjusting them, as pure functions of frames."""

from valuation.comparables.rules.grid import Comparables, comparables_defaults, comparables_of

__all__ = ["Comparables", "comparables_defaults", "comparables_of"]
