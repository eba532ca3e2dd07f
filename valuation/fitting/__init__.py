"""Fitting and testing models on any table of sales, without a database."""
