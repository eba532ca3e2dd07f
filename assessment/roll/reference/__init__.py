"""Reference tables of the state, by date of edition."""
