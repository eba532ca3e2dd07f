"""Valuation runs: frozen facts in, estimates, ratio studies, flags and conclusions out."""
