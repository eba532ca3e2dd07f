"""Files of the roll: what is written from plain values, without a database."""
