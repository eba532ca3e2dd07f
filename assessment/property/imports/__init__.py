"""Imports of record cards and points: cards are matched, compared and written in batches, in one transaction."""
