"""Partial pooling: what a jurisdiction says itself, as far as its sales can be believed, and the region for the rest."""
