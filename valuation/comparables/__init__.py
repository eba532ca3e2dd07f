"""Comparable sales of each property, with dollar adjustments that sum to the model's own value difference."""
