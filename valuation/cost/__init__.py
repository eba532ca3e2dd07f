"""The cost approach: land by curve, buildings by rate, grade, size, age and condition; tables are data."""
