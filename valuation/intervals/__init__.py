"""Prediction intervals that keep their promise on later sales."""
