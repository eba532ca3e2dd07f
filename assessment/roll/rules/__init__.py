"""The rules of the roll: plain values in, plain values out. No Django, no clock, no I/O."""
