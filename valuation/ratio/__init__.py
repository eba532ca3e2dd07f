"""Ratio studies: how near, how even and how fair a set of values is, judged by sales."""
