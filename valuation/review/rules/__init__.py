"""Overrides, the gate before posting, and the comparison of two runs: plain rules."""
